/*
 * Which of 64 bytes are digits, capitals, small letters, hyphens or dots: a bit a
 * byte, the first the lowest.  ASCII alone.
 */
#ifndef POLICY_DETECT_DETECT_MASKS_H
#define POLICY_DETECT_DETECT_MASKS_H

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct detect_masks {
	uint64_t digit, upper, lower, joint;
};

#ifdef __SSE2__
static inline uint64_t detect_masks_range(__m128i bytes, char first, char last)
{
	__m128i moved = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
	__m128i limit = _mm_set1_epi8((char)(last - first));

	return (uint64_t)(unsigned)_mm_movemask_epi8(
		_mm_cmpeq_epi8(_mm_min_epu8(moved, limit), moved));
}

static inline struct detect_masks detect_masks_of(const char *text)
{
	struct detect_masks m = { 0 };

	for (unsigned i = 0; i < 4; i++) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * i));

		m.digit |= detect_masks_range(bytes, '0', '9') << (16 * i);
		m.upper |= detect_masks_range(bytes, 'A', 'Z') << (16 * i);
		m.lower |= detect_masks_range(bytes, 'a', 'z') << (16 * i);
		m.joint |= detect_masks_range(bytes, '-', '.') << (16 * i);
	}
	return m;
}
#else
static inline struct detect_masks detect_masks_of(const char *text)
{
	struct detect_masks m = { 0 };

	for (unsigned i = 0; i < 64; i++) {
		m.digit |= (uint64_t)(text[i] >= '0' && text[i] <= '9') << i;
		m.upper |= (uint64_t)(text[i] >= 'A' && text[i] <= 'Z') << i;
		m.lower |= (uint64_t)(text[i] >= 'a' && text[i] <= 'z') << i;
		m.joint |= (uint64_t)(text[i] == '-' || text[i] == '.') << i;
	}
	return m;
}
#endif

#endif
