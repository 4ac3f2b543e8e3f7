/* Findings and progress. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/base/text.h"
#include "fs/vault/verify_inside.h"

static void tell_damage(struct verify *k, bool can_repair, const char *where,
			const char *what)
{
	struct verify_finding f = { .kind = FINDING_DAMAGE, .where = where, .what = what,
				    .can_repair = can_repair };

	if (k->out->damages == 0)
		err_set(&k->first, MUNI_DAMAGED, "%s: %s", where, what);
	k->out->damages++;
	k->progress.problems++;
	if (can_repair)
		k->out->repairable++;
	k->found(k->arg, &f);
}

void verify_damage(struct verify *k, bool can_repair, const char *where,
		   const char *format, ...)
{
	char what[sizeof k->first.text];
	struct verify_held *held = NULL;
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	if (k->hold != NULL)
		held = calloc(1, sizeof *held);
	if (held != NULL) {
		held->where = strdup(where);
		held->what = strdup(what);
	}
	if (held == NULL || held->where == NULL || held->what == NULL) {
		/* Without memory it is told too early rather than not at all. */
		if (held != NULL) {
			free(held->where);
			free(held->what);
			free(held);
		}
		tell_damage(k, can_repair, where, what);
		return;
	}
	*k->hold->end = held;
	k->hold->end = &held->next;
}

void verify_hold(struct verify *k, struct verify_hold *hold)
{
	k->hold = hold;
	if (hold != NULL && hold->end == NULL)
		hold->end = &hold->first;
}

bool verify_is_held(const struct verify_hold *hold)
{
	return hold->first != NULL;
}

static void drop_first(struct verify_hold *hold)
{
	struct verify_held *held = hold->first;

	hold->first = held->next;
	if (hold->first == NULL)
		hold->end = &hold->first;
	free(held->where);
	free(held->what);
	free(held);
}

void verify_drop(struct verify_hold *hold)
{
	while (hold->first != NULL)
		drop_first(hold);
}

void verify_release(struct verify *k, struct verify_hold *hold, bool can_repair)
{
	for (; hold->first != NULL; drop_first(hold))
		tell_damage(k, can_repair, hold->first->where, hold->first->what);
}

void verify_release_as_notes(struct verify *k, struct verify_hold *hold)
{
	for (; hold->first != NULL; drop_first(hold))
		verify_note(k, hold->first->where, "%s", hold->first->what);
}

void verify_note(struct verify *k, const char *where, const char *format, ...)
{
	struct verify_finding f = { .kind = FINDING_NOTE, .where = where };
	char what[sizeof k->first.text];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	f.what = what;
	k->found(k->arg, &f);
}

void verify_file(struct verify *k, const struct verify_finding *f)
{
	k->out->files_touched++;
	k->found(k->arg, f);
}

#define TELL_EVERY_NS (100 * 1000 * 1000)

/* A few times a second, however small the steps are. */
static void show(struct verify *k, bool is_due)
{
	struct timespec now;
	int64_t ns;

	if (k->monitor->progress == NULL)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (!is_due && ns - k->told_ns < TELL_EVERY_NS)
		return;
	k->told_ns = ns;
	k->monitor->progress(k->monitor->arg, &k->progress);
}

void verify_stage(struct verify *k, const char *stage, uint64_t items_total,
		  uint64_t bytes_total)
{
	uint64_t problems = k->progress.problems;

	k->progress = (struct vault_progress){ .stage = stage, .items_total = items_total,
					       .bytes_total = bytes_total,
					       .problems = problems };
	show(k, true);
}

void verify_advance(struct verify *k, uint64_t items, uint64_t bytes)
{
	k->progress.items_done += items;
	k->progress.bytes_done += bytes;
	show(k, false);
}

int verify_go_on(struct verify *k, struct err *e)
{
	if (k->monitor->is_cancelled != NULL && k->monitor->is_cancelled(k->monitor->arg))
		return err_set(e, MUNI_CANCELLED, "stopped");
	return 0;
}

int verify_absorb(struct verify *k, bool can_repair, const char *where, struct err *e)
{
	switch (e->code) {
	case MUNI_DAMAGED:
	case MUNI_NOT_FOUND:
	case MUNI_IO:
	case MUNI_LIMIT:
		verify_damage(k, can_repair, where, "%s", e->text);
		*e = ERR_NONE;
		return 0;
	default:
		return -1;
	}
}

const char *verify_place(enum objects_kind kind, const uint8_t uid[16], uint64_t offset,
			 char out[VERIFY_PLACE_MAX])
{
	static const char *const suffixes[OBJECTS_KIND_COUNT] = { "seg", "par", "cat" };
	char hex[33], count[TEXT_COUNT_MAX];

	text_hex(uid, 16, hex);
	snprintf(out, VERIFY_PLACE_MAX, ARCHIVE_SEGMENTS "/%.2s/%s.%s at byte %s", hex, hex,
		 suffixes[kind], text_count(offset, count));
	return out;
}
