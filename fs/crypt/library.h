/*
 * What the files of this floor share about OpenSSL.  Only fs/crypt includes this.
 */
#ifndef FS_CRYPT_LIBRARY_H
#define FS_CRYPT_LIBRARY_H

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>

#include "fs/base/err.h"

/* MUNI_NO_MEMORY with OpenSSL's own reason; empties its queue.  what: "making a
 * key". */
int library_failed(struct err *e, const char *what);
/* As err_set() where OpenSSL said that bytes, a key or a certificate are not right: it says
 * so of sound ones too when it lacks memory on the way, or did once.  Then it is
 * MUNI_NO_MEMORY. */
int library_refused(struct err *e, enum muni_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Of what an i2d_...() said that it wrote, and said before that it would write.  A set that
 * it finds no memory to sort (the signers, the attributes that are signed) it passes over:
 * its bytes are then whatever stood there, and the size is right. */
bool library_wrote(int size, int expected);
/* What hands out OpenSSL's memory had none. */
void library_lacks_memory(void);
bool library_has_lacked_memory(void);
/* The library's own context, which every call takes for granted, exists; else it would
 * crash.  MUNI_NO_MEMORY. */
int library_start(struct err *e);
/*
 * The content of a detached signature, for CMS_verify(); BIO_free_all().  It borrows data.  NULL: no
 * memory, or more than INT_MAX bytes.  Not a BIO of memory itself: of such a one
 * CMS_verify() makes another, and loses it where the signature is of no use (OpenSSL
 * 3.0.19; mended by 3.0.22).
 */
BIO *library_content(const void *data, size_t size);
/* Forgets errors that were expected. */
void library_forget(void);

#endif
