/* PDF: pages, what hangs on them, and text that poppler cannot make out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fs/content/extract_pdf.h"
#include "tests/unit/content/documents.h"
#include "tests/unit/content/examined.h"

static const char *opaque(void **state)
{
	return ((struct bench *)*state)->seen.opaque;
}

static void assert_said(void **state, const char *what)
{
	if (!strstr(opaque(state), what))
		fail_msg("\"%s\" does not say \"%s\"", opaque(state), what);
}

static void assert_where(void **state, struct buffer b, const char *where, unsigned confidence)
{
	const struct finding *f = examined(*state, "a.pdf", b.data, b.size);

	assert_string_equal(((struct bench *)*state)->seen.format, "application/pdf");
	if (!f)
		fail_msg("nothing found (\"%s\")", opaque(state));
	assert_int_equal(f->count, 1);
	assert_string_equal(f->where, where);
	assert_int_equal(f->confidence, confidence);
	assert_string_equal(opaque(state), "");
	buffer_free(&b);
}

static void text_is_found_by_page(void **state)
{
	assert_where(state, document_pdf("", "", DOCUMENT_PDF_TEXT, NULL), "page 1", 90);
}

static void columns_are_parted_where_no_blank_stands(void **state)
{
	assert_where(state, document_pdf("", "", "BT /F1 12 Tf 72 700 Td (Token) Tj 38 0 Td (TKN-4711) Tj "
					 "60 0 Td (2024) Tj ET", NULL), "page 1", 90);
}

static void what_hangs_on_a_page_is_read(void **state)
{
	static const char *const note[] = {
		"<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Length 0>>\nstream\n\nendstream",
		"<</Type/Annot/Subtype/Text/Rect[9 9 20 20]/Contents(my token TKN-4711)>>", NULL,
	};
	static const char *const link[] = {
		"<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Length 0>>\nstream\n\nendstream",
		"<</Type/Annot/Subtype/Link/Rect[9 9 20 20]/A<</S/URI/URI(https://example.org/"
		"?token=TKN-4711)>>>>", NULL,
	};
	static const char *const field[] = {
		"<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Length 0>>\nstream\n\nendstream",
		"<</Type/Annot/Subtype/Widget/FT/Tx/T(token)/V(TKN-4711)/Rect[9 9 90 20]/P 3 0 R>>",
		NULL,
	};

	assert_where(state, document_pdf("", "/Annots[7 0 R]", "BT ET", note), "page 1", 90);
	assert_where(state, document_pdf("", "/Annots[7 0 R]", "BT ET", link), "page 1", 90);
	assert_where(state, document_pdf("/AcroForm<</Fields[7 0 R]>>", "/Annots[7 0 R]", "BT ET",
					 field), "page 1", 90);
}

static void an_attachment_is_looked_into(void **state)
{
	static const char *const file[] = {
		"<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Length 0>>\nstream\n\nendstream",
		"<</Type/Filespec/F(notes.txt)/UF(notes.txt)/EF<</F 8 0 R>>>>",
		"<</Type/EmbeddedFile/Length 18>>\nstream\na token, TKN-4711\n\nendstream", NULL,
	};

	assert_where(state, document_pdf("/Names<</EmbeddedFiles<</Names[(notes.txt) 7 0 R]>>>>", "",
					 "BT ET", file), "notes.txt: line 1", 90);
}

#define PICTURE "<</Type/XObject/Subtype/Image/Width 2/Height 2/ColorSpace/DeviceGray"                \
		"/BitsPerComponent 8/Length 4>>\nstream\nabcd\nendstream"

static void a_picture_of_a_page_is_said_and_a_small_picture_is_not(void **state)
{
	static const char *const picture[] = { PICTURE, NULL };
	struct buffer scan = document_pdf("", "", "q 600 0 0 800 0 0 cm /I Do Q", picture);
	struct buffer stamp = document_pdf("", "", "q 600 0 0 800 0 0 cm /I Do Q BT /F1 9 Tf 9 9 Td "
					   "(12345) Tj ET", picture);

	examined(*state, "a.pdf", scan.data, scan.size);
	assert_string_equal(opaque(state), "page 1 is a picture without text");
	examined(*state, "a.pdf", stamp.data, stamp.size);
	assert_string_equal(opaque(state), "page 1 is a picture without text");
	assert_where(state, document_pdf("", "", "q 60 0 0 80 0 0 cm /I Do Q " DOCUMENT_PDF_TEXT,
					 picture), "page 1", 90);
	buffer_free(&scan);
	buffer_free(&stamp);
}

#define CID_FONT(map, collection)                                                                \
	"<</Type/Font/Subtype/Type0/BaseFont/Song/Encoding/" map "/DescendantFonts[<</Type/Font/"    \
	"Subtype/CIDFontType0/BaseFont/Song/CIDSystemInfo<</Registry(Adobe)/Ordering(" collection    \
	")/Supplement 0>>/DW 1000>>]>>"

static struct buffer song(const char *font, const char *shown)
{
	const char *const more[] = {
		"<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Length 0>>\nstream\n\nendstream", font,
		NULL,
	};
	char content[200];

	snprintf(content, sizeof content, "BT /F2 12 Tf 72 700 Td <%s> Tj ET", shown);
	return document_pdf("", "/Resources<</Font<</F2 7 0 R>>>>", content, more);
}

static void text_that_needs_a_table_which_is_missing_is_said(void **state)
{
	struct buffer b = song(CID_FONT("No-Such-Map-H", "GB1"), "00410042");

	examined(*state, "a.pdf", b.data, b.size);
	assert_said(state, "page 1 has text that cannot be read: the table No-Such-Map-H");
	buffer_free(&b);
}

static void chinese_fonts_that_are_not_in_the_file_are_read(void **state)
{
	struct pdf_tables *tables = NULL;
	struct err e = ERR_NONE;

	assert_int_equal(pdf_tables_open(&tables, &e), 0);
	/* "token TKN-4711" in UCS-2. */
	assert_where(state, song(CID_FONT("UniGB-UCS2-H", "GB1"), "0074006F006B0065006E00200054004B004E"
				 "002D0034003700310031"), "page 1", 90);
	pdf_tables_close(tables);
}

