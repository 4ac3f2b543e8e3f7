/*
 * The keyring: the one file whose destruction destroys the archive.
 *
 * 64 KiB, two alternating halves, each with its own generation number and its
 * own error correction; written in place, never renamed, so that what was
 * overwritten is gone.  docs/format.md, "Keyring" and "Keys", gives the bytes
 * and the table of keys.
 *
 *   K1  At every moment one half is whole: the half that is written is never
 *       the one that was read.
 *   K2  A write is synced and read back before it counts.
 *   K3  A secret opens a slot's private key; the master key is wrapped to the
 *       slot's public key: any one holder can renew the master for all.
 *   K4  Keys lie in secret_new() memory only and are wiped by keyring_close().
 *   K5  Every change ends with both halves holding it: nothing that was removed
 *       stands in the file when the call returns 0.  A crash between the halves
 *       leaves a keyring that opens and says that it is not settled.
 *   K6  A half is overwritten with random bytes, synced, before it is written anew: what
 *       stood there does not wait for a disk that writes later or elsewhere.
 *
 * Not thread-safe to change; the getters may be called from any thread.
 */
#ifndef FS_CRYPT_KEYRING_H
#define FS_CRYPT_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/crypt/sign.h"

struct err;
struct signatories;
struct keyring;

#define KEYRING_SIZE (64 * 1024)
#define KEYRING_ID_SIZE 16	/* the archive id */

enum keyring_secret_kind {	/* on disk: never renumber, never reuse */
	KEYRING_PASSPHRASE = 1,	/* through scrypt, N=2^17 r=8 p=1, in a child */
	KEYRING_KEY_FILE = 2,	/* at least 32 bytes, through HKDF; to open, also the
				 * 32 bytes of the master key itself, as a recipient
				 * decrypts them */
	KEYRING_RECIPIENT = 3,	/* an X.509 certificate: CMS EnvelopedData */
};

/* What a file has where a keyring's halves begin; zeros at first. */
struct keyring_look {
	uint8_t heads[2][32];
};
/* Bytes that stand at `offset` of the file; what is never shown counts as a hole. */
void keyring_look_at(struct keyring_look *l, uint64_t offset, const void *data, size_t size);
/* Whether it is a keyring of this archive, or a copy that was cut off, or filled up, or has
 * lost one half: by what either begins with. */
bool keyring_look_is_of(const struct keyring_look *l,
			const uint8_t archive_id[KEYRING_ID_SIZE]);

/* What a user offers to open or to add a slot; borrowed. */
struct keyring_secret {
	enum keyring_secret_kind kind;
	const uint8_t *data;	/* passphrase, key file content, or certificate as PEM or
				 * DER */
	size_t size;
	const char *label;	/* of the slot at keyring_create(); NULL: the kind's name */
};

struct keyring_slot {		/* for `muni key list` */
	unsigned number;
	enum keyring_secret_kind kind;
	char label[64];
	int64_t created;
};

/* A new keyring at path (O_EXCL, 0600, its folder synced), epoch 1, with one
 * slot per secret, of which at least one is no recipient.  Copies nothing of
 * `secrets`.  The signer is generated inside.  MUNI_EXISTS. On failure the file
 * is gone again. */
int keyring_create(const char *path, const uint8_t archive_id[KEYRING_ID_SIZE],
		   const struct keyring_secret *secrets, size_t count, int64_t now,
		   struct keyring **out, struct err *e);

/* MUNI_NOT_FOUND; MUNI_CANNOT_UNLOCK if the secret opens no slot or the keyring
 * is another archive's; MUNI_FORMAT; MUNI_DAMAGED if neither half can be
 * corrected.  Writes nothing. */
int keyring_open(const char *path, const uint8_t archive_id[KEYRING_ID_SIZE],
		 const struct keyring_secret *secret, struct keyring **out,
		 struct err *e);
void keyring_close(struct keyring *k);

/*
 * Reads both halves without any secret.  *is_damaged where a half needed its
 * error correction, is lost, or was left behind by a crash: `what` says it in a
 * sentence, and keyring_rewrite() puts it right.  -1 only if the file cannot be
 * read, is another archive's, or no half is left.
 */
int keyring_check(const char *path, const uint8_t archive_id[KEYRING_ID_SIZE],
		  bool *is_damaged, char *what, size_t what_size, struct err *e);
