/*
 * What parity is made anew for: segments whose blocks the keys have authenticated.
 *
 * Parity's own sums need no key, nor do a segment's.  Who can write the archive's folder can
 * change a segment, make its sums right and delete its parity; parity for what he left would
 * make of it what was always there.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/vault/repair_inside.h"

struct judged {
	uint8_t uid[16];
	int64_t id;		/* in the catalogue */
	bool is_judged, is_good;
};

struct repair_vouch {
	struct verify *verify;	/* borrowed */
	bool is_listed;
	struct judged *list;	/* owned; sorted by uid */
	size_t count, capacity;
	struct block_decoder *decoder;	/* owned */
	uint8_t *buffer;	/* owned; BLOCK_STORED_MAX */
};

int repair_vouch_new(struct verify *k, struct repair_vouch **out, struct err *e)
{
	struct repair_vouch *r = calloc(1, sizeof *r);

	*out = NULL;
	if (r == NULL || (r->buffer = malloc(BLOCK_STORED_MAX)) == NULL) {
		free(r);
		return err_set(e, MUNI_NO_MEMORY, "no memory to read blocks");
	}
	r->verify = k;
	*out = r;
	return 0;
}

void repair_vouch_free(struct repair_vouch *r)
{
	if (r == NULL)
		return;
	block_decoder_free(r->decoder);
	free(r->list);
	free(r->buffer);
	free(r);
}

static int by_uid(const void *a, const void *b)
{
	const struct judged *x = a, *y = b;

	return memcmp(x->uid, y->uid, sizeof x->uid);
}

static int take_segment(void *arg, int64_t id, const uint8_t uid[16])
{
	struct repair_vouch *r = arg;

	if (r->count == r->capacity) {
		size_t capacity = r->capacity == 0 ? 64 : r->capacity * 2;
		struct judged *list = reallocarray(r->list, capacity, sizeof *list);

		if (list == NULL)
			return -1;
		r->list = list;
		r->capacity = capacity;
	}
	r->list[r->count] = (struct judged){ .id = id };
	memcpy(r->list[r->count++].uid, uid, 16);
	return 0;
}

static int list_segments(struct repair_vouch *r, struct err *e)
{
	r->count = 0;
	if (catalogue_segments(r->verify->v->catalogue, take_segment, r, e) < 0)
		return e->code != MUNI_OK ? -1 : err_set(e, MUNI_NO_MEMORY, "no memory for the "
							 "list of segments");
	if (r->count > 1)
		qsort(r->list, r->count, sizeof *r->list, by_uid);
	r->is_listed = true;
	return 0;
}

struct look {
	struct repair_vouch *vouch;
	struct judged *segment;
	struct err failed;	/* not for want of authenticity */
};

/* The files that need the block are named later, with those of other damage. */
static int note_bad(struct look *l, const struct block *b)
{
	struct verify *k = l->vouch->verify;
	struct parity_damage d = { .offset = b->offset, .size = b->stored };
	char where[VERIFY_PLACE_MAX];

	if (l->segment->is_good)
		verify_damage(k, false, verify_place(OBJECTS_SEGMENT, l->segment->uid, b->offset,
						     where),
			      "the block here is not the one that was written, though the "
			      "segment's own sums are right: somebody changed both. No parity was "
			      "made for it; bring the segment back from a backup of the archive "
			      "and run `muni repair` again");
	l->segment->is_good = false;
	memcpy(d.uid, l->segment->uid, sizeof d.uid);
	return verify_take_run(k, &d, &l->failed);
}

static int look_at(void *arg, const struct block *b, const uint8_t segment_uid[16])
{
	struct look *l = arg;
	struct repair_vouch *r = l->vouch;
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	struct err e = ERR_NONE;

	memcpy(name.uid, segment_uid, sizeof name.uid);
	if (b->stored <= BLOCK_STORED_MAX &&
	    objects_get(r->verify->v->objects, &name, b->offset, r->buffer, b->stored, &e) == 0 &&
	    block_authenticate(r->decoder, b, r->buffer, &e) == 0)
		return verify_go_on(r->verify, &l->failed);
	if (e.code == MUNI_NO_MEMORY || e.code == MUNI_CANCELLED) {
		l->failed = e;
		return -1;
	}
	return note_bad(l, b);
}

static int judge(struct repair_vouch *r, struct judged *s, struct err *e)
{
	struct look l = { .vouch = r, .segment = s };
	int rc;

	if (r->decoder == NULL && block_decoder_new(r->verify->v->id, &r->decoder, e) < 0)
		return -1;
	s->is_good = true;
	rc = catalogue_blocks_within(r->verify->v->catalogue, s->id, 0, INT64_MAX, look_at, &l, e);
	if (rc < 0 && l.failed.code != MUNI_OK)
		*e = l.failed;
	s->is_judged = rc == 0;
	return rc;
}

int repair_vouch_segment(void *arg, const uint8_t uid[16], bool *out, struct err *e)
{
	struct repair_vouch *r = arg;
	struct judged key = { .id = 0 }, *s;

	*out = true;
	if (!r->verify->is_catalogue_open || r->verify->v->catalogue == NULL) {
		r->verify->out->is_unvouched = true;
		return 0;
	}
	if (!r->is_listed && list_segments(r, e) < 0)
		return -1;
	memcpy(key.uid, uid, sizeof key.uid);
	s = r->count == 0 ? NULL : bsearch(&key, r->list, r->count, sizeof key, by_uid);
	if (s == NULL)
		return 0;
	if (!s->is_judged && judge(r, s, e) < 0)
		return -1;
	*out = s->is_good;
	return 0;
}
