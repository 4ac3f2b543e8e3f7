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

/* poppler remembers four maps of codes; a fifth takes the place of the one that was
 * used longest ago, so the commonest stand last.  Each code is the letter A in its
 * map. */
static const struct {
	const char *map, *collection, *code;
} fonts[] = {
	{ "UniCNS-UCS2-H", "CNS1", "0041" },
	{ "UniJIS-UCS2-H", "Japan1", "0041" },
	{ "GBK-EUC-H", "GB1", "41" },
	{ "UniGB-UCS2-H", "GB1", "0041" },
};
#define FONT_COUNT (sizeof fonts / sizeof *fonts)
#define OBJECTS_MAX (FONT_COUNT * 3 + 8)

struct pdf_tables {
	PopplerDocument *document;
	GBytes *bytes;
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
static void describe_page(struct specimen *s)
{
	char used_fonts[512] = "", page[700], shown[512] = "", stream[700];
	size_t used = 0, end = 0;

	for (size_t i = 0; i < FONT_COUNT; i++) {
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

static void describe_font(struct specimen *s, size_t i)
{
	unsigned first = s->count + 1;
	char text[400];

	snprintf(text, sizeof text, "<</Type/Font/Subtype/Type0/BaseFont/Specimen/Encoding/%s/"
		 "DescendantFonts[%u 0 R]>>", fonts[i].map, first + 1);
	object(s, text);
	snprintf(text, sizeof text, "<</Type/Font/Subtype/CIDFontType0/BaseFont/Specimen/"
		 "CIDSystemInfo<</Registry(Adobe)/Ordering(%s)/Supplement 0>>/FontDescriptor %u 0 "
		 "R/DW 1000>>", fonts[i].collection, first + 2);
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

static void read_specimen(struct pdf_tables *t)
{
	PopplerPage *page = poppler_document_get_page(t->document, 0);

	if (!page)
		return;
	g_free(poppler_page_get_text(page));
	g_object_unref(page);
}

int pdf_tables_open(struct pdf_tables **out, struct err *e)
{
	struct pdf_tables *t = calloc(1, sizeof *t);
	struct specimen s = { .count = 0 };
	struct pdf_voice voice;

	*out = NULL;
	say(&s, "%PDF-1.4\n");
	describe_page(&s);
	for (size_t i = 0; i < FONT_COUNT; i++)
		describe_font(&s, i);
	finish(&s);
	if (!t || s.bytes.failed) {
		buffer_free(&s.bytes);
		free(t);
		return err_set(e, MUNI_NO_MEMORY, "no memory for the tables of PDF");
	}
	t->bytes = g_bytes_new(s.bytes.data, s.bytes.size);
	buffer_free(&s.bytes);
	/* A system without such tables says so: nobody has to hear it. */
	pdf_voice_begin(&voice);
	t->document = poppler_document_new_from_bytes(t->bytes, NULL, NULL);
	if (t->document)
		read_specimen(t);
	pdf_voice_end(&voice);
	*out = t;
	return 0;
}

void pdf_tables_close(struct pdf_tables *t)
{
	if (!t)
		return;
	if (t->document)
		g_object_unref(t->document);
	g_bytes_unref(t->bytes);
	free(t);
}
