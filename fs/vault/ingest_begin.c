/*
 * What comes before anything is read: the system, the version before, the
 * version's label, the version itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/vault/graft.h"

static int choose_label(struct ingest *g, struct err *e)
{
	struct version *v = &g->version, other;
	uint64_t number = 1;
	struct err missing = ERR_NONE;

	if (g->options->label) {
		snprintf(v->label, sizeof v->label, "%s", g->options->label);
		return 0;
	}
	if (catalogue_version_find(g->vault->catalogue, v->system, NULL, &other,
				   &missing) == 0) {
		/* After "7" comes "8"; after "spring" whatever number is free. */
		char *end;
		unsigned long long n = strtoull(other.label, &end, 10);

		if (*end == 0 && n > 0 && n < UINT32_MAX)
			number = n + 1;
	} else if (missing.code != MUNI_NOT_FOUND) {
		*e = missing;
		return -1;
	}
	for (;; number++) {
		snprintf(v->label, sizeof v->label, "%llu", (unsigned long long)number);
		missing = ERR_NONE;
		if (catalogue_version_find(g->vault->catalogue, v->system, v->label,
					   &other, &missing) < 0)
			break;
	}
	if (missing.code == MUNI_NOT_FOUND)
		return 0;
	*e = missing;
	return -1;
}

/* In a dry run nothing may be made: what is not there stays id 0. */
static int find_system(struct ingest *g, struct system *out, struct err *e)
{
	struct err missing = ERR_NONE;

	*out = (struct system){ .id = 0 };
	if (!g->options->dry_run)
		return catalogue_system_intern(g->vault->catalogue, g->options->system,
					       out, e);
	if (catalogue_system_find(g->vault->catalogue, g->options->system, out,
				  &missing) == 0 || missing.code == MUNI_NOT_FOUND)
		return 0;
	*e = missing;
	return -1;
}

static int find_previous(struct ingest *g, struct err *e)
{
	struct version *v = &g->version, latest;
	struct err missing = ERR_NONE;

	if (v->system == 0)
		return 0;
	if (catalogue_version_find(g->vault->catalogue, v->system, NULL, &latest,
				   &missing) == 0) {
		v->previous = latest.id;
		g->prior_ingested = latest.ingested;
	} else if (missing.code != MUNI_NOT_FOUND) {
		*e = missing;
		return -1;
	}
	return 0;
}

struct noting {
	struct ingest *g;
	struct err *e;
};

static int on_class(void *arg, const struct record_class *k)
{
	struct noting *n = arg;
	struct ingest *g = n->g;

	if (k->base == 0)
		return 0;
	void *list = reallocarray(g->restricted, g->restricted_count + 1,
				  sizeof *g->restricted);
	if (!list)
		return err_set(n->e, MUNI_NO_MEMORY, "no memory for the classes");
	g->restricted = list;
	g->restricted[g->restricted_count++] = (struct restricted_class){ k->id, k->base };
	return 0;
}

int ingest_begin(struct ingest *g, const char *source_kind, struct err *e)
{
	struct catalogue *c = g->vault->catalogue;
	struct version *v = &g->version;
	struct system system;

	if (graft_begin(g->graft, e) < 0 || find_system(g, &system, e) < 0)
		return -1;
	v->system = system.id;
	v->root = system.root;
	v->ingested = g->started;
	v->at = g->options->has_at ? g->options->at : g->started;
	snprintf(v->system_name, sizeof v->system_name, "%s", g->options->system);
	snprintf(v->source_kind, sizeof v->source_kind, "%s", source_kind);
	if (find_previous(g, e) < 0 || choose_label(g, e) < 0)
		return -1;
	if (v->system != 0 && !g->options->everything &&
	    selection_make(c, v->system, g->foreign != NULL, &g->selection, e) < 0)
		return -1;
	g->class_id = 1;
	struct noting noting = { g, e };
	if (catalogue_classes(c, on_class, &noting, e) < 0)
		return -1;
	if (g->options->dry_run)
		return 0;
	if (g->options->class_code &&
	    catalogue_class_intern(c, g->options->class_code, &g->class_id, e) < 0)
		return -1;
	return catalogue_version_begin(c, v, e);
}
