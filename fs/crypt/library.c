#include "fs/crypt/library.h"

#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "fs/base/err.h"

/* For good, and of all threads: tables that OpenSSL could not fill stay half empty, and
 * what it looks for in them later is not there. */
static atomic_bool lacked_memory;

void library_lacks_memory(void)
{
	atomic_store(&lacked_memory, true);
}

bool library_has_lacked_memory(void)
{
	return atomic_load(&lacked_memory);
}

int library_refused(struct err *e, enum muni_code code, const char *format, ...)
{
	char text[sizeof e->text];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	ERR_clear_error();
	return atomic_load(&lacked_memory) ?
	       err_set(e, MUNI_NO_MEMORY, "the cryptographic library found no memory to look at "
		       "it: end this program and run it again where there is some") :
	       err_set(e, code, "%s", text);
}

bool library_wrote(int size, int expected)
{
	return size == expected && !library_has_lacked_memory();
}

int library_start(struct err *e)
{
	return OSSL_LIB_CTX_get0_global_default() ? 0 : err_set(e, MUNI_NO_MEMORY,
		"no memory to start the cryptographic library");
}

int library_failed(struct err *e, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	if (atomic_load(&lacked_memory))
		return err_set(e, MUNI_NO_MEMORY, "the cryptographic library found no memory while %s", what);
	return err_set(e, MUNI_NO_MEMORY, "the cryptographic library failed while %s: %s",
		       what, reason ? reason : "out of memory, or a broken OpenSSL");
}

void library_forget(void)
{
	ERR_clear_error();
}

BIO *library_content(const void *data, size_t size)
{
	BIO *memory = size <= INT_MAX ? BIO_new_mem_buf(data, (int)size) : NULL;
	BIO *passing = memory ? BIO_new(BIO_f_null()) : NULL;

	if (!passing) {
		BIO_free(memory);
		return NULL;
	}
	return BIO_push(passing, memory);
}
