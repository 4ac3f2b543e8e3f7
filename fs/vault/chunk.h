/*
 * Cutting a file where its content says so: FastCDC (Xia et al., USENIX ATC
 * 2016) with normalised chunking and a gear table that comes from the archive's
 * secret, so that the lengths of chunks say less about known files.
 *
 *   H1  The same bytes from a cut onward give the same cuts, whatever stood
 *       before: an insertion changes the chunks around it and no others.
 *   H2  Every chunk but a run's last has at least `min` bytes; none has more
 *       than `max`.
 */
#ifndef FS_VAULT_CHUNK_H
#define FS_VAULT_CHUNK_H

#include <stddef.h>
#include <stdint.h>

struct err;

struct chunker {
	uint64_t gear[256];
	uint64_t mask_small;	/* harder to meet: up to the average */
	uint64_t mask_large;	/* easier: past it */
	size_t min, average, max;
};

/* Sizes follow the target size of a block: 1/8, 1/2 and 3/2 of it.  key: 32
 * bytes.  block_size: 4 KiB to 640 KiB, else MUNI_USAGE. */
int chunker_init(struct chunker *c, const uint8_t key[32], uint32_t block_size,
		 struct err *e);

/*
 * Length of the first chunk of data[size].  The caller offers at least c->max
 * bytes, or all that is left of the run (then the last chunk may be short).
 */
size_t chunker_cut(const struct chunker *c, const uint8_t *data, size_t size);

#endif
