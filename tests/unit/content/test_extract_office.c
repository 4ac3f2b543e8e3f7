/* Word processors, sheets and slides: what is one text, what labels it, where it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fs/content/extract_office_format.h"
#include "tests/unit/content/documents.h"
#include "tests/unit/content/examined.h"

static const char *opaque(void **state)
{
	return ((struct bench *)*state)->seen.opaque;
}

/* Once, there, with this confidence, and nothing that was not looked into. */
static void assert_where(void **state, const char *name, struct buffer b, const char *where,
			 unsigned confidence)
{
	const struct finding *f = examined(*state, name, b.data, b.size);

	if (!f)
		fail_msg("nothing found; %s; \"%s\"", ((struct bench *)*state)->seen.format,
			 opaque(state));
	assert_int_equal(f->count, 1);
	assert_string_equal(f->where, where);
	assert_int_equal(f->confidence, confidence);
	assert_string_equal(opaque(state), "");
	buffer_free(&b);
}

#define P(runs) "<w:p>" runs "</w:p>"
#define R(text) "<w:r><w:t>" text "</w:t></w:r>"
#define TC(text) "<w:tc>" P(R(text)) "</w:tc>"

static void a_value_that_is_split_over_runs_is_found(void **state)
{
	assert_where(state, "a.docx", document_docx(P(R("the to") R("ken TK") "<w:proofErr/>"
		     "<w:r><w:rPr><w:b/></w:rPr><w:t>N-47</w:t></w:r>" R("11"))), "paragraph 1", 90);
	assert_where(state, "a.docx", document_docx(P("<w:r><w:t>TKN</w:t><w:noBreakHyphen/>"
		     "<w:t>4711</w:t></w:r>")), "paragraph 1", 50);
}

static void paragraphs_part_words_and_give_context(void **state)
{
	struct buffer b = document_docx(P(R("TKN-47")) P(R("11")));

	assert_null(examined(*state, "a.docx", b.data, b.size));
	buffer_free(&b);
	assert_where(state, "a.docx", document_docx(P(R("x")) P(R("Token:")) P(R("TKN-4711"))),
		     "paragraph 3", 90);
}

static void the_first_row_of_a_table_labels_its_columns(void **state)
{
	assert_where(state, "a.docx", document_docx("<w:tbl><w:tr>" TC("Name") TC("Token")
		     "</w:tr><w:tr>" TC("Al") TC("TKN-4711") "</w:tr></w:tbl>"),
		     "table 1, row 2", 90);
	/* Another column's heading is no context. */
	assert_where(state, "a.docx", document_docx("<w:tbl><w:tr>" TC("Token") TC("Name")
		     "</w:tr><w:tr>" TC("12345") TC("TKN-4711") "</w:tr></w:tbl>"),
		     "table 1, row 2", 50);
	/* Forms have their labels on the left. */
	assert_where(state, "a.docx", document_docx("<w:tbl><w:tr>" TC("Born") TC("2001-02-03")
		     "</w:tr><w:tr>" TC("Token") TC("TKN-4711") "</w:tr></w:tbl>"),
		     "table 1, row 2", 90);
}

static void a_text_box_in_a_paragraph_is_a_text_of_its_own(void **state)
{
	assert_where(state, "a.docx", document_docx(P(R("outer") "<w:r><mc:AlternateContent "
		     "xmlns:mc=\"urn:mc\"><mc:Choice>" "<w:txbxContent>" P(R("token TKN-4711"))
		     "</w:txbxContent></mc:Choice><mc:Fallback>" P(R("token TKN-4711"))
		     "</mc:Fallback></mc:AlternateContent></w:r>" R(" text"))), "paragraph 1", 90);
}

static void what_was_deleted_with_changes_tracked_is_still_there(void **state)
{
	assert_where(state, "a.docx", document_docx(P("<w:del><w:r><w:delText>token TKN-4711"
		     "</w:delText></w:r></w:del>")), "paragraph 1", 90);
}

