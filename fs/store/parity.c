/*
 * Which segments stand in which group: joining.  Leaving is in parity_remove.c.
 */
#include "fs/store/parity.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/store/parity_inside.h"
#include "fs/store/segment.h"

struct update {
	struct objects *objects;
	const uint8_t *archive_id;
	struct parity_strength strength;
	const struct parity_vouch *vouch;	/* borrowed; NULL: nobody is asked */
	struct parity_index index;
	struct object_name *segments;	/* owned; sorted */
	size_t count;
	bool *is_covered;		/* owned; by place in segments */
	bool has_open[PARITY_CLASSES];
	struct parity_span open[PARITY_CLASSES];
};

static int by_uid(const void *a, const void *b)
{
	const struct object_name *x = a, *y = b;

	return memcmp(x->uid, y->uid, sizeof x->uid);
}

static void cover(struct update *u, const uint8_t uid[16])
{
	struct object_name key = { .kind = OBJECTS_SEGMENT };
	struct object_name *found;

	memcpy(key.uid, uid, sizeof key.uid);
	found = u->count == 0 ? NULL : bsearch(&key, u->segments, u->count, sizeof key,
					       by_uid);
	if (found != NULL)
		u->is_covered[found - u->segments] = true;
}

static int look_at_groups(struct update *u, bool is_writing, struct err *e)
{
	struct parity_span s;
	size_t at = 0;

	while (parity_index_next(&u->index, &at, &s)) {
		const struct parity_head *h = &u->index.heads[s.first];
		unsigned class = parity_class_of(h->columns);
		struct parity_group *g = NULL;

		if (is_writing &&
		    parity_index_drop_left_overs(u->objects, &u->index, &s, e) < 0)
			return -1;
		if (parity_group_members(u->objects, u->archive_id, &u->index, &s, &g,
					 e) < 0) {
			if (e->code != MUNI_DAMAGED)
				return -1;
			continue;	/* it protects nobody; repair removes it */
		}
		for (unsigned i = 0; i < g->count; i++)
			cover(u, g->members[i].uid);
		parity_group_free(g);
		if (s.is_complete && h->members < h->data &&
		    h->data == u->strength.data && h->parity == u->strength.parity) {
			u->has_open[class] = true;
			u->open[class] = s;
		}
	}
	*e = ERR_NONE;
	return 0;
}

static bool is_usable(const struct parity_group *g)
{
	for (unsigned j = 0; j < g->parity; j++)
		if (g->objects[j].sums == NULL)
			return false;
	return true;
}

/* A copy of old's members with their sums, and the newcomers. */
static struct parity_group *grown(const struct parity_group *old,
				  const struct parity_member *newcomers, unsigned count,
				  struct err *e)
{
	struct parity_group *g = parity_group_new(old->data, old->parity, e);

	if (g == NULL)
		return NULL;
	memcpy(g->uid, old->uid, sizeof g->uid);
	g->generation = old->generation;
	g->format = old->format;
	for (unsigned i = 0; i < old->count; i++) {
		size_t size = (size_t)old->members[i].columns * PARITY_SUM;

		parity_group_add(g, old->members[i].uid, old->members[i].size);
		g->members[i].sums = malloc(size);
		if (g->members[i].sums == NULL) {
			parity_group_free(g);
			err_set(e, MUNI_NO_MEMORY, "no memory for a parity group");
			return NULL;
		}
		memcpy(g->members[i].sums, old->members[i].sums, size);
	}
	for (unsigned i = 0; i < count; i++)
		parity_group_add(g, newcomers[i].uid, newcomers[i].size);
	return g;
}

static int write_grown(struct update *u, const struct parity_group *old, bool carry_on,
		       const struct parity_member *newcomers, unsigned count,
		       struct err *e)
{
	struct parity_group *g = grown(old, newcomers, count, e);
	int rc;

	if (g == NULL)
		return -1;
	rc = parity_group_write(u->objects, u->archive_id, g, carry_on ? old : NULL, e);
	parity_group_free(g);
	return rc;
}

/* *is_done false: the group is damaged, and the newcomers need another. */
static int join_open(struct update *u, const struct parity_span *s,
		     const struct parity_member *newcomers, unsigned count,
		     bool *is_done, struct err *e)
{
	struct parity_group *old = NULL;
	int rc;

	*is_done = false;
	rc = parity_group_load(u->objects, u->archive_id, &u->index, s, &old, e);
	if (rc == 0) {
		rc = is_usable(old) ? write_grown(u, old, true, newcomers, count, e)
				    : err_set(e, MUNI_DAMAGED, "parity is damaged");
		if (rc < 0 && e->code == MUNI_DAMAGED)
			rc = write_grown(u, old, false, newcomers, count, e);
	}
	parity_group_free(old);
	if (rc < 0 && e->code == MUNI_DAMAGED) {
		*e = ERR_NONE;
		return 0;
	}
	if (rc < 0)
		return -1;
	*is_done = true;
	return parity_index_delete(u->objects, &u->index, s->first, s->first + s->count, e);
}

static int start_group(struct update *u, const struct parity_member *newcomers,
		       unsigned count, struct err *e)
{
	struct parity_group *g = parity_group_new(u->strength.data, u->strength.parity, e);
	int rc = -1;

	if (g == NULL)
		return -1;
	if (random_bytes(g->uid, sizeof g->uid, e) == 0) {
		for (unsigned i = 0; i < count; i++)
			parity_group_add(g, newcomers[i].uid, newcomers[i].size);
		rc = parity_group_write(u->objects, u->archive_id, g, NULL, e);
	}
	parity_group_free(g);
	return rc;
}

