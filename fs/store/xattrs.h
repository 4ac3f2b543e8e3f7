/*
 * A set of extended attributes as one blob: count, then per attribute name
 * size, name, value size, value, sorted by name, so that equal sets are equal
 * bytes.  POSIX ACLs (system.posix_acl_access/_default) and capabilities
 * (security.capability) are attributes like any other, in the kernel's bytes.
 */
#ifndef FS_STORE_XATTRS_H
#define FS_STORE_XATTRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct xattr {
	const char *name;	/* NUL ended; borrowed */
	const uint8_t *value;	/* borrowed */
	uint32_t size;
};

/* Sorts `list` in place; *out malloc'ed.  MUNI_LIMIT over 255 bytes of name,
 * 64 KiB of value, 16 MiB in all. */
int xattrs_pack(struct xattr *list, size_t count, uint8_t **out, size_t *size,
		struct err *e);
/* Calls row for each; row's values point into blob.  1 stops. */
int xattrs_each(const void *blob, size_t size,
		int (*row)(void *arg, const struct xattr *x), void *arg, struct err *e);
/* MUNI_NOT_FOUND. */
int xattrs_find(const void *blob, size_t size, const char *name, struct xattr *out,
		struct err *e);

#endif
