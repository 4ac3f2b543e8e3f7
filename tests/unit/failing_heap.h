/*
 * A heap that refuses the nth allocation that is asked of it, whoever asks.  Included once in a
 * program.  Under a sanitizer, which has a heap of its own, OWNS_THE_HEAP is 0: skip.
 */
#ifndef TESTS_UNIT_FAILING_HEAP_H
#define TESTS_UNIT_FAILING_HEAP_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWNS_THE_HEAP 0
#else
#define OWNS_THE_HEAP 1
#endif

static unsigned long asked, fails_at;	/* fails_at 0: never */
static bool fails_on;			/* and all that are asked for after it */

#if OWNS_THE_HEAP
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);

static bool is_refused(void)
{
	if (fails_at == 0 || ++asked < fails_at || (asked > fails_at && !fails_on))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return is_refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return is_refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
	return is_refused() ? NULL : __libc_realloc(p, size);
}

void *reallocarray(void *p, size_t count, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(count, size, &all) || is_refused()) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(p, all);
}
#endif

#endif
