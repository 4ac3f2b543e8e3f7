#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fs/vault/ingest_tree.h"
#include "fs/vault/walk.h"

static struct ingest_tree *tree;
static bool was_again;

/* NULL: it was taken; else why not. */
static const char *put(const char *path, bool is_directory)
{
	struct meta m = { .kind = is_directory ? NODE_DIRECTORY : NODE_FILE, .size = 1 };
	struct inode *inode = inode_new(tree, &m);
	struct tree_node *parent;
	const char *name, *refusal;
	struct err e = ERR_NONE;
	size_t size;

	assert_int_equal(ingest_tree_way(tree, path, strlen(path), &parent, &name, &size,
					 &refusal, &e), 0);
	if (!refusal)
		assert_int_equal(ingest_tree_put(tree, parent, name, size, inode,
						 is_directory, 5, &was_again, &refusal,
						 &e), 0);
	return refusal;
}

static struct tree_node *find(const char *path)
{
	return ingest_tree_find(tree, path, strlen(path));
}

static int make(void **state)
{
	(void)state;
	tree = ingest_tree_new();
	return tree ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	ingest_tree_free(tree);
	return 0;
}

static void no_path_leads_out(void **state)
{
	(void)state;
	assert_non_null(put("../x", false));
	assert_non_null(put("a/../../x", false));
	assert_non_null(put("..", false));
	assert_null(put("...", false));
	assert_null(put("//abs/./file", false));
	assert_non_null(find("abs/file"));
	assert_ptr_equal(find("/abs//file/"), find("abs/file"));
	assert_null(find("x"));
}

static void nothing_stands_below_what_is_no_directory(void **state)
{
	(void)state;
	assert_null(put("link", false));
	assert_non_null(put("link/below", false));
	assert_null(find("link/below"));
}

static void a_directory_with_entries_gives_way_to_nothing(void **state)
{
	(void)state;
	assert_null(put("d/f", false));
	assert_non_null(put("d", false));
	assert_true(find("d")->is_directory);
	assert_null(put("empty", true));
	assert_null(put("empty", false));
	assert_false(find("empty")->is_directory);
	assert_null(put("d", true));
	assert_non_null(find("d/f"));
	assert_non_null(put("", false));	/* the top is no file */
}

static void of_two_entries_the_later_stands(void **state)
{
	struct inode *first;

	(void)state;
	assert_null(put("f", false));
	assert_false(was_again);
	first = find("f")->inode;
	assert_null(put("./f", false));
	assert_true(was_again);
	assert_ptr_not_equal(find("f")->inode, first);
	assert_int_equal(first->links, 0);
	assert_int_equal(ingest_tree_top(tree)->child_count, 1);
}

static void names_are_no_longer_than_the_catalogue_keeps(void **state)
{
	char path[300];

	(void)state;
	memset(path, 'n', sizeof path);
	path[256] = 0;
	assert_non_null(put(path, false));
	path[255] = 0;
	assert_null(put(path, false));
}

static void a_directory_that_only_paths_name_is_as_new_as_what_it_holds(void **state)
{
	(void)state;
	assert_null(put("a/b/c", false));
	assert_null(find("a/b")->inode);
	assert_int_equal(find("a/b")->newest, 5);
	assert_int_equal(ingest_tree_top(tree)->newest, 5);
}

static void what_is_packed_comes_out_as_it_was(void **state)
{
	struct meta m = {
		.kind = NODE_FILE, .mode = 04755, .uid = 70000, .gid = 3, .size = 1ull << 40,
		.mtime = { -5000000000, 999999999 }, .has_mtime = true,
		.btime = { 1, 2 }, .has_btime = true,
		.xattrs = (uint8_t *)(uintptr_t)"set", .xattrs_size = 3,
	};
	struct inode *i = inode_new(tree, &m);
	struct body *b = body_new(), *out;
	struct err e = ERR_NONE;

	(void)state;
	b->digest = digest_of("x", 1);
	assert_true(body_extend(b, 0, &(struct chunk_place){ 9, 100, 50 }));
	assert_true(body_extend(b, 50, &(struct chunk_place){ 9, 150, 50 }));	/* joins */
	assert_true(body_extend(b, 1ull << 39, &(struct chunk_place){ 3, 0, 7 }));
	assert_int_equal(inode_set_content(i, b, &e), 0);
	out = inode_body(i);
	assert_int_equal(out->extent_count, 2);
	for (size_t k = 0; k < 2; k++) {
		assert_int_equal(out->extents[k].offset, b->extents[k].offset);
		assert_int_equal(out->extents[k].size, b->extents[k].size);
		assert_int_equal(out->extents[k].block, b->extents[k].block);
		assert_int_equal(out->extents[k].at, b->extents[k].at);
	}
	assert_int_equal(out->allocated, 107);
	assert_true(digest_equal(&out->digest, &b->digest));
	assert_int_equal(out->meta.mode, 04755);
	assert_int_equal(out->meta.uid, 70000);
	assert_int_equal(out->meta.size, 1ull << 40);
	assert_int_equal(out->meta.mtime.seconds, -5000000000);
	assert_int_equal(out->meta.mtime.ns, 999999999);
	assert_int_equal(out->meta.btime.ns, 2);
	assert_false(out->meta.has_ctime);
	assert_memory_equal(out->meta.xattrs, "set", 3);
	body_unref(out);
	body_unref(b);
}

static void patterns_leave_out_what_they_say(void **state)
{
	const char *const globs[] = { "*.o", "build/", "/top/*.log", "a/b" };
	struct ingest_options o = { .excludes = globs, .exclude_count = 4 };

	(void)state;
	assert_true(walk_is_excluded(&o, "x/y.o", "y.o", false));
	assert_true(walk_is_excluded(&o, "x/build", "build", true));
	assert_false(walk_is_excluded(&o, "x/build", "build", false));
	assert_true(walk_is_excluded(&o, "top/a.log", "a.log", false));
	assert_false(walk_is_excluded(&o, "not/top/a.log", "a.log", false));
	assert_true(walk_is_excluded(&o, "a/b", "b", false));
	assert_false(walk_is_excluded(&o, "x/a/b", "b", false));
	assert_false(walk_is_excluded(&o, "b", "b", false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_path_leads_out, make, unmake),
		cmocka_unit_test_setup_teardown(nothing_stands_below_what_is_no_directory,
						make, unmake),
		cmocka_unit_test_setup_teardown(
			a_directory_with_entries_gives_way_to_nothing, make, unmake),
		cmocka_unit_test_setup_teardown(of_two_entries_the_later_stands, make,
						unmake),
		cmocka_unit_test_setup_teardown(
			names_are_no_longer_than_the_catalogue_keeps, make, unmake),
		cmocka_unit_test_setup_teardown(
			a_directory_that_only_paths_name_is_as_new_as_what_it_holds, make,
			unmake),
		cmocka_unit_test_setup_teardown(what_is_packed_comes_out_as_it_was, make,
						unmake),
		cmocka_unit_test(patterns_leave_out_what_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
