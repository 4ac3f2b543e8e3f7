/*
 * Where things lie in an object of base or redo; its head in bytes.
 */
#ifndef FS_STORE_REDO_LAYOUT_H
#define FS_STORE_REDO_LAYOUT_H

#include "fs/store/pagevfs_cipher.h"
#include "fs/store/redo_object.h"

#define REDO_HEAD_SIZE 256
#define REDO_SUM_SIZE 16	/* SHA-256 of a column, cut */
#define REDO_STRIPE 20		/* data columns to one of parity, at most */
#define REDO_COLUMN_MAX 65536u
#define REDO_COLUMN_MIN 512u

#define REDO_FORMAT_SEALED 1	/* pages as they stand in the catalogue; only read */
#define REDO_FORMAT_PACKED 2	/* nonces, tags, and what the pages hold, compressed; only read */
#define REDO_FORMAT_COLUMNS 3	/* the same with columns apart */
#define REDO_PIECE_PAGES 512u	/* that are compressed and sealed as one */
#define REDO_NUMBER_SIZE 4
#define REDO_SEAL_SIZE (PAGEVFS_NONCE_SIZE + PAGEVFS_TAG_SIZE)

struct redo_layout {
	uint64_t payload;	/* bytes */
	uint32_t column;	/* bytes */
	uint32_t data;		/* columns; the last is filled up with zeros */
	uint32_t parity;	/* columns after those; column i of all is in stripe i % parity */
	uint64_t table_at, data_at, parity_at, table_copy_at, head_copy_at, size;
};

/* All follows from the payload's size. */
struct redo_layout redo_layout_of(uint64_t payload);
/* Of format 1: how large the payload is, which follows from its pages. */
uint64_t redo_layout_sealed_payload(const struct redo_head *h);

/* Where things lie in a payload of format 2. */
struct redo_packing {
	uint32_t pieces;
	size_t head_at;		/* first 24 bytes of page 1 */
	size_t seals_at;	/* nonce and tag of each page */
	size_t sizes_at;	/* 4 bytes a piece */
	size_t pieces_at;
};
struct redo_packing redo_layout_packing(enum redo_kind kind, uint32_t pages);
/* Pages of piece i. */
uint32_t redo_layout_piece_pages(uint32_t pages, uint32_t i);

/* Data columns in the longest stripe. */
uint32_t redo_layout_stripe(const struct redo_layout *l);

void redo_layout_write_head(const struct redo_head *h, const struct digest *table,
			    uint8_t out[REDO_HEAD_SIZE]);
/* MUNI_DAMAGED, MUNI_FORMAT. */
int redo_layout_read_head(const uint8_t raw[REDO_HEAD_SIZE], struct redo_head *h,
			  struct digest *table, struct err *e);

#endif
