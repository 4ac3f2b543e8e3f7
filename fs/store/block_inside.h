/*
 * What the two halves of the block format share.  Only fs/store/block*.c
 * includes this.
 */
#ifndef FS_STORE_BLOCK_INSIDE_H
#define FS_STORE_BLOCK_INSIDE_H

#include "fs/crypt/seal.h"
#include "fs/store/block.h"

#define BLOCK_AD_SIZE 52	/* 16 "muniment.block" + 4 format + 16 archive + 16 uid */

/* log2 of the largest window that a frame of ours can ask for. */
#define BLOCK_WINDOW_LOG_MAX 21

/* K1: safe because no key seals twice. */
static const uint8_t block_nonce[SEAL_NONCE_SIZE];

void block_ad(const uint8_t archive_id[16], const uint8_t uid[16],
	      uint8_t out[BLOCK_AD_SIZE]);

#endif
