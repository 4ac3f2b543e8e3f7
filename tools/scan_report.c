#include "tools/scan_report.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/base/total.h"
#include "tools/jsonl.h"
#include "tools/print.h"
#include "tools/table.h"

#define FORMATS_SHOWN 20

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the report");
}

/* ---- counting ---------------------------------------------------------------------- */

/* The sum of this name, made where it is not there.  NULL without memory. */
static struct scan_sum *sum_of(struct scan_sum **list, size_t *count, const char *name)
{
	size_t low = 0, high = *count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, (*list)[middle].name);

		if (order == 0)
			return &(*list)[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	struct scan_sum *grown = reallocarray(*list, *count + 1, sizeof *grown);
	char *copy = strdup(name);

	if (grown)
		*list = grown;
	if (!grown || !copy) {
		free(copy);
		return NULL;
	}
	memmove(grown + low + 1, grown + low, (*count - low) * sizeof *grown);
	grown[low] = (struct scan_sum){ .name = copy };
	++*count;
	return &grown[low];
}

static bool keep_path(char **out, const struct item_row *r)
{
	char *path = text_printable_dup(r->path, r->path_size);

	free(*out);
	*out = path;
	return path != NULL;
}

static bool note_time(struct scan_report *p, const struct item_row *r)
{
	int64_t t = r->mtime.seconds;
	bool is_oldest = !p->has_oldest || t < p->oldest;
	bool is_newest = !p->has_oldest || t > p->newest;

	p->has_oldest = true;
	if (is_oldest)
		p->oldest = t;
	if (is_newest)
		p->newest = t;
	return (!is_oldest || keep_path(&p->oldest_path, r)) &&
	       (!is_newest || keep_path(&p->newest_path, r));
}

static bool note_opaque(struct scan_report *p, const struct item_row *r)
{
	size_t at = 0;

	while (at < SCAN_REPORT_NAMED && p->named[at].path)
		at++;
	if (at == SCAN_REPORT_NAMED)
		return true;
	p->named[at].path = text_printable_dup(r->path, r->path_size);
	p->named[at].why = text_printable_dup(r->opaque, strlen(r->opaque));
	return p->named[at].path && p->named[at].why;
}

static bool note_findings(struct scan_report *p, const struct item_row *r)
{
	for (size_t i = 0; i < r->finding_count; i++) {
		const struct stored_finding *f = &r->findings[i];
		struct scan_sum *sum = sum_of(&p->findings, &p->finding_count, f->id);

		if (!sum)
			return false;
		sum->files++;
		sum->count += f->count;
		if (f->sensitivity > sum->sensitivity)
			sum->sensitivity = f->sensitivity;
	}
	return true;
}

struct counting {
	struct scan_report *report;
	struct err *e;
};

static int on_item(void *arg, const struct item_row *r, const char *duplicate_path,
		   size_t duplicate_size)
{
	struct counting *c = arg;
	struct scan_report *p = c->report;
	struct scan_sum *format = sum_of(&p->formats, &p->format_count,
					 r->format ? r->format : "(not read)");

	(void)duplicate_path, (void)duplicate_size;
	if (!format || !note_findings(p, r) || (r->opaque && !note_opaque(p, r)) ||
	    (r->kind == NODE_FILE && !note_time(p, r)))
		return no_memory(c->e);
	format->files++;
	total_add(&format->bytes, r->kind == NODE_FILE ? r->size : 0);
	p->lying += r->claimed != NULL;
	return 0;
}

int scan_report_make(struct scan_report *r, struct catalogue *c, int64_t system,
		     struct err *e)
{
	struct counting counting = { r, e };

	*r = (struct scan_report){ .format_count = 0 };
	return catalogue_items(c, system, NULL, 0, on_item, &counting, e);
}

static void free_sums(struct scan_sum *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].name);
	free(list);
}

void scan_report_free(struct scan_report *r)
{
	free_sums(r->formats, r->format_count);
	free_sums(r->findings, r->finding_count);
	for (size_t i = 0; i < SCAN_REPORT_NAMED; i++) {
		free(r->named[i].path);
		free(r->named[i].why);
	}
	free(r->oldest_path);
	free(r->newest_path);
	*r = (struct scan_report){ .format_count = 0 };
}

/* ---- for people ------------------------------------------------------------------------ */

static int print_formats(FILE *to, const struct scan_report *r)
{
	static const char *const heads[] = { "FORMAT", "ITEMS", "SIZE" };
	struct table *t = table_new(to, "lrr", heads);
	bool *is_shown = calloc(r->format_count + 1, sizeof *is_shown);
	char count[TEXT_COUNT_MAX], size[TEXT_SIZE_MAX];
	uint64_t items = 0, bytes = 0;
	size_t others = 0;
	int rc = is_shown ? 0 : -1;

	/* The largest first: a short list, looked through once a line. */
	for (size_t line = 0; is_shown && line < r->format_count; line++) {
		const struct scan_sum *best = NULL;

		for (size_t i = 0; i < r->format_count; i++)
			if (!is_shown[i] && (!best || r->formats[i].bytes > best->bytes))
				best = &r->formats[i];
		is_shown[best - r->formats] = true;
		if (line >= FORMATS_SHOWN) {
			items += best->files;
			total_add(&bytes, best->bytes);
			others++;
			continue;
		}
		table_cell(t, "%s", text_printable(best->name));
		table_cell(t, "%s", text_count(best->files, count));
		table_cell(t, "%s", text_size(best->bytes, size));
	}
	if (others > 0) {
		table_cell(t, "%zu other formats", others);
		table_cell(t, "%s", text_count(items, count));
		table_cell(t, "%s", text_size(bytes, size));
	}
	if (table_end(t) < 0)
		rc = -1;
	free(is_shown);
	return rc;
}

