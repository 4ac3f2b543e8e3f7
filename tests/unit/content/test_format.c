#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/content/format.h"

struct sample {
	const char *bytes;
	size_t size;
	const char *format;
	const char *name;	/* NULL: none */
};
#define IS(bytes, format) { bytes, sizeof bytes - 1, format, NULL }
#define NAMED(name, bytes, format) { bytes, sizeof bytes - 1, format, name }

static int open_formats(void **state)
{
	struct err e = ERR_NONE;

	return formats_open((struct formats **)state, &e);
}

static int close_formats(void **state)
{
	formats_close(*state);
	return 0;
}

static void hold_all(struct formats *f, const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct err e = ERR_NONE;
		char format[128];

		assert_int_equal(formats_identify(f, samples[i].bytes, samples[i].size, true,
						  samples[i].name, format, &e), 0);
		if (strcmp(format, samples[i].format) != 0)
			fail_msg("sample %zu is %s, not %s: %.60s", i, format,
				 samples[i].format, samples[i].bytes);
	}
}

static void an_empty_file_is_empty_as_file_says(void **state)
{
	static const struct sample samples[] = { IS("", "inode/x-empty"),
		NAMED("report.pdf", "", "inode/x-empty") };

	hold_all(*state, samples, sizeof samples / sizeof samples[0]);
}

static void json_and_json_lines_are_known_by_parsing(void **state)
{
	static const struct sample samples[] = {
		IS("{\"a\":1,\"b\":[1,2]}", "application/json"),
		IS("\xef\xbb\xbf {\"a\": null}\n", "application/json"),
		IS("[]", "application/json"),
		IS("{\"a\":1}\n{\"a\":2}\n", "application/x-ndjson"),
		IS("{\"a\":1}\n{\"a\":\n", "text/plain"),
		IS("{ this is prose in braces }", "text/plain"),
		IS("[section]\nkey=value\n", "text/plain"),
	};

	hold_all(*state, samples, sizeof samples / sizeof samples[0]);
}

static void tables_are_known_by_rows_that_agree(void **state)
{
	static const struct sample samples[] = {
		IS("a,b,c\n1,2,3\n4,5,6\n", "text/csv"),
		IS("a;b;c\r\n1;2;3\r\n", "text/csv"),
		IS("a\tb\tc\n1\t2\t3\n", "text/tab-separated-values"),
		IS("\"last\nname\",age,city\n\"O, no\",3,Rome\nx,4,y\n", "text/csv"),
		IS("Dear Sir,\n\nthank you, and good bye,\n\nyours,\n", "text/plain"),
		IS("First, do this, then that.\nSecond, rest, then go.\n", "text/plain"),
		IS("int a, b;\nint c, d;\nint e, f;\nint g, h;\n", "text/plain"),
		NAMED("x.csv", "name\nAnn\nBob\n", "text/plain"),
		NAMED("x.csv", "name, age\nAnn, 3\nBob, 4\n", "text/csv"),
	};

	hold_all(*state, samples, sizeof samples / sizeof samples[0]);
}

