#include "fs/store/pagevfs_cipher.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/crypt/seal.h"
#include "fs/crypt/secret.h"

#define BODY_SIZE PAGEVFS_BODY_SIZE
#define SALT_SIZE (16 + 8 + PAGEVFS_FILE_ID_SIZE)	/* archive, epoch, file: the database id */
#define AD_SIZE (SALT_SIZE + 4 + PAGEVFS_HEAD_SIZE)
#define NONCE_BATCH 64		/* one call of the generator costs as much as a seal */
#define FEISTEL_ROUNDS 4

static const uint8_t magic[4] = { 'M', 'U', 'C', 1 };
static const uint8_t sqlite_magic[16] = "SQLite format 3";

struct pagevfs_cipher {
	struct sealer *pages;
	struct aes_block *tweak;	/* of WAL headers: masks ... */
	struct aes_block *round;	/* ... and round function */
	uint8_t database[SALT_SIZE];
	uint8_t nonces[NONCE_BATCH][SEAL_NONCE_SIZE];
	unsigned nonces_left;
	pid_t owner;
};

/* keys: 32 bytes for pages, then twice 32 for the WAL's headers. */
static int derive(const struct pagevfs_cipher *c, const uint8_t *secret, uint8_t *keys,
		  struct err *e)
{
	if (digest_hkdf(secret, 32, c->database, sizeof c->database,
			"muniment catalogue pages", keys, 32, e) < 0 ||
	    digest_hkdf(secret, 32, c->database, sizeof c->database,
			"muniment catalogue wal", keys + 32, 64, e) < 0)
		return -1;
	return 0;
}

int pagevfs_cipher_new(const uint8_t *secret, const uint8_t archive_id[16], uint64_t epoch,
		       const uint8_t file_id[PAGEVFS_FILE_ID_SIZE],
		       struct pagevfs_cipher **out, struct err *e)
{
	struct pagevfs_cipher *c = calloc(1, sizeof *c);
	uint8_t *keys = secret_new(3 * 32);
	int rc = -1;

	*out = NULL;
	if (!c || !keys) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the catalogue's cipher");
		goto out;
	}
	struct writer w = writer_over(c->database, sizeof c->database);
	writer_bytes(&w, archive_id, 16);
	writer_u64(&w, epoch);
	writer_bytes(&w, file_id, PAGEVFS_FILE_ID_SIZE);
	c->owner = getpid();

	if (derive(c, secret, keys, e) < 0 || sealer_new(&c->pages, e) < 0 ||
	    sealer_set_key(c->pages, keys, e) < 0 ||
	    aes_block_new(keys + 32, &c->tweak, e) < 0 ||
	    aes_block_new(keys + 64, &c->round, e) < 0)
		goto out;
	*out = c;
	c = NULL;
	rc = 0;
out:
	secret_free(keys);
	pagevfs_cipher_free(c);
	return rc;
}

void pagevfs_cipher_free(struct pagevfs_cipher *c)
{
	if (!c)
		return;
	if (c->pages)
		sealer_free(c->pages);
	if (c->tweak)
		aes_block_free(c->tweak);
	if (c->round)
		aes_block_free(c->round);
	secret_wipe(c, sizeof *c);
	free(c);
}

/* ---- pages ------------------------------------------------------------ */

/* A child would repeat its parent's nonces. */
static int take_nonce(struct pagevfs_cipher *c, uint8_t *out, struct err *e)
{
	if (c->owner != getpid())
		return err_set(e, MUNI_USAGE, "the catalogue was opened before a fork; "
			       "open it in the process that writes");
	if (c->nonces_left == 0) {
		if (random_bytes(c->nonces, sizeof c->nonces, e) < 0)
			return -1;
		c->nonces_left = NONCE_BATCH;
	}
	c->nonces_left--;
	memcpy(out, c->nonces[c->nonces_left], SEAL_NONCE_SIZE);
	return 0;
}

