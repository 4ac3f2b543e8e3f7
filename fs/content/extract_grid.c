#include "fs/content/extract_grid.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/content/look.h"

#define HEADING_MAX 80		/* bytes of one that are kept */
#define LEFT_MAX 40		/* a text beside a value is longer only in prose */
#define ROWS_TRIED 20		/* headings stand near the top */
#define ROW_TEXT_MAX (2u << 20)	/* a row that is larger goes in parts */
#define ROW_CELLS_MAX 65536u

struct grid_cell {
	size_t column;
	size_t text, size;	/* in the row's texts */
	size_t place;		/* in the row's places, NUL ended */
	bool is_text;
};

struct grid {
	struct cells *cells;
	char **headings;	/* GRID_COLUMNS, each owned or NULL */
	size_t heading_count;	/* those from here on are NULL */
	bool has_headings;	/* from a row that looked like them */
	unsigned rows;
	struct buffer row;	/* of struct grid_cell */
	struct buffer texts, places;
};

struct grid *grid_new(struct look *l)
{
	struct grid *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	g->cells = cells_new(l);
	g->headings = calloc(GRID_COLUMNS, sizeof *g->headings);
	if (!g->cells || !g->headings) {
		grid_free(g);
		return NULL;
	}
	return g;
}

static void drop_headings(struct grid *g)
{
	for (size_t i = 0; i < g->heading_count; i++) {
		free(g->headings[i]);
		g->headings[i] = NULL;
	}
	g->heading_count = 0;
}

void grid_free(struct grid *g)
{
	if (!g)
		return;
	if (g->headings)
		drop_headings(g);
	free(g->headings);
	if (g->texts.data)	/* values stood in it */
		explicit_bzero(g->texts.data, g->texts.capacity);
	buffer_free(&g->texts);
	buffer_free(&g->places);
	buffer_free(&g->row);
	cells_free(g->cells);
	free(g);
}

void grid_begin(struct grid *g)
{
	drop_headings(g);
	g->has_headings = false;
	g->rows = 0;
}

const char *grid_letters(size_t column, char out[8])
{
	char back[8];
	size_t n = 0, i = 0;

	for (column++; column > 0 && n < sizeof back - 1; column = (column - 1) / 26)
		back[n++] = (char)('A' + (column - 1) % 26);
	while (n > 0)
		out[i++] = back[--n];
	out[i] = '\0';
	return out;
}

/* ---- a row ----------------------------------------------------------------------------------- */

static size_t row_count(const struct grid *g)
{
	return g->row.size / sizeof(struct grid_cell);
}

static struct grid_cell row_cell(const struct grid *g, size_t i)
{
	struct grid_cell c;

	memcpy(&c, g->row.data + i * sizeof c, sizeof c);
	return c;
}

static unsigned count_digits(const uint8_t *text, size_t size)
{
	unsigned n = 0;

	for (size_t i = 0; i < size; i++)
		n += text[i] >= '0' && text[i] <= '9';
	return n;
}

static bool looks_like_headings(const struct grid *g)
{
	size_t count = row_count(g);

	for (size_t i = 0; i < count; i++) {
		struct grid_cell c = row_cell(g, i);
		const uint8_t *text = g->texts.data + c.text;

		if (!c.is_text || c.size > HEADING_MAX || memchr(text, '@', c.size) ||
		    count_digits(text, c.size) > 3)
			return false;
	}
	return count > 1;
}

static int set_headings(struct grid *g, bool is_heading, struct err *e)
{
	for (size_t i = 0; i < row_count(g); i++) {
		struct grid_cell c = row_cell(g, i);
		size_t size = c.size < HEADING_MAX ? c.size : HEADING_MAX;

		if (!c.is_text || c.column >= GRID_COLUMNS || g->headings[c.column] ||
		    (!is_heading && count_digits(g->texts.data + c.text, c.size) > 3))
			continue;
		g->headings[c.column] = strndup((const char *)g->texts.data + c.text, size);
		if (!g->headings[c.column])
			return err_set(e, MUNI_NO_MEMORY, "no memory for the heads of a table");
		if (c.column >= g->heading_count)
			g->heading_count = c.column + 1;
	}
	return 0;
}

/* What stands over it, and what stands to its left if that is no data. */
static void label_of(const struct grid *g, size_t i, char out[HEADING_MAX + LEFT_MAX + 16])
{
	struct grid_cell c = row_cell(g, i), left;
	const char *heading = c.column < GRID_COLUMNS ? g->headings[c.column] : NULL;
	char letters[8];
	int n;

	n = snprintf(out, HEADING_MAX + 8, "%s", heading ? heading
							 : grid_letters(c.column, letters));
	if (i == 0)
		return;
	left = row_cell(g, i - 1);
	if (!left.is_text || left.size > LEFT_MAX ||
	    count_digits(g->texts.data + left.text, left.size) > 0)
		return;
	snprintf(out + n, LEFT_MAX + 8, " %.*s", (int)left.size,
		 (const char *)g->texts.data + left.text);
}

static int hand_over_once(struct grid *g, bool is_heading, struct err *e)
{
	size_t count = row_count(g);

	for (size_t i = 0; i < count; i++) {
		struct grid_cell c = row_cell(g, i);
		char label[HEADING_MAX + LEFT_MAX + 16] = "";

		if (!is_heading)
			label_of(g, i, label);
		if (cells_add(g->cells, label, (const char *)g->places.data + c.place,
			      g->texts.data + c.text, c.size, e) < 0)
			return -1;
	}
	return cells_row(g->cells, e);
}

static int hand_over(struct grid *g, bool is_heading, unsigned times, struct err *e)
{
	for (unsigned i = 0; i < times && i < GRID_REPEATS; i++)
		if (hand_over_once(g, is_heading, e) < 0)
			return -1;
	buffer_reset(&g->row);
	buffer_reset(&g->texts);
	buffer_reset(&g->places);
	return 0;
}

static bool is_short_of_memory(const struct grid *g)
{
	return g->row.failed || g->texts.failed || g->places.failed;
}

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for a row of a table");
}

int grid_add(struct grid *g, size_t column, bool is_text, const char *place,
	     const void *text, size_t size, struct err *e)
{
	const struct grid_cell c = { .column = column, .text = g->texts.size, .size = size,
				     .place = g->places.size, .is_text = is_text };

	if (size == 0)
		return 0;
	buffer_append(&g->texts, text, size);
	buffer_append(&g->places, place, strlen(place) + 1);
	buffer_append(&g->row, &c, sizeof c);
	if (is_short_of_memory(g))
		return no_memory(e);
	if (g->texts.size > ROW_TEXT_MAX || row_count(g) >= ROW_CELLS_MAX)
		return hand_over(g, false, 1, e);
	return 0;
}

int grid_row(struct grid *g, unsigned times, struct err *e)
{
	bool is_heading = false;

	if (row_count(g) == 0)
		return 0;
	if (!g->has_headings && g->rows < ROWS_TRIED) {
		is_heading = looks_like_headings(g);
		if (is_heading)
			drop_headings(g);
		if ((is_heading || g->rows == 0) && set_headings(g, is_heading, e) < 0)
			return -1;
		g->has_headings = is_heading;
	}
	g->rows++;
	return hand_over(g, is_heading, times, e);
}

int grid_end(struct grid *g, struct err *e)
{
	return grid_row(g, 1, e) < 0 || cells_end(g->cells, e) < 0 ? -1 : 0;
}
