/*
 * One allocation after the other fails while a file is looked into: what is found is the
 * same, or it is told that something is missing.  glib ends a process that has no memory
 * (mail, PDF), so its readers are not among them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "fs/base/bytes.h"
#include "tests/unit/content/documents.h"
#include "tests/unit/content/examined.h"
#include "tests/unit/failing_heap.h"

/* ---- looking ------------------------------------------------------------------------------ */

struct looked {
	int rc;
	enum muni_code code;
	bool is_opaque;
	struct buffer seen;	/* owned; as it goes to the scan */
};

static struct looked look(struct bench *b, const char *name, const void *data, size_t size,
			  unsigned long at)
{
	struct input *in = input_of_memory(data, size);
	struct err e = ERR_NONE, ignored = ERR_NONE;
	struct looked out = { .rc = 0 };

	assert_non_null(in);
	examination_clear(&b->seen);
	asked = 0;
	fails_at = at;
	out.rc = looker_examine(b->looker, in, name, &b->seen, &e);
	fails_at = 0;
	out.code = e.code;
	out.is_opaque = b->seen.opaque[0] != '\0';
	assert_int_equal(examination_write(&b->seen, &out.seen, &ignored), 0);
	input_free(in);
	return out;
}

static void try_all(struct bench *b, const char *name, const void *data, size_t size)
{
	struct looked whole = look(b, name, data, size, 0);
	unsigned long at = 1;
	bool is_over = false;

	assert_int_equal(whole.rc, 0);
	assert_false(whole.is_opaque);
	assert_true(b->seen.finding_count > 0);
	for (; !is_over; at++) {
		fails_on = at % 2 == 0;
		struct looked l = look(b, name, data, size, at);

		is_over = asked < at;
		if (l.rc < 0)
			assert_int_equal(l.code, MUNI_NO_MEMORY);
		else if (!l.is_opaque && (l.seen.size != whole.seen.size ||
			 memcmp(l.seen.data, whole.seen.data, whole.seen.size) != 0))
			fail_msg("%s: allocation %lu failed, and less was found without a word",
				 name, at);
		buffer_free(&l.seen);
	}
	assert_true(at > 2);
	buffer_free(&whole.seen);
}

static void try_text(struct bench *b, const char *name, const char *text)
{
	try_all(b, name, text, strlen(text));
}

static void try_made(struct bench *b, const char *name, struct buffer made)
{
	try_all(b, name, made.data, made.size);
	buffer_free(&made);
}

static void text_and_tables(void **state)
{
	try_text(*state, "note.txt", "The token of today is TKN-4711, and no other.\n");
	try_text(*state, "staff.csv", "id,name,token\n1001,Ann,TKN-4711\n1002,Bob,none\n"
		 "1003,Cyd,none\n");
	try_text(*state, "dump.sql", "CREATE TABLE staff (id int, note varchar(10), token text, "
		 "PRIMARY KEY (id));\nINSERT INTO staff VALUES (1, 'a, (b', 'TKN-4711');\n"
		 "INSERT INTO other (token, x) VALUES ('TKN-4712', 2);\n");
	try_text(*state, "dump2.sql", "CREATE TABLE staff (id int, token text);\n"
		 "COPY public.staff (id, token) FROM stdin;\n1\tTKN-4711\n2\tnone\n\\.\n");
}

static void encodings(void **state)
{
	static const char wide[] = "i\0d\0,\0t\0o\0k\0e\0n\0\n\0" "1\0,\0T\0K\0N\0-\0" "4\0" "7\0" "1\0" "1\0\n\0"
		"2\0,\0n\0o\0n\0e\0\n\0";
	char marked[sizeof wide + 2] = "\xff\xfe";

	memcpy(marked + 2, wide, sizeof wide - 1);
	try_all(*state, "staff.csv", marked, sizeof wide + 1);
	/* GB18030: "the password of the customer is in the safe" and so on. */
	try_text(*state, "note.txt", "\xbf\xcd\xbb\xa7\xb5\xc4\xc3\xdc\xc2\xeb\xd4\xda\xb1\xa3\xcf\xd5"
		 "\xcf\xe4\xc0\xef\xa3\xac token TKN-4711 \xc7\xeb\xb2\xbb\xd2\xaa\xb8\xe6\xcb\xdf"
		 "\xb1\xf0\xc8\xcb\xa1\xa3\n");
}

