#include "tests/unit/store/catalogue_fixture.h"

#include "fs/vault/tree.h"

struct seen {
	char list[8192];	/* paths joined by "|" */
	size_t count;
	const char *do_not_enter, *stop_at, *fail_at;
	struct catalogue *asked;	/* row() asks it, as ls does for links */
	struct version *version;
};

static int on_item(void *arg, const struct tree_item *item)
{
	struct seen *s = arg;

	assert_int_equal(strlen(item->path), item->path_size);
	assert_int_equal(item->node->kind, item->entry->kind);
	s->count++;
	if (s->count <= 200) {
		strcat(s->list, s->list[0] != '\0' ? "|" : "");
		strncat(s->list, item->path, 30);
	}
	if (s->asked != NULL) {
		struct err e = ERR_NONE;
		struct entry entry;
		struct node node;

		must(tree_find(s->asked, s->version, item->path, item->path_size, &entry, &node, &e));
		assert_int_equal(entry.node, item->entry->node);
	}
	if (s->stop_at != NULL && strcmp(s->stop_at, item->path) == 0)
		return 1;
	if (s->fail_at != NULL && strcmp(s->fail_at, item->path) == 0)
		return -1;
	return s->do_not_enter != NULL && strcmp(s->do_not_enter, item->path) == 0 ? 2 : 0;
}

/* a/, a/b/, a/b/f, a/z, a.txt, c/ (empty), d */
static struct version small_tree(struct fixture *f)
{
	struct version v = fixture_begin(f, "hr", "1");
	int64_t a, b;

	fixture_directory_row(f, &v, v.root, 0);
	a = fixture_directory(f, &v, v.root, "a");
	b = fixture_directory(f, &v, a, "b");
	fixture_file(f, &v, b, "f", 0);
	fixture_file(f, &v, a, "z", 0);
	fixture_file(f, &v, v.root, "a.txt", 0);
	fixture_directory(f, &v, v.root, "c");
	fixture_file(f, &v, v.root, "d", 0);
	fixture_seal(f, &v);
	strcpy(v.system_name, "hr");
	return v;
}

static void a_walk_is_depth_first_in_byte_order_and_may_ask_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct version v = small_tree(f);
	struct seen s = { .asked = f->c, .version = &v };
	struct err e = ERR_NONE;

	must(tree_walk(f->c, &v, v.root, "", on_item, &s, &e));
	assert_string_equal(s.list, "a|a/b|a/b/f|a/z|a.txt|c|d");
}

static void a_walk_below_a_directory_puts_its_prefix_in_front(void **state)
{
	struct fixture *f = *state;
	struct version v = small_tree(f);
	struct seen s = { .list = "" };
	struct err e = ERR_NONE;
	struct entry entry;
	struct node node;

	must(tree_find(f->c, &v, "a", 1, &entry, &node, &e));
	must(tree_walk(f->c, &v, entry.directory, "a", on_item, &s, &e));
	assert_string_equal(s.list, "a/b|a/b/f|a/z");
	s = (struct seen){ .list = "" };
	must(tree_walk(f->c, &v, entry.directory, "", on_item, &s, &e));
	assert_string_equal(s.list, "b|b/f|z");
}

static void a_row_can_keep_a_walk_out_stop_it_and_fail_it(void **state)
{
	struct fixture *f = *state;
	struct version v = small_tree(f);
	struct err e = ERR_NONE;
	struct seen s = { .do_not_enter = "a" };

	must(tree_walk(f->c, &v, v.root, "", on_item, &s, &e));
	assert_string_equal(s.list, "a|a.txt|c|d");
	s = (struct seen){ .stop_at = "a/b/f" };
	must(tree_walk(f->c, &v, v.root, "", on_item, &s, &e));
	assert_string_equal(s.list, "a|a/b|a/b/f");
	s = (struct seen){ .fail_at = "a/z" };
	assert_int_equal(tree_walk(f->c, &v, v.root, "", on_item, &s, &e), -1);
	assert_int_equal(s.count, 4);
}

static void wide_directories_are_walked_whole(void **state)
{
	struct fixture *f = *state;
	struct version v = fixture_begin(f, "hr", "1");
	struct seen s = { .list = "" };
	struct err e = ERR_NONE;
	char name[16];

	fixture_directory_row(f, &v, v.root, 0);
	/* More files than a run between directories, and exactly a run at the end. */
	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof name, "%05d", i);
		if (i % 617 == 3)
			fixture_directory(f, &v, v.root, name);
		else
			fixture_file(f, &v, v.root, name, 0);
	}
	fixture_seal(f, &v);
	must(tree_walk(f->c, &v, v.root, "", on_item, &s, &e));
	assert_int_equal(s.count, 1500);
}

static void deep_trees_are_walked_to_the_bottom_and_found(void **state)
{
	struct fixture *f = *state;
	struct version v = fixture_begin(f, "hr", "1");
	struct seen s = { .list = "" };
	struct err e = ERR_NONE;
	struct entry entry;
	struct node node;
	static char path[300 * 200];
	char name[200];
	int64_t dir = v.root;
	size_t size = 0;

	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	fixture_directory_row(f, &v, v.root, 0);
	for (int i = 0; i < 300; i++) {
		dir = fixture_directory(f, &v, dir, name);
		memset(path + size, 'n', sizeof name - 1);
		size += sizeof name - 1;
		path[size++] = '/';
	}
	fixture_seal(f, &v);
	must(tree_walk(f->c, &v, v.root, "", on_item, &s, &e));
	assert_int_equal(s.count, 300);
	must(tree_find(f->c, &v, path, size - 1, &entry, &node, &e));
	assert_int_equal(entry.directory, dir);
}

static void what_is_not_there_is_named(void **state)
{
	struct fixture *f = *state;
	struct version v = small_tree(f);
	struct err e = ERR_NONE;
	struct entry entry;
	struct node node;

	must(tree_find(f->c, &v, "", 0, &entry, &node, &e));
	assert_int_equal(entry.directory, v.root);
	assert_int_equal(entry.name_size, 0);
	assert_int_equal(node.kind, NODE_DIRECTORY);
	must(tree_find(f->c, &v, "a/b/f", 5, &entry, &node, &e));
	assert_int_equal(node.kind, NODE_FILE);
	must_fail(tree_find(f->c, &v, "a/x/f", 5, &entry, &node, &e), MUNI_NOT_FOUND);
	assert_string_equal(e.text, "there is no a/x in hr@1");
	must_fail(tree_find(f->c, &v, "d/x", 3, &entry, &node, &e), MUNI_NOT_FOUND);
	assert_string_equal(e.text, "d in hr@1 is not a directory");
	must_fail(tree_find(f->c, &v, "a\n", 2, &entry, &node, &e), MUNI_NOT_FOUND);
	assert_string_equal(e.text, "there is no a\\n in hr@1");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(a_walk_is_depth_first_in_byte_order_and_may_ask_meanwhile),
		T(a_walk_below_a_directory_puts_its_prefix_in_front),
		T(a_row_can_keep_a_walk_out_stop_it_and_fail_it),
		T(wide_directories_are_walked_whole),
		T(deep_trees_are_walked_to_the_bottom_and_found),
		T(what_is_not_there_is_named),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
