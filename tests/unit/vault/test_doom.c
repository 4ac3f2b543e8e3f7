#include "tests/unit/vault/doomed.h"

static int setup(void **state)
{
	struct doomed_fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	doomed_open(f, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	doomed_close(*state);
	free(*state);
	return 0;
}

static const struct doomed_seen *at(const struct doomed_view *w, int64_t version,
				    const char *path)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->list[i].version == version && strcmp(w->list[i].path, path) == 0)
			return &w->list[i];
	return NULL;
}

static int64_t doom_one(struct doomed_fixture *f, const struct doomed_view *w, int64_t version,
			const char *path)
{
	struct doomed_list l = { .count = 0 };
	const struct doomed_seen *s = at(w, version, path);

	assert_non_null(s);
	doomed_add(&l, &s->key);
	int64_t id = doomed_propose(f, &l, "{}", ITEM_NAMES_COMMIT);
	free(l.keys);
	return id;
}

static void without_a_disposition_everything_is_copied(void **state)
{
	struct doomed_fixture *f = *state;

	doomed_run("cd %s && mkdir -p a/b c && echo one > a/x && echo two > a/b/y && ln a/x z"
		   " && ln -s x a/l", f->source);
	doomed_ingest(f, "hr");
	doomed_run("cd %s && echo three > a/x", f->source);
	doomed_ingest(f, "hr");
	struct doomed_view before = doomed_look(f);
	struct doom_result r = doomed_switch(f, 0);
	struct doomed_view after = doomed_look(f);

	assert_int_equal(before.count, after.count);
	assert_memory_equal(before.list, after.list, before.count * sizeof *before.list);
	assert_int_equal(r.records, 0);
	doomed_check_roots(f);
	free(before.list);
	free(after.list);
}

static void a_record_goes_with_its_name_key_and_bytes_and_others_stay(void **state)
{
	struct doomed_fixture *f = *state;

	doomed_run("cd %s && mkdir -p a/b && echo secretbytes > a/secretname"
		   " && echo other > a/b/y && echo more > z", f->source);
	struct version v = doomed_ingest(f, "hr");
	struct doomed_view before = doomed_look(f);
	struct doom_result r = doomed_switch(f, doom_one(f, &before, v.id, "a/secretname"));
	struct doomed_view after = doomed_look(f);
	size_t size;
	uint8_t *pages = doomed_pages(f, &size);

	assert_int_equal(after.count, before.count - 1);
	assert_null(at(&after, v.id, "a/secretname"));
	assert_int_equal(r.records, 1);
	assert_int_equal(r.contents_gone, 1);
	assert_int_equal(r.blocks_gone, 1);
	assert_int_equal(r.blocks_repacked, 1);
	assert_false(doomed_is_in(pages, size, "secretname", 10));
	assert_true(doomed_is_in(pages, size, "z", 1));
	doomed_check_roots(f);
	sqlite3_free(pages);
	free(before.list);
	free(after.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_a_disposition_everything_is_copied,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_record_goes_with_its_name_key_and_bytes_and_others_stay, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
