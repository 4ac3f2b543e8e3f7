#include "fs/store/catalogue_inside.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fs/store/pagevfs.h"

#define INDEX_TRIES 500
#define INDEX_WAIT_MS 4

/* ---- errors --------------------------------------------------------------- */

int catalogue_damaged(struct catalogue *c, struct err *e, const char *format, ...)
{
	char what[400];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	if (c->lacks_memory) {
		c->lacks_memory = false;
		return err_set(e, MUNI_NO_MEMORY, "no memory to read catalogue.%" PRIu64
			       ": %s", c->epoch, what);
	}
	return err_set(e, MUNI_DAMAGED, "catalogue.%" PRIu64 " is damaged: %s; run "
		       "`muni repair` to rebuild it from its copies", c->epoch, what);
}

static bool is_full(int errnum)
{
	return errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;
}

/* Of a file that holds no data, and is made anew by whoever comes first. */
static bool is_of_shared_memory(int rc)
{
	return rc == SQLITE_IOERR_SHMOPEN || rc == SQLITE_IOERR_SHMSIZE ||
	       rc == SQLITE_IOERR_SHMLOCK || rc == SQLITE_IOERR_SHMMAP;
}

/* ": " and the reason, or nothing. */
struct reason {
	const char *colon, *text;
};

static int no_space(struct catalogue *c, const char *doing, struct err *e)
{
	err_set(e, MUNI_NO_SPACE, "%s: no space left for catalogue.%" PRIu64 "; make room and "
		"run the command again", doing, c->epoch);
	e->sys = ENOSPC;
	return -1;
}

/* The shim reports a page that fails authentication as SQLITE_IOERR_DATA, and
 * says why; an error with an errno is the disk's own. */
static int io_error(struct catalogue *c, int rc, const char *doing, struct reason why,
		    struct err *e)
{
	int now = errno;
	int sys = sqlite3_system_errno(c->db);

	/* A failed COMMIT does not note the errno; it is still there. */
	if (sys == 0 && is_full(now))
		sys = now;
	if (rc == SQLITE_IOERR_NOMEM)
		return err_set(e, MUNI_NO_MEMORY, "%s: no memory", doing);
	if (rc == PAGEVFS_UNLISTED)
		return err_set(e, MUNI_UNSUPPORTED, "%s%s%s", doing, why.colon, why.text);
	if (rc == SQLITE_IOERR_DATA || rc == SQLITE_IOERR_CORRUPTFS ||
	    rc == SQLITE_IOERR_SHORT_READ || (rc == SQLITE_IOERR_READ && sys == 0))
		return catalogue_damaged(c, e, "%s%s%s", doing, *why.text ? why.colon : ": ",
					 *why.text ? why.text : sqlite3_errstr(rc));
	if (is_full(sys))
		return no_space(c, doing, e);
	if (is_of_shared_memory(rc)) {
		err_set(e, MUNI_UNSUPPORTED, "%s: catalogue.%" PRIu64 "-shm, by which those who "
			"have it open know of each other, could not be made (SQLite %d)%s%s; this "
			"says nothing of what is in the archive: try again", doing, c->epoch, rc,
			sys ? ": " : "", sys ? strerror(sys) : "");
		e->sys = sys;
		return -1;
	}
	err_set(e, MUNI_IO, "%s: catalogue.%" PRIu64 ": %s (SQLite %d)%s%s%s%s", doing, c->epoch,
		sqlite3_errstr(rc), rc, why.colon, why.text, sys ? ": " : "",
		sys ? strerror(sys) : "");
	e->sys = sys;
	return -1;
}

int catalogue_sql_error(struct catalogue *c, int rc, const char *doing, struct err *e)
{
	struct reason why = { .text = pagevfs_reason() };

	why.colon = *why.text ? ": " : "";
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, MUNI_BUSY, "%s: another process keeps catalogue.%" PRIu64
			       " busy; try again when it has finished", doing, c->epoch);
	case SQLITE_FULL:
		return *why.text ? err_set(e, MUNI_LIMIT, "%s: %s", doing, why.text) :
			no_space(c, doing, e);
	case SQLITE_NOMEM:
		return err_set(e, MUNI_NO_MEMORY, "%s: no memory", doing);
	case SQLITE_TOOBIG:
		return err_set(e, MUNI_LIMIT, "%s: a value is too large for the catalogue",
			       doing);
	case SQLITE_AUTH:
		return err_set(e, MUNI_CANNOT_UNLOCK, "%s: catalogue.%" PRIu64 " cannot be "
			       "unlocked%s%s", doing, c->epoch, why.colon, why.text);
	case SQLITE_CONSTRAINT:
		return err_set(e, MUNI_EXISTS, "%s: there is such a row already (%s)", doing,
			       sqlite3_errmsg(c->db));
	case SQLITE_IOERR:
		return io_error(c, rc, doing, why, e);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		if (err_is_want(sqlite3_system_errno(c->db)))
			return err_want(e, sqlite3_system_errno(c->db), "%s: catalogue.%" PRIu64,
					doing, c->epoch);
		err_set(e, MUNI_IO, "%s: catalogue.%" PRIu64 ": %s (SQLite %d)%s%s; check that "
			"the archive's folder and files can be read and written", doing,
			c->epoch, sqlite3_errstr(rc), rc, why.colon, why.text);
		e->sys = sqlite3_system_errno(c->db);
		return -1;
	default:	/* CORRUPT, NOTADB, ERROR (a table is missing), MISMATCH ... */
		return catalogue_damaged(c, e, "%s: %s", doing,
					 *why.text ? why.text : sqlite3_errmsg(c->db));
	}
}