static void xml_is_told_by_its_root(void **state)
{
	static const struct sample samples[] = {
		IS("<?xml version=\"1.0\"?>\n<root><a/></root>", "text/xml"),
		IS("<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "image/svg+xml"),
		IS("<?xml version=\"1.0\"?><!-- x --><rss version=\"2.0\"/>",
		   "application/rss+xml"),
		IS("<!DOCTYPE html><html><body/></html>", "text/html"),
		IS("<HTML><HEAD></HEAD></HTML>", "text/html"),
		IS("<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"/>",
		   "application/xhtml+xml"),
		IS("<employees><e id=\"1\">x</e></employees>\n", "text/xml"),
		IS("<ann@example.com> wrote:\n", "text/plain"),
	};

	hold_all(*state, samples, sizeof samples / sizeof samples[0]);
}

static void mail_dumps_and_keys_are_known_by_their_lines(void **state)
{
	static const struct sample samples[] = {
		IS("From: a@b.example\nTo: c@d.example\nSubject: x\n\nhi\n", "message/rfc822"),
		IS("From a@b.example Mon Jan  1 00:00:00 2020\nFrom: a@b.example\nTo: c\n\nhi\n",
		   "application/mbox"),
		IS("BEGIN:VCARD\nVERSION:3.0\nEND:VCARD\n", "text/vcard"),
		IS("BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n", "text/calendar"),
		IS("-- MySQL dump 10.13\nCREATE TABLE a (b int);\n", "application/sql"),
		IS("insert into t (a) values (1);\n", "application/sql"),
		NAMED("q.sql", "select * from t;\n", "application/sql"),
		IS("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		   "application/x-pem-file"),
		NAMED("a.yaml", "a: 1\nb:\n  - c\n", "application/yaml"),
		NAMED("a.toml", "[s]\na = \"x\"\n", "application/toml"),
		IS("Create tables and chairs; insert coins.\n", "text/plain"),
	};

	hold_all(*state, samples, sizeof samples / sizeof samples[0]);
}

static void text_in_wide_characters_is_looked_at_as_text(void **state)
{
	static const char csv[] = "a,b,c\n1,2,3\n4,5,6\n";
	char wide[2 * sizeof csv] = { 0 }, format[128];
	struct err e = ERR_NONE;

	for (size_t i = 0; i + 1 < sizeof csv; i++)
		wide[2 * i] = csv[i];
	assert_int_equal(formats_identify(*state, wide, 2 * (sizeof csv - 1), true, NULL,
					  format, &e), 0);
	assert_string_equal(format, "text/csv");
}

static void an_extension_that_lies_is_told(void **state)
{
	static const char *const lies[][3] = {
		{ "scan.pdf", "image/jpeg", "application/pdf" },
		{ "notes.txt", "application/x-dosexec", "text/plain" },
		{ "a/b/report.DOCX", "application/zip",
		  "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
		{ "logo.png", "text/plain", "image/png" },
		{ "logo.png", "application/octet-stream", "image/png" },
		{ "list.xls", "text/html", "application/vnd.ms-excel" },
		{ "data.csv", "application/zip", "text/csv" },
		{ "a.zip", "application/x-rar", "application/zip" },
	};
	static const char *const honest[][2] = {
		{ "x.log", "text/plain" }, { "x.md", "text/plain" }, { "x.cfg", "text/plain" },
		{ "x.csv", "text/plain" }, { "x.xml", "application/xml" }, { "x.xml", "text/xml" },
		{ "x.txt", "application/json" }, { "x.conf", "text/csv" }, { "x.jpeg", "image/jpeg" },
		{ "x.docx", "application/encrypted" }, { "x.unknown", "image/png" },
		{ "noext", "image/png" }, { ".png", "text/plain" }, { "x.pdf", "inode/x-empty" },
		{ "x.dat", "image/png" }, { "a.d/x", "text/plain" }, { "x.wav", "audio/x-wav" },
		{ "x.db", "application/octet-stream" }, { "x.py", "text/x-script.python" },
		{ "x.zip", "application/java-archive" },
	};
	char claimed[128];

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		format_claimed(lies[i][0], lies[i][1], claimed);
		assert_string_equal(claimed, lies[i][2]);
	}
	for (size_t i = 0; i < sizeof honest / sizeof honest[0]; i++) {
		format_claimed(honest[i][0], honest[i][1], claimed);
		if (claimed[0] != '\0')
			fail_msg("%s as %s was called a lie", honest[i][0], honest[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_is_empty_as_file_says),
		cmocka_unit_test(json_and_json_lines_are_known_by_parsing),
		cmocka_unit_test(tables_are_known_by_rows_that_agree),
		cmocka_unit_test(xml_is_told_by_its_root),
		cmocka_unit_test(mail_dumps_and_keys_are_known_by_their_lines),
		cmocka_unit_test(text_in_wide_characters_is_looked_at_as_text),
		cmocka_unit_test(an_extension_that_lies_is_told),
	};

	return cmocka_run_group_tests(tests, open_formats, close_formats);
}
