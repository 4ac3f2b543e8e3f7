#include "fs/content/extract_flow.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/extract_grid.h"
#include "fs/content/extract_prose.h"
#include "fs/content/look.h"

#define PARAGRAPHS_MAX 16	/* in one another; what is deeper runs into the one above */
#define TABLES_MAX 8
#define TEXT_MAX (256u << 10)	/* of one paragraph or cell that is held */
#define ASIDES_MAX (64u << 10)	/* below what cells_add() hands over by itself */
#define ASIDE_COUNT_MAX 4096u
#define PLACE_MAX 256

struct paragraph {
	struct buffer text;
	size_t table_depth;	/* where it began */
};

struct table {
	struct grid *grid;	/* owned; kept for the next one */
	struct buffer cell;
	char name[96];		/* printable */
	bool is_sheet, is_in_cell;
	unsigned number;
	uint64_t row;
	size_t column;
};

struct flow {
	struct look *look;
	struct prose *prose;
	struct cells *asides;
	size_t aside_size, aside_count;
	char part[128];		/* printable */
	unsigned paragraph_number, table_number;
	struct paragraph paragraphs[PARAGRAPHS_MAX];
	size_t depth, lost;	/* lost: begun deeper than that */
	struct table tables[TABLES_MAX];
	size_t table_depth, lost_tables;
};

struct flow *flow_new(struct look *l)
{
	struct flow *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->look = l;
	f->prose = prose_new(l);
	f->asides = cells_new(l);
	if (!f->prose || !f->asides) {
		flow_free(f);
		return NULL;
	}
	return f;
}

static void wipe(struct buffer *b)
{
	if (b->data)	/* values stood in it */
		explicit_bzero(b->data, b->capacity);
	buffer_free(b);
}

void flow_free(struct flow *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < PARAGRAPHS_MAX; i++)
		wipe(&f->paragraphs[i].text);
	for (size_t i = 0; i < TABLES_MAX; i++) {
		wipe(&f->tables[i].cell);
		grid_free(f->tables[i].grid);
	}
	prose_free(f->prose);
	cells_free(f->asides);
	free(f);
}

void flow_part(struct flow *f, const char *part)
{
	snprintf(f->part, sizeof f->part, "%s", text_printable(part));
}

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the text of a document");
}

/* ---- cells ------------------------------------------------------------------------------------ */

static void cell_place(const struct flow *f, const struct table *t, size_t column,
		       char out[PLACE_MAX])
{
	char letters[8];

	if (t->is_sheet)
		snprintf(out, PLACE_MAX, "%s!%s%llu", t->name, grid_letters(column, letters),
			 (unsigned long long)t->row);
	else
		snprintf(out, PLACE_MAX, "%s%stable %u, row %llu", f->part, *f->part ? ", " : "",
			 t->number, (unsigned long long)t->row);
}

static int give_cell(struct flow *f, struct table *t, bool is_text, unsigned repeated,
		     struct err *e)
{
	char place[PLACE_MAX];
	int rc = 0;

	while (t->cell.size > 0 && t->cell.data[t->cell.size - 1] == '\n')
		t->cell.size--;
	if (t->cell.failed)
		return no_memory(e);
	for (unsigned i = 0; i < repeated && i < GRID_REPEATS && rc == 0; i++) {
		cell_place(f, t, t->column + i, place);
		rc = grid_add(t->grid, t->column + i, is_text, place, t->cell.data,
			      t->cell.size, e);
	}
	buffer_reset(&t->cell);
	return rc;
}

static struct table *open_table(struct flow *f)
{
	return f->table_depth > 0 ? &f->tables[f->table_depth - 1] : NULL;
}

/* Of a paragraph that is over, or of one that was too long. */
static int give_text(struct flow *f, const char *text, size_t size, bool is_end, struct err *e)
{
	struct table *t = open_table(f);
	char place[PLACE_MAX];

	if (t) {
		buffer_append(&t->cell, text, size);
		if (is_end)
			buffer_u8(&t->cell, '\n');
		if (t->cell.failed)
			return no_memory(e);
		return t->cell.size > TEXT_MAX ? give_cell(f, t, true, 1, e) : 0;
	}
	if (*f->part)
		snprintf(place, sizeof place, "%s", f->part);
	else
		snprintf(place, sizeof place, "paragraph %u", f->paragraph_number);
	return is_end ? prose_add(f->prose, place, text, size, e)
		      : prose_add_piece(f->prose, place, text, size, e);
}

/* ---- paragraphs -------------------------------------------------------------------------------- */

int flow_begin(struct flow *f, struct err *e)
{
	struct paragraph *p;

	(void)e;
	if (f->depth == PARAGRAPHS_MAX) {
		f->lost++;
		return 0;
	}
	p = &f->paragraphs[f->depth++];
	buffer_reset(&p->text);
	p->table_depth = f->table_depth;
	return 0;
}

bool flow_is_in_paragraph(const struct flow *f)
{
	return f->depth > 0 && f->paragraphs[f->depth - 1].table_depth == f->table_depth;
}

int flow_text(struct flow *f, const char *text, size_t size, struct err *e)
{
	struct paragraph *p;

	if (size == 0 || (!flow_is_in_paragraph(f) && flow_begin(f, e) < 0))
		return 0;
	p = &f->paragraphs[f->depth - 1];
	buffer_append(&p->text, text, size);
	if (p->text.failed)
		return no_memory(e);
	if (p->text.size > TEXT_MAX) {
		if (give_text(f, (const char *)p->text.data, p->text.size, false, e) < 0)
			return -1;
		buffer_reset(&p->text);
	}
	return 0;
}

