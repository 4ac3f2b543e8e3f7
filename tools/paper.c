#include "tools/paper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cairo-pdf.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "tools/paper_inside.h"

/* ---- text ----------------------------------------------------------------------------- */

static const struct face {
	const char *family;
	double size;
	bool is_bold;
	double grey;		/* 0 black */
} faces[PAPER_STYLES] = {
	[PAPER_TITLE] = { "serif", 21, true, 0.08 },
	[PAPER_HEADING] = { "sans", 10.5, true, 0.12 },
	[PAPER_BODY] = { "sans", 8.8, false, 0.08 },
	[PAPER_BOLD] = { "sans", 8.8, true, 0.08 },
	[PAPER_LABEL] = { "sans", 8.3, false, 0.38 },
	[PAPER_SMALL] = { "sans", 7.6, false, 0.22 },
	[PAPER_MONO] = { "mono", 7.9, false, 0.08 },
};

/* Families in the order in which they are looked for; what the first lacks comes from
 * the next that has it. */
static const char *families(const char *kind, bool is_chinese)
{
	if (strcmp(kind, "mono") == 0)
		return "DejaVu Sans Mono, Noto Sans Mono, Noto Sans CJK SC, WenQuanYi Micro Hei";
	if (is_chinese)
		return "Noto Sans CJK SC, Source Han Sans SC, WenQuanYi Micro Hei, "
		       "WenQuanYi Zen Hei, DejaVu Sans";
	if (strcmp(kind, "serif") == 0)
		return "DejaVu Serif, Noto Serif, Noto Sans CJK SC, WenQuanYi Micro Hei";
	return "DejaVu Sans, Noto Sans, Noto Sans CJK SC, WenQuanYi Micro Hei";
}

static void open_fonts(struct paper *p)
{
	for (int i = 0; i < PAPER_STYLES; i++) {
		const struct face *f = &faces[i];
		/* Chinese letters fill their square: a little larger is as easy to read. */
		double size = f->size * (p->about->is_chinese && i != PAPER_MONO ? 1.06 : 1);

		p->fonts[i] = pango_font_description_new();
		pango_font_description_set_family_static(p->fonts[i],
			families(f->family, p->about->is_chinese));
		pango_font_description_set_absolute_size(p->fonts[i], size * PANGO_SCALE);
		if (f->is_bold)
			pango_font_description_set_weight(p->fonts[i], PANGO_WEIGHT_BOLD);
	}
}

double paper_lay(struct paper *p, enum paper_style style, const char *text, double x, double y,
		 double width, bool is_right, bool is_drawn)
{
	PangoLayout *layout = pango_cairo_create_layout(p->cairo);
	PangoAttrList *attributes = pango_attr_list_new();
	PangoRectangle box;

	pango_layout_set_font_description(layout, p->fonts[style]);
	pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
	pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_line_spacing(layout, p->about->is_chinese ? 1.12f : 1.08f);
	if (is_right)
		pango_layout_set_alignment(layout, PANGO_ALIGN_RIGHT);
	/* A hyphen in a digest would be read as a part of it. */
	pango_attr_list_insert(attributes, pango_attr_insert_hyphens_new(FALSE));
	pango_layout_set_attributes(layout, attributes);
	pango_attr_list_unref(attributes);
	pango_layout_set_text(layout, text, -1);
	pango_layout_get_extents(layout, NULL, &box);
	if (is_drawn) {
		p->unknown += (unsigned)pango_layout_get_unknown_glyphs_count(layout);
		paper_ink(p, faces[style].grey);
		cairo_move_to(p->cairo, x, y);
		pango_cairo_show_layout(p->cairo, layout);
	}
	g_object_unref(layout);
	return (double)box.height / PANGO_SCALE;
}

void paper_ink(struct paper *p, double grey)
{
	cairo_set_source_rgb(p->cairo, grey, grey, grey);
}