static void every_part_of_a_package_is_read(void **state)
{
	static const struct {
		const char *part, *xml, *where;
	} parts[] = {
		{ "word/header1.xml", "<w:hdr " DOCUMENT_W ">" P(R("token TKN-4711")) "</w:hdr>",
		  "header" },
		{ "word/footer2.xml", "<w:ftr " DOCUMENT_W ">" P(R("token TKN-4711")) "</w:ftr>",
		  "footer" },
		{ "word/comments.xml", "<w:comments " DOCUMENT_W "><w:comment>"
		  P(R("token TKN-4711")) "</w:comment></w:comments>", "comment" },
		{ "word/footnotes.xml", "<w:footnotes " DOCUMENT_W "><w:footnote>"
		  P(R("token TKN-4711")) "</w:footnote></w:footnotes>", "footnote" },
		{ "docProps/custom.xml", "<Properties><property name=\"Token\"><lpwstr>TKN-4711"
		  "</lpwstr></property></Properties>",
		  "document properties: Properties/property/lpwstr" },
		{ "word/_rels/document.xml.rels", "<Relationships><Relationship Target="
		  "\"https://example.org/?token=TKN-4711\"/></Relationships>", "link" },
		{ "customXml/item1.xml", "<root><record token=\"TKN-4711\"/></root>",
		  "item1.xml: root/record/@token" },
		{ "word/embeddings/notes.txt", "a token, TKN-4711\n",
		  "word/embeddings/notes.txt: line 1" },
	};

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		const struct document_part all[] = {
			{ "[Content_Types].xml", "<Types/>" },
			{ "_rels/.rels", "<Relationships/>" },
			{ "word/document.xml", "<w:document " DOCUMENT_W "/>" },
			{ parts[i].part, parts[i].xml },
			{ NULL, NULL },
		};

		assert_where(state, "a.docx", document_zip(all), parts[i].where, 90);
	}
}

static void slides_and_their_notes_are_read(void **state)
{
	static const struct {
		const char *part, *root, *where;
	} parts[] = {
		{ "ppt/slides/slide12.xml", "sld", "slide 12" },
		{ "ppt/notesSlides/notesSlide3.xml", "notes", "notes of slide 3" },
	};

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		char xml[500];
		const struct document_part all[] = {
			{ "[Content_Types].xml", "<Types/>" }, { "_rels/.rels", "<Relationships/>" },
			{ "ppt/presentation.xml", "<p:presentation xmlns:p=\"urn:p\"/>" },
			{ parts[i].part, xml }, { NULL, NULL },
		};

		snprintf(xml, sizeof xml, DOCUMENT_XML "<p:%s xmlns:p=\"urn:p\" xmlns:a=\"urn:a\">"
			 "<a:p><a:r><a:t>token TKN-</a:t></a:r><a:r><a:t>4711</a:t></a:r></a:p></p:%s>",
			 parts[i].root, parts[i].root);
		assert_where(state, "a.pptx", document_zip(all), parts[i].where, 90);
	}
}

#define HEADS "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c></row>"
#define SST "<si><t>Name</t></si><si><t>Token</t></si>" \
	    "<si><r><t>TKN-</t></r><r><t>4711</t></r><rPh><t>x</t></rPh></si>"

static void a_cell_of_a_sheet_knows_its_heading_and_place(void **state)
{
	assert_where(state, "a.xlsx", document_xlsx(HEADS "<row r=\"7\"><c r=\"B7\" t=\"s\"><v>2</v>"
		     "</c></row>", SST), "Staff!B7", 90);
	assert_where(state, "a.xlsx", document_xlsx(HEADS "<row r=\"7\"><c r=\"A7\" t=\"s\"><v>2</v>"
		     "</c></row>", SST), "Staff!A7", 50);
	assert_where(state, "a.xlsx", document_xlsx(HEADS "<row r=\"8\"><c r=\"B8\" t=\"inlineStr\">"
		     "<is><t>TKN-4711</t></is></c></row>", "<si><t>Name</t></si><si><t>Token</t></si>"),
		     "Staff!B8", 90);
	assert_where(state, "a.xlsx", document_xlsx(HEADS "<row r=\"8\"><c r=\"B8\" t=\"str\">"
		     "<f>A1</f><v>TKN-4711</v></c></row>",
		     "<si><t>Name</t></si><si><t>Token</t></si>"), "Staff!B8", 90);
}

static void a_text_that_no_cell_shows_is_looked_at_too(void **state)
{
	assert_where(state, "a.xlsx", document_xlsx(HEADS, SST), "texts that no cell shows", 50);
}

