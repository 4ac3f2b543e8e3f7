#include "fs/vault/vouch.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/list.h"
#include "fs/base/text.h"
#include "fs/vault/inside.h"

struct judged {
	uint8_t uid[16];
	int64_t id;		/* in the catalogue */
	bool is_judged, is_good;
};

struct vouch {
	struct vouching asked;
	bool is_listed;
	struct judged *list;	/* owned; sorted by uid */
	size_t count, capacity;
	struct block_decoder *decoder;	/* owned */
	uint8_t *buffer;	/* owned; BLOCK_STORED_MAX */
};

int vouch_new(const struct vouching *asked, struct vouch **out, struct err *e)
{
	struct vouch *k = calloc(1, sizeof *k);

	*out = NULL;
	if (k == NULL || (k->buffer = malloc(BLOCK_STORED_MAX)) == NULL) {
		free(k);
		return err_set(e, MUNI_NO_MEMORY, "no memory to read blocks");
	}
	k->asked = *asked;
	*out = k;
	return 0;
}

void vouch_free(struct vouch *k)
{
	if (k == NULL)
		return;
	block_decoder_free(k->decoder);
	free(k->list);
	free(k->buffer);
	free(k);
}

/* ---- which segments there are ---------------------------------------------------------- */

static int by_uid(const void *a, const void *b)
{
	const struct judged *x = a, *y = b;

	return memcmp(x->uid, y->uid, sizeof x->uid);
}

static int take_segment(void *arg, int64_t id, const uint8_t uid[16])
{
	struct vouch *k = arg;

	if (!list_room(&k->list, k->count, &k->capacity, sizeof *k->list))
		return -1;
	k->list[k->count] = (struct judged){ .id = id };
	memcpy(k->list[k->count++].uid, uid, 16);
	return 0;
}

static int list_segments(struct vouch *k, struct catalogue *c, struct err *e)
{
	k->count = 0;
	if (catalogue_segments(c, take_segment, k, e) < 0)
		return e->code != MUNI_OK ? -1 : err_set(e, MUNI_NO_MEMORY, "no memory for the "
							 "list of segments");
	if (k->count > 1)
		qsort(k->list, k->count, sizeof *k->list, by_uid);
	k->is_listed = true;
	return 0;
}

/* ---- one of them ------------------------------------------------------------------------- */

struct look {
	struct vouch *vouch;
	struct judged *segment;
	struct err failed;	/* not for want of authenticity */
};

static int look_at(void *arg, const struct block *b, const uint8_t segment_uid[16])
{
	struct look *l = arg;
	struct vouch *k = l->vouch;
	const struct vouching *asked = &k->asked;
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	struct err e = ERR_NONE;
	bool is_first = l->segment->is_good;

	memcpy(name.uid, segment_uid, sizeof name.uid);
	if (b->stored <= BLOCK_STORED_MAX &&
	    objects_get(asked->objects, &name, b->offset, k->buffer, b->stored, &e) == 0 &&
	    block_authenticate(k->decoder, b, k->buffer, &e) == 0)
		return asked->go_on != NULL ? asked->go_on(asked->arg, &l->failed) : 0;
	if (e.code == MUNI_NO_MEMORY || e.code == MUNI_CANCELLED) {
		l->failed = e;
		return -1;
	}
	l->segment->is_good = false;
	return asked->bad(asked->arg, b, segment_uid, is_first, &l->failed);
}

static int judge(struct vouch *k, struct catalogue *c, struct judged *s, struct err *e)
{
	struct look l = { .vouch = k, .segment = s };
	int rc;

	if (k->decoder == NULL && block_decoder_new(k->asked.archive_id, &k->decoder, e) < 0)
		return -1;
	s->is_good = true;
	rc = catalogue_blocks_within(c, s->id, 0, INT64_MAX, look_at, &l, e);
	if (rc < 0 && l.failed.code != MUNI_OK)
		*e = l.failed;
	s->is_judged = rc == 0;
	return rc;
}

int vouch_for(struct vouch *k, struct catalogue *c, const uint8_t uid[16], bool *out,
	      struct err *e)
{
	struct judged key = { .id = 0 }, *s;

	*out = true;
	if (!k->is_listed && list_segments(k, c, e) < 0)
		return -1;
	memcpy(key.uid, uid, sizeof key.uid);
	s = k->count == 0 ? NULL : bsearch(&key, k->list, k->count, sizeof key, by_uid);
	if (s == NULL)
		return 0;
	if (!s->is_judged && judge(k, c, s, e) < 0)
		return -1;
	*out = s->is_good;
	return 0;
}

/* ---- at the end of an act ------------------------------------------------------------------ */

struct act {
	struct vault *v;
	struct catalogue *catalogue;
	struct vouch *vouch;	/* owned; made for the first segment that is asked about */
};

static int tell(void *arg, const struct block *b, const uint8_t uid[16], bool is_first,
		struct err *e)
{
	struct act *a = arg;
	char hex[33];

	(void)b;
	(void)e;
	text_hex(uid, 16, hex);
	if (is_first)
		vault_add_notice(a->v, "the segment %s holds a block that is not the one that was "
				 "written, though its own sums are right: somebody changed both. "
				 "No parity was made for it; `muni verify` names the files. Bring it "
				 "back from a backup of the archive and run `muni repair`", hex);
	return 0;
}

static int ask(void *arg, const uint8_t uid[16], bool *out, struct err *e)
{
	struct act *a = arg;
	const struct vouching asked = { .objects = a->v->objects, .archive_id = a->v->id,
					.bad = tell, .arg = a };

	if (a->vouch == NULL && vouch_new(&asked, &a->vouch, e) < 0)
		return -1;
	return vouch_for(a->vouch, a->catalogue, uid, out, e);
}

int vouch_parity_update(struct vault *v, struct catalogue *c, struct parity_strength strength,
			struct err *e)
{
	struct act a = { .v = v, .catalogue = c };
	const struct parity_vouch own = { .segment = ask, .arg = &a };
	int rc = parity_update_vouched(v->objects, v->id, strength,
				       v->vouch != NULL ? v->vouch : &own, e);

	vouch_free(a.vouch);
	return rc;
}
