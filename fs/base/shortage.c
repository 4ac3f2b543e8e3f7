#include "fs/base/shortage.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

/* What an allocator asks the kernel for beyond what it was asked itself, and more: where
 * only so little is left, the limit is the reason. */
#define ALLOCATOR_STEP ((size_t)4 << 20)
/* No machine gives a process more: 47 bits of addresses. */
#define SENSIBLE ((size_t)1 << 47)

enum shortage shortage_of(size_t size)
{
	enum shortage why = SHORTAGE_LIMIT;
	int error = errno;
	void *at;

	if (size > SENSIBLE)
		return SHORTAGE_NONE;
	/* Addresses alone: they count for the limit, and take nothing of the machine. */
	at = mmap(NULL, size + ALLOCATOR_STEP, PROT_NONE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at != MAP_FAILED) {
		(void)munmap(at, size + ALLOCATOR_STEP);
		why = SHORTAGE_MACHINE;
	}
	errno = error;
	return why;
}

bool shortage_has_room(size_t size)
{
	void *volatile room = malloc(size);	/* volatile: else it is optimised away */
	bool is_there = room != NULL;

	free(room);
	return is_there;
}
