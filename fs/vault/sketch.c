#include "fs/vault/sketch.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"

#define WINDOW 64		/* bytes that a feature is a hash of */
#define BEFORE 48		/* of them, before a line's end: rows of a dump begin alike */
#define BYTES_A_FEATURE 2048	/* that is kept */
#define FEATURES_LEAST 4
#define SKIP 192		/* bytes, after a place: a feature in some 256 bytes is enough */
/* With fewer features than one in so many bytes, lines do not make the sketch. */
#define SPARSE 2048

/* Any odd numbers do; on disk by what they give: never change them (F1). */
static const uint64_t mix[9] = {
	0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9, 0xd6e8feb86659fd93,
	0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3, 0x589965cc75374cc3,
	0x1d8e4e27c47d124f,
};

static inline uint64_t word(const uint8_t *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static inline uint32_t feature(const uint8_t *at)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < WINDOW / 8; i += 2)
		h += (word(at + i * 8) + mix[i]) * (word(at + i * 8 + 8) + mix[i + 1]);
	h ^= h >> 32;
	h *= mix[8];
	return (uint32_t)(h >> 32);
}

/* Cheaper than a feature, so that most places cost no more. */
static inline uint64_t taste(uint64_t a, uint64_t b)
{
	return (a * mix[0] + (b ^ mix[1])) * mix[2];
}

/* Text has no zero bytes to speak of. */
static bool is_text(const uint8_t *raw, size_t size)
{
	size_t zeros = 0, count = 0;

	for (size_t i = 0; i < size; i += 61, count++)
		zeros += raw[i] == 0;
	return zeros <= count / 64;
}

static size_t at_lines(const uint8_t *raw, size_t size, size_t skip, uint32_t *out)
{
	const uint8_t *at = raw + BEFORE, *end = raw + size - (WINDOW - BEFORE);
	size_t count = 0;

	while (at < end && count < SKETCH_FEATURES_MAX) {
		const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			break;
		at = stop + 1;
		if (taste(word(stop - 24), word(stop - 8)) >> 62 == 0) {
			out[count++] = feature(stop - BEFORE);
			at += skip;
		}
	}
	return count;
}

static size_t anywhere(const uint8_t *raw, size_t size, size_t skip, uint32_t *out,
		       size_t count)
{
	const uint8_t *at = raw, *end = raw + size - WINDOW;
	uint64_t last = 0;

	while (at <= end && count < SKETCH_FEATURES_MAX) {
		uint64_t v = word(at);

		if (((v ^ mix[3]) * mix[4]) >> 58 != 0) {
			at++;
			continue;
		}
		/* A run of one byte is told once. */
		if (v != last)
			out[count++] = feature(at);
		last = v;
		at += 1 + skip;
	}
	return count;
}

size_t sketch_features(const uint8_t *raw, size_t size, bool is_thorough, uint32_t *out)
{
	size_t skip = is_thorough ? 0 : SKIP;
	bool has_lines = size >= WINDOW && is_text(raw, size);
	size_t count = 0;

	if (size < WINDOW)
		return 0;
	if (has_lines || is_thorough)
		count = at_lines(raw, size, skip, out);
	if (!has_lines || count < size / SPARSE)
		count = anywhere(raw, size, skip, out, count);
	return count;
}

void sketch_keep(const uint32_t *features, size_t count, size_t raw_size,
		 struct sketch *out)
{
	size_t most = raw_size / BYTES_A_FEATURE, kept = 0;
	uint32_t *f = out->features;

	if (most < FEATURES_LEAST)
		most = FEATURES_LEAST;
	if (most > SKETCH_MAX)
		most = SKETCH_MAX;
	for (size_t i = 0; i < count; i++) {
		size_t to = kept;

		if (kept == most && features[i] >= f[most - 1])
			continue;
		while (to > 0 && f[to - 1] > features[i])
			to--;
		if (to > 0 && f[to - 1] == features[i])
			continue;
		if (kept < most)
			kept++;
		memmove(f + to + 1, f + to, (kept - 1 - to) * sizeof *f);
		f[to] = features[i];
	}
	out->count = (uint8_t)kept;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

size_t sketch_apart(uint32_t *features, size_t count)
{
	size_t kept = 0;

	if (count == 0)
		return 0;
	qsort(features, count, sizeof *features, compare);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || features[kept - 1] != features[i])
			features[kept++] = features[i];
	return kept;
}
