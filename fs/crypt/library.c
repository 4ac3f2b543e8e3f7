#include "fs/crypt/library.h"

#include <pthread.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "fs/base/err.h"

#define SECURE_HEAP_SIZE (256 * 1024)
#define SECURE_HEAP_LEAST 32	/* smallest piece */

int library_failed(struct err *e, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return err_set(e, MUNI_NO_MEMORY, "the cryptographic library failed while %s: %s",
		       what, reason ? reason : "out of memory, or a broken OpenSSL");
}

void library_forget(void)
{
	ERR_clear_error();
}

static void make_secure_heap(void)
{
	/* Failing to lock it (RLIMIT_MEMLOCK) leaves a heap that works. */
	if (!CRYPTO_secure_malloc_initialized())
		(void)CRYPTO_secure_malloc_init(SECURE_HEAP_SIZE, SECURE_HEAP_LEAST);
}

void library_secure_heap(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_secure_heap);
}
