/*
 * Spreadsheets: CSV (RFC 4180) out and in, since officers live in them.
 *
 *   H1  What is written is read back as it was, also where a program between has
 *       written it anew.
 *   H2  A cell that a spreadsheet would run as a formula (=, +, -, @, tab at its
 *       start) is written with a "'" before it, which the reader takes away.
 *   H3  What is read is hostile until checked: UTF-8 without NUL, bounded, every row
 *       with the columns of the head; an error names the line.
 *
 * Names are bytes: column KEY holds them where they are UTF-8 without control characters
 * (line ends and tabs aside); else KEY is empty and KEY_base64 holds them.
 */
#ifndef TOOLS_SHEET_H
#define TOOLS_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;

/* ---- out ------------------------------------------------------------------------ */

struct sheet_out {
	FILE *to;
	unsigned cells;		/* of the row so far */
	bool is_lost;		/* a cell, for want of memory */
};
/* A byte order mark, without which some spreadsheets take UTF-8 for Latin-1. */
void sheet_mark(struct sheet_out *s);
void sheet_cell(struct sheet_out *s, const char *text);		/* UTF-8; NULL: empty */
void sheet_number(struct sheet_out *s, uint64_t n);
/* Two cells: KEY and KEY_base64. */
void sheet_bytes(struct sheet_out *s, const void *bytes, size_t size);
void sheet_end_row(struct sheet_out *s);
/* -1, MUNI_NO_MEMORY: a cell was lost. */
int sheet_end(const struct sheet_out *s, struct err *e);

/* ---- in --------------------------------------------------------------------------- */

#define SHEET_MAX (256u << 20)		/* bytes of a file */
#define SHEET_COLUMNS_MAX 64

struct sheet;
/* path "-": standard input. */
int sheet_read(const char *path, struct sheet **out, struct err *e);
void sheet_free(struct sheet *s);	/* NULL is allowed */
size_t sheet_rows(const struct sheet *s);	/* without the head */
/* By the name in the head, in any case; -1: there is none. */
int sheet_column(const struct sheet *s, const char *name);
/* "" in column -1; borrowed. */
const char *sheet_at(const struct sheet *s, size_t row, int column);
unsigned sheet_line(const struct sheet *s, size_t row);	/* in the file */

#endif
