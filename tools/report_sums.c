/* What a report sums up: systems, decisions, dispositions, officers, what waits for somebody. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/list.h"
#include "fs/base/total.h"
#include "fs/store/catalogue_copy.h"
#include "fs/store/catalogue_decisions.h"
#include "fs/vault/disposition.h"
#include "fs/vault/roster.h"
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

int report_waits(struct report *r, struct err *e, const char *format, ...)
{
	char *text;
	va_list args;
	int size;

	va_start(args, format);
	size = vasprintf(&text, format, args);
	va_end(args);
	if (size < 0)
		return no_memory(e);
	if (!list_room(&r->waits, r->wait_count, &r->wait_room, sizeof *r->waits)) {
		free(text);
		return no_memory(e);
	}
	r->waits[r->wait_count++] = text;
	return 0;
}

/* ---- systems, versions, inventories ------------------------------------------------------- */

static int on_system(void *arg, const struct system *s)
{
	struct gathering *g = arg;
	struct report *r = g->r;
	struct report_system *to;

	if (!list_room(&r->systems, r->system_count, &r->system_room, sizeof *r->systems))
		return no_memory(g->e);
	to = &r->systems[r->system_count++];
	*to = (struct report_system){ .id = s->id };
	memcpy(to->name, s->name, sizeof to->name);
	return 0;
}

static struct report_system *find_system(struct report *r, int64_t id)
{
	for (size_t i = 0; i < r->system_count; i++)
		if (r->systems[i].id == id)
			return &r->systems[i];
	return NULL;
}

/* Oldest first: the last is the newest. */
static int on_version(void *arg, const struct version *v)
{
	struct gathering *g = arg;
	struct report_system *s = find_system(g->r, v->system);

	if (cli_is_over())
		return 1;
	if (!s)
		return 0;
	if (s->versions++ == 0)
		s->first = v->ingested;
	s->last = v->ingested;
	s->with_problems += v->problems > 0 || v->state != VERSION_COMPLETE;
	total_add(&s->stored, v->added_stored);
	memcpy(s->label, v->label, sizeof s->label);
	s->files = v->files;
	s->bytes = v->bytes;
	return 0;
}

struct deciding {
	struct gathering *g;
	struct report_system *system;
};

static int on_decided(void *arg, const struct decided_row *row)
{
	struct deciding *d = arg;
	struct decision_sum *sum = &d->system->decisions[decided_decision(row)];

	if (cli_is_over())
		return 1;
	if (!is_decided(row)) {
		d->system->undecided++;
		return 0;
	}
	sum->items++;
	total_add(&sum->bytes, row->item->size);
	return 0;
}

static int look_at_inventory(struct gathering *g, struct report_system *s)
{
	struct catalogue *c = vault_catalogue(g->r->vault);
	struct classification k;
	struct deciding d = { g, s };
	struct scan scan;

	if (catalogue_scan_latest(c, s->id, &scan, g->e) < 0) {
		if (g->e->code != MUNI_NOT_FOUND)
			return -1;
		*g->e = ERR_NONE;
		return 0;
	}
	scan_clear(&scan);
	s->is_scanned = true;
	if (catalogue_classification_get(c, s->id, &k, g->e) < 0) {
		if (g->e->code != MUNI_NOT_FOUND)
			return -1;
		*g->e = ERR_NONE;
		return report_waits(g->r, g->e, "%s was scanned, and nothing is decided on it yet: `muni classify` "
			     "does it by a policy", text_printable(s->name));
	}
	s->is_classified = true;
	return catalogue_decided(c, s->id, NULL, 0, on_decided, &d, g->e);
}

