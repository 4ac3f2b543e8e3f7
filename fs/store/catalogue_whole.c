/* The catalogue as a whole: is its structure sound, and all of it into another. */
#include "fs/store/catalogue_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int catalogue_check_structure(struct catalogue *c, struct err *e)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(c->db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
	int result = -1;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		catalogue_sql_error(c, rc == SQLITE_DONE ? SQLITE_CORRUPT : rc,
				    "checking the catalogue", e);
	} else {
		const char *said = (const char *)sqlite3_column_text(stmt, 0);

		if (said && strcmp(said, "ok") == 0)
			result = 0;
		else
			catalogue_damaged(c, e, "its structure is not sound (%s)",
					  said ? said : "no answer");
	}
	sqlite3_finalize(stmt);
	return result;
}

static int attach(struct catalogue *c, const struct catalogue *next, struct err *e)
{
	char sql[200];

	snprintf(sql, sizeof sql, "ATTACH 'file:/proc/self/fd/%d/catalogue.%" PRIu64
		 "?vfs=muniment&key_id=%u' AS next; PRAGMA next.synchronous = FULL",
		 next->dirfd, next->epoch, next->key_id);
	return catalogue_exec(c, sql, e);
}

/* The rows that a new catalogue has of its own give way. */
static int copy_table(struct catalogue *c, const char *table, struct err *e)
{
	char sql[400];

	snprintf(sql, sizeof sql, "DELETE FROM next.\"%s\"; INSERT INTO next.\"%s\""
		 " SELECT * FROM main.\"%s\"", table, table, table);
	return catalogue_exec(c, sql, e);
}

static int copy_tables(struct catalogue *c, struct err *e)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(c->db, "SELECT name FROM next.sqlite_schema"
				    " WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", -1,
				    &stmt, NULL);

	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW &&
		    copy_table(c, (const char *)sqlite3_column_text(stmt, 0), e) < 0) {
			sqlite3_finalize(stmt);
			return -1;
		}
	}
	sqlite3_finalize(stmt);
	if (rc != SQLITE_DONE)
		return catalogue_sql_error(c, rc, "copying the catalogue", e);
	return 0;
}

int catalogue_copy_all(struct catalogue *c, struct catalogue *next, struct err *e)
{
	int rc = -1;

	if (attach(c, next, e) < 0)
		return -1;
	if (catalogue_exec(c, "BEGIN IMMEDIATE", e) == 0) {
		rc = copy_tables(c, e);
		if (rc == 0)
			rc = catalogue_exec(c, "COMMIT", e);
		if (rc < 0)
			sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
	}
	sqlite3_exec(c->db, "DETACH next", NULL, NULL, NULL);
	return rc < 0 ? err_wrap(e, "copying the catalogue into its next epoch") : 0;
}
