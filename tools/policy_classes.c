/*
 * The classes of a policy as a sheet, and a sheet's classes as a policy again: for
 * officers who keep their records schedule in a spreadsheet.  Several mandates, roles
 * or groups stand in one cell with " | " between.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/jsonl.h"
#include "tools/policy_acts.h"
#include "tools/sheet.h"
#include "tools/table.h"

#define BETWEEN " | "

enum column {
	ID, TITLE_EN, TITLE_ZH, INSTRUMENT, CLAUSE, JURISDICTION, MINIMUM, SENSITIVITY,
	IMPORTANCE, TRIGGER, FALLBACK, CUTOFF, PERIOD, THEN, QUORUM, ROLES, WITNESS, GRACE,
	RESIDUAL, NAMES, GROUPS, COLUMNS
};

static const char *const heads[COLUMNS] = {
	"id", "title_en", "title_zh", "instrument", "clause", "jurisdiction", "minimum",
	"sensitivity", "importance", "trigger", "fallback", "cutoff", "period", "then",
	"quorum", "roles", "witness", "grace", "residual", "names", "groups",
};

/* ---- out --------------------------------------------------------------------------- */

static void join_list(FILE *to, char *const *list)
{
	for (size_t i = 0; list && list[i]; i++)
		fprintf(to, "%s%s", i > 0 ? BETWEEN : "", list[i]);
}

static void join_mandates(FILE *to, const struct policy_class *k, enum column c)
{
	char minimum[32];

	for (size_t i = 0; i < k->mandate_count; i++) {
		const struct mandate *m = &k->mandates[i];
		const char *text = c == INSTRUMENT ? m->instrument : c == CLAUSE ? m->clause :
			m->jurisdiction;

		if (c == MINIMUM) {
			minimum[0] = '\0';
			if (m->has_minimum)
				period_text(&m->minimum, minimum);
			text = minimum;
		}
		fprintf(to, "%s%s", i > 0 ? BETWEEN : "", text ? text : "");
	}
}

static void put_cell(FILE *to, const struct policy_class *k, enum column c)
{
	const char *const plain[COLUMNS] = {
		[ID] = k->id, [TITLE_EN] = k->title_en, [TITLE_ZH] = k->title_zh,
		[SENSITIVITY] = sensitivity_name(k->sensitivity),
		[IMPORTANCE] = importance_name(k->importance), [TRIGGER] = k->trigger,
		[FALLBACK] = k->fallback, [THEN] = then_name(k->then),
		[RESIDUAL] = k->residual, [NAMES] = k->names,
	};
	char period[32];

	switch (c) {
	case INSTRUMENT:
	case CLAUSE:
	case JURISDICTION:
	case MINIMUM:
		join_mandates(to, k, c);
		break;
	case CUTOFF:
		if (k->cutoff_month)
			fprintf(to, "%02u-%02u", k->cutoff_month, k->cutoff_day);
		break;
	case PERIOD:
	case GRACE:
		period_text(c == PERIOD ? &k->period : &k->grace, period);
		fputs(period, to);
		break;
	case QUORUM:
		fprintf(to, "%u", k->quorum);
		break;
	case ROLES:
	case WITNESS:
	case GROUPS:
		join_list(to, c == ROLES ? k->roles : c == WITNESS ? k->witnesses : k->groups);
		break;
	default:
		fputs(plain[c] ? plain[c] : "", to);
	}
}

/* malloc'ed; NULL without memory. */
static char *cell_text(const struct policy_class *k, enum column c)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = text_stream(&text, &size);

	if (!to)
		return NULL;
	put_cell(to, k, c);
	return text_stream_end(to, &text) == 0 ? text : NULL;
}

