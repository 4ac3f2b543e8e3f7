#include "tools/due.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/jsonl.h"

int due_standing_parse(const char *text, enum record_standing *out)
{
	for (int i = 0; i < STANDINGS; i++)
		if (strcmp(text, standing_name((enum record_standing)i)) == 0) {
			*out = (enum record_standing)i;
			return 0;
		}
	return -1;
}

const char *due_class(const struct record_state *s)
{
	if (s->ruling)
		return s->ruling->id;
	return s->class_count > 0 ? s->classes[0] : "-";
}

static uint64_t bytes_of(const struct record_state *s)
{
	const struct node *n = s->record->node;

	return n->kind == NODE_FILE ? n->size : 0;
}

static const char *kind_of(const struct record_state *s)
{
	static const char *const names[] = {
		[NODE_FILE] = "file", [NODE_DIRECTORY] = "directory",
		[NODE_SYMLINK] = "symlink", [NODE_FIFO] = "fifo", [NODE_SOCKET] = "socket",
		[NODE_CHAR] = "character device", [NODE_BLOCK] = "block device",
	};

	return names[s->record->node->kind];
}

/* ---- one record --------------------------------------------------------------------- */

static void put_day(json_t *o, const char *key, bool is_there, struct civil day)
{
	char text[16];

	civil_text(day, text);
	jsonl_text(o, key, is_there ? text : NULL);
}

static void hold_name(int64_t id, char out[24])
{
	snprintf(out, 24, "H%" PRId64, id);
}

static void put_lists(json_t *o, const struct record_state *s)
{
	json_t *holds = json_array(), *classes = json_array();
	char id[24];

	for (size_t i = 0; i < s->hold_count; i++) {
		hold_name(s->holds[i], id);
		json_array_append_new(holds, json_string(id));
	}
	for (size_t i = 0; i < s->class_count; i++)
		json_array_append_new(classes, json_string(s->classes[i]));
	json_object_set_new(o, "classes", classes);
	json_object_set_new(o, "holds", holds);
}

void due_json(json_t *o, const struct record_state *s)
{
	const struct record_term *t = s->ruling_term;
	bool is_dated = t && t->retention.state == RETENTION_DATED;
	struct civil none = { 0 };
	char period[32] = "", digest[DIGEST_HEX_SIZE] = "";

	if (t) {
		period_text(&t->definition->period, period);
		text_hex(t->policy_digest, DIGEST_SIZE, digest);
	}
	jsonl_text(o, "system", s->system_name);
	jsonl_bytes(o, "path", s->record->path, s->record->path_size);
	jsonl_text(o, "kind", kind_of(s));
	jsonl_text(o, "class", s->class_count > 0 ? due_class(s) : NULL);
	jsonl_text(o, "standing", standing_name(s->standing));
	jsonl_text(o, "trigger", is_dated ? t->retention.moment : t ? t->definition->trigger : NULL);
	put_day(o, "trigger_date", is_dated, is_dated ? t->retention.from : none);
	put_day(o, "cutoff", is_dated, is_dated ? t->retention.cutoff : none);
	jsonl_text(o, "period", t ? period : NULL);
	jsonl_text(o, "then", t ? then_name(s->then) : NULL);
	put_day(o, "until", s->has_due, s->until);
	put_day(o, "eligible", s->has_due, s->eligible);
	jsonl_bool(o, "extended", s->is_extended);
	jsonl_bool(o, "restricted", s->is_restricted);
	put_lists(o, s);
	jsonl_text(o, "policy_sha256", t ? digest : NULL);
	jsonl_number(o, "bytes", bytes_of(s));
	jsonl_number(o, "versions", s->versions);
}

void due_sheet_head(struct sheet_out *out)
{
	static const char *const heads[] = { "system", "path", "path_base64", "class",
		"standing", "trigger", "trigger_date", "cutoff", "period", "then", "until",
		"eligible", "holds", "restricted", "policy_sha256", "bytes", "versions" };

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		sheet_cell(out, heads[i]);
	sheet_end_row(out);
}

static void sheet_day(struct sheet_out *out, bool is_there, struct civil day)
{
	char text[16];

	civil_text(day, text);
	sheet_cell(out, is_there ? text : NULL);
}

/* "H1 H7" as far as it fits; a record has few. */
static void sheet_holds(struct sheet_out *out, const struct record_state *s)
{
	char text[400] = "", id[24];

	for (size_t i = 0; i < s->hold_count && strlen(text) + sizeof id + 1 < sizeof text; i++) {
		hold_name(s->holds[i], id);
		if (i > 0)
			strcat(text, " ");
		strcat(text, id);
	}
	sheet_cell(out, text);
}

void due_sheet_row(struct sheet_out *out, const struct record_state *s)
{
	const struct record_term *t = s->ruling_term;
	bool is_dated = t && t->retention.state == RETENTION_DATED;
	struct civil none = { 0 };
	char period[32] = "", digest[DIGEST_HEX_SIZE] = "";

	if (t) {
		period_text(&t->definition->period, period);
		text_hex(t->policy_digest, DIGEST_SIZE, digest);
	}
	sheet_cell(out, s->system_name);
	sheet_bytes(out, s->record->path, s->record->path_size);
	sheet_cell(out, s->class_count > 0 ? due_class(s) : NULL);
	sheet_cell(out, standing_name(s->standing));
	sheet_cell(out, is_dated ? t->retention.moment : t ? t->definition->trigger : NULL);
	sheet_day(out, is_dated, is_dated ? t->retention.from : none);
	sheet_day(out, is_dated, is_dated ? t->retention.cutoff : none);
	sheet_cell(out, period);
	sheet_cell(out, t ? then_name(s->then) : NULL);
	sheet_day(out, s->has_due, s->until);
	sheet_day(out, s->has_due, s->eligible);
	sheet_holds(out, s);
	sheet_cell(out, s->is_restricted ? "yes" : NULL);
	sheet_cell(out, digest);
	sheet_number(out, bytes_of(s));
	sheet_number(out, s->versions);
	sheet_end_row(out);
}
