/*
 * A block: chunks of one class and disposition year, compressed and sealed as
 * one.  docs/format.md, "Block".
 *
 *   K1  Every block has its own random key and seals exactly once (nonce zero).
 *   K2  Associated data binds format, archive and block id; no position, so a
 *       block can be moved without being sealed again.
 *   K3  What is handed out was authenticated over the whole block first.
 */
#ifndef FS_STORE_BLOCK_H
#define FS_STORE_BLOCK_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define BLOCK_RAW_MAX (1024 * 1024)	/* no block decodes to more */
#define BLOCK_BASES_MAX 2
#define BLOCK_STORED_MAX (BLOCK_RAW_MAX + 4096)

enum block_codec {		/* on disk: never renumber, never reuse */
	BLOCK_STORED = 0,	/* does not compress: as it is */
	BLOCK_ZSTD = 1,
	BLOCK_ZSTD_BASED = 2,	/* zstd with the raw bytes of the bases, joined, as prefix */
};

/* One row of the catalogue's table `block`. */
struct block {
	int64_t id;		/* the catalogue's number; never reused */
	uint8_t uid[16];	/* random */
	uint8_t key[32];	/* stands here and nowhere else */
	int64_t segment;	/* catalogue's number of the segment */
	uint64_t offset;	/* of the ciphertext in the segment */
	uint32_t stored;	/* ciphertext and tag */
	uint32_t raw;		/* bytes when decoded */
	uint8_t codec;		/* enum block_codec */
	int64_t class_id;
	int32_t year;		/* disposition year as known at ingest; 0 none */
	int64_t bases[BLOCK_BASES_MAX];	/* 0 none */
};

/* One thread each. */
struct block_encoder;
struct block_decoder;

int block_encoder_new(const uint8_t archive_id[16], int level, struct block_encoder **out,
		      struct err *e);
void block_encoder_free(struct block_encoder *enc);

/*
 * Compresses and seals raw[size] (1..BLOCK_RAW_MAX).  Fills b's uid, key,
 * stored, raw, codec.  base is the bases' raw bytes joined, in the order of
 * b->bases, or NULL.  *sealed is borrowed from the encoder until the next call.
 */
int block_encode(struct block_encoder *enc, const void *raw, size_t size,
		 const void *base, size_t base_size, struct block *b,
		 const uint8_t **sealed, struct err *e);

int block_decoder_new(const uint8_t archive_id[16], struct block_decoder **out,
		      struct err *e);
void block_decoder_free(struct block_decoder *dec);

/*
 * Authenticates all of sealed[b->stored], then decodes the first `wanted`
 * (<= b->raw) bytes into out.  MUNI_DAMAGED names the block.
 */
int block_decode(struct block_decoder *dec, const struct block *b, const uint8_t *sealed,
		 const void *base, size_t base_size, void *out, size_t wanted,
		 struct err *e);
/* Only the tag: for verify. */
int block_authenticate(struct block_decoder *dec, const struct block *b,
		       const uint8_t *sealed, struct err *e);

#endif
