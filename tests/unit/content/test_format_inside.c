/*
 * What a file is by what lies inside it (zip, compound files), and that what
 * answers before libmagic answers as it would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <magic.h>
#include <cmocka.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/content/format.h"
#include "fs/content/input.h"
#include "tests/unit/content/text_samples.h"

#define OOXML "application/vnd.openxmlformats-officedocument."

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

static void assert_format(struct formats *f, const struct buffer *b, const char *expected)
{
	struct input *in = input_of_memory(b->data, b->size);
	struct err e = ERR_NONE;
	char format[128];

	assert_int_equal(formats_identify_input(f, in, NULL, format, &e), 0);
	assert_string_equal(format, expected);
	input_free(in);
}

/* ---- zip ----------------------------------------------------------------------------- */

struct member {
	const char *name, *content;
	size_t filler;		/* bytes of noise instead of content */
};

static void add_name(struct buffer *b, const char *name)
{
	buffer_append(b, name, strlen(name));
}

/* Members stored, the list of them at the end. */
static struct buffer make_zip(const struct member *members, size_t count)
{
	struct buffer b = { .data = NULL }, list = { .data = NULL };
	uint32_t seed = 5;
	size_t start;

	for (size_t i = 0; i < count; i++) {
		size_t size = members[i].filler > 0 ? members[i].filler : strlen(members[i].content);
		uint16_t name_size = (uint16_t)strlen(members[i].name);

		buffer_append(&list, "PK\1\2\24\0\24\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
		buffer_u32(&list, (uint32_t)size);
		buffer_u32(&list, (uint32_t)size);
		buffer_u16(&list, name_size);
		for (unsigned k = 0; k < 12; k++)
			buffer_u8(&list, 0);
		buffer_u32(&list, (uint32_t)b.size);
		add_name(&list, members[i].name);

		buffer_append(&b, "PK\3\4\24\0\0\0\0\0\0\0\0\0\0\0\0\0", 18);
		buffer_u32(&b, (uint32_t)size);
		buffer_u32(&b, (uint32_t)size);
		buffer_u16(&b, name_size);
		buffer_u16(&b, 0);
		add_name(&b, members[i].name);
		if (members[i].filler == 0)
			buffer_append(&b, members[i].content, size);
		for (size_t k = 0; k < members[i].filler; k++)
			buffer_u8(&b, (uint8_t)draw(&seed, 256));
	}
	start = b.size;
	buffer_append(&b, list.data, list.size);
	buffer_append(&b, "PK\5\6\0\0\0\0", 8);
	buffer_u16(&b, (uint16_t)count);
	buffer_u16(&b, (uint16_t)count);
	buffer_u32(&b, (uint32_t)list.size);
	buffer_u32(&b, (uint32_t)start);
	buffer_u16(&b, 0);
	buffer_free(&list);
	return b;
}

static void a_zip_is_what_its_members_say_in_any_order(void **state)
{
	static const struct {
		const char *format;
		struct member members[3];
	} zips[] = {
		{ OOXML "wordprocessingml.document",
		  { { "[Content_Types].xml", "x", 0 }, { "_rels/.rels", "x", 0 },
		    { "word/document.xml", "x", 0 } } },
		{ OOXML "wordprocessingml.document",
		  { { "word/media/a.png", "x", 0 }, { "custom.xml", "x", 0 },
		    { "[Content_Types].xml", "x", 0 } } },
		{ OOXML "spreadsheetml.sheet",
		  { { "xl/workbook.xml", "x", 0 }, { "docProps/app.xml", "x", 0 }, { "z", "", 0 } } },
		{ OOXML "presentationml.presentation",
		  { { "[Content_Types].xml", "x", 0 }, { "ppt/slides/slide1.xml", "", 0 },
		    { "z", "", 0 } } },
		{ "application/vnd.ms-word.document.macroenabled.12",
		  { { "[Content_Types].xml", "x", 0 }, { "word/document.xml", "", 0 },
		    { "word/vbaProject.bin", "", 0 } } },
		{ "application/vnd.oasis.opendocument.text",
		  { { "mimetype", "application/vnd.oasis.opendocument.text", 0 },
		    { "content.xml", "x", 0 }, { "META-INF/manifest.xml", "x", 0 } } },
		{ "application/vnd.oasis.opendocument.spreadsheet",
		  { { "content.xml", "x", 0 },
		    { "mimetype", "application/vnd.oasis.opendocument.spreadsheet", 0 },
		    { "z", "", 0 } } },
		{ "application/epub+zip",
		  { { "mimetype", "application/epub+zip", 0 }, { "META-INF/container.xml", "", 0 },
		    { "z", "", 0 } } },
		{ "application/java-archive",
		  { { "META-INF/MANIFEST.MF", "", 0 }, { "a/B.class", "", 0 }, { "z", "", 0 } } },
		{ "application/vnd.android.package-archive",
		  { { "META-INF/MANIFEST.MF", "", 0 }, { "classes.dex", "", 0 },
		    { "AndroidManifest.xml", "", 0 } } },
		{ "application/zip",
		  { { "word/readme.txt", "x", 0 }, { "xl/b", "", 0 }, { "z", "", 0 } } },
		/* What tells stands behind the head, and is listed at the end. */
		{ OOXML "wordprocessingml.document",
		  { { "docProps/app.xml", "x", 0 }, { "a.bin", "", 500000 },
		    { "word/document.xml", "x", 0 } } },
	};

	for (size_t i = 0; i < sizeof zips / sizeof zips[0]; i++) {
		struct buffer b = make_zip(zips[i].members, 3);

		assert_format(*state, &b, zips[i].format);
		buffer_free(&b);
	}
}

/* ---- compound files -------------------------------------------------------------------- */

static void add_entry(struct buffer *b, const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < 32; i++)
		buffer_u16(b, i < size ? (uint16_t)(unsigned char)name[i] : 0);
	buffer_u16(b, (uint16_t)(2 * (size + 1)));
	for (unsigned i = 0; i < 62; i++)
		buffer_u8(b, i == 0 ? 2 : 0);
}

