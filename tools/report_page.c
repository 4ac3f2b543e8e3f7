/*
 * The page: one file, that needs no other and runs nothing.  Its policy forbids a browser to
 * load or run anything for it, whatever names the archive has in it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/total.h"
#include "fs/vault/audit.h"
#include "tools/cli.h"
#include "tools/print.h"
#include "tools/report.h"
#include "tools/xml.h"

#define LABEL_MAX 24		/* bytes of a name before its bar */
#define YEARS_MAX 60		/* columns; what comes later stands in the last one */

/* No character that HTML would want escaped: style is not text to it. */
static const char style[] =
	":root{--ink:#1b1f24;--dim:#5b6570;--line:#d5dae0;--page:#ffffff;--a:#2f6f9f;--b:#3f8f5f;"
	"--c:#b7791f;--d:#b03a3a;--e:#7a5ea8;--f:#8a939c;--g:#c9a227}"
	"@media (prefers-color-scheme:dark){:root{--ink:#e6e9ec;--dim:#9aa4ae;--line:#38414a;"
	"--page:#14181c}}"
	"body{margin:0 auto;max-width:70rem;padding:2rem 1.5rem;background:var(--page);"
	"color:var(--ink);font:15px/1.5 system-ui,sans-serif}"
	"h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem;"
	"border-bottom:1px solid var(--line)}p.sub,figcaption{color:var(--dim)}"
	"table{border-collapse:collapse;width:100%;margin:.6rem 0}"
	"th,td{text-align:left;padding:.25rem .6rem .25rem 0;vertical-align:top;"
	"border-bottom:1px solid var(--line)}th{color:var(--dim);font-weight:600}"
	"td{overflow-wrap:anywhere}th.n,td.n{text-align:right;white-space:nowrap;"
	"font-variant-numeric:tabular-nums}code{font-size:.85em;overflow-wrap:anywhere}"
	"ul.waits{border-left:4px solid var(--c);padding:.4rem 0 .4rem 2rem;margin:.6rem 0}"
	"p.calm{border-left:4px solid var(--b);padding:.4rem 1rem}"
	"figure{margin:1rem 0}svg{width:100%;height:auto}svg text{fill:var(--ink);font-size:13px}"
	"rect.a{fill:var(--a)}rect.b{fill:var(--b)}rect.c{fill:var(--c)}rect.d{fill:var(--d)}"
	"rect.e{fill:var(--e)}rect.f{fill:var(--f)}rect.g{fill:var(--g)}"
	"@media print{body{max-width:none;padding:0}h2{break-after:avoid}tr,figure{break-inside:avoid}}";

static void meta(struct xml *x, const char *key, const char *name, const char *content)
{
	xml_open(x, "meta");
	xml_attribute(x, key, "%s", name);
	if (content)
		xml_attribute(x, "content", "%s", content);
	xml_close_void(x);
}

static void count_cell(struct xml *x, uint64_t n)
{
	char text[TEXT_COUNT_MAX];

	report_cell(x, true, "%s", text_count(n, text));
}

static void size_cell(struct xml *x, uint64_t bytes)
{
	char text[TEXT_SIZE_MAX];

	report_cell(x, true, "%s", text_size(bytes, text));
}

/* ---- the head ------------------------------------------------------------------------ */

static void write_head(struct xml *x, const struct report *r)
{
	xml_open(x, "head");
	meta(x, "charset", "utf-8", NULL);
	meta(x, "http-equiv", "Content-Security-Policy",
	     "default-src 'none'; style-src 'unsafe-inline'");
	meta(x, "name", "viewport", "width=device-width, initial-scale=1");
	meta(x, "name", "robots", "noindex");
	xml_element_f(x, "title", "Report on archive %s", vault_id_hex(r->vault));
	xml_element(x, "style", style);
	xml_close(x);
}

static uint64_t records_of(const struct report *r)
{
	uint64_t sum = 0;

	for (int i = 0; i < STANDINGS; i++)
		sum += r->standings[i].records;
	return sum;
}

static void write_title(struct xml *x, const struct report *r)
{
	char made[TEXT_TIME_MAX], day[16], systems[TEXT_COUNT_MAX], records[TEXT_COUNT_MAX];
	size_t with_versions = 0;

	for (size_t i = 0; i < r->system_count; i++)
		with_versions += r->systems[i].versions > 0;
	civil_text(r->day, day);
	xml_element(x, "h1", "What is kept, for how long, what is due, what went");
	xml_open(x, "p");
	xml_attribute(x, "class", "sub");
	xml_text(x, "Archive ");
	xml_element(x, "code", vault_id_hex(r->vault));
	xml_text(x, ", as of ");
	xml_element(x, "strong", day);
	xml_text(x, "; made ");
	xml_text(x, text_time(r->now, 0, made));
	xml_text(x, ". ");
	xml_text(x, text_count(with_versions, systems));
	xml_text(x, with_versions == 1 ? " system, " : " systems, ");
	xml_text(x, text_count(records_of(r), records));
	xml_text(x, " records.");
	xml_close(x);
}

