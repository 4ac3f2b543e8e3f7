/*
 * SQLite databases: every ordinary table, row by row.  Each value is a cell with
 * its column as label and "table.column" as place.
 *
 * What a file says of itself is not believed: pages that lead to each other in
 * circles give rows without end, so what rows hold is counted against the file.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/extract_sqlite_file.h"
#include "fs/content/look.h"

#define COLUMNS_MAX 2000	/* SQLite's own limit */
#define PLACE_MAX 160
#define TABLES_MAX 10000
#define FREE_BYTES (64ull << 20)
#define TIMES 4			/* rows may hold so much more than the file */
#define ALONE (1u << 20)	/* a text of that size is looked at as a file */
#define ROW_COST 16

struct column {
	char label[96], place[PLACE_MAX];
};

struct database {
	struct look *look;
	struct sqlite_file *file;
	sqlite3 *db;
	struct cells *cells;
	struct column *columns;	/* COLUMNS_MAX */
	int column_count;
	uint64_t given, allowed;
	bool is_exhausted;
};

/* ---- one value --------------------------------------------------------------------------------- */

static bool is_text(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] < ' ' && data[i] != '\n' && data[i] != '\r' && data[i] != '\t')
			return false;
	return text_is_utf8(data, size);
}

/* A file that was put into a blob; what else is binary is looked through as it is. */
static bool is_file(const uint8_t *data, size_t size)
{
	static const struct {
		const char *magic;
		size_t size;
	} known[] = {
		{ "PK\3\4", 4 }, { "%PDF-", 5 }, { "\x1f\x8b\x08", 3 }, { "SQLite format 3", 16 },
		{ "BZh", 3 }, { "\xfd" "7zXZ", 5 }, { "7z\xbc\xaf\x27\x1c", 6 },
		{ "\x28\xb5\x2f\xfd", 4 }, { "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8 },
		{ "Rar!\x1a\x07", 6 }, { "{\\rtf", 5 }, { "\xff\xfe", 2 }, { "\xfe\xff", 2 },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (size > known[i].size && !memcmp(data, known[i].magic, known[i].size))
			return true;
	return false;
}

static int look_at_file(struct database *d, const struct column *c, const void *data,
			size_t size, struct err *e)
{
	struct input *in = input_of_memory(data, size);
	int rc;

	if (!in)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a value");
	rc = cells_end(d->cells, e);
	if (rc == 0)
		rc = look_into(d->look, in, c->place, e);
	input_free(in);
	return rc;
}

static int give_number(struct database *d, const struct column *c, sqlite3_stmt *row, int i,
		       struct err *e)
{
	double value = sqlite3_column_double(row, i);
	char text[64];

	if (sqlite3_column_type(row, i) == SQLITE_INTEGER)
		snprintf(text, sizeof text, "%" PRId64, (int64_t)sqlite3_column_int64(row, i));
	else if (value > -9.2e18 && value < 9.2e18 && (double)(int64_t)value == value)
		snprintf(text, sizeof text, "%" PRId64, (int64_t)value);
	else
		snprintf(text, sizeof text, "%.15g", value);
	return cells_add(d->cells, c->label, c->place, text, strlen(text), e);
}

static int give_value(struct database *d, const struct column *c, sqlite3_stmt *row, int i,
		      struct err *e)
{
	const uint8_t *data;
	size_t size;

	switch (sqlite3_column_type(row, i)) {
	case SQLITE_NULL:
		return 0;
	case SQLITE_INTEGER:
	case SQLITE_FLOAT:
		return give_number(d, c, row, i, e);
	case SQLITE_TEXT:
		data = sqlite3_column_text(row, i);
		break;
	default:
		data = sqlite3_column_blob(row, i);
	}
	size = (size_t)sqlite3_column_bytes(row, i);
	d->given += size;
	if (!data || size == 0)
		return 0;
	if (size > ALONE || (!is_text(data, size) && is_file(data, size)))
		return look_at_file(d, c, data, size, e);
	return cells_add(d->cells, c->label, c->place, data, size, e);
}

/* ---- one table --------------------------------------------------------------------------------- */

/* As much of the table as can be read was; why not the rest. */
static void say_damaged(struct database *d, const char *table, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_TOOBIG:
		look_opaque(d->look, "table %s has a value that is too large to be read",
			    text_printable(table));
		break;
	case SQLITE_NOMEM:
		look_opaque(d->look, "table %s needs more memory than is allowed for one file",
			    text_printable(table));
		break;
	default:
		look_opaque(d->look, "table %s could not be read to its end: %s",
			    text_printable(table), sqlite3_errstr(rc));
	}
}

/* The stored columns, quoted, for a SELECT; NULL: none, or no memory.  Virtual ones
 * are computed from these by what the file says: not run. */
static char *stored_columns(struct database *d, const char *table, int *rc)
{
	char *query = sqlite3_mprintf("PRAGMA table_xinfo(%Q)", table);
	sqlite3_stmt *row = NULL;
	char *list = NULL;

	d->column_count = 0;
	*rc = query ? sqlite3_prepare_v2(d->db, query, -1, &row, NULL) : SQLITE_NOMEM;
	while (*rc == SQLITE_OK && (*rc = sqlite3_step(row)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(row, 1);
		int hidden = sqlite3_column_int(row, 6);
		struct column *c = &d->columns[d->column_count];
		char *longer;

		*rc = SQLITE_OK;
		if (!name || hidden == 1 || hidden == 2 || d->column_count == COLUMNS_MAX)
			continue;
		longer = sqlite3_mprintf("%z%s\"%w\"", list, list ? "," : "", name);
		list = longer;
		if (!list) {
			*rc = SQLITE_NOMEM;
			break;
		}
		snprintf(c->label, sizeof c->label, "%s", name);
		snprintf(c->place, sizeof c->place, "%.70s.%.70s", text_printable(table),
			 text_printable(name));
		d->column_count++;
	}
	if (*rc == SQLITE_DONE)
		*rc = SQLITE_OK;
	sqlite3_finalize(row);
	sqlite3_free(query);
	return list;
}

static int give_rows(struct database *d, const char *table, sqlite3_stmt *row, struct err *e)
{
	int rc;

	while ((rc = sqlite3_step(row)) == SQLITE_ROW) {
		for (int i = 0; i < d->column_count; i++)
			if (give_value(d, &d->columns[i], row, i, e) < 0)
				return -1;
		if (cells_row(d->cells, e) < 0)
			return -1;
		d->given += ROW_COST;
		if (d->given > d->allowed) {
			d->is_exhausted = true;
			look_opaque(d->look, "its rows hold more than can stand in a file of its "
				    "size: its pages lead to each other in circles");
			return 0;
		}
	}
	if (sqlite_file_failed(d->file, e) < 0)
		return -1;
	if (rc != SQLITE_DONE)
		say_damaged(d, table, rc);
	return 0;
}

static int give_table(struct database *d, const char *table, struct err *e)
{
	sqlite3_stmt *row = NULL;
	char *query = NULL, *list;
	int rc, result = 0;

	list = stored_columns(d, table, &rc);
	if (rc == SQLITE_OK && !list)
		rc = SQLITE_CORRUPT;
	if (rc == SQLITE_OK) {
		/* No index: it may hold something else than the table. */
		query = sqlite3_mprintf("SELECT %s FROM main.\"%w\" NOT INDEXED", list, table);
		rc = query ? sqlite3_prepare_v2(d->db, query, -1, &row, NULL) : SQLITE_NOMEM;
	}
	if (rc == SQLITE_OK)
		result = give_rows(d, table, row, e);
	else if (sqlite_file_failed(d->file, e) < 0)
		result = -1;
	else
		say_damaged(d, table, rc);
	sqlite3_finalize(row);
	sqlite3_free(query);
	sqlite3_free(list);
	return result;
}

/* ---- the schema ---------------------------------------------------------------------------------- */

struct names {
	char **list;		/* each owned */
	size_t count;
};

static void names_free(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->list[i]);
	free(n->list);
}

/* The tables that have pages of their own; the text of the whole schema is looked
 * at on the way, for defaults, views and triggers hold words too. */
static int read_schema(struct database *d, struct names *n, int *sqlite, struct err *e)
{
	sqlite3_stmt *row = NULL;
	int rc = 0;

	*sqlite = sqlite3_prepare_v2(d->db, "SELECT type, name, rootpage, sql FROM sqlite_schema",
				     -1, &row, NULL);
	while (*sqlite == SQLITE_OK || *sqlite == SQLITE_ROW) {
		const char *type, *name, *sql;

		*sqlite = sqlite3_step(row);
		if (*sqlite != SQLITE_ROW)
			break;
		type = (const char *)sqlite3_column_text(row, 0);
		name = (const char *)sqlite3_column_text(row, 1);
		sql = (const char *)sqlite3_column_text(row, 3);
		if (sql && (cells_add(d->cells, NULL, "schema", sql, strlen(sql), e) < 0 ||
			    cells_row(d->cells, e) < 0))
			rc = -1;
		if (rc == 0 && type && name && !strcmp(type, "table") &&
		    sqlite3_column_int(row, 2) > 0) {
			if (n->count == TABLES_MAX) {
				look_opaque(d->look, "it has more than %u tables", TABLES_MAX);
				break;
			}
			n->list[n->count] = strdup(name);
			if (!n->list[n->count++])
				rc = err_set(e, MUNI_NO_MEMORY, "no memory to read a database");
		}
		if (rc < 0)
			break;
	}
	sqlite3_finalize(row);
	return rc;
}

/* 1: the schema cannot be parsed. */
static int give_tables(struct database *d, struct err *e)
{
	struct names n = { .list = calloc(TABLES_MAX + 1, sizeof *n.list) };
	int sqlite = SQLITE_OK, rc;

	if (!n.list)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a database");
	rc = read_schema(d, &n, &sqlite, e);
	if (rc == 0 && sqlite_file_failed(d->file, e) < 0)
		rc = -1;
	if (rc == 0 && sqlite != SQLITE_DONE && sqlite != SQLITE_ROW && n.count == 0)
		rc = 1;
	else if (rc == 0 && sqlite != SQLITE_DONE && sqlite != SQLITE_ROW)
		look_opaque(d->look, "its schema is damaged: %s", sqlite3_errstr(sqlite));
	for (size_t i = 0; rc == 0 && i < n.count && !d->is_exhausted; i++)
		rc = give_table(d, n.list[i], e);
	names_free(&n);
	return rc;
}

/* As give_tables(). */
static int read_database(struct look *l, struct input *in, uint64_t size, bool lenient,
			 struct err *e)
{
	struct database d = { .look = l, .allowed = FREE_BYTES + size * TIMES };
	int rc = -1;

	d.cells = cells_new(l);
	d.columns = calloc(COLUMNS_MAX, sizeof *d.columns);
	if (!d.cells || !d.columns) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read a database");
		goto out;
	}
	if (sqlite_file_open(in, size, lenient, &d.file, e) < 0) {
		if (e->code == MUNI_DAMAGED)
			rc = 1;
		goto out;
	}
	d.db = sqlite_file_db(d.file);
	rc = give_tables(&d, e);
	if (rc >= 0 && cells_end(d.cells, e) < 0)
		rc = -1;
out:
	sqlite_file_close(d.file);
	cells_free(d.cells);
	free(d.columns);
	return rc;
}

int extract_sqlite(struct look *l, struct input *in, struct err *e)
{
	uint64_t size = 0;
	int rc;

	if (input_seekable(in, e) < 0)
		return -1;
	(void)input_size(in, &size);
	/* SQLite takes the end of a page that is missing for zeros. */
	if (sqlite_told_size(in, size) > size)
		look_opaque(l, "it was cut off: some of its pages are missing");
	rc = read_database(l, in, size, false, e);
	if (rc > 0) {
		look_opaque(l, "damaged, cut off or encrypted: not all of it can be read");
		rc = read_database(l, in, size, true, e);
	}
	if (rc > 0)
		return sqlite_all_pages(l, in, size, e);
	return rc < 0 ? -1 : sqlite_free_pages(l, in, size, e);
}
