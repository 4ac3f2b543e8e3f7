/*
 * gzip (RFC 1952), all members, with the trailer's CRC-32 and length checked:
 * libarchive's own filter skips both, so a flipped bit would pass.
 */
#ifndef FS_BASE_GUNZIP_H
#define FS_BASE_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct gunzip;

/* Gives the next bytes of the packed stream: > 0, 0 at its end, -1 with e set.
 * The bytes stay good until the next call. */
typedef ssize_t (*gunzip_fetch)(void *arg, const void **data, struct err *e);

struct gunzip *gunzip_new(gunzip_fetch fetch, void *arg);	/* NULL without memory */
/* As gunzip_fetch, of plain bytes.  MUNI_DAMAGED: cut off, or not what was packed. */
ssize_t gunzip_read(struct gunzip *g, const void **data, struct err *e);
/* Bytes that are neither gzip nor padding followed the last member. */
bool gunzip_has_trailing(const struct gunzip *g);
void gunzip_free(struct gunzip *g);

#endif
