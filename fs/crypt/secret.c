#include "fs/crypt/secret.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/crypto.h>

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
	/* An unprivileged process may lock little: better unlocked than none. */
	(void)mlock(secret, body);
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

void secret_wipe(void *data, size_t size)
{
	OPENSSL_cleanse(data, size);
}

void secret_forbid_cores(void)
{
	struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