/* ---- running --------------------------------------------------------------- */

int query_open(struct query *q, struct catalogue *c, enum statement which,
	       const char *sql, struct err *e)
{
	*q = (struct query){ .c = c, .which = which, .rc = SQLITE_OK };
	bool is_free = !c->statements[which].in_use;

	if (is_free && c->statements[which].prepared) {
		q->stmt = c->statements[which].prepared;
	} else {
		int rc = sqlite3_prepare_v3(c->db, sql, -1,
					    is_free ? SQLITE_PREPARE_PERSISTENT : 0,
					    &q->stmt, NULL);
		if (rc != SQLITE_OK)
			return catalogue_sql_error(c, rc, "reading the catalogue", e);
		if (is_free)
			c->statements[which].prepared = q->stmt;
	}
	q->is_cached = is_free;
	if (is_free)
		c->statements[which].in_use = true;
	return 0;
}

int query_open_write(struct query *q, struct catalogue *c, enum statement which,
		     const char *sql, struct err *e)
{
	*q = (struct query){ .c = c };
	if (!c->in_transaction)
		return err_set(e, MUNI_USAGE, "a write to the catalogue outside a transaction");
	/* SQLite ends a transaction by itself on a full disk or an I/O error:
	 * what came after would be committed alone. */
	if (sqlite3_get_autocommit(c->db))
		return err_set(e, MUNI_IO, "the catalogue's transaction was lost to an earlier "
			       "error; nothing of it was kept");
	return query_open(q, c, which, sql, e);
}

static void bound(struct query *q, int rc)
{
	if (rc != SQLITE_OK && q->rc == SQLITE_OK)
		q->rc = rc;
}

void query_int(struct query *q, int64_t v)
{
	bound(q, sqlite3_bind_int64(q->stmt, ++q->bound, v));
}

void query_unsigned(struct query *q, uint64_t v)
{
	if (v > INT64_MAX) {
		q->bound++;
		bound(q, SQLITE_TOOBIG);
		return;
	}
	query_int(q, (int64_t)v);
}

void query_blob(struct query *q, const void *data, size_t size)
{
	/* A null pointer would bind NULL, not an empty blob. */
	bound(q, sqlite3_bind_blob64(q->stmt, ++q->bound, data ? data : "", size,
				     SQLITE_STATIC));
}

void query_text(struct query *q, const char *text)
{
	bound(q, sqlite3_bind_text64(q->stmt, ++q->bound, text, strlen(text), SQLITE_STATIC,
				     SQLITE_UTF8));
}

void query_null(struct query *q)
{
	bound(q, sqlite3_bind_null(q->stmt, ++q->bound));
}

void query_id_or_null(struct query *q, int64_t id)
{
	if (id == 0)
		query_null(q);
	else
		query_int(q, id);
}

/*
 * Who may only read the index of the WAL (a mount in its sandbox, in an epoch that began
 * after it started) finds nothing to hold on to between a writer's first commit and his
 * next look: a moment.  Such a statement has given no row yet.
 */
static int step_patiently(sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	for (unsigned i = 0; i < INDEX_TRIES && (rc == SQLITE_READONLY_CANTINIT ||
						 rc == SQLITE_READONLY_RECOVERY); i++) {
		sqlite3_reset(stmt);
		sqlite3_sleep(INDEX_WAIT_MS);
		rc = sqlite3_step(stmt);
	}
	return rc;
}

int query_step(struct query *q, struct err *e)
{
	int rc = q->rc;

	if (rc == SQLITE_OK)
		rc = step_patiently(q->stmt);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	return catalogue_sql_error(q->c, rc, q->c->mode == CATALOGUE_WRITE &&
				   (q->c->in_transaction || !sqlite3_stmt_readonly(q->stmt))
				   ? "writing the catalogue" : "reading the catalogue", e);
}

