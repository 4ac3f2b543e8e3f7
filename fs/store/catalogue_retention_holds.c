/*
 * Holds and extensions: scopes with a reason.  docs/format.md, "Tables".
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/store/catalogue_inside.h"
#include "fs/store/catalogue_retention.h"

#define SENTENCE_MAX 4096	/* bytes of a case, a mandate, a reason, a glob */
#define QUERY_MAX (64u << 10)

/* ---- scopes ------------------------------------------------------------------------- */

static int check_text(const char *what, const char *text, size_t max, struct err *e)
{
	if (text && (strlen(text) > max || !text_is_utf8(text, strlen(text))))
		return err_set(e, MUNI_LIMIT, "%s is longer than %zu bytes, or no UTF-8", what,
			       max);
	return 0;
}

static int check_scope(const struct scope_row *s, struct err *e)
{
	if (s->path && strlen(s->path) > SENTENCE_MAX)
		return err_set(e, MUNI_LIMIT, "a glob is longer than %d bytes", SENTENCE_MAX);
	return check_text("a class", s->class_code, WORD_MAX, e) < 0 ||
	       check_text("a query", s->query, QUERY_MAX, e) < 0 ? -1 : 0;
}

static void text_or_null(struct query *q, const char *text)
{
	if (text)
		query_text(q, text);
	else
		query_null(q);
}

/* system, path, class, query, upto */
static void bind_scope(struct query *q, const struct scope_row *s)
{
	query_int(q, s->system);
	if (s->path)		/* bytes, whatever the locale */
		query_blob(q, s->path, strlen(s->path));
	else
		query_null(q);
	text_or_null(q, s->class_code);
	text_or_null(q, s->query);
	query_id_or_null(q, s->upto);
}

struct scope_texts {		/* owned */
	char *path, *class_code, *query;
};

static char *copy_or_null(struct query *q, int column, size_t max)
{
	return query_column_is_null(q, column) ? NULL : query_column_copy(q, column, max);
}

static char *copy_bytes(struct query *q, int column)
{
	size_t size;

	if (query_column_is_null(q, column))
		return NULL;
	const uint8_t *data = query_column_blob(q, column, 0, SENTENCE_MAX, &size);
	if (!data || memchr(data, 0, size)) {
		q->is_bad = true;
		return NULL;
	}
	char *copy = malloc(size + 1);
	if (!copy) {
		query_lacks_memory(q);
		return NULL;
	}
	memcpy(copy, data, size);
	copy[size] = '\0';
	return copy;
}

static void scope_from_columns(struct query *q, int at, struct scope_texts *t,
			       struct scope_row *s)
{
	t->path = copy_bytes(q, at + 1);
	t->class_code = copy_or_null(q, at + 2, WORD_MAX);
	t->query = copy_or_null(q, at + 3, QUERY_MAX);
	*s = (struct scope_row){ .system = query_column(q, at, 0, INT64_MAX - 1),
				 .path = t->path, .class_code = t->class_code,
				 .query = t->query };
	if (!query_column_is_null(q, at + 4))
		s->upto = query_column_id(q, at + 4);
}

static void scope_texts_free(struct scope_texts *t)
{
	free(t->path);
	free(t->class_code);
	free(t->query);
}

/* ---- holds -------------------------------------------------------------------------- */

int catalogue_hold_add(struct catalogue *c, struct hold_row *h, struct err *e)
{
	struct query q;

	if (check_scope(&h->scope, e) < 0 ||
	    check_text("a case", h->case_ref, SENTENCE_MAX, e) < 0 ||
	    check_text("a mandate", h->mandate, SENTENCE_MAX, e) < 0 ||
	    check_text("a reason", h->reason, SENTENCE_MAX, e) < 0 ||
	    catalogue_sequence_take(c, SEQUENCE_HOLD, 1, &h->id, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_HOLD_ADD, "INSERT INTO hold(id, case_ref, mandate,"
			     " reason, system, path, class, query, upto, placed)"
			     " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, h->id);
	query_text(&q, h->case_ref);
	text_or_null(&q, h->mandate);
	query_text(&q, h->reason);
	bind_scope(&q, &h->scope);
	query_int(&q, h->placed);
	return query_run(&q, e);
}

/* 1 released, 0 stands, -1. */
static int hold_state(struct catalogue *c, int64_t id, struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_HOLD_STATE,
		       "SELECT released IS NOT NULL FROM hold WHERE id = ?", e) < 0)
		return -1;
	query_int(&q, id);
	int got = query_step(&q, e);
	if (got > 0) {
		got = (int)query_column(&q, 0, 0, 1);
		if (query_check(&q, "hold", id, e) < 0)
			got = -1;
	} else if (got == 0) {
		got = err_set(e, MUNI_NOT_FOUND, "there is no hold H%" PRId64 "; `muni hold list` "
			      "shows them", id);
	}
	query_close(&q);
	return got;
}

