/*
 * How many places a test of every place passes over: MUNIMENT_STRIDE, 1 where it is not set.
 * `make check-tsan` sets it (tests/run-tsan.sh): flips of bytes find no race; and .ci/run does for
 * the sanitizers' run, which comes after one over every place.
 */
#ifndef TESTS_UNIT_STRIDE_H
#define TESTS_UNIT_STRIDE_H

#include <stdlib.h>

static inline unsigned stride(void)
{
	const char *set = getenv("MUNIMENT_STRIDE");
	long n = set ? strtol(set, NULL, 10) : 1;

	return n > 1 && n < 10000 ? (unsigned)n : 1;
}

#endif
