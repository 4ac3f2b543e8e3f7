#include "tests/unit/store/catalogue_fixture.h"

/* ---- extents ------------------------------------------------------------------------ */

static int64_t add_content(struct fixture *f, const struct extent *x, size_t count)
{
	struct err e = ERR_NONE;
	int64_t id = fixture_id(f, SEQUENCE_CONTENT);
	struct digest sha;

	memset(sha.bytes, (int)id, DIGEST_SIZE);
	must(catalogue_content_add(f->c, id, &sha, x, count, &e));
	return id;
}

static void assert_extents(const struct extent *got, const struct extent *want, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(got[i].offset, want[i].offset);
		assert_int_equal(got[i].size, want[i].size);
		assert_int_equal(got[i].block, want[i].block);
		assert_int_equal(got[i].at, want[i].at);
	}
}

static void a_file_of_one_chunk_reads_back(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct extent x = { .offset = 0, .size = 4321, .block = 123456, .at = 60000 };
	struct extent_page p;
	struct node n;

	must(catalogue_begin(f->c, &e));
	int64_t id = add_content(f, &x, 1);
	int64_t node = fixture_node(f, NODE_FILE, id);
	must(catalogue_commit(f->c, &e));
	must(catalogue_extents(f->c, id, 0, &p, &e));
	assert_int_equal(p.count, 1);
	assert_int_equal(p.first, 0);
	assert_true(p.end == UINT64_MAX);
	assert_extents(p.extents, &x, 1);
	must(catalogue_extents(f->c, id, UINT64_MAX, &p, &e));
	assert_int_equal(p.count, 1);
	must(catalogue_node(f->c, node, true, &n, &e));
	assert_true(n.has_sha256);
	assert_int_equal(n.sha256.bytes[31], id & 0xff);
	must(catalogue_node(f->c, node, false, &n, &e));
	assert_false(n.has_sha256);
	must_fail(catalogue_extents(f->c, id + 1, 0, &p, &e), MUNI_DAMAGED);
}

static void an_empty_file_and_one_all_hole_have_their_digest(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct digest empty = digest_of("", 0);
	struct extent_page p;
	struct node n;

	must(catalogue_begin(f->c, &e));
	int64_t none = fixture_node(f, NODE_FILE, 0);
	int64_t id = add_content(f, NULL, 0);
	int64_t hole = fixture_node(f, NODE_FILE, id);
	must(catalogue_commit(f->c, &e));
	must(catalogue_node(f->c, none, true, &n, &e));
	assert_true(n.has_sha256 && digest_equal(&n.sha256, &empty));
	must(catalogue_node(f->c, hole, true, &n, &e));
	assert_true(n.has_sha256);
	must(catalogue_extents(f->c, id, 1ull << 40, &p, &e));
	assert_int_equal(p.count, 0);
	assert_true(p.end == UINT64_MAX);
}

/* 100,000 extents over more than a TiB, a hole before every seventh. */
static struct extent *many_extents(size_t count)
{
	struct extent *x = calloc(count, sizeof *x);
	uint64_t at = 1ull << 40;

	assert_non_null(x);
	for (size_t i = 0; i < count; i++) {
		if (i % 7 == 0)
			at += 4096 * (i + 1);
		x[i].offset = at;
		x[i].size = 1 + (uint32_t)(i * 2654435761u % BLOCK_RAW_MAX);
		/* blocks go forward, backward, and stay */
		x[i].block = i % 3 == 0 ? 1000000 - (int64_t)i : 1 + (int64_t)i / 3;
		x[i].at = BLOCK_RAW_MAX - x[i].size;
		at += x[i].size;
	}
	return x;
}

