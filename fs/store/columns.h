/*
 * Pages of SQLite's B-trees with their columns apart, and together again: what many rows
 * say of one column compresses better beside itself than beside the row's noise.
 * docs/format.md, "Columns apart", gives the bytes.
 *
 *   P1  What columns_split() makes, columns_join_page() makes the same pages of, byte for
 *       byte: it was tried before it was handed out.  Every page can be split: what is
 *       no page of cells, or one that SQLite would not have written so, stands in it whole.
 *   P2  columns_join_*() reads hostile bytes: it takes no memory by what they say, reads none
 *       beyond them, and writes none beyond the page.
 *   P3  Pages' content (keys of blocks) lies in the caller's memory and the arena's only.
 *
 * Nothing is shared: one thread for one struct.
 */
#ifndef FS_STORE_COLUMNS_H
#define FS_STORE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COLUMNS_PAGE 8160u	/* bytes of a page that SQLite uses */
#define COLUMNS_PAGES 512u	/* at most, split as one */

/* Room that is enough for so many pages. */
size_t columns_room(uint32_t pages);

/* Writes the streams of so many pages to out (columns_room() bytes).  Returns their size;
 * 0: no memory for it, or (a fault of ours) they would not have come back. */
size_t columns_split(const uint8_t *bodies, uint32_t pages, uint8_t *out);

struct columns_join;

/* NULL: the streams make no sense (*is_damage), or no memory.  in is borrowed.  Freed by
 * columns_join_free(). */
struct columns_join *columns_join_new(const uint8_t *in, size_t size, bool *is_damage);
/* The next page into COLUMNS_PAGE bytes.  False: the streams make no sense; true: they did so
 * far as they were not too short, which the next call tells. */
bool columns_join_page(struct columns_join *j, uint8_t *page);
/* Nothing was missing, and nothing is left over. */
bool columns_join_is_done(const struct columns_join *j);
void columns_join_free(struct columns_join *j);	/* NULL is allowed */

#endif
