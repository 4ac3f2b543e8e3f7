/* Scans: which source was looked at, when, and what came of it. */
#include "fs/store/catalogue_items.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/store/catalogue_inside.h"

enum {				/* on disk: never renumber, never reuse */
	SCAN_RUNNING = 0,	/* no act has signed the pages that it writes */
	SCAN_STOPPED = 1,	/* cut off: the next one goes on from there */
	SCAN_COMPLETE = 2,
};

void scan_clear(struct scan *s)
{
	free(s->source);
	*s = (struct scan){ .id = 0 };
}

static int need_inventory(struct catalogue *c, struct err *e)
{
	return catalogue_need_format(c, CATALOGUE_FORMAT_INVENTORY, "inventory", e);
}

/* ---- the one in progress -------------------------------------------------------- */

int catalogue_scan_is_running(struct catalogue *c, bool *out, struct err *e)
{
	struct query q;

	*out = false;
	if (c->format < CATALOGUE_FORMAT_INVENTORY)
		return 0;
	if (query_open(&q, c, STATEMENT_SCAN_RUNNING,
		       "SELECT id FROM scan WHERE state = 0 LIMIT 1", e) < 0)
		return -1;
	int got = query_step(&q, e);
	query_close(&q);
	*out = got > 0;
	return got < 0 ? -1 : 0;
}

int catalogue_scan_stop(struct catalogue *c, struct err *e)
{
	struct query q;

	if (need_inventory(c, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_SCAN_STOP,
			     "UPDATE scan SET state = 1 WHERE state = 0", e) < 0)
		return -1;
	return query_run(&q, e);
}

/* ---- reading ---------------------------------------------------------------------- */

#define SCAN_SELECT \
	"SELECT id, system, state, source, source_kind, stamp, fingerprint, began, ended," \
	"  items, files, bytes, looked_into, unchanged, problems, digest FROM scan"

static int scan_from_row(struct query *q, struct scan *s, struct err *e)
{
	uint64_t *const counts[] = { &s->items, &s->files, &s->bytes, &s->looked_into,
		&s->unchanged, &s->problems };
	uint8_t fingerprint[8];
	size_t size;

	*s = (struct scan){ .id = query_column_id(q, 0) };
	s->system = query_column_id(q, 1);
	s->is_complete = query_column(q, 2, SCAN_RUNNING, SCAN_COMPLETE) == SCAN_COMPLETE;
	const uint8_t *source = query_column_blob(q, 3, 1, PATH_BYTES_MAX, &size);
	if (source && !memchr(source, 0, size)) {
		s->source = strndup((const char *)source, size);
		if (!s->source)
			query_lacks_memory(q);
	} else {
		q->is_bad = true;
	}
	query_column_text(q, 4, s->source_kind, sizeof s->source_kind);
	query_column_bytes(q, 5, s->stamp.bytes, DIGEST_SIZE);
	query_column_bytes(q, 6, fingerprint, sizeof fingerprint);
	struct reader r = reader_over(fingerprint, sizeof fingerprint);
	s->fingerprint = reader_u64(&r);
	s->began = query_column(q, 7, INT64_MIN, INT64_MAX);
	s->ended = query_column(q, 8, INT64_MIN, INT64_MAX);
	for (int i = 0; i < 6; i++)
		*counts[i] = (uint64_t)query_column(q, 9 + i, 0, INT64_MAX);
	query_column_bytes(q, 15, s->digest.bytes, DIGEST_SIZE);
	if (query_check(q, "scan", s->id, e) == 0)
		return 0;
	scan_clear(s);
	return -1;
}

/* 1 found, 0 not, -1. */
static int newest(struct catalogue *c, int64_t system, struct scan *out, struct err *e)
{
	struct query q;

	*out = (struct scan){ .id = 0 };
	if (query_open(&q, c, STATEMENT_SCAN_LATEST,
		       SCAN_SELECT " WHERE system = ? ORDER BY id DESC LIMIT 1", e) < 0)
		return -1;
	query_int(&q, system);
	int got = query_step(&q, e);
	if (got > 0 && scan_from_row(&q, out, e) < 0)
		got = -1;
	query_close(&q);
	return got;
}

static int say_how_to_scan(struct err *e)
{
	return err_set(e, MUNI_NOT_FOUND, "the system was not scanned yet; "
		       "`muni scan ARCHIVE SOURCE --system NAME` makes its inventory");
}

int catalogue_scan_latest(struct catalogue *c, int64_t system, struct scan *out,
			  struct err *e)
{
	*out = (struct scan){ .id = 0 };
	if (need_inventory(c, e) < 0)
		return -1;
	int got = newest(c, system, out, e);
	if (got == 0)
		return say_how_to_scan(e);
	return got < 0 ? -1 : 0;
}

int catalogue_scanned_system(struct catalogue *c, const char *name, struct system *out,
			     struct err *e)
{
	struct query q;

