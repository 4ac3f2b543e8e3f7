#include "tests/unit/crypt/unit.h"

#include "fs/crypt/merkle.h"

/* The tree that the reference implementations of Certificate Transparency use. */
static const char *const inputs[8] = {
	"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
	"606162636465666768696a6b6c6d6e6f",
};
static const char *const roots[8] = {
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

#define LEAVES_MAX 70

static void reference_leaves(struct digest leaves[8])
{
	uint8_t data[16];

	for (size_t i = 0; i < 8; i++) {
		size_t size = bytes_of(inputs[i], data);

		leaves[i] = merkle_leaf(data, size);
	}
}

static void many_leaves(struct digest leaves[LEAVES_MAX])
{
	for (size_t i = 0; i < LEAVES_MAX; i++)
		leaves[i] = merkle_leaf(&i, sizeof i);
}

static void the_reference_tree_has_the_published_roots(void **state)
{
	struct digest leaves[8], root;

	(void)state;
	reference_leaves(leaves);
	for (size_t n = 1; n <= 8; n++) {
		root = merkle_root(leaves, n);
		assert_hex(root.bytes, 32, roots[n - 1]);
	}
	root = merkle_root(NULL, 0);
	assert_hex(root.bytes, 32,
		   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void assert_path(const struct digest *path, size_t count,
			const char *const *expected, size_t expected_count)
{
	assert_int_equal(count, expected_count);
	for (size_t i = 0; i < count; i++)
		assert_hex(path[i].bytes, 32, expected[i]);
}

static void the_reference_tree_has_the_published_proofs(void **state)
{
	static const char *const first_of_8[] = {
		"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
		"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
		"6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
	};
	static const char *const sixth_of_8[] = {
		"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
		"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	};
	static const char *const six_to_8[] = {
		"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
		"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	};
	struct digest leaves[8], *path;
	size_t count;
	struct err e = ERR_NONE;

	(void)state;
	reference_leaves(leaves);
	assert_int_equal(merkle_inclusion(leaves, 8, 0, &path, &count, &e), 0);
	assert_path(path, count, first_of_8, 3);
	free(path);
	assert_int_equal(merkle_inclusion(leaves, 8, 5, &path, &count, &e), 0);
	assert_path(path, count, sixth_of_8, 3);
	free(path);
	assert_int_equal(merkle_consistency(leaves, 8, 1, &path, &count, &e), 0);
	assert_path(path, count, first_of_8, 3);
	free(path);
	assert_int_equal(merkle_consistency(leaves, 8, 6, &path, &count, &e), 0);
	assert_path(path, count, six_to_8, 3);
	free(path);
}

static void the_frontier_gives_the_root_of_every_prefix(void **state)
{
	struct digest leaves[LEAVES_MAX], a, b;
	struct merkle_frontier f = { .count = 0 };

	(void)state;
	many_leaves(leaves);
	for (size_t n = 0; n < LEAVES_MAX; n++) {
		a = merkle_frontier_root(&f);
		b = merkle_root(leaves, n);
		assert_true(digest_equal(&a, &b));
		merkle_frontier_add(&f, &leaves[n]);
	}
}

/* RFC 9162, 2.1.1, by its recursive definition. */
static struct digest root_by_definition(const struct digest *leaves, size_t n)
{
	size_t k = 1;
	struct digest left, right;

	if (n == 1)
		return leaves[0];
	while (2 * k < n)
		k *= 2;
	left = root_by_definition(leaves, k);
	right = root_by_definition(leaves + k, n - k);
	return merkle_node(&left, &right);
}

static void every_inclusion_proof_holds_for_its_leaf_only(void **state)
{
	struct digest leaves[LEAVES_MAX], *path;
	size_t count;
	struct err e = ERR_NONE;

	(void)state;
	many_leaves(leaves);
	for (size_t n = 1; n <= LEAVES_MAX; n++) {
		struct digest root = root_by_definition(leaves, n);

		for (size_t i = 0; i < n; i++) {
			assert_int_equal(merkle_inclusion(leaves, n, i, &path, &count, &e), 0);
			assert_true(merkle_verify_inclusion(&leaves[i], i, n, path, count,
							    &root));
			assert_false(merkle_verify_inclusion(&leaves[(i + 1) % LEAVES_MAX], i,
							     n, path, count, &root));
			if (n > 1) {
				assert_false(merkle_verify_inclusion(
					&leaves[i], (i + 1) % n, n, path, count, &root));
				path[0].bytes[0] ^= 1;
				assert_false(merkle_verify_inclusion(&leaves[i], i, n, path,
								     count, &root));
				assert_false(merkle_verify_inclusion(&leaves[i], i, n, path,
								     count - 1, &root));
			}
			free(path);
		}
	}
	assert_int_equal(merkle_inclusion(leaves, 3, 3, &path, &count, &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
	assert_null(path);
	assert_false(merkle_verify_inclusion(&leaves[0], 0, 0, NULL, 0, &leaves[0]));
}

static void every_consistency_proof_holds_for_its_pair_only(void **state)
{
	struct digest leaves[LEAVES_MAX], *path;
	size_t count;
	struct err e = ERR_NONE;

	(void)state;
	many_leaves(leaves);
	for (size_t n = 1; n <= LEAVES_MAX; n++) {
		struct digest new_root = root_by_definition(leaves, n);

		for (size_t m = 1; m <= n; m++) {
			struct digest old_root = root_by_definition(leaves, m), other = old_root;

			other.bytes[3] ^= 8;
			assert_int_equal(merkle_consistency(leaves, n, m, &path, &count, &e), 0);
			assert_true(merkle_verify_consistency(m, n, path, count, &old_root,
							      &new_root));
			assert_false(merkle_verify_consistency(m, n, path, count, &other,
							       &new_root));
			assert_false(merkle_verify_consistency(m, n, path, count, &old_root,
							       &other));
			if (m < n)
				assert_false(merkle_verify_consistency(
					m, n, path, count - 1, &old_root, &new_root));
			free(path);
		}
	}
	assert_int_equal(merkle_consistency(leaves, 3, 4, &path, &count, &e), -1);
	assert_int_equal(merkle_consistency(leaves, 3, 0, &path, &count, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_tree_has_the_published_roots),
		cmocka_unit_test(the_reference_tree_has_the_published_proofs),
		cmocka_unit_test(the_frontier_gives_the_root_of_every_prefix),
		cmocka_unit_test(every_inclusion_proof_holds_for_its_leaf_only),
		cmocka_unit_test(every_consistency_proof_holds_for_its_pair_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