int catalogue_hold_release(struct catalogue *c, int64_t id, int64_t now, const char *reason,
			   struct err *e)
{
	struct query q;
	int is_released;

	if (check_text("a reason", reason, SENTENCE_MAX, e) < 0)
		return -1;
	is_released = hold_state(c, id, e);
	if (is_released < 0)
		return -1;
	if (is_released)
		return err_set(e, MUNI_EXISTS, "the hold H%" PRId64 " was released already", id);
	if (query_open_write(&q, c, STATEMENT_HOLD_RELEASE, "UPDATE hold SET released = ?,"
			     " released_because = ? WHERE id = ?", e) < 0)
		return -1;
	query_int(&q, now);
	query_text(&q, reason);
	query_int(&q, id);
	return query_run(&q, e);
}

static int tell_hold(struct query *q, int (*row)(void *arg, const struct hold_row *h),
		     void *arg, struct err *e)
{
	struct scope_texts t = { .path = NULL };
	char *case_ref = query_column_copy(q, 1, SENTENCE_MAX);
	char *mandate = copy_or_null(q, 2, SENTENCE_MAX);
	char *reason = query_column_copy(q, 3, SENTENCE_MAX);
	char *because = copy_or_null(q, 11, SENTENCE_MAX);
	struct hold_row h = { .id = query_column_id(q, 0), .case_ref = case_ref,
			      .mandate = mandate, .reason = reason,
			      .placed = query_column(q, 9, INT64_MIN, INT64_MAX),
			      .released_because = because };

	scope_from_columns(q, 4, &t, &h.scope);
	if (!query_column_is_null(q, 10))
		h.released = query_column(q, 10, INT64_MIN, INT64_MAX);
	int answer = query_check(q, "hold", h.id, e) < 0 ? -1 : row(arg, &h);
	scope_texts_free(&t);
	free(case_ref);
	free(mandate);
	free(reason);
	free(because);
	return answer;
}

int catalogue_holds(struct catalogue *c, bool with_released,
		    int (*row)(void *arg, const struct hold_row *h), void *arg, struct err *e)
{
	struct query q;
	int got;

	if (c->format < CATALOGUE_FORMAT_RETENTION)
		return 0;
	if (query_open(&q, c, STATEMENT_HOLDS, "SELECT id, case_ref, mandate, reason, system,"
		       " path, class, query, upto, placed, released, released_because FROM hold"
		       " WHERE ?1 OR released IS NULL ORDER BY id", e) < 0)
		return -1;
	query_int(&q, with_released);
	while ((got = query_step(&q, e)) > 0) {
		got = tell_hold(&q, row, arg, e);
		if (got != 0)
			break;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

/* ---- extensions --------------------------------------------------------------------- */

int catalogue_extension_add(struct catalogue *c, struct extension_row *x, struct err *e)
{
	struct query q;

	if (check_scope(&x->scope, e) < 0 ||
	    check_text("a reason", x->reason, SENTENCE_MAX, e) < 0 ||
	    catalogue_sequence_take(c, SEQUENCE_EXTENSION, 1, &x->id, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_EXTENSION_ADD, "INSERT INTO extension(id, system,"
			     " path, class, query, upto, until, reason, made)"
			     " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, x->id);
	bind_scope(&q, &x->scope);
	query_int(&q, x->until);
	query_text(&q, x->reason);
	query_int(&q, x->made);
	return query_run(&q, e);
}

int catalogue_extensions(struct catalogue *c,
			 int (*row)(void *arg, const struct extension_row *x), void *arg,
			 struct err *e)
{
	struct query q;
	int got;

	if (c->format < CATALOGUE_FORMAT_RETENTION)
		return 0;
	if (query_open(&q, c, STATEMENT_EXTENSIONS, "SELECT id, system, path, class, query, upto,"
		       " until, reason, made FROM extension ORDER BY id", e) < 0)
		return -1;
	while ((got = query_step(&q, e)) > 0) {
		struct scope_texts t = { .path = NULL };
		char *reason = query_column_copy(&q, 7, SENTENCE_MAX);
		struct extension_row x = { .id = query_column_id(&q, 0),
					   .until = query_column(&q, 6, INT32_MIN, INT32_MAX),
					   .reason = reason,
					   .made = query_column(&q, 8, INT64_MIN, INT64_MAX) };

		scope_from_columns(&q, 1, &t, &x.scope);
		got = query_check(&q, "extension", x.id, e) < 0 ? -1 : row(arg, &x);
		scope_texts_free(&t);
		free(reason);
		if (got != 0)
			break;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}
