#include "policy/when.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "policy/condition.h"
#include "policy/load.h"
#include "policy/memory.h"

struct when {
	struct memory memory;
	struct condition condition;
	struct zone *zone;
};

int when_load(const char *text, const char *name, struct when **out, struct err *e)
{
	static const struct where top = { NULL, "when", 0 };
	struct policy_info none = { .name = name };
	struct when *w = calloc(1, sizeof *w);
	struct tree *tree;

	*out = NULL;
	if (w == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for %s", name);
	struct load l = { .memory = &w->memory, .name = name, .info = &none, .e = e };
	if (zone_open("UTC", &w->zone, e) < 0 ||
	    tree_read(&w->memory, text, strlen(text), name, &tree, e) < 0 ||
	    load_condition(&l, &top, tree, &w->condition) < 0) {
		when_free(w);
		return -1;
	}
	*out = w;
	return 0;
}

void when_free(struct when *w)
{
	if (w == NULL)
		return;
	zone_close(w->zone);
	memory_clear(&w->memory);
	free(w);
}

bool when_holds(const struct when *w, const struct facts *f, int64_t now, bool *is_sure)
{
	struct evaluation v;

	evaluation_begin(&v, f, w->zone, now);
	struct truth t = condition_evaluate(&w->condition, &v);
	evaluation_end(&v);
	*is_sure = t.is_sure;
	return t.holds;
}
