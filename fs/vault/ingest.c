/*
 * An ingest from its beginning to its seal, on the caller's thread: that is the
 * catalogue's thread too.  ingest_inside.h draws the others.
 */
#include "fs/vault/ingest.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/store/segment.h"
#include "fs/vault/foreign.h"
#include "fs/vault/graft.h"
#include "fs/vault/ingest_seal.h"
#include "fs/vault/ingest_tree.h"

#define WORKERS_MAX 32
#define LOOKUP_CACHE (64u * 1024 * 1024)	/* over all workers */
#define LARGE_AHEAD 8
#define PROGRESS_MS 200

/* ---- threads ------------------------------------------------------------------- */

static unsigned processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : (unsigned)n;
}

static void segment_sealed(void *arg, struct pack_segment *s)
{
	struct ingest *g = arg;

	events_push(g->events, (struct event){ EVENT_SEGMENT, .segment = s });
}

static void packer_failed(void *arg, const struct err *e)
{
	ingest_fail(arg, e);
}

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
		}
		if (milliseconds() - shown >= PROGRESS_MS) {
			show_progress(g, is_closed ? "storing" : "reading");
			shown = milliseconds();
		}
	}
	return 0;
}

/* ---- making and freeing ----------------------------------------------------------- */

static int make_parts(struct ingest *g, struct err *e)
{
	struct vault *v = g->vault;
	struct catalogue_settings settings;
	struct pack_options o = { .class_id = g->class_id,
				  .segment_size = SEGMENT_SIZE_DEFAULT,
				  .dry_run = g->options->dry_run,
				  .lookup_cache = LOOKUP_CACHE / g->workers,
				  .sealed = segment_sealed, .failed = packer_failed,
				  .arg = g };
	uint64_t chunks;

	if (catalogue_settings_get(v->catalogue, &settings, e) < 0 ||
	    catalogue_chunk_count(v->catalogue, &chunks, e) < 0 ||
	    chunker_init(&g->chunker, keyring_chunker_key(v->keyring), settings.block_size,
			 e) < 0)
		return -1;
	o.block_size = settings.block_size;
	o.level = settings.level;
	o.has_chunks = chunks > 0;
	g->pool = pool_new(PIECE_SIZE + g->chunker.max);
	if (!g->pool)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for an ingest");
	return packer_new(v, &o, &g->packer, e);
}

static int ingest_new(struct vault *v, const char *source, const struct ingest_options *o,
		      const struct vault_monitor *m, struct ingest **out, struct err *e)
{
	struct ingest *g = calloc(1, sizeof *g);

	*out = g;
	if (!g)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for an ingest");
	g->vault = v;
	g->options = o;
	g->monitor = m;
	g->source = source;
	g->source_fd = -1;
	g->workers = o->threads ? o->threads : processors();
	if (g->workers > WORKERS_MAX)
		g->workers = WORKERS_MAX;
	g->started = vault_now(v);
	pthread_mutex_init(&g->failure_lock, NULL);
	pthread_mutex_init(&g->alive_lock, NULL);
	pthread_mutex_init(&g->links.lock, NULL);
	pthread_mutex_init(&g->loose_lock, NULL);
	pthread_cond_init(&g->loose_none, NULL);
	ingest_accounts_init(&g->accounts);
	g->threads = calloc(g->workers + 3, sizeof *g->threads);
	g->tasks = queue_new(g->workers * 2 + 4);
	g->large = queue_new(LARGE_AHEAD);
	g->events = events_new();
	if (!g->threads || !g->tasks || !g->large || !g->events)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for an ingest");
	return graft_new(g, &g->graft, e);
}

static void free_links(struct map *bodies)
{
	for (size_t i = 0; i < bodies->capacity; i++)
		body_unref((struct body *)(uintptr_t)bodies->slots[i].value);
	map_free(bodies);
}

/* After all threads have ended. */
static void ingest_free(struct ingest *g)
{
	if (!g)
		return;
	if (g->tasks)
		queue_free(g->tasks, task_free);
	if (g->large)
		queue_free(g->large, large_file_free);
	events_free(g->events);
	packer_free(g->packer);
	graft_free(g->graft);
	while (g->runs)
		run_free(g, g->runs);
	while (g->dirs)
		dir_free(g, g->dirs);
	free_links(&g->links.bodies);
	ingest_tree_free(g->tree);
	foreign_close(g->foreign);
	pool_free(g->pool);
	map_free(&g->claimed);
	ingest_accounts_free(&g->accounts);
	file_close(&g->source_fd);
	free(g->threads);
	pthread_cond_destroy(&g->loose_none);
	pthread_mutex_destroy(&g->loose_lock);
	pthread_mutex_destroy(&g->links.lock);
	pthread_mutex_destroy(&g->alive_lock);
	pthread_mutex_destroy(&g->failure_lock);
	free(g);
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

static int work(struct ingest *g, const char *source_kind, struct ingest_result *out,
		struct err *e)
{
	struct version *v = &g->version;
	int rc;

	if (ingest_begin(g, source_kind, e) < 0 || make_parts(g, e) < 0)
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
	if (g->options->dry_run)
		return 0;
	return ingest_seal(g, e);
}

static bool is_stopped(void *arg)
{
	return ingest_is_stopped(arg);
}

/* Forks the reader's child: this comes before any thread is started. */
static int open_foreign(struct ingest *g, const struct stat *st, const char **kind,
			struct err *e)
{
	const struct ingest_options *o = g->options;
	struct foreign_options f = { .allow_rar = o->allow_rar, .allow_raw = o->allow_raw,
				     .name_encoding = o->name_encoding,
				     .bomb_limit = o->bomb_limit,
				     .is_cancelled = is_stopped, .arg = g };
	const char *name = strrchr(g->source, '/');

	if (S_ISREG(st->st_mode))
		atomic_store(&g->input_total, (unsigned long long)st->st_size);
	if (foreign_open(g->source_fd, name ? name + 1 : g->source, &f, &g->foreign, e) < 0) {
		/* A source that is damaged is no damage found in our archive. */
		if (e->code == MUNI_DAMAGED)
			e->code = MUNI_FORMAT;
		return err_wrap(e, "ingesting %s", text_printable(g->source));
	}
	*kind = foreign_kind(g->foreign);
	return 0;
}

static int open_source(struct ingest *g, const char **kind, struct err *e)
{
	struct stat st;

	if (strcmp(g->source, "-") == 0)
		g->source_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		g->source_fd = file_open_user(g->source, O_RDONLY | O_NOCTTY, 0, e);
	if (g->source_fd < 0)
		return e->code ? -1 : err_errno(e, "opening standard input");
	if (fstat(g->source_fd, &st) < 0)
		return err_errno(e, "looking at %s", text_printable(g->source));
	*kind = "directory";
	return S_ISDIR(st.st_mode) ? 0 : open_foreign(g, &st, kind, e);
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
	int rc = -1;

	*out = (struct ingest_result){ .version = { .id = 0 } };
	if (check_options(v, o, e) < 0)
		return -1;
	if (ingest_new(v, source, o, m, &g, e) < 0)
		goto out;
	if (open_source(g, &kind, e) < 0)
		goto out;
	if (work(g, kind, out, e) < 0) {
		abandon(g);
		wrap_failure(g, e);
		goto out;
	}
	graft_done(g->graft);
	out->version = g->version;
	rc = 0;
	if (g->version.problems > 0)
		rc = err_set(e, MUNI_INCOMPLETE, "%llu item(s) could not be taken in whole; "
			     "the version is marked incomplete and names them",
			     (unsigned long long)g->version.problems);
out:
	ingest_free(g);
	return rc;
}