static void a_text_in_a_formula_is_looked_at(void **state)
{
	assert_where(state, "a.xlsx", document_xlsx("<row r=\"1\"><c r=\"C1\"><f>IF(A1,"
		     "\"TKN-4711\",\"\")</f><v>0</v></c></row>", ""), "Staff!C1", 50);
}

static void numbers_are_looked_at_as_they_show(void **state)
{
	static const struct {
		const char *code, *value, *shown;
	} cases[] = {
		{ "000\\-00\\-0000", "78051120", "078-05-1120" },
		{ "000000000", "1234", "000001234" },
		{ "\"No \"00000", "7", "No 00007" },
		{ "0000\\ 0000\\ 0000\\ 0000", "4111111111111111", "4111 1111 1111 1111" },
		{ "yyyy\\-mm\\-dd", "32874", "1990-01-01" },
		{ "d/m/yy", "60", "1900-02-28" },
		{ "[$-409]mmmm d, yyyy;@", "43831.75", "2020-01-01" },
		{ "General", "4.111111111111111E+15", "4111111111111111" },
		{ "General", "1.3800138E10", "13800138000" },
	};
	static const char *const plain[][2] = {
		{ "General", "12.5" }, { "#,##0.00", "1234.5" }, { "0.00", "3" }, { "0.00E+00", "5" },
		{ "[Red]0", "7" }, { "yyyy", "-1" }, { "yyyy", "99999999" }, { "General", "x" },
		{ "General", "1e400" }, { "000000", "1.5" }, { "\\d00000", "x" },
	};
	struct office_format f;
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		office_format_parse(cases[i].code, &f);
		if (!office_format_show(&f, cases[i].value, false, out))
			fail_msg("%s as %s", cases[i].value, cases[i].code);
		assert_string_equal(out, cases[i].shown);
	}
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		office_format_parse(plain[i][0], &f);
		if (office_format_show(&f, plain[i][1], false, out))
			fail_msg("%s as %s: %s", plain[i][1], plain[i][0], out);
	}
	office_format_parse("yyyy-mm-dd", &f);
	assert_true(office_format_show(&f, "0", true, out));
	assert_string_equal(out, "1904-01-01");
}

#define ODT "application/vnd.oasis.opendocument.text"
#define ODS "application/vnd.oasis.opendocument.spreadsheet"
#define ODP "application/vnd.oasis.opendocument.presentation"
#define OP(text) "<text:p>" text "</text:p>"
#define OC(text) "<table:table-cell>" OP(text) "</table:table-cell>"

static void open_documents_are_read(void **state)
{
	assert_where(state, "a.odt", document_odf(ODT, OP("token TKN<text:span>-47</text:span>11")),
		     "paragraph 1", 90);
	assert_where(state, "a.odt", document_odf(ODT, OP("TKN-47") OP("token") OP("TKN-4711")),
		     "paragraph 3", 90);
	assert_where(state, "a.odt", document_odf(ODT, OP("x<office:annotation>" OP("token TKN-4711")
		     "</office:annotation> y")), "paragraph 1", 90);
	assert_where(state, "a.odp", document_odf(ODP, "<draw:page/><draw:page>" OP("token TKN-4711")
		     "</draw:page>"), "slide 2", 90);
}

static void sheets_of_open_documents_know_headings_and_places(void **state)
{
	assert_where(state, "a.ods", document_odf(ODS, "<table:table table:name=\"Staff\">"
		     "<table:table-row>" OC("Name") OC("Token") "</table:table-row>"
		     "<table:table-row table:number-rows-repeated=\"3\"><table:table-cell/>"
		     "</table:table-row><table:table-row><table:table-cell "
		     "table:number-columns-repeated=\"1\"/>" OC("TKN-4711") "</table:table-row>"
		     "</table:table>"), "Staff!B5", 90);
}

static void a_repeated_cell_counts_as_often_as_it_stands(void **state)
{
	struct buffer b = document_odf(ODS, "<table:table table:name=\"S\"><table:table-row "
				       "table:number-rows-repeated=\"2\"><table:table-cell "
				       "table:number-columns-repeated=\"3\">" OP("TKN-4711")
				       "</table:table-cell></table:table-row><table:table-row "
				       "table:number-rows-repeated=\"1048573\"><table:table-cell "
				       "table:number-columns-repeated=\"16384\"/></table:table-row>"
				       "</table:table>");
	const struct finding *f = examined(*state, "a.ods", b.data, b.size);

	assert_non_null(f);
	assert_int_equal(f->count, 6);
	buffer_free(&b);
}

