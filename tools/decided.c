#include "tools/decided.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/base/total.h"
#include "fs/vault/scan.h"
#include "tools/jsonl.h"
#include "tools/print.h"
#include "tools/table.h"

/* ---- sums --------------------------------------------------------------------------- */

static void add(struct decision_sum *s, uint64_t bytes)
{
	s->items++;
	total_add(&s->bytes, bytes);
}

static int compare(const struct class_sum *k, enum decision d, const char *class_code)
{
	if (k->decision != d)
		return k->decision < d ? -1 : 1;
	return strcmp(k->class_code, class_code);
}

/* The sum of this decision and class, made where it is not there. */
static struct class_sum *class_sum(struct decided_sums *s, enum decision d,
				   const char *class_code)
{
	size_t at = 0;

	while (at < s->class_count && compare(&s->classes[at], d, class_code) < 0)
		at++;
	if (at < s->class_count && compare(&s->classes[at], d, class_code) == 0)
		return &s->classes[at];
	struct class_sum *list = realloc(s->classes, (s->class_count + 1) * sizeof *list);
	char *copy = strdup(class_code);
	if (list)
		s->classes = list;
	if (!list || !copy) {
		free(copy);
		return NULL;
	}
	memmove(list + at + 1, list + at, (s->class_count - at) * sizeof *list);
	list[at] = (struct class_sum){ .decision = d, .class_code = copy };
	s->class_count++;
	return &list[at];
}

int decided_add(struct decided_sums *s, const struct decided_row *r, enum rot rot,
		struct err *e)
{
	enum decision d = decided_decision(r);
	const char *class_code = decided_class(r);
	uint64_t bytes = r->item->kind == NODE_FILE ? r->item->size : 0;
	struct class_sum *k = class_sum(s, d, class_code ? class_code : "");

	if (!k)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the sums");
	add(&k->sum, bytes);
	add(&s->total, bytes);
	add(&s->decisions[d], bytes);
	add(&s->rot[rot], bytes);
	s->undecided += !is_decided(r);
	s->overridden += r->has_override;
	s->differing += is_differing(r);
	return 0;
}

void decided_sums_free(struct decided_sums *s)
{
	for (size_t i = 0; i < s->class_count; i++)
		free(s->classes[i].class_code);
	free(s->classes);
	*s = (struct decided_sums){ .class_count = 0 };
}

/* In the order in which a person thinks of them. */
static const enum decision order[DECISIONS] = {
	DECISION_ARCHIVE, DECISION_MIGRATE, DECISION_DESTROY, DECISION_REVIEW,
};

static void sum_cells(struct table *t, const struct decision_sum *s)
{
	char count[TEXT_COUNT_MAX], size[TEXT_SIZE_MAX];

	table_cell(t, "%s", text_count(s->items, count));
	table_cell(t, "%s", text_size(s->bytes, size));
}

static int print_decisions(FILE *to, const struct decided_sums *s)
{
	static const char *const heads[] = { "DECISION", "CLASS", "ITEMS", "SIZE" };
	struct table *t = table_new(to, "llrr", heads);

	for (size_t i = 0; i < DECISIONS; i++) {
		bool is_first = true;

		for (size_t n = 0; n < s->class_count; n++) {
			const struct class_sum *k = &s->classes[n];

			if (k->decision != order[i])
				continue;
			table_cell(t, "%s", is_first ? decision_name(order[i]) : "");
			table_cell(t, "%s", *k->class_code ? text_printable(k->class_code) : "-");
			sum_cells(t, &k->sum);
			is_first = false;
		}
		if (is_first) {
			table_cell(t, "%s", decision_name(order[i]));
			table_cell(t, "-");
			sum_cells(t, &s->decisions[order[i]]);
		}
	}
	table_cell(t, "in all");
	table_cell(t, "%s", "");
	sum_cells(t, &s->total);
	return table_end(t);
}

static int print_rot(FILE *to, const struct decided_sums *s)
{
	static const char *const heads[] = { "COULD GO", "ITEMS", "SIZE", "BECAUSE" };
	static const char *const why[] = {
		[ROT_REDUNDANT] = "copies of another item",
		[ROT_TRIVIAL] = "empty, or left behind by programs",
		[ROT_OBSOLETE] = "not modified in the last 10 years",
	};
	struct table *t = table_new(to, "lrrl", heads);

	for (int i = ROT_REDUNDANT; i <= ROT_OBSOLETE; i++) {
		table_cell(t, "%s", rot_name((enum rot)i));
		sum_cells(t, &s->rot[i]);
		table_cell(t, "%s", why[i]);
	}
	return table_end(t);
}

int decided_print_sums(FILE *to, const struct decided_sums *s, struct err *e)
{
	char count[TEXT_COUNT_MAX], other[TEXT_COUNT_MAX];
	int rc = print_decisions(to, s);

	putc('\n', to);
	if (print_rot(to, s) < 0 || rc < 0)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	if (s->overridden > 0)
		fprintf(to, "\nofficers decided on %s of them, on %s otherwise than the "
			"policy\n", text_count(s->overridden, count),
			text_count(s->differing, other));
	if (s->undecided > 0)
		fprintf(to, "\n%s of those for review are new, or have changed, since the "
			"system was classified\n", text_count(s->undecided, count));
	return 0;
}

