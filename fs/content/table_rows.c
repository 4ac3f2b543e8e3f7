#include "fs/content/table_rows.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "policy/detect/detect.h"

/* The detector asks no further back. */
#define KEPT (64u << 10)
#define KEPT_SHARED DETECT_SHARED

struct table_rows {
	struct look *look;
	struct text_reader *reader;
	struct table_names names;
	uint8_t *window;	/* owned: what was fed last, then room for a slice */
	size_t size, room;
	size_t kept;		/* of it */
	uint64_t start;		/* of the window in the text */
	uint64_t start_column;	/* of its first byte */
	struct passage_cursor place_at;	/* of the place asked for last */
	struct passage passage;
};

/* ---- looking back -------------------------------------------------------------------- */

static uint64_t count_cells(const uint8_t *p, size_t size)
{
	uint64_t cells = 0;

	for (size_t i = 0; i < size; i++)
		cells += p[i] == DETECT_CELL_END;
	return cells;
}

/* The column of window[at]. */
static uint64_t column_at(const struct table_rows *g, size_t at)
{
	const uint8_t *row = memrchr(g->window, DETECT_ROW_END, at);

	if (row == NULL)
		return g->start_column + count_cells(g->window, at);
	row++;
	return count_cells(row, (size_t)(g->window + at - row));
}

/* The cursor: the offset asked for last and one more, and its column. */
static uint64_t column_of(const struct table_rows *g, uint64_t offset,
			  struct passage_cursor *cursor)
{
	uint64_t asked = cursor->offset - 1, column = cursor->value;
	const uint8_t *from, *row;
	size_t at;

	if (offset < g->start)
		return g->start_column;
	at = (size_t)(offset - g->start);
	if (at > g->size)
		at = g->size;
	if (cursor->offset == 0 || asked < g->start || asked > offset) {
		column = column_at(g, at);
	} else {	/* questions come nearly in order: count on from the last one */
		from = g->window + (asked - g->start);
		row = memrchr(from, DETECT_ROW_END, (size_t)(g->window + at - from));
		if (row != NULL) {
			from = row + 1;
			column = 0;
		}
		column += count_cells(from, (size_t)(g->window + at - from));
	}
	*cursor = (struct passage_cursor){ g->start + at + 1, column };
	return column;
}

static const char *label(void *arg, uint64_t offset, struct passage_cursor *cursor)
{
	const struct table_rows *g = arg;

	return g->names.label(g->names.arg, offset, column_of(g, offset, cursor));
}

static void place(void *arg, uint64_t offset, char out[SAMPLE_WHERE_MAX])
{
	struct table_rows *g = arg;

	g->names.place(g->names.arg, offset, column_of(g, offset, &g->place_at),
		       text_reader_line(g->reader, offset), out);
}

static uint64_t told(void *arg, uint64_t offset)
{
	const struct table_rows *g = arg;

	return text_reader_told(g->reader, offset);
}

/* ---- feeding ------------------------------------------------------------------------- */

int table_rows_new(struct look *l, struct text_reader *r, const struct table_names *names,
	     struct table_rows **out, struct err *e)
{
	struct table_rows *g = calloc(1, sizeof *g);

	*out = NULL;
	if (g != NULL) {
		bool is_shared = text_reader_reaches_far(r);

		g->kept = is_shared ? KEPT_SHARED : KEPT;
		/* What is kept moves seldom. */
		g->room = is_shared ? 2 * KEPT_SHARED : KEPT + TABLE_SLICE;
		g->window = malloc(g->room);
	}
	if (g == NULL || g->window == NULL) {
		free(g);
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a table");
	}
	g->look = l;
	g->reader = r;
	g->names = *names;
	g->passage = (struct passage){ .label = label, .place = place, .told = told, .arg = g };
	detector_begin(look_detector(l), &g->passage);
	*out = g;
	return 0;
}

void table_rows_name_secrets(struct table_rows *g)
{
	g->passage.names_secrets = true;
}

void table_rows_free(struct table_rows *g)
{
	if (g == NULL)
		return;
	explicit_bzero(g->window, g->size);	/* values stood in it */
	free(g->window);
	free(g);
}

uint64_t table_rows_position(const struct table_rows *g)
{
	return g->start + g->size;
}

uint8_t *table_rows_room(struct table_rows *g)
{
	if (g->size + TABLE_SLICE > g->room) {
		size_t gone = g->size - g->kept;

		g->start_column = column_at(g, gone);
		memmove(g->window, g->window + gone, g->kept);
		g->start += gone;
		g->size = g->kept;
	}
	return g->window + g->size;
}

int table_rows_feed(struct table_rows *g, size_t size, struct err *e)
{
	const uint8_t *slice = g->window + g->size;

	g->size += size;
	g->passage.is_shared = g->kept == KEPT_SHARED && text_reader_reaches_far(g->reader);
	return detector_feed(look_detector(g->look), slice, size, e);
}

int table_rows_end(struct table_rows *g, struct err *e)
{
	return detector_end(look_detector(g->look), e);
}
