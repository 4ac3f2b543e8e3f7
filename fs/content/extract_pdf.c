/*
 * PDF through poppler: each page's text, what is attached to pages and document,
 * and whether there is text that poppler could not make out.
 */
#include "fs/content/extract_pdf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/content/extract_pdf_inside.h"
#include "fs/content/extract_prose.h"
#include "fs/content/look.h"

#define TAIL_SIZE 2048		/* "%%EOF" stands near the end */
#define LITTLE_TEXT 40		/* a stamp on a scanned page is no more */
#define PICTURE_SHARE 0.5	/* of a page, for it to be one */

struct pdf {
	struct look *look;
	PopplerDocument *document;
	struct prose *prose;
	struct pdf_voice voice;
	struct buffer text;	/* of the present page */
	struct err failure;	/* of the input */
	/* Counted, for a reason a page would fill the examination. */
	int pictures, first_picture;
	int strange, first_strange;
	int damaged, first_damaged;
	bool is_table_said;
};

static void count(int *all, int *first, int number)
{
	if ((*all)++ == 0)
		*first = number;
}

/* ---- one page -------------------------------------------------------------------------------- */

static size_t count_letters(const struct buffer *text)
{
	size_t n = 0;

	for (size_t i = 0; i < text->size; i++)
		n += text->data[i] > ' ';
	return n;
}

/* Private characters, and the one that stands for none: glyphs that nothing maps to
 * characters. */
static bool is_mostly_strange(const struct buffer *text)
{
	const char *at = (const char *)text->data, *end = at + text->size;
	size_t strange = 0, all = 0;

	for (; at < end; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		if (c <= ' ')
			strange += c < '\t';
		else
			all++;
		strange += c == 0xfffd || (c >= 0xe000 && c <= 0xf8ff);
	}
	return strange > 3 && strange > all / 10;
}

static bool is_picture(PopplerPage *page)
{
	GList *list = poppler_page_get_image_mapping(page);
	double width, height, covered = 0;

	poppler_page_get_size(page, &width, &height);
	for (GList *at = list; at; at = at->next) {
		const PopplerRectangle *r = &((PopplerImageMapping *)at->data)->area;
		double wide = r->x2 - r->x1, high = r->y2 - r->y1;

		covered += wide * high < 0 ? -(wide * high) : wide * high;
	}
	poppler_page_free_image_mapping(list);
	return covered > width * height * PICTURE_SHARE;
}

static void judge_page(struct pdf *p, PopplerPage *page, int number)
{
	if (*p->voice.table && !p->is_table_said) {
		p->is_table_said = true;
		look_opaque(p->look, "page %d has text that cannot be read: the table %s is not "
			    "loaded", number, p->voice.table);
	}
	if (p->voice.is_damaged)
		count(&p->damaged, &p->first_damaged, number);
	if (p->text.size > 0 && is_mostly_strange(&p->text))
		count(&p->strange, &p->first_strange, number);
	if (count_letters(&p->text) < LITTLE_TEXT && is_picture(page))
		count(&p->pictures, &p->first_picture, number);
}

static int read_page(struct pdf *p, int index, struct err *e)
{
	struct buffer *text = &p->text;
	PopplerPage *page;
	char place[32];
	int rc;

	snprintf(place, sizeof place, "page %d", index + 1);
	pdf_voice_reset(&p->voice);
	page = poppler_document_get_page(p->document, index);
	if (!page) {
		count(&p->damaged, &p->first_damaged, index + 1);
		return 0;
	}
	buffer_reset(text);
	rc = pdf_page_text(page, text, e);
	if (rc == 0)
		rc = look_expanded(p->look, text->size, e);
	if (rc == 0)
		rc = prose_add(p->prose, place, text->data, text->size, e);
	if (rc == 0)
		rc = prose_end(p->prose, e);
	if (rc == 0) {
		judge_page(p, page, index + 1);
		rc = pdf_page_parts(p->look, page, place, e);
	}
	g_object_unref(page);
	return rc;
}

/* ---- the document ------------------------------------------------------------------------------ */

static void say(struct pdf *p, int all, int first, const char *one, const char *many)
{
	if (all == 1)
		look_opaque(p->look, "page %d %s", first, one);
	else if (all > 1)
		look_opaque(p->look, "%d pages %s, the first is page %d", all, many, first);
}

static int read_document(struct pdf *p, struct err *e)
{
	int pages = poppler_document_get_n_pages(p->document);

	if (p->voice.is_damaged)
		look_opaque(p->look, "damaged: not all of it may be there");
	if (pdf_information(p->look, p->document, e) < 0)
		return -1;
	for (int i = 0; i < pages; i++) {
		if (read_page(p, i, e) < 0)
			return -1;
		if (p->failure.code != MUNI_OK) {
			*e = p->failure;
			return -1;
		}
	}
	if (pages <= 0)
		look_opaque(p->look, "damaged: no page could be made out in it");
	say(p, p->pictures, p->first_picture, "is a picture without text",
	    "are pictures without text");
	say(p, p->strange, p->first_strange, "has text that maps to no characters",
	    "have text that maps to no characters");
	say(p, p->damaged, p->first_damaged, "is damaged", "are damaged");
	return pdf_attachments(p->look, p->document, e);
}

/* poppler mends a file that was cut off from what is left, without a word. */
static int check_end(struct pdf *p, struct input *in, struct err *e)
{
	char tail[TAIL_SIZE];
	uint64_t size = 0;
	ssize_t n;

	(void)input_size(in, &size);
	n = input_at(in, size > sizeof tail ? size - sizeof tail : 0, tail, sizeof tail, e);
	if (n < 0)
		return -1;
	if (!memmem(tail, (size_t)n, "%%EOF", 5))
		look_opaque(p->look, "it was cut off: the mark of its end is missing");
	return 0;
}

static void refuse(struct pdf *p, const GError *error)
{
	if (error && error->domain == POPPLER_ERROR && error->code == POPPLER_ERROR_ENCRYPTED)
		look_opaque(p->look, "encrypted");
	else
		look_opaque(p->look, "damaged: it cannot be opened as a PDF");
}

int extract_pdf(struct look *l, struct input *in, struct err *e)
{
	struct pdf p = { .look = l };
	GInputStream *stream = NULL;
	GError *error = NULL;
	int rc = -1;

	if (input_seekable(in, e) < 0)
		return -1;
	p.prose = prose_new(l);
	if (!p.prose)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a PDF");
	pdf_voice_begin(&p.voice);
	stream = pdf_stream_new(in, &p.failure);
	p.document = poppler_document_new_from_stream(stream, -1, NULL, NULL, &error);
	if (p.failure.code != MUNI_OK) {
		*e = p.failure;
	} else if (!p.document) {
		refuse(&p, error);
		rc = 0;
	} else if (check_end(&p, in, e) == 0) {
		rc = read_document(&p, e);
	}
	if (p.document)
		g_object_unref(p.document);
	g_clear_error(&error);
	g_object_unref(stream);
	pdf_voice_end(&p.voice);
	if (!pdf_tables_touch())
		look_wears(l);
	if (p.text.data)	/* values stood in it */
		explicit_bzero(p.text.data, p.text.capacity);
	buffer_free(&p.text);
	prose_free(p.prose);
	return rc;
}
