/*
 * The text of a page.  poppler gives the words of a line without what parted them
 * where that was no blank but a move to the right, as in tables; the places of the
 * glyphs show it.
 */
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/content/extract_pdf_inside.h"

#define WORD_GAP 0.15		/* of a glyph's height */
#define COLUMN_GAP 1.0
#define LINE_SHIFT 0.5

static double height_of(const PopplerRectangle *r)
{
	double height = r->y2 - r->y1;

	return height > 0 ? height : 1;
}

/* What stands between two glyphs; NULL: nothing. */
static const char *between(const PopplerRectangle *left, const PopplerRectangle *right)
{
	double height = height_of(left), gap = right->x1 - left->x2;
	double shift = right->y1 - left->y1;

	if (shift > height * LINE_SHIFT || shift < -height * LINE_SHIFT)
		return "\n";
	if (gap > height * COLUMN_GAP || gap < -height * COLUMN_GAP)
		return "\t";
	return gap > height * WORD_GAP ? " " : NULL;
}

static bool is_blank(const char *at)
{
	return *at == ' ' || *at == '\n' || *at == '\t' || *at == '\r' || *at == '\f';
}

int pdf_page_text(PopplerPage *page, struct buffer *out, struct err *e)
{
	PopplerRectangle *places = NULL;
	guint count = 0, i = 0;
	char *text = poppler_page_get_text(page);

	if (!text)
		return 0;
	if (!poppler_page_get_text_layout(page, &places, &count))
		count = 0;
	for (const char *at = text, *next; *at; at = next, i++) {
		const char *apart = NULL;

		next = g_utf8_next_char(at);
		if (i > 0 && i < count && !is_blank(at) && !is_blank(g_utf8_prev_char(at)))
			apart = between(&places[i - 1], &places[i]);
		if (apart)
			buffer_append(out, apart, 1);
		buffer_append(out, at, (size_t)(next - at));
	}
	explicit_bzero(text, strlen(text));
	g_free(places);
	g_free(text);
	return out->failed ? err_set(e, MUNI_NO_MEMORY, "no memory for the text of a page") : 0;
}
