/*
 * What a piece of a copy of the catalogue holds, before it is sealed: the bodies of up to
 * REDO_PIECE_PAGES pages, made small in the way that its format says (docs/format.md).
 */
#ifndef FS_STORE_REDO_PACK_PIECE_H
#define FS_STORE_REDO_PACK_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* bodies: PAGEVFS_BODY_SIZE each; is_few: there is time to search them well.  out has room for
 * a byte more than the bodies, and does not hold more: what gets no smaller, or finds no
 * memory, stands as it is.  Returns its size, in REDO_FORMAT_COLUMNS. */
size_t redo_piece_make(const uint8_t *bodies, uint32_t pages, bool is_few, uint8_t *out);

/* Back, of any format.  MUNI_DAMAGED: it does not give exactly so many pages.
 * MUNI_NO_MEMORY. */
int redo_piece_read(unsigned format, const uint8_t *piece, size_t size, uint32_t pages,
		    uint8_t *bodies, struct err *e);

#endif
