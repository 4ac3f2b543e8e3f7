/*
 * Undoing a crashed ingest.  Exactness: versions of one system follow one
 * another, and an open one follows `previous`, the latest sealed one.  So rows
 * that begin with the open version are its own, and rows that end with
 * `previous` were ended by it: nobody else has written in that system since.
 */
#include "fs/store/catalogue_inside.h"

#include <inttypes.h>

const unsigned catalogue_marked[MARKS_COUNT] = {
	SEQUENCE_NODE, SEQUENCE_CONTENT, SEQUENCE_XATTRS
};

struct crashed {
	int64_t id, previous;
	int64_t marks[MARKS_COUNT];
};

/* 1 found, 0 none, -1. */
static int next_crashed(struct catalogue *c, struct crashed *out, struct err *e)
{
	struct query q;
	size_t size;

	if (query_open(&q, c, STATEMENT_OPEN_VERSIONS, "SELECT id, previous, marks"
		       " FROM version WHERE state = 0 ORDER BY id DESC LIMIT 1", e) < 0)
		return -1;
	int got = query_step(&q, e);
	if (got > 0) {
		out->id = query_column_id(&q, 0);
		out->previous = query_column(&q, 1, 0, INT64_MAX - 1);
		const uint8_t *marks = query_column_blob(&q, 2, MARKS_SIZE, MARKS_SIZE, &size);
		struct reader r = reader_over(marks, size);

		for (unsigned i = 0; i < MARKS_COUNT; i++) {
			uint64_t mark = reader_u64(&r);

			if (mark < 1 || mark > INT64_MAX)
				q.is_bad = true;
			out->marks[i] = (int64_t)mark;
		}
		if (query_check(&q, "version", out->id, e) < 0)
			got = -1;
	}
	query_close(&q);
	return got;
}

static int undo(struct catalogue *c, const struct crashed *v, struct err *e)
{
	const struct {
		const char *sql;
		int64_t id;
	} acts[] = {
		{ "DELETE FROM entry WHERE first = ?", v->id },
		{ "UPDATE entry SET last = NULL WHERE last = ?", v->previous },
		{ "DELETE FROM directory WHERE first = ?", v->id },
		{ "UPDATE directory SET last = NULL WHERE last = ?", v->previous },
		{ "DELETE FROM node WHERE id >= ?", v->marks[0] },
		{ "DELETE FROM content WHERE id >= ?", v->marks[1] },
		{ "DELETE FROM content_page WHERE content >= ?", v->marks[1] },
		{ "DELETE FROM xattr WHERE id >= ?", v->marks[2] },
		{ "DELETE FROM problem WHERE version = ?", v->id },
		{ "DELETE FROM version WHERE id = ?", v->id },
		{ "UPDATE stub SET last = NULL WHERE last = ?", v->previous },
		{ "DELETE FROM numbers WHERE version = ?", v->id },
	};
	size_t count = sizeof acts / sizeof acts[0];

	if (c->format < CATALOGUE_FORMAT_NUMBERS)
		count--;
	if (c->format < CATALOGUE_FORMAT_RETENTION)
		count--;	/* nothing was ever destroyed there */

	for (size_t i = 0; i < count; i++) {
		sqlite3_stmt *stmt = NULL;
		int rc = sqlite3_prepare_v2(c->db, acts[i].sql, -1, &stmt, NULL);

		if (rc == SQLITE_OK)
			rc = sqlite3_bind_int64(stmt, 1, acts[i].id);
		if (rc == SQLITE_OK)
			rc = sqlite3_step(stmt);
		sqlite3_finalize(stmt);
		if (rc != SQLITE_DONE)
			return catalogue_sql_error(c, rc, "clearing an interrupted ingest", e);
	}
	return 0;
}

int catalogue_recover(struct catalogue *c, unsigned *count, struct err *e)
{
	struct crashed v;
	int got;

	*count = 0;
	if (catalogue_begin(c, e) < 0)
		return -1;
	while ((got = next_crashed(c, &v, e)) > 0) {
		if (undo(c, &v, e) < 0)
			goto fail;
		++*count;
	}
	if (got < 0)
		goto fail;
	return catalogue_commit(c, e);
fail:
	catalogue_rollback(c);
	*count = 0;
	return -1;
}