static int place(struct update *u, unsigned class, const struct parity_member *members,
		 size_t count, struct err *e)
{
	size_t done = 0;

	if (u->has_open[class] && count > 0) {
		const struct parity_span *s = &u->open[class];
		unsigned room = u->strength.data - u->index.heads[s->first].members;
		unsigned n = count < room ? (unsigned)count : room;
		bool is_done;

		if (join_open(u, s, members, n, &is_done, e) < 0)
			return -1;
		done = is_done ? n : 0;
	}
	while (done < count) {
		size_t left = count - done;
		unsigned n = left < u->strength.data ? (unsigned)left : u->strength.data;

		if (start_group(u, members + done, n, e) < 0)
			return -1;
		done += n;
	}
	return 0;
}

/* P1 speaks of whole segments: parity over damaged bytes would preserve them. */
static int is_fit(struct update *u, const struct object_name *name, uint64_t *size,
		  bool *out, struct err *e)
{
	*out = false;
	if (segment_check(u->objects, name, u->archive_id, e) == 0 &&
	    objects_size(u->objects, name, size, e) == 0) {
		*out = *size <= (uint64_t)PARITY_COLUMNS_MAX * PARITY_COLUMN;
		return 0;
	}
	if (e->code == MUNI_NO_MEMORY)
		return -1;
	*e = ERR_NONE;
	return 0;
}

/* Longest first, so that those of one group are as alike as can be. */
static int by_size(const void *a, const void *b)
{
	const struct parity_member *x = a, *y = b;

	return x->size < y->size ? 1 : x->size > y->size ? -1 : memcmp(x->uid, y->uid, 16);
}

static int place_all(struct update *u, struct err *e)
{
	struct parity_member *members[PARITY_CLASSES] = { NULL };
	size_t counts[PARITY_CLASSES] = { 0 };
	int rc = -1;

	for (unsigned c = 0; c < PARITY_CLASSES; c++) {
		members[c] = calloc(u->count + 1, sizeof *members[c]);
		if (members[c] == NULL) {
			err_set(e, MUNI_NO_MEMORY, "no memory for parity");
			goto out;
		}
	}
	for (size_t i = 0; i < u->count; i++) {
		uint64_t size = 0;
		struct parity_member *m;
		unsigned class;
		bool fits;

		if (u->is_covered[i])
			continue;
		if (is_fit(u, &u->segments[i], &size, &fits, e) < 0)
			goto out;
		if (fits && u->vouch != NULL &&
		    u->vouch->segment(u->vouch->arg, u->segments[i].uid, &fits, e) < 0)
			goto out;
		if (!fits)
			continue;
		class = parity_class_of(parity_columns(size));
		m = &members[class][counts[class]++];
		memcpy(m->uid, u->segments[i].uid, sizeof m->uid);
		m->size = size;
	}
	for (unsigned c = 0; c < PARITY_CLASSES; c++)
		qsort(members[c], counts[c], sizeof *members[c], by_size);
	for (unsigned c = 0; c < PARITY_CLASSES; c++)
		if (place(u, c, members[c], counts[c], e) < 0)
			goto out;
	rc = 0;
out:
	for (unsigned c = 0; c < PARITY_CLASSES; c++)
		free(members[c]);
	return rc;
}

/* The segments, and which of them stand in a group. */
static int update_begin(struct update *u, bool is_writing, struct err *e)
{
	if (objects_list(u->objects, OBJECTS_SEGMENT, &u->segments, &u->count, NULL, e) < 0 ||
	    parity_index_load(u->objects, u->archive_id, &u->index, e) < 0)
		return -1;
	u->is_covered = calloc(u->count + 1, sizeof *u->is_covered);
	if (u->is_covered == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for parity");
	return look_at_groups(u, is_writing, e);
}

static void update_end(struct update *u)
{
	parity_index_free(&u->index);
	free(u->segments);
	free(u->is_covered);
}

int parity_check_strength(struct parity_strength strength, struct err *e)
{
	if (strength.parity > PARITY_PARITY_MAX || strength.data > PARITY_DATA_MAX ||
	    strength.data < 1)
		return err_set(e, MUNI_USAGE, "parity of %u+%u is not to be had: at most "
			       "%d+%d", strength.data, strength.parity, PARITY_DATA_MAX,
			       PARITY_PARITY_MAX);
	return 0;
}

int parity_update(struct objects *o, const uint8_t archive_id[16],
		  struct parity_strength strength, struct err *e)
{
	return parity_update_vouched(o, archive_id, strength, NULL, e);
}

int parity_update_vouched(struct objects *o, const uint8_t archive_id[16],
			  struct parity_strength strength, const struct parity_vouch *vouch,
			  struct err *e)
{
	struct update u = { .objects = o, .archive_id = archive_id, .strength = strength,
			    .vouch = vouch };
	int rc;

	if (parity_check_strength(strength, e) < 0)
		return -1;
	rc = update_begin(&u, true, e);
	if (rc == 0 && strength.parity > 0)
		rc = place_all(&u, e);
	update_end(&u);
	if (rc < 0)
		return err_wrap(e, "bringing parity up to date");
	return 0;
}

int parity_uncovered(struct objects *o, const uint8_t archive_id[16],
		     struct object_name **out, size_t *count, struct err *e)
{
	struct update u = { .objects = o, .archive_id = archive_id };
	int rc = update_begin(&u, false, e);

	*out = NULL;
	*count = 0;
	if (rc == 0) {
		for (size_t i = 0; i < u.count; i++)
			if (!u.is_covered[i])
				u.segments[(*count)++] = u.segments[i];
		*out = u.segments;
		u.segments = NULL;
	}
	update_end(&u);
	return rc;
}