static size_t associated_data(const struct pagevfs_cipher *c, uint32_t page,
			      const uint8_t *head, uint8_t ad[AD_SIZE])
{
	struct writer w = writer_over(ad, AD_SIZE);

	writer_bytes(&w, c->database, sizeof c->database);
	writer_u32(&w, page);
	if (page == 1)
		writer_bytes(&w, head, PAGEVFS_HEAD_SIZE);
	return w.used;
}

static bool is_all_zero(const uint8_t *data, size_t size)
{
	uint8_t any = 0;

	for (size_t i = 0; i < size; i++)
		any |= data[i];
	return any == 0;
}

/* Page size 8192, 32 reserved, payload fractions as SQLite fixes them; bytes
 * 18-19 say rollback (1) or WAL (2). */
static bool is_known_geometry(const uint8_t at16[8])
{
	return at16[0] == PAGEVFS_PAGE_SIZE >> 8 && at16[1] == 0 &&
	       (at16[2] == 1 || at16[2] == 2) && (at16[3] == 1 || at16[3] == 2) &&
	       at16[4] == PAGEVFS_RESERVE && at16[5] == 64 && at16[6] == 32 && at16[7] == 32;
}

/* nonce NULL: a fresh one. */
static int seal(struct pagevfs_cipher *c, uint32_t page, const uint8_t *plain,
		const uint8_t *nonce, uint8_t *sealed, struct err *e)
{
	uint8_t ad[AD_SIZE];
	size_t skip = page == 1 ? PAGEVFS_HEAD_SIZE : 0;

	if (page == 0)
		return err_set(e, MUNI_USAGE, "there is no catalogue page 0");
	if (!is_all_zero(plain + BODY_SIZE, PAGEVFS_RESERVE))
		return err_set(e, MUNI_USAGE, "page %u was written with content in the %d "
			       "reserved bytes; the database was not set up with them",
			       page, PAGEVFS_RESERVE);
	if (page == 1) {
		if (memcmp(plain, sqlite_magic, 16) != 0 || !is_known_geometry(plain + 16))
			return err_set(e, MUNI_USAGE, "page 1 is not that of a database with "
				       "pages of %d bytes of which %d are reserved",
				       PAGEVFS_PAGE_SIZE, PAGEVFS_RESERVE);
		memcpy(sealed, magic, sizeof magic);
		memcpy(sealed + 4, c->database + 24, PAGEVFS_FILE_ID_SIZE);
		memcpy(sealed + 16, plain + 16, 8);
	}
	if (nonce != NULL)
		memcpy(sealed + PAGEVFS_NONCE_AT, nonce, SEAL_NONCE_SIZE);
	else if (take_nonce(c, sealed + PAGEVFS_NONCE_AT, e) < 0)
		return -1;
	memset(sealed + PAGEVFS_TAG_AT + 16, 0, 4);
	return seal_close(c->pages, sealed + PAGEVFS_NONCE_AT, ad,
			  associated_data(c, page, sealed, ad), plain + skip,
			  BODY_SIZE - skip, sealed + skip, sealed + PAGEVFS_TAG_AT, e);
}

int pagevfs_cipher_seal(struct pagevfs_cipher *c, uint32_t page,
			const uint8_t plain[PAGEVFS_PAGE_SIZE],
			uint8_t sealed[PAGEVFS_PAGE_SIZE], struct err *e)
{
	return seal(c, page, plain, NULL, sealed, e);
}

int pagevfs_cipher_seal_again(struct pagevfs_cipher *c, uint32_t page,
			      const uint8_t plain[PAGEVFS_PAGE_SIZE],
			      const uint8_t nonce[PAGEVFS_NONCE_SIZE],
			      uint8_t sealed[PAGEVFS_PAGE_SIZE], struct err *e)
{
	return seal(c, page, plain, nonce, sealed, e);
}

