/*
 * The sections of a certificate: what, why, clearance, media.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/paper_inside_certificate.h"

#define NAMES_SHOWN 40

/* ---- what: with the columns of a destruction register ------------------------------------- */

static const char *title_of(const struct sheet *s, const json_t *class)
{
	const json_t *title = json_object_get(class, "title");
	const char *wanted = sheet_text(title, s->is_chinese ? "zh" : "en");
	const char *other = sheet_text(title, s->is_chinese ? "en" : "zh");

	if (json_is_string(title))
		return json_string_value(title);
	return *wanted ? wanted : other;
}

static void years_of(const json_t *class, char out[32])
{
	const char *from = sheet_text(class, "from"), *to = sheet_text(class, "to");

	if (strlen(from) < 4 || strlen(to) < 4)
		snprintf(out, 32, "–");
	else if (strncmp(from, to, 4) == 0)
		snprintf(out, 32, "%.4s", from);
	else
		snprintf(out, 32, "%.4s–%.4s", from, to);
}

/* "P30Y" in words; what is not so plain as it is. */
static void period_of(const struct sheet *s, const char *period, char out[48])
{
	unsigned n;
	char unit, more;
	const char *en, *zh;

	snprintf(out, 48, "%s", period);
	if (sscanf(period, "P%u%c%c", &n, &unit, &more) != 2 || !strchr("YMD", unit))
		return;
	en = unit == 'Y' ? "year" : unit == 'M' ? "month" : "day";
	zh = unit == 'Y' ? "年" : unit == 'M' ? "个月" : "天";
	if (s->is_chinese)
		snprintf(out, 48, "%u %s", n, zh);
	else
		snprintf(out, 48, "%u %s%s", n, en, n == 1 ? "" : "s");
}

static void kept_of(const json_t *class, char out[32])
{
	const json_t *kept = json_object_get(class, "kept_years");
	json_int_t least = json_integer_value(json_object_get(kept, "least"));
	json_int_t most = json_integer_value(json_object_get(kept, "most"));

	if (!kept)
		snprintf(out, 32, "–");
	else if (least == most)
		snprintf(out, 32, "%lld", (long long)least);
	else
		snprintf(out, 32, "%lld–%lld", (long long)least, (long long)most);
}

static void class_row(struct sheet *s, const json_t *class)
{
	char items[32], bytes[32], years[32], kept[32], period[48], size[TEXT_SIZE_MAX];
	json_int_t n = json_integer_value(json_object_get(class, "bytes"));
	const char *code = sheet_text(class, "class");

	years_of(class, years);
	kept_of(class, kept);
	period_of(s, sheet_text(class, "period"), period);
	snprintf(bytes, sizeof bytes, "%s", text_size(n > 0 ? (uint64_t)n : 0, size));
	const char *cells[] = { *code ? code : "–", title_of(s, class),
				sheet_count(class, "items", items), bytes, years,
				period, kept,
				sheet_text(json_object_get(class, "due"), "last") };

	paper_row(s->paper, cells);
}

static void formats_of(const json_t *classes, char out[LINE_SIZE])
{
	json_t *class, *count, *sums = json_object();
	size_t i, used = 0;
	const char *format;

	json_array_foreach(classes, i, class) {
		json_object_foreach(json_object_get(class, "formats"), format, count)
			json_object_set_new(sums, format, json_integer(json_integer_value(count) +
				json_integer_value(json_object_get(sums, format))));
	}
	out[0] = '\0';
	json_object_foreach(sums, format, count) {
		int n = snprintf(out + used, LINE_SIZE - used, "%s%s (%lld)", used ? ", " : "",
				 format, (long long)json_integer_value(count));

		if (n < 0 || (size_t)n >= LINE_SIZE - used)
			break;
		used += (size_t)n;
	}
	json_decref(sums);
}