/* The directory in the last two of `sectors`, chained by the table in sector 0. */
static struct buffer make_compound(uint32_t sectors, const char *name)
{
	struct buffer b = { .data = NULL };
	uint32_t directory = sectors - 2;

	buffer_append(&b, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
	for (unsigned i = 8; i < 24; i++)
		buffer_u8(&b, 0);
	buffer_append(&b, "\x3e\0\x03\0\xfe\xff\x09\0\x06\0", 10);
	for (unsigned i = 34; i < 48; i++)
		buffer_u8(&b, 0);
	buffer_u32(&b, directory);
	for (unsigned i = 52; i < 76; i++)
		buffer_u8(&b, 0);
	/* The table of the chain that the directory's first sector is in. */
	for (uint32_t i = 0; i < 109; i++)
		buffer_u32(&b, i == directory / 128 ? 0 : 0xffffffff);
	for (uint32_t i = 0; i < 128; i++)
		buffer_u32(&b, i == directory % 128 ? directory + 1 : 0xfffffffe);
	for (uint32_t i = 1; i < directory; i++)
		for (unsigned k = 0; k < 512; k++)
			buffer_u8(&b, (uint8_t)k);
	add_entry(&b, "Root Entry");
	add_entry(&b, "\005SummaryInformation");
	add_entry(&b, "CompObj");
	add_entry(&b, "x");
	add_entry(&b, name);
	for (unsigned i = 0; i < 3; i++)
		add_entry(&b, "");
	return b;
}

static void a_compound_file_is_what_its_directory_says(void **state)
{
	static const char *const kinds[][2] = {
		{ "WordDocument", "application/msword" },
		{ "Workbook", "application/vnd.ms-excel" },
		{ "PowerPoint Document", "application/vnd.ms-powerpoint" },
		{ "__properties_version1.0", "application/vnd.ms-outlook" },
		{ "EncryptedPackage", "application/encrypted" },
		{ "VisioDocument", "application/vnd.visio" },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct buffer near = make_compound(6, kinds[i][0]);
		/* Beyond the head that is looked at. */
		struct buffer far = make_compound(2000, kinds[i][0]);

		assert_format(*state, &near, kinds[i][1]);
		assert_format(*state, &far, kinds[i][1]);
		buffer_free(&near);
		buffer_free(&far);
	}
}

static void what_is_cut_or_noise_inside_is_still_answered(void **state)
{
	static const struct member members[] = { { "mimetype", "application/epub+zip", 0 },
		{ "word/document.xml", "x", 0 }, { "[Content_Types].xml", "x", 0 } };
	struct buffer zip = make_zip(members, 3), ole = make_compound(6, "WordDocument");
	uint32_t seed = 12;

	for (unsigned kind = 0; kind < 2; kind++) {
		const struct buffer *from = kind == 0 ? &zip : &ole;

		for (size_t size = 0; size < from->size; size += size < 700 ? 1 : 97) {
			uint8_t *copy = malloc(size + 1);
			struct input *in;
			struct err e = ERR_NONE;
			char format[128];

			memcpy(copy, from->data, size);
			for (unsigned k = 0; size > 8 && k < 3; k++)	/* behind the signature */
				copy[8 + draw(&seed, (uint32_t)size - 8)] = (uint8_t)draw(&seed, 256);
			in = input_of_memory(copy, size);
			assert_int_equal(formats_identify_input(*state, in, NULL, format, &e), 0);
			input_free(in);
			free(copy);
		}
	}
	buffer_free(&zip);
	buffer_free(&ole);
}

/* ---- before libmagic ---------------------------------------------------------------------- */

static void what_answers_before_libmagic_answers_as_it_would(void **state)
{
	/* One for each of its rules of text, and what nearly is one. */
	static const char *const texts[] = {
		"#!/bin/sh\necho hi\n", "#!/usr/bin/env python3\nimport os\n", "#!/usr/bin/perl -w\n",
		"<?php echo 1; ?>\n", "%!PS-Adobe-3.0\n", "{\\rtf1\\ansi x}", "%PDF-1.4\n%x\n",
		"#include <stdio.h>\nint main(void)\n{\n\treturn 0;\n}\n",
		"#ifndef A\n#define A\n#endif\n", "struct a {\n\tint b;\n};\n", "extern int x;\n",
		"class A {\n public:\n  int b;\n};\n", "namespace a {\n}\n", "template <class T>\n",
		"import os\n\ndef f(a):\n    return a\n", "def f(self):\n    pass\n",
		"from a import b\n", "import a as b\n", "try:\n    x\nexcept A:\n    y\n",
		"if __name__ == '__main__':\n    x()\n", "require 'a/b'\n\ndef x\n  1\nend\n",
		"module A\n  def b\n  end\nend\n", "import java.util.List;\n",
		"'use strict';\n", "const a = require('b');\n", "export default a;\n",
		"(function() { return 1; })();\n", "module.exports = a;\n",
		"\\documentclass{article}\n\\begin{document}\n", "\\input texinfo\n",
		"(defun a (b) c)\n", "(setq a 1)\n", "dnl x\nAC_DEFUN([A])\n", "all:\n\techo\n",
		"CFLAGS = -O\n", ".SH NAME\nx\n", ".\\\" x\n.TH A 1\n", "\t.globl main\n\t.text\n",
		"--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n", "diff --git a/x b/x\n", "Index: a\n",
		"msgid \"a\"\nmsgstr \"b\"\n", "@echo off\r\n", "WEBVTT\n\n00:01.000 --> 00:02.000\nx\n",
		"1\n00:00:01,000 --> 00:00:02,000\nhi\n", "Windows Registry Editor Version 5.00\r\n",
		"[InternetShortcut]\r\nURL=http://x.example/\r\n", "-----BEGIN PGP MESSAGE-----\n\nx\n",
		"  0\nSECTION\n  2\nHEADER\n  9\n$ACADVER\n  1\nAC1015\n", "P3\n1 1\n255\n0 0 0\n",
		"d8:announce3:abc4:infod4:name1:aee", "Dear all,\nthe class of 1999 meets again.\n",
		"Public holidays are in the list\nimport duties rise\nC is a letter\n",
		"2024-01-01 10:00:00 INFO started\n2024-01-01 10:00:01 WARN x\n", "one\n", "x = 1\n",
		"# A title\n\nSome text.\n", "* item\n* item\n", "; a remark\nkey=value\n",
	};
	magic_t magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_CSV | MAGIC_NO_CHECK_JSON);

