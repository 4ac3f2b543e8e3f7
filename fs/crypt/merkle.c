#include "fs/crypt/merkle.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"

#define PATH_MAX_HASHES 64	/* a tree of 2^64 leaves is 64 high */

struct digest merkle_leaf(const void *data, size_t size)
{
	return digest_of_pair("\0", 1, data, size);
}

struct digest merkle_node(const struct digest *left, const struct digest *right)
{
	uint8_t raw[1 + 2 * DIGEST_SIZE] = {1};

	memcpy(raw + 1, left->bytes, DIGEST_SIZE);
	memcpy(raw + 1 + DIGEST_SIZE, right->bytes, DIGEST_SIZE);
	return digest_of(raw, sizeof raw);
}

void merkle_frontier_add(struct merkle_frontier *f, const struct digest *leaf)
{
	struct digest carry = *leaf;
	unsigned level = 0;

	/* As adding one to a binary counter: each carry joins two subtrees. */
	for (; f->count >> level & 1; level++)
		carry = merkle_node(&f->peaks[level], &carry);
	f->peaks[level] = carry;
	f->count++;
}

struct digest merkle_frontier_root(const struct merkle_frontier *f)
{
	struct digest root = {{0}};
	bool is_first = true;

	for (unsigned level = 0; level < 64; level++) {
		if (!(f->count >> level & 1))
			continue;
		root = is_first ? f->peaks[level] : merkle_node(&f->peaks[level], &root);
		is_first = false;
	}
	return is_first ? digest_of(NULL, 0) : root;
}

struct digest merkle_root(const struct digest *leaves, size_t count)
{
	struct merkle_frontier f = { .count = 0 };

	for (size_t i = 0; i < count; i++)
		merkle_frontier_add(&f, &leaves[i]);
	return merkle_frontier_root(&f);
}

/* The largest power of two below n; n > 1. */
static size_t split(size_t n)
{
	size_t k = 1;

	while (k < n - k)
		k *= 2;
	return k;
}

struct path {
	struct digest hashes[PATH_MAX_HASHES];
	size_t count;
};

/* Proofs are found from the root down and stand from the leaf up. */
static int path_upward(const struct path *p, struct digest **out, size_t *out_count,
		       struct err *e)
{
	*out = calloc(p->count ? p->count : 1, sizeof **out);
	if (!*out)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a proof");
	for (size_t i = 0; i < p->count; i++)
		(*out)[i] = p->hashes[p->count - 1 - i];
	*out_count = p->count;
	return 0;
}

int merkle_inclusion(const struct digest *leaves, size_t count, size_t index,
		     struct digest **out, size_t *out_count, struct err *e)
{
	struct path p = { .count = 0 };

	*out = NULL;
	*out_count = 0;
	if (index >= count)
		return err_set(e, MUNI_USAGE, "there is no leaf %zu in a tree of %zu", index,
			       count);
	while (count > 1) {
		size_t k = split(count);

		if (index < k) {
			p.hashes[p.count++] = merkle_root(leaves + k, count - k);
			count = k;
		} else {
			p.hashes[p.count++] = merkle_root(leaves, k);
			leaves += k;
			index -= k;
			count -= k;
		}
	}
	return path_upward(&p, out, out_count, e);
}

int merkle_consistency(const struct digest *leaves, size_t count, size_t old_count,
		       struct digest **out, size_t *out_count, struct err *e)
{
	struct path p = { .count = 0 };
	bool is_whole = true;	/* SUBPROOF's b: the verifier knows this subtree's root */

	*out = NULL;
	*out_count = 0;
	if (old_count == 0 || old_count > count)
		return err_set(e, MUNI_USAGE, "a tree of %zu leaves cannot be proved from "
			       "one of %zu", count, old_count);
	while (old_count != count) {
		size_t k = split(count);

		if (old_count <= k) {
			p.hashes[p.count++] = merkle_root(leaves + k, count - k);
			count = k;
		} else {
			p.hashes[p.count++] = merkle_root(leaves, k);
			leaves += k;
			old_count -= k;
			count -= k;
			is_whole = false;
		}
	}
	if (!is_whole)
		p.hashes[p.count++] = merkle_root(leaves, count);
	return path_upward(&p, out, out_count, e);
}

/* RFC 9162, 2.1.3.2. */
bool merkle_verify_inclusion(const struct digest *leaf, uint64_t index, uint64_t count,
			     const struct digest *path, size_t path_count,
			     const struct digest *root)
{
	struct digest r = *leaf;
	uint64_t fn = index, sn = count - 1;

	if (index >= count)
		return false;
	for (size_t i = 0; i < path_count; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			r = merkle_node(&path[i], &r);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			r = merkle_node(&r, &path[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && digest_equal(&r, root);
}

/* RFC 9162, 2.1.4.2. */
bool merkle_verify_consistency(uint64_t old_count, uint64_t new_count,
			       const struct digest *path, size_t path_count,
			       const struct digest *old_root,
			       const struct digest *new_root)
{
	struct digest fr, sr;
	uint64_t fn = old_count - 1, sn = new_count - 1;
	size_t i = 0;

	if (old_count == 0 || old_count > new_count)
		return false;
	if (old_count == new_count)
		return path_count == 0 && digest_equal(old_root, new_root);
	if ((old_count & (old_count - 1)) == 0) {
		fr = *old_root;		/* a power of two: the path leaves it out */
	} else {
		if (path_count == 0)
			return false;
		fr = path[i++];
	}
	sr = fr;
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	for (; i < path_count; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			fr = merkle_node(&path[i], &fr);
			sr = merkle_node(&path[i], &sr);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			sr = merkle_node(&sr, &path[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && digest_equal(&fr, old_root) && digest_equal(&sr, new_root);
}
