#include "fs/vault/empties.h"

#include <stdlib.h>

#include "fs/base/err.h"

void empties_free(struct empties *s)
{
	free(s->list);
	*s = (struct empties){ .list = NULL };
}

int empties_add(struct empties *s, struct catalogue *c, const struct record *r, struct err *e)
{
	struct entry entry;

	if (catalogue_lookup(c, r->key.first, r->key.directory, r->key.name, r->key.name_size,
			     &entry, e) < 0)
		return -1;
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 16;
		struct empty *more = reallocarray(s->list, room, sizeof *more);

		if (!more)
			return err_set(e, MUNI_NO_MEMORY, "no memory for the records");
		s->list = more;
		s->room = room;
	}
	s->list[s->count++] = (struct empty){ entry.directory, r->key.first, r->last };
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct empty *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

struct giving {
	const struct empties *set;
	int (*row)(void *arg, int64_t node);
	void *arg;
};

static int on_directory(void *arg, const struct directory *d)
{
	const struct giving *g = arg;
	const struct empty key = { .id = d->id }, *end = g->set->list + g->set->count;
	const struct empty *at = bsearch(&key, g->set->list, g->set->count, sizeof key, by_id);

	while (at && at > g->set->list && at[-1].id == d->id)
		at--;
	for (; at && at < end && at->id == d->id; at++)
		if (d->first <= at->last && d->last >= at->first &&
		    g->row(g->arg, d->node) < 0)
			return -1;
	return 0;
}

int empties_nodes(struct empties *s, struct catalogue *c, int (*row)(void *arg, int64_t node),
		  void *arg, struct err *e)
{
	struct giving g = { s, row, arg };

	if (s->count == 0)
		return 0;
	qsort(s->list, s->count, sizeof *s->list, by_id);
	return catalogue_directories(c, on_directory, &g, e);
}
