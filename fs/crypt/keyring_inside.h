/*
 * The keyring's own parts: halves (columns, error correction), slots, body.
 * Only fs/crypt/keyring*.c and their test include this.  docs/format.md, "Keyring".
 */
#ifndef FS_CRYPT_KEYRING_INSIDE_H
#define FS_CRYPT_KEYRING_INSIDE_H

#include "fs/base/bytes.h"
#include "fs/crypt/digest.h"
#include "fs/crypt/keyring.h"
#include "fs/crypt/seal.h"
#include "fs/crypt/stretch.h"
#include "fs/crypt/wrap.h"

#define HALF_COUNT 2
#define HALF_SIZE (KEYRING_SIZE / HALF_COUNT)
#define COLUMN_SIZE 512		/* 496 payload + 16 sum */
#define COLUMN_PAYLOAD 496
#define COLUMN_SUM 16
#define COLUMN_DATA 48
#define COLUMN_PARITY 16
#define COLUMN_COUNT (COLUMN_DATA + COLUMN_PARITY)
#define PAYLOAD_SIZE (COLUMN_DATA * COLUMN_PAYLOAD)

_Static_assert(COLUMN_COUNT * COLUMN_SIZE == HALF_SIZE, "columns fill a half");
_Static_assert(COLUMN_PAYLOAD + COLUMN_SUM == COLUMN_SIZE, "payload and sum");

#define KEYRING_FORMAT 1
#define KEYRING_FORMAT_RENEWED 2	/* the signing key was renewed, or is being: the body has
					 * more behind */
#define PAYLOAD_HEAD 80		/* 8 magic + 4 format + 4 slots + 16 id + 8 generation +
				 * 4 slots' bytes + 4 body's bytes + 32 sum */
#define PAYLOAD_ID 16		/* offset of the archive id */
#define PAYLOAD_SUM 48		/* offset of the sum */

/* ---- halves (keyring_half.c) --------------------------------------------- */

struct half {
	bool is_whole;		/* after mending: its sum holds and its head parses */
	unsigned mended;	/* columns that were not as written */
	uint32_t format;
	uint32_t slot_count;
	uint64_t generation;
	size_t slots_size, body_size;	/* body: of the plain bytes */
	uint8_t payload[PAYLOAD_SIZE];
};

struct keyring_state {
	struct half halves[HALF_COUNT];
	int newest;		/* index of the whole half of highest generation; -1 none */
	bool is_settled;	/* both halves whole, unmended, of one store, and nothing else */
	uint64_t excess;	/* bytes behind them: none of ours, or of a copy of ours */
};

/* *out malloc'ed.  Fails only if the file cannot be read or is another
 * archive's. */
int keyring_load(const char *path, const uint8_t id[KEYRING_ID_SIZE],
		 struct keyring_state **out, struct err *e);
/* MUNI_DAMAGED where newest is -1, MUNI_FORMAT where it is of another format. */
int keyring_usable(const struct keyring_state *s, struct err *e);
/* Sums, parity, write, sync, read back and compare (K2).  payload's sum field
 * is filled here. */
int keyring_scrub_half(int fd, unsigned index, struct err *e);	/* K6 */
int keyring_put_half(int fd, const uint8_t id[KEYRING_ID_SIZE], unsigned index,
		     uint8_t payload[PAYLOAD_SIZE], struct err *e);

/* ---- slots (keyring_slot.c) ------------------------------------------------ */

#define SLOT_SALT_SIZE STRETCH_SALT_SIZE

struct slot {
	struct keyring_slot about;
	/* passphrase, key file */
	struct stretch how;	/* only its salt for a key file */
	uint8_t public[WRAP_KEY_SIZE];
	uint8_t nonce[SEAL_NONCE_SIZE], tag[SEAL_TAG_SIZE];
	uint8_t private[WRAP_KEY_SIZE];		/* sealed under the secret's key */
	struct wrap master;
	/* recipient; both owned */
	uint8_t *cert, *message;
	size_t cert_size, message_size;
};

struct slots {
	struct slot *list;	/* owned */
	size_t count;
};

int slots_copy(const struct slots *from, struct slots *out, struct err *e);
void slots_free(struct slots *s);
void slots_write(const struct slots *s, struct writer *w);
int slots_read(struct reader *r, size_t count, struct slots *out, struct err *e);
/* Makes a slot from a secret, without the master key in it. */
int slot_make(struct slot *s, const uint8_t id[KEYRING_ID_SIZE],
	      const struct keyring_secret *secret, struct err *e);
