/* Is the structure of the catalogue's pages sound? */
#include "fs/store/catalogue_inside.h"

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
