/*
 * A scan from its beginning to its end, on the caller's thread: that is the
 * catalogue's thread too.  scan_inside.h draws the others.
 */
#include "fs/vault/scan.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/base/queue.h"
#include "fs/base/text.h"
#include "fs/vault/scan_inside.h"

#define PROGRESS_MS 200

/* ---- threads ------------------------------------------------------------------- */

static int start_thread(struct scanning *s, void *(*run)(void *), struct err *e)
{
	if (pthread_create(&s->threads[s->thread_count], NULL, run, s) != 0)
		return err_set(e, MUNI_NO_MEMORY, "starting a thread: the system has no "
			       "room for more");
	s->thread_count++;
	return 0;
}

static int start_threads(struct scanning *s, struct err *e)
{
	scan_flow_begin(s->flow);	/* the walker's own hold */
	for (unsigned i = 0; i < s->workers; i++)
		if (start_thread(s, scan_worker, e) < 0)
			return -1;
	if (s->foreign)
		return start_thread(s, scan_foreign_thread, e);
	if (start_thread(s, scan_walk_thread, e) < 0)
		return -1;
	return s->monitor && s->monitor->progress ? start_thread(s, scan_census_thread, e) : 0;
}

static void join_threads(struct scanning *s)
{
	queue_close(s->tasks);
	for (size_t i = 0; i < s->thread_count; i++)
		pthread_join(s->threads[i], NULL);
	s->thread_count = 0;
}

/* ---- the loop --------------------------------------------------------------------- */

static void show_progress(struct scanning *s, const char *stage)
{
	struct vault_progress p = {
		.stage = stage,
		.items_done = atomic_load(&s->items_done),
		.items_total = atomic_load(&s->items_total),
		.bytes_done = atomic_load(&s->bytes_done),
		.bytes_total = atomic_load(&s->bytes_total),
		.problems = atomic_load(&s->problems),
	};

	if (s->monitor && s->monitor->progress)
		s->monitor->progress(s->monitor->arg, &p);
}

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int check_cancelled(struct scanning *s, struct err *e)
{
	if (s->monitor && s->monitor->is_cancelled &&
	    s->monitor->is_cancelled(s->monitor->arg))
		return err_set(e, MUNI_CANCELLED, "stopped as you asked");
	return 0;
}

/* Until every batch was written. */
static int run(struct scanning *s, struct err *e)
{
	int64_t shown = 0;
	int rc = 0;

	while (rc == 0 && !scan_flow_is_over(s->flow)) {
		struct scan_batch *b = scan_flow_pop(s->flow, PROGRESS_MS);

		if (b) {
			rc = scan_write(s, b, e);
			scan_batch_free(b);
			scan_flow_done(s->flow);
		}
		if (rc == 0 && scan_is_stopped(s))
			rc = err_set(e, MUNI_CANCELLED, "stopped");
		if (rc == 0)
			rc = check_cancelled(s, e);
		if (milliseconds() - shown >= PROGRESS_MS) {
			show_progress(s, "scanning");
			shown = milliseconds();
		}
	}
	return rc;
}

/* ---- beginning and ending ------------------------------------------------------------ */

/* Whoever names the wrong source replaces an inventory by another's: that is said. */
static void tell_other_source(struct scanning *s, const struct scan *before)
{
	char *sentence = NULL;

	if (strcmp(before->source, s->scan.source) == 0 || !s->monitor || !s->monitor->notice)
		return;
	if (asprintf(&sentence, "the scan before of this system was of %s: what is not in %s "
		     "too goes from the inventory", text_printable(before->source),
		     text_printable(s->scan.source)) < 0)
		return;
	s->monitor->notice(s->monitor->arg, sentence);
	free(sentence);
}

/* *is_same: the source is an archive, the very file that a whole scan without
 * problems has read. */
static int look_at_scan_before(struct scanning *s, bool *is_same, struct err *e)
{
	struct err missing = ERR_NONE;
	struct system system;
	struct scan before;

	*is_same = false;
	if (catalogue_scanned_system(s->vault->catalogue, s->options->system, &system,
				     &missing) < 0 ||
	    catalogue_scan_latest(s->vault->catalogue, system.id, &before, &missing) < 0) {
		if (missing.code == MUNI_NOT_FOUND)
			return 0;
		*e = missing;
		return -1;
	}
	*is_same = s->foreign && !s->options->reread && before.is_complete &&
		before.problems == 0 && before.fingerprint == s->scan.fingerprint &&
		digest_equal(&before.stamp, &s->scan.stamp);
	tell_other_source(s, &before);
	scan_clear(&before);
	return 0;
}

static int begin(struct scanning *s, struct err *e)
{
	struct catalogue *c = s->vault->catalogue;

	if (scan_transaction(s, e) < 0 ||
	    catalogue_scan_begin(c, s->options->system, &s->scan, &s->is_resumed, e) < 0 ||
	    catalogue_items_any(c, s->scan.system, &s->has_rows, e) < 0)
		return -1;
	return scan_commit(s, e);
}

static bool was_seen(void *arg, int64_t id)
{
	return seen_has(arg, id);
}

static bool always(void *arg, int64_t id)
{
	(void)arg, (void)id;
	return true;
}