int query_run(struct query *q, struct err *e)
{
	int rc = query_step(q, e);

	assert(rc <= 0);
	query_close(q);
	return rc;
}

void query_reset(struct query *q)
{
	sqlite3_reset(q->stmt);
	q->bound = 0;
	q->is_bad = false;
}

void query_close(struct query *q)
{
	if (!q->stmt)
		return;
	if (q->is_cached) {
		sqlite3_reset(q->stmt);
		q->c->statements[q->which].in_use = false;
	} else {
		sqlite3_finalize(q->stmt);
	}
	q->stmt = NULL;
}

int query_end(struct query *q, int got, int answer)
{
	query_close(q);
	return answer < 0 || (answer == 0 && got < 0) ? -1 : 0;
}

/* ---- columns ---------------------------------------------------------------- */

int64_t query_column(struct query *q, int column, int64_t min, int64_t max)
{
	if (sqlite3_column_type(q->stmt, column) == SQLITE_INTEGER) {
		int64_t v = sqlite3_column_int64(q->stmt, column);

		if (v >= min && v <= max)
			return v;
	}
	q->is_bad = true;
	return 0;
}

int64_t query_column_id(struct query *q, int column)
{
	return query_column(q, column, 1, INT64_MAX - 1);
}

int64_t query_column_last(struct query *q, int column)
{
	if (sqlite3_column_type(q->stmt, column) == SQLITE_NULL)
		return CATALOGUE_OPEN_ENDED;
	return query_column_id(q, column);
}

void query_lacks_memory(struct query *q)
{
	q->is_bad = true;
	q->c->lacks_memory = true;
}

/* SQLite makes a copy of a text to put a zero behind it, of a blob to unfold zeros. */
static const unsigned char *text_of(struct query *q, int column)
{
	const unsigned char *text = sqlite3_column_text(q->stmt, column);

	if (!text)
		query_lacks_memory(q);
	return text;
}

const uint8_t *query_column_blob(struct query *q, int column, size_t min, size_t max,
				 size_t *size)
{
	*size = 0;
	if (sqlite3_column_type(q->stmt, column) == SQLITE_BLOB) {
		const void *data = sqlite3_column_blob(q->stmt, column);
		size_t bytes = (size_t)sqlite3_column_bytes(q->stmt, column);

		if (bytes >= min && bytes <= max && (data || bytes == 0)) {
			*size = bytes;
			return data ? data : (const uint8_t *)"";
		}
		if (!data && bytes > 0)
			query_lacks_memory(q);
	}
	q->is_bad = true;
	return NULL;
}

void query_column_bytes(struct query *q, int column, void *out, size_t size)
{
	size_t got;
	const uint8_t *data = query_column_blob(q, column, size, size, &got);

	if (data)
		memcpy(out, data, size);
	else
		memset(out, 0, size);
}

void query_column_text(struct query *q, int column, char *out, size_t out_size)
{
	out[0] = '\0';
	if (sqlite3_column_type(q->stmt, column) != SQLITE_TEXT) {
		q->is_bad = true;
		return;
	}
	const unsigned char *text = text_of(q, column);
	size_t size = (size_t)sqlite3_column_bytes(q->stmt, column);

	if (!text || size >= out_size || memchr(text, 0, size)) {
		q->is_bad = true;
		return;
	}
	memcpy(out, text, size);
	out[size] = '\0';
}

bool query_column_is_null(struct query *q, int column)
{
	return sqlite3_column_type(q->stmt, column) == SQLITE_NULL;
}

char *query_column_copy(struct query *q, int column, size_t max)
{
	char *copy = NULL;

	if (sqlite3_column_type(q->stmt, column) == SQLITE_TEXT) {
		const unsigned char *text = text_of(q, column);
		size_t size = (size_t)sqlite3_column_bytes(q->stmt, column);

		if (text && size <= max && !memchr(text, 0, size)) {
			copy = strdup((const char *)text);
			if (!copy)
				query_lacks_memory(q);
		}
	}
	if (!copy)
		q->is_bad = true;
	return copy;
}

int query_check(struct query *q, const char *what, int64_t id, struct err *e)
{
	if (!q->is_bad)
		return 0;
	return catalogue_damaged(q->c, e, "%s %" PRId64 " does not read", what, id);
}

/* ---- one-off statements ------------------------------------------------------ */

int catalogue_exec(struct catalogue *c, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : catalogue_sql_error(c, rc, "opening the catalogue", e);
}

int catalogue_exec_int(struct catalogue *c, const char *sql, int64_t *out, struct err *e)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(c->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	if (rc == SQLITE_ROW)
		return 0;
	return catalogue_sql_error(c, rc == SQLITE_DONE ? SQLITE_CORRUPT : rc,
				   "opening the catalogue", e);
}
