#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fs/crypt/merkle.h"
#include "fs/vault/leaf.h"

struct example {
	uint8_t salt[16];
	struct node node;
	struct digest content;
	struct leaf leaf;
};

static void example_make(struct example *x)
{
	memset(x, 0, sizeof *x);
	memset(x->salt, 0x5a, sizeof x->salt);
	x->node = (struct node){ .kind = NODE_FILE, .mode = 0644, .uid = 1000, .gid = 1000,
				 .size = 5, .allocated = 5, .links = 1,
				 .mtime = { 1600000000, 123456789 } };
	x->content = digest_of("hello", 5);
	x->leaf = (struct leaf){ .salt = x->salt, .name = "a.txt", .name_size = 5,
				 .node = &x->node, .owner = "ann", .group = "staff",
				 .content = &x->content };
}

static bool differs(const struct example *x, const struct digest *from)
{
	struct digest d = leaf_hash(&x->leaf);

	return !digest_equal(&d, from);
}

static void every_attribute_is_in_the_leaf(void **state)
{
	struct example x;
	struct digest plain;

	(void)state;
	example_make(&x);
	plain = leaf_hash(&x.leaf);
	assert_false(differs(&x, &plain));
#define CHANGED(change) do { example_make(&x); change; assert_true(differs(&x, &plain)); } while (0)
	CHANGED(x.salt[15] ^= 1);
	CHANGED(x.leaf.name = "b.txt");
	CHANGED(x.leaf.name_size = 4);
	CHANGED(x.leaf.owner = "bob");
	CHANGED(x.leaf.owner = NULL);
	CHANGED(x.leaf.group = "users");
	CHANGED((x.leaf.xattrs = "x", x.leaf.xattrs_size = 1));
	CHANGED(x.content.bytes[0] ^= 1);
	CHANGED(x.node.mode = 0600);
	CHANGED(x.node.uid = 0);
	CHANGED(x.node.gid = 0);
	CHANGED(x.node.size = 6);
	CHANGED(x.node.allocated = 4);
	CHANGED(x.node.links = 2);
	CHANGED(x.node.rdev_minor = 1);
	CHANGED(x.node.mtime.ns = 1);
	CHANGED(x.node.ctime.seconds = 1);
	CHANGED(x.node.atime.seconds = 1);
	CHANGED(x.node.has_btime = true);
	CHANGED(x.node.is_unstable = true);
	CHANGED(x.node.source_inode = 7);
	CHANGED(x.node.kind = NODE_FIFO);
#undef CHANGED
}

static void class_and_row_numbers_are_not_in_the_leaf(void **state)
{
	struct example x;
	struct digest plain;

	(void)state;
	example_make(&x);
	plain = leaf_hash(&x.leaf);
	x.node.id = 5;
	x.node.content = 6;
	x.node.class_id = 7;
	x.node.xattrs = 8;
	x.node.owner = 9;
	assert_false(differs(&x, &plain));
}

static void fields_cannot_run_into_each_other(void **state)
{
	struct example x, y;
	struct digest d;

	(void)state;
	example_make(&x);
	example_make(&y);
	x.leaf.owner = "ab";
	x.leaf.group = "c";
	y.leaf.owner = "a";
	y.leaf.group = "bc";
	d = leaf_hash(&x.leaf);
	assert_true(differs(&y, &d));
}

static void a_root_does_not_depend_on_the_order_of_leaves(void **state)
{
	struct digest a = digest_of("a", 1), b = digest_of("b", 1), c = digest_of("c", 1);
	struct digest one[] = { a, b, c }, two[] = { c, a, b };
	struct digest root = leaf_root(one, 3), other = leaf_root(two, 3);

	(void)state;
	assert_true(digest_equal(&root, &other));
	assert_true(memcmp(&one[0], &one[1], DIGEST_SIZE) < 0);
	root = leaf_root(NULL, 0);
	other = digest_of("", 0);
	assert_true(digest_equal(&root, &other));
}

static void holes_are_hashed_as_zeros(void **state)
{
	struct content_hash *h = content_hash_new();
	uint8_t *plain = calloc(1, 300000);
	struct digest want, got;

	(void)state;
	memcpy(plain + 100000, "data", 4);
	want = digest_of(plain, 300000);
	content_hash_start(h, 300000 - 4);
	content_hash_data(h, 100000, "data", 4);
	got = content_hash_finish(h, 300000);
	assert_true(digest_equal(&want, &got));
	/* A stream, which cannot know, comes to the same. */
	content_hash_start(h, CONTENT_HOLES_UNKNOWN);
	content_hash_data(h, 100000, "da", 2);
	content_hash_data(h, 100002, "ta", 2);
	got = content_hash_finish(h, 300000);
	assert_true(digest_equal(&want, &got));
	free(plain);
	content_hash_free(h);
}

static void a_terabyte_of_hole_costs_nothing_and_keeps_its_places(void **state)
{
	struct content_hash *h = content_hash_new();
	uint64_t size = 1ull << 40;
	struct digest known, unknown, moved;
	struct node n = { .kind = NODE_FILE, .size = size, .allocated = 4 };

	(void)state;
	assert_false(leaf_digest_is_plain(&n));
	content_hash_start(h, size - 4);
	content_hash_data(h, 1ull << 39, "data", 4);
	known = content_hash_finish(h, size);
	content_hash_start(h, CONTENT_HOLES_UNKNOWN);
	content_hash_data(h, 1ull << 39, "dat", 3);
	content_hash_data(h, (1ull << 39) + 3, "a", 1);
	unknown = content_hash_finish(h, size);
	assert_true(digest_equal(&known, &unknown));
	content_hash_start(h, size - 4);
	content_hash_data(h, (1ull << 39) + 1, "data", 4);
	moved = content_hash_finish(h, size);
	assert_false(digest_equal(&known, &moved));
	content_hash_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_attribute_is_in_the_leaf),
		cmocka_unit_test(class_and_row_numbers_are_not_in_the_leaf),
		cmocka_unit_test(fields_cannot_run_into_each_other),
		cmocka_unit_test(a_root_does_not_depend_on_the_order_of_leaves),
		cmocka_unit_test(holes_are_hashed_as_zeros),
		cmocka_unit_test(a_terabyte_of_hole_costs_nothing_and_keeps_its_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