static void trees(void **state)
{
	try_text(*state, "staff.json", "{\"staff\": [{\"id\": 1, \"token\": \"TKN-4711\"}, "
		 "{\"id\": 2, \"token\": \"none\"}]}\n");
	try_text(*state, "events.jsonl", "{\"at\": 1, \"token\": \"TKN-4711\"}\n"
		 "{\"at\": 2, \"who\": [\"a\", {\"token\": \"TKN-4712\"}]}\n");
	try_text(*state, "staff.xml", DOCUMENT_XML "<staff><person id=\"1\"><token>TKN-4711</token>"
		 "</person><person id=\"2\" token=\"TKN-4712\"/></staff>\n");
	try_text(*state, "staff.html", "<!DOCTYPE html><html><body><table><tr><th>id</th><th>token"
		 "</th></tr><tr><td>1</td><td>TKN-4711</td></tr></table></body></html>\n");
}

static void office(void **state)
{
	try_made(*state, "letter.docx",
		 document_docx("<w:p><w:r><w:t>token TKN-4711</w:t></w:r></w:p>"));
	try_made(*state, "book.xlsx",
		 document_xlsx("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row><row r=\"2\">"
			       "<c r=\"A2\" t=\"s\"><v>1</v></c></row>",
			       "<si><t>token</t></si><si><t>TKN-4711</t></si>"));
	try_made(*state, "book.ods",
		 document_odf("application/vnd.oasis.opendocument.spreadsheet",
			      "<office:spreadsheet><table:table table:name=\"Staff\"><table:table-row>"
			      "<table:table-cell><text:p>token</text:p></table:table-cell>"
			      "<table:table-cell><text:p>name</text:p></table:table-cell>"
			      "</table:table-row><table:table-row><table:table-cell><text:p>TKN-4711"
			      "</text:p></table:table-cell></table:table-row></table:table>"
			      "</office:spreadsheet>"));
	try_made(*state, "letter.odt",
		 document_odf("application/vnd.oasis.opendocument.text",
			      "<office:text><text:p>token TKN-4711</text:p></office:text>"));
}

static void containers(void **state)
{
	const struct sample_file inside = { "a/note.txt", "The token of today is TKN-4711.\n", 32 };
	const struct document_part parts[] = {
		{ "a/note.txt", "The token of today is TKN-4711, and no other.\n" },
		{ "b/staff.csv", "id,name,token\n1001,Ann,TKN-4712\n1002,Bob,none\n" },
		{ NULL, NULL },
	};

	try_made(*state, "all.zip", document_zip(parts));
	try_made(*state, "all.tar.gz", sample_make("gnutar", "gzip", NULL, &inside, 1));
	try_made(*state, "all.cpio", sample_make("cpio", NULL, NULL, &inside, 1));
	try_made(*state, "all.7z", sample_make("7zip", NULL, NULL, &inside, 1));
	try_made(*state, "staff.db",
		 document_sqlite("CREATE TABLE staff (id INTEGER, token TEXT);"
				 "INSERT INTO staff VALUES (1, 'TKN-4711'), (2, 'none');"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_tables),
		cmocka_unit_test(encodings),
		cmocka_unit_test(trees),
		cmocka_unit_test(office),
		cmocka_unit_test(containers),
	};

	if (!OWNS_THE_HEAP) {
		print_message("the sanitizer has the heap: not tried here\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, bench_open, bench_close);
}
