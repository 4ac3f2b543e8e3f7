/*
 * What is packed as one stream: gzip, bzip2, xz, lzma, lzip, zstd, lz4, compress,
 * and the payload of an rpm.
 *
 *   U1  A checksum that does not fit, or an end that is missing, is damage; what
 *       came out before it is given all the same.
 *   U2  Every byte that comes out is counted by look_expanded().
 */
#ifndef FS_CONTENT_EXTRACT_UNPACK_H
#define FS_CONTENT_EXTRACT_UNPACK_H

#include <stddef.h>
#include <sys/types.h>

struct err;
struct input;
struct look;
struct unpack;

/* The packing that these first bytes show ("gzip", "xz"); NULL: none of ours. */
const char *unpack_name(const void *head, size_t size);

/* in: borrowed; one that unpack_name() knows.  -1: memory, or reading failed. */
int unpack_new(struct look *l, struct input *in, struct unpack **out, struct err *e);
void unpack_free(struct unpack *u);	/* NULL is allowed */
/* For input_of_stream(): ends where damage begins. */
ssize_t unpack_read(void *u, void *out, size_t size, struct err *e);
/* Why it ended before its end; "" when it did not (yet). */
const char *unpack_damage(const struct unpack *u);
/* The name that gzip stores of what it packed; "" where there is none. */
const char *unpack_stored_name(const struct unpack *u);

#endif