/* The file is another one than was opened: somebody has written it since. */
bool keyring_has_changed(const struct keyring *k);
/* False: as for *is_damaged, seen at open.  A writer then calls
 * keyring_rewrite(), which writes both halves with what they hold. */
bool keyring_is_settled(const struct keyring *k);
int keyring_rewrite(struct keyring *k, struct err *e);

uint64_t keyring_epoch(const struct keyring *k);	/* the present one */
/* The 32-byte catalogue key of an epoch: the present one, or during a switch
 * its successor; NULL if the keyring does not hold it. */
const uint8_t *keyring_catalogue_key(const struct keyring *k, uint64_t epoch);
const uint8_t *keyring_dedupe_key(const struct keyring *k);	/* 32 bytes */
const uint8_t *keyring_chunker_key(const struct keyring *k);	/* 32 bytes: gear table seed */
/* Of the key that signs, as DER; borrowed. */
const uint8_t *keyring_certificate(const struct keyring *k, size_t *size);
/* Read from its bytes when it is first asked for, which whoever only reads an archive
 * never does: that call is not for several threads at once.  NULL: MUNI_DAMAGED. */
const struct signer *keyring_signer(struct keyring *k, struct err *e);

/*
 * The renewal of the signing key (docs/decisions/0137).  begin makes its successor, of which
 * entry number `entry` of the log is to tell, beside the present one (MUNI_EXISTS if it has
 * begun, MUNI_LIMIT after KEYRING_FORMER_MAX of them); finish makes the successor the present
 * one, keeps what is needed to know the former's signatures, and overwrites its secret in
 * both halves; abandon forgets the successor.
 */
#define KEYRING_FORMER_MAX 32
int keyring_signing_begin(struct keyring *k, enum signer_algorithm algorithm, int64_t now,
			  uint64_t entry, struct err *e);
int keyring_signing_finish(struct keyring *k, struct err *e);
int keyring_signing_abandon(struct keyring *k, struct err *e);
/* False: none has begun. */
bool keyring_signing_next(const struct keyring *k, uint64_t *entry);
/* As keyring_certificate() and keyring_signer(), of the successor. */
const uint8_t *keyring_next_certificate(const struct keyring *k, size_t *size);
const struct signer *keyring_next_signer(struct keyring *k, struct err *e);
/* Whose signatures are the archive's own: former keys, the present one, its successor. */
void keyring_signatories(const struct keyring *k, struct signatories *out);

/* The switch of epoch (design 3.5, steps 4 and 7): begin makes N+1 valid beside
 * N under a fresh key (MUNI_EXISTS if it has begun), finish makes N+1 the
 * present one and overwrites N in both halves, abandon forgets N+1. */
int keyring_epoch_begin(struct keyring *k, struct err *e);
int keyring_epoch_finish(struct keyring *k, struct err *e);
int keyring_epoch_abandon(struct keyring *k, struct err *e);
/* Reads both halves back from the disk: 0 where each holds what is in memory, hence
 * nothing of an epoch before.  MUNI_IO. */
int keyring_confirm(const struct keyring *k, struct err *e);
uint64_t keyring_successor_epoch(const struct keyring *k);	/* 0: no switch begun */

int keyring_slots(const struct keyring *k, struct keyring_slot **out, size_t *count,
		  struct err *e);	/* *out malloc'ed */
/* The number that the next slot will get. */
unsigned keyring_next_slot(const struct keyring *k);
/* label: at most 63 bytes of UTF-8.  MUNI_LIMIT when the keyring is full. */
int keyring_slot_add(struct keyring *k, const struct keyring_secret *secret,
		     const char *label, int64_t now, unsigned *number, struct err *e);
/* Removes the slot and renews the master key (the caller then switches the
 * epoch).  MUNI_NOT_FOUND; MUNI_REFUSED for the last one that is no recipient. */
int keyring_slot_remove(struct keyring *k, unsigned number, struct err *e);
/* A new master key, wrapped anew for every slot (K3). */
int keyring_renew(struct keyring *k, struct err *e);

/* The CMS message of a recipient's slot (malloc'ed DER), to be decrypted with
 * stock tools; needs no secret.  MUNI_NOT_FOUND. */
int keyring_recipient_message(const char *path, const uint8_t archive_id[KEYRING_ID_SIZE],
			      unsigned number, uint8_t **out, size_t *size, struct err *e);

#endif
