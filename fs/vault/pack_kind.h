/*
 * What shares blocks with what: files of text with such, other small files with such, and
 * parts of large files with such.  What is alike is smaller together.
 *
 *   J1  Only sizes hang on it, told from a few hundred bytes.  No reader knows of it.
 */
#ifndef FS_VAULT_PACK_KIND_H
#define FS_VAULT_PACK_KIND_H

#include <stddef.h>

enum pack_kind {
	PACK_PART,	/* of a large file, which is read here and there */
	PACK_TEXT,
	PACK_BYTES,	/* programs, pictures, what is compressed already */
};

/* PACK_TEXT or PACK_BYTES; data: the whole file, or a part that is looked at whole. */
enum pack_kind pack_kind_of(const void *data, size_t size);

#endif