int slot_wrap(struct slot *s, const uint8_t id[KEYRING_ID_SIZE],
	      const uint8_t master[32], struct err *e);
/* MUNI_CANNOT_UNLOCK if the secret does not open this slot. */
int slot_open(const struct slot *s, const uint8_t id[KEYRING_ID_SIZE],
	      const struct keyring_secret *secret, uint8_t master[32], struct err *e);
void slot_clear(struct slot *s);	/* frees what it owns */

/* ---- the body (keyring_body.c) ----------------------------------------------- */

#define BODY_SIZE_MAX 4096
#define SIGNING_KEY_MAX 512
#define CERTIFICATE_MAX 2048

struct former {			/* a signing key that was renewed */
	struct digest certificate;
	uint64_t entry;		/* of the log, which tells of it */
};

struct body {			/* in secret memory: what the master key seals */
	uint8_t master[32];	/* not in the body itself */
	uint64_t epoch, successor;	/* successor 0: no switch begun */
	uint8_t catalogue[32], next_catalogue[32];
	uint8_t dedupe[32], chunker[32];
	uint32_t next_slot;	/* numbers are not given twice */
	uint8_t signing_key[SIGNING_KEY_MAX];
	size_t signing_key_size;
	uint8_t certificate[CERTIFICATE_MAX];
	size_t certificate_size;
	/* Format 2.  next_key_size 0: no renewal begun. */
	uint8_t next_key[SIGNING_KEY_MAX];
	size_t next_key_size;
	uint8_t next_certificate[CERTIFICATE_MAX];
	size_t next_certificate_size;
	uint64_t next_entry;
	struct former former[KEYRING_FORMER_MAX];	/* oldest first */
	size_t former_count;
};

/* Lays slots and sealed body into a payload, random bytes behind them. */
int payload_build(const struct body *b, const struct slots *s,
		  const uint8_t id[KEYRING_ID_SIZE], uint64_t generation, unsigned half,
		  uint8_t payload[PAYLOAD_SIZE], struct err *e);
bool keyring_knows_format(uint32_t format);
/* A fresh key and its certificate into a body's fields; *out is theirs too. */
int body_make_signer(const uint8_t id[KEYRING_ID_SIZE], enum signer_algorithm algorithm,
		     int64_t now, uint8_t key[SIGNING_KEY_MAX], size_t *key_size,
		     uint8_t certificate[CERTIFICATE_MAX], size_t *certificate_size,
		     struct signer **out, struct err *e);
/* MUNI_DAMAGED if the master does not open it. */
int payload_open(const struct half *h, const uint8_t id[KEYRING_ID_SIZE], unsigned half,
		 const uint8_t master[32], struct body *out, struct err *e);

/* ---- the whole (keyring.c, _create, _open, _change) --------------------------- */

struct keyring {
	char *path;
	uint8_t id[KEYRING_ID_SIZE];
	int newest;		/* index of the half last written or read */
	uint64_t generation;	/* of that half */
	bool is_settled;
	struct slots slots;
	struct body *body;	/* secret memory */
	struct signer *signer;
	struct signer *next_signer;
};

struct keyring *keyring_new(const char *path, const uint8_t id[KEYRING_ID_SIZE],
			    struct err *e);
/* Writes both halves (K5).  *is_in_force: the first of them counts already. */
int keyring_store(struct keyring *k, const struct body *b, const struct slots *s,
		  bool *is_in_force, struct err *e);
/* Copies to change; keyring_commit() takes them over, keyring_drop() forgets
 * them and returns -1. */
int keyring_draft(const struct keyring *k, struct body **b, struct slots *s,
		  struct err *e);
int keyring_commit(struct keyring *k, struct body *b, struct slots *s, struct err *e);
int keyring_drop(struct body *b, struct slots *s);

const char *keyring_kind_name(enum keyring_secret_kind kind);
bool keyring_can_open(const struct slots *s);	/* a passphrase or key file is left */
/* s->list has room for one more; label NULL: the kind's name. */
int keyring_append_slot(struct body *b, struct slots *s, const uint8_t *id,
			const struct keyring_secret *secret, const char *label,
			int64_t now, struct err *e);

#endif
