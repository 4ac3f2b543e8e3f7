#include "fs/store/catalogue_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fs/store/catalogue_copy_inside.h"
#include "fs/store/pagevfs.h"

/*
 * What is taken of each table.  `some` NULL: its rows name nothing that goes.  Old
 * and new have the same columns in the same order: both climbed the same steps.
 */
struct rule {
	const char *table;
	const char *some;	/* a SELECT over old.TABLE; "": somebody else copies it */
};

static const struct rule rules[] = {
	{ "meta", NULL },
	{ "sequence", NULL },
	{ "system", "SELECT id, CASE WHEN is_system_gone(id) THEN '" CATALOGUE_GONE_NAME "' || id"
	  " ELSE name END, root FROM old.system" },
	{ "version", "SELECT id, system,"
	  " CASE WHEN is_version_gone(id) THEN '" CATALOGUE_GONE_NAME "' || id ELSE label END,"
	  " previous, at, ingested, CASE WHEN is_version_gone(id) THEN 3 ELSE state END,"
	  " source_kind, merkle, directories, files, others, bytes, added_raw, added_stored,"
	  " problems, marks, statement, signature FROM old.version" },
	{ "problem", "SELECT * FROM old.problem WHERE NOT is_version_gone(version)"
	  " AND NOT is_problem_gone(version, path)" },
	{ "directory", "SELECT * FROM old.directory WHERE is_directory_kept(id)"
	  " AND NOT is_directory_gone(id, first, last)" },
	{ "entry", "SELECT * FROM old.entry WHERE is_directory_kept(dir)"
	  " AND (kind <> 2 OR NOT is_name_gone(dir, first, target))"
	  " AND NOT is_entry_gone(dir, name, first)" },
	{ "stub", "SELECT * FROM old.stub WHERE is_directory_kept(dir)"
	  " AND NOT is_directory_gone(dir, first, last)" },
	{ "node", "SELECT * FROM old.node WHERE is_node_kept(id)" },
	{ "node_class", "SELECT * FROM old.node_class WHERE is_node_kept(node)" },
	{ "content", "SELECT id, moved_extents(id, 0, extents), sha FROM old.content"
	  " WHERE is_content_kept(id)" },
	{ "content_page", "SELECT content, page, moved_extents(content, page, extents)"
	  " FROM old.content_page WHERE is_content_kept(content)" },
	{ "xattr", "SELECT * FROM old.xattr WHERE is_xattr_kept(id)" },
	{ "account", "SELECT * FROM old.account WHERE is_account_kept(id)" },
	{ "class", NULL },
	{ "segment", "SELECT * FROM old.segment WHERE is_segment_kept(id)" },
	{ "block", "SELECT * FROM old.block WHERE is_block_kept(id)" },
	{ "chunk", "SELECT name, chunk_block(block, at, size), chunk_at(block, at, size), size"
	  " FROM old.chunk WHERE chunk_block(block, at, size) IS NOT NULL" },
	{ "sketch", "SELECT * FROM old.sketch WHERE is_block_kept(block)" },
	{ "log_detail", "SELECT seq, CASE WHEN is_detail_gone(seq) THEN NULL ELSE salt END,"
	  " CASE WHEN is_detail_gone(seq) THEN NULL ELSE details END FROM old.log_detail" },
	{ "scan", "SELECT id, system, state, source, source_kind, stamp, fingerprint, began, ended,"
	  " items, files, bytes, looked_into, unchanged, problems,"
	  " CASE WHEN is_system_touched(system) THEN zeroblob(32) ELSE digest END"
	  " FROM old.scan WHERE NOT is_system_gone(system)" },
	{ "scan_problem", "SELECT p.* FROM old.scan_problem p WHERE EXISTS (SELECT 1"
	  " FROM old.scan s WHERE s.id = p.scan AND NOT is_system_gone(s.system)"
	  " AND NOT is_scan_problem_gone(s.system, p.path))" },
	{ "word", NULL },
	{ "item", "SELECT system, path, id, scan, attrs, sha, format, claimed, encoding, script,"
	  " opaque, findings,"
	  " CASE WHEN is_original_gone(system, original, id) THEN NULL ELSE first END,"
	  " CASE WHEN is_original_gone(system, original, id) THEN NULL ELSE original END, copies"
	  " FROM old.item WHERE NOT is_item_gone(system, path, id)" },
	/* By now it is known which items went. */
	{ "finding", "SELECT * FROM old.finding WHERE NOT was_item_gone(item)" },
	{ "policy", NULL },
	{ "classification", "SELECT * FROM old.classification WHERE NOT is_system_gone(system)" },
	/* The class stays: a record may be kept by it alone.  Why says of what it is a copy. */
	{ "decision", "SELECT item, decision, class, sensitivity, importance, confidence, rule,"
	  " matched, CASE WHEN was_original_gone(item)"
	  " THEN 'it was a copy of a record that was destroyed' ELSE evidence END"
	  " FROM old.decision WHERE NOT was_item_gone(item)" },
	{ "override", "SELECT * FROM old.override WHERE NOT is_path_gone(system, path)" },
	{ "class_definition", NULL },
	{ "officer", NULL },
	/* Acts that the log says in full are compared with it (fs/vault/retain.h). */
	{ "event", NULL },
	{ "hold", "SELECT id, case_ref, mandate, reason, system,"
	  " CASE WHEN is_hold_mute(id) THEN NULL ELSE path END, class,"
	  " CASE WHEN is_hold_mute(id) THEN NULL ELSE query END, upto, placed, released,"
	  " released_because FROM old.hold" },
	{ "extension", NULL },
	{ "shortening", NULL },
	{ "disposition_key", NULL },
	/* Nobody does: the next ingest makes them anew, over what is left. */
	{ "numbers", "" },
	/* catalogue_disposition_settle() writes these. */
	{ "disposition", "" },
	{ "disposition_item", "" },
	{ "approval", "" },
	{ "certificate", NULL },
	{ "copy", NULL },
};