static int each_cell(const struct policy_class *k, void (*put)(void *arg, enum column c,
							       const char *text),
		     void *arg, struct err *e)
{
	for (int c = 0; c < COLUMNS; c++) {
		char *text = cell_text(k, (enum column)c);

		if (!text)
			return err_set(e, MUNI_NO_MEMORY, "no memory for the classes");
		put(arg, (enum column)c, text);
		free(text);
	}
	return 0;
}

static void to_sheet(void *arg, enum column c, const char *text)
{
	(void)c;
	sheet_cell(arg, text);
}

static void to_json(void *arg, enum column c, const char *text)
{
	jsonl_text(arg, heads[c], *text ? text : NULL);
}

static void to_table(void *arg, enum column c, const char *text)
{
	if (c == ID || c == TITLE_EN || c == SENSITIVITY || c == TRIGGER || c == PERIOD ||
	    c == THEN || c == INSTRUMENT)
		table_cell(arg, "%s", *text ? text_printable(text) : "-");
}

static int print_classes(struct cli *cli, bool is_csv, const struct policy_info *p,
			 struct err *e)
{
	static const char *const shown[] = { "CLASS", "TITLE", "MANDATE", "SENSITIVITY",
		"FROM", "PERIOD", "THEN" };
	struct table *t = is_csv || cli->json ? NULL : table_new(stdout, "lllllll", shown);
	struct sheet_out s = { .to = stdout };
	int rc = 0;

	for (int c = 0; is_csv && c < COLUMNS; c++)
		sheet_cell(&s, heads[c]);
	if (is_csv)
		sheet_end_row(&s);
	for (size_t i = 0; i < p->class_count && rc == 0; i++) {
		const struct policy_class *k = &p->classes[i];

		if (is_csv) {
			rc = each_cell(k, to_sheet, &s, e);
			sheet_end_row(&s);
		} else if (cli->json) {
			json_t *o = jsonl_new("class");

			rc = each_cell(k, to_json, o, e);
			rc = rc < 0 ? (json_decref(o), -1) : jsonl_end(o, e);
		} else {
			rc = each_cell(k, to_table, t, e);
		}
	}
	if (!is_csv && !cli->json && table_end(t) < 0 && rc == 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	return rc;
}

int policy_classes(struct cli *cli, const struct policy_words *w, int count, char **operands,
		   struct err *e)
{
	struct policy *p = NULL;

