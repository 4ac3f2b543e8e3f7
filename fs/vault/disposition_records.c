/*
 * A list of records: those that are due, or all of a scope if every one of them is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/disposition_inside.h"

#define HOLDS_TOLD 16
#define EXAMPLES 3
#define EXAMPLE_SIZE 300

struct held {
	int64_t id;
	uint64_t count;
	char *case_ref;		/* owned */
};

struct choosing {
	struct catalogue *catalogue;
	const struct propose_request *request;
	struct item_list *list;
	struct left_out *left;
	struct held holds[HOLDS_TOLD];
	size_t hold_count;
	bool has_first[8];
	struct civil first[8];	/* the earliest day that ends it, by standing */
	char examples[EXAMPLES][EXAMPLE_SIZE];
	unsigned example_count;
	struct err *e;
};

/* ---- what is left out ------------------------------------------------------------------ */

static void count_holds(struct choosing *k, const struct record_state *s)
{
	for (size_t i = 0; i < s->hold_count; i++) {
		size_t at = 0;

		while (at < k->hold_count && k->holds[at].id != s->holds[i])
			at++;
		if (at == HOLDS_TOLD)
			continue;
		if (at == k->hold_count)
			k->holds[k->hold_count++] = (struct held){ .id = s->holds[i] };
		k->holds[at].count++;
	}
}

static void note_day(struct choosing *k, enum record_standing standing, struct civil day)
{
	if (!k->has_first[standing] || civil_compare(day, k->first[standing]) < 0)
		k->first[standing] = day;
	k->has_first[standing] = true;
}

static void note_example(struct choosing *k, const struct record_state *s)
{
	if (k->example_count == EXAMPLES)
		return;
	snprintf(k->examples[k->example_count++], EXAMPLE_SIZE, "%s of %s (%s)",
		 text_printable_n(s->record->path, s->record->path_size), s->system_name,
		 standing_name(s->standing));
}

static void leave_out(struct choosing *k, const struct record_state *s)
{
	k->left->count[s->standing]++;
	if (s->standing == STANDING_HELD)
		count_holds(k, s);
	else if (s->standing == STANDING_GRACE)
		note_day(k, STANDING_GRACE, s->eligible);
	else if (s->standing == STANDING_KEPT && s->has_due)
		note_day(k, STANDING_KEPT, s->until);
	note_example(k, s);
}

static int on_hold(void *arg, const struct hold_row *h)
{
	struct choosing *k = arg;

	for (size_t i = 0; i < k->hold_count; i++)
		if (k->holds[i].id == h->id && !k->holds[i].case_ref)
			k->holds[i].case_ref = strdup(h->case_ref);
	return 0;
}

static void say_holds(FILE *to, const struct choosing *k)
{
	for (size_t i = 0; i < k->hold_count; i++)
		fprintf(to, "hold: H%" PRId64 " (case %s) holds %" PRIu64 " of them\n",
			k->holds[i].id,
			k->holds[i].case_ref ? text_printable(k->holds[i].case_ref) : "?",
			k->holds[i].count);
}

static void say_count(FILE *to, const struct choosing *k, enum record_standing s,
		      const char *rule, const char *what)
{
	uint64_t n = k->left->count[s];
	char day[16];

	if (n == 0)
		return;
	fprintf(to, "%s: %" PRIu64 " record%s %s", rule, n, n == 1 ? "" : "s", what);
	if (k->has_first[s]) {
		civil_text(k->first[s], day);
		fprintf(to, s == STANDING_GRACE ? "; the first may go on %s"
						: ", the first until %s", day);
	}
	fputc('\n', to);
}

static int say_left_out(struct choosing *k, struct err *e)
{
	size_t size = 0;
	FILE *to;

	if (k->hold_count > 0 && catalogue_holds(k->catalogue, false, on_hold, k, e) < 0)
		return -1;
	to = text_stream(&k->left->text, &size);
	if (!to)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a sentence");
	say_count(to, k, STANDING_HELD, "hold", "may not go while a hold covers them");
	say_holds(to, k);
	say_count(to, k, STANDING_KEPT, "retention period", "must still be kept");
	say_count(to, k, STANDING_GRACE, "grace period",
		  "are due, but the grace of their class is not over");
	say_count(to, k, STANDING_REVIEW, "review", "are due, but their class asks for a review "
		  "(--review --reason TEXT) or for a transfer first");
	say_count(to, k, STANDING_MISSING, "missing trigger", "have no date to count from, and "
		  "are kept (`muni event` gives it)");
	say_count(to, k, STANDING_UNCLASSIFIED, "no class", "have no class, and are kept");
	return text_stream_end(to, &k->left->text) == 0 ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for a sentence");
}

/* ---- what is taken --------------------------------------------------------------------- */

bool record_may_go(const struct record_state *s, bool by_review)
{
	return s->standing == STANDING_DUE ||
	       (s->standing == STANDING_REVIEW && by_review && s->then == THEN_REVIEW);
}