#define RULE_COUNT (sizeof rules / sizeof rules[0])

/* ---- the other file ------------------------------------------------------------ */

int catalogue_copy_open(struct catalogue *next, struct catalogue *old, struct err *e)
{
	char uri[160];
	sqlite3_stmt *stmt = NULL;
	int rc;

	if (next->format != old->format)
		return err_set(e, MUNI_FORMAT, "the catalogue is of an older format; open the "
			       "archive for writing once");
	snprintf(uri, sizeof uri, "file:/proc/self/fd/%d/catalogue.%" PRIu64 "?mode=ro&vfs="
		 PAGEVFS_NAME "&key_id=%u", old->dirfd, old->epoch, old->key_id);
	rc = sqlite3_prepare_v2(next->db, "ATTACH ? AS old", -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(stmt, 1, uri, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	sqlite3_finalize(stmt);
	if (rc != SQLITE_DONE)
		return catalogue_sql_error(old, rc, "reading the catalogue to copy it", e);
	/* An update within the copy, too, leaves no bytes behind in its page. */
	return catalogue_exec(next, "PRAGMA main.secure_delete = ON;"
			      "PRAGMA old.cell_size_check = ON;"
			      "PRAGMA old.cache_size = -16384", e);
}

void catalogue_copy_close(struct catalogue *next)
{
	catalogue_rollback(next);
	sqlite3_exec(next->db, "DETACH old; PRAGMA main.secure_delete = OFF", NULL, NULL, NULL);
}

/* ---- rows ------------------------------------------------------------------------ */

static int run(struct catalogue *next, const char *sql, const char *table, struct err *e)
{
	int rc = sqlite3_exec(next->db, sql, NULL, NULL, NULL);
	char doing[80];

	if (rc == SQLITE_OK)
		return 0;
	snprintf(doing, sizeof doing, "copying the catalogue's table %s", table);
	return catalogue_sql_error(next, rc, doing, e);
}

/* Y2 */
static int check_tables(struct catalogue *next, struct err *e)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(next->db, "SELECT name FROM old.sqlite_schema"
				    " WHERE type = 'table'", -1, &stmt, NULL);
	size_t known = 0;

	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(stmt, 0);
		size_t i = 0;

		if (!name) {
			rc = SQLITE_NOMEM;
			break;
		}
		while (i < RULE_COUNT && strcmp(rules[i].table, name) != 0)
			i++;
		if (i == RULE_COUNT) {
			sqlite3_finalize(stmt);
			return catalogue_damaged(next, e, "it has a table that nobody knows how "
						 "to copy");
		}
		known++;
		rc = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	if (rc != SQLITE_DONE)
		return catalogue_sql_error(next, rc, "reading the catalogue to copy it", e);
	if (known != RULE_COUNT)
		return catalogue_damaged(next, e, "tables are missing");
	return 0;
}

static int copy_table(struct catalogue *next, const struct rule *r, bool is_whole,
		      struct err *e)
{
	char sql[1600];
	const char *by = r->some;
	int size;

	if (by && !*by)
		return 0;
	if (by && !is_whole)
		size = snprintf(sql, sizeof sql, "INSERT INTO main.%s %s", r->table, by);
	else
		size = snprintf(sql, sizeof sql, "INSERT INTO main.%s SELECT * FROM old.%s",
				r->table, r->table);
	if (size < 0 || (size_t)size >= sizeof sql)
		return err_set(e, MUNI_LIMIT, "copying the catalogue: a statement is too long");
	return run(next, sql, r->table, e);
}

static int put_marks(struct catalogue *next, const struct catalogue_copy *k, struct err *e)
{
	char sql[400];

	snprintf(sql, sizeof sql,
		 "UPDATE main.sequence SET next = max(next, %" PRId64 ") WHERE name = 'block';"
		 "UPDATE main.sequence SET next = max(next, %" PRId64 ") WHERE name = 'segment';"
		 "UPDATE main.meta SET value = %" PRIu64 " WHERE key = 'epoch';"
		 "DELETE FROM main.meta WHERE key = 'switch';"
		 "UPDATE main.meta SET value = 0 WHERE key = 'page_seals';"
		 "UPDATE main.meta SET value = zeroblob(32) WHERE key = 'base_digest'",
		 k->next_block, k->next_segment, next->epoch);
	return run(next, sql, "sequence", e);
}

int catalogue_copy_rows(struct catalogue *next, const struct catalogue_copy *k,
			struct err *e)
{
	struct copy_state state = { .k = k };
	int rc = -1;

	if (!next->in_transaction)
		return err_set(e, MUNI_USAGE, "a write to the catalogue outside a transaction");
	/* What every new catalogue is born with. */
	if (check_tables(next, e) < 0 || copy_functions_add(next, &state, e) < 0 ||
	    run(next, "DELETE FROM main.sequence; DELETE FROM main.class;"
		"DELETE FROM main.meta", "meta", e) < 0)
		goto out;
	for (size_t i = 0; i < RULE_COUNT; i++) {
		if (k->go_on && !k->go_on(k->arg, rules[i].table)) {
			err_set(e, MUNI_CANCELLED, "stopped as you asked");
			goto out;
		}
		if (copy_table(next, &rules[i], k->is_whole, e) < 0) {
			if (state.has_failed)
				*e = state.failure;
			goto out;
		}
	}
	rc = put_marks(next, k, e);
out:
	copy_functions_remove(next);
	bits_free(&state.items_gone);
	bits_free(&state.originals_gone);
	return rc;
}
