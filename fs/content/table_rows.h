/*
 * Rows of cells as one stretch of text, handed to the detector in large pieces: a
 * call for each cell would cost more than the search.
 *
 * The text is as long as it was read, byte for byte: what parts cells and rows is
 * replaced by DETECT_CELL_END and DETECT_ROW_END.  So offsets stay what they were, and which
 * column a hit stands in is found by looking back, at a hit only.
 */
#ifndef FS_CONTENT_TABLE_H
#define FS_CONTENT_TABLE_H

#include "fs/content/look.h"
#include "fs/content/text_reader.h"

#define TABLE_SLICE (192u << 10)	/* bytes at a time */
#define TABLE_COLUMNS_MAX 4096u	/* columns that are named */

struct table_rows;

struct table_names {
	/* What stands over this cell, or NULL; the text up to `offset` was fed. */
	const char *(*label)(void *arg, uint64_t offset, uint64_t column);
	void (*place)(void *arg, uint64_t offset, uint64_t column, uint64_t line,
		      char out[SAMPLE_WHERE_MAX]);
	void *arg;
};

/* All borrowed.  *out: table_rows_free() it.  Begins a stretch of the detector's. */
int table_rows_new(struct look *l, struct text_reader *r, const struct table_names *names,
	     struct table_rows **out, struct err *e);
void table_rows_free(struct table_rows *g);		/* NULL is allowed */
/* Some column's name says that secrets stand below it (struct passage). */
void table_rows_name_secrets(struct table_rows *g);
/* Room for the next TABLE_SLICE bytes of the text at most ... */
uint8_t *table_rows_room(struct table_rows *g);
/* ... of which there are `size`: to the detector. */
int table_rows_feed(struct table_rows *g, size_t size, struct err *e);
int table_rows_end(struct table_rows *g, struct err *e);	/* also after a failure */
/* Offset of the next byte. */
uint64_t table_rows_position(const struct table_rows *g);

#endif
