/*
 * A worksheet (ECMA-376, part 1, 18.3): rows of cells, whose texts mostly stand in
 * the workbook's shared ones.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/extract_grid.h"
#include "fs/content/extract_office.h"
#include "fs/content/extract_sax.h"
#include "fs/content/look.h"

#define VALUE_MAX (1u << 20)	/* Excel's own limit is 32,767 characters */

enum cell_type { CELL_NUMBER, CELL_SHARED, CELL_TEXT, CELL_OTHER };

enum within { WITHIN_NOTHING, WITHIN_VALUE, WITHIN_FORMULA, WITHIN_REST };

struct sheet_reader {
	struct look *look;
	struct book *book;
	struct grid *grid;
	struct cells *beside;		/* formulas, page headers, links */
	const char *name;
	uint64_t row;
	size_t column;
	enum cell_type type;
	size_t style;
	enum within within;
	bool is_phonetic;
	struct buffer value, formula;
};

/* "B7": the column from its letters; SIZE_MAX for anything else. */
static size_t column_of(const char *reference)
{
	size_t column = 0;

	if (*reference < 'A' || *reference > 'Z')
		return SIZE_MAX;
	for (; *reference >= 'A' && *reference <= 'Z' && column < GRID_COLUMNS * 27; reference++)
		column = column * 26 + (size_t)(*reference - 'A') + 1;
	return column - 1;
}

static void begin_cell(struct sheet_reader *r, const struct sax_tag *tag)
{
	char word[32];
	size_t column;

	if (sax_value(tag, "r", word, sizeof word)) {
		column = column_of(word);
		if (column != SIZE_MAX)
			r->column = column;
	}
	r->type = CELL_NUMBER;
	if (sax_value(tag, "t", word, sizeof word))
		r->type = !strcmp(word, "s") ? CELL_SHARED
			: !strcmp(word, "str") || !strcmp(word, "inlineStr") || !strcmp(word, "d")
				? CELL_TEXT
			: !strcmp(word, "n") ? CELL_NUMBER : CELL_OTHER;
	r->style = sax_value(tag, "s", word, sizeof word) ? strtoul(word, NULL, 10) : 0;
	buffer_reset(&r->value);
	buffer_reset(&r->formula);
}

static int on_start(void *arg, const struct sax_tag *tag, struct err *e)
{
	struct sheet_reader *r = arg;
	const char *name = tag->name;
	char word[32];

	if (!strcmp(name, "row")) {
		r->row = sax_value(tag, "r", word, sizeof word) ? strtoull(word, NULL, 10)
								: r->row + 1;
		r->column = 0;
	} else if (!strcmp(name, "c")) {
		begin_cell(r, tag);
	} else if (!strcmp(name, "v")) {
		r->within = WITHIN_VALUE;
	} else if (!strcmp(name, "t")) {
		r->within = r->is_phonetic ? WITHIN_NOTHING : WITHIN_VALUE;
	} else if (!strcmp(name, "f")) {
		r->within = WITHIN_FORMULA;
	} else if (!strcmp(name, "rPh")) {
		r->is_phonetic = true;
	} else if (!strcmp(name, "oddHeader") || !strcmp(name, "oddFooter") ||
		   !strcmp(name, "evenHeader") || !strcmp(name, "evenFooter") ||
		   !strcmp(name, "firstHeader") || !strcmp(name, "firstFooter") ||
		   !strcmp(name, "formula1") || !strcmp(name, "formula2")) {
		r->within = WITHIN_REST;
		buffer_reset(&r->value);
	} else if (!strcmp(name, "hyperlink")) {
		const struct sax_attribute *a = sax_attribute(tag, "tooltip");

		if (a && cells_add(r->beside, "tooltip", r->name, a->value, a->size, e) < 0)
			return -1;
	}
	return 0;
}