static void write_waits(struct xml *x, const struct report *r)
{
	xml_element(x, "h2", "What waits for somebody");
	if (r->wait_count == 0) {
		xml_open(x, "p");
		xml_attribute(x, "class", "calm");
		xml_text(x, "Nothing.");
		xml_close(x);
		return;
	}
	xml_open(x, "ul");
	xml_attribute(x, "class", "waits");
	for (size_t i = 0; i < r->wait_count; i++)
		xml_element(x, "li", r->waits[i]);
	xml_close(x);
}

/* ---- what came ------------------------------------------------------------------------- */

/* As much of a name as there is room for, in whole characters. */
static void cut_name(const char *name, char *out, size_t room)
{
	const char *shown = text_printable(name);
	size_t size = strlen(shown);

	if (size >= room)
		for (size = room - 1; size > 0 && ((unsigned char)shown[size] & 0xc0) == 0x80;)
			size--;
	memcpy(out, shown, size);
	out[size] = '\0';
}

static void draw_systems(struct xml *x, const struct report *r)
{
	struct report_bar *bars = calloc(r->system_count ? r->system_count : 1, sizeof *bars);
	size_t count = 0;
	char newest[TEXT_SIZE_MAX], stored[TEXT_SIZE_MAX];

	for (size_t i = 0; bars && i < r->system_count; i++) {
		const struct report_system *s = &r->systems[i];

		if (s->versions == 0)
			continue;
		cut_name(s->name, bars[count].label, LABEL_MAX + 1);
		bars[count].value = s->bytes;
		bars[count].colour = "a";
		snprintf(bars[count++].shown, sizeof bars->shown, "%s, stored in %s",
			 text_size(s->bytes, newest), text_size(s->stored, stored));
	}
	if (!bars)
		xml_text(x, NULL);
	else if (count > 1)
		report_bars(x, "Size of the newest version of each system", bars, count);
	free(bars);
}

static void write_systems(struct xml *x, const struct report *r)
{
	static const char *const heads[] = { "System", "Versions", "First taken in (UTC)",
		"Last (UTC)", "Newest", "Files in it", "Size of it", "Stored for all" };
	char time[48];

	report_table(x, "lrlllrrr", heads);
	for (size_t i = 0; i < r->system_count; i++) {
		const struct report_system *s = &r->systems[i];

		if (s->versions == 0)
			continue;
		report_row(x);
		report_cell(x, false, "%s", text_printable(s->name));
		count_cell(x, s->versions);
		report_cell(x, false, "%s", print_time(s->first, time));
		report_cell(x, false, "%s", print_time(s->last, time));
		report_cell(x, false, "%s", text_printable(s->label));
		count_cell(x, s->files);
		size_cell(x, s->bytes);
		size_cell(x, s->stored);
		report_row_end(x);
	}
	report_table_end(x);
}

static int write_came(struct xml *x, const struct report *r, struct err *e)
{
	xml_element(x, "h2", "What came");
	write_systems(x, r);
	draw_systems(x, r);
	return report_list_versions(r, x, e);
}

/* ---- what was decided -------------------------------------------------------------------- */

static void write_decided(struct xml *x, const struct report *r)
{
	static const char *const heads[] = { "System", "Migrate", "Archive", "Destroy", "Review",
					     "New or changed since" };
	static const enum decision order[] = { DECISION_MIGRATE, DECISION_ARCHIVE,
					       DECISION_DESTROY, DECISION_REVIEW };
	char count[TEXT_COUNT_MAX], size[TEXT_SIZE_MAX];
	bool is_any = false;

	for (size_t i = 0; i < r->system_count; i++)
		is_any |= r->systems[i].is_classified;
	if (!is_any)
		return;
	xml_element(x, "h2", "What was decided on inventories");
	report_table(x, "lrrrrr", heads);
	for (size_t i = 0; i < r->system_count; i++) {
		const struct report_system *s = &r->systems[i];

		if (!s->is_classified)
			continue;
		report_row(x);
		report_cell(x, false, "%s", text_printable(s->name));
		for (size_t k = 0; k < sizeof order / sizeof *order; k++)
			report_cell(x, true, "%s (%s)",
				    text_count(s->decisions[order[k]].items, count),
				    text_size(s->decisions[order[k]].bytes, size));
		count_cell(x, s->undecided);
		report_row_end(x);
	}
	report_table_end(x);
}

/* ---- how long ------------------------------------------------------------------------------ */

