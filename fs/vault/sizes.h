/*
 * What an archive takes on disk, by purpose.
 */
#ifndef FS_VAULT_SIZES_H
#define FS_VAULT_SIZES_H

#include <stdint.h>

struct err;
struct vault;

struct vault_sizes {		/* bytes of files */
	uint64_t data;		/* segments: content, compressed and sealed */
	uint64_t catalogue;	/* names, metadata, places, keys */
	uint64_t copies;	/* the catalogue's second home, beside the segments */
	uint64_t parity;
};

/* Looks at each file's size once.  Keyring, log and certificates, which lie elsewhere or
 * weigh little, are not in it. */
int vault_sizes(const struct vault *v, struct vault_sizes *out, struct err *e);

#endif