static void named(struct sheet *s, const json_t *names)
{
	char line[LINE_SIZE];
	size_t used = 0, i;
	json_t *name;

	line[0] = '\0';
	json_array_foreach(names, i, name) {
		int n;

		if (i >= NAMES_SHOWN)
			break;
		n = snprintf(line + used, sizeof line - used, "%s%s", i ? "\n" : "",
			     text_printable(sheet_text(name, "path")));
		if (n < 0 || (size_t)n >= sizeof line - used)
			break;
		used += (size_t)n;
	}
	if (json_array_size(names) > NAMES_SHOWN && used + 8 < sizeof line)
		strcpy(line + used, "\n…");
	sheet_pair(s, "Named", line);
}

static void annex(struct sheet *s, const json_t *what)
{
	const json_t *annex_facts = json_object_get(what, "annex");
	const char *certificate = sheet_text(sheet_part(s, "identity"), "certificate");
	char line[200], count[32];

	sheet_count(annex_facts, "lines", count);
	snprintf(line, sizeof line, s->is_chinese ? "%s.annex.json（%s 件）"
						  : "%s.annex.json (%s items)", certificate, count);
	sheet_pair(s, "Annex", line);
	sheet_pair_mono(s, "SHA-256 of the annex", sheet_text(annex_facts, "sha256"));
}

void sheet_what(struct sheet *s)
{
	const json_t *what = sheet_part(s, "what");
	const json_t *outcomes = json_object_get(what, "outcomes");
	const json_t *classes = json_object_get(what, "classes");
	const struct paper_column columns[] = {
		{ sheet_word(s, "Class"), 0.12, false }, { sheet_word(s, "Name"), 0.23, false },
		{ sheet_word(s, "Items"), 0.09, true }, { sheet_word(s, "Bytes"), 0.11, true },
		{ sheet_word(s, "Years"), 0.12, false }, { sheet_word(s, "Period"), 0.10, false },
		{ sheet_word(s, "Kept (years)"), 0.11, true },
		{ sheet_word(s, "Due"), 0.12, false },
	};
	char line[LINE_SIZE];
	json_t *class;
	size_t i;

	sheet_heading(s, "2  What was destroyed");
	paper_table(s->paper, columns, sizeof columns / sizeof *columns);
	json_array_foreach(classes, i, class)
		class_row(s, class);
	paper_table_end(s->paper);
	sheet_pair_count(s, "Items in the list", what, "items");
	sheet_pair_count(s, "Bytes", what, "bytes");
	sheet_pair_count(s, "Records destroyed", json_object_get(what, "destroyed"), "records");
	sheet_pair_count(s, "Bytes kept for other records", outcomes, "bytes_stay");
	if (json_integer_value(json_object_get(outcomes, "failed")) > 0)
		sheet_pair_count(s, "Not destroyed", outcomes, "failed");
	sheet_pair(s, "Systems", sheet_join(s, json_object_get(what, "systems"), ", ", line));
	sheet_pair(s, "Source", text_printable(sheet_text(what, "source")));
	formats_of(classes, line);
	sheet_pair(s, "Formats", line);
	sheet_pair_mono(s, "Root of the list", sheet_text(what, "root"));
	annex(s, what);
	named(s, json_object_get(what, "named"));
}

/* ---- why, clearance ------------------------------------------------------------------------ */

void sheet_why(struct sheet *s)
{
	const json_t *why = sheet_part(s, "why");
	char line[LINE_SIZE], time[48];

	sheet_heading(s, "3  Why");
	sheet_pair(s, "Mandates", sheet_join(s, json_object_get(why, "mandates"), "\n", line));
	sheet_pair_mono(s, "Policies", sheet_join(s, json_object_get(why, "policies"), "\n",
						  line));
	sheet_pair(s, "Rules", sheet_join(s, json_object_get(why, "rules"), ", ", line));
	sheet_pair(s, "Reason", text_printable(sheet_text(why, "reason")));
	sheet_pair(s, "As of", sheet_time(sheet_text(why, "asof"), time));
}

