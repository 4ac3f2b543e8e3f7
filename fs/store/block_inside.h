/*
 * What the parts of the block format share.  Only fs/store/block*.c includes this.
 */
#ifndef FS_STORE_BLOCK_INSIDE_H
#define FS_STORE_BLOCK_INSIDE_H

#include <stdbool.h>

#include "fs/crypt/seal.h"
#include "fs/store/block.h"

#define BLOCK_AD_SIZE 52	/* 16 "muniment.block" + 4 format + 16 archive + 16 uid */

#define BLOCK_LEVEL_MAX 19

/* log2 of the largest window that a frame of ours can ask for. */
#define BLOCK_WINDOW_LOG_MAX 21

/* K1: safe because no key seals twice. */
static const uint8_t block_nonce[SEAL_NONCE_SIZE];

void block_ad(const uint8_t archive_id[16], const uint8_t uid[16],
	      uint8_t out[BLOCK_AD_SIZE]);

struct block_params {		/* of zstd */
	uint8_t chain_log, hash_log, search_log, min_match;
	uint16_t target_length;
	uint8_t strategy;
};

const struct block_params *block_params_of(int level, bool is_alike);
const struct block_params *block_params_based(int level);

struct block_encoder {
	uint8_t archive_id[16];
	int level;
	struct ZSTD_CCtx_s *zstd;
	struct sealer *sealer;
	uint8_t *packed;	/* BLOCK_STORED_MAX */
	uint8_t *sealed;	/* BLOCK_STORED_MAX */
	uint8_t *drawn;		/* ids and keys of blocks to come; secret memory */
	size_t drawn_count;	/* of blocks; each goes once, from the end */
};

/* One frame into enc->packed; *size 0 if it does not compress.  Either may be NULL:
 * base is a prefix; leader is one that was prepared. */
int block_compress(struct block_encoder *enc, const uint8_t *raw, size_t raw_size,
		   const void *base, size_t base_size, size_t *size, struct err *e);
int block_compress_led(struct block_encoder *enc, struct block_leader *leader, bool is_alike,
		       const uint8_t *raw, size_t raw_size, size_t *size, struct err *e);

#endif