void paper_rule(struct paper *p, double x, double y, double width, double thickness, double grey)
{
	paper_ink(p, grey);
	cairo_rectangle(p->cairo, x, y, width, thickness);
	cairo_fill(p->cairo);
}

/* ---- pages ----------------------------------------------------------------------------- */

static void end_page(struct paper *p)
{
	const double y = PAGE_HEIGHT - FOOT + 20;
	char count[64];

	paper_rule(p, MARGIN, y - 7, WIDTH, 0.4, 0.7);
	paper_lay(p, PAPER_SMALL, p->about->foot, MARGIN, y, WIDTH * 0.75, false, true);
	snprintf(count, sizeof count, p->about->is_chinese ? "第 %u 页，共 %u 页"
							    : "page %u of %u",
		 p->page, p->pages ? p->pages : p->page);
	paper_lay(p, PAPER_SMALL, count, MARGIN + WIDTH * 0.75, y, WIDTH * 0.25, true, true);
	cairo_show_page(p->cairo);
}

void paper_need(struct paper *p, double height)
{
	if (p->y + height <= PAGE_HEIGHT - FOOT || p->y <= MARGIN)
		return;
	end_page(p);
	p->page++;
	p->y = MARGIN;
}

static cairo_status_t collect(void *arg, const unsigned char *data, unsigned size)
{
	struct buffer *b = arg;

	buffer_append(b, data, size);
	return b->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

static void describe(cairo_surface_t *surface, const struct paper_about *a)
{
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, a->title);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, a->subject);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_AUTHOR, a->author);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "muniment");
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, a->made);
}

/* One pass; pages 0: to count them.  Their number, or 0 where drawing failed. */
static unsigned pass(const struct paper_about *about, unsigned pages,
		     void (*draw)(struct paper *p, void *arg), void *arg, struct buffer *out,
		     unsigned *unknown)
{
	cairo_surface_t *surface =
		cairo_pdf_surface_create_for_stream(collect, out, PAGE_WIDTH, PAGE_HEIGHT);
	struct paper p = { .about = about, .y = MARGIN, .page = 1, .pages = pages };
	bool is_drawn;

	describe(surface, about);
	p.cairo = cairo_create(surface);
	open_fonts(&p);
	draw(&p, arg);
	end_page(&p);
	is_drawn = cairo_status(p.cairo) == CAIRO_STATUS_SUCCESS;
	cairo_destroy(p.cairo);
	cairo_surface_finish(surface);
	is_drawn = is_drawn && cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;
	cairo_surface_destroy(surface);
	for (int i = 0; i < PAPER_STYLES; i++)
		pango_font_description_free(p.fonts[i]);
	*unknown = p.unknown;
	return is_drawn && !out->failed ? p.page : 0;
}

int paper_make(const struct paper_about *about, void (*draw)(struct paper *p, void *arg),
	       void *arg, uint8_t **out, size_t *size, struct err *e)
{
	struct buffer b = { 0 };
	unsigned unknown = 0;
	unsigned pages = pass(about, 0, draw, arg, &b, &unknown);

	*out = NULL;
	*size = 0;
	if (pages > 0 && unknown == 0) {
		buffer_reset(&b);
		pages = pass(about, pages, draw, arg, &b, &unknown);
	}
	if (unknown > 0) {
		buffer_free(&b);
		return err_set(e, MUNI_UNSUPPORTED, "no font on this machine has %u of the "
			       "characters: install %s", unknown, about->is_chinese ?
			       "fonts-wqy-microhei or fonts-noto-cjk" :
			       "fonts-dejavu-core (and fonts-wqy-microhei or fonts-noto-cjk for "
			       "Chinese names)");
	}
	if (pages == 0) {
		buffer_free(&b);
		return err_set(e, MUNI_NO_MEMORY, "the pages could not be drawn: no memory");
	}
	*out = b.data;
	*size = b.size;
	return 0;
}