/* What the log keeps a commitment to; it goes when the system's records go. */
static char *details(const struct scanning *s, const struct item_sums *sums)
{
	char digest[DIGEST_HEX_SIZE];
	json_t *o;
	char *text;

	digest_hex(&sums->digest, digest);
	o = json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s}",
		      "scan", (json_int_t)s->scan.id, "system", s->options->system,
		      "source", text_printable(s->source),
		      "items", (json_int_t)sums->items, "files", (json_int_t)sums->files,
		      "bytes", (json_int_t)sums->bytes, "opaque", (json_int_t)sums->opaque,
		      "problems", (json_int_t)s->scan.problems, "digest", digest);
	text = o ? json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(o);
	return text;
}

static void fill_result(const struct scanning *s, const struct item_sums *sums)
{
	struct scan_result *r = s->result;

	r->items = sums->items;
	r->files = sums->files;
	r->bytes = sums->bytes;
	r->gone = sums->gone;
	r->with_findings = sums->with_findings;
	r->opaque = sums->opaque;
	r->duplicates = sums->duplicates;
	r->duplicate_bytes = sums->duplicate_bytes;
	r->problems = s->scan.problems;
	r->read_bytes = atomic_load(&s->read_bytes);
	r->is_resumed = s->is_resumed;
}

static int end(struct scanning *s, bool is_same, struct err *e)
{
	struct item_sums sums;
	char *text;
	int rc = -1;

	show_progress(s, "sorting");
	if (scan_transaction(s, e) < 0 ||
	    catalogue_items_settle(s->vault->catalogue, s->scan.system,
				   is_same ? always : was_seen, &s->seen, &sums, e) < 0)
		return -1;
	if (is_same)
		s->result->unchanged = sums.items;
	s->scan.items = sums.items;
	s->scan.files = sums.files;
	s->scan.bytes = sums.bytes;
	s->scan.digest = sums.digest;
	s->scan.looked_into = s->result->looked_into;
	s->scan.unchanged = s->result->unchanged;
	s->scan.problems = atomic_load(&s->problems);
	s->scan.ended = vault_now(s->vault);
	text = details(s, &sums);
	if (!text)
		return err_set(e, MUNI_NO_MEMORY, "no memory to log a scan");
	if (catalogue_scan_end(s->vault->catalogue, &s->scan, e) == 0) {
		s->is_open = false;	/* over in any case */
		rc = vault_commit_act(s->vault, LOG_SCAN, text, e);
	}
	free(text);
	fill_result(s, &sums);
	return rc;
}

/* What was seen stays; the scan is marked as cut off. */
static void stop(struct scanning *s, bool is_sound)
{
	struct err ignored = ERR_NONE;

	if (is_sound)
		(void)scan_commit(s, &ignored);
	/* If this fails too (a full disk), the next writer that opens does it. */
	(void)vault_abandon(s->vault, &ignored);
}

static int wrap_failure(struct scanning *s, struct err *e)
{
	size_t used;

	pthread_mutex_lock(&s->failure_lock);
	if (s->failure.code != MUNI_OK)
		*e = s->failure;	/* what others saw came of it */
	pthread_mutex_unlock(&s->failure_lock);
	err_wrap(e, "scanning %s", text_printable(s->source));
	used = strlen(e->text);
	if (e->code == MUNI_NO_SPACE || e->code == MUNI_IO || e->code == MUNI_CANCELLED)
		snprintf(e->text + used, sizeof e->text - used, "; the inventory is not whole; "
			 "%srun the same command again: it goes on from here",
			 e->code == MUNI_NO_SPACE ? "make room, then " : "");
	return -1;
}

static int work(struct scanning *s, struct err *e)
{
	bool is_same;
	int rc;

	if (look_at_scan_before(s, &is_same, e) < 0 || begin(s, e) < 0)
		return -1;
	if (is_same)
		return end(s, true, e);
	rc = start_threads(s, e);
	if (rc == 0)
		rc = run(s, e);
	if (rc < 0)
		scan_fail(s, e);
	join_threads(s);
	/* A walk that failed is over, too: between two looks both may come to be. */
	if (rc == 0 && scan_is_stopped(s))
		rc = err_set(e, MUNI_CANCELLED, "stopped");
	return rc < 0 ? -1 : end(s, false, e);
}

static int check_options(const struct vault *v, const struct scan_options *o, struct err *e)
{
	if (v->mode != VAULT_WRITE)
		return err_set(e, MUNI_USAGE, "the archive was opened for reading only");
	if (!o->system)
		return err_set(e, MUNI_USAGE, "name the system that is scanned");
	return vault_check_name(o->system, false, e);
}

int vault_scan(struct vault *v, const char *source, const struct scan_options *o,
	       const struct vault_monitor *m, struct scan_result *out, struct err *e)
{
	struct scanning *s = NULL;
	int rc = -1;

	*out = (struct scan_result){ .items = 0 };
	if (check_options(v, o, e) < 0)
		return -1;
	if (scanning_new(v, source, o, m, &s, e) < 0)
		goto out;
	s->result = out;
	if (work(s, e) < 0) {
		stop(s, e->code == MUNI_CANCELLED);
		wrap_failure(s, e);
		goto out;
	}
	rc = 0;
	if (out->problems > 0)
		rc = err_set(e, MUNI_INCOMPLETE, "%llu item(s) could not be looked into as "
			     "they are; `muni inventory --opaque` names those that are there",
			     (unsigned long long)out->problems);
out:
	scanning_free(s);
	return rc;
}
