/* What a report lists: versions, holds, dispositions, certificates, officers, copies. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/execution.h"
#include "fs/vault/office.h"
#include "fs/vault/roster.h"
#include "tools/cli.h"
#include "tools/dispose.h"
#include "tools/print.h"
#include "tools/report.h"
#include "tools/scope.h"
#include "tools/xml.h"

struct listing {
	const struct report *r;
	struct xml *x;
	struct err *e;
};

static struct catalogue *catalogue_of(const struct report *r)
{
	return vault_catalogue(r->vault);
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

static void time_cell(struct xml *x, int64_t seconds)
{
	char text[48];

	report_cell(x, false, "%s", seconds ? print_time(seconds, text) : "-");
}

/* ---- versions ------------------------------------------------------------------------- */

static int on_version(void *arg, const struct version *v)
{
	struct listing *l = arg;
	char count[TEXT_COUNT_MAX];

	if (cli_is_over())
		return 1;
	report_row(l->x);
	report_cell(l->x, false, "%s@%s", text_printable(v->system_name),
		    text_printable(v->label));
	time_cell(l->x, v->ingested);
	count_cell(l->x, v->files);
	size_cell(l->x, v->bytes);
	size_cell(l->x, v->added_stored);
	report_cell(l->x, false, "%s", text_printable(v->source_kind));
	if (v->problems > 0)
		report_cell(l->x, false, "%s, %s problem%s", print_state(v->state),
			    text_count(v->problems, count), v->problems == 1 ? "" : "s");
	else
		report_cell(l->x, false, "%s", print_state(v->state));
	report_row_end(l->x);
	return 0;
}

int report_list_versions(const struct report *r, struct xml *x, struct err *e)
{
	static const char *const heads[] = { "Version", "Taken in (UTC)", "Files", "Size",
					     "Stored for it", "Source", "State" };
	struct listing l = { r, x, e };
	int rc;

	report_table(x, "llrrrll", heads);
	rc = catalogue_versions(catalogue_of(r), 0, on_version, &l, e);
	report_table_end(x);
	return rc;
}

/* ---- holds ---------------------------------------------------------------------------- */

static int on_hold(void *arg, const struct hold_row *h)
{
	struct listing *l = arg;
	const struct report_hold *n = report_hold_find(l->r, h->id);
	char *scope = scope_words(catalogue_of(l->r), &h->scope, l->e);

	if (!scope)
		return -1;
	report_row(l->x);
	report_cell(l->x, false, "H%" PRId64, h->id);
	report_cell(l->x, false, "%s", text_printable(h->case_ref));
	time_cell(l->x, h->placed);
	count_cell(l->x, n ? n->records : 0);
	size_cell(l->x, n ? n->bytes : 0);
	report_cell(l->x, false, "%s", scope);
	report_cell(l->x, false, "%s", text_printable(h->reason));
	report_row_end(l->x);
	free(scope);
	return 0;
}

int report_list_holds(const struct report *r, struct xml *x, struct err *e)
{
	static const char *const heads[] = { "Hold", "Case", "Placed (UTC)", "Records", "Size",
					     "Covers", "Reason" };
	struct listing l = { r, x, e };
	int rc;

	report_table(x, "lllrrll", heads);
	rc = catalogue_holds(catalogue_of(r), false, on_hold, &l, e);
	report_table_end(x);
	return rc;
}

/* ---- dispositions, certificates ------------------------------------------------------- */

static int64_t integer_of(const char *statement, const char *key)
{
	json_error_t wrong;
	json_t *o = statement ? json_loads(statement, 0, &wrong) : NULL;
	int64_t n = json_integer_value(json_object_get(o, key));

	json_decref(o);
	return n;
}

static int on_disposition(void *arg, const struct disposition_row *d)
{
	struct listing *l = arg;
	int64_t items = integer_of(d->statement, "items");

	if (cli_is_over())
		return 1;
	report_row(l->x);
	report_cell(l->x, false, "D%" PRId64, d->id);
	report_cell(l->x, false, "%s", dispose_kind_words(d->kind));
	report_cell(l->x, false, "%s", dispose_state_words(d->state));
	count_cell(l->x, items > 0 ? (uint64_t)items : 0);
	report_cell(l->x, false, "%s", text_printable(d->proposer));
	time_cell(l->x, d->proposed);
	report_row_end(l->x);
	return 0;
}

