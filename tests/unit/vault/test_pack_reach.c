/* How many blocks a read decodes, asked of rows that were made by hand. */
#include "../store/catalogue_fixture.h"

#include "fs/vault/pack_reach.h"
#include "fs/vault/reader_rows.h"

struct rows {
	struct fixture *f;
	struct row_cache *cache;
};

static void add(struct fixture *f, int64_t id, int64_t base1, int64_t base2)
{
	struct block b = { .id = id, .segment = 1, .class_id = 1, .offset = 64 * (uint64_t)id,
			   .stored = 64, .raw = 100, .codec = base1 ? BLOCK_ZSTD_BASED :
			   BLOCK_ZSTD, .bases = { base1, base2 } };
	struct err e = ERR_NONE;

	memset(b.uid, (int)id, sizeof b.uid);
	must(catalogue_block_add(f->c, &b, &e));
}

/* 1 leads 2 and 3; 4 leans on 2 and 3, 5 on 4 and 2, 6 on 5; 7 stands alone. */
static int set_up(void **state)
{
	struct rows *r = calloc(1, sizeof *r);
	const uint8_t uid[16] = { 1 };
	struct err e = ERR_NONE;

	if (!r || fixture_setup((void **)&r->f) != 0)
		return -1;
	must(catalogue_begin(r->f->c, &e));
	must(catalogue_segment_add(r->f->c, 1, uid, &e));
	add(r->f, 1, 0, 0);
	add(r->f, 2, 1, 0);
	add(r->f, 3, 1, 0);
	add(r->f, 4, 2, 3);
	add(r->f, 5, 4, 2);
	add(r->f, 6, 5, 0);
	add(r->f, 7, 0, 0);
	must(catalogue_commit(r->f->c, &e));
	r->cache = row_cache_new(1 << 20);
	*state = r;
	return r->cache ? 0 : -1;
}

static int tear_down(void **state)
{
	struct rows *r = *state;
	void *fixture = r->f;

	row_cache_free(r->cache);
	free(r);
	return fixture_teardown(&fixture);
}

static int reach_of(struct rows *r, struct reach *to, int64_t block, unsigned most)
{
	struct err e = ERR_NONE;
	int rc = reach_add(to, r->cache, r->f->c, block, most, &e);

	if (rc < 0)
		fail_msg("%s", e.text);
	return rc;
}

static void each_block_counts_once(void **state)
{
	static const unsigned want[] = { 0, 1, 2, 2, 4, 5, 6, 1 };

	for (int64_t id = 1; id <= 7; id++) {
		struct reach of = { 0 };

		assert_int_equal(reach_of(*state, &of, id, REACH_MAX), 0);
		assert_int_equal(of.count, want[id]);
	}
}

static void what_two_share_is_no_more(void **state)
{
	struct reach of = { 0 };

	assert_int_equal(reach_of(*state, &of, 2, REACH_MAX), 0);
	assert_int_equal(reach_of(*state, &of, 3, REACH_MAX), 0);
	assert_int_equal(of.count, 3);
	assert_int_equal(reach_of(*state, &of, 1, 3), 0);	/* it is there */
	assert_int_equal(of.count, 3);
	assert_int_equal(reach_of(*state, &of, 7, REACH_MAX), 0);
	assert_int_equal(of.count, 4);
}

static void too_many_change_nothing(void **state)
{
	struct reach of = { 0 }, was;

	assert_int_equal(reach_of(*state, &of, 6, 5), 1);
	assert_int_equal(of.count, 0);
	assert_int_equal(reach_of(*state, &of, 4, 4), 0);
	was = of;
	assert_int_equal(reach_of(*state, &of, 6, 5), 1);
	assert_int_equal(reach_of(*state, &of, 7, 4), 1);
	assert_memory_equal(&of, &was, sizeof of);
	assert_int_equal(reach_of(*state, &of, 6, 6), 0);
	assert_int_equal(of.count, 6);
}

static void a_row_that_is_gone_is_told(void **state)
{
	struct rows *r = *state;
	struct reach of = { 0 };
	struct err e = ERR_NONE;

	fixture_sql(r->f, "DELETE FROM block WHERE id = 1");
	must_fail(reach_add(&of, r->cache, r->f->c, 6, REACH_MAX, &e), MUNI_DAMAGED);
	assert_int_equal(of.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(each_block_counts_once),
		TEST(what_two_share_is_no_more),
		TEST(too_many_change_nothing),
		TEST(a_row_that_is_gone_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