static int on_text(void *arg, const char *text, size_t size, struct err *e)
{
	struct sheet_reader *r = arg;
	struct buffer *b = r->within == WITHIN_FORMULA ? &r->formula : &r->value;

	(void)e;
	if (r->within == WITHIN_NOTHING)
		return 0;
	if (b->size + size > VALUE_MAX) {
		look_opaque(r->look, "a cell of its sheet %s is larger than a sheet's can be",
			    text_printable(r->name));
		return 0;
	}
	buffer_append(b, text, size);
	return 0;
}

/* What the cell shows; NULL: nothing. */
static const char *shown(struct sheet_reader *r, char number[64], size_t *size)
{
	const char *value = (const char *)r->value.data;

	*size = r->value.size - 1;	/* without the NUL */
	if (r->type == CELL_SHARED) {
		*size = 0;
		return book_text(r->book, strtoul(value, NULL, 10), size);
	}
	if (r->type == CELL_NUMBER && book_number(r->book, r->style, value, number)) {
		*size = strlen(number);
		return number;
	}
	return value;
}

static int end_cell(struct sheet_reader *r, struct err *e)
{
	char number[64], place[160], letters[8];
	const char *text;
	size_t size;

	snprintf(place, sizeof place, "%.100s!%s%llu", text_printable(r->name),
		 grid_letters(r->column, letters), (unsigned long long)r->row);
	r->column++;
	if (r->value.failed || r->formula.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a cell");
	/* A formula's texts are nowhere else where its result does not show them. */
	if (r->formula.size > 0 && memchr(r->formula.data, '"', r->formula.size) &&
	    cells_add(r->beside, "formula", place, r->formula.data, r->formula.size, e) < 0)
		return -1;
	if (r->value.size == 0)
		return 0;
	buffer_u8(&r->value, 0);
	if (r->value.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a cell");
	text = shown(r, number, &size);
	if (!text) {
		look_opaque(r->look, "its sheet %s refers to texts that are missing",
			    text_printable(r->name));
		return 0;
	}
	return grid_add(r->grid, r->column - 1, r->type == CELL_SHARED || r->type == CELL_TEXT,
			place, text, size, e);
}

static int on_end(void *arg, const char *name, struct err *e)
{
	struct sheet_reader *r = arg;

	if (!strcmp(name, "c"))
		return end_cell(r, e);
	if (!strcmp(name, "row"))
		return grid_row(r->grid, 1, e);
	if (!strcmp(name, "rPh"))
		r->is_phonetic = false;
	if (r->within == WITHIN_REST && r->value.size > 0 &&
	    cells_add(r->beside, NULL, r->name, r->value.data, r->value.size, e) < 0)
		return -1;
	if (r->within == WITHIN_REST)
		buffer_reset(&r->value);
	r->within = WITHIN_NOTHING;
	return 0;
}

/* What is no XML any more is text all the same. */
static int on_rest(void *arg, const char *text, size_t size, struct err *e)
{
	struct sheet_reader *r = arg;

	return cells_add(r->beside, NULL, r->name, text, size, e);
}

static void wipe(struct buffer *b)
{
	if (b->data)	/* values stood in it */
		explicit_bzero(b->data, b->capacity);
	buffer_free(b);
}

int office_sheet(struct look *l, struct input *in, struct book *b, const char *part,
		 bool *is_whole, struct err *e)
{
	static const struct sax_handler handler = { .start = on_start, .end = on_end,
						    .text = on_text, .rest = on_rest };
	struct sheet_reader r = { .look = l, .book = b };
	int rc = -1;

	r.name = book_sheet_name(b, part);
	r.grid = grid_new(l);
	r.beside = cells_new(l);
	if (!r.grid || !r.beside) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read a sheet");
		goto out;
	}
	grid_begin(r.grid);
	if (sax_parse(l, in, &handler, &r, is_whole, e) == 0 && grid_end(r.grid, e) == 0)
		rc = cells_end(r.beside, e);
out:
	wipe(&r.value);
	wipe(&r.formula);
	cells_free(r.beside);
	grid_free(r.grid);
	return rc;
}
