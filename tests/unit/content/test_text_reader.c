#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/content/encoding.h"
#include "fs/content/input.h"
#include "fs/content/text_reader.h"
#include "tests/unit/content/text_samples.h"

static const char *const chinese[] = { "发票", "号码", "身份证", "员工", "姓名", "，", "。\n",
	"abc", " ", "12345", "\n", "的", "工资表", "北京市" };
static const char *const japanese[] = { "請求書", "の", "番号", "です", "カード", "\n", "、",
	"x1", " ", "東京都" };
static const char *const french[] = { "facture", " ", "numéro", "été", "\n", "à", "42", "ça" };

/* About size bytes of UTF-8, malloc'ed. */
static char *write_text(const char *const *words, size_t count, size_t size, uint32_t seed)
{
	char *text = malloc(size + 64);
	size_t made = 0;

	while (made < size) {
		const char *word = words[draw(&seed, (uint32_t)count)];

		memcpy(text + made, word, strlen(word));
		made += strlen(word);
	}
	text[made] = '\0';
	return text;
}

struct pieces {			/* a stream that comes in pieces of odd sizes */
	const char *data;
	size_t size, at;
	uint32_t seed;
};

static ssize_t read_piece(void *arg, void *out, size_t size, struct err *e)
{
	struct pieces *p = arg;
	size_t n = 1 + draw(&p->seed, 100000);

	(void)e;
	if (n > size)
		n = size;
	if (n > p->size - p->at)
		n = p->size - p->at;
	memcpy(out, p->data + p->at, n);
	p->at += n;
	return (ssize_t)n;
}