static void a_hundred_thousand_extents_are_found_by_offset(void **state)
{
	enum { COUNT = 100000 };
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct extent *x = many_extents(COUNT);
	struct extent_page p;

	must(catalogue_begin(f->c, &e));
	int64_t id = add_content(f, x, COUNT);
	add_content(f, x, 1);	/* a neighbour that must not be mixed in */
	must(catalogue_commit(f->c, &e));
	for (size_t i = 0; i < COUNT; i += 37) {
		size_t j = i % EXTENTS_A_PAGE;
		uint64_t inside = x[i].offset + x[i].size - 1;

		must(catalogue_extents(f->c, id, inside, &p, &e));
		assert_true(p.first <= inside && inside < p.end);
		assert_extents(&p.extents[j], &x[i], 1);
	}

	/* From page to page, nothing is lost between. */
	uint64_t at = 0;
	size_t seen = 0;
	while (at != UINT64_MAX) {
		must(catalogue_extents(f->c, id, at, &p, &e));
		assert_int_equal(p.first, at);
		assert_extents(p.extents, x + seen, p.count);
		seen += p.count;
		at = p.end;
	}
	assert_int_equal(seen, COUNT);
	must(catalogue_extents(f->c, id, 0, &p, &e));	/* in the leading hole */
	assert_int_equal(p.extents[0].offset, x[0].offset);
	free(x);
}

