#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/base/total.h"
#include "tools/act.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/officer_key.h"
#include "tools/print.h"
#include "tools/scope.h"
#include "tools/table.h"

enum { CASE = 'k', REASON = 'r', MANDATE = 256, ALL };

static const struct cli_option options[] = {
	{ CASE, "case", "REF", "add: the case that it is for" },
	{ REASON, "reason", "TEXT", "add, release: why" },
	{ MANDATE, "mandate", "TEXT", "add: who ordered it, by what right" },
	SCOPE_OPTIONS,
	SCOPE_OPTION_STANDING,
	{ ALL, "all", NULL, "list: also those that were released" },
	OFFICER_KEY_OPTIONS,
	{ .name = NULL },
};

struct words {
	struct scope_request scope;
	struct officer_words officer;
	const char *case_ref, *reason, *mandate;
	bool is_all, has_scope;
	int64_t id;
};

static void take_option(struct words *w, int o, const char *value)
{
	if (officer_words_take(&w->officer, o, value))
		return;
	if (scope_option(&w->scope, o, value))
		w->has_scope = true;
	else if (o == CASE)
		w->case_ref = value;
	else if (o == REASON)
		w->reason = value;
	else if (o == MANDATE)
		w->mandate = value;
	else
		w->is_all = true;
}

/* ---- what each covers: one walk for all --------------------------------------------- */

struct listed {
	int64_t id;
	uint64_t records, bytes;
};

struct counting {
	struct listed *list;	/* owned; by id */
	size_t count, room;
	struct err *e;
};

static int on_number(void *arg, const struct hold_row *h)
{
	struct counting *k = arg;

	if (k->count == k->room) {
		size_t room = k->room ? 2 * k->room : 16;
		void *list = reallocarray(k->list, room, sizeof *k->list);

		if (!list)
			return err_set(k->e, MUNI_NO_MEMORY, "no memory for the holds");
		k->list = list;
		k->room = room;
	}
	k->list[k->count++] = (struct listed){ .id = h->id };
	return 0;
}

static struct listed *find(const struct counting *k, int64_t id)
{
	for (size_t i = 0; i < k->count; i++)
		if (k->list[i].id == id)
			return &k->list[i];
	return NULL;
}

static int on_record(void *arg, const struct record_state *s)
{
	struct counting *k = arg;
	const struct node *n = s->record->node;

	if (cli_is_over())
		return 1;
	for (size_t i = 0; i < s->hold_count; i++) {
		struct listed *h = find(k, s->holds[i]);

		if (!h)
			continue;
		h->records++;
		total_add(&h->bytes, n->kind == NODE_FILE ? n->size : 0);
	}
	return 0;
}

static int count_all(struct vault *v, struct counting *k, struct err *e)
{
	struct catalogue *c = vault_catalogue(v);

	k->e = e;
	if (catalogue_holds(c, false, on_number, k, e) < 0)
		return -1;
	if (k->count > 0 && vault_due(c, NULL, vault_now(v), on_record, k, e) < 0)
		return -1;
	return cli_check_signal(e);
}

/* ---- list --------------------------------------------------------------------------- */

struct listing {
	struct cli *cli;
	struct catalogue *c;
	struct counting counts;
	struct table *table;
	struct err *e;
};

static int list_json(struct listing *l, const struct hold_row *h, const struct listed *n)
{
	json_t *o = jsonl_new("hold");
	char id[24];

	snprintf(id, sizeof id, "H%" PRId64, h->id);
	jsonl_text(o, "hold", id);
	jsonl_text(o, "case", h->case_ref);
	jsonl_text(o, "mandate", h->mandate);
	jsonl_text(o, "reason", h->reason);
	if (scope_json(o, l->c, &h->scope, l->e) < 0) {
		json_decref(o);
		return -1;
	}
	jsonl_time(o, "placed", h->placed, 0);
	if (h->released != 0)
		jsonl_time(o, "released", h->released, 0);
	else
		jsonl_text(o, "released", NULL);
	jsonl_text(o, "released_because", h->released_because);
	jsonl_number(o, "records", n ? n->records : 0);
	jsonl_number(o, "bytes", n ? n->bytes : 0);
	return jsonl_end(o, l->e);
}

static int on_hold(void *arg, const struct hold_row *h)
{
	struct listing *l = arg;
	const struct listed *n = find(&l->counts, h->id);
	char count[TEXT_COUNT_MAX], size[TEXT_SIZE_MAX], time[TEXT_TIME_MAX], *scope;

	if (l->cli->json)
		return list_json(l, h, n);
	scope = scope_words(l->c, &h->scope, l->e);
	if (!scope)
		return -1;
	table_cell(l->table, "H%" PRId64, h->id);
	table_cell(l->table, "%s", text_printable(h->case_ref));
	table_cell(l->table, "%s", print_time(h->placed, time));
	table_cell(l->table, "%s", h->released ? print_time(h->released, time) : "-");
	table_cell(l->table, "%s", n ? text_count(n->records, count) : "-");
	table_cell(l->table, "%s", n ? text_size(n->bytes, size) : "-");
	table_cell(l->table, "%s", scope);
	table_cell(l->table, "%s", text_printable(h->reason));
	free(scope);
	return 0;
}

