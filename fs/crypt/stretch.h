/*
 * A key from a passphrase: scrypt (RFC 7914) in a short-lived child, so that
 * its 128 MiB never count against a mount's memory and leave with the child.
 */
#ifndef FS_CRYPT_STRETCH_H
#define FS_CRYPT_STRETCH_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define STRETCH_SALT_SIZE 32
#define STRETCH_PASSPHRASE_MAX 1024

struct stretch {		/* stands on disk beside what the key seals */
	uint8_t log_n;		/* N = 2^log_n */
	uint32_t r, p;
	uint8_t salt[STRETCH_SALT_SIZE];
};

#define STRETCH_LOG_N 17	/* 128 MiB with r = 8: the default for new slots */
#define STRETCH_R 8
#define STRETCH_P 1

/* MUNI_LIMIT for parameters that ask for more than 1 GiB (a hostile file). out:
 * 32 bytes in secret memory. */
int stretch(const struct stretch *how, const void *passphrase, size_t size,
	    uint8_t out[32], struct err *e);

#endif
