/*
 * Rows of chunks.  Their names are random, so those of a transaction are put in order
 * first: the table is then gone through from end to end once, not searched anew, a
 * page somewhere else, for each of some hundred thousand.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/vault/graft_inside.h"

struct named {
	const struct pack_name *name;	/* borrowed */
	int64_t block;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return memcmp(x->name->name, y->name->name, sizeof x->name->name);
}

static int add(struct graft *t, const struct named *list, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		const struct pack_name *n = list[i].name;
		struct chunk_place place = { list[i].block, n->at, n->size };

		if (catalogue_chunk_add(t->c, n->name, &place, e) < 0)
			return -1;
	}
	return 0;
}

int graft_add_chunks(struct graft *t, const struct pack_segment *first, struct err *e)
{
	size_t total = 0, count = 0;
	struct named *list;
	int rc;

	for (const struct pack_segment *s = first; s; s = s->next)
		for (size_t i = 0; i < s->count; i++)
			total += s->blocks[i].count;
	if (total == 0)
		return 0;
	list = reallocarray(NULL, total, sizeof *list);
	if (!list)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for the catalogue's rows");
	for (const struct pack_segment *s = first; s; s = s->next)
		for (size_t i = 0; i < s->count; i++)
			for (size_t k = 0; k < s->blocks[i].count; k++)
				list[count++] = (struct named){ &s->blocks[i].names[k],
								s->blocks[i].block.id };
	qsort(list, count, sizeof *list, by_name);
	rc = add(t, list, count, e);
	free(list);
	return rc;
}
