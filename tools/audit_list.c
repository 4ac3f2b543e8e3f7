#include "tools/audit_list.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/jsonl.h"
#include "tools/print.h"
#include "tools/sheet.h"
#include "tools/table.h"

#define LONG_TEXT 300u		/* bytes: a reason may be as long as a sentence or two */

struct listing {
	enum audit_form form;
	const struct audit_filter *filter;
	struct table *table;
	struct sheet_out sheet;
	struct premis *premis;
	struct err *e;
};

static const char *actor(const struct audit_entry *a, char hex[DIGEST_HEX_SIZE])
{
	if (!a->is_officer)
		return "key";
	if (a->officer != NULL)
		return a->officer;
	digest_hex(&a->entry.actor, hex);
	return hex;
}

static const char *details_or_why(const struct audit_entry *a)
{
	if (a->state == AUDIT_DESTROYED)
		return "(destroyed)";
	return a->state == AUDIT_ALTERED ? "(altered: not what the log commits to)" : a->details;
}

static bool is_wanted(const struct audit_filter *f, const struct audit_entry *a)
{
	char hex[DIGEST_HEX_SIZE];

	if (f->act != NULL && strcmp(audit_act_name(a->entry.act), f->act) != 0)
		return false;
	if ((f->has_from && a->entry.time < f->from) || (f->has_to && a->entry.time > f->to))
		return false;
	if (f->officer != NULL && strcmp(actor(a, hex), f->officer) != 0)
		return false;
	if (f->refused_only && a->entry.act != LOG_REFUSED)
		return false;
	return f->text == NULL || (a->details != NULL && strstr(a->details, f->text) != NULL);
}

static int row_json(const struct audit_entry *a, struct err *e)
{
	json_t *o = jsonl_new("audit"), *details = NULL;
	char hex[DIGEST_HEX_SIZE];

	jsonl_number(o, "sequence", a->entry.sequence);
	jsonl_text(o, "act", audit_act_name(a->entry.act));
	jsonl_number(o, "act_number", (uint64_t)a->entry.act);
	jsonl_time(o, "time", a->entry.time, 0);
	jsonl_text(o, "actor", a->is_officer ? a->officer : "key");
	digest_hex(&a->entry.actor, hex);
	jsonl_text(o, "actor_certificate", a->is_officer ? hex : NULL);
	jsonl_bool(o, "success", audit_act_is_success(a->entry.act));
	if (a->details != NULL)
		details = json_loads(a->details, 0, NULL);
	if (details != NULL)
		json_object_set_new(o, "details", details);
	else
		jsonl_text(o, "details", a->details);
	jsonl_text(o, "details_state", a->state == AUDIT_WHOLE ? "whole" :
		   a->state == AUDIT_DESTROYED ? "destroyed" : "altered");
	jsonl_digest(o, "commitment", &a->entry.commitment);
	return jsonl_end(o, e);
}

static void row_csv(struct sheet_out *s, const struct audit_entry *a)
{
	char time[TEXT_TIME_MAX], hex[DIGEST_HEX_SIZE];

	sheet_number(s, a->entry.sequence);
	sheet_cell(s, text_time(a->entry.time, 0, time));
	sheet_cell(s, audit_act_name(a->entry.act));
	sheet_cell(s, actor(a, hex));
	sheet_cell(s, audit_act_is_success(a->entry.act) ? "success" : "failure");
	sheet_cell(s, details_or_why(a));
	digest_hex(&a->entry.commitment, hex);
	sheet_cell(s, hex);
	sheet_end_row(s);
}

/* Signatures and statements in base64 say nothing to who looks at a table. */
static json_t *without_long_texts(const json_t *object)
{
	json_t *out = json_object(), *member;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)object, key, member) {
		if (json_is_object(member))
			json_object_set_new(out, key, without_long_texts(member));
		else if (json_is_string(member) && json_string_length(member) > LONG_TEXT)
			json_object_set_new(out, key, json_sprintf("(%zu characters: --json)",
								   json_string_length(member)));
		else
			json_object_set(out, key, member);
	}
	return out;
}

/* malloc'ed; NULL: as it is. */
static char *shortened(const char *details)
{
	json_t *whole = strlen(details) > LONG_TEXT ? json_loads(details, 0, NULL) : NULL;
	char *text = NULL;

	if (json_is_object(whole)) {
		json_t *less = without_long_texts(whole);
		text = json_dumps(less, JSON_COMPACT | JSON_SORT_KEYS);
		json_decref(less);
	}
	json_decref(whole);
	return text;
}

static void row_table(struct table *t, const struct audit_entry *a)
{
	char time[TEXT_TIME_MAX], hex[DIGEST_HEX_SIZE];
	char *less = shortened(details_or_why(a));

	table_cell(t, "%llu", (unsigned long long)a->entry.sequence);
	table_cell(t, "%s", print_time(a->entry.time, time));
	table_cell(t, "%s", audit_act_name(a->entry.act));
	table_cell(t, "%.16s", text_printable(actor(a, hex)));
	table_cell(t, "%s", text_printable(less ? less : details_or_why(a)));
	free(less);
}

static int on_entry(void *arg, const struct audit_entry *a)
{
	struct listing *l = arg;

	if (!is_wanted(l->filter, a))
		return 0;
	switch (l->form) {
	case AUDIT_JSON:
		return row_json(a, l->e) < 0 ? -1 : cli_is_over();
	case AUDIT_CSV:
		row_csv(&l->sheet, a);
		return cli_is_over();
	case AUDIT_PREMIS:
		return premis_event(l->premis, a, l->e) < 0 ? -1 : cli_is_over();
	case AUDIT_TABLE:
		break;
	}
	row_table(l->table, a);
	return cli_is_over();
}

static int begin(struct listing *l, struct vault *v, struct err *e)
{
	static const char *const heads[] = { "ENTRY", "TIME (UTC)", "ACT", "BY", "DETAILS" };
	static const char *const columns[] = { "sequence", "time", "act", "actor", "outcome",
					       "details", "commitment" };

	if (l->form == AUDIT_TABLE)
		l->table = table_new(stdout, "rllll", heads);
	if (l->form == AUDIT_CSV) {
		l->sheet.to = stdout;
		sheet_mark(&l->sheet);
		for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
			sheet_cell(&l->sheet, columns[i]);
		sheet_end_row(&l->sheet);
	}
	return l->form == AUDIT_PREMIS ? premis_begin(vault_id_hex(v), &l->premis, e) : 0;
}

int audit_list(struct cli *cli, struct vault *v, enum audit_form form,
	       const struct audit_filter *f, struct err *e)
{
	struct listing l = { .form = form, .filter = f, .e = e };
	struct err ended = ERR_NONE;
	int rc = begin(&l, v, e);

	(void)cli;
	if (rc == 0)
		rc = audit_each(v, f->first, on_entry, &l, e);
	if (l.premis != NULL && premis_end(l.premis, &ended) < 0 && rc == 0) {
		*e = ended;
		rc = -1;
	}
	if (form == AUDIT_TABLE && table_end(l.table) < 0 && rc == 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	return rc;
}