int report_list_dispositions(const struct report *r, struct xml *x, struct err *e)
{
	static const char *const heads[] = { "Disposition", "Of", "State", "Items",
					     "Proposed by", "Proposed (UTC)" };
	struct listing l = { r, x, e };
	int rc;

	report_table(x, "lllrll", heads);
	rc = catalogue_dispositions(catalogue_of(r), on_disposition, &l, e);
	report_table_end(x);
	return rc;
}

/* What went, as the execution noted it. */
static int what_went(struct listing *l, int64_t disposition, uint64_t *records, uint64_t *bytes)
{
	struct disposition_row d;
	struct execution x;
	int rc;

	*records = *bytes = 0;
	if (catalogue_disposition_get(catalogue_of(l->r), disposition, &d, l->e) < 0)
		return -1;
	rc = d.result ? execution_read(d.result, &x, l->e) : 0;
	if (rc == 0 && d.result) {
		bool is_live = d.kind == DISPOSITION_LIVE;

		*records = is_live ? x.live.gone : x.epoch.doom.records;
		*bytes = is_live ? x.live.bytes : x.epoch.doom.bytes;
		execution_clear(&x);
	}
	disposition_row_clear(&d);
	return rc;
}

static int on_certificate(void *arg, int64_t id, int64_t disposition, int64_t made,
			  const struct digest *content)
{
	struct listing *l = arg;
	char hex[DIGEST_HEX_SIZE];
	uint64_t records, bytes;

	if (cli_is_over())
		return 1;
	if (what_went(l, disposition, &records, &bytes) < 0)
		return -1;
	digest_hex(content, hex);
	report_row(l->x);
	report_cell(l->x, false, "C%" PRId64, id);
	report_cell(l->x, false, "D%" PRId64, disposition);
	time_cell(l->x, made);
	count_cell(l->x, records);
	size_cell(l->x, bytes);
	xml_open(l->x, "td");
	xml_element(l->x, "code", hex);
	xml_close(l->x);
	report_row_end(l->x);
	return 0;
}

int report_list_certificates(const struct report *r, struct xml *x, struct err *e)
{
	static const char *const heads[] = { "Certificate", "Of", "Made (UTC)", "Records", "Size",
					     "SHA-256 of its text" };
	struct listing l = { r, x, e };
	int rc;

	report_table(x, "lllrrl", heads);
	rc = catalogue_certificates(catalogue_of(r), on_certificate, &l, e);
	report_table_end(x);
	return rc;
}

/* ---- who, and copies ---------------------------------------------------------------------- */

static void officer_row(struct xml *x, const struct roster *r, const struct officer *o)
{
	report_row(x);
	report_cell(x, false, "%s", text_printable(o->id));
	report_cell(x, false, "%s", text_printable(o->roles_text));
	report_cell(x, false, "%s", text_printable(o->person));
	time_cell(x, o->added);
	report_cell(x, false, "%s", office_word(o->standing));
	report_cell(x, false, "%s", officer_counts(o, r->now) ? "yes" : "not yet");
	report_row_end(x);
}

int report_list_officers(const struct report *r, struct xml *x, struct err *e)
{
	static const char *const heads[] = { "Officer", "Roles", "Person", "Added (UTC)",
					     "Admitted", "In office" };
	struct roster roster;
	int rc = roster_load(r->vault, &roster, e);

	report_table(x, "llllll", heads);
	for (size_t i = 0; rc == 0 && i < roster.count; i++)
		if (roster.list[i].removed == 0)
			officer_row(x, &roster, &roster.list[i]);
	report_table_end(x);
	roster_clear(&roster);
	return rc;
}

static int on_copy(void *arg, const struct copy_row *k)
{
	struct listing *l = arg;

	report_row(l->x);
	report_cell(l->x, true, "%" PRId64, k->id);
	report_cell(l->x, false, "%s", text_printable(k->of));
	report_cell(l->x, false, "%s", text_printable(k->state));
	time_cell(l->x, k->changed);
	report_cell(l->x, false, "%s", text_printable(k->place));
	report_row_end(l->x);
	return 0;
}

int report_list_copies(const struct report *r, struct xml *x, struct err *e)
{
	static const char *const heads[] = { "Copy", "Of", "State", "Since (UTC)", "Place" };
	struct listing l = { r, x, e };
	int rc;

	report_table(x, "rllll", heads);
	rc = catalogue_copies(catalogue_of(r), on_copy, &l, e);
	report_table_end(x);
	return rc;
}
