/*
 * What retention counts from: versions, systems, events, read once.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/list.h"
#include "fs/vault/retain_inside.h"

#define SECONDS_A_DAY 86400

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the dates of records");
}

struct opening {
	struct retain_moments *m;
	size_t version_room, system_room, event_room;
	struct err *e;
};

static int on_version(void *arg, const struct version *v)
{
	struct opening *o = arg;
	struct retain_moments *m = o->m;

	if (!list_room(&m->versions, m->version_count, &o->version_room,
			 sizeof *m->versions))
		return no_memory(o->e);
	m->versions[m->version_count++] = (struct retain_version){
		.id = v->id, .system = v->system, .ingested = v->ingested };
	return 0;
}

static int on_system(void *arg, const struct system *s)
{
	struct opening *o = arg;
	struct retain_moments *m = o->m;

	if (!list_room(&m->systems, m->system_count, &o->system_room, sizeof *m->systems))
		return no_memory(o->e);
	m->systems[m->system_count++] = (struct retain_system){ .row = *s };
	return 0;
}

/* By system, name and time: of several the latest counts. */
static int on_event(void *arg, const struct event_row *r)
{
	struct opening *o = arg;
	struct retain_moments *m = o->m;
	struct retain_event *last = m->event_count > 0 ? &m->events[m->event_count - 1] : NULL;

	if (last && last->system == r->system && strcmp(last->name, r->name) == 0) {
		last->at = r->at;
		last->is_day = r->is_day;
		return 0;
	}
	if (!list_room(&m->events, m->event_count, &o->event_room, sizeof *m->events))
		return no_memory(o->e);
	char *name = strdup(r->name);
	if (!name)
		return no_memory(o->e);
	m->events[m->event_count++] = (struct retain_event){ r->system, name, r->at, r->is_day };
	return 0;
}

static int compare_versions(const void *a, const void *b)
{
	int64_t x = ((const struct retain_version *)a)->id;
	int64_t y = ((const struct retain_version *)b)->id;

	return (x > y) - (x < y);
}

static int compare_systems(const void *a, const void *b)
{
	int64_t x = ((const struct retain_system *)a)->row.id;
	int64_t y = ((const struct retain_system *)b)->row.id;

	return (x > y) - (x < y);
}

int retain_moments_open(struct retain_moments *m, struct catalogue *c, struct err *e)
{
	struct opening o = { .m = m, .e = e };

	*m = (struct retain_moments){ .versions = NULL };
	if (catalogue_versions(c, 0, on_version, &o, e) < 0 ||
	    catalogue_systems(c, on_system, &o, e) < 0 ||
	    catalogue_events(c, 0, on_event, &o, e) < 0)
		return -1;
	if (m->version_count > 0)
		qsort(m->versions, m->version_count, sizeof *m->versions, compare_versions);
	if (m->system_count > 0)
		qsort(m->systems, m->system_count, sizeof *m->systems, compare_systems);
	for (size_t i = 0; i < m->version_count; i++) {
		struct retain_version *v = &m->versions[i];
		struct retain_system *s = (struct retain_system *)retain_system_of(m, v->system);

		if (s) {
			s->newest = v->id;
			s->ingested = v->ingested;
			v->number = ++s->versions;
		}
	}
	return 0;
}

void retain_moments_close(struct retain_moments *m)
{
	for (size_t i = 0; i < m->event_count; i++)
		free(m->events[i].name);
	free(m->events);
	free(m->versions);
	free(m->systems);
	*m = (struct retain_moments){ .versions = NULL };
}

const struct retain_system *retain_system_of(const struct retain_moments *m, int64_t id)
{
	const struct retain_system key = { .row.id = id };

	return m->system_count == 0 ? NULL :
		bsearch(&key, m->systems, m->system_count, sizeof key, compare_systems);
}

const struct retain_version *retain_version_of(const struct retain_moments *m, int64_t id)
{
	const struct retain_version key = { .id = id };

	return m->version_count == 0 ? NULL :
		bsearch(&key, m->versions, m->version_count, sizeof key, compare_versions);
}

static int compare_events(const void *a, const void *b)
{
	const struct retain_event *x = a, *y = b;

	if (x->system != y->system)
		return x->system < y->system ? -1 : 1;
	return strcmp(x->name, y->name);
}

static bool event_at(const struct retain_moment *m, const char *name, int64_t *seconds)
{
	const struct retain_event key = { .system = m->system, .name = (char *)name };
	const struct retain_event *found = m->all->event_count == 0 ? NULL :
		bsearch(&key, m->all->events, m->all->event_count, sizeof key, compare_events);

	if (!found)
		return false;
	*seconds = found->at;
	/* A day is that day wherever the policy counts. */
	if (found->is_day) {
		int64_t day = found->at / SECONDS_A_DAY - (found->at % SECONDS_A_DAY < 0);

		*seconds = zone_start_of_day(m->zone, civil_of_day(day));
	}
	return true;
}

bool retain_moment(void *arg, const char *word, int64_t *seconds)
{
	const struct retain_moment *m = arg;

	if (strcmp(word, "modified") == 0)
		*seconds = m->modified;
	else if (strcmp(word, "created") == 0 && m->has_created)
		*seconds = m->created;
	else if (strcmp(word, "ingested") == 0)
		*seconds = m->ingested;
	else if (strcmp(word, "retired") == 0)
		return event_at(m, RETIRED_EVENT, seconds) || (*seconds = m->retired, true);
	else
		return strncmp(word, "event:", 6) == 0 && event_at(m, word + 6, seconds);
	return true;
}
