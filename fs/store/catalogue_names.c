/* What versions and nodes name: problems, classes, accounts. */
#include "fs/store/catalogue_inside.h"

#include <inttypes.h>
#include <string.h>

#include "fs/base/text.h"

/* ---- problems ------------------------------------------------------------------------- */

int query_problems(struct query *q, const char *of, int64_t id,
		   int (*row)(void *arg, const void *path, size_t path_size,
			      const char *what), void *arg, struct err *e)
{
	char what[1000];
	int got = 0, answer = 0;

	query_int(q, id);
	while (answer == 0 && (got = query_step(q, e)) > 0) {
		size_t size;
		const uint8_t *path = query_column_blob(q, 0, 0, PATH_BYTES_MAX, &size);

		query_column_text(q, 1, what, sizeof what);
		answer = query_check(q, of, id, e) < 0 ? -1 : row(arg, path, size, what);
	}
	return query_end(q, got, answer);
}

int catalogue_problems(struct catalogue *c, int64_t version,
		       int (*row)(void *arg, const void *path, size_t path_size,
				  const char *what), void *arg, struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_PROBLEMS, "SELECT path, what FROM problem"
		       " WHERE version = ? ORDER BY path, what", e) < 0)
		return -1;
	return query_problems(&q, "a problem of version", version, row, arg, e);
}

int catalogue_problem_add(struct catalogue *c, int64_t version, const void *path,
			  size_t path_size, const char *what, struct err *e)
{
	struct query q;

	if (path_size > PATH_BYTES_MAX || strlen(what) >= 1000)
		return err_set(e, MUNI_LIMIT, "a problem's path or text is too long");
	if (query_open_write(&q, c, STATEMENT_PROBLEM_ADD, "INSERT INTO"
			     " problem(version, path, what) VALUES(?, ?, ?)"
			     " ON CONFLICT DO NOTHING", e) < 0)
		return -1;
	query_int(&q, version);
	query_blob(&q, path, path_size);
	query_text(&q, what);
	return query_run(&q, e);
}

/* ---- classes and accounts --------------------------------------------------------------- */

int catalogue_classes(struct catalogue *c,
		      int (*row)(void *arg, const struct record_class *k), void *arg,
		      struct err *e)
{
	struct query q;
	struct record_class k;
	int got = 0, answer = 0;

	if (query_open(&q, c, STATEMENT_CLASSES, c->format < CATALOGUE_FORMAT_RETENTION ?
		       "SELECT id, code, access, restricted, 0 FROM class ORDER BY id" :
		       "SELECT id, code, access, restricted, base FROM class ORDER BY id", e) < 0)
		return -1;
	while (answer == 0 && (got = query_step(&q, e)) > 0) {
		k.id = query_column_id(&q, 0);
		query_column_text(&q, 1, k.code, sizeof k.code);
		query_column_text(&q, 2, k.access, sizeof k.access);
		k.is_restricted = query_column(&q, 3, 0, 1);
		k.base = query_column(&q, 4, 0, INT64_MAX - 1);
		answer = query_check(&q, "class", k.id, e) < 0 ? -1 : row(arg, &k);
	}
	return query_end(&q, got, answer);
}

/* Finds or makes a row of (id, TEXT). */
static int intern(struct catalogue *c, enum statement find, const char *find_sql,
		  enum statement add, const char *add_sql, unsigned sequence,
		  const char *text, int64_t *id, struct err *e)
{
	struct query q;

	if (query_open(&q, c, find, find_sql, e) < 0)
		return -1;
	query_text(&q, text);
	int got = query_step(&q, e);
	if (got > 0) {
		*id = query_column_id(&q, 0);
		got = query_check(&q, catalogue_sequence_names[sequence], *id, e) < 0 ? -1 : 1;
	}
	query_close(&q);
	if (got != 0)
		return got < 0 ? -1 : 0;
	if (catalogue_sequence_take(c, sequence, 1, id, e) < 0 ||
	    query_open_write(&q, c, add, add_sql, e) < 0)
		return -1;
	query_int(&q, *id);
	query_text(&q, text);
	return query_run(&q, e);
}

int catalogue_class_intern(struct catalogue *c, const char *code, int64_t *id,
			   struct err *e)
{
	if (strlen(code) >= sizeof ((struct record_class *)0)->code)
		return err_set(e, MUNI_LIMIT, "the class \"%s\" has a longer code than 64 bytes",
			       text_printable(code));
	return intern(c, STATEMENT_CLASS_FIND, "SELECT id FROM class WHERE code = ?",
		      STATEMENT_CLASS_ADD, "INSERT INTO class(id, code, access, restricted)"
		      " VALUES(?, ?, '', 0)", SEQUENCE_CLASS, code, id, e);
}

int catalogue_account_intern(struct catalogue *c, const char *name, int64_t *id,
			     struct err *e)
{
	if (strlen(name) > 255)
		return err_set(e, MUNI_LIMIT, "an account's name is longer than 255 bytes");
	return intern(c, STATEMENT_ACCOUNT_FIND, "SELECT id FROM account WHERE name = ?",
		      STATEMENT_ACCOUNT_ADD, "INSERT INTO account(id, name) VALUES(?, ?)",
		      SEQUENCE_ACCOUNT, name, id, e);
}

int catalogue_account(struct catalogue *c, int64_t id, char out[256], struct err *e)
{
	struct query q;
	int rc = -1;

	out[0] = '\0';
	if (query_open(&q, c, STATEMENT_ACCOUNT_GET,
		       "SELECT name FROM account WHERE id = ?", e) < 0)
		return -1;
	query_int(&q, id);
	int got = query_step(&q, e);
	if (got > 0) {
		query_column_text(&q, 0, out, 256);
		rc = query_check(&q, "account", id, e);
	} else if (got == 0) {
		err_set(e, MUNI_NOT_FOUND, "there is no account %" PRId64, id);
	}
	query_close(&q);
	return rc;
}
