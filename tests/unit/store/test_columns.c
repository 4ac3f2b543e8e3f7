/* Pages of SQLite's trees with their columns apart, and the very pages again. */
#include "tests/unit/store/folder.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "fs/store/columns.h"

#define PAGE 8192u

static uint64_t seed;

static uint64_t next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint8_t *new_room(size_t size)
{
	uint8_t *room = malloc(size ? size : 1);

	assert_non_null(room);
	return room;
}

/* Returns the size of the streams. */
static size_t assert_comes_back(const uint8_t *bodies, uint32_t pages)
{
	uint8_t *streams = new_room(columns_room(pages)), page[COLUMNS_PAGE], *exact;
	size_t size = columns_split(bodies, pages, streams);
	bool is_damage;

	assert_in_range(size, 1, columns_room(pages));
	exact = new_room(size);
	memcpy(exact, streams, size);
	struct columns_join *j = columns_join_new(exact, size, &is_damage);
	assert_non_null(j);
	for (uint32_t i = 0; i < pages; i++) {
		assert_false(columns_join_is_done(j));
		assert_true(columns_join_page(j, page));
		assert_memory_equal(page, bodies + (size_t)i * COLUMNS_PAGE, COLUMNS_PAGE);
	}
	assert_true(columns_join_is_done(j));
	columns_join_free(j);
	free(exact);
	free(streams);
	return size;
}

/* ---- pages of a database ------------------------------------------------------------- */

struct pages {
	uint8_t *bodies;	/* owned */
	uint32_t count;
	unsigned kinds[256];	/* pages that begin with this byte */
};

static void run(sqlite3 *db, const char *sql)
{
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* Laid out as a catalogue is. */
static struct pages pages_of(const char *sql)
{
	struct pages p = { 0 };
	sqlite3_int64 size;
	sqlite3 *db;
	int reserved = PAGE - COLUMNS_PAGE;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	run(db, "PRAGMA page_size = 8192; PRAGMA secure_delete = ON");
	assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved),
			 SQLITE_OK);
	run(db, sql);
	uint8_t *file = sqlite3_serialize(db, "main", &size, 0);
	assert_true(file && file[20] == PAGE - COLUMNS_PAGE && size % PAGE == 0);
	p.count = (uint32_t)(size / PAGE);
	assert_in_range(p.count, 1, COLUMNS_PAGES);
	p.bodies = new_room((size_t)p.count * COLUMNS_PAGE);
	for (uint32_t i = 0; i < p.count; i++) {
		memcpy(p.bodies + (size_t)i * COLUMNS_PAGE, file + (size_t)i * PAGE, COLUMNS_PAGE);
		p.kinds[file[(size_t)i * PAGE]]++;
	}
	sqlite3_free(file);
	sqlite3_close(db);
	return p;
}

#define ROWS(n) "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x < " #n ") "

static const char all_kinds[] =
	"CREATE TABLE t(id INTEGER PRIMARY KEY, n, text, digest);"
	"CREATE TABLE e(dir INT, name BLOB, salt BLOB, PRIMARY KEY(dir, name)) WITHOUT ROWID;"
	"CREATE INDEX i ON t(text, n);"
	ROWS(12000) "INSERT INTO t SELECT x * 3, CASE x % 9 WHEN 0 THEN NULL WHEN 1 THEN 1.5 * x "
	"WHEN 2 THEN -x WHEN 3 THEN x * 4294967296 WHEN 4 THEN 0 WHEN 5 THEN 1 "
	"WHEN 6 THEN -9223372036854775807 ELSE x * x END, 'part ' || x, randomblob(32) FROM c;"
	ROWS(8000) "INSERT INTO e SELECT x % 7, 'name' || (x * 7919 % 8000), randomblob(16) FROM c;"
	"INSERT INTO t VALUES(-5, 'long', randomblob(30000), 7), (1 << 60, zeroblob(9000), "
	"hex(randomblob(5000)), NULL);"
	"INSERT INTO e VALUES(9, randomblob(2500), randomblob(2100)), (9, '', zeroblob(60000));"
	"DELETE FROM t WHERE id BETWEEN 9000 AND 15000;"
	"DELETE FROM e WHERE dir = 3; UPDATE e SET salt = 'short' WHERE name LIKE '%77%'";

static void every_kind_of_page_comes_back(void **state)
{
	struct pages p = pages_of(all_kinds);

	(void)state;
	assert_true(p.kinds[2] && p.kinds[5] && p.kinds[10] && p.kinds[13]);
	assert_true(p.kinds[0] > 4);	/* overflow pages, and free ones */
	assert_comes_back(p.bodies, p.count);
	for (uint32_t i = 0; i < p.count; i++)	/* each alone, too */
		assert_comes_back(p.bodies + (size_t)i * COLUMNS_PAGE, 1);
	free(p.bodies);
}

