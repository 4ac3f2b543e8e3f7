/* muni dispose show, list. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/dispose.h"
#include "tools/jsonl.h"
#include "tools/print.h"
#include "tools/table.h"

const char *dispose_kind_words(enum disposition_kind k)
{
	return k == DISPOSITION_LIVE ? "live source" : k == DISPOSITION_SHORTEN ? "shortening" :
	       k == DISPOSITION_RESTORED ? "restoring" : "records";
}

const char *dispose_state_words(enum disposition_state s)
{
	switch (s) {
	case DISPOSITION_PROPOSED:
		return "proposed";
	case DISPOSITION_SWITCHING:
		return "being executed";
	case DISPOSITION_GONE:
		return "gone, certificate outstanding";
	case DISPOSITION_CERTIFIED:
		return "executed";
	case DISPOSITION_WITHDRAWN:
		return "withdrawn";
	}
	return "unknown";
}

static const char *outcome_words(enum item_outcome o)
{
	switch (o) {
	case OUTCOME_PENDING:
		return "stands";
	case OUTCOME_GONE:
		return "gone";
	case OUTCOME_BYTES_STAY:
		return "gone, bytes shared";
	case OUTCOME_FAILED:
		return "not destroyed";
	}
	return "unknown";
}

static json_t *parse(const char *text)
{
	json_error_t wrong;

	return text ? json_loads(text, 0, &wrong) : NULL;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

/* ---- items ------------------------------------------------------------------------- */

struct showing {
	struct cli *cli;
	struct table *table;
	struct err *e;
};

static int item_json(const struct disposition_item *i, struct err *e)
{
	json_t *o = jsonl_new("disposition_item");

	jsonl_digest(o, "leaf", &i->leaf);
	jsonl_text(o, "class", i->class_code);
	jsonl_text(o, "outcome", outcome_words(i->outcome));
	jsonl_text(o, "why", i->why);
	if (o)
		json_object_set_new(o, "item", i->text ? parse(i->text) : json_null());
	return jsonl_end(o, e);
}

static int show_item(void *arg, const struct disposition_item *i)
{
	struct showing *s = arg;
	char hex[DIGEST_HEX_SIZE];
	json_t *o;

	if (s->cli->json)
		return item_json(i, s->e);
	text_hex(i->leaf.bytes, DIGEST_SIZE, hex);
	o = parse(i->text);
	const char *path = text_of(o, "path");
	table_cell(s->table, "%.12s", hex);
	table_cell(s->table, "%s", text_printable(i->class_code));
	table_cell(s->table, "%s", text_printable(text_of(o, "due")));
	table_cell(s->table, "%s", outcome_words(i->outcome));
	table_cell(s->table, "%s%s", text_printable(*path ? path : text_of(o, "path_base64")),
		   i->text ? "" : "(its name went with it)");
	json_decref(o);
	return 0;
}

static int show_items(struct cli *cli, struct catalogue *c, int64_t id, struct err *e)
{
	static const char *const heads[] = { "LEAF", "CLASS", "DUE", "STATE", "PATH" };
	struct showing s = { .cli = cli, .e = e,
			     .table = cli->json ? NULL : table_new(stdout, "lllll", heads) };
	int rc = catalogue_disposition_items(c, id, show_item, &s, e);

	if (!cli->json && table_end(s.table) < 0 && rc == 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	return rc;
}

/* ---- approvals ----------------------------------------------------------------------- */

static int add_approval(void *arg, const struct approval_row *a)
{
	json_t *list = arg;
	char time[TEXT_TIME_MAX];

	json_array_append_new(list, json_pack("{s:s, s:s}", "officer", a->officer, "received",
					      text_time(a->made, 0, time)));
	return 0;
}

static void print_approvals(const json_t *list)
{
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		printf("approved      %s, %s\n", text_printable(text_of(one, "officer")),
		       text_of(one, "received"));
}

static void print_lines(const char *head, const char *lines)
{
	for (const char *at = lines; *at; ) {
		size_t size = strcspn(at, "\n");

		printf("%-13s %.*s\n", head, (int)size, at);
		at += size + (at[size] == '\n');
	}
}

/* ---- show ------------------------------------------------------------------------------- */

static void print_classes(const json_t *statement)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(statement, "classes"), i, one) {
		const json_t *due = json_object_get(one, "due");
		char size[TEXT_SIZE_MAX];

		printf("class         %s: %" JSON_INTEGER_FORMAT " items, %s",
		       *text_of(one, "class") ? text_printable(text_of(one, "class")) : "(none)",
		       json_integer_value(json_object_get(one, "items")),
		       text_size((uint64_t)json_integer_value(json_object_get(one, "bytes")),
				 size));
		if (due)
			printf("; kept %s until %s to %s", text_printable(text_of(one, "period")),
			       text_of(due, "first"), text_of(due, "last"));
		putchar('\n');
	}
}

