/*
 * Restriction, and what a scope covers now: both walk over the records of it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/list.h"
#include "fs/base/total.h"
#include "fs/vault/empties.h"
#include "fs/vault/retain_inside.h"
#include "fs/vault/retain_words.h"

struct covering {
	struct retainer *r;
	struct memory memory;
	struct scope scope;
	bool is_strict;
	int (*row)(void *arg, const struct record *record);
	void *arg;
	struct err *e;
};

static int on_record(void *arg, const struct record *record)
{
	struct covering *k = arg;
	bool covers;

	scope_facts_begin(&k->r->facts, record);
	if (retainer_classes(k->r, record, k->e) < 0 ||
	    scope_covers(&k->scope, record, k->r->codes, k->r->found_count, &k->r->facts,
			 k->is_strict, &covers, k->e) < 0)
		return -1;
	return covers ? k->row(k->arg, record) : 0;
}

static int each_covered(struct vault *v, const struct scope_row *row, bool is_strict,
			int (*tell)(void *arg, const struct record *record), void *arg,
			struct err *e)
{
	struct covering k = { .is_strict = is_strict, .row = tell, .arg = arg, .e = e };
	int rc = -1;

	if (scope_open(&k.scope, &k.memory, row, "the scope", e) == 0 &&
	    retainer_open(v->catalogue, vault_now(v), &k.r, e) == 0)
		rc = catalogue_records(v->catalogue, row->system, on_record, &k, e);
	retainer_close(k.r);
	scope_close(&k.scope);
	memory_clear(&k.memory);
	return rc;
}

/* ---- counting ----------------------------------------------------------------------- */

struct counting {
	uint64_t records, bytes;
};

static int count(void *arg, const struct record *r)
{
	struct counting *k = arg;

	k->records++;
	total_add(&k->bytes, r->node->kind == NODE_FILE ? r->node->size : 0);
	return 0;
}

/* A scope over a system that was scanned and never taken in covers nothing. */
static int is_taken_in(struct vault *v, int64_t system, bool *out, struct err *e)
{
	struct retain_moments m;
	int rc = retain_moments_open(&m, v->catalogue, e);

	*out = rc == 0 && (system == 0 || retain_system_of(&m, system));
	retain_moments_close(&m);
	return rc;
}

int vault_scope_count(struct vault *v, const struct scope_row *s, uint64_t *records,
		      uint64_t *bytes, struct err *e)
{
	struct counting k = { .records = 0 };
	bool is_there;
	int rc = is_taken_in(v, s->system, &is_there, e);

	if (rc == 0 && is_there)
		rc = each_covered(v, s, false, count, &k, e);
	*records = k.records;
	*bytes = k.bytes;
	return rc;
}

/* ---- restriction -------------------------------------------------------------------- */

struct nodes {
	struct catalogue *c;
	int64_t *list;		/* owned */
	size_t count, room;
	struct empties empties;
	struct err *e;
};

static int add_node(void *arg, int64_t node)
{
	struct nodes *k = arg;

	if (!list_room(&k->list, k->count, &k->room, sizeof *k->list))
		return err_set(k->e, MUNI_NO_MEMORY, "no memory for the records");
	k->list[k->count++] = node;
	return 0;
}

static int note_node(void *arg, const struct record *r)
{
	struct nodes *k = arg;

	return r->node->kind == NODE_DIRECTORY ? empties_add(&k->empties, k->c, r, k->e) :
	       add_node(k, r->node->id);
}

static int move_all(struct vault *v, const struct nodes *k, bool is_lifted, uint64_t *moved,
		    struct err *e)
{
	for (size_t i = 0; i < k->count; i++) {
		bool changed;

		if (catalogue_node_restrict(v->catalogue, k->list[i], !is_lifted, &changed,
					    e) < 0)
			return -1;
		*moved += changed;
	}
	return *moved > 0 ? catalogue_restriction_count_raise(v->catalogue, e) : 0;
}

static int act(struct vault *v, const struct scope_row *row, const struct system *system,
	       bool is_lifted, const char *reason, uint64_t moved, struct err *e)
{
	json_t *o = json_pack("{s:s, s:o, s:I}", "reason", reason, "scope",
			      retain_words_scope(row), "nodes", (json_int_t)moved);
	char *details;

	if (retain_words_dump(o, system->id ? system->name : NULL, &details, e) < 0) {
		catalogue_rollback(v->catalogue);
		return -1;
	}
	int rc = vault_commit_act(v, is_lifted ? LOG_RESTRICTION_LIFTED : LOG_RESTRICTED, details,
				  e);
	free(details);
	return rc;
}

int vault_restrict(struct vault *v, const struct scope_request *s, bool is_lifted,
		   const char *reason, uint64_t *changed, struct err *e)
{
	struct nodes k = { .c = v->catalogue, .e = e };
	struct scope_row row;
	struct system system;
	int rc = -1;

	*changed = 0;
	if (!reason || !*reason)
		return err_set(e, MUNI_USAGE, "a reason is needed");
	if (s->is_standing)
		return err_set(e, MUNI_USAGE, "what is to come cannot be restricted yet");
	if (retain_scope_resolve(v, s, &row, &system, e) < 0 ||
	    each_covered(v, &row, is_lifted, note_node, &k, e) < 0 ||
	    empties_nodes(&k.empties, k.c, add_node, &k, e) < 0)
		goto out;
	if (k.count == 0) {
		err_set(e, MUNI_NOT_FOUND, "no record is covered by this");
		goto out;
	}
	if (catalogue_begin(v->catalogue, e) < 0)
		goto out;
	rc = move_all(v, &k, is_lifted, changed, e);
	if (rc < 0 || *changed == 0)	/* it was so already */
		catalogue_rollback(v->catalogue);
	else
		rc = act(v, &row, &system, is_lifted, reason, *changed, e);
out:
	empties_free(&k.empties);
	free(k.list);
	return rc;
}