static void consecutive_chunks_of_a_block_take_three_bytes(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct extent x[200];
	sqlite3_stmt *stmt;

	for (unsigned i = 0; i < 200; i++)
		x[i] = (struct extent){ .offset = i * 2000, .size = 2000, .block = 9,
					.at = i * 2000 };
	must(catalogue_begin(f->c, &e));
	add_content(f, x, 200);
	assert_int_equal(sqlite3_prepare_v2(catalogue_sqlite(f->c),
					    "SELECT length(extents) FROM content", -1, &stmt,
					    NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_true(sqlite3_column_int(stmt, 0) <= 200 * 2 + 6);
	sqlite3_finalize(stmt);
	catalogue_rollback(f->c);
}

static void extents_that_overlap_are_not_taken(void **state)
{
	static const struct extent bad[][2] = {
		{ { .offset = 0, .size = 10, .block = 1 }, { .offset = 9, .size = 1, .block = 1 } },
		{ { .offset = 10, .size = 10, .block = 1 }, { .offset = 0, .size = 1, .block = 1 } },
		{ { .offset = 0, .size = 0, .block = 1 }, { .offset = 9, .size = 1, .block = 1 } },
		{ { .offset = 0, .size = BLOCK_RAW_MAX + 1, .block = 1 } },
		{ { .offset = 0, .size = 1, .block = 1, .at = BLOCK_RAW_MAX } },
		{ { .offset = 0, .size = 1, .block = 0 } },
		{ { .offset = INT64_MAX, .size = 1, .block = 1 } },
	};
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct digest sha = { { 0 } };

	must(catalogue_begin(f->c, &e));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		must_fail(catalogue_content_add(f->c, 5, &sha, bad[i], 2, &e), MUNI_LIMIT);
	catalogue_rollback(f->c);
}

static void hostile_extents_are_damage(void **state)
{
	static const char *const blobs[] = {
		"x''",
		"x'80'",		/* a number without an end */
		"x'ffffffffffffffffff01'",	/* a count beyond all pages */
		"x'8204'",		/* 257 extents */
		"x'02'",		/* one extent, and none follows */
		"x'020400'",		/* no block */
		"x'02040000'",		/* block 0 */
		"x'0204018080c000'",	/* at beyond the block */
		"x'02000100'",		/* size 0 */
		"x'02848080020100'",	/* size over the largest block */
		"x'02040100ff'",	/* something follows */
		"x'0206'",		/* the first cannot follow another */
		"x'0205ffffffffffffffff7f0100'",	/* a hole beyond 2^63 */
		"x'04040100040300'",	/* block goes below 1 */
	};
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct extent x = { .offset = 0, .size = 1, .block = 1 };
	struct extent_page p;
	char sql[160];

	must(catalogue_begin(f->c, &e));
	int64_t id = add_content(f, &x, 1);
	must(catalogue_commit(f->c, &e));
	for (size_t i = 0; i < sizeof blobs / sizeof blobs[0]; i++) {
		snprintf(sql, sizeof sql, "UPDATE content SET extents = %s", blobs[i]);
		fixture_sql(f, sql);
		must_fail(catalogue_extents(f->c, id, 0, &p, &e), MUNI_DAMAGED);
		assert_non_null(strstr(e.text, "muni repair"));
	}
}

static void pages_of_extents_that_overlap_or_break_off_are_damage(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct extent *x = many_extents(600);
	struct extent_page p;

	must(catalogue_begin(f->c, &e));
	int64_t id = add_content(f, x, 600);
	must(catalogue_commit(f->c, &e));
	fixture_sql(f, "DELETE FROM content_page"
		    " WHERE page = (SELECT max(page) FROM content_page)");
	must(catalogue_extents(f->c, id, 0, &p, &e));
	must_fail(catalogue_extents(f->c, id, INT64_MAX, &p, &e), MUNI_DAMAGED);
	fixture_sql(f, "UPDATE content_page SET page = 5");
	must_fail(catalogue_extents(f->c, id, 0, &p, &e), MUNI_DAMAGED);
	free(x);
}

/* ---- blocks, segments, chunks ----------------------------------------------------------- */

static struct block block_of(int64_t id, int64_t segment, uint64_t offset)
{
	struct block b = { .id = id, .segment = segment, .offset = offset, .stored = 1000,
			   .raw = 65536, .codec = BLOCK_ZSTD, .class_id = 1, .year = 2051 };

	memset(b.uid, (int)id, sizeof b.uid);
	memset(b.key, (int)id + 1, sizeof b.key);
	return b;
}

static int note_order(void *arg, const struct block *b, const uint8_t uid[16])
{
	char *out = arg;

	snprintf(out + strlen(out), 32, "%" PRId64 ".%" PRIu64 "/%d ", b->segment, b->offset,
		 uid[0]);
	return 0;
}

static int note_segment(void *arg, int64_t id, const uint8_t uid[16])
{
	char *out = arg;

	snprintf(out + strlen(out), 32, "%" PRId64 "=%d ", id, uid[15]);
	return 0;
}

static void blocks_read_back_with_their_segment_in_order_of_place(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct block a = block_of(1, 2, 64), b = block_of(2, 1, 900), c = block_of(3, 1, 64), got;
	uint8_t uid[16], first[16], second[16];
	char order[128] = "", segments[64] = "";

	memset(first, 11, 16);
	memset(second, 22, 16);
	b.bases[0] = 1;
	c.bases[0] = 1;
	c.bases[1] = 2;
	c.codec = BLOCK_ZSTD_BASED;
	must(catalogue_begin(f->c, &e));
	must(catalogue_segment_add(f->c, 1, first, &e));
	must(catalogue_segment_add(f->c, 2, second, &e));
	must(catalogue_block_add(f->c, &a, &e));
	must(catalogue_block_add(f->c, &b, &e));
	must(catalogue_block_add(f->c, &c, &e));
	must_fail(catalogue_block_add(f->c, &c, &e), MUNI_EXISTS);
	c.bases[0] = 3;
	must_fail(catalogue_block_add(f->c, &c, &e), MUNI_LIMIT);
	c.bases[0] = 1;
	must(catalogue_commit(f->c, &e));

	must(catalogue_block(f->c, 3, &got, uid, &e));
	assert_int_equal(got.id, 3);
	assert_memory_equal(got.uid, c.uid, sizeof c.uid);
	assert_memory_equal(got.key, c.key, sizeof c.key);
	assert_int_equal(got.segment, 1);
	assert_int_equal(got.offset, 64);
	assert_int_equal(got.stored, 1000);
	assert_int_equal(got.raw, 65536);
	assert_int_equal(got.codec, BLOCK_ZSTD_BASED);
	assert_int_equal(got.class_id, 1);
	assert_int_equal(got.year, 2051);
	assert_int_equal(got.bases[0], 1);
	assert_int_equal(got.bases[1], 2);
	assert_memory_equal(uid, first, 16);
	must_fail(catalogue_block(f->c, 4, &got, uid, &e), MUNI_DAMAGED);
	must(catalogue_blocks(f->c, note_order, order, &e));
	assert_string_equal(order, "1.64/11 1.900/11 2.64/22 ");
	must(catalogue_segments(f->c, note_segment, segments, &e));
	assert_string_equal(segments, "1=11 2=22 ");
}

static void hostile_blocks_are_damage(void **state)
{
	static const char *const changes[] = {
		"uid = x'00'", "key = x''", "segment = 99", "segment = 0", "offset = -1",
		"offset = 9223372036854775807", "stored = 0", "stored = 99999999", "raw = 0",
		"raw = 1048577", "codec = 256", "class = 0", "year = 4294967296", "base1 = 7",
		"base1 = 9", "base2 = 1", "base1 = -1",
	};
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct block b = block_of(7, 1, 64), got;
	uint8_t uid[16] = { 1 };
	char sql[128];

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		must(catalogue_begin(f->c, &e));
		must(catalogue_segment_add(f->c, 1, uid, &e));
		must(catalogue_block_add(f->c, &b, &e));
		snprintf(sql, sizeof sql, "UPDATE block SET %s", changes[i]);
		fixture_sql(f, sql);
		must_fail(catalogue_block(f->c, 7, &got, uid, &e), MUNI_DAMAGED);
		catalogue_rollback(f->c);
	}
}

static void a_chunk_is_found_where_it_was_put_last(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	const uint8_t *name = (const uint8_t *)"0123456789abcdef";
	struct chunk_place p = { 4, 100, 2000 }, other = { 5, 0, 3000 }, got;
	bool is_found;
	uint64_t count;

	must(catalogue_begin(f->c, &e));
	must(catalogue_chunk_find(f->c, name, &got, &is_found, &e));
	assert_false(is_found);
	must(catalogue_chunk_add(f->c, name, &other, &e));
	must(catalogue_chunk_add(f->c, name, &p, &e));
	must(catalogue_commit(f->c, &e));
	must(catalogue_chunk_find(f->c, name, &got, &is_found, &e));
	assert_true(is_found);
	assert_int_equal(got.block, 4);
	assert_int_equal(got.at, 100);
	assert_int_equal(got.size, 2000);
	must(catalogue_chunk_count(f->c, &count, &e));
	assert_int_equal(count, 1);
	must(catalogue_chunk_find(f->c, (const uint8_t *)"0123460000000000", &got, &is_found, &e));
	assert_false(is_found);
	fixture_sql(f, "UPDATE chunk SET at = 1048000");
	must_fail(catalogue_chunk_find(f->c, name, &got, &is_found, &e), MUNI_DAMAGED);
}

/* Rows of before format 5 have all of it. */
static void a_name_is_found_by_its_beginning_and_as_a_whole(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct chunk_place got;
	bool is_found;

	fixture_sql(f, "INSERT INTO chunk VALUES(CAST('0123456789abcdef' AS BLOB), 1, 0, 10),"
		    " (CAST('0123456789abcdeg' AS BLOB), 2, 0, 10),"
		    " (CAST('abcdef' AS BLOB), 3, 0, 10)");
	must(catalogue_chunk_find(f->c, (const uint8_t *)"0123456789abcdef", &got, &is_found,
				  &e));
	assert_true(is_found && got.block == 1);
	must(catalogue_chunk_find(f->c, (const uint8_t *)"0123456789abcdeg", &got, &is_found,
				  &e));
	assert_true(is_found && got.block == 2);
	must(catalogue_chunk_find(f->c, (const uint8_t *)"abcdefghijklmnop", &got, &is_found,
				  &e));
	assert_true(is_found && got.block == 3);
	must(catalogue_chunk_find(f->c, (const uint8_t *)"0123456789aaaaaa", &got, &is_found,
				  &e));
	assert_false(is_found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		T(a_file_of_one_chunk_reads_back),
		T(an_empty_file_and_one_all_hole_have_their_digest),
		T(a_hundred_thousand_extents_are_found_by_offset),
		T(consecutive_chunks_of_a_block_take_three_bytes),
		T(extents_that_overlap_are_not_taken),
		T(hostile_extents_are_damage),
		T(pages_of_extents_that_overlap_or_break_off_are_damage),
		T(blocks_read_back_with_their_segment_in_order_of_place),
		T(hostile_blocks_are_damage),
		T(a_chunk_is_found_where_it_was_put_last),
		T(a_name_is_found_by_its_beginning_and_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
