/*
 * Headers of the pax interchange format (POSIX.1-2008, pax, "pax Interchange
 * Format"), with the vendor records that GNU tar, star and libarchive share.
 *
 * Written here and not by libarchive, whose writer turns half a second before
 * 1970 into another time ("-1.5" for -0.5).
 */
#ifndef FS_VAULT_EXPORT_PAX_H
#define FS_VAULT_EXPORT_PAX_H

#include "fs/base/bytes.h"
#include "fs/vault/export_inside.h"

#define PAX_BLOCK 512

struct pax_entry {
	const struct export_item *item;
	const char *path;	/* as it is to stand there: "a/b", "dir/" */
	char type;		/* '0' file, '1' hard link, '2' ... as in ustar */
	const char *link;	/* types '1' and '2' */
	uint64_t stored;	/* bytes that follow the header */
	bool is_sparse;		/* GNU's format 1.0: a map stands before the data */
};

/* Appends all of the entry's header blocks. */
int pax_put_header(struct buffer *b, const struct pax_entry *p, struct err *e);
/* The map that precedes a sparse file's data, padded. */
void pax_put_map(struct buffer *b, const struct export_hole_map *map, uint64_t size);

#endif