	assert_non_null(magic);
	assert_int_equal(magic_load(magic, NULL), 0);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const char *theirs = magic_buffer(magic, texts[i], strlen(texts[i]));
		struct err e = ERR_NONE;
		char ours[128];

		assert_int_equal(formats_identify(*state, texts[i], strlen(texts[i]), true, NULL,
						  ours, &e), 0);
		if (strcmp(ours, theirs) != 0 && strcmp(theirs, "application/octet-stream") != 0)
			fail_msg("%s, libmagic says %s: %.50s", ours, theirs, texts[i]);
	}
	magic_close(magic);
}

static void an_extension_and_its_words_make_a_language(void **state)
{
	static const char *const sources[][3] = {
		{ "a.py", "print(1)\n", "text/x-script.python" },
		{ "a.c", "void f(void);\n", "text/x-c" },
		{ "a.java", "package a;\n", "text/x-java" },
		{ "a.js", "let a = 1;\n", "application/javascript" },
		{ "a.css", "p { color: red }\n", "text/css" },
		{ "a.py", "to be written\n", "text/plain" },
		{ "a.txt", "print(1)\n", "text/plain" },
	};

	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
		struct err e = ERR_NONE;
		char format[128];

		assert_int_equal(formats_identify(*state, sources[i][1], strlen(sources[i][1]), true,
						  sources[i][0], format, &e), 0);
		assert_string_equal(format, sources[i][2]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zip_is_what_its_members_say_in_any_order),
		cmocka_unit_test(a_compound_file_is_what_its_directory_says),
		cmocka_unit_test(what_is_cut_or_noise_inside_is_still_answered),
		cmocka_unit_test(what_answers_before_libmagic_answers_as_it_would),
		cmocka_unit_test(an_extension_and_its_words_make_a_language),
	};

	return cmocka_run_group_tests(tests, open_formats, close_formats);
}