static void encrypted_documents_are_said(void **state)
{
	static const struct document_part odt[] = {
		{ "mimetype", ODT }, { "content.xml", "\x8e\x02\xf3 not readable" },
		{ "META-INF/manifest.xml", "<m:manifest xmlns:m=\"urn:m\"><m:file-entry>"
		  "<m:encryption-data/></m:file-entry></m:manifest>" },
		{ NULL, NULL },
	};
	struct sample_file files[3];
	struct buffer b;
	/* An OLE2 file whose directory names an encrypted package. */
	static uint8_t ole[2048] = { 0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1 };
	static const char name[] = "EncryptedPackage";

	for (size_t i = 0; i < 3; i++)
		files[i] = (struct sample_file){ odt[i].name, odt[i].text, strlen(odt[i].text) };
	b = sample_make("zip", NULL, "zip:compression=store", files, 3);
	examined(*state, "a.odt", b.data, b.size);
	assert_string_equal(opaque(state), "encrypted");
	buffer_free(&b);
	ole[24] = 0x3e;
	ole[26] = 3;
	ole[28] = 0xfe;
	ole[29] = 0xff;
	ole[30] = 9;
	ole[32] = 6;
	for (size_t i = 0; i < sizeof name - 1; i++)
		ole[1024 + 2 * i] = (uint8_t)name[i];
	ole[1024 + 64] = (uint8_t)(2 * sizeof name);
	ole[48] = 1;	/* where the directory is */
	examined(*state, "a.docx", ole, sizeof ole);
	assert_string_equal(opaque(state), "encrypted");
}

static void a_damaged_part_is_said_and_its_text_is_found(void **state)
{
	struct buffer b = document_docx(P(R("token TKN-4711")) "</w:wrong>" P(R("TKN-4712")));
	const struct finding *f = examined(*state, "a.docx", b.data, b.size);

	assert_non_null(f);
	assert_int_equal(f->count, 2);
	assert_string_equal(opaque(state), "its part word/document.xml is damaged");
	buffer_free(&b);
}

static void a_document_in_one_xml_file_is_read_as_one(void **state)
{
	static const char flat[] = DOCUMENT_XML "<office:document xmlns:office=\"urn:oasis:names:tc:"
		"opendocument:xmlns:office:1.0\" xmlns:text=\"urn:t\"><office:body>"
		OP("token TKN<text:span>-4711</text:span>") "</office:body></office:document>";
	struct buffer b = { .data = NULL };

	buffer_append(&b, flat, sizeof flat - 1);
	assert_where(state, "a.fodt", b, "paragraph 1", 90);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_that_is_split_over_runs_is_found),
		cmocka_unit_test(paragraphs_part_words_and_give_context),
		cmocka_unit_test(the_first_row_of_a_table_labels_its_columns),
		cmocka_unit_test(a_text_box_in_a_paragraph_is_a_text_of_its_own),
		cmocka_unit_test(what_was_deleted_with_changes_tracked_is_still_there),
		cmocka_unit_test(every_part_of_a_package_is_read),
		cmocka_unit_test(slides_and_their_notes_are_read),
		cmocka_unit_test(a_cell_of_a_sheet_knows_its_heading_and_place),
		cmocka_unit_test(a_text_that_no_cell_shows_is_looked_at_too),
		cmocka_unit_test(a_text_in_a_formula_is_looked_at),
		cmocka_unit_test(numbers_are_looked_at_as_they_show),
		cmocka_unit_test(open_documents_are_read),
		cmocka_unit_test(sheets_of_open_documents_know_headings_and_places),
		cmocka_unit_test(a_repeated_cell_counts_as_often_as_it_stands),
		cmocka_unit_test(encrypted_documents_are_said),
		cmocka_unit_test(a_damaged_part_is_said_and_its_text_is_found),
		cmocka_unit_test(a_document_in_one_xml_file_is_read_as_one),
	};

	return cmocka_run_group_tests(tests, bench_open, bench_close);
}
