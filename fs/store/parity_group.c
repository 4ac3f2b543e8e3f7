/*
 * Loading a group from its parity objects.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/store/parity_inside.h"

unsigned parity_class_of(uint64_t columns)
{
	unsigned class = 0;

	while (class + 1 < PARITY_CLASSES && columns >= UINT64_C(16) << (4 * class))
		class++;
	return class;
}

struct parity_group *parity_group_new(unsigned data, unsigned parity, struct err *e)
{
	struct parity_group *g = calloc(1, sizeof *g);

	if (g != NULL)
		g->members = calloc(data, sizeof *g->members);
	if (g == NULL || g->members == NULL) {
		free(g);
		err_set(e, MUNI_NO_MEMORY, "no memory for a parity group");
		return NULL;
	}
	g->format = PARITY_FORMAT;
	g->data = data;
	g->parity = parity;
	return g;
}

void parity_group_free(struct parity_group *g)
{
	if (g == NULL)
		return;
	for (unsigned i = 0; i < g->data; i++)
		free(g->members[i].sums);
	for (unsigned i = 0; i < PARITY_PARITY_MAX; i++)
		free(g->objects[i].sums);
	free(g->members);
	free(g);
}

void parity_group_add(struct parity_group *g, const uint8_t uid[16], uint64_t size)
{
	struct parity_member *m = &g->members[g->count];

	assert(g->count < g->data);
	g->count++;
	memcpy(m->uid, uid, sizeof m->uid);
	m->size = size;
	m->columns = parity_columns(size);
	if (m->columns > g->columns)
		g->columns = m->columns;
}

/* ---- loading a group ---------------------------------------------------------- */

/* Offset of trailer copy 0 or 1, a trailer having `size` bytes. */
static uint64_t trailer_at(const struct parity_head *h, uint64_t size, int copy)
{
	return PARITY_HEAD + h->columns * PARITY_COLUMN + (copy == 0 ? 0 : size);
}

/* The size of one trailer as the size of the object has it; 0 if that cannot be. */
static uint64_t trailer_size_by_object(const struct parity_head *h, uint64_t size)
{
	uint64_t fixed = 2 * PARITY_HEAD + h->columns * PARITY_COLUMN;
	uint64_t most = parity_directory_size(h->members) + PARITY_SUM +
			(h->members + UINT64_C(1)) * h->columns * PARITY_SUM;

	if (size <= fixed || (size - fixed) % 2 != 0 || (size - fixed) / 2 > most ||
	    (size - fixed) / 2 < parity_directory_size(h->members))
		return 0;
	return (size - fixed) / 2;
}

static struct object_name name_of(const struct parity_head *h)
{
	struct object_name name = { .kind = OBJECTS_PARITY };

	memcpy(name.uid, h->uid, sizeof name.uid);
	return name;
}

static struct parity_group *group_of(const struct parity_head *h, struct err *e)
{
	struct parity_group *g = parity_group_new(h->data, h->parity, e);

	if (g == NULL)
		return NULL;
	memcpy(g->uid, h->group, sizeof g->uid);
	g->generation = h->generation;
	g->format = h->format;
	return g;
}

/*
 * The directory of one object into g, which is empty: from the first trailer,
 * whose place the head gives, or else from the second.
 */
static int load_directory(struct objects *o, const struct parity_head *h,
			  const uint8_t head[PARITY_HEAD], uint64_t size,
			  struct parity_group *g, struct err *e)
{
	uint8_t raw[PARITY_DATA_MAX * 24 + PARITY_SUM];
	struct object_name name = name_of(h);
	uint64_t trailer = trailer_size_by_object(h, size);

	for (int copy = 0; copy < (trailer > 0 ? 2 : 1); copy++) {
		if (objects_get(o, &name, trailer_at(h, trailer, copy), raw,
				parity_directory_size(h->members), e) < 0) {
			g->is_unread = g->is_unread || parity_is_refused(e);
			continue;
		}
		if (parity_directory_parse(h, head, raw, g->members, e) < 0)
			continue;
		g->count = h->members;
		g->columns = h->columns;
		*e = ERR_NONE;
		return 0;
	}
	return -1;
}