/* As the inventory has it now: for the sums alone, since a scan may change it. */
static int find_format(struct choosing *k, const struct record *r, struct item_row *item)
{
	struct err missing = ERR_NONE;

	*item = (struct item_row){ .id = 0 };
	if (r->node->kind != NODE_FILE ||
	    catalogue_item_find(k->catalogue, r->system, r->path, r->path_size, false, item,
				&missing) == 0 || missing.code == MUNI_NOT_FOUND)
		return 0;
	*k->e = missing;
	return -1;
}

static int take(struct choosing *k, const struct record_state *s)
{
	const struct record *r = s->record;
	const struct record_term *term = s->ruling_term;
	struct item_facts_sum facts = {
		.class = s->ruling, .system = s->system_name, .policy = term ? term->policy_digest : NULL,
		.is_file = r->node->kind == NODE_FILE, .bytes = r->node->size,
		.from = term ? &term->retention.from : NULL,
		.until = s->has_due ? &s->until : NULL,
		.path = r->path, .path_size = r->path_size,
	};
	struct listed item = { .directory = r->key.directory, .first = r->key.first,
			       .name = (char *)r->key.name, .name_size = r->key.name_size,
			       .names = item_names_of_record(s) };
	uint8_t salt[ITEM_SALT_SIZE];
	struct item_row seen;
	int rc = -1;

	for (size_t i = 0; i < s->term_count; i++)
		if (demands_add(&k->list->demands, s->terms[i].definition, k->e) < 0)
			return -1;
	if (find_format(k, r, &seen) < 0)
		return -1;
	facts.format = seen.format;
	if (random_bytes(salt, sizeof salt, k->e) == 0 &&
	    record_item_text(k->catalogue, s, salt, &item.text, &item.leaf, k->e) == 0)
		rc = item_list_add(k->list, &item, &facts, k->e);
	k->left->taken += rc == 0;
	item_row_clear(&seen);
	return rc;
}

static int on_record(void *arg, const struct record_state *s)
{
	struct choosing *k = arg;

	if (record_may_go(s, k->request->by_review))
		return take(k, s);
	leave_out(k, s);
	return 0;
}

/* ---- the scope ------------------------------------------------------------------------- */

/* What the list was made from.  No path: it may be a name that has to go. */
static json_t *scope_json(struct catalogue *c, const struct propose_request *r)
{
	const char *kind = !r->is_whole ? "due" : r->filter.version ? "version" :
			   r->filter.system ? "system" : "everything";
	json_t *o = json_pack("{s:s, s:s*, s:s*, s:b}", "scope", kind, "system", r->filter.system,
			      "class", r->filter.class_code, "review", (int)r->by_review);
	struct err none = ERR_NONE;
	struct version version;

	if (r->filter.version &&
	    catalogue_version_get(c, r->filter.version, &version, &none) == 0) {
		json_object_set_new(o, "version", json_string(version.label));
		json_object_set_new(o, "version_id", json_integer((json_int_t)version.id));
		json_object_set_new(o, "system", json_string(version.system_name));
	}
	if (r->filter.path)
		json_object_set_new(o, "by_path", json_true());
	return o;
}

/* Sentences, a line each, as one. */
static void one_line(const char *text, char *out, size_t size)
{
	snprintf(out, size, "%s", text ? text : "");
	for (char *at = out; *at; at++)
		if (*at == '\n')
			*at = at[1] ? ';' : '\0';
}

static int name_first(struct choosing *k, struct err *e)
{
	char why[EXAMPLES * (EXAMPLE_SIZE + 2)] = "";
	size_t used = 0;

	for (unsigned i = 0; i < k->example_count; i++)
		used += (size_t)snprintf(why + used, sizeof why - used, "%s%s", i ? ", " : "",
					 k->examples[i]);
	if (k->example_count == 0)
		return 0;
	k->left->first = strdup(why);
	return k->left->first ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for a sentence");
}

int propose_records(struct vault *v, const struct propose_request *r, struct item_list *l,
		    json_t **scope, struct left_out *left, struct err *e)
{
	struct choosing k = { .catalogue = vault_catalogue(v), .request = r, .list = l,
			      .left = left, .e = e };
	uint64_t refused = 0;
	char why[700];
	int rc = -1;

	*scope = NULL;
	if (vault_due(k.catalogue, &r->filter, r->asof ? r->asof : vault_now(v), on_record, &k,
		      e) < 0 ||
	    say_left_out(&k, e) < 0 || name_first(&k, e) < 0)
		goto out;
	for (size_t i = 0; i < sizeof left->count / sizeof *left->count; i++)
		refused += left->count[i];
	one_line(left->text, why, sizeof why);
	if (l->count == 0)
		err_set(e, MUNI_REFUSED, refused ? "nothing of it may be destroyed now: %s" :
			"no record lies in that scope%s", why);
	else if (r->is_whole && refused > 0)
		err_set(e, MUNI_REFUSED, "whole scope: all of it goes or nothing, and of some "
			"records it may not: %s", why);
	else
		rc = 0;
	if (rc == 0) {
		*scope = scope_json(k.catalogue, r);
		if (!*scope)
			rc = err_set(e, MUNI_NO_MEMORY, "no memory for the scope");
	}
out:
	for (size_t i = 0; i < k.hold_count; i++)
		free(k.holds[i].case_ref);
	return rc;
}
