/* What a report sums up of records: by class, standing, year and hold. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/list.h"
#include "fs/base/total.h"
#include "tools/cli.h"
#include "tools/report.h"

struct gathering {
	struct report *r;
	struct err *e;
};

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the report");
}

/* Of a count of things: "1 record has", "12 records have". */
static const char *has(uint64_t n)
{
	return n == 1 ? " has" : "s have";
}

/* In the order of their codes, as due_sums has them. */
static struct report_class *class_of(struct report *r, const char *code)
{
	size_t low = 0, high = r->class_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(code, r->classes[middle].code);

		if (order == 0)
			return &r->classes[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	if (!list_room(&r->classes, r->class_count, &r->class_room, sizeof *r->classes))
		return NULL;
	memmove(&r->classes[low + 1], &r->classes[low],
		(r->class_count - low) * sizeof *r->classes);
	r->class_count++;
	r->classes[low] = (struct report_class){ .is_described = false };
	snprintf(r->classes[low].code, sizeof r->classes[low].code, "%s", code);
	return &r->classes[low];
}

/* Of all of them a word or two: what the law is called, and its clause. */
static char *mandates_of(const struct policy_class *p)
{
	char *text = NULL;
	size_t size;
	FILE *to = text_stream(&text, &size);

	if (!to)
		return NULL;
	for (size_t i = 0; i < p->mandate_count; i++) {
		const struct mandate *m = &p->mandates[i];

		fprintf(to, "%s%s%s%s", i > 0 ? "; " : "", text_printable(m->instrument),
			m->clause ? " " : "", m->clause ? text_printable(m->clause) : "");
	}
	return text_stream_end(to, &text) == 0 ? text : NULL;
}

static int describe(struct gathering *g, struct report_class *k, const struct policy_class *p)
{
	const char *title = p->title_en ? p->title_en : p->title_zh;

	k->title = title ? strdup(title) : NULL;
	k->mandates = mandates_of(p);
	if ((title && !k->title) || !k->mandates)
		return no_memory(g->e);
	snprintf(k->trigger, sizeof k->trigger, "%s", p->trigger ? p->trigger : "");
	k->period = p->period;
	k->then = p->then;
	k->is_described = true;
	return 0;
}

static int count_year(struct gathering *g, int32_t year)
{
	struct report *r = g->r;
	size_t at = r->year_count;

	while (at > 0 && r->years[at - 1].year >= year)
		at--;
	if (at < r->year_count && r->years[at].year == year) {
		r->years[at].records++;
		return 0;
	}
	if (!list_room(&r->years, r->year_count, &r->year_room, sizeof *r->years))
		return no_memory(g->e);
	memmove(&r->years[at + 1], &r->years[at], (r->year_count - at) * sizeof *r->years);
	r->years[at] = (struct report_year){ .year = year, .records = 1 };
	r->year_count++;
	return 0;
}

static struct report_hold *hold_of(const struct report *r, int64_t id)
{
	for (size_t i = 0; i < r->hold_count; i++)
		if (r->holds[i].id == id)
			return &r->holds[i];
	return NULL;
}

const struct report_hold *report_hold_find(const struct report *r, int64_t id)
{
	return hold_of(r, id);
}

static int on_record(void *arg, const struct record_state *s)
{
	struct gathering *g = arg;
	struct report *r = g->r;
	uint64_t bytes = s->record->node->kind == NODE_FILE ? s->record->node->size : 0;
	struct report_class *k;

	if (cli_is_over())
		return 1;
	if (due_sums_add(&r->due, s, g->e) < 0)
		return -1;
	k = class_of(r, due_class(s));
	if (!k)
		return no_memory(g->e);
	if (s->ruling && !k->is_described && describe(g, k, s->ruling) < 0)
		return -1;
	r->standings[s->standing].records++;
	total_add(&r->standings[s->standing].bytes, bytes);
	r->restricted += s->is_restricted;
	for (size_t i = 0; i < s->hold_count; i++) {
		struct report_hold *h = hold_of(r, s->holds[i]);

		if (h) {
			h->records++;
			total_add(&h->bytes, bytes);
		}
	}
	if (s->has_due)
		return count_year(g, s->eligible.year);
	r->without_end += !s->lacks_trigger && s->standing != STANDING_UNCLASSIFIED;
	return 0;
}

static int on_hold(void *arg, const struct hold_row *h)
{
	struct gathering *g = arg;
	struct report *r = g->r;

	if (!list_room(&r->holds, r->hold_count, &r->hold_room, sizeof *r->holds))
		return no_memory(g->e);
	r->holds[r->hold_count++] = (struct report_hold){ .id = h->id };
	return 0;
}

static int tell_records(struct gathering *g)
{
	const struct due_sum *by = g->r->standings;
	uint64_t due = by[STANDING_DUE].records, review = by[STANDING_REVIEW].records,
		 missing = by[STANDING_MISSING].records,
		 without = by[STANDING_UNCLASSIFIED].records;
	char count[TEXT_COUNT_MAX];

	if (due > 0 && report_waits(g->r, g->e, "%s record%s come to the end of %s retention: `muni dispose propose "
			     "--due` lists %s for destruction", text_count(due, count), has(due),
			     due == 1 ? "its" : "their", due == 1 ? "it" : "them") < 0)
		return -1;
	if (review > 0 && report_waits(g->r, g->e, "%s record%s come to the end of %s retention and want%s a review or a "
				"transfer first", text_count(review, count), has(review),
				review == 1 ? "its" : "their", review == 1 ? "s" : "") < 0)
		return -1;
	if (missing > 0 && report_waits(g->r, g->e, "%s record%s no date to count from, and %s kept until one is known: "
				 "`muni due --standing missing` says what for",
				 text_count(missing, count), has(missing),
				 missing == 1 ? "is" : "are") < 0)
		return -1;
	if (without > 0 && report_waits(g->r, g->e, "%s record%s no class that a policy describes, and %s kept until one "
				 "does", text_count(without, count), has(without),
				 without == 1 ? "is" : "are") < 0)
		return -1;
	for (size_t i = 0; i < g->r->hold_count; i++)
		if (g->r->holds[i].records == 0 &&
		    report_waits(g->r, g->e, "hold H%" PRId64 " covers no record: check its scope with `muni hold "
			  "list`", g->r->holds[i].id) < 0)
			return -1;
	return 0;
}

int report_gather_records(struct report *r, struct err *e)
{
	struct gathering g = { r, e };
	struct catalogue *c = vault_catalogue(r->vault);
	struct record_filter all = { .day = r->as_day };

	if (catalogue_holds(c, false, on_hold, &g, e) < 0 ||
	    vault_due(c, &all, r->asof, on_record, &g, e) < 0)
		return -1;
	return tell_records(&g);
}