/* Rows without noise: what is left of their pages' sameness shows that they were split. */
static void cells_go_to_streams_and_not_whole(void **state)
{
	struct pages p = pages_of("CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);" ROWS(30000)
				  "INSERT INTO t SELECT x, x * 5, x * 7 FROM c");
	uint8_t *streams = new_room(columns_room(p.count));
	size_t size = columns_split(p.bodies, p.count, streams), ones = 0;

	(void)state;
	for (size_t i = 0; i + 1 < size; i++)
		ones += streams[i] == streams[i + 1];
	assert_true(ones * 2 > size);
	free(streams);
	free(p.bodies);
}

static void any_changed_page_comes_back(void **state)
{
	struct pages p = pages_of(all_kinds);
	uint8_t page[COLUMNS_PAGE * 2];

	(void)state;
	seed = 1;
	for (unsigned round = 0; round < 4000; round++) {
		for (unsigned k = 0; k < 2; k++)
			memcpy(page + k * COLUMNS_PAGE, p.bodies + next() % p.count * COLUMNS_PAGE,
			       COLUMNS_PAGE);
		for (uint64_t n = next() % 6; n > 0; n--) {
			uint64_t at = next() % 3 ? next() % 64 : next() % sizeof page;
			page[at] = (uint8_t)(next() % 2 ? next() : page[at] ^ 1u << next() % 8);
		}
		assert_comes_back(page, 2);
	}
	free(p.bodies);
}

static void noise_comes_back_and_little_larger(void **state)
{
	static uint8_t pages[5 * COLUMNS_PAGE];

	(void)state;
	seed = 77;
	for (size_t i = 0; i < sizeof pages; i++)
		pages[i] = (uint8_t)next();
	for (uint8_t kind = 0; kind < 20; kind++) {
		pages[0] = pages[COLUMNS_PAGE] = kind;
		assert_true(assert_comes_back(pages, 5) < sizeof pages + 200);
	}
	memset(pages, 0, sizeof pages);
	assert_comes_back(pages, 5);
	memset(pages, 13, sizeof pages);
	assert_comes_back(pages, 5);
}

/* More kinds of rows than there are groups, more columns than a row may have here. */
static void what_does_not_fit_stands_whole(void **state)
{
	char sql[20000] = "CREATE TABLE wide(a";

	(void)state;
	for (int i = 0; i < 40; i++)
		snprintf(sql + strlen(sql), sizeof sql - strlen(sql), ", b%d", i);
	strcat(sql, "); INSERT INTO wide(a, b3) VALUES(1, 'x'), (2, 'y');");
	for (int i = 0; i < 40; i++) {
		snprintf(sql + strlen(sql), sizeof sql - strlen(sql), "CREATE TABLE t%d(a", i);
		for (int k = 0; k < i % 20; k++)
			snprintf(sql + strlen(sql), sizeof sql - strlen(sql), ", b%d", k);
		snprintf(sql + strlen(sql), sizeof sql - strlen(sql), ");"
			 "INSERT INTO t%d(a) VALUES(randomblob(%d));", i, i < 20 ? 16 : 5);
	}
	struct pages p = pages_of(sql);
	assert_comes_back(p.bodies, p.count);
	free(p.bodies);
}

static void changed_streams_are_refused_or_make_pages(void **state)
{
	struct pages p = pages_of(all_kinds);
	uint32_t count = p.count < 40 ? p.count : 40;
	uint8_t *streams = new_room(columns_room(count)), page[COLUMNS_PAGE];
	size_t size = columns_split(p.bodies, count, streams);
	bool is_damage;

	(void)state;
	seed = 5;
	for (unsigned round = 0; round < 3000; round++) {
		size_t cut = next() % 4 ? size : next() % size;
		uint8_t *copy = new_room(cut);

		memcpy(copy, streams, cut);
		for (uint64_t n = 1 + next() % 3; n > 0 && cut > 0; n--)
			copy[next() % 2 ? next() % cut : next() % cut % 200] ^= (uint8_t)next();
		struct columns_join *j = columns_join_new(copy, cut, &is_damage);
		assert_true(j || is_damage);
		for (uint32_t i = 0; j && i < count && columns_join_page(j, page); i++)
			;
		columns_join_free(j);
		free(copy);
	}
	free(streams);
	free(p.bodies);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_page_comes_back),
		cmocka_unit_test(cells_go_to_streams_and_not_whole),
		cmocka_unit_test(any_changed_page_comes_back),
		cmocka_unit_test(noise_comes_back_and_little_larger),
		cmocka_unit_test(what_does_not_fit_stands_whole),
		cmocka_unit_test(changed_streams_are_refused_or_make_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
