/*
 * A small PDF that uses the fonts of which the tables are wanted: read once, and
 * kept open, for poppler keeps its tables as long as any document is.
 */
#include "fs/content/extract_pdf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/content/extract_pdf_inside.h"

/*
 * poppler remembers four maps of codes, the one used longest ago goes for a fifth.
 * Behind the filter only maps of the name "Identity" can be made anew, one for each
 * collection: that of fonts which are in the file is held too, so that these
 * crowd nothing out.  The tables of collections all stay.  Each code is the letter
 * A, or stands for nothing.
 */
struct font {
	const char *map, *collection, *code;
};

static const struct font loaded[] = {
	{ "Identity-H", "CNS1", "0001" },	/* for the collection */
	{ "Identity-H", "Korea1", "0001" },
	{ "Identity-H", "Identity", "0001" },
	{ "UniJIS-UCS2-H", "Japan1", "0041" },
	{ "GBK-EUC-H", "GB1", "41" },
	{ "UniGB-UCS2-H", "GB1", "0041" },
};
#define FONTS_MAX (sizeof loaded / sizeof *loaded)
#define FONTS_HELD 4	/* the last ones */
#define OBJECTS_MAX (FONTS_MAX * 3 + 8)

struct pdf_tables {
	PopplerDocument *document;
};

struct specimen {
	struct buffer bytes;
	size_t starts[OBJECTS_MAX];
	unsigned count;		/* objects, from 1 */
};

static void say(struct specimen *s, const char *text)
{
	buffer_append(&s->bytes, text, strlen(text));
}

static void object(struct specimen *s, const char *text)
{
	char head[32];

	s->starts[++s->count] = s->bytes.size;
	snprintf(head, sizeof head, "%u 0 obj\n", s->count);
	say(s, head);
	say(s, text);
	say(s, "\nendobj\n");
}

/* Objects 1 to 3 are the catalogue, the pages and the page, 4 what the page shows;
 * from 5 on three a font. */
static void describe_page(struct specimen *s, const struct font *fonts, size_t count)
{
	char used_fonts[512] = "", page[700], shown[512] = "", stream[700];
	size_t used = 0, end = 0;

	for (size_t i = 0; i < count; i++) {
		used += (size_t)snprintf(used_fonts + used, sizeof used_fonts - used, "/F%zu %zu 0 R ", i,
					 5 + 3 * i);
		end += (size_t)snprintf(shown + end, sizeof shown - end, "/F%zu 9 Tf <%s> Tj ", i,
					fonts[i].code);
	}
	snprintf(stream, sizeof stream, "<</Length %zu>>\nstream\nBT %sET\nendstream", end + 6,
		 shown);
	object(s, "<</Type/Catalog/Pages 2 0 R>>");
	object(s, "<</Type/Pages/Kids[3 0 R]/Count 1>>");
	snprintf(page, sizeof page, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/"
		 "Resources<</Font<<%s>>>>>>", used_fonts);
	object(s, page);
	object(s, stream);
}

static void describe_font(struct specimen *s, const struct font *f)
{
	unsigned first = s->count + 1;
	char text[400];

	snprintf(text, sizeof text, "<</Type/Font/Subtype/Type0/BaseFont/Specimen/Encoding/%s/"
		 "DescendantFonts[%u 0 R]>>", f->map, first + 1);
	object(s, text);
	snprintf(text, sizeof text, "<</Type/Font/Subtype/CIDFontType0/BaseFont/Specimen/"
		 "CIDSystemInfo<</Registry(Adobe)/Ordering(%s)/Supplement 0>>/FontDescriptor %u 0 "
		 "R/DW 1000>>", f->collection, first + 2);
	object(s, text);
	object(s, "<</Type/FontDescriptor/FontName/Specimen/Flags 4/FontBBox[0 0 1000 1000]/"
	       "ItalicAngle 0/Ascent 800/Descent -200/CapHeight 700/StemV 80>>");
}

static void finish(struct specimen *s)
{
	size_t table = s->bytes.size;
	char line[120];

	snprintf(line, sizeof line, "xref\n0 %u\n0000000000 65535 f \n", s->count + 1);
	say(s, line);
	for (unsigned i = 1; i <= s->count; i++) {
		snprintf(line, sizeof line, "%010zu 00000 n \n", s->starts[i]);
		say(s, line);
	}
	snprintf(line, sizeof line, "trailer\n<</Size %u/Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n",
		 s->count + 1, table);
	say(s, line);
}

/* NULL: no memory.  *is_whole: all its tables were there. */
static PopplerDocument *read_specimen(const struct font *fonts, size_t count, bool *is_whole)
{
	struct specimen s = { .count = 0 };
	PopplerDocument *document;
	struct pdf_voice voice;
	PopplerPage *page;
	GBytes *bytes;

	*is_whole = false;
	say(&s, "%PDF-1.4\n");
	describe_page(&s, fonts, count);
	for (size_t i = 0; i < count; i++)
		describe_font(&s, &fonts[i]);
	finish(&s);
	if (s.bytes.failed) {
		buffer_free(&s.bytes);
		return NULL;
	}
	bytes = g_bytes_new(s.bytes.data, s.bytes.size);
	buffer_free(&s.bytes);
	pdf_voice_begin(&voice);
	document = poppler_document_new_from_bytes(bytes, NULL, NULL);
	page = document ? poppler_document_get_page(document, 0) : NULL;
	if (page) {
		g_free(poppler_page_get_text(page));
		g_object_unref(page);
		*is_whole = !*voice.table;
	}
	pdf_voice_end(&voice);
	g_bytes_unref(bytes);
	return document;
}

int pdf_tables_open(struct pdf_tables **out, struct err *e)
{
	struct pdf_tables *t = calloc(1, sizeof *t);
	bool is_whole;	/* not on a system without tables: no error */

	*out = NULL;
	if (t)
		t->document = read_specimen(loaded, FONTS_MAX, &is_whole);
	if (!t || !t->document) {
		free(t);
		return err_set(e, MUNI_NO_MEMORY, "no memory for the tables of PDF");
	}
	*out = t;
	return 0;
}

void pdf_tables_close(struct pdf_tables *t)
{
	if (!t)
		return;
	g_object_unref(t->document);
	free(t);
}

bool pdf_tables_touch(void)
{
	bool is_whole;
	PopplerDocument *document = read_specimen(loaded + FONTS_MAX - FONTS_HELD, FONTS_HELD,
						  &is_whole);

	if (document)
		g_object_unref(document);
	return is_whole;
}
