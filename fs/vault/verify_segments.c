/*
 * Segments without keys: the checksums that stand in parity, and each segment's
 * own head, footer and tail.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/list.h"
#include "fs/base/text.h"
#include "fs/store/segment.h"
#include "fs/vault/verify_inside.h"

int verify_take_run(struct verify *k, const struct parity_damage *d, struct err *e)
{
	struct verify_run *run;

	if (d->is_parity)
		return 0;
	if (!list_room(&k->runs, k->run_count, &k->run_capacity, sizeof *k->runs))
		return err_set(e, MUNI_NO_MEMORY, "no memory for what is damaged");
	run = &k->runs[k->run_count++];
	memcpy(run->uid, d->uid, sizeof run->uid);
	run->offset = d->offset;
	/* Cut, or replaced by a shorter one: what stood behind its end is gone, too. */
	run->size = d->is_whole ? UINT64_MAX : d->size;
	run->can_mend = d->can_mend;
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct verify_run *x = a, *y = b;
	int order = memcmp(x->uid, y->uid, sizeof x->uid);

	if (order != 0)
		return order;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

void verify_sort_runs(struct verify *k)
{
	if (k->run_count > 1)
		qsort(k->runs, k->run_count, sizeof *k->runs, by_place);
}

bool verify_is_touched(const struct verify *k, const uint8_t uid[16], uint64_t offset,
		       uint64_t size, bool *can_mend)
{
	size_t low = 0, high = k->run_count;
	bool is_touched = false;

	*can_mend = true;
	while (low < high) {	/* the first run of this segment */
		size_t middle = low + (high - low) / 2;

		if (memcmp(k->runs[middle].uid, uid, 16) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < k->run_count && memcmp(k->runs[low].uid, uid, 16) == 0; low++) {
		const struct verify_run *run = &k->runs[low];

		if (run->offset >= offset + size || run->offset + run->size <= offset)
			continue;
		is_touched = true;
		*can_mend = *can_mend && run->can_mend;
	}
	return is_touched;
}

struct walk {
	struct verify *verify;
	struct err *e;
};

static int found_run(void *arg, const struct parity_damage *d)
{
	struct walk *w = arg;
	struct verify *k = w->verify;
	char where[VERIFY_PLACE_MAX], size[TEXT_COUNT_MAX];

	verify_place(d->is_parity ? OBJECTS_PARITY : OBJECTS_SEGMENT, d->uid, d->offset,
		     where);
	if (d->is_missing)
		verify_damage(k, d->can_mend, where, "it is missing (%s bytes)",
			      text_count(d->size, size));
	else
		verify_damage(k, d->can_mend, where, "%s bytes from here on are not what was "
			      "written", text_count(d->size, size));
	return verify_take_run(k, d, w->e) < 0 ? -1 : 0;
}

static bool read_bytes(void *arg, uint64_t bytes)
{
	struct walk *w = arg;
	struct err ignored = ERR_NONE;

	verify_advance(w->verify, 0, bytes);
	return verify_go_on(w->verify, &ignored) == 0;
}

static int size_of(struct verify *k, enum objects_kind kind, uint64_t *out, struct err *e)
{
	struct object_name *names = NULL;
	size_t count = 0;

	*out = 0;
	if (objects_list(k->v->objects, kind, &names, &count, NULL, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		uint64_t size = 0;

		if (objects_size(k->v->objects, &names[i], &size, e) == 0)
			*out += size;
		*e = ERR_NONE;
	}
	free(names);
	return 0;
}

int verify_total_size(struct verify *k, struct err *e)
{
	return size_of(k, OBJECTS_SEGMENT, &k->segment_bytes, e) < 0 ||
	       size_of(k, OBJECTS_PARITY, &k->parity_bytes, e) < 0 ? -1 : 0;
}

/* Parity vouches for every byte; a footer that contradicts itself was written so. */
static int check_structure(struct verify *k, struct err *e)
{
	struct object_name *names = NULL;
	size_t count = 0;
	int rc = -1;

	if (objects_list(k->v->objects, OBJECTS_SEGMENT, &names, &count, NULL, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct segment_entry *entries = NULL;
		char where[VERIFY_PLACE_MAX];
		size_t blocks;
		bool can_mend;
		int got;

		got = segment_read_footer(k->v->objects, &names[i], k->v->id, &entries, &blocks,
					  e);
		free(entries);
		if (got == 0)
			continue;
		if (verify_is_touched(k, names[i].uid, 0, UINT64_MAX, &can_mend))
			*e = ERR_NONE;	/* told already */
		else if (verify_absorb(k, false, verify_place(OBJECTS_SEGMENT, names[i].uid, 0,
							      where), e) < 0)
			goto out;
	}
	rc = 0;
out:
	free(names);
	return rc;
}

int verify_segments(struct verify *k, struct err *e)
{
	struct walk w = { .verify = k, .e = e };
	struct parity_seen seen;
	int rc;

	if (k->v->objects == NULL)
		return 0;
	if (verify_total_size(k, e) < 0)
		return verify_absorb(k, false, ARCHIVE_SEGMENTS, e);
	verify_stage(k, "reading segments", 0, k->segment_bytes + k->parity_bytes);
	verify_seen_start(k, &seen);
	rc = parity_check(k->v->objects, k->v->id, found_run, read_bytes, &w,
			  seen.slice != NULL ? &seen : NULL, e);
	verify_seen_end(k);
	if (rc < 0)
		return -1;
	verify_sort_runs(k);
	return check_structure(k, e);
}

struct known {
	struct verify *verify;
	struct err *e;
	struct object_name *names;	/* in the folder; sorted; borrowed */
	size_t count;
	size_t met, met_uncovered;
};

static int by_uid(const void *a, const void *b)
{
	const struct object_name *x = a, *y = b;

	return memcmp(x->uid, y->uid, sizeof x->uid);
}

static int meet_segment(void *arg, int64_t id, const uint8_t uid[16])
{
	struct known *n = arg;
	struct object_name key = { .kind = OBJECTS_SEGMENT };
	struct parity_damage lost = { .size = UINT64_MAX, .is_missing = true };
	char where[VERIFY_PLACE_MAX];
	bool can_mend;

	(void)id;
	memcpy(key.uid, uid, sizeof key.uid);
	if (n->count > 0 && bsearch(&key, n->names, n->count, sizeof key, by_uid) != NULL) {
		n->met++;
		n->met_uncovered += n->verify->uncovered_count > 0 &&
				    bsearch(&key, n->verify->uncovered,
					    n->verify->uncovered_count, sizeof key,
					    by_uid) != NULL;
		return 0;
	}
	if (verify_is_touched(n->verify, uid, 0, UINT64_MAX, &can_mend))
		return 0;	/* told already */
	verify_damage(n->verify, false, verify_place(OBJECTS_SEGMENT, uid, 0, where),
		      "it is missing, and no parity knows it");
	memcpy(lost.uid, uid, sizeof lost.uid);
	return verify_take_run(n->verify, &lost, n->e) < 0 ? -1 : 0;
}

int verify_uncovered(struct verify *k, struct err *e)
{
	if (k->v->objects == NULL)
		return 0;
	return parity_uncovered(k->v->objects, k->v->id, &k->uncovered, &k->uncovered_count,
				e);
}

/* Every act ends with parity for all segments, so where none was interrupted,
 * parity that is not there was lost. */
static int judge_uncovered(struct verify *k, const struct known *n, struct err *e)
{
	struct catalogue_settings s;
	char count[TEXT_COUNT_MAX];

	if (k->uncovered_count == 0)
		return 0;
	if (catalogue_settings_get(k->v->catalogue, &s, e) < 0)
		return -1;
	if (s.parity.parity == 0)
		return 0;
	if (n->met_uncovered > 0 && !k->is_unsettled)
		verify_damage(k, true, ARCHIVE_SEGMENTS, "the parity of %s segments is missing",
			      text_count(n->met_uncovered, count));
	else
		verify_note(k, ARCHIVE_SEGMENTS, "%s segments have no parity yet; the next "
			    "ingest or repair gives it to them",
			    text_count(k->uncovered_count, count));
	return 0;
}

int verify_known_segments(struct verify *k, struct err *e)
{
	struct known n = { .verify = k, .e = e };
	char count[TEXT_COUNT_MAX];
	int rc;

	if (!k->is_catalogue_open || k->v->objects == NULL)
		return 0;
	if (objects_list(k->v->objects, OBJECTS_SEGMENT, &n.names, &n.count, NULL, e) < 0)
		return -1;
	rc = catalogue_segments(k->v->catalogue, meet_segment, &n, e);
	verify_sort_runs(k);
	if (rc == 0)
		rc = judge_uncovered(k, &n, e);
	if (rc == 0 && n.met < n.count)
		verify_note(k, ARCHIVE_SEGMENTS, "%s segments are in the folder that the "
			    "catalogue does not know: an interrupted ingest left them",
			    text_count(n.count - n.met, count));
	free(n.names);
	return rc;
}
