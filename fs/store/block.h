/*
 * A block: chunks of one class and disposition year, compressed and sealed as
 * one.  docs/format.md, "Block".
 *
 *   K1  Every block has its own random key and seals exactly once (nonce zero).
 *   K2  Associated data binds format, archive and block id; no position, so a
 *       block can be moved without being sealed again.
 *   K3  What is handed out was authenticated over the whole block first.
 *
 * A *leader* is a block that stands alone and is the base of many that came after it in
 * the same ingest: so small blocks, which are quick to read here and there, get as small
 * as large ones.  Its dependants are ordinary blocks with one base.
 */
#ifndef FS_STORE_BLOCK_H
#define FS_STORE_BLOCK_H

#include <stdbool.h>
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

/* From this level on blocks are large, at the price of random reads. */
#define BLOCK_LEVEL_DENSE 13

/* What an archive is made with where nobody says. */
uint32_t block_size_default(int level);

/* Raw bytes that blocks aim at, for the block size and level of an archive: those that
 * are much like their leader are small; large ones are for the rest. */
struct block_sizes {
	uint32_t leader;	/* of large files */
	uint32_t files_leader;	/* of small ones */
	uint32_t large, alike;
	uint32_t usual;		/* none are made so: what the small ones are measured by */
};
void block_sizes_of(uint32_t block_size, int level, struct block_sizes *out);

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

/* raw: those of block `id`, which stands alone; copied.  For encoders of the same level. */
struct block_leader;
int block_leader_new(int64_t id, const void *raw, size_t size, struct block_leader **out,
		     struct err *e);
void block_leader_free(struct block_leader *l);	/* NULL is allowed */
int64_t block_leader_id(const struct block_leader *l);

/*
 * block_encode() with the leader as base; fills b->bases too.  is_alike: in the way that
 * is best for what is much like its leader.  One thread at a time for each leader.
 */
int block_encode_led(struct block_encoder *enc, struct block_leader *leader, bool is_alike,
		     const void *raw, size_t size, struct block *b, const uint8_t **sealed,
		     struct err *e);

/* How many bytes it would take, sealed; leader NULL: alone. */
int block_measure(struct block_encoder *enc, struct block_leader *leader, bool is_alike,
		  const void *raw, size_t size, size_t *stored, struct err *e);

int block_decoder_new(const uint8_t archive_id[16], struct block_decoder **out,
		      struct err *e);
void block_decoder_free(struct block_decoder *dec);

/*
 * Authenticates all of sealed[b->stored], then decodes at least the first `wanted`
 * (<= b->raw) bytes into out, which has room for all b->raw; *got says how many, for a
 * frame is decoded in steps.  MUNI_DAMAGED names the block.
 *
 * A third faster where out lies right behind the base: to zstd that is one run.
 */
int block_decode(struct block_decoder *dec, const struct block *b, const uint8_t *sealed,
		 const void *base, size_t base_size, void *out, size_t wanted, size_t *got,
		 struct err *e);
/* Only the tag: for verify. */
int block_authenticate(struct block_decoder *dec, const struct block *b,
		       const uint8_t *sealed, struct err *e);

#endif