static void copies(struct sheet *s, const json_t *list)
{
	const struct paper_column columns[] = {
		{ sheet_word(s, "Of"), 0.14, false }, { sheet_word(s, "Place"), 0.50, false },
		{ sheet_word(s, "State"), 0.14, false }, { sheet_word(s, "Since"), 0.22, false },
	};
	json_t *copy;
	size_t i;

	if (json_array_size(list) == 0) {
		sheet_pair(s, "Declared copies", sheet_word(s, "none"));
		return;
	}
	paper_caption(s->paper, sheet_word(s, "Declared copies"));
	paper_table(s->paper, columns, sizeof columns / sizeof *columns);
	json_array_foreach(list, i, copy) {
		char time[48];
		const char *cells[] = { sheet_word(s, sheet_text(copy, "of")),
					text_printable(sheet_text(copy, "place")),
					sheet_word(s, sheet_text(copy, "state")),
					sheet_time(sheet_text(copy, "changed"), time) };

		paper_row(s->paper, cells);
	}
	paper_table_end(s->paper);
}

static void asked(struct sheet *s, const json_t *demands)
{
	char line[LINE_SIZE], classes[LINE_SIZE], roles[LINE_SIZE], witnesses[LINE_SIZE];
	json_t *demand;
	size_t i, used = 0;

	line[0] = '\0';
	json_array_foreach(demands, i, demand) {
		const json_t *who = json_object_get(demand, "witnesses");
		int n;

		sheet_join(s, json_object_get(demand, "classes"), ", ", classes);
		sheet_join(s, json_object_get(demand, "roles"), ", ", roles);
		sheet_join(s, who, ", ", witnesses);
		n = snprintf(line + used, sizeof line - used, "%s%.300s: %lld (%.300s)%s%.300s",
			     i ? "\n" : "", classes,
			     (long long)json_integer_value(json_object_get(demand, "quorum")),
			     roles, *witnesses ? " + " : "", witnesses);
		if (n < 0 || (size_t)n >= sizeof line - used)
			break;
		used += (size_t)n;
	}
	sheet_pair(s, "Approvals asked for", line);
}

void sheet_clearance(struct sheet *s)
{
	const json_t *clearance = sheet_part(s, "clearance");
	const json_t *holds = json_object_get(clearance, "holds");
	char line[200], time[48], count[32];

	sheet_heading(s, "4  Clearance before destruction");
	sheet_count(holds, "in_force", count);
	sheet_time(sheet_text(holds, "checked"), time);
	if (s->is_chinese)
		snprintf(line, sizeof line, "%s 核查：有效冻结 %s 项，无一涉及本清册", time, count);
	else
		snprintf(line, sizeof line, "%s in force on %s; none covers an item of the list",
			 count, time);
	sheet_pair(s, "Holds", line);
	sheet_count(clearance, "shared_content", count);
	snprintf(line, sizeof line, s->is_chinese ? "%s 件的字节另有保留记录使用"
						  : "%s items whose bytes a kept record has too",
		 count);
	sheet_pair(s, "Shared content", line);
	asked(s, json_object_get(clearance, "approvals"));
	copies(s, json_object_get(clearance, "copies"));
}

/* ---- media ----------------------------------------------------------------------------------- */

void sheet_media(struct sheet *s)
{
	const struct paper_column columns[] = {
		{ sheet_word(s, "Location"), 0.14, false }, { sheet_word(s, "Host"), 0.18, false },
		{ sheet_word(s, "File system"), 0.14, false },
		{ sheet_word(s, "Medium"), 0.13, false }, { sheet_word(s, "Device"), 0.11, false },
		{ sheet_word(s, "Model and serial number"), 0.30, false },
	};
	json_t *medium;
	size_t i;

	sheet_heading(s, "5  Media");
	paper_table(s->paper, columns, sizeof columns / sizeof *columns);
	json_array_foreach(sheet_part(s, "media"), i, medium) {
		char model[400];

		snprintf(model, sizeof model, "%s %s %s", sheet_text(medium, "vendor"),
			 sheet_text(medium, "model"), sheet_text(medium, "serial"));
		const char *cells[] = { sheet_word(s, sheet_text(medium, "location")),
					text_printable(sheet_text(medium, "host")),
					sheet_text(medium, "filesystem"),
					sheet_word(s, sheet_text(medium, "kind")),
					sheet_text(medium, "device"),
					strlen(model) > 2 ? text_printable(model) : "–" };

		paper_row(s->paper, cells);
	}
	paper_table_end(s->paper);
}
