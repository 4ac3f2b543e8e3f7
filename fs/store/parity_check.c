/*
 * Finding damage by the checksums in parity, and mending it.
 *
 * One pass over a group's columns finds what is bad; only a group with damage is
 * passed over again, to write its damaged objects anew.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/store/parity_exam.h"
#include "fs/store/segment.h"

static int by_uid(const void *a, const void *b)
{
	const struct object_name *x = a, *y = b;

	return memcmp(x->uid, y->uid, sizeof x->uid);
}

static void cover(struct exam *x, const struct parity_group *g)
{
	for (unsigned i = 0; i < g->count; i++) {
		struct object_name key = { .kind = OBJECTS_SEGMENT }, *hit = NULL;

		memcpy(key.uid, g->members[i].uid, sizeof key.uid);
		if (x->segment_count > 0)
			hit = bsearch(&key, x->segments, x->segment_count, sizeof key,
				      by_uid);
		if (hit != NULL)
			x->is_covered[hit - x->segments] = true;
	}
}

/* Is parity of this group to be written anew, though a member is not what the keys know? */
static int ask_for_members(struct group_exam *g, struct err *e)
{
	struct exam *x = g->exam;
	bool is_parity_damaged = false;

	for (unsigned i = g->group->count; i < g->count; i++)
		is_parity_damaged = is_parity_damaged || g->shards[i].is_damaged;
	for (unsigned i = 0; i < g->group->count && is_parity_damaged && x->vouch != NULL; i++) {
		bool is_good = true;

		if (!g->shards[i].is_damaged &&
		    x->vouch->segment(x->vouch->arg, g->group->members[i].uid, &is_good, e) < 0)
			return -1;
		g->is_barred = g->is_barred || !is_good;
	}
	x->is_refused = x->is_refused || g->is_barred;
	return 0;
}

static int examine_group(struct exam *x, const struct parity_span *s, struct err *e)
{
	struct parity_group *group = NULL;
	struct group_exam g;
	bool is_damaged = false;
	int rc = -1;

	if (parity_group_load(x->objects, x->archive_id, &x->index, s, &group, e) < 0) {
		if (e->code != MUNI_DAMAGED)
			return -1;
		x->is_left = x->is_left || e->sys != 0;
		*e = ERR_NONE;
		for (size_t i = s->first; i < s->first + s->count; i++) {
			struct object_name *name = &x->useless[x->useless_count++];

			name->kind = OBJECTS_PARITY;
			memcpy(name->uid, x->index.heads[i].uid, sizeof name->uid);
		}
		return 0;
	}
	cover(x, group);
	if (group_exam_new(x, group, &g, e) < 0 ||
	    (x->is_repair ? group_exam_find(&g, e) : group_exam_scan(&g, x->seen, e)) < 0)
		goto out;
	for (unsigned i = 0; i < g.count; i++)
		is_damaged = is_damaged || g.shards[i].is_damaged;
	if (x->is_repair && is_damaged &&
	    (ask_for_members(&g, e) < 0 || group_exam_mend(&g, e) < 0))
		goto out;
	rc = 0;
out:
	group_exam_free(&g);
	return rc;
}

/* Segments in no group have only their own checksums. */
static int check_uncovered(struct exam *x, struct err *e)
{
	for (size_t i = 0; i < x->segment_count; i++) {
		struct parity_damage d = { .is_whole = true, .can_mend = false };

		if (x->is_covered[i])
			continue;
		if (segment_check(x->objects, &x->segments[i], x->archive_id, e) == 0)
			continue;
		if (e->code == MUNI_NO_MEMORY || e->code == MUNI_FORMAT)
			return -1;
		*e = ERR_NONE;
		x->is_left = true;
		memcpy(d.uid, x->segments[i].uid, sizeof d.uid);
		objects_size(x->objects, &x->segments[i], &d.size, e);
		*e = ERR_NONE;
		if (parity_exam_tell(x, &d, e) < 0)
			return -1;
	}
	return 0;
}

static int tell_useless(struct exam *x, bool can_mend, struct err *e)
{
	for (size_t i = 0; i < x->useless_count; i++) {
		struct parity_damage d = { .is_parity = true, .can_mend = can_mend };

		memcpy(d.uid, x->useless[i].uid, sizeof d.uid);
		objects_size(x->objects, &x->useless[i], &d.size, e);
		*e = ERR_NONE;
		if (parity_exam_tell(x, &d, e) < 0)
			return -1;
	}
	return 0;
}

static int exam_run(struct exam *x, struct err *e)
{
	struct parity_span s;
	size_t at = 0;

	if (objects_list(x->objects, OBJECTS_SEGMENT, &x->segments, &x->segment_count, NULL,
			 e) < 0 ||
	    parity_index_load(x->objects, x->archive_id, &x->index, e) < 0)
		return -1;
	x->is_left = x->index.is_unread;
	x->is_covered = calloc(x->segment_count + 1, sizeof *x->is_covered);
	x->useless = calloc(x->index.count + x->index.broken_count + 1, sizeof *x->useless);
	if (x->is_covered == NULL || x->useless == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to check parity");
	for (size_t i = 0; i < x->index.broken_count; i++)
		x->useless[x->useless_count++] = x->index.broken[i];
	while (parity_index_next(&x->index, &at, &s))
		if (examine_group(x, &s, e) < 0)
			return -1;
	return check_uncovered(x, e);
}

static void exam_free(struct exam *x)
{
	parity_index_free(&x->index);
	free(x->segments);
	free(x->is_covered);
	free(x->useless);
}

int parity_check(struct objects *o, const uint8_t archive_id[16],
		 int (*found)(void *arg, const struct parity_damage *d),
		 bool (*progress)(void *arg, uint64_t bytes), void *arg,
		 const struct parity_seen *seen, struct err *e)
{
	struct exam x = { .objects = o, .archive_id = archive_id, .found = found,
			  .progress = progress, .arg = arg, .seen = seen };
	int rc = exam_run(&x, e);

	if (rc == 0)
		rc = tell_useless(&x, !x.is_left, e);
	exam_free(&x);
	return rc;
}

static int ask_and_note(void *arg, const uint8_t uid[16], bool *out, struct err *e)
{
	struct exam *x = arg;

	if (x->vouch->segment(x->vouch->arg, uid, out, e) < 0)
		return -1;
	x->is_refused = x->is_refused || !*out;
	return 0;
}

int parity_repair(struct objects *o, const uint8_t archive_id[16],
		  struct parity_strength strength,
		  int (*found)(void *arg, const struct parity_damage *d),
		  bool (*progress)(void *arg, uint64_t bytes), void *arg,
		  const struct parity_vouch *vouch, struct err *e)
{
	struct exam x = { .objects = o, .archive_id = archive_id, .found = found,
			  .progress = progress, .arg = arg, .vouch = vouch, .is_repair = true };
	const struct parity_vouch noting = { .segment = ask_and_note, .arg = &x };
	bool can_remove;
	int rc = exam_run(&x, e);

	if (rc == 0)
		rc = parity_update_vouched(o, archive_id, strength,
					   vouch != NULL ? &noting : NULL, e);
	can_remove = !x.is_refused && !x.is_left;
	if (rc == 0)
		rc = tell_useless(&x, can_remove, e);
	for (size_t i = 0; i < x.useless_count && rc == 0 && can_remove; i++)
		rc = objects_delete(o, &x.useless[i], e);
	exam_free(&x);
	if (rc == 0)
		*e = ERR_NONE;
	return rc;
}
