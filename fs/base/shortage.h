/*
 * Why there was no memory: three things to be kept apart, since each asks for something
 * else of who reads of it.  A file that is damaged (none of these), one that needs more than
 * a process may have that looks into it, a machine that has none left.
 */
#ifndef FS_BASE_SHORTAGE_H
#define FS_BASE_SHORTAGE_H

#include <stddef.h>

enum shortage {			/* on the wire between our programs */
	SHORTAGE_NONE = 0,
	SHORTAGE_LIMIT = 1,	/* more was wanted than the process may have (RLIMIT_AS) */
	SHORTAGE_MACHINE = 2,	/* the limit would have let it */
};

/*
 * Of `size` bytes that an allocator has just refused.  NONE: so many that no program means
 * them; a length that a file invented.  Keeps errno, allocates nothing: an allocator may
 * call it.
 */
enum shortage shortage_of(size_t size);

#endif
