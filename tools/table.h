/*
 * A table with aligned columns on a stream.  Cells are printable UTF-8; widths
 * are those of the characters, so Chinese names line up too.
 *
 * Rows are printed a few hundred at a time: widths fit the rows seen so far and
 * only grow, memory does not.
 */
#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include <stdio.h>

struct table;

/* align: one letter a column, 'l' or 'r'.  heads: as many, or NULL for none; all
 * borrowed.  NULL without memory; every call takes that and does nothing. */
struct table *table_new(FILE *to, const char *align, const char *const *heads);
/* The next cell of the row; the row ends by itself after its last column. */
void table_cell(struct table *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Prints what is pending.  -1 if a cell was lost for want of memory. */
int table_end(struct table *t);

#endif