static int print_head(struct cli *cli, const struct disposition_row *d, const json_t *approvals,
		      const char *missing, struct err *e)
{
	json_t *statement = parse(d->statement), *o;
	char id[24], time[TEXT_TIME_MAX], hex[DIGEST_HEX_SIZE];
	int rc = 0;

	snprintf(id, sizeof id, "D%" PRId64, d->id);
	if (cli->json) {
		o = jsonl_new("disposition");
		jsonl_text(o, "disposition", id);
		jsonl_text(o, "kind", dispose_kind_words(d->kind));
		jsonl_text(o, "state", dispose_state_words(d->state));
		jsonl_text(o, "proposer", d->proposer);
		jsonl_time(o, "proposed", d->proposed, 0);
		jsonl_digest(o, "root", &d->root);
		jsonl_text(o, "missing", missing);
		if (o) {
			json_object_set(o, "statement", statement);
			json_object_set(o, "approvals", (json_t *)(uintptr_t)approvals);
		}
		rc = jsonl_end(o, e);
	} else {
		text_hex(d->root.bytes, DIGEST_SIZE, hex);
		printf("disposition   %s (%s), %s\n", id, dispose_kind_words(d->kind),
		       dispose_state_words(d->state));
		printf("proposed      by %s, %s\n", text_printable(d->proposer),
		       text_time(d->proposed, 0, time));
		if (*text_of(statement, "reason"))
			printf("reason        %s\n", text_printable(text_of(statement, "reason")));
		print_classes(statement);
		printf("root          %s\n", hex);
		print_approvals(approvals);
		print_lines("asked for", missing);
	}
	json_decref(statement);
	return rc;
}

int dispose_show(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct dispose_words *w = words;
	struct catalogue *c = vault_catalogue(v);
	struct disposition_row d;
	json_t *approvals = NULL;
	char *missing = NULL;
	int rc = -1;

	if (catalogue_disposition_get(c, w->id, &d, e) < 0)
		return -1;
	if (w->for_signing) {	/* S: these bytes and no other, no newline behind them */
		fwrite(d.statement, 1, strlen(d.statement), stdout);
		rc = 0;
		goto out;
	}
	approvals = json_array();
	if (catalogue_approvals(c, w->id, add_approval, approvals, e) < 0 ||
	    vault_disposition_missing(v, w->id, &missing, e) < 0 ||
	    print_head(cli, &d, approvals, missing, e) < 0)
		goto out;
	rc = show_items(cli, c, w->id, e);
out:
	free(missing);
	json_decref(approvals);
	disposition_row_clear(&d);
	return rc;
}

/* ---- list --------------------------------------------------------------------------------- */

static int row_json(const struct disposition_row *d, const json_t *statement, struct err *e)
{
	json_t *o = jsonl_new("disposition");
	char id[24];

	snprintf(id, sizeof id, "D%" PRId64, d->id);
	jsonl_text(o, "disposition", id);
	jsonl_text(o, "kind", dispose_kind_words(d->kind));
	jsonl_text(o, "state", dispose_state_words(d->state));
	jsonl_text(o, "proposer", d->proposer);
	jsonl_time(o, "proposed", d->proposed, 0);
	jsonl_digest(o, "root", &d->root);
	if (o)
		json_object_set(o, "items", json_object_get(statement, "items"));
	return jsonl_end(o, e);
}

static int list_row(void *arg, const struct disposition_row *d)
{
	struct showing *s = arg;
	json_t *statement = parse(d->statement);
	char time[48];
	int rc = 0;

	if (s->cli->json) {
		rc = row_json(d, statement, s->e);
	} else {
		table_cell(s->table, "D%" PRId64, d->id);
		table_cell(s->table, "%s", dispose_kind_words(d->kind));
		table_cell(s->table, "%s", dispose_state_words(d->state));
		table_cell(s->table, "%" JSON_INTEGER_FORMAT,
			   json_integer_value(json_object_get(statement, "items")));
		table_cell(s->table, "%s", text_printable(d->proposer));
		table_cell(s->table, "%s", print_time(d->proposed, time));
	}
	json_decref(statement);
	return rc;
}

int dispose_list(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct dispose_words *w = words;
	static const char *const heads[] = { "ID", "KIND", "STATE", "ITEMS", "PROPOSER",
		"PROPOSED (UTC)" };
	struct showing s = { .cli = cli, .e = e,
			     .table = cli->json ? NULL : table_new(stdout, "lllrll", heads) };
	int rc = catalogue_dispositions(vault_catalogue(v), list_row, &s, e);

	(void)w;
	if (!cli->json && table_end(s.table) < 0 && rc == 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	return rc;
}