int parity_group_members(struct objects *o, const uint8_t archive_id[16],
			 const struct parity_index *x, const struct parity_span *s,
			 struct parity_group **out, struct err *e)
{
	uint8_t head[PARITY_HEAD];

	*out = NULL;
	for (size_t i = s->first; i < s->first + s->count; i++) {
		const struct parity_head *h = &x->heads[i];
		struct object_name name = name_of(h);
		struct parity_group *g = group_of(h, e);
		uint64_t size = 0;

		if (g == NULL)
			return -1;
		parity_head_write(archive_id, h, head);
		if (objects_size(o, &name, &size, e) == 0 &&
		    load_directory(o, h, head, size, g, e) == 0) {
			*out = g;
			return 0;
		}
		parity_group_free(g);
	}
	return err_set(e, MUNI_DAMAGED, "no directory of a parity group can be read");
}

static bool is_same(const struct parity_group *a, const struct parity_group *b)
{
	if (a->count != b->count || a->columns != b->columns)
		return false;
	for (unsigned i = 0; i < a->count; i++) {
		const struct parity_member *x = &a->members[i], *y = &b->members[i];

		if (memcmp(x->uid, y->uid, sizeof x->uid) != 0 || x->size != y->size ||
		    memcmp(x->sums, y->sums, (size_t)x->columns * PARITY_SUM) != 0)
			return false;
	}
	return true;
}

/* The members' sums; returns what stands behind them, or NULL without memory. */
static const uint8_t *copy_sums(struct parity_group *g, const uint8_t *at, struct err *e)
{
	for (unsigned i = 0; i < g->count; i++) {
		size_t bytes = (size_t)g->members[i].columns * PARITY_SUM;

		g->members[i].sums = malloc(bytes);
		if (g->members[i].sums == NULL) {
			err_set(e, MUNI_NO_MEMORY, "no memory for a parity group");
			return NULL;
		}
		memcpy(g->members[i].sums, at, bytes);
		at += bytes;
	}
	return at;
}

/* Everything of one trailer into g, which is empty or must agree. */
static int take_trailer(const struct parity_head *h, const uint8_t head[PARITY_HEAD],
			const uint8_t *raw, uint64_t size, struct parity_group *g,
			struct err *e)
{
	struct parity_group *now = group_of(h, e);
	const uint8_t *at = raw + parity_directory_size(h->members);
	uint8_t *again = NULL;
	int rc = -1;

	if (now == NULL)
		return -1;
	if (parity_directory_parse(h, head, raw, now->members, e) < 0)
		goto out;
	now->count = h->members;
	now->columns = h->columns;
	if (parity_trailer_size(now) != size) {
		err_set(e, MUNI_DAMAGED, "its directory contradicts its size");
		goto out;
	}
	at = copy_sums(now, at, e);
	if (at == NULL)
		goto out;
	/* Written again from what was parsed, it must come out the same. */
	again = malloc((size_t)size);
	if (again == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a parity group");
		goto out;
	}
	if (parity_trailer_write(now, head, at, again, e) < 0)
		goto out;
	if (memcmp(again, raw, (size_t)size) != 0) {
		err_set(e, MUNI_DAMAGED, "its checksums are not what was written");
		goto out;
	}
	if (g->count > 0 && !is_same(g, now)) {
		err_set(e, MUNI_DAMAGED, "the objects of one group contradict each other");
		goto out;
	}
	g->objects[h->index].sums = malloc((size_t)h->columns * PARITY_SUM);
	if (g->objects[h->index].sums == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a parity group");
		goto out;
	}
	memcpy(g->objects[h->index].sums, at, (size_t)h->columns * PARITY_SUM);
	if (g->count == 0) {
		g->count = now->count;
		g->columns = now->columns;
		for (unsigned i = 0; i < now->count; i++) {
			g->members[i] = now->members[i];
			now->members[i].sums = NULL;
		}
	}
	rc = 0;
out:
	free(again);
	parity_group_free(now);
	return rc;
}

