/*
 * What paper*.c share.
 */
#ifndef TOOLS_PAPER_INSIDE_H
#define TOOLS_PAPER_INSIDE_H

#include <pango/pangocairo.h>

#include "tools/paper.h"

/* Points; A4 is 210 x 297 mm. */
#define PAGE_WIDTH 595.276
#define PAGE_HEIGHT 841.89
#define MARGIN 56.0
#define FOOT 62.0		/* height at the foot of a page that stays free */
#define WIDTH (PAGE_WIDTH - 2 * MARGIN)
#define COLUMNS_MAX 10

struct paper {
	cairo_t *cairo;
	const struct paper_about *about;
	PangoFontDescription *fonts[PAPER_STYLES];
	double y;		/* of what comes next */
	unsigned page, pages;	/* pages 0: they are being counted */
	unsigned unknown;	/* characters that no font has */
	struct paper_column columns[COLUMNS_MAX];
	size_t column_count;	/* 0: no table is open */
};

/* Draws (or measures) text in a box; returns its height. */
double paper_lay(struct paper *p, enum paper_style style, const char *text, double x, double y,
		 double width, bool is_right, bool is_drawn);
void paper_ink(struct paper *p, double grey);
void paper_rule(struct paper *p, double x, double y, double width, double thickness, double grey);
/* A new page unless height fits on this one. */
void paper_need(struct paper *p, double height);
void paper_draw_qr(struct paper *p, const char *text, double x, double y, double size);

#endif