static const char *const colours[STANDINGS] = {
	[STANDING_KEPT] = "a", [STANDING_MISSING] = "f", [STANDING_UNCLASSIFIED] = "f",
	[STANDING_HELD] = "e", [STANDING_GRACE] = "g", [STANDING_REVIEW] = "c",
	[STANDING_DUE] = "d",
};

static void draw_standings(struct xml *x, const struct report *r)
{
	struct report_bar bars[STANDINGS];
	char count[TEXT_COUNT_MAX], size[TEXT_SIZE_MAX];

	memset(bars, 0, sizeof bars);
	for (int i = 0; i < STANDINGS; i++) {
		snprintf(bars[i].label, sizeof bars->label, "%s",
			 standing_name((enum record_standing)i));
		bars[i].value = r->standings[i].records;
		bars[i].colour = colours[i];
		snprintf(bars[i].shown, sizeof bars->shown, "%s (%s)",
			 text_count(r->standings[i].records, count),
			 text_size(r->standings[i].bytes, size));
	}
	report_shares(x, "Records by how they stand", bars, STANDINGS);
}

/* The years from the report's own on; what may have gone before it stands in that one. */
static void draw_years(struct xml *x, const struct report *r)
{
	struct report_bar bars[YEARS_MAX];
	size_t count = 0;
	char text[TEXT_COUNT_MAX];

	memset(bars, 0, sizeof bars);
	for (size_t i = 0; i < r->year_count; i++) {
		int64_t year = r->years[i].year > r->day.year ? r->years[i].year : r->day.year;
		size_t at = (size_t)(year - r->day.year);

		if (at >= YEARS_MAX)
			at = YEARS_MAX - 1;
		bars[at].value += r->years[i].records;
		if (count <= at)
			count = at + 1;
	}
	for (size_t i = 0; i < count; i++) {
		snprintf(bars[i].label, sizeof bars->label, "%" PRId32 "%s",
			 r->day.year + (int32_t)i, i == YEARS_MAX - 1 ? " on" : "");
		snprintf(bars[i].shown, sizeof bars->shown, "%s",
			 bars[i].value > 0 ? text_count(bars[i].value, text) : "");
		bars[i].colour = i == 0 ? "d" : "a";
	}
	report_columns(x, "Records by the year from which they may go, holds apart", bars, count);
}

static const struct report_class *class_of(const struct report *r, const char *code)
{
	for (size_t i = 0; i < r->class_count; i++)
		if (strcmp(r->classes[i].code, code) == 0)
			return &r->classes[i];
	return NULL;
}

/* "5 years", "1 year, 6 months", "for ever" */
static const char *period_words(const struct period *p, char out[80])
{
	const struct { uint32_t n; const char *word; } parts[] = {
		{ p->years, "year" }, { p->months, "month" }, { p->days, "day" },
	};

	snprintf(out, 80, "%s", p->is_forever ? "for ever" : "");
	for (size_t i = 0; !p->is_forever && i < sizeof parts / sizeof *parts; i++) {
		size_t used = strlen(out);

		if (parts[i].n > 0)
			snprintf(out + used, 80 - used, "%s%" PRIu32 " %s%s", used ? ", " : "",
				 parts[i].n, parts[i].word, parts[i].n == 1 ? "" : "s");
	}
	return *out ? out : "0 days";
}

/* By its standings, the most pressing first. */
static void standings_cell(struct xml *x, const struct due_class *d)
{
	char text[400] = "", count[TEXT_COUNT_MAX];

	for (int i = STANDINGS - 1; i >= 0; i--) {
		size_t used = strlen(text);

		if (d->by[i].records > 0)
			snprintf(text + used, sizeof text - used, "%s%s %s", used ? ", " : "",
				 text_count(d->by[i].records, count),
				 standing_name((enum record_standing)i));
	}
	report_cell(x, false, "%s", text);
}

static void first_cell(struct xml *x, const struct due_class *d)
{
	struct civil first = { .year = 0 };
	bool has_first = false;
	char day[16];

	for (int i = 0; i < STANDINGS; i++)
		if (d->by[i].has_first &&
		    (!has_first || civil_compare(d->by[i].first, first) < 0)) {
			has_first = true;
			first = d->by[i].first;
		}
	civil_text(first, day);
	report_cell(x, false, "%s", has_first ? day : "-");
}