/* Is the last head whole?  The first one, or this, named the object. */
static bool heads_agree(struct objects *o, const struct object_name *name,
			const uint8_t head[PARITY_HEAD], uint64_t size)
{
	uint8_t raw[2][PARITY_HEAD];
	struct err e = ERR_NONE;

	return objects_get(o, name, 0, raw[0], PARITY_HEAD, &e) == 0 &&
	       objects_get(o, name, size - PARITY_HEAD, raw[1], PARITY_HEAD, &e) == 0 &&
	       memcmp(raw[0], head, PARITY_HEAD) == 0 &&
	       memcmp(raw[1], head, PARITY_HEAD) == 0;
}

/* *size 0 if neither directory can be read; *is_unread: since the system refused one. */
static int find_trailers(struct objects *o, const struct parity_head *h,
			 const uint8_t head[PARITY_HEAD], uint64_t object_size,
			 uint64_t *size, bool *is_unread, struct err *e)
{
	struct parity_group *g = group_of(h, e);
	struct err bad = ERR_NONE;

	*size = 0;
	*is_unread = false;
	if (g == NULL)
		return -1;
	if (load_directory(o, h, head, object_size, g, &bad) == 0)
		*size = parity_trailer_size(g);
	*is_unread = g->is_unread;
	parity_group_free(g);
	return 0;
}

static int load_object(struct objects *o, const uint8_t archive_id[16],
		       const struct parity_head *h, struct parity_group *g, struct err *e)
{
	struct parity_object *object = &g->objects[h->index];
	struct object_name name = name_of(h);
	uint8_t head[PARITY_HEAD], *copies[2] = { NULL, NULL };
	bool is_good[2] = { false, false };
	uint64_t size;
	int rc = -1;
	bool is_unread;

	parity_head_write(archive_id, h, head);
	object->is_present = true;
	if (objects_size(o, &name, &object->size, e) < 0)
		return -1;
	if (find_trailers(o, h, head, object->size, &size, &is_unread, e) < 0)
		return -1;
	if (size == 0) {	/* its columns are of no use without sums */
		g->is_unread = g->is_unread || is_unread;
		return 0;
	}
	for (int c = 0; c < 2; c++) {
		struct err bad = ERR_NONE;

		copies[c] = malloc((size_t)size);
		if (copies[c] == NULL) {
			err_set(e, MUNI_NO_MEMORY, "no memory for a parity group");
			goto out;
		}
		if (objects_get(o, &name, trailer_at(h, size, c), copies[c], (size_t)size,
				&bad) < 0) {
			g->is_unread = g->is_unread || parity_is_refused(&bad);
			continue;
		}
		if (object->sums != NULL)
			is_good[c] = memcmp(copies[0], copies[1], (size_t)size) == 0;
		else
			is_good[c] = take_trailer(h, head, copies[c], size, g, &bad) == 0;
		if (bad.code == MUNI_NO_MEMORY) {
			*e = bad;
			goto out;
		}
	}
	object->is_whole = is_good[0] && is_good[1] &&
			   object->size == trailer_at(h, size, 1) + size + PARITY_HEAD &&
			   heads_agree(o, &name, head, object->size);
	rc = 0;
out:
	free(copies[0]);
	free(copies[1]);
	return rc;
}

int parity_group_load(struct objects *o, const uint8_t archive_id[16],
		      const struct parity_index *x, const struct parity_span *s,
		      struct parity_group **out, struct err *e)
{
	struct parity_group *g = group_of(&x->heads[s->first], e);

	*out = NULL;
	if (g == NULL)
		return -1;
	for (size_t i = s->first; i < s->first + s->count; i++) {
		const struct parity_head *h = &x->heads[i];

		if (h->data != g->data || h->parity != g->parity || h->format != g->format)
			continue;	/* contradicts the group's first object */
		if (load_object(o, archive_id, h, g, e) < 0)
			goto fail;
	}
	if (g->count == 0) {
		err_set(e, MUNI_DAMAGED, "no directory of a parity group can be read");
		e->sys = g->is_unread ? EIO : 0;
		goto fail;
	}
	*out = g;
	return 0;
fail:
	parity_group_free(g);
	return -1;
}
