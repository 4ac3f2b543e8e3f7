/*
 * The keyring: the one file whose destruction destroys the archive.
 *
 * 64 KiB at most, two alternating halves, each with its own generation number
 * and its own error correction; written in place, never renamed, so that what
 * was overwritten is gone.  docs/format.md, "Keyring", gives the bytes and the
 * table of keys; design in docs/decisions.
 *
 *   K1  At every moment one half is whole: the half that is written is never
 *       the one that was read.
 *   K2  A write is synced and read back before it counts.
 *   K3  A secret opens a slot's private key; the master key is wrapped to the
 *       slot's public key: any one holder can renew the master for all.
 *   K4  Keys lie in secret_new() memory only and are wiped by keyring_close().
 *
 * Not thread-safe to change; the getters may be called from any thread.
 */
#ifndef FS_CRYPT_KEYRING_H
#define FS_CRYPT_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct signer;
struct keyring;

#define KEYRING_SIZE_MAX (64 * 1024)
#define KEYRING_ID_SIZE 16	/* the archive id */

enum keyring_secret_kind {	/* on disk: never renumber, never reuse */
	KEYRING_PASSPHRASE = 1,	/* through scrypt, N=2^17 r=8 p=1, in a child */
	KEYRING_KEY_FILE = 2,	/* at least 32 bytes, through HKDF */
	KEYRING_RECIPIENT = 3,	/* an X.509 certificate: CMS EnvelopedData */
};

/* What a user offers to open or to add a slot; borrowed. */
struct keyring_secret {
	enum keyring_secret_kind kind;
	const uint8_t *data;	/* passphrase, key file content, or certificate DER */
	size_t size;
};

struct keyring_slot {		/* for `muni key list` */
	unsigned number;
	enum keyring_secret_kind kind;
	char label[64];
	int64_t created;
};

/* A new keyring at path (O_EXCL, 0600), epoch 1, with one slot per secret.
 * Copies nothing of `secrets`.  The signer is generated inside. */
int keyring_create(const char *path, const uint8_t archive_id[KEYRING_ID_SIZE],
		   const struct keyring_secret *secrets, size_t count, int64_t now,
		   struct keyring **out, struct err *e);

/* MUNI_NOT_FOUND; MUNI_CANNOT_UNLOCK if the secret opens no slot or the keyring
 * is another archive's; MUNI_DAMAGED if neither half can be corrected. */
int keyring_open(const char *path, const uint8_t archive_id[KEYRING_ID_SIZE],
		 const struct keyring_secret *secret, struct keyring **out,
		 struct err *e);
void keyring_close(struct keyring *k);

/* Reads both halves without any secret: true in *is_mended where a half needed
 * its error correction or is lost, so that verify names it and repair writes
 * it anew (keyring_rewrite). */
int keyring_check(const char *path, bool *is_damaged, char *what, size_t what_size,
		  struct err *e);
int keyring_rewrite(struct keyring *k, struct err *e);

uint64_t keyring_epoch(const struct keyring *k);	/* the present one */
/* The 32-byte catalogue key of an epoch: the present one, or during a switch
 * its successor; NULL if the keyring does not hold it. */
const uint8_t *keyring_catalogue_key(const struct keyring *k, uint64_t epoch);
const uint8_t *keyring_dedupe_key(const struct keyring *k);	/* 32 bytes */
const uint8_t *keyring_chunker_key(const struct keyring *k);	/* 32 bytes: gear table seed */
const struct signer *keyring_signer(const struct keyring *k);

/* The switch of epoch (design 3.5, steps 4 and 7): begin makes N+1 valid beside
 * N under a fresh key, finish makes N+1 the present one and overwrites N in
 * both halves. */
int keyring_epoch_begin(struct keyring *k, struct err *e);
int keyring_epoch_finish(struct keyring *k, struct err *e);

int keyring_slots(const struct keyring *k, struct keyring_slot **out, size_t *count,
		  struct err *e);	/* *out malloc'ed */
int keyring_slot_add(struct keyring *k, const struct keyring_secret *secret,
		     const char *label, int64_t now, unsigned *number, struct err *e);
/* Removes the slot and renews the master key (the caller then switches the
 * epoch).  MUNI_REFUSED for the last slot that can open. */
int keyring_slot_remove(struct keyring *k, unsigned number, struct err *e);

#endif
