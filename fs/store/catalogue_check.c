/*
 * Is a catalogue sound: the structure of its pages, and what its rows say of each other.
 * Asked before another one is destroyed for it.
 */
#include <inttypes.h>
#include <string.h>

#include "fs/base/bits.h"
#include "fs/store/catalogue_copy.h"
#include "fs/store/catalogue_inside.h"

static int check_pages(struct catalogue *c, struct err *e)
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

		if (!said)
			catalogue_sql_error(c, SQLITE_NOMEM, "checking the catalogue", e);
		else if (strcmp(said, "ok") == 0)
			result = 0;
		else
			catalogue_damaged(c, e, "its structure is not sound (%s)", said);
	}
	sqlite3_finalize(stmt);
	return result;
}

/* Each gives a row only where something is named that is not there. */
static int check_rows(struct catalogue *c, struct err *e)
{
	static const struct {
		const char *what, *sql;
	} checks[] = {
		{ "a name without its node", "SELECT EXISTS(SELECT 1 FROM entry WHERE kind <> 2"
		  " AND NOT EXISTS(SELECT 1 FROM node WHERE id = target))" },
		{ "a directory without its row", "SELECT EXISTS(SELECT 1 FROM entry WHERE"
		  " kind = 2 AND NOT EXISTS(SELECT 1 FROM directory WHERE id = target))" },
		{ "a directory without its node", "SELECT EXISTS(SELECT 1 FROM directory WHERE"
		  " NOT EXISTS(SELECT 1 FROM node WHERE id = directory.node))" },
		{ "a node without its content", "SELECT EXISTS(SELECT 1 FROM node WHERE"
		  " content <> 0 AND NOT EXISTS(SELECT 1 FROM content WHERE id = node.content))" },
		{ "a block without its segment", "SELECT EXISTS(SELECT 1 FROM block WHERE"
		  " NOT EXISTS(SELECT 1 FROM segment WHERE id = block.segment))" },
		{ "a block without its base, or with one that is younger or of another class",
		  "SELECT EXISTS(SELECT 1 FROM block AS b WHERE"
		  " (base1 IS NOT NULL AND NOT EXISTS(SELECT 1 FROM block WHERE id = b.base1"
		  " AND id < b.id AND class = b.class)) OR"
		  " (base2 IS NOT NULL AND NOT EXISTS(SELECT 1 FROM block WHERE id = b.base2"
		  " AND id < b.id AND class = b.class)))" },
	};

	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		int64_t is_bad;

		if (catalogue_exec_int(c, checks[i].sql, &is_bad, e) < 0)
			return -1;
		if (is_bad)
			return catalogue_damaged(c, e, "it has %s", checks[i].what);
	}
	return 0;
}

struct blocks {
	struct catalogue *catalogue;
	struct bits known;
	struct err *e;
};

static int know_block(void *arg, const struct block *b)
{
	struct blocks *k = arg;

	return bits_add(&k->known, b->id) ? 0 :
		err_set(k->e, MUNI_NO_MEMORY, "no memory to check the catalogue");
}

static int check_page_of_extents(void *arg, int64_t content, const uint8_t *sha,
				 const struct extent_page *page)
{
	struct blocks *k = arg;

	(void)sha;
	for (unsigned i = 0; i < page->count; i++)
		if (!bits_has(&k->known, page->extents[i].block))
			return catalogue_damaged(k->catalogue, k->e, "content %" PRId64 " needs "
						 "block %" PRId64 ", which is not there", content,
						 page->extents[i].block);
	return 0;
}

static int check_extents(struct catalogue *c, struct err *e)
{
	struct blocks k = { .catalogue = c, .e = e };
	int rc = -1;

	if (catalogue_each_block(c, 0, INT64_MAX, know_block, &k, e) == 0 &&
	    catalogue_each_extents(c, check_page_of_extents, &k, e) == 0)
		rc = 0;
	bits_free(&k.known);
	return rc;
}

int catalogue_check_sound(struct catalogue *c, struct err *e)
{
	if (check_pages(c, e) < 0 || check_rows(c, e) < 0 || check_extents(c, e) < 0)
		return -1;
	return 0;
}
