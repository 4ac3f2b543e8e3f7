/*
 * The cipher of one catalogue file: seals pages, enciphers WAL headers.
 * docs/format.md, "Sealed pages".  Knows nothing of SQLite but the page's shape.
 *
 *   P1  A sealed page opens only under the same key, archive, epoch, file id and
 *       page number; every one of its bytes is covered.
 *   P2  Page 1 keeps 24 bytes in the clear (our magic and file id, SQLite's
 *       bytes 16-23); they are authenticated.
 *   P3  A header changed in any bit deciphers to noise in every byte.
 *
 * One thread at a time; may not cross a fork().
 */
#ifndef FS_STORE_PAGEVFS_CIPHER_H
#define FS_STORE_PAGEVFS_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/pagevfs.h"

#define PAGEVFS_FILE_ID_SIZE 12
#define PAGEVFS_HEAD_SIZE 24	/* of page 1: 4 magic + 12 file id + 8 of SQLite's */
#define PAGEVFS_BODY_SIZE (PAGEVFS_PAGE_SIZE - PAGEVFS_RESERVE)	/* what SQLite may use */
#define PAGEVFS_NONCE_SIZE 12
#define PAGEVFS_NONCE_AT PAGEVFS_BODY_SIZE
#define PAGEVFS_TAG_SIZE 16
#define PAGEVFS_TAG_AT (PAGEVFS_NONCE_AT + PAGEVFS_NONCE_SIZE)

struct err;
struct pagevfs_cipher;

/* secret: the epoch's catalogue key, 32 bytes. */
int pagevfs_cipher_new(const uint8_t *secret, const uint8_t archive_id[16], uint64_t epoch,
		       const uint8_t file_id[PAGEVFS_FILE_ID_SIZE],
		       struct pagevfs_cipher **out, struct err *e);
void pagevfs_cipher_free(struct pagevfs_cipher *c);	/* NULL is allowed; wipes */

/* MUNI_USAGE where the page's reserved bytes are not zero, or page 1 is not of
 * our page size and reserve. */
int pagevfs_cipher_seal(struct pagevfs_cipher *c, uint32_t page,
			const uint8_t plain[PAGEVFS_PAGE_SIZE],
			uint8_t sealed[PAGEVFS_PAGE_SIZE], struct err *e);
/* Under a nonce that this very page was sealed with: gives the same bytes again,
 * which is the one thing for which a nonce may be used twice.  The caller hands the
 * result to nobody unless its tag is the one that was recorded. */
int pagevfs_cipher_seal_again(struct pagevfs_cipher *c, uint32_t page,
			      const uint8_t plain[PAGEVFS_PAGE_SIZE],
			      const uint8_t nonce[PAGEVFS_NONCE_SIZE],
			      uint8_t sealed[PAGEVFS_PAGE_SIZE], struct err *e);
/* MUNI_DAMAGED leaves zeros in plain. */
int pagevfs_cipher_open(struct pagevfs_cipher *c, uint32_t page,
			const uint8_t sealed[PAGEVFS_PAGE_SIZE],
			uint8_t plain[PAGEVFS_PAGE_SIZE], struct err *e);

/* In place; size 24 (a frame's header) or 32 (the WAL's); offset in the WAL. */
void pagevfs_cipher_hide(struct pagevfs_cipher *c, uint64_t offset, uint8_t *head,
			 size_t size);
void pagevfs_cipher_show(struct pagevfs_cipher *c, uint64_t offset, uint8_t *head,
			 size_t size);

/* The head of page 1 on disk: true if it is ours and of the known geometry. */
bool pagevfs_cipher_parse_head(const uint8_t head[PAGEVFS_HEAD_SIZE],
			       uint8_t file_id[PAGEVFS_FILE_ID_SIZE]);
/* The first 24 bytes of SQLite's page 1 from those on disk. */
void pagevfs_cipher_plain_head(const uint8_t head[PAGEVFS_HEAD_SIZE],
			       uint8_t plain[PAGEVFS_HEAD_SIZE]);

#endif
