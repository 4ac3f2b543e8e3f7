/*
 * Small texts that policies, sheets, certificates and command lines hold: globs and what
 * is proved of two of them, expressions, periods, dates, sizes, base64, names for a
 * terminal, files of time zones.  The first byte says which; the rest is up to three texts
 * with a NUL between.
 */
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/glob.h"
#include "policy/memory.h"
#include "policy/period.h"
#include "policy/regex.h"
#include "tests/fuzz/fuzz.h"

#define TEXTS 3

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

/* What policy_lint() proves of globs is so of any text. */
static void globs(char *const text[TEXTS])
{
	struct memory m = { 0 };
	struct glob *a, *b;
	struct err e = ERR_NONE;
	size_t size = strlen(text[2]);

	for (unsigned flags = 0; flags < 4; flags++) {
		if (glob_new(&m, text[0], flags, &a, &e) < 0 ||
		    glob_new(&m, text[1], flags, &b, &e) < 0) {
			MUST(e.code == MUNI_USAGE && *e.text);
			break;
		}
		bool in_a = glob_match(a, text[2], size), in_b = glob_match(b, text[2], size);

		MUST(strcmp(glob_text(a), text[0]) == 0);
		if (glob_is_within(a, b))
			MUST(!in_a || in_b);
		if (glob_is_apart(a, b))
			MUST(!in_a || !in_b);
		/* Of paths: no item has an empty one. */
		if (glob_is_everything(a) && size > 0)
			MUST(in_a);
	}
	memory_clear(&m);
}

static void expression(char *const text[TEXTS])
{
	struct memory m = { 0 };
	struct regex_scratch *scratch = NULL;
	struct regex *r;
	struct err e = ERR_NONE;

	if (regex_new(&m, text[0], &r, &e) == 0) {
		int found = regex_find(r, text[1], strlen(text[1]), &scratch);

		MUST(regex_find(r, text[1], strlen(text[1]), &scratch) == found);
	} else {
		MUST(e.code == MUNI_USAGE && *e.text);
	}
	regex_scratch_free(scratch);
	memory_clear(&m);
}

static void dates(char *const text[TEXTS])
{
	struct period p, again;
	struct civil c, back;
	struct err e = ERR_NONE;
	char out[TEXT_TIME_MAX];
	int64_t at, at_again;
	uint64_t bytes;

	if (period_parse(text[0], &p, &e) == 0) {
		period_text(&p, out);
		MUST(period_parse(out, &again, &e) == 0 && period_compare(&p, &again) == 0);
		c = civil_add((struct civil){ 2024, 2, 29 }, &p);
		back = civil_of_day(civil_day(c));
		MUST(civil_compare(c, back) == 0);
	}
	if (civil_parse(text[0], &c) == 0) {
		civil_text(c, out);
		MUST(civil_parse(out, &back) == 0 && civil_compare(c, back) == 0);
		c = civil_cutoff(c, 2, 29);
		MUST(c.month == 2 || c.month == 3);
	}
	for (int end = 0; end < 2; end++)
		if (text_parse_time(text[0], end, &at) == 0) {
			text_time(at, 0, out);
			if (out[0] >= '0' && out[0] <= '9')	/* a year of four digits */
				MUST(text_parse_time(out, false, &at_again) == 0 && at == at_again);
		}
	if (text_parse_size(text[0], &bytes) == 0)
		text_size(bytes, out);
}

static void coded(const uint8_t *data, size_t size)
{
	char *code = text_base64(data, size), *hex = malloc(2 * size + 1), *text;
	uint8_t *back, *raw = malloc(size + 1);
	size_t n = 0;

	MUST(code && hex && raw);
	back = text_unbase64_bytes(code, &n);
	MUST(back && n == size && (n == 0 || memcmp(back, data, n) == 0));
	text_hex(data, size, hex);
	MUST(text_unhex(hex, raw, size) == 0 && (size == 0 || memcmp(raw, data, size) == 0));
	free(back);
	memcpy(raw, data, size);
	raw[size] = '\0';
	back = text_unbase64_bytes((char *)raw, &n);
	text = back ? text_base64(back, n) : NULL;
	if (text)	/* one form for the same bytes */
		MUST(strcmp(text, (char *)raw) == 0);
	free(text);
	free(back);
	free(text_unbase64((char *)raw));
	free(raw);
	free(hex);
	free(code);
}

static void printable(const uint8_t *data, size_t size)
{
	char *whole = text_printable_dup(data, size);
	const char *some = text_printable_n(data, size);

	MUST(whole && text_is_utf8(whole, strlen(whole)) && text_is_utf8(some, strlen(some)));
	for (const char *c = whole; *c; c++)
		MUST((unsigned char)*c >= 0x20 && *c != 0x7f);
	for (const char *c = some; *c; c++)
		MUST((unsigned char)*c >= 0x20 && *c != 0x7f);
	free(whole);
}

static void zone(const uint8_t *data, size_t size)
{
	static const int64_t some[] = { 0, 1700000000, -1, INT64_MAX, INT64_MIN, 4102444800 };
	struct zone *z = NULL;
	struct err e = ERR_NONE;

	if (zone_parse(data, size, "Fuzz/Town", &z, &e) < 0) {
		/* MUNI_USAGE: it counts leap seconds. */
		MUST(z == NULL && (e.code == MUNI_DAMAGED || e.code == MUNI_USAGE) && *e.text);
		return;
	}
	for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
		struct civil day = zone_date(z, some[i]);

		MUST(day.month >= 1 && day.month <= 12 && day.day >= 1 && day.day <= 31);
		MUST(zone_offset(z, some[i]) > -200000 && zone_offset(z, some[i]) < 200000);
		zone_start_of_day(z, day);
	}
	zone_close(z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *all, *text[TEXTS];

	if (size == 0)
		return 0;
	all = calloc(1, size + TEXTS);
	MUST(all);
	memcpy(all, data + 1, size - 1);
	text[0] = all;
	for (int i = 1; i < TEXTS; i++) {
		text[i] = text[i - 1] + strlen(text[i - 1]) + 1;
		if (text[i] > all + size)
			text[i] = all + size;
	}
	switch (data[0] % 6) {
	case 0:
		globs(text);
		break;
	case 1:
		expression(text);
		break;
	case 2:
		dates(text);
		break;
	case 3:
		coded(data + 1, size - 1);
		break;
	case 4:
		printable(data + 1, size - 1);
		break;
	default:
		zone(data + 1, size - 1);
	}
	free(all);
	return 0;
}
