/*
 * Which of 64 bytes are of a kind: a bit a byte, the first the lowest.  ASCII alone.
 */
#ifndef POLICY_DETECT_DETECT_MASKS_H
#define POLICY_DETECT_DETECT_MASKS_H

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Those from first to last. */
static inline uint64_t detect_mask_range(const char *text, char first, char last)
{
	uint64_t mask = 0;

#ifdef __SSE2__
	for (unsigned i = 0; i < 4; i++) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * i));
		__m128i moved = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
		__m128i limit = _mm_set1_epi8((char)(last - first));
		__m128i within = _mm_cmpeq_epi8(_mm_min_epu8(moved, limit), moved);

		mask |= (uint64_t)(unsigned)_mm_movemask_epi8(within) << (16 * i);
	}
#else
	for (unsigned i = 0; i < 64; i++)
		mask |= (uint64_t)(text[i] >= first && text[i] <= last) << i;
#endif
	return mask;
}

static inline uint64_t detect_mask_digits(const char *text)
{
	return detect_mask_range(text, '0', '9');
}

static inline uint64_t detect_mask_capitals(const char *text)
{
	return detect_mask_range(text, 'A', 'Z');
}

static inline uint64_t detect_mask_small(const char *text)
{
	return detect_mask_range(text, 'a', 'z');
}

static inline uint64_t detect_mask_joints(const char *text)	/* hyphens and dots */
{
	return detect_mask_range(text, '-', '.');
}

static inline uint64_t detect_mask_colons(const char *text)
{
	return detect_mask_range(text, ':', ':');
}

#endif