	*out = (struct system){ .id = 0 };
	if (need_inventory(c, e) < 0 ||
	    query_open(&q, c, STATEMENT_SCANNED_SYSTEM, "SELECT id, name, root FROM system"
		       " WHERE name = ? AND EXISTS (SELECT 1 FROM scan"
		       "  WHERE scan.system = system.id)", e) < 0)
		return -1;
	query_text(&q, name);
	int got = query_step(&q, e);
	if (got > 0) {
		out->id = query_column_id(&q, 0);
		query_column_text(&q, 1, out->name, sizeof out->name);
		out->root = query_column_id(&q, 2);
		if (query_check(&q, "system", out->id, e) < 0)
			got = -1;
	}
	query_close(&q);
	if (got == 0)
		return err_set(e, MUNI_NOT_FOUND, "the system \"%s\" was not scanned yet; "
			       "`muni scan ARCHIVE SOURCE --system NAME` makes its inventory",
			       text_printable(name));
	return got < 0 ? -1 : 0;
}

/* ---- writing ------------------------------------------------------------------------ */

static int drop_problems(struct catalogue *c, int64_t system, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_SCAN_PROBLEMS_CLEAR, "DELETE FROM scan_problem"
			     " WHERE scan IN (SELECT id FROM scan WHERE system = ?)", e) < 0)
		return -1;
	query_int(&q, system);
	return query_run(&q, e);
}

static int resume(struct catalogue *c, const struct scan *before, struct scan *s,
		  struct err *e)
{
	struct query q;

	s->id = before->id;
	s->began = before->began;
	if (query_open_write(&q, c, STATEMENT_SCAN_RESUME,
			     "UPDATE scan SET state = 0 WHERE id = ?", e) < 0)
		return -1;
	query_int(&q, s->id);
	return query_run(&q, e);
}

static int add(struct catalogue *c, struct scan *s, struct err *e)
{
	uint8_t fingerprint[8];
	struct writer w = writer_over(fingerprint, sizeof fingerprint);
	struct query q;

	writer_u64(&w, s->fingerprint);
	if (catalogue_sequence_take(c, SEQUENCE_SCAN, 1, &s->id, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_SCAN_ADD, "INSERT INTO scan VALUES(?, ?, 0, ?,"
			     " ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, zeroblob(32))", e) < 0)
		return -1;
	query_int(&q, s->id);
	query_int(&q, s->system);
	query_blob(&q, s->source, strlen(s->source));
	query_text(&q, s->source_kind);
	query_blob(&q, s->stamp.bytes, DIGEST_SIZE);
	query_blob(&q, fingerprint, sizeof fingerprint);
	query_int(&q, s->began);
	return query_run(&q, e);
}

int catalogue_scan_begin(struct catalogue *c, const char *system, struct scan *s,
			 bool *is_resumed, struct err *e)
{
	struct scan before;
	struct system found;
	int got, rc;

	*is_resumed = false;
	if (need_inventory(c, e) < 0 || catalogue_system_intern(c, system, &found, e) < 0)
		return -1;
	s->system = found.id;
	got = newest(c, s->system, &before, e);
	if (got < 0 || drop_problems(c, s->system, e) < 0) {
		scan_clear(&before);
		return -1;
	}
	*is_resumed = got > 0 && !before.is_complete &&
		before.fingerprint == s->fingerprint &&
		strcmp(before.source, s->source) == 0 &&
		digest_equal(&before.stamp, &s->stamp);
	rc = *is_resumed ? resume(c, &before, s, e) : add(c, s, e);
	scan_clear(&before);
	return rc;
}

int catalogue_scan_end(struct catalogue *c, const struct scan *s, struct err *e)
{
	const uint64_t counts[] = { s->items, s->files, s->bytes, s->looked_into,
		s->unchanged, s->problems };
	struct query q;

	if (query_open_write(&q, c, STATEMENT_SCAN_END, "UPDATE scan SET state = 2, ended = ?,"
			     " items = ?, files = ?, bytes = ?, looked_into = ?,"
			     " unchanged = ?, problems = ?, digest = ? WHERE id = ?", e) < 0)
		return -1;
	query_int(&q, s->ended);
	for (unsigned i = 0; i < 6; i++)
		query_unsigned(&q, counts[i]);
	query_blob(&q, s->digest.bytes, DIGEST_SIZE);
	query_int(&q, s->id);
	return query_run(&q, e);
}

/* ---- problems ------------------------------------------------------------------------- */

int catalogue_scan_problem_add(struct catalogue *c, int64_t scan, const void *path,
			       size_t path_size, const char *what, struct err *e)
{
	struct query q;

	if (path_size > PATH_BYTES_MAX || strlen(what) >= 1000)
		return err_set(e, MUNI_LIMIT, "a problem's path or text is too long");
	if (query_open_write(&q, c, STATEMENT_SCAN_PROBLEM_ADD, "INSERT INTO"
			     " scan_problem(scan, path, what) VALUES(?, ?, ?)"
			     " ON CONFLICT DO NOTHING", e) < 0)
		return -1;
	query_int(&q, scan);
	query_blob(&q, path, path_size);
	query_text(&q, what);
	return query_run(&q, e);
}

int catalogue_scan_problems(struct catalogue *c, int64_t scan,
			    int (*row)(void *arg, const void *path, size_t path_size,
				       const char *what), void *arg, struct err *e)
{
	struct query q;

	if (need_inventory(c, e) < 0 ||
	    query_open(&q, c, STATEMENT_SCAN_PROBLEMS, "SELECT path, what FROM scan_problem"
		       " WHERE scan = ? ORDER BY path, what", e) < 0)
		return -1;
	return query_problems(&q, "a problem of scan", scan, row, arg, e);
}
