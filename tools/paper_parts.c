/*
 * Titles, pairs, tables, digests, lines to sign on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <qrencode.h>

#include "tools/paper_inside.h"

#define LABEL_WIDTH 132.0
#define CELL_X 5.0		/* free at the sides of a cell */
#define CELL_Y 3.2
#define QR_SIZE 92.0
#define QUIET 4			/* modules around a QR code (ISO/IEC 18004) */

void paper_space(struct paper *p, double points)
{
	p->y += points;
}

void paper_title(struct paper *p, const char *text, const char *below)
{
	paper_rule(p, MARGIN, p->y, WIDTH, 2.2, 0.12);
	p->y += 13;
	p->y += paper_lay(p, PAPER_TITLE, text, MARGIN, p->y, WIDTH, false, true) + 3;
	p->y += paper_lay(p, PAPER_LABEL, below, MARGIN, p->y, WIDTH, false, true) + 10;
	paper_rule(p, MARGIN, p->y, WIDTH, 0.5, 0.12);
	p->y += 10;
}

void paper_heading(struct paper *p, const char *text)
{
	paper_need(p, 70);	/* never alone at the foot of a page */
	if (p->y > MARGIN)
		p->y += 13;
	p->y += paper_lay(p, PAPER_HEADING, text, MARGIN, p->y, WIDTH, false, true) + 3;
	paper_rule(p, MARGIN, p->y, WIDTH, 0.5, 0.55);
	p->y += 6;
}

void paper_text(struct paper *p, enum paper_style style, const char *text)
{
	double height = paper_lay(p, style, text, MARGIN, 0, WIDTH, false, false);

	paper_need(p, height);
	paper_lay(p, style, text, MARGIN, p->y, WIDTH, false, true);
	p->y += height + 3;
}

static void pair(struct paper *p, const char *label, enum paper_style style, const char *text)
{
	double left, right, height;

	if (!text || !*text)
		return;
	left = paper_lay(p, PAPER_LABEL, label, 0, 0, LABEL_WIDTH - 8, false, false);
	right = paper_lay(p, style, text, 0, 0, WIDTH - LABEL_WIDTH, false, false);
	height = left > right ? left : right;
	paper_need(p, height);
	/* One base line for the smaller letters and the larger. */
	paper_lay(p, PAPER_LABEL, label, MARGIN, p->y + 0.5, LABEL_WIDTH - 8, false, true);
	paper_lay(p, style, text, MARGIN + LABEL_WIDTH, p->y, WIDTH - LABEL_WIDTH, false, true);
	p->y += height + 3.4;
}

void paper_pair(struct paper *p, const char *label, const char *text)
{
	pair(p, label, PAPER_BODY, text);
}

void paper_pair_mono(struct paper *p, const char *label, const char *text)
{
	pair(p, label, PAPER_MONO, text);
}

/* ---- tables ----------------------------------------------------------------------------- */

static double cells(struct paper *p, const char *const *texts, enum paper_style style,
		    bool is_drawn)
{
	double x = MARGIN, height = 0;

	for (size_t i = 0; i < p->column_count; i++) {
		const struct paper_column *c = &p->columns[i];
		double width = c->width * WIDTH;
		double h = paper_lay(p, style, texts[i] ? texts[i] : "", x + CELL_X,
				     p->y + CELL_Y, width - 2 * CELL_X, c->is_right, is_drawn);

		if (h > height)
			height = h;
		x += width;
	}
	return height + 2 * CELL_Y;
}

static void table_head(struct paper *p)
{
	const char *heads[COLUMNS_MAX];
	double height;

	for (size_t i = 0; i < p->column_count; i++)
		heads[i] = p->columns[i].head;
	height = cells(p, heads, PAPER_LABEL, false);
	paper_rule(p, MARGIN, p->y, WIDTH, height, 0.945);
	cells(p, heads, PAPER_LABEL, true);
	p->y += height;
	paper_rule(p, MARGIN, p->y, WIDTH, 0.6, 0.45);
}

void paper_caption(struct paper *p, const char *text)
{
	paper_need(p, 80);
	p->y += paper_lay(p, PAPER_LABEL, text, MARGIN, p->y, WIDTH, false, true) + 2;
}

void paper_table(struct paper *p, const struct paper_column *columns, size_t count)
{
	p->column_count = count < COLUMNS_MAX ? count : COLUMNS_MAX;
	memcpy(p->columns, columns, p->column_count * sizeof *columns);
	paper_need(p, 60);
	p->y += 2;
	table_head(p);
}

void paper_row(struct paper *p, const char *const *texts)
{
	double height = cells(p, texts, PAPER_SMALL, false);
	unsigned page = p->page;

	paper_need(p, height);
	if (p->page != page)
		table_head(p);
	cells(p, texts, PAPER_SMALL, true);
	p->y += height;
	paper_rule(p, MARGIN, p->y, WIDTH, 0.3, 0.8);
}

void paper_table_end(struct paper *p)
{
	p->column_count = 0;
	p->y += 6;
}

/* ---- digest and QR code ------------------------------------------------------------------ */

void paper_draw_qr(struct paper *p, const char *text, double x, double y, double size)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	double module;

	if (!code)
		return;
	module = size / (code->width + 2 * QUIET);
	paper_ink(p, 0);
	for (int row = 0; row < code->width; row++)
		for (int column = 0; column < code->width; column++)
			if (code->data[row * code->width + column] & 1)
				cairo_rectangle(p->cairo, x + (QUIET + column) * module,
						y + (QUIET + row) * module, module, module);
	cairo_fill(p->cairo);
	QRcode_free(code);
}

/* "a1b2 c3d4 ...", 32 digits a line. */
static void group(const char *hex, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; hex[i] && used + 2 < size; i++) {
		if (i > 0 && i % 4 == 0)
			out[used++] = i % 32 == 0 ? '\n' : ' ';
		out[used++] = hex[i];
	}
	out[used] = '\0';
}

void paper_digest(struct paper *p, const char *label, const char *hex, const char *qr)
{
	char grouped[128];
	double y;

	group(hex, grouped, sizeof grouped);
	paper_need(p, QR_SIZE + 8);
	y = p->y;
	p->y += 24;
	p->y += paper_lay(p, PAPER_LABEL, label, MARGIN, p->y, WIDTH - QR_SIZE - 20, false, true);
	p->y += 3;
	paper_lay(p, PAPER_MONO, grouped, MARGIN, p->y, WIDTH - QR_SIZE - 20, false, true);
	paper_draw_qr(p, qr, MARGIN + WIDTH - QR_SIZE, y, QR_SIZE);
	p->y = y + QR_SIZE + 2;
}

/* ---- lines to sign on ---------------------------------------------------------------------- */

void paper_signatures(struct paper *p, const char *const *captions, size_t count,
		      const char *date_word)
{
	const double width = (WIDTH - 28) / 2, height = 74;

	for (size_t i = 0; i < count; i++) {
		double x = MARGIN + (i % 2 ? width + 28 : 0);

		if (i % 2 == 0)
			paper_need(p, height);
		paper_rule(p, x, p->y + 38, width * 0.68, 0.6, 0.2);
		paper_rule(p, x + width * 0.72, p->y + 38, width * 0.28, 0.6, 0.2);
		paper_lay(p, PAPER_SMALL, captions[i], x, p->y + 42, width * 0.68, false, true);
		paper_lay(p, PAPER_LABEL, date_word, x + width * 0.72, p->y + 42, width * 0.28,
			  false, true);
		if (i % 2 == 1 || i + 1 == count)
			p->y += height;
	}
}