static void class_row(struct xml *x, const struct report *r, const struct due_class *d)
{
	const struct report_class *k = class_of(r, d->code);
	uint64_t records = 0, bytes = 0;
	char period[80];

	for (int i = 0; i < STANDINGS; i++) {
		records += d->by[i].records;
		total_add(&bytes, d->by[i].bytes);
	}
	report_row(x);
	report_cell(x, false, "%s%s%s", text_printable(d->code), k && k->title ? ": " : "",
		    k && k->title ? text_printable(k->title) : "");
	if (k && k->is_described)
		report_cell(x, false, "%s from \"%s\", then %s", period_words(&k->period, period),
			    text_printable(k->trigger), then_name(k->then));
	else
		report_cell(x, false, "%s", "until a policy describes it");
	report_cell(x, false, "%s", k && k->mandates && *k->mandates ? k->mandates : "-");
	count_cell(x, records);
	size_cell(x, bytes);
	standings_cell(x, d);
	first_cell(x, d);
	report_row_end(x);
}

static void write_kept(struct xml *x, const struct report *r)
{
	static const char *const heads[] = { "Class", "Kept", "By", "Records", "Size",
					     "Of them", "First may go" };
	char count[TEXT_COUNT_MAX];

	xml_element(x, "h2", "What is kept, and for how long");
	if (r->due.count == 0) {
		xml_element(x, "p", "There is no record.");
		return;
	}
	draw_standings(x, r);
	report_table(x, "lllrrll", heads);
	for (size_t i = 0; i < r->due.count; i++)
		class_row(x, r, &r->due.list[i]);
	report_table_end(x);
	draw_years(x, r);
	if (r->without_end > 0)
		xml_element_f(x, "p", "%s record%s of classes that never let go.",
			      text_count(r->without_end, count),
			      r->without_end == 1 ? " is" : "s are");
	if (r->restricted > 0)
		xml_element_f(x, "p", "%s record%s restricted: kept, and shown to nobody without a "
			      "reason.", text_count(r->restricted, count),
			      r->restricted == 1 ? " is" : "s are");
}

/* ---- the rest ------------------------------------------------------------------------------ */

static int section(struct xml *x, const struct report *r, const char *title, bool is_any,
		   const char *none, int (*list)(const struct report *r, struct xml *x,
						 struct err *e), struct err *e)
{
	xml_element(x, "h2", title);
	if (is_any)
		return list(r, x, e);
	xml_element(x, "p", none);
	return 0;
}

static int write_proof(struct xml *x, const struct report *r, struct err *e)
{
	struct log_head h;
	char *statement = NULL, time[TEXT_TIME_MAX], count[TEXT_COUNT_MAX], hex[DIGEST_HEX_SIZE];
	uint8_t *cms = NULL;
	size_t size;
	int rc = audit_head(r->vault, &h, &statement, &cms, &size, e);

	free(statement);
	free(cms);
	if (rc < 0)
		return -1;
	digest_hex(&h.root, hex);
	xml_element(x, "h2", "What this page rests on");
	xml_element_f(x, "p", "The audit log has %s entries; its newest head was signed %s, with the "
		      "root", text_count(h.count, count), text_time(h.time, 0, time));
	xml_open(x, "p");
	xml_element(x, "code", hex);
	xml_close(x);
	xml_element(x, "p", "This page is told from the archive's catalogue and proves nothing by "
		    "itself. `muni audit verify` checks the log against its heads, `muni verify` every "
		    "byte of the archive, `muni cert verify` a certificate, with neither the archive "
		    "nor its key.");
	return 0;
}

static int write_body(struct xml *x, const struct report *r, struct err *e)
{
	write_title(x, r);
	write_waits(x, r);
	if (write_came(x, r, e) < 0)
		return -1;
	write_decided(x, r);
	write_kept(x, r);
	if (section(x, r, "What is held", r->hold_count > 0, "No hold stands.",
		    report_list_holds, e) < 0 ||
	    section(x, r, "What was proposed for destruction", r->dispositions > 0,
		    "Nothing was ever proposed.", report_list_dispositions, e) < 0 ||
	    section(x, r, "What went", r->certificates > 0,
		    "Nothing went: there is no certificate of destruction.",
		    report_list_certificates, e) < 0)
		return -1;
	xml_element(x, "h2", "Who may, and where copies are");
	if (report_list_officers(r, x, e) < 0 || report_list_copies(r, x, e) < 0)
		return -1;
	return write_proof(x, r, e);
}

int report_write(const struct report *r, FILE *to, struct err *e)
{
	struct xml *x = xml_new(to, XML_HTML, "report");
	struct err ended = ERR_NONE;
	int rc;

	xml_open(x, "html");
	xml_attribute(x, "lang", "en");
	write_head(x, r);
	xml_open(x, "body");
	rc = write_body(x, r, e);
	xml_close(x);
	xml_close(x);
	if (xml_end(x, &ended) < 0 && rc >= 0) {
		*e = ended;
		rc = -1;
	}
	if (rc < 0 || cli_check_signal(e) < 0)
		return -1;	/* a list that was stopped is no list */
	return json_memory_lacked() ? err_set(e, MUNI_NO_MEMORY, "no memory for the report") : 0;
}
