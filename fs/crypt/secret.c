#include "fs/crypt/secret.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "fs/base/file.h"
#include "fs/crypt/arena.h"
#include "fs/crypt/library.h"

#define VECTORS "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", \
	"xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#define LOCKED_STACK (128u * 1024)
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
	secret_wipe(secret, body);
	munmap((uint8_t *)secret - 2 * page, body + 3 * page);
}

/* Copying a key leaves it in vector registers, which stay as they are while a thread
 * waits, and which a core has for each. */
static void clear_registers(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f"))
		__asm__ volatile(
			"vpxorq %%zmm16, %%zmm16, %%zmm16\n\tvpxorq %%zmm17, %%zmm17, %%zmm17\n\t"
			"vpxorq %%zmm18, %%zmm18, %%zmm18\n\tvpxorq %%zmm19, %%zmm19, %%zmm19\n\t"
			"vpxorq %%zmm20, %%zmm20, %%zmm20\n\tvpxorq %%zmm21, %%zmm21, %%zmm21\n\t"
			"vpxorq %%zmm22, %%zmm22, %%zmm22\n\tvpxorq %%zmm23, %%zmm23, %%zmm23\n\t"
			"vpxorq %%zmm24, %%zmm24, %%zmm24\n\tvpxorq %%zmm25, %%zmm25, %%zmm25\n\t"
			"vpxorq %%zmm26, %%zmm26, %%zmm26\n\tvpxorq %%zmm27, %%zmm27, %%zmm27\n\t"
			"vpxorq %%zmm28, %%zmm28, %%zmm28\n\tvpxorq %%zmm29, %%zmm29, %%zmm29\n\t"
			"vpxorq %%zmm30, %%zmm30, %%zmm30\n\tvpxorq %%zmm31, %%zmm31, %%zmm31"
			::: "memory");	/* the compiler uses none of them */
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vzeroall" ::: VECTORS);
	else
		__asm__ volatile(
			"pxor %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\tpxor %%xmm2, %%xmm2\n\t"
			"pxor %%xmm3, %%xmm3\n\tpxor %%xmm4, %%xmm4\n\tpxor %%xmm5, %%xmm5\n\t"
			"pxor %%xmm6, %%xmm6\n\tpxor %%xmm7, %%xmm7\n\tpxor %%xmm8, %%xmm8\n\t"
			"pxor %%xmm9, %%xmm9\n\tpxor %%xmm10, %%xmm10\n\tpxor %%xmm11, %%xmm11\n\t"
			"pxor %%xmm12, %%xmm12\n\tpxor %%xmm13, %%xmm13\n\tpxor %%xmm14, %%xmm14\n\t"
			"pxor %%xmm15, %%xmm15" ::: VECTORS);
#endif
}

/* As sure as OPENSSL_cleanse(), and several times as fast: decoded blocks go this way, too. */
void secret_wipe(void *data, size_t size)
{
	explicit_bzero(data, size);
	clear_registers();
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
	clear_registers();
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

/* A window of it: of the whole stack the system lets an ordinary user lock too little,
 * and one that may not grow any further kills.  OpenSSL keeps passphrases and numbers in
 * its frames. */
__attribute__((noinline)) static void lock_stack(void)
{
	volatile uint8_t below[LOCKED_STACK];
	uintptr_t begin = (uintptr_t)below & ~(page_size() - 1);

	for (size_t i = 0; i < sizeof below; i += 1024)
		below[i] = 0;
	if (mlock((void *)begin, sizeof below + page_size()) < 0)
		atomic_store(&was_refused, true);
}

void secret_begin_child(void)
{
	secret_forbid_cores();
	lock_stack();
	arena_keys_lock_again();
}

int secret_begin(struct err *e)
{
	secret_mark_stack();
	lock_stack();
	if (IS_SANITIZED)	/* who watches over its heap, and would see none of ours */
		return library_start(e);
	/* Refused where OpenSSL has taken memory already, which no library does by being
	 * loaded: then it is told as if nothing could be locked. */
	if (!CRYPTO_set_mem_functions(library_new, library_resize, library_free))
		atomic_store(&was_refused, true);
	return library_start(e);
}

void secret_expect_library(void)
{
	char *settings = CONF_get1_default_config_file();

	if (settings)
		file_expect_user(settings);
	OPENSSL_free(settings);
}

void secret_warm_library(void)
{
	EVP_MD *digest = EVP_MD_fetch(NULL, "SHA256", NULL);
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);

	EVP_MD_free(digest);
	EVP_CIPHER_free(cipher);
	library_forget();	/* who needs them meets the error, and says for what */
}

bool secret_is_locked(void)
{
	return !atomic_load(&was_refused) && arena_keys_are_locked();
}
