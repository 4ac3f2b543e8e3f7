/*
 * Documents for the tests of the readers, made in memory: each holds the value
 * "TKN-4711" of examined.h once, unless it says otherwise.
 */
#ifndef TESTS_UNIT_CONTENT_DOCUMENTS_H
#define TESTS_UNIT_CONTENT_DOCUMENTS_H

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vault/samples.h"

#define DOCUMENT_XML "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
#define DOCUMENT_W "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\""

struct document_part {
	const char *name, *text;
};

/* A zip of these parts; ended by one without a name. */
static inline struct buffer document_zip(const struct document_part *parts)
{
	struct sample_file files[32];
	size_t count = 0;

	for (; parts[count].name; count++)
		files[count] = (struct sample_file){ parts[count].name, parts[count].text,
						     strlen(parts[count].text) };
	return sample_make("zip", NULL, NULL, files, count);
}

/* body: what stands in <w:body>. */
static inline struct buffer document_docx(const char *body)
{
	char xml[8192];
	const struct document_part parts[] = {
		{ "[Content_Types].xml", DOCUMENT_XML "<Types xmlns=\"http://schemas.openxmlformats."
		  "org/package/2006/content-types\"/>" },
		{ "_rels/.rels", DOCUMENT_XML "<Relationships xmlns=\"http://schemas.openxmlformats."
		  "org/package/2006/relationships\"/>" },
		{ "word/document.xml", xml },
		{ NULL, NULL },
	};

	snprintf(xml, sizeof xml, DOCUMENT_XML "<w:document " DOCUMENT_W "><w:body>%s</w:body>"
		 "</w:document>", body);
	return document_zip(parts);
}

/* rows: what stands in <sheetData>; texts: what stands in <sst>. */
static inline struct buffer document_xlsx(const char *rows, const char *texts)
{
	char sheet[8192], shared[8192];
	const struct document_part parts[] = {
		{ "[Content_Types].xml", DOCUMENT_XML "<Types/>" },
		{ "_rels/.rels", DOCUMENT_XML "<Relationships/>" },
		{ "xl/worksheets/sheet1.xml", sheet },
		{ "xl/workbook.xml", DOCUMENT_XML "<workbook xmlns:r=\"urn:r\"><sheets><sheet name="
		  "\"Staff\" sheetId=\"1\" r:id=\"rId7\"/></sheets></workbook>" },
		{ "xl/_rels/workbook.xml.rels", DOCUMENT_XML "<Relationships><Relationship Id=\"rId7\" "
		  "Target=\"worksheets/sheet1.xml\"/></Relationships>" },
		{ "xl/styles.xml", DOCUMENT_XML "<styleSheet><numFmts><numFmt numFmtId=\"164\" "
		  "formatCode=\"000\\-00\\-0000\"/></numFmts><cellStyleXfs><xf numFmtId=\"9\"/>"
		  "</cellStyleXfs><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"164\"/><xf numFmtId="
		  "\"14\"/></cellXfs></styleSheet>" },
		{ "xl/sharedStrings.xml", shared },
		{ NULL, NULL },
	};

	snprintf(sheet, sizeof sheet, DOCUMENT_XML "<worksheet><sheetData>%s</sheetData></worksheet>",
		 rows);
	snprintf(shared, sizeof shared, DOCUMENT_XML "<sst>%s</sst>", texts);
	return document_zip(parts);
}

/* mimetype: of OpenDocument; content: what stands in <office:body>. */
static inline struct buffer document_odf(const char *mimetype, const char *content)
{
	char xml[8192];
	const struct document_part parts[] = {
		{ "mimetype", mimetype },
		{ "content.xml", xml },
		{ "META-INF/manifest.xml", DOCUMENT_XML "<manifest:manifest xmlns:manifest=\"urn:m\"/>" },
		{ NULL, NULL },
	};
	struct sample_file files[3];

	snprintf(xml, sizeof xml, DOCUMENT_XML "<office:document-content xmlns:office=\"urn:o\" "
		 "xmlns:text=\"urn:t\" xmlns:table=\"urn:b\" xmlns:draw=\"urn:d\"><office:body>%s"
		 "</office:body></office:document-content>", content);
	for (size_t i = 0; i < 3; i++)
		files[i] = (struct sample_file){ parts[i].name, parts[i].text,
						 strlen(parts[i].text) };
	return sample_make("zip", NULL, "zip:compression=store", files, 3);
}

/* A database after these statements. */
static inline struct buffer document_sqlite(const char *sql)
{
	struct buffer out = { .data = NULL };
	sqlite3_int64 size = 0;
	unsigned char *image;
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	image = sqlite3_serialize(db, "main", &size, 0);
	assert_non_null(image);
	buffer_append(&out, image, (size_t)size);
	sqlite3_free(image);
	sqlite3_close(db);
	return out;
}

/* ---- PDF ------------------------------------------------------------------------------------- */

struct document_pdf {
	struct buffer bytes;
	size_t starts[64];
	unsigned count;
};

static inline void document_pdf_say(struct document_pdf *p, const char *text)
{
	buffer_append(&p->bytes, text, strlen(text));
}

static inline void document_pdf_object(struct document_pdf *p, const char *text)
{
	char head[32];

	p->starts[++p->count] = p->bytes.size;
	snprintf(head, sizeof head, "%u 0 obj\n", p->count);
	document_pdf_say(p, head);
	document_pdf_say(p, text);
	document_pdf_say(p, "\nendobj\n");
}

static inline void document_pdf_stream(struct document_pdf *p, const char *keys,
				       const char *content)
{
	char text[4096];

	snprintf(text, sizeof text, "<<%s/Length %zu>>\nstream\n%s\nendstream", keys,
		 strlen(content), content);
	document_pdf_object(p, text);
}

/* Objects: 1 catalogue, 2 pages, 3 page, 4 its content, 5 its font; then those of
 * `more`, ended by NULL.  catalogue, page: keys that are added. */
static inline struct buffer document_pdf(const char *catalogue, const char *page,
					 const char *content, const char *const *more)
{
	struct document_pdf p = { .count = 0 };
	char text[2048];
	size_t table;

	document_pdf_say(&p, "%PDF-1.4\n");
	snprintf(text, sizeof text, "<</Type/Catalog/Pages 2 0 R%s>>", catalogue);
	document_pdf_object(&p, text);
	document_pdf_object(&p, "<</Type/Pages/Kids[3 0 R]/Count 1>>");
	snprintf(text, sizeof text, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
		 "/Resources<</Font<</F1 5 0 R>>/XObject<</I 6 0 R>>>>%s>>", page);
	document_pdf_object(&p, text);
	document_pdf_stream(&p, "", content);
	document_pdf_object(&p, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>");
	for (; more && *more; more++)
		document_pdf_object(&p, *more);
	table = p.bytes.size;
	snprintf(text, sizeof text, "xref\n0 %u\n0000000000 65535 f \n", p.count + 1);
	document_pdf_say(&p, text);
	for (unsigned i = 1; i <= p.count; i++) {
		snprintf(text, sizeof text, "%010zu 00000 n \n", p.starts[i]);
		document_pdf_say(&p, text);
	}
	snprintf(text, sizeof text, "trailer\n<</Size %u/Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n",
		 p.count + 1, table);
	document_pdf_say(&p, text);
	return p.bytes;
}

#define DOCUMENT_PDF_TEXT "BT /F1 12 Tf 72 700 Td (token TKN-4711 stands here) Tj ET"

#endif
