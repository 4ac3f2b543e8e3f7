/*
 * An ingest from its beginning to its seal, on the caller's thread: that is the
 * catalogue's thread too.  ingest_inside.h draws the others.
 */
#include "fs/vault/ingest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/base/text.h"
#include "fs/vault/graft.h"
#include "fs/vault/ingest_seal.h"

#define PROGRESS_MS 200

/* ---- threads ------------------------------------------------------------------- */

static int start_thread(struct ingest *g, void *(*run)(void *), struct err *e)
{
	if (pthread_create(&g->threads[g->thread_count], NULL, run, g) != 0)
		return err_set(e, MUNI_NO_MEMORY, "starting a thread: the system has no "
			       "room for more");
	g->thread_count++;
	return 0;
}

static int start_threads(struct ingest *g, struct err *e)
{
	atomic_store(&g->working, g->workers);
	for (unsigned i = 0; i < g->workers; i++)
		if (start_thread(g, ingest_worker, e) < 0)
			return -1;
	if (g->foreign)
		return start_thread(g, foreign_thread, e);
	if (start_thread(g, ingest_large_reader, e) < 0 ||
	    start_thread(g, walk_thread, e) < 0)
		return -1;
	return g->monitor && g->monitor->progress ? start_thread(g, walk_census, e) : 0;
}

static void join_threads(struct ingest *g)
{
	for (size_t i = 0; i < g->thread_count; i++)
		pthread_join(g->threads[i], NULL);
	g->thread_count = 0;
}

/* ---- the loop ---------------------------------------------------------------------- */

static void notice(struct ingest *g, const char *sentence)
{
	if (g->monitor && g->monitor->notice)
		g->monitor->notice(g->monitor->arg, sentence);
}

static void tell_problem(struct ingest *g, const struct problem *p)
{
	char *sentence = NULL;
	const char *path = p->path_size ? text_printable_n(p->path, p->path_size)
					: text_printable(g->source);

	if (asprintf(&sentence, "%s: %s", path, p->what) < 0)
		return;
	notice(g, sentence);
	free(sentence);
}

static int take_event(struct ingest *g, struct event *event, bool *is_packed, struct err *e)
{
	int rc = 0;

	switch (event->kind) {
	case EVENT_RUN:
		return graft_run(g->graft, event->run, e);
	case EVENT_LISTED:
		return graft_listed(g->graft, event->dir, e);
	case EVENT_SEGMENT:
		return graft_segment(g->graft, event->segment, e);
	case EVENT_PROBLEM:
		tell_problem(g, event->problem);
		rc = graft_problem(g->graft, event->problem, e);
		break;
	case EVENT_NOTICE:
		notice(g, event->text);
		break;
	case EVENT_PACKED:
		*is_packed = true;
		break;
	}
	event_drop(event);
	return rc;
}

static void show_progress(struct ingest *g, const char *stage)
{
	struct vault_progress p = {
		.stage = stage,
		.items_done = atomic_load(&g->items_done),
		.items_total = atomic_load(&g->items_total),
		.bytes_done = atomic_load(&g->bytes_done) + atomic_load(&g->bytes_kept),
		.bytes_total = atomic_load(&g->bytes_total),
		.problems = atomic_load(&g->problems),
	};

	if (g->foreign && atomic_load(&g->input_total) > 0) {
		/* Of an archive only its own size is known beforehand. */
		p.bytes_done = atomic_load(&g->input_done);
		p.bytes_total = atomic_load(&g->input_total);
	}

	if (g->monitor && g->monitor->progress)
		g->monitor->progress(g->monitor->arg, &p);
}

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int one_turn(struct ingest *g, bool *is_packed, struct err *e)
{
	struct event event;

	if (g->monitor && g->monitor->is_cancelled &&
	    g->monitor->is_cancelled(g->monitor->arg))
		return err_set(e, MUNI_CANCELLED, "stopped as you asked");
	if (events_pop(g->events, PROGRESS_MS, &event) &&
	    take_event(g, &event, is_packed, e) < 0)
		return -1;
	if (ingest_is_stopped(g))
		return err_set(e, MUNI_CANCELLED, "stopped");
	if (graft_begin(g->graft, e) < 0)
		return -1;
	return packer_top_up(g->packer, g->vault->catalogue, e);
}

/* Until everything is read, grafted and, where it is content, durable. */
static int run(struct ingest *g, struct err *e)
{
	bool is_packed = false, is_closed = false;
	int64_t shown = 0;

	while (!is_packed) {
		if (one_turn(g, &is_packed, e) < 0)
			return -1;
		if (!is_closed && graft_is_whole(g->graft)) {
			/* Nothing is read any more: the workers seal what is open. */
			queue_close(g->large);
			queue_close(g->tasks);
			is_closed = true;
			if (graft_settle(g->graft, e) < 0)
				return -1;
		}
		if (milliseconds() - shown >= PROGRESS_MS) {
			show_progress(g, is_closed ? "storing" : "reading");
			shown = milliseconds();
		}
	}
	return 0;
}

/* ---- ending ------------------------------------------------------------------------------ */