static int list(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	static const char *const heads[] = { "HOLD", "CASE", "PLACED (UTC)", "RELEASED", "RECORDS",
					     "SIZE", "COVERS", "REASON" };
	struct listing l = { .cli = cli, .c = vault_catalogue(v), .e = e };
	int rc = count_all(v, &l.counts, e);

	if (rc == 0) {
		l.table = cli->json ? NULL : table_new(stdout, "llllrrll", heads);
		rc = catalogue_holds(l.c, w->is_all, on_hold, &l, e);
		if (!cli->json && table_end(l.table) < 0 && rc == 0)
			rc = err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	}
	free(l.counts.list);
	return rc;
}

/* ---- add, release ------------------------------------------------------------------- */

static int open_officer(struct cli *cli, struct vault *v, const struct words *w,
			struct hold_officer *out, struct err *e)
{
	*out = (struct hold_officer){ .id = w->officer.by };
	return w->officer.by ? officer_words_open(cli, v, &w->officer, &out->key, e) : 0;
}

static int add(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	struct hold_officer by;
	struct counting k = { .count = 0 };
	char count[TEXT_COUNT_MAX], size[TEXT_SIZE_MAX];
	int64_t id;

	int rc = open_officer(cli, v, w, &by, e);
	if (rc == 0)
		rc = vault_hold_add(v, &w->scope, w->case_ref, w->mandate, w->reason,
				    by.id ? &by : NULL, &id, e);
	officer_key_close(by.key);
	if (rc < 0)
		return -1;
	/* It stands, whatever becomes of the counting. */
	struct err lost = ERR_NONE;
	if (!cli->quiet && count_all(v, &k, &lost) == 0) {
		const struct listed *h = find(&k, id);

		if (h && h->records > 0)
			cli_say(cli, "the hold covers %s record%s (%s)%s",
				text_count(h->records, count), h->records == 1 ? "" : "s",
				text_size(h->bytes, size), w->scope.is_standing ?
				", and what comes later" : "");
		else
			cli_say(cli, "note: the hold covers no record at present; check its scope "
				"with `muni hold list`");
	}
	free(k.list);
	printf("H%" PRId64 "\n", id);
	return 0;
}

static int release(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct words *w = words;
	struct hold_officer by;
	int rc = open_officer(cli, v, w, &by, e);

	if (rc == 0)
		rc = vault_hold_release(v, w->id, w->reason, by.id ? &by : NULL, e);
	officer_key_close(by.key);
	if (rc == 0 && !cli->quiet)
		printf("H%" PRId64 " released\n", w->id);
	return rc;
}

/* ---- the whole ---------------------------------------------------------------------- */

static const struct act acts[] = {
	{ "add", VAULT_WRITE, 2, add },
	{ "list", VAULT_READ, 2, list },
	{ "release", VAULT_WRITE, 3, release },
};

static int check_words(struct cli *cli, const struct act *act, struct words *w)
{
	struct err e = ERR_NONE;

	if (act->run == add && (!w->case_ref || !w->reason))
		return cli_usage(cli, "--case REF and --reason TEXT say what the hold is for");
	if (act->run == release && !w->reason)
		return cli_usage(cli, "--reason TEXT says why it is released");
	if ((w->officer.by != NULL) != (w->officer.key != NULL))
		return cli_usage(cli, "--by ID and --key KEY.pem go together");
	if (act->run == list && w->officer.by)
		return cli_usage(cli, "list wants no officer");
	if (act->run != add && (w->case_ref || w->mandate || w->has_scope))
		return cli_usage(cli, "%s places no hold", act->name);
	if (act->run == release &&
	    scope_id(cli->operands[2], 'H', "a hold", &w->id, &e) < 0)
		return cli_usage(cli, "%s", e.text);
	return 0;
}

static int run(struct cli *cli)
{
	struct words w = { .id = 0 };
	const struct act *act;
	int o;

	while ((o = cli_next(cli)) > 0)
		take_option(&w, o, cli->value);
	if (o != CLI_END)
		return cli_stopped(o);
	act = act_find(cli, acts, sizeof acts / sizeof *acts, "a hold's id");
	if (!act || check_words(cli, act, &w) != 0)
		return CLI_USAGE;
	return act_run(cli, act, &w);
}

const struct command cmd_hold = {
	.name = "hold",
	.operands = "add|list|release ARCHIVE [HOLD]",
	.summary = "keep records from destruction while a case is open",
	.about =
	"A hold pauses: what it covers is not destroyed, whatever its date, until it is\n"
	"released; the date itself stays.\n"
	"  add      places one for a case and prints its id.  All words of the scope must\n"
	"           match, none is the whole archive; a record is found by every path that it\n"
	"           ever had, and what could not be looked into is taken to meet a query.\n"
	"           It covers what is in the archive now, with --standing what comes later too\n"
	"  list     shows them, with how many records each covers\n"
	"  release  ends one\n"
	"Each is an act in the audit log.  With --by and --key an officer with the role records\n"
	"or legal signs for it; from the first that was signed on, the archive's key alone\n"
	"releases none.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 2,
	.max_operands = 3,
	.run = run,
};
