/*
 * The allocator's functions, in front of those that would be there without (the C library's,
 * or a test's): what they refuse is written down, for libarchive may not outlive it
 * (fs/vault/foreign_short.h).
 */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fs/vault/foreign_short.h"

/* A sanitizer brings an allocator of its own. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#define OURS __attribute__((visibility("default")))

OURS void *malloc(size_t size);
OURS void *calloc(size_t count, size_t size);
OURS void *realloc(void *old, size_t size);
OURS int posix_memalign(void **out, size_t align, size_t size);

/* ISO C has no word for an object pointer that is one to a function. */
static void find(const char *name, void *out)
{
	void *at = dlsym(RTLD_NEXT, name);

	memcpy(out, &at, sizeof at);
}

static void *refused(size_t size)
{
	short_note(size);
	return NULL;
}

void *malloc(size_t size)
{
	static void *(*next)(size_t);
	void *p;

	if (!next)
		find("malloc", &next);
	p = next(size);
	return p ? p : refused(size);
}

void *calloc(size_t count, size_t size)
{
	static void *(*next)(size_t, size_t);
	void *p;

	if (!next)
		find("calloc", &next);
	p = next(count, size);
	return p ? p : refused(size && count > SIZE_MAX / size ? SIZE_MAX : count * size);
}

void *realloc(void *old, size_t size)
{
	static void *(*next)(void *, size_t);
	void *p;

	if (!next)
		find("realloc", &next);
	p = next(old, size);
	return p || size == 0 ? p : refused(size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
	static int (*next)(void **, size_t, size_t);
	int rc;

	if (!next)
		find("posix_memalign", &next);
	rc = next(out, align, size);
	if (rc == ENOMEM)
		short_note(size);
	return rc;
}

#else

typedef int nothing_of_ours;	/* a file of C has something in it */

#endif
