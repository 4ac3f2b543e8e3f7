#include "fs/crypt/secret.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "fs/crypt/arena.h"
#include "fs/crypt/library.h"

#define SCRUBBED 8192		/* deeper than a call into OpenSSL goes, and the linker's */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

static atomic_bool was_refused;	/* a lock; process-wide as the limit is */

/*
 * guard | head (read-only) | the secret's pages | guard
 *
 * The head has a page of its own, so that a child, whose secret pages are
 * zeros, can free them all the same.
 */
struct secret_head {
	size_t size;		/* of the secret's pages */
};

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

void *secret_new(size_t size)
{
	size_t page = page_size();
	size_t body;
	uint8_t *map, *secret;

	if (size > SIZE_MAX / 2)
		return NULL;
	body = size ? (size + page - 1) & ~(page - 1) : page;
	map = mmap(NULL, body + 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	secret = map + 2 * page;
	if (mprotect(map + page, page + body, PROT_READ | PROT_WRITE) < 0 ||
	    madvise(secret, body, MADV_DONTDUMP) < 0 ||
	    madvise(secret, body, MADV_WIPEONFORK) < 0)
		goto fail;
	*(struct secret_head *)(map + page) = (struct secret_head){ .size = body };
	if (mprotect(map + page, page, PROT_READ) < 0)
		goto fail;
	/* An unprivileged process may lock little: better unlocked than none, and told. */
	if (mlock(secret, body) < 0)
		atomic_store(&was_refused, true);
	return secret;
fail:
	munmap(map, body + 3 * page);
	return NULL;
}

void secret_free(void *secret)
{
	size_t page = page_size();
	size_t body;

	if (!secret)
		return;
	body = ((struct secret_head *)((uint8_t *)secret - page))->size;
	OPENSSL_cleanse(secret, body);
	munmap((uint8_t *)secret - 2 * page, body + 3 * page);
}

/* As sure as OPENSSL_cleanse(), and several times as fast: decoded blocks go this way, too. */
void secret_wipe(void *data, size_t size)
{
	explicit_bzero(data, size);
}

void secret_forbid_cores(void)
{
	struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Not inlined, so that its frame lies where those of the functions called before lay. */
__attribute__((noinline)) void secret_scrub_stack(void)
{
	uint8_t below[SCRUBBED];

	OPENSSL_cleanse(below, sizeof below);
}

/* Of the main thread's stack most is not mapped yet: what grows is marked alike. */
void secret_mark_stack(void)
{
	static _Thread_local bool is_marked;
	pthread_attr_t attr;
	void *stack;
	size_t size;

	if (is_marked)
		return;
	is_marked = true;
	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return;
	if (pthread_attr_getstack(&attr, &stack, &size) == 0)
		(void)madvise(stack, size, MADV_DONTDUMP);
	pthread_attr_destroy(&attr);
}

static void *library_new(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	void *p = size > 0 ? arena_key_new(size) : NULL;

	if (!p && size > 0)
		library_lacks_memory();
	return p;
}

static void *library_resize(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	void *q = size > 0 ? arena_key_resize(p, size) : NULL;

	if (size == 0)
		arena_key_free(p);
	else if (!q)
		library_lacks_memory();
	return q;
}

static void library_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	arena_key_free(p);
}

int secret_begin(struct err *e)
{
	secret_mark_stack();
	if (IS_SANITIZED)	/* who watches over its heap, and would see none of ours */
		return library_start(e);
	/* Refused where OpenSSL has taken memory already, which no library does by being
	 * loaded: then it is told as if nothing could be locked. */
	if (!CRYPTO_set_mem_functions(library_new, library_resize, library_free))
		atomic_store(&was_refused, true);
	return library_start(e);
}

bool secret_is_locked(void)
{
	return !atomic_load(&was_refused) && arena_keys_are_locked();
}
