/*
 * Two names of a chunk: one leads a later ingest to where its bytes may stand, the other
 * tells this ingest that it has them already.
 *
 *   N1  Chunks of one class with equal bytes have equal names, if they came in the same way:
 *       as the whole content of a file, or as a part of one.
 *   N2  `here`, which nobody compares bytes for, is a universal hash of the bytes or of
 *       their SHA-256, under a key that lives as long as the ingest and stands nowhere: so
 *       nobody can make two chunks with one, not even who holds the archive's keys.
 *   N3  `kept`, which the catalogue has, tells nothing without the dedupe key; what it leads
 *       to is compared (pack_known.h).
 */
#ifndef FS_VAULT_PACK_NAME_H
#define FS_VAULT_PACK_NAME_H

#include <stddef.h>
#include <stdint.h>

struct digest;
struct err;
struct pack_names;
struct pack_namer;

struct pack_names_of {
	uint8_t here[16];
	uint8_t kept[16];
};

/* An ingest's.  dedupe_key: 32 bytes, borrowed; how: of enum chunk_names. */
int pack_names_new(const uint8_t *dedupe_key, unsigned how, struct pack_names **out,
		   struct err *e);
void pack_names_free(struct pack_names *n);	/* NULL is allowed */

/* A thread's. */
int pack_namer_new(const struct pack_names *n, struct pack_namer **out, struct err *e);
void pack_namer_free(struct pack_namer *n);	/* NULL is allowed */

/* digest: of data, which is a file's whole content; NULL: it is a part. */
int pack_namer_of(struct pack_namer *n, int64_t class_id, const void *data, size_t size,
		  const struct digest *digest, struct pack_names_of *out, struct err *e);

#endif