static int by_name(const void *a, const void *b)
{
	const struct report_system *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int tell_system(struct gathering *g, const struct report_system *s)
{
	uint64_t review = s->decisions[DECISION_REVIEW].items;
	char count[TEXT_COUNT_MAX];

	if (s->with_problems > 0 &&
	    report_waits(g->r, g->e, "%s version%s of %s could not be taken in whole: `muni log` names what is "
		  "missing", text_count(s->with_problems, count), s->with_problems == 1 ? "" : "s",
		  text_printable(s->name)) < 0)
		return -1;
	if (s->undecided > 0 &&
	    report_waits(g->r, g->e, "%s item%s of %s came or changed since it was classified: `muni classify` "
		  "decides on them", text_count(s->undecided, count), s->undecided == 1 ? "" : "s",
		  text_printable(s->name)) < 0)
		return -1;
	return review == 0 ? 0 :
	       report_waits(g->r, g->e, "%s item%s of %s want%s a decision by a person: `muni decide`",
		     text_count(review, count), review == 1 ? "" : "s", text_printable(s->name),
		     review == 1 ? "s" : "");
}

static int gather_systems(struct gathering *g)
{
	struct report *r = g->r;
	struct catalogue *c = vault_catalogue(r->vault);

	if (catalogue_each_system(c, on_system, g, g->e) < 0 ||
	    catalogue_versions(c, 0, on_version, g, g->e) < 0)
		return -1;
	if (r->system_count > 1)
		qsort(r->systems, r->system_count, sizeof *r->systems, by_name);
	for (size_t i = 0; i < r->system_count; i++)
		if (look_at_inventory(g, &r->systems[i]) < 0 ||
		    tell_system(g, &r->systems[i]) < 0)
			return -1;
	return 0;
}

/* ---- who, and what is under way --------------------------------------------------------------- */

struct open_ones {		/* dispositions that have not come to their end */
	struct gathering *g;
	struct { int64_t id; enum disposition_state state; } *list;	/* owned */
	size_t count, room;
};

static int on_disposition(void *arg, const struct disposition_row *d)
{
	struct open_ones *o = arg;

	o->g->r->dispositions++;
	if (d->state == DISPOSITION_CERTIFIED || d->state == DISPOSITION_WITHDRAWN)
		return 0;
	if (!list_room(&o->list, o->count, &o->room, sizeof *o->list))
		return no_memory(o->g->e);
	o->list[o->count].id = d->id;
	o->list[o->count++].state = d->state;
	return 0;
}

static int on_certificate(void *arg, int64_t id, int64_t disposition, int64_t made,
			  const struct digest *content)
{
	struct gathering *g = arg;

	(void)id;
	(void)disposition;
	(void)made;
	(void)content;
	g->r->certificates++;
	return 0;
}

/* The first thing that it lacks; "" where it can be executed. */
static int tell_proposed(struct gathering *g, int64_t id)
{
	char *missing = NULL;
	int rc;

	if (vault_disposition_missing(g->r->vault, id, &missing, g->e) < 0)
		return -1;
	missing[strcspn(missing, "\n")] = '\0';
	rc = *missing ? report_waits(g->r, g->e, "disposition D%" PRId64 " waits: %s", id, text_printable(missing))
		      : report_waits(g->r, g->e, "disposition D%" PRId64 " has its approvals: `muni dispose execute` "
			      "carries it out", id);
	free(missing);
	return rc;
}

static int gather_dispositions(struct gathering *g)
{
	struct catalogue *c = vault_catalogue(g->r->vault);
	struct open_ones o = { .g = g };
	int rc = catalogue_dispositions(c, on_disposition, &o, g->e);

	for (size_t i = 0; rc == 0 && i < o.count; i++) {
		if (o.list[i].state == DISPOSITION_PROPOSED)
			rc = tell_proposed(g, o.list[i].id);
		else
			rc = report_waits(g->r, g->e, "disposition D%" PRId64 " was cut off: `muni dispose execute` "
				   "goes on with it, to its certificate", o.list[i].id);
	}
	free(o.list);
	return rc < 0 ? rc : catalogue_certificates(c, on_certificate, g, g->e);
}

static int gather_officers(struct gathering *g)
{
	struct roster roster;
	size_t in_office = 0;
	int rc = roster_load(g->r->vault, &roster, g->e);

	for (size_t i = 0; rc == 0 && i < roster.count; i++) {
		const struct officer *o = &roster.list[i];

		in_office += o->removed == 0 && officer_counts(o, roster.now);
		if (o->removed == 0 && o->standing == OFFICER_WAITING)
			rc = report_waits(g->r, g->e, "%s is proposed as an officer, and in office when two persons in "
				   "office have signed: `muni officer approve`",
				   text_printable(o->id));
	}
	if (rc == 0 && roster.forged > 0)
		rc = report_waits(g->r, g->e, "entry %" PRIu64 " of the audit log lets an officer in without the "
			   "signature of anybody who could: `muni officer list` says more",
			   roster.forged_at);
	if (rc == 0 && in_office == 0)
		rc = report_waits(g->r, g->e, "no officer is in office: nothing can be approved for destruction until "
			   "`muni officer add` names some");
	roster_clear(&roster);
	return rc;
}

int report_gather(struct report *r, struct err *e)
{
	struct gathering g = { r, e };

	if (gather_systems(&g) < 0 || report_gather_records(r, e) < 0 || gather_dispositions(&g) < 0 ||
	    gather_officers(&g) < 0)
		return -1;
	return cli_check_signal(e);
}

void report_clear(struct report *r)
{
	for (size_t i = 0; i < r->class_count; i++) {
		free(r->classes[i].title);
		free(r->classes[i].mandates);
	}
	for (size_t i = 0; i < r->wait_count; i++)
		free(r->waits[i]);
	free(r->systems);
	due_sums_free(&r->due);
	free(r->classes);
	free(r->years);
	free(r->holds);
	free(r->waits);
}