static json_t *sum_json(const struct decision_sum *s)
{
	return json_pack("{s:I, s:I}", "items", (json_int_t)s->items, "bytes",
			 (json_int_t)s->bytes);
}

json_t *decided_sums_json(const struct decided_sums *s)
{
	json_t *o = jsonl_new("sums"), *decisions = json_object(), *classes = json_array(),
	       *rot = json_object();

	jsonl_number(o, "items", s->total.items);
	jsonl_number(o, "bytes", s->total.bytes);
	for (size_t i = 0; i < DECISIONS; i++)
		json_object_set_new(decisions, decision_name(order[i]),
				    sum_json(&s->decisions[order[i]]));
	for (size_t i = 0; i < s->class_count; i++) {
		const struct class_sum *k = &s->classes[i];
		json_t *line = sum_json(&k->sum);

		jsonl_text(line, "decision", decision_name(k->decision));
		jsonl_text(line, "class", *k->class_code ? k->class_code : NULL);
		json_array_append_new(classes, line);
	}
	for (int i = ROT_REDUNDANT; i <= ROT_OBSOLETE; i++)
		json_object_set_new(rot, rot_name((enum rot)i), sum_json(&s->rot[i]));
	json_object_set_new(o, "decisions", decisions);
	json_object_set_new(o, "classes", classes);
	json_object_set_new(o, "could_go", rot);
	jsonl_number(o, "undecided", s->undecided);
	jsonl_number(o, "overridden", s->overridden);
	jsonl_number(o, "differing", s->differing);
	return o;
}

/* ---- one item -------------------------------------------------------------------------- */

static json_t *matched_json(const char *matched)
{
	json_t *list = json_array();

	while (matched && *matched) {
		size_t size = strcspn(matched, ",");

		json_array_append_new(list, json_stringn(matched, size));
		matched += size + (matched[size] == ',');
	}
	return list;
}

static json_t *override_json(const struct override_row *w)
{
	json_t *o = json_object();

	jsonl_text(o, "decision", decision_name((enum decision)w->decision));
	jsonl_text(o, "class", w->class_code);
	jsonl_text(o, "officer", w->officer);
	jsonl_text(o, "reason", w->reason);
	jsonl_time(o, "made", w->made, 0);
	return o;
}

void decided_json(json_t *o, const struct decided_row *r)
{
	const struct decision_row *p = &r->policy;

	jsonl_text(o, "decision", decision_name(decided_decision(r)));
	jsonl_text(o, "class", decided_class(r));
	jsonl_bool(o, "decided", is_decided(r));
	jsonl_text(o, "sensitivity", r->has_decision ?
		   sensitivity_name((enum sensitivity)p->sensitivity) : NULL);
	jsonl_text(o, "importance", r->has_decision ?
		   importance_name((enum importance)p->importance) : NULL);
	jsonl_text(o, "rule", p->rule);
	json_object_set_new(o, "matched", matched_json(p->matched));
	jsonl_text(o, "evidence", p->evidence);
	if (r->has_decision)
		json_object_set_new(o, "confidence", json_real(p->confidence / 100.0));
	jsonl_text(o, "policy_decision", r->has_decision ?
		   decision_name((enum decision)p->decision) : NULL);
	jsonl_text(o, "policy_class", p->class_code);
	json_object_set_new(o, "override", r->has_override ? override_json(&r->override) :
			    json_null());
}

static const char *const columns[] = {
	"path", "path_base64", "size", "modified", "format", "sha256", "duplicate_of",
	"duplicate_of_base64", "decision", "class", "officer", "reason", "sensitivity",
	"importance", "rule", "evidence", "confidence", "policy_decision", "policy_class",
	"not_looked_into",
};

void decided_sheet_head(struct sheet_out *s)
{
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		sheet_cell(s, columns[i]);
	sheet_end_row(s);
}

void decided_sheet_row(struct sheet_out *s, const struct decided_row *r)
{
	const struct item_row *item = r->item;
	const struct decision_row *p = &r->policy;
	char digest[DIGEST_HEX_SIZE] = "", time[TEXT_TIME_MAX];

	sheet_bytes(s, item->path, item->path_size);
	sheet_number(s, item->size);
	sheet_cell(s, text_time(item->mtime.seconds, 0, time));
	sheet_cell(s, item->format);
	if (item->has_sha256 && scan_digest_is_plain(item))
		digest_hex(&item->sha256, digest);
	sheet_cell(s, digest);
	sheet_bytes(s, r->duplicate_path ? r->duplicate_path : "", r->duplicate_size);
	sheet_cell(s, decision_name(decided_decision(r)));
	sheet_cell(s, decided_class(r));
	sheet_cell(s, r->override.officer);
	sheet_cell(s, r->override.reason);
	sheet_cell(s, r->has_decision ? sensitivity_name((enum sensitivity)p->sensitivity) :
		   NULL);
	sheet_cell(s, r->has_decision ? importance_name((enum importance)p->importance) : NULL);
	sheet_cell(s, p->rule);
	sheet_cell(s, p->evidence);
	if (r->has_decision)
		sheet_number(s, p->confidence);
	else
		sheet_cell(s, NULL);
	sheet_cell(s, r->has_decision ? decision_name((enum decision)p->decision) : NULL);
	sheet_cell(s, p->class_code);
	sheet_cell(s, item->opaque);
	sheet_end_row(s);
}