	(void)count;
	if (vault_policy_read(operands[0], &p, NULL, NULL, e) < 0)
		return -1;
	int rc = print_classes(cli, w->is_csv, policy_info(p), e);
	policy_free(p);
	return rc;
}

/* ---- in ------------------------------------------------------------------------------- */

/* A double-quoted scalar: what JSON escapes, YAML reads. */
static void quote(FILE *to, const char *text, size_t size)
{
	json_t *s = json_stringn(text, size);
	char *quoted = s ? json_dumps(s, JSON_ENCODE_ANY) : NULL;

	fputs(quoted ? quoted : "\"\"", to);
	free(quoted);
	json_decref(s);
}

/* The part of a cell between two "|", number n, without the blanks around it, which
 * spreadsheets and their readers take away where they like; false: there are not so
 * many. */
static bool part_of(const char *cell, size_t n, const char **part, size_t *size)
{
	for (;;) {
		size_t length = strcspn(cell, "|");

		if (n-- == 0) {
			*part = cell + strspn(cell, " ");
			*size = *part < cell + length ? (size_t)(cell + length - *part) : 0;
			while (*size > 0 && (*part)[*size - 1] == ' ')
				(*size)--;
			return true;
		}
		if (cell[length] == '\0')
			return false;
		cell += length + 1;
	}
}

static void put_list(FILE *to, const char *cell)
{
	const char *part;
	size_t size;

	putc('[', to);
	for (size_t i = 0; *cell && part_of(cell, i, &part, &size); i++) {
		fputs(i > 0 ? ", " : "", to);
		quote(to, part, size);
	}
	putc(']', to);
}

static void put_field(FILE *to, const char *before, const char *key, const char *cell)
{
	if (!*cell)
		return;
	fprintf(to, "%s%s: ", before, key);
	quote(to, cell, strlen(cell));
}

struct row {
	const char *cells[COLUMNS];
};

static void put_mandates(FILE *to, const struct row *r)
{
	static const enum column parts[] = { INSTRUMENT, CLAUSE, JURISDICTION, MINIMUM };
	const char *part;
	size_t size;

	if (!*r->cells[INSTRUMENT])
		return;
	fputs("    mandate:\n", to);
	for (size_t i = 0; part_of(r->cells[INSTRUMENT], i, &part, &size); i++) {
		const char *before = "      - {";

		for (size_t c = 0; c < sizeof parts / sizeof *parts; c++) {
			if (!part_of(r->cells[parts[c]], i, &part, &size) || size == 0)
				continue;
			fprintf(to, "%s%s: ", before, heads[parts[c]]);
			quote(to, part, size);
			before = ", ";
		}
		fputs("}\n", to);
	}
}

/* One key with a map of those of its fields that are not empty. */
static void put_map(FILE *to, const struct row *r, const char *key, const enum column *fields,
		    const char *const *names, size_t count)
{
	const char *before = "";
	bool is_any = false;

	for (size_t i = 0; i < count; i++)
		is_any |= *r->cells[fields[i]] != '\0';
	if (!is_any)
		return;
	fprintf(to, "    %s: {", key);
	for (size_t i = 0; i < count; i++) {
		put_field(to, before, names[i], r->cells[fields[i]]);
		if (*r->cells[fields[i]])
			before = ", ";
	}
	fputs("}\n", to);
}

static void put_approval(FILE *to, const struct row *r)
{
	bool has_quorum = *r->cells[QUORUM] && strcmp(r->cells[QUORUM], "0") != 0;

	if (has_quorum || *r->cells[ROLES]) {
		fputs("    approve: {", to);
		if (has_quorum)
			fprintf(to, "quorum: %s%s", r->cells[QUORUM], *r->cells[ROLES] ? ", " : "");
		if (*r->cells[ROLES]) {
			fputs("roles: ", to);
			put_list(to, r->cells[ROLES]);
		}
		fputs("}\n", to);
	}
	if (*r->cells[WITNESS]) {
		fputs("    witness: ", to);
		put_list(to, r->cells[WITNESS]);
		putc('\n', to);
	}
}

static void put_class(FILE *to, const struct row *r)
{
	static const enum column titles[] = { TITLE_EN, TITLE_ZH };
	static const enum column retain[] = { TRIGGER, FALLBACK, CUTOFF, PERIOD };
	static const enum column destroy[] = { GRACE, RESIDUAL, NAMES };
	static const char *const languages[] = { "en", "zh" };
	static const char *const periods[] = { "trigger", "fallback", "cutoff", "period" };
	static const char *const ends[] = { "grace", "residual", "names" };

	put_field(to, "  - ", "id", r->cells[ID]);
	putc('\n', to);
	put_map(to, r, "title", titles, languages, 2);
	put_mandates(to, r);
	for (int c = SENSITIVITY; c <= IMPORTANCE; c++)
		if (*r->cells[c]) {
			put_field(to, "    ", heads[c], r->cells[c]);
			putc('\n', to);
		}
	put_map(to, r, "retain", retain, periods, 4);
	if (*r->cells[THEN]) {
		put_field(to, "    ", "then", r->cells[THEN]);
		putc('\n', to);
	}
	put_approval(to, r);
	put_map(to, r, "destroy", destroy, ends, 3);
	if (*r->cells[GROUPS]) {
		fputs("    access: {groups: ", to);
		put_list(to, r->cells[GROUPS]);
		fputs("}\n", to);
	}
}

static int put_classes(FILE *to, const struct sheet *s, struct err *e)
{
	int columns[COLUMNS];

	for (int c = 0; c < COLUMNS; c++)
		columns[c] = sheet_column(s, heads[c]);
	if (columns[ID] < 0)
		return err_set(e, MUNI_USAGE, "the sheet's first line must name the column \"id\"; "
			       "`muni policy classes FILE --csv` shows all");
	fputs("classes:\n", to);
	for (size_t row = 0; row < sheet_rows(s); row++) {
		struct row r;

		for (int c = 0; c < COLUMNS; c++)
			r.cells[c] = sheet_at(s, row, columns[c]);
		if (strspn(r.cells[QUORUM], "0123456789") != strlen(r.cells[QUORUM]))
			return err_set(e, MUNI_USAGE, "line %u: quorum is a number",
				       sheet_line(s, row));
		put_class(to, &r);
	}
	return 0;
}

/* The policy's text with its classes replaced; comments among them go. */
static void put_policy(FILE *to, const char *text, const char *classes)
{
	bool is_in = false, is_done = false;

	for (const char *line = text; *line;) {
		size_t size = strcspn(line, "\n");

		size += line[size] == '\n';
		if (strncmp(line, "classes:", 8) == 0) {
			fputs(classes, to);
			is_in = is_done = true;
		} else if (is_in && line[0] != ' ' && line[0] != '-' && line[0] != '#' &&
			   line[0] != '\n' && line[0] != '\r') {
			is_in = false;
			putc('\n', to);
		}
		if (!is_in)
			fwrite(line, 1, size, to);
		line += size;
	}
	if (!is_done)
		fputs(classes, to);
}

static char *merge(const char *text, const struct sheet *s, struct err *e)
{
	char *classes = NULL, *out = NULL;
	size_t size = 0;
	FILE *to = text_stream(&classes, &size);
	int rc = to ? put_classes(to, s, e) : err_set(e, MUNI_NO_MEMORY, "no memory for the "
						      "classes");

	if (to && text_stream_end(to, &classes) < 0 && rc == 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for the classes");
	to = rc == 0 ? text_stream(&out, &size) : NULL;
	if (to) {
		put_policy(to, text, classes);
		text_stream_end(to, &out);
	}
	if (rc == 0 && !out)
		err_set(e, MUNI_NO_MEMORY, "no memory for the policy");
	free(classes);
	return out;
}

/* The loader counts classes from 1, as the sheet's rows come: a row is easier to find
 * than a line of a text that nobody has seen. */
static void name_row(const struct sheet *s, const char *path, struct err *e)
{
	const char *at = strstr(e->text, "classes[");
	size_t row = at ? strtoul(at + 8, NULL, 10) : 0;
	char text[sizeof e->text];

	if (row == 0 || row > sheet_rows(s)) {
		err_wrap(e, "%s", text_printable(path));
		return;
	}
	snprintf(text, sizeof text, "%s", at);
	err_set(e, e->code, "%s:%u: %s", text_printable(path), sheet_line(s, row - 1), text);
}

int policy_import(struct cli *cli, const struct policy_words *w, int count, char **operands,
		  struct err *e)
{
	struct policy *before = NULL, *after = NULL;
	struct sheet *s = NULL;
	char *text = NULL, *merged = NULL;
	size_t size;
	int rc = -1;

	(void)cli, (void)w, (void)count;
	if (vault_policy_read(operands[0], &before, &text, &size, e) < 0 ||
	    sheet_read(operands[1], &s, e) < 0)
		goto out;
	merged = merge(text, s, e);
	/* What is printed is a policy, or nothing is. */
	if (!merged)
		goto out;
	if (policy_load(merged, strlen(merged), "the policy with these classes", &after, e) < 0) {
		name_row(s, operands[1], e);
		goto out;
	}
	fputs(merged, stdout);
	rc = 0;
out:
	policy_free(before);
	policy_free(after);
	sheet_free(s);
	free(text);
	free(merged);
	return rc;
}