/* Where the character begins that stands there. */
static size_t character_at(const char *text, size_t at)
{
	while (at > 0 && (text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

struct place {			/* in a text: lines from 1, bytes as it is stored */
	size_t at, lines, stored;
};

/* From a place to a later one; both begin a character. */
static void go_to(struct place *p, const char *text, size_t at, const char *iconv_name)
{
	char *piece = strndup(text + p->at, at - p->at);
	size_t stored;
	char *bytes = encoded(iconv_name, piece, &stored);

	for (; p->at < at; p->at++)
		p->lines += text[p->at] == '\n';
	p->stored += stored;
	free(bytes);
	free(piece);
}

/* Of each piece some offsets are asked for, and compared with the truth. */
static void read_back(const char *stored, size_t stored_size, const char *iconv_name,
		      const char *encoding, const char *text, const char *said)
{
	struct pieces pieces = { stored, stored_size, 0, 5 };
	struct input *in = input_of_stream(read_piece, &pieces);
	struct text_reader *r = NULL;
	struct err e = ERR_NONE;
	size_t at = 0, size = strlen(text);
	struct place behind = { .lines = 1 };	/* what is asked for lies after it */
	const uint8_t *utf8;
	uint32_t seed = 11;
	ssize_t n;

	assert_int_equal(text_reader_new(in, encoding, &r, &e), 0);
	while ((n = text_reader_next(r, &utf8, &e)) > 0) {
		assert_true(at + (size_t)n <= size);
		assert_memory_equal(utf8, text + at, (size_t)n);
		at += (size_t)n;
		for (unsigned i = 0; i < 3; i++) {
			size_t back = draw(&seed, at < 65536 ? (uint32_t)at : 65536);
			struct place p = behind;

			go_to(&p, text, character_at(text, at - back), iconv_name);
			assert_int_equal(text_reader_line(r, p.at), p.lines);
			assert_int_equal(text_reader_told(r, p.at), p.stored);
		}
		if (at > 2 * 65536)
			go_to(&behind, text, character_at(text, at - 65536 - 4), iconv_name);
	}
	assert_int_equal(n, 0);
	assert_int_equal(at, size);
	assert_string_equal(text_reader_encoding(r), said);
	assert_false(text_reader_is_doubtful(r));
	text_reader_free(r);
	input_free(in);
}

static void text_comes_whole_and_its_offsets_lead_back(void **state)
{
	static const struct {
		const char *iconv, *ours;
		const char *const *words;
		size_t count;
	} kinds[] = {
		{ "UTF-8", "utf-8", chinese, 14 }, { "GB18030", "gb18030", chinese, 14 },
		{ "UTF-16LE", "utf-16le", chinese, 14 }, { "UTF-16BE", "utf-16be", japanese, 10 },
		{ "CP932", "shift_jis", japanese, 10 }, { "EUC-JP", "euc-jp", japanese, 10 },
		{ "ISO-8859-1", "iso-8859-1", french, 8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		for (size_t size = 10; size < 2000000; size *= 20) {
			char *text = write_text(kinds[i].words, kinds[i].count, size, 3);
			size_t stored_size;
			char *stored = encoded(kinds[i].iconv, text, &stored_size);
			bool is_ascii = encoding_ascii_prefix(text, strlen(text)) == strlen(text);

			if (!is_ascii)
				read_back(stored, stored_size, kinds[i].iconv, kinds[i].ours, text,
					  kinds[i].ours);
			free(stored);
			free(text);
		}
}

/* Megabytes of ASCII, then cells in another encoding. */
static void an_encoding_that_shows_late_is_found(void **state)
{
	static const struct {
		const char *iconv, *ours;
		const char *const *words;
		size_t count;
	} kinds[] = {
		{ "GB18030", "gb18030", chinese, 14 }, { "UTF-8", "utf-8", chinese, 14 },
		{ "CP932", "shift_jis", japanese, 10 }, { "ISO-8859-1", "iso-8859-1", french, 8 },
	};
	static const char *const ascii[] = { "row,1,2\n", "name;x\n", "abc ", "\n" };

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		char *front = write_text(ascii, 4, 1000000, 9);
		char *back = write_text(kinds[i].words, kinds[i].count, 300000, 8);
		char *text = malloc(strlen(front) + strlen(back) + 2), *stored;
		size_t size;

		sprintf(text, "%s\n%s", front, back);
		stored = encoded(kinds[i].iconv, text, &size);
		read_back(stored, size, kinds[i].iconv, "us-ascii", text, kinds[i].ours);
		free(stored);
		free(text);
		free(back);
		free(front);
	}
}

static void a_second_encoding_in_one_file_is_followed(void **state)
{
	char *first = write_text(chinese, 14, 900000, 1), *second = write_text(chinese, 14, 900000, 2);
	size_t gb_size, at = 0, total;
	char *stored = malloc(2000000), *got = malloc(2000000), *gb;
	struct text_reader *r = NULL;
	struct err e = ERR_NONE;
	struct input *in;
	const uint8_t *utf8;
	ssize_t n;

	(void)state;
	/* Where the change is must show: a character may be valid in both. */
	strcat(first, "\n");
	memcpy(second, "发票", 6);
	gb = encoded("GB18030", second, &gb_size);
	total = strlen(first) + strlen(second);
	memcpy(stored, first, strlen(first));
	memcpy(stored + strlen(first), gb, gb_size);
	in = input_of_memory(stored, strlen(first) + gb_size);
	assert_int_equal(text_reader_new(in, "utf-8", &r, &e), 0);
	while ((n = text_reader_next(r, &utf8, &e)) > 0) {
		assert_true(at + (size_t)n < 2000000);
		memcpy(got + at, utf8, (size_t)n);
		at += (size_t)n;
	}
	assert_int_equal(at, total);
	assert_memory_equal(got, first, strlen(first));
	assert_memory_equal(got + strlen(first), second, strlen(second));
	text_reader_free(r);
	input_free(in);
	free(stored);
	free(got);
	free(gb);
	free(first);
	free(second);
}

static void marks_are_no_text(void **state)
{
	static const struct {
		const char *bytes, *encoding;
		size_t size;
	} kinds[] = {
		{ "\xef\xbb\xbf" "a,b", "utf-8", 6 }, { "\xff\xfe" "a\0,\0b\0", "utf-16le", 8 },
		{ "\xfe\xff\0a\0,\0b", "utf-16be", 8 }, { "\x84\x31\x95\x33" "a,b", "gb18030", 7 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct input *in = input_of_memory(kinds[i].bytes, kinds[i].size);
		struct text_reader *r = NULL;
		struct err e = ERR_NONE;
		const uint8_t *utf8;

		assert_int_equal(text_reader_new(in, kinds[i].encoding, &r, &e), 0);
		assert_int_equal(text_reader_next(r, &utf8, &e), 3);
		assert_memory_equal(utf8, "a,b", 3);
		assert_int_equal(text_reader_next(r, &utf8, &e), 0);
		text_reader_free(r);
		input_free(in);
	}
}

/* Whatever comes: no crash, no hang, nothing left out of what is ASCII. */
static void noise_is_read_to_its_end(void **state)
{
	static const char *const encodings[] = { "us-ascii", "utf-8", "utf-16le", "utf-32be",
		"gb18030", "big5", "shift_jis", "euc-jp", "euc-kr", "iso-2022-jp", "iso-8859-1",
		"windows-1252", "" };
	uint8_t noise[70001];
	uint32_t seed = 77;

	(void)state;
	for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++)
		for (unsigned round = 0; round < 40; round++) {
			size_t size = round < 30 ? round : draw(&seed, sizeof noise);
			struct pieces pieces = { (const char *)noise, size, 0, round };
			struct input *in = input_of_stream(read_piece, &pieces);
			struct text_reader *r = NULL;
			struct err e = ERR_NONE;
			const uint8_t *utf8;
			uint64_t total = 0;
			ssize_t n;

			for (size_t k = 0; k < size; k++)
				noise[k] = (uint8_t)draw(&seed, 256);
			assert_int_equal(text_reader_new(in, encodings[i], &r, &e), 0);
			while ((n = text_reader_next(r, &utf8, &e)) > 0) {
				total += (uint64_t)n;
				text_reader_told(r, total - (uint64_t)n / 2);
				text_reader_line(r, total);
			}
			assert_int_equal(n, 0);
			text_reader_free(r);
			input_free(in);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_comes_whole_and_its_offsets_lead_back),
		cmocka_unit_test(an_encoding_that_shows_late_is_found),
		cmocka_unit_test(a_second_encoding_in_one_file_is_followed),
		cmocka_unit_test(marks_are_no_text),
		cmocka_unit_test(noise_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
