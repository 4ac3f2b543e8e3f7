/*
 * A table of a document, row by row, as cells that know the heading of their
 * column: of a sheet, of a word processor's table, of a page.
 *
 * The headings are the first row that looks like them (two texts or more, none of
 * them data); a text to the left of a value counts too, for that is how forms say
 * what stands beside it.
 */
#ifndef FS_CONTENT_EXTRACT_GRID_H
#define FS_CONTENT_EXTRACT_GRID_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct grid;
struct look;

#define GRID_COLUMNS 16384

struct grid *grid_new(struct look *l);	/* NULL without memory */
void grid_free(struct grid *g);		/* NULL is allowed */

void grid_begin(struct grid *g);	/* another table: no headings yet */
/* column: from 0; what stands past GRID_COLUMNS has no heading.  is_text: not a
 * number or date.  text: UTF-8.  All copied. */
int grid_add(struct grid *g, size_t column, bool is_text, const char *place,
	     const void *text, size_t size, struct err *e);
/* The row is over; it stands there so many times (at most GRID_REPEATS count). */
#define GRID_REPEATS 64
int grid_row(struct grid *g, unsigned times, struct err *e);
int grid_end(struct grid *g, struct err *e);	/* all tables are over: hands over the rest */

/* "A", "Z", "AA", ... */
const char *grid_letters(size_t column, char out[8]);

#endif
