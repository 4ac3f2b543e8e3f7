/*
 * A total of sizes that others say: each is believed up to 2^63 - 1, as a file system gives
 * them, but files of holes cost nothing, and two of them pass that. A total stops there, at
 * the largest number that a row, a signed list and JSON hold: "as much, or more".
 */
#ifndef FS_BASE_TOTAL_H
#define FS_BASE_TOTAL_H

#include <stdint.h>

#define TOTAL_MAX ((uint64_t)INT64_MAX)

static inline void total_add(uint64_t *total, uint64_t more)
{
	*total = more > TOTAL_MAX || *total > TOTAL_MAX - more ? TOTAL_MAX : *total + more;
}

#endif
