/*
 * Why there was no memory: three things to be kept apart, since each asks for something
 * else of who reads of it.  A file that is damaged (none of these), one that needs more than
 * a process may have that looks into it, a machine that has none left.
 */
#ifndef FS_BASE_SHORTAGE_H
#define FS_BASE_SHORTAGE_H

#include <stdbool.h>
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

/*
 * Before a call into a library that does not look whether it got memory, and ends the process
 * where it got none: is there as much as it takes?  It is asked for and given back at once, so
 * that the library finds it.  Another thread may be quicker; then it is as it was.
 */
bool shortage_has_room(size_t size);

#endif
