/*
 * Merkle trees as RFC 9162, section 2.1, has them: leaf H(0x00 || data), node
 * H(0x01 || left || right), SHA-256; the empty tree is SHA-256("").
 */
#ifndef FS_CRYPT_MERKLE_H
#define FS_CRYPT_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/crypt/digest.h"

struct err;

struct digest merkle_leaf(const void *data, size_t size);
struct digest merkle_node(const struct digest *left, const struct digest *right);
/* The root over count leaf hashes in the given order. */
struct digest merkle_root(const struct digest *leaves, size_t count);

/* Inclusion proof (2.1.3.1) of leaf `index` among `count`: *out is malloc'ed,
 * *out_count hashes. */
int merkle_inclusion(const struct digest *leaves, size_t count, size_t index,
		     struct digest **out, size_t *out_count, struct err *e);
bool merkle_verify_inclusion(const struct digest *leaf, uint64_t index, uint64_t count,
			     const struct digest *path, size_t path_count,
			     const struct digest *root);
/* Consistency proof (2.1.4.1) from the first `old_count` leaves. */
int merkle_consistency(const struct digest *leaves, size_t count, size_t old_count,
		       struct digest **out, size_t *out_count, struct err *e);
bool merkle_verify_consistency(uint64_t old_count, uint64_t new_count,
			       const struct digest *path, size_t path_count,
			       const struct digest *old_root,
			       const struct digest *new_root);

/* The roots of the full subtrees of a growing log: enough to append and to
 * give the root, without the leaves. */
struct merkle_frontier {
	uint64_t count;
	struct digest peaks[64];	/* peaks[i]: subtree of 2^i leaves, valid
					 * where bit i of count is set */
};

void merkle_frontier_add(struct merkle_frontier *f, const struct digest *leaf);
struct digest merkle_frontier_root(const struct merkle_frontier *f);

#endif