int pagevfs_cipher_open(struct pagevfs_cipher *c, uint32_t page,
			const uint8_t sealed[PAGEVFS_PAGE_SIZE],
			uint8_t plain[PAGEVFS_PAGE_SIZE], struct err *e)
{
	const uint8_t *nonce = sealed + PAGEVFS_NONCE_AT;
	uint8_t ad[AD_SIZE], id[PAGEVFS_FILE_ID_SIZE];
	size_t skip = page == 1 ? PAGEVFS_HEAD_SIZE : 0;

	memset(plain, 0, skip);
	memset(plain + BODY_SIZE, 0, PAGEVFS_RESERVE);
	if (!is_all_zero(sealed + PAGEVFS_TAG_AT + 16, 4) ||
	    (page == 1 && !pagevfs_cipher_parse_head(sealed, id))) {
		memset(plain, 0, BODY_SIZE);
		return err_set(e, MUNI_DAMAGED, "page %u of the catalogue is damaged", page);
	}
	if (seal_open(c->pages, nonce, ad, associated_data(c, page, sealed, ad),
		      sealed + skip, BODY_SIZE - skip, sealed + PAGEVFS_TAG_AT,
		      plain + skip, e) < 0)
		return err_wrap(e, "page %u of the catalogue", page);
	if (page == 1)
		pagevfs_cipher_plain_head(sealed, plain);
	return 0;
}

bool pagevfs_cipher_parse_head(const uint8_t head[PAGEVFS_HEAD_SIZE],
			       uint8_t file_id[PAGEVFS_FILE_ID_SIZE])
{
	memcpy(file_id, head + 4, PAGEVFS_FILE_ID_SIZE);
	return memcmp(head, magic, sizeof magic) == 0 && is_known_geometry(head + 16);
}

void pagevfs_cipher_plain_head(const uint8_t head[PAGEVFS_HEAD_SIZE],
			       uint8_t plain[PAGEVFS_HEAD_SIZE])
{
	memcpy(plain, sqlite_magic, 16);
	memcpy(plain + 16, head + 16, 8);
}

/* ---- headers of the WAL ------------------------------------------------ */

/*
 * A header must keep its length and is written again at the same place, so no
 * nonce and no keystream: a tweakable wide-block cipher it is.  A Feistel
 * network of four rounds is a strong pseudorandom permutation (Luby and Rackoff
 * 1988); its round function is AES over a half, masked as in XEX by AES of
 * offset, size and round.
 */
static void round_function(struct pagevfs_cipher *c, uint64_t offset, size_t size,
			   unsigned round, const uint8_t *half, uint8_t out[16])
{
	uint8_t tweak[16] = { 0 }, mask[16], in[16] = { 0 };
	struct writer w = writer_over(tweak, sizeof tweak);

	writer_u64(&w, offset);
	writer_u8(&w, (uint8_t)size);
	writer_u8(&w, (uint8_t)round);
	aes_block_encrypt(c->tweak, tweak, mask);
	memcpy(in, half, size / 2);
	for (unsigned i = 0; i < 16; i++)
		in[i] ^= mask[i];
	aes_block_encrypt(c->round, in, out);
}

static void one_round(struct pagevfs_cipher *c, uint64_t offset, uint8_t *head, size_t size,
		      unsigned round)
{
	uint8_t *from = round % 2 == 0 ? head + size / 2 : head;
	uint8_t *to = round % 2 == 0 ? head : head + size / 2;
	uint8_t stream[16];

	round_function(c, offset, size, round, from, stream);
	for (size_t i = 0; i < size / 2; i++)
		to[i] ^= stream[i];
}

void pagevfs_cipher_hide(struct pagevfs_cipher *c, uint64_t offset, uint8_t *head, size_t size)
{
	assert(size == 24 || size == 32);
	for (unsigned round = 0; round < FEISTEL_ROUNDS; round++)
		one_round(c, offset, head, size, round);
}

void pagevfs_cipher_show(struct pagevfs_cipher *c, uint64_t offset, uint8_t *head, size_t size)
{
	assert(size == 24 || size == 32);
	for (unsigned round = FEISTEL_ROUNDS; round-- > 0;)
		one_round(c, offset, head, size, round);
}