static bool is_blank(const struct buffer *text)
{
	for (size_t i = 0; i < text->size; i++)
		if (text->data[i] != ' ' && text->data[i] != '\n' && text->data[i] != '\t' &&
		    text->data[i] != '\r')
			return false;
	return true;
}

int flow_end_paragraph(struct flow *f, struct err *e)
{
	struct paragraph *p;

	if (f->lost > 0) {
		f->lost--;
		return flow_text(f, "\n", 1, e);
	}
	if (!flow_is_in_paragraph(f))
		return 0;
	p = &f->paragraphs[--f->depth];
	if (is_blank(&p->text))
		return 0;
	f->paragraph_number++;
	return give_text(f, (const char *)p->text.data, p->text.size, true, e);
}

/* Those begun in the innermost table or cell. */
static int end_paragraphs(struct flow *f, struct err *e)
{
	f->lost = 0;
	while (flow_is_in_paragraph(f))
		if (flow_end_paragraph(f, e) < 0)
			return -1;
	return 0;
}

/* ---- tables ------------------------------------------------------------------------------------ */

int flow_table(struct flow *f, const char *name, bool is_sheet, struct err *e)
{
	struct table *t;

	if (f->table_depth == TABLES_MAX) {
		f->lost_tables++;
		return 0;
	}
	/* No stretch of prose is open while cells are handed over. */
	if (f->table_depth == 0 && prose_end(f->prose, e) < 0)
		return -1;
	t = &f->tables[f->table_depth];
	if (!t->grid)
		t->grid = grid_new(f->look);
	if (!t->grid)
		return no_memory(e);
	f->table_depth++;
	grid_begin(t->grid);
	buffer_reset(&t->cell);
	snprintf(t->name, sizeof t->name, "%s", text_printable(name));
	t->is_sheet = is_sheet;
	t->is_in_cell = false;
	t->number = ++f->table_number;
	t->row = 0;
	t->column = 0;
	return 0;
}

int flow_row(struct flow *f, struct err *e)
{
	struct table *t = open_table(f);

	(void)e;
	if (!t || f->lost_tables > 0)
		return 0;
	t->row++;
	t->column = 0;
	return 0;
}

int flow_cell(struct flow *f, struct err *e)
{
	struct table *t = open_table(f);

	if (!t || f->lost_tables > 0)
		return 0;
	if (t->is_in_cell && flow_end_cell(f, true, 1, 1, e) < 0)
		return -1;
	t->is_in_cell = true;
	return 0;
}

int flow_end_cell(struct flow *f, bool is_text, unsigned span, unsigned repeated,
		  struct err *e)
{
	struct table *t = open_table(f);
	int rc;

	if (!t)
		return 0;
	if (f->lost_tables > 0)
		return flow_text(f, "\n", 1, e);
	if (end_paragraphs(f, e) < 0)
		return -1;
	rc = give_cell(f, t, is_text, repeated, e);
	t->column += span > GRID_COLUMNS ? GRID_COLUMNS : span;
	t->is_in_cell = false;
	return rc;
}

int flow_end_row(struct flow *f, unsigned repeated, struct err *e)
{
	struct table *t = open_table(f);

	if (!t || f->lost_tables > 0)
		return 0;
	if ((t->is_in_cell || t->cell.size > 0 || flow_is_in_paragraph(f)) &&
	    flow_end_cell(f, true, 1, 1, e) < 0)
		return -1;
	if (grid_row(t->grid, repeated, e) < 0)
		return -1;
	t->row += repeated > 0 ? repeated - 1 : 0;
	return 0;
}

int flow_end_table(struct flow *f, struct err *e)
{
	struct table *t = open_table(f);

	if (!t)
		return 0;
	if (f->lost_tables > 0) {
		f->lost_tables--;
		return 0;
	}
	if (flow_end_row(f, 1, e) < 0 || grid_end(t->grid, e) < 0)
		return -1;
	f->table_depth--;
	return 0;
}

/* ---- the rest ------------------------------------------------------------------------------------ */

static int give_asides(struct flow *f, struct err *e)
{
	f->aside_size = f->aside_count = 0;
	return prose_end(f->prose, e) < 0 || cells_end(f->asides, e) < 0 ? -1 : 0;
}

int flow_aside(struct flow *f, const char *label, const char *text, size_t size,
	       struct err *e)
{
	char place[PLACE_MAX];

	if (size > ASIDES_MAX) {	/* cells_add() would hand it over at once */
		if (give_asides(f, e) < 0)
			return -1;
	}
	snprintf(place, sizeof place, "%s", f->part);
	if (cells_add(f->asides, label, place, text, size, e) < 0)
		return -1;
	f->aside_size += size;
	if (f->aside_size > ASIDES_MAX || ++f->aside_count > ASIDE_COUNT_MAX)
		return give_asides(f, e);
	return 0;
}

int flow_end(struct flow *f, struct err *e)
{
	for (;;) {
		if (end_paragraphs(f, e) < 0)
			return -1;
		if (f->table_depth == 0)
			break;
		f->lost_tables = 0;
		if (flow_end_table(f, e) < 0)
			return -1;
	}
	f->depth = f->lost = 0;
	return give_asides(f, e);
}