static int print_findings(FILE *to, const struct scan_report *r)
{
	static const char *const heads[] = { "SENSITIVE DATA", "FILES", "OCCURRENCES" };
	static const char *const sensitivities[] = { "public", "internal", "confidential",
		"restricted" };
	char files[TEXT_COUNT_MAX], count[TEXT_COUNT_MAX];
	struct table *t;

	if (r->finding_count == 0) {
		fputs("\nno sensitive data was recognised\n", to);
		return 0;
	}
	putc('\n', to);
	t = table_new(to, "lrr", heads);
	for (int level = 3; level >= 0; level--)
		for (size_t i = 0; i < r->finding_count; i++) {
			const struct scan_sum *sum = &r->findings[i];

			if (sum->sensitivity != level && !(level == 3 && sum->sensitivity > 3))
				continue;
			table_cell(t, "%s (%s)", text_printable(sum->name),
				   sensitivities[level]);
			table_cell(t, "%s", text_count(sum->files, files));
			table_cell(t, "%s", text_count(sum->count, count));
		}
	return table_end(t);
}

static void print_opaque(FILE *to, const struct scan_report *r, const struct scan_result *s)
{
	char count[TEXT_COUNT_MAX];

	if (s->opaque == 0)
		return;
	fprintf(to, "\n%s item%s could not be looked into, wholly or in part, and go%s to "
		"review:\n", text_count(s->opaque, count), s->opaque == 1 ? "" : "s",
		s->opaque == 1 ? "es" : "");
	for (size_t i = 0; i < SCAN_REPORT_NAMED && r->named[i].path; i++)
		fprintf(to, "  %s: %s\n", r->named[i].path, r->named[i].why);
	if (s->opaque > SCAN_REPORT_NAMED)
		fprintf(to, "  ... `muni inventory --opaque` lists them all\n");
}

static void print_facts(FILE *to, const struct scan_report *r, const struct scan_result *s)
{
	char a[TEXT_COUNT_MAX], b[TEXT_SIZE_MAX], when[48];

	putc('\n', to);
	fprintf(to, "%s file%s of %s", text_count(s->files, a), s->files == 1 ? "" : "s",
		text_size(s->bytes, b));
	fprintf(to, ", %s other item%s\n", text_count(s->items - s->files, a),
		s->items - s->files == 1 ? "" : "s");
	fprintf(to, "read: %s file%s", text_count(s->looked_into, a),
		s->looked_into == 1 ? "" : "s");
	fprintf(to, ", %s; unchanged since the scan before: ", text_size(s->read_bytes, b));
	fprintf(to, "%s; gone: ", text_count(s->unchanged, a));
	fprintf(to, "%s\n", text_count(s->gone, a));
	if (s->duplicates > 0)
		fprintf(to, "copies of other files: %s, which hold %s\n",
			text_count(s->duplicates, a), text_size(s->duplicate_bytes, b));
	if (r->lying > 0)
		fprintf(to, "files whose extension stands for another format: %s\n",
			text_count(r->lying, a));
	if (!r->has_oldest)
		return;
	fprintf(to, "oldest: %.10s  %s\n", print_time(r->oldest, when), r->oldest_path);
	fprintf(to, "newest: %.10s  %s\n", print_time(r->newest, when), r->newest_path);
}

int scan_report_print(FILE *to, const struct scan_report *r, const struct scan_result *s,
		      struct err *e)
{
	if (print_formats(to, r) < 0 || print_findings(to, r) < 0)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	print_facts(to, r, s);
	print_opaque(to, r, s);
	return 0;
}

/* ---- for scripts ------------------------------------------------------------------------- */

static json_t *formats_json(const struct scan_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->format_count; i++) {
		json_t *o = json_object();

		jsonl_text(o, "format", r->formats[i].name);
		jsonl_number(o, "items", r->formats[i].files);
		jsonl_number(o, "bytes", r->formats[i].bytes);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *findings_json(const struct scan_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->finding_count; i++) {
		json_t *o = json_object();

		jsonl_text(o, "type", r->findings[i].name);
		jsonl_number(o, "files", r->findings[i].files);
		jsonl_number(o, "count", r->findings[i].count);
		json_array_append_new(list, o);
	}
	return list;
}

void scan_report_json(json_t *o, const struct scan_report *r, const struct scan_result *s)
{
	jsonl_number(o, "items", s->items);
	jsonl_number(o, "files", s->files);
	jsonl_number(o, "bytes", s->bytes);
	jsonl_number(o, "looked_into", s->looked_into);
	jsonl_number(o, "read_bytes", s->read_bytes);
	jsonl_number(o, "unchanged", s->unchanged);
	jsonl_number(o, "gone", s->gone);
	jsonl_number(o, "problems", s->problems);
	jsonl_number(o, "with_findings", s->with_findings);
	jsonl_number(o, "opaque", s->opaque);
	jsonl_number(o, "duplicates", s->duplicates);
	jsonl_number(o, "duplicate_bytes", s->duplicate_bytes);
	jsonl_number(o, "extension_lies", r->lying);
	jsonl_bool(o, "resumed", s->is_resumed);
	if (r->has_oldest) {
		jsonl_time(o, "oldest", r->oldest, 0);
		jsonl_time(o, "newest", r->newest, 0);
	}
	json_object_set_new(o, "formats", formats_json(r));
	json_object_set_new(o, "findings", findings_json(r));
}