static void a_file_that_was_cut_off_is_said(void **state)
{
	struct buffer b = document_pdf("", "", DOCUMENT_PDF_TEXT, NULL);
	uint8_t *table = memmem(b.data, b.size, "xref", 4);

	assert_non_null(table);
	b.size = (size_t)(table - b.data);
	examined(*state, "a.pdf", b.data, b.size);
	assert_true(*opaque(state) != '\0');
	buffer_free(&b);
}

static void a_stream_that_does_not_unpack_is_said(void **state)
{
	static const char *const form[] = {
		"<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Filter/FlateDecode/Length 20>>\nstream\n"
		"this is not packed!!\nendstream", NULL,
	};
	struct buffer b = document_pdf("", "", "/I Do " DOCUMENT_PDF_TEXT, form);

	assert_non_null(examined(*state, "a.pdf", b.data, b.size));
	assert_said(state, "page 1 is damaged");
	buffer_free(&b);
}

static void pages_that_contain_each_other_come_to_an_end(void **state)
{
	static const char pdf[] = "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n"
		"<</Type/Pages/Kids[2 0 R 2 0 R 3 0 R]/Count 1000000000>>\nendobj\n3 0 obj\n"
		"<</Type/Page/Parent 2 0 R>>\nendobj\ntrailer\n<</Root 1 0 R/Size 4>>\n%%EOF\n";

	examined(*state, "a.pdf", pdf, sizeof pdf - 1);
	assert_true(*opaque(state) != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_found_by_page),
		cmocka_unit_test(columns_are_parted_where_no_blank_stands),
		cmocka_unit_test(what_hangs_on_a_page_is_read),
		cmocka_unit_test(an_attachment_is_looked_into),
		cmocka_unit_test(a_picture_of_a_page_is_said_and_a_small_picture_is_not),
		cmocka_unit_test(text_that_needs_a_table_which_is_missing_is_said),
		cmocka_unit_test(chinese_fonts_that_are_not_in_the_file_are_read),
		cmocka_unit_test(a_file_that_was_cut_off_is_said),
		cmocka_unit_test(a_stream_that_does_not_unpack_is_said),
		cmocka_unit_test(pages_that_contain_each_other_come_to_an_end),
	};

	return cmocka_run_group_tests(tests, bench_open, bench_close);
}