/* The version in progress goes; what was stored stays, and is found again. */
static void abandon(struct ingest *g)
{
	struct err ignored = ERR_NONE;

	graft_rollback(g->graft);
	if (g->options->dry_run)
		return;
	/* If this fails too (a full disk), the next writer that opens does it. */
	(void)vault_abandon(g->vault, &ignored);
}

/* It may have failed after the version was committed: on its copies, on the anchor. */
static bool version_stands(struct ingest *g)
{
	struct err ignored = ERR_NONE;
	struct version v;

	return !g->options->dry_run && g->version.id > 0 &&
	       catalogue_version_get(vault_catalogue(g->vault), g->version.id, &v,
				     &ignored) == 0;
}

/* After abandon(): what came of it, and what to do. */
static int wrap_failure(struct ingest *g, struct err *e)
{
	enum muni_code code;
	size_t used;

	pthread_mutex_lock(&g->failure_lock);
	if (g->failure.code != MUNI_OK)
		*e = g->failure;	/* what others saw came of it */
	pthread_mutex_unlock(&g->failure_lock);
	code = e->code;
	err_wrap(e, "ingesting %s", text_printable(g->source));
	used = strlen(e->text);
	if (version_stands(g))
		snprintf(e->text + used, sizeof e->text - used, "; version %s@%s stands: %sdo "
			 "not ingest it again", text_printable(g->version.system_name),
			 text_printable(g->version.label),
			 code == MUNI_NO_SPACE ? "make room, and " : "");
	else if (!g->options->dry_run &&
		 (code == MUNI_NO_SPACE || code == MUNI_IO || code == MUNI_CANCELLED))
		snprintf(e->text + used, sizeof e->text - used, "; no version was made; "
			 "%srun the same command again: what was stored is kept",
			 code == MUNI_NO_SPACE ? "make room, then " : "");
	return -1;
}

static void tell_left_out(struct ingest *g, struct ingest_result *out)
{
	uint64_t wanted;

	if (!g->selection)
		return;
	wanted = selection_count(g->selection, DECISION_ARCHIVE);
	out->is_selected = true;
	out->left_out = g->left_out;
	if (wanted > g->left_out.taken)
		out->left_out.missing = wanted - g->left_out.taken;
}

static int work(struct ingest *g, const char *source_kind, struct ingest_result *out,
		struct err *e)
{
	struct version *v = &g->version;
	int rc;

	if (ingest_begin(g, source_kind, e) < 0 || ingest_make_parts(g, e) < 0)
		return -1;
	rc = start_threads(g, e);
	if (rc == 0)
		rc = run(g, e);
	if (rc < 0)
		ingest_fail(g, e);
	join_threads(g);
	if (rc < 0)
		return -1;
	packer_totals(g->packer, &v->added_raw, &v->added_stored);
	v->problems = atomic_load(&g->problems);
	v->state = v->problems ? VERSION_INCOMPLETE : VERSION_COMPLETE;
	show_progress(g, "sealing");
	if (graft_end(g->graft, v, out, e) < 0)
		return -1;
	out->read_bytes = atomic_load(&g->bytes_done);
	tell_left_out(g, out);
	if (g->options->dry_run)
		return 0;
	return ingest_seal(g, e);
}

static int check_options(const struct vault *v, const struct ingest_options *o,
			 struct err *e)
{
	if (!o->dry_run && v->mode != VAULT_WRITE)
		return err_set(e, MUNI_USAGE, "the archive was opened for reading only");
	if (!o->system)
		return err_set(e, MUNI_USAGE, "name the system that is ingested");
	if (vault_check_name(o->system, false, e) < 0)
		return -1;
	return o->label ? vault_check_name(o->label, true, e) : 0;
}

int vault_ingest(struct vault *v, const char *source, const struct ingest_options *o,
		 const struct vault_monitor *m, struct ingest_result *out, struct err *e)
{
	struct ingest *g = NULL;
	const char *kind = NULL;
	int64_t begun = milliseconds();
	struct err ignored = ERR_NONE;
	int rc = -1;

	*out = (struct ingest_result){ .version = { .id = 0 } };
	if (check_options(v, o, e) < 0)
		return -1;
	if (ingest_new(v, source, o, m, &g, e) < 0)
		goto out;
	if (ingest_open_source(g, &kind, e) < 0)
		goto out;
	if (work(g, kind, out, e) < 0) {
		abandon(g);
		wrap_failure(g, e);
		goto out;
	}
	graft_done(g->graft);
	out->version = g->version;
	/* The version stands, whether or not its folder can be looked at. */
	out->has_sizes = !o->dry_run && vault_sizes(v, &out->sizes, &ignored) == 0;
	out->milliseconds = (uint64_t)(milliseconds() - begun);
	rc = 0;
	if (g->version.problems > 0)
		rc = err_set(e, MUNI_INCOMPLETE, "%llu item(s) could not be taken in whole; "
			     "the version is marked incomplete and names them",
			     (unsigned long long)g->version.problems);
out:
	ingest_free(g);
	return rc;
}
