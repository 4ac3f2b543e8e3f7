/*
 * How hard a block is compressed, and how large it is: zstd's parameters and the sizes
 * that go with them.  docs/decisions/0100-leaders.md has the measurements.
 */
#include <assert.h>

#include <zstd.h>

#include "fs/store/block_inside.h"

/*
 * zstd's choice for 128 KiB of input (from level 13 for 1 MiB; 3 is as measured), as of 1.5.4:
 * pinned, for the library's own choice moves with its version and with the size of
 * input and prefix, not always for the better.
 */
static const struct block_params levels[BLOCK_LEVEL_MAX] = {
	{ 12, 13, 1, 6, 0, ZSTD_fast },
	{ 13, 15, 1, 5, 0, ZSTD_fast },
	{ 16, 18, 1, 5, 0, ZSTD_dfast },
	{ 17, 17, 2, 4, 0, ZSTD_dfast },
	{ 16, 17, 3, 4, 2, ZSTD_greedy },
	{ 16, 17, 3, 4, 4, ZSTD_lazy },
	{ 16, 17, 3, 4, 8, ZSTD_lazy2 },
	{ 16, 17, 4, 4, 8, ZSTD_lazy2 },
	{ 16, 17, 5, 4, 8, ZSTD_lazy2 },
	{ 16, 17, 6, 4, 8, ZSTD_lazy2 },
	{ 17, 17, 5, 4, 8, ZSTD_btlazy2 },
	{ 18, 17, 7, 4, 12, ZSTD_btlazy2 },
	{ 21, 21, 4, 5, 32, ZSTD_btlazy2 },
	{ 21, 21, 5, 5, 32, ZSTD_btlazy2 },
	{ 21, 21, 6, 5, 32, ZSTD_btlazy2 },
	{ 21, 21, 5, 5, 48, ZSTD_btopt },
	{ 21, 21, 5, 4, 64, ZSTD_btopt },
	{ 21, 21, 6, 3, 64, ZSTD_btultra },
	{ 21, 21, 7, 3, 256, ZSTD_btultra2 },
};

/* What is much like its leader: one table and long matches find what there is to find, in
 * two thirds of the time that two tables take, and smaller (0140 has other lengths). */
static const struct block_params alike = { 13, 16, 1, 6, 0, ZSTD_fast };
#define ALIKE_LEVEL_MAX 3	/* a higher level tries harder than that anyway */

const struct block_params *block_params_of(int level, bool is_alike)
{
	assert(level >= 1 && level <= BLOCK_LEVEL_MAX);
	return is_alike && level <= ALIKE_LEVEL_MAX ? &alike : &levels[level - 1];
}

/* A block that has bases of older versions is mostly found in them: a search that would be
 * too slow without them costs little (docs/decisions/0103-bases-by-sketches.md). */
#define BASED_LEVELS 7

const struct block_params *block_params_based(int level)
{
	int more = level + BASED_LEVELS;

	return block_params_of(more < BLOCK_LEVEL_MAX ? more : BLOCK_LEVEL_MAX, false);
}

uint32_t block_size_default(int level)
{
	return level >= BLOCK_LEVEL_DENSE ? 256 * 1024 : 64 * 1024;
}

static uint32_t at_most_a_block(uint64_t size)
{
	return size < BLOCK_RAW_MAX ? (uint32_t)size : BLOCK_RAW_MAX;
}

void block_sizes_of(uint32_t block_size, int level, struct block_sizes *out)
{
	uint64_t n = block_size;

	/* Long matches make up for their length where there is more to find them in. */
	out->leader = at_most_a_block(level >= BLOCK_LEVEL_DENSE ? n * 4 : n * 5);
	/* A leader and what it leads are about the window (0156). */
	out->files_leader = at_most_a_block(level >= BLOCK_LEVEL_DENSE ? n * 4 : n * 8);
	out->large = at_most_a_block(level >= BLOCK_LEVEL_DENSE ? n * 4 : n * 8);
	out->usual = at_most_a_block(n * 2);
	out->alike = at_most_a_block(level >= BLOCK_LEVEL_DENSE ? n * 4 : n / 2);
}
