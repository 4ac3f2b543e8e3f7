/* Memory: libc's heap, mappings, and the heaps that SQLite and OpenSSL were given. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sqlite3.h>
#include <sys/mman.h>

#include "inject.h"

/* glibc's own; looking for them with dlsym() would itself allocate. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);

static bool is_refused(const char *name)
{
	enum verdict v = inject(OP_ALLOC, name);

	if (v == GOES_ON)
		return false;
	if (v == ENDS_AFTER)
		inject_end();
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return is_refused("malloc") ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return is_refused("calloc") ? NULL : __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
	return is_refused("realloc") ? NULL : __libc_realloc(p, size);
}

void *reallocarray(void *p, size_t count, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(count, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return is_refused("reallocarray") ? NULL : __libc_realloc(p, all);
}

void *memalign(size_t align, size_t size)
{
	return is_refused("memalign") ? NULL : __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	return is_refused("aligned_alloc") ? NULL : __libc_memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
	void *p = is_refused("posix_memalign") ? NULL : __libc_memalign(align, size);

	if (p == NULL)
		return ENOMEM;
	*out = p;
	return 0;
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset)
{
	REAL(void *, mmap64, void *, size_t, int, int, int, off64_t)
	return is_refused("mmap") ? MAP_FAILED : real(at, size, protection, flags, fd, offset);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return mmap64(at, size, protection, flags, fd, offset);
}

/* ---- SQLite's heap ------------------------------------------------------------------- */

static sqlite3_mem_methods given;

static void *sqlite_malloc(int size)
{
	return is_refused("sqlite's malloc") ? NULL : given.xMalloc(size);
}

static void *sqlite_realloc(void *p, int size)
{
	return is_refused("sqlite's realloc") ? NULL : given.xRealloc(p, size);
}

int sqlite3_config(int option, ...)
{
	REAL(int, sqlite3_config, int, ...)
	static sqlite3_mem_methods ours;
	va_list args;
	void *first, *second;

	va_start(args, option);
	first = va_arg(args, void *);
	second = va_arg(args, void *);
	va_end(args);
	if (option != SQLITE_CONFIG_MALLOC)
		return real(option, first, second);
	given = *(const sqlite3_mem_methods *)first;
	ours = given;
	ours.xMalloc = sqlite_malloc;
	ours.xRealloc = sqlite_realloc;
	return real(option, &ours);
}

/* ---- OpenSSL's heap ------------------------------------------------------------------- */

typedef void *new_fn(size_t size, const char *file, int line);
typedef void *resize_fn(void *p, size_t size, const char *file, int line);
typedef void free_fn(void *p, const char *file, int line);

static new_fn *crypto_new_given;
static resize_fn *crypto_resize_given;

/* More than there is: what the program does about a refusal is done. */
#define TOO_MUCH ((size_t)1 << 60)

static void *crypto_new(size_t size, const char *file, int line)
{
	return crypto_new_given(is_refused("OpenSSL's malloc") ? TOO_MUCH : size, file, line);
}

static void *crypto_resize(void *p, size_t size, const char *file, int line)
{
	return crypto_resize_given(p, size > 0 && is_refused("OpenSSL's realloc") ? TOO_MUCH : size,
				   file, line);
}

int CRYPTO_set_mem_functions(new_fn *make, resize_fn *resize, free_fn *let_go)
{
	REAL(int, CRYPTO_set_mem_functions, new_fn *, resize_fn *, free_fn *)
	crypto_new_given = make;
	crypto_resize_given = resize;
	return real(crypto_new, crypto_resize, let_go);
}
