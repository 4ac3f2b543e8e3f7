/*
 * Leaves and roots of the Merkle trees over directories.  docs/format.md,
 * "Version statement and Merkle trees", gives the bytes.
 *
 * A directory's tree is an RFC 9162 tree over the leaves of its entries, sorted
 * by leaf hash: a leaf whose name was destroyed keeps its place.  Everything
 * that goes into a leaf stands in the catalogue, so that verify recomputes it.
 */
#ifndef FS_VAULT_LEAF_H
#define FS_VAULT_LEAF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/catalogue.h"

/* What one leaf covers; all borrowed. */
struct leaf {
	const uint8_t *salt;	/* 16 bytes */
	const void *name;	/* size 0: a version's top directory */
	size_t name_size;
	const struct node *node;
	const char *owner, *group;	/* account names; NULL: unknown */
	const void *xattrs;	/* the packed set; NULL: none */
	size_t xattrs_size;
	const void *target;	/* kind symlink */
	size_t target_size;
	const struct digest *content;	/* kind file: its digest; directory: its root */
};

struct digest leaf_hash(const struct leaf *l);
/* The bytes that leaf_hash() hashes, without the 0x00 in front: malloc'ed. */
int leaf_bytes(const struct leaf *l, uint8_t **out, size_t *size, struct err *e);

/*
 * The root over leaves in any order; sorts them in place.  Then the version's
 * own root adds the top directory's metadata: leaf_hash() with an empty name, a
 * salt of zeros and this as content.
 */
struct digest leaf_root(struct digest *leaves, size_t count);
void leaf_sort(struct digest *leaves, size_t count);

/*
 * The leaf of an entry as the catalogue has it.  For a directory its root in
 * that version is read from its row.  MUNI_DAMAGED if rows are missing.
 */
int leaf_of_entry(struct catalogue *c, int64_t version, const struct entry *entry,
		  struct digest *out, struct err *e);
/* The bytes under that hash, for a proof: malloc'ed. */
int leaf_bytes_of_entry(struct catalogue *c, int64_t version, const struct entry *entry,
			uint8_t **out, size_t *size, struct err *e);
int leaf_bytes_of_version(struct catalogue *c, int64_t version, int64_t root, uint8_t **out,
			  size_t *size, struct err *e);
/* All leaves of a directory, stubs of what was destroyed among them, sorted as its tree
 * has them; *out malloc'ed. */
int leaf_leaves(struct catalogue *c, int64_t version, int64_t directory, struct digest **out,
		size_t *count, struct err *e);
/* A directory's root, computed from its entries; its children's roots are
 * believed from their rows. */
int leaf_root_of_directory(struct catalogue *c, int64_t version, int64_t directory,
			   struct digest *out, struct err *e);
/* The entries of a directory in byte order of names; unlike catalogue_list() the
 * row may ask the catalogue for more.  row(): 0 go on, -1 with e filled. */
int leaf_each_row(struct catalogue *c, int64_t version, int64_t directory,
		  int (*row)(void *arg, const struct entry *entry, struct err *e),
		  void *arg, struct err *e);
/* What version.merkle has to be: over the top directory's node and root. */
int leaf_of_version(struct catalogue *c, int64_t version, int64_t root,
		    struct digest *out, struct err *e);

/*
 * A file's digest is the SHA-256 of its bytes, holes as zeros, as sha256sum
 * shows it; but nobody hashes a terabyte of zeros: a file with more hole than
 * this has a digest of its data and their places instead.
 */
#define LEAF_HOLE_MAX (1ull << 30)
bool leaf_digest_is_plain(const struct node *node);

/*
 * Either digest of a file, from its data in order.  `holes`: the sum of its
 * holes; CONTENT_HOLES_UNKNOWN (a stream) hashes both ways at once.
 */
#define CONTENT_HOLES_UNKNOWN UINT64_MAX
struct content_hash;
struct content_hash *content_hash_new(void);	/* NULL without memory */
void content_hash_start(struct content_hash *h, uint64_t holes);
/* offset ascends; what was skipped is hole. */
void content_hash_data(struct content_hash *h, uint64_t offset, const void *data,
		       size_t size);
struct digest content_hash_finish(struct content_hash *h, uint64_t file_size);
void content_hash_free(struct content_hash *h);	/* NULL is allowed */

#endif
