/*
 * Reed-Solomon erasure code over GF(2^8), systematic, Cauchy matrix (ISA-L's
 * gf_gen_cauchy1_matrix; Plank 1997).  data_count + parity_count <= 255.
 */
#ifndef FS_BASE_RS_H
#define FS_BASE_RS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct rs;

int rs_new(unsigned data_count, unsigned parity_count, struct rs **out, struct err *e);
/* data[data_count], parity[parity_count], each of size bytes. Thread-safe. */
void rs_encode(const struct rs *rs, const uint8_t *const *data, uint8_t *const *parity,
	       size_t size);
/* Adds what shard `index` alone gives: over all of them, onto zeros, what rs_encode() gives. */
void rs_update(const struct rs *rs, unsigned index, const uint8_t *data,
	       uint8_t *const *parity, size_t size);
/* shards[data_count + parity_count] of size bytes; those with is_missing[i]
 * are rebuilt in place.  MUNI_DAMAGED if more than parity_count are missing. */
int rs_rebuild(const struct rs *rs, uint8_t *const *shards, const bool *is_missing,
	       size_t size, struct err *e);
void rs_free(struct rs *rs);

#endif
