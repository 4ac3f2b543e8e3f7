#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fs/base/err.h"
#include "policy/detect/detect.h"

/* Custom recognisers of these tests: what they find does not hang on our tables. */
static char *serial_words[] = { "serial number", "工号", NULL };
static const struct custom_recogniser custom[] = {
	{ .id = "x-serial", .pattern = "\\bQZ[0-9]{4,12}\\b", .context = serial_words,
	  .alone = 50, .in_context = 90, .sensitivity = SENSITIVITY_INTERNAL },
	{ .id = "x-chinese", .pattern = "项目[甲乙丙][0-9]{3}", .alone = 80 },
	{ .id = "x-luhn", .pattern = "LUHN[0-9]{8,16}", .alone = 80, .check = NULL },
	{ .id = "x-shy", .pattern = "shy-[a-z]{6}", .context = serial_words, .in_context = 70 },
	{ .id = "x-long", .pattern = "<<[a-z ]{0,1900}>>", .alone = 70 },
};
#define CUSTOM (sizeof custom / sizeof custom[0])

struct fixture {
	struct recognisers *set;
	struct detector *detector;
};

static int set_up(void **state)
{
	static struct fixture f;
	struct err e = ERR_NONE;

	if (recognisers_new(custom, CUSTOM, &f.set, &e) < 0 ||
	    detector_new(f.set, &f.detector, &e) < 0) {
		print_error("%s\n", e.text);
		return -1;
	}
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	detector_free(f->detector);
	recognisers_free(f->set);
	return 0;
}

static void feed(struct detector *d, const char *text, size_t size, const struct passage *passage)
{
	struct err e = ERR_NONE;

	detector_reset(d);
	detector_begin(d, passage);
	assert_int_equal(detector_feed(d, text, size, &e), 0);
	assert_int_equal(detector_end(d, &e), 0);
}

static const struct finding *finding_of(struct detector *d, const char *id)
{
	size_t count;
	const struct finding *f = detector_findings(d, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(f[i].id, id) == 0)
			return &f[i];
	return NULL;
}

static uint64_t count_of(struct detector *d, const char *id)
{
	const struct finding *f = finding_of(d, id);

	return f ? f->count : 0;
}

static uint64_t count_in(struct detector *d, const char *id, const char *text)
{
	feed(d, text, strlen(text), NULL);
	return count_of(d, id);
}

/* ---- counting ---------------------------------------------------------------------------- */

static void a_value_is_counted_once_whatever_its_prefixes_match(void **state)
{
	struct detector *d = ((struct fixture *)*state)->detector;

	assert_int_equal(count_in(d, "x-luhn", "LUHN1234567890123456"), 1);
	assert_string_equal(finding_of(d, "x-luhn")->samples[0].text, "LU****************56");
	assert_int_equal(count_in(d, "x-serial", "QZ1234, QZ12345; QZ999"), 2);
	assert_int_equal(count_in(d, "payment-card", "4111 1111 1111 1111"), 1);
	assert_int_equal(count_in(d, "x-serial", ""), 0);
	assert_int_equal(count_in(d, "x-chinese", "见项目乙123和项目丁123、项目甲456"), 2);
}

static void samples_tell_where_the_first_values_stand(void **state)
{
	struct detector *d = ((struct fixture *)*state)->detector;
	const struct finding *f;

	assert_int_equal(count_in(d, "x-serial", "QZ1111 QZ2222 工 QZ3333 QZ4444"), 4);
	f = finding_of(d, "x-serial");
	assert_int_equal(f->sample_count, SAMPLES_MAX);
	assert_int_equal(f->samples[0].offset, 0);
	assert_int_equal(f->samples[1].offset, 7);
	assert_int_equal(f->samples[2].offset, 18);
	assert_string_equal(f->samples[2].where, "");
	assert_string_equal(f->where, "");
	assert_int_equal(f->sensitivity, SENSITIVITY_INTERNAL);
}

static void findings_stand_in_the_order_of_the_table(void **state)
{
	struct fixture *f = *state;
	const struct finding *found;
	size_t count;

	feed(f->detector, "x LUHN12345678 QZ4444 4111111111111111", 38, NULL);
	found = detector_findings(f->detector, &count);
	assert_int_equal(count, 3);
	assert_string_equal(found[0].id, "payment-card");
	assert_string_equal(found[1].id, "x-serial");
	assert_string_equal(found[2].id, "x-luhn");
}

/* ---- context ----------------------------------------------------------------------------- */

static unsigned confidence_in(struct detector *d, const char *text)
{
	feed(d, text, strlen(text), NULL);
	return finding_of(d, "x-serial") ? finding_of(d, "x-serial")->confidence : 0;
}

static void a_word_near_a_value_raises_its_confidence(void **state)
{
	struct detector *d = ((struct fixture *)*state)->detector;
	static const char *const near[] = { "serial number QZ1234", "Serial_Number=QZ1234",
		"serialNumber: QZ1234", "SERIAL-NUMBER\nQZ1234", "serial numbers QZ1234",
		"QZ1234 is the serial number", "mySerialNumber QZ1234", "我的工号是QZ1234",
		"serial number\x1fQZ1234" };
	static const char *const far[] = { "QZ1234", "aserial number QZ1234",
		"serial numbered QZ1234", "serial  number QZ1234", "serial number\n\nQZ1234",
		"serial number\n \r\n QZ1234", "serial number\nx\nQZ1234", "QZ1234\nserial number",
		"serial number\x1eQZ1234", "\xc3\xa9serial number QZ1234" };
	char text[256];

	for (size_t i = 0; i < sizeof near / sizeof near[0]; i++)
		assert_int_equal(confidence_in(d, near[i]), 90);
	for (size_t i = 0; i < sizeof far / sizeof far[0]; i++)
		assert_int_equal(confidence_in(d, far[i]), 50);
	snprintf(text, sizeof text, "serial number%*sQZ1234", 86, "");
	assert_int_equal(confidence_in(d, text), 90);
	snprintf(text, sizeof text, "serial number%*sQZ1234", 90, "");
	assert_int_equal(confidence_in(d, text), 50);
}

static void a_value_that_counts_in_context_only_needs_it(void **state)
{
	struct detector *d = ((struct fixture *)*state)->detector;

	assert_int_equal(count_in(d, "x-shy", "shy-abcdef"), 0);
	assert_int_equal(count_in(d, "x-shy", "serial number: shy-abcdef"), 1);
}

static const char *label_of(void *arg, uint64_t offset, struct passage_cursor *cursor)
{
	(void)cursor;
	(void)arg;
	return offset < 10 ? NULL : "Serial_Number";
}

static void place_of(void *arg, uint64_t offset, char out[SAMPLE_WHERE_MAX])
{
	(void)arg;
	snprintf(out, SAMPLE_WHERE_MAX, "cell %u", (unsigned)(offset / 10));
}

static uint64_t told_of(void *arg, uint64_t offset)
{
	(void)arg;
	return offset + 1000;
}

static void the_passage_tells_label_place_and_offset(void **state)
{
	struct detector *d = ((struct fixture *)*state)->detector;
	const struct passage passage = { .label = label_of, .place = place_of, .told = told_of };
	const char *text = "shy-abcde\x1fshy-abcdef QZ12 shy-abcdefx\x1f shy-abcdef";
	const struct finding *f;

	feed(d, text, strlen(text), &passage);
	f = finding_of(d, "x-shy");
	assert_non_null(f);
	assert_int_equal(f->count, 3);
	assert_int_equal(f->samples[0].offset, 1010);
	assert_string_equal(f->samples[0].where, "cell 1");
	assert_string_equal(f->where, "cell 1; cell 2; cell 3");
}

static void no_value_spans_cells(void **state)
{
	struct detector *d = ((struct fixture *)*state)->detector;

	assert_int_equal(count_in(d, "x-long", "<<abc>>"), 1);
	assert_int_equal(count_in(d, "payment-card", "4111\x1f""1111\x1f""1111\x1f""1111"), 0);
	assert_int_equal(count_in(d, "payment-card", "1234\x1f""4111 1111 1111 1111\x1f""5678"), 1);
}

/* ---- pieces and windows ------------------------------------------------------------------- */

static uint32_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)random_state * limit >> 32);
}

static const char *const values[] = { "4111 1111 1111 1111", "QZ1234567", "LUHN4111111111111111",
	"项目乙123", "<<abc def>>", "shy-abcdef", "serial number", "GB29 NWBK 6016 1331 9268 19",
	"11010519491231002X", "工号", "\n\n", "\x1e", "\x1f", "\xff", "\xe5\xb7", "\xf0\x9f\x98\x80" };

/* Values and noise; where = 0: values alone. */
static size_t make_text(char *text, size_t size, unsigned noise)
{
	size_t used = 0;

	while (used + 64 < size) {
		if (random_below(noise + 1) == 0) {
			const char *v = values[random_below(sizeof values / sizeof values[0])];

			memcpy(text + used, v, strlen(v));
			used += strlen(v);
		}
		text[used++] = " ,.;x0é\n"[random_below(9)];
	}
	return used;
}

struct copy {
	struct finding f[64];
	size_t count;
};

static void copy_findings(struct detector *d, struct copy *out)
{
	const struct finding *f = detector_findings(d, &out->count);

	assert_true(out->count <= 64);
	memcpy(out->f, f, out->count * sizeof *f);
}

static void pieces_change_nothing(void **state)
{
	struct detector *d = ((struct fixture *)*state)->detector;
	size_t room = 300000;
	char *text = malloc(room);
	struct copy whole, pieces;
	struct err e = ERR_NONE;

	assert_non_null(text);
	for (uint32_t round = 1; round <= 60; round++) {
		size_t size;
		uint32_t most;

		random_state = round;
		size = make_text(text, 1000 + random_below((uint32_t)room - 1000),
				 random_below(200));
		most = 1 + random_below(random_below(2) ? 40 : 100000);

		feed(d, text, size, NULL);
		copy_findings(d, &whole);
		detector_reset(d);
		detector_begin(d, NULL);
		for (size_t at = 0, take; at < size; at += take) {
			take = 1 + random_below(most);
			take = take < size - at ? take : size - at;
			assert_int_equal(detector_feed(d, text + at, take, &e), 0);
		}
		assert_int_equal(detector_end(d, &e), 0);
		copy_findings(d, &pieces);
		assert_int_equal(whole.count, pieces.count);
		assert_memory_equal(whole.f, pieces.f, whole.count * sizeof whole.f[0]);
	}
	free(text);
}

/* A value at every place around the end of a window. */
static void a_value_across_windows_is_counted_once(void **state)
{
	struct detector *d = ((struct fixture *)*state)->detector;
	static const char *const v[] = { "4111 1111 1111 1111", "QZ1234567", "项目乙123" };
	static const char *const id[] = { "payment-card", "x-serial", "x-chinese" };
	size_t size = 200000;
	char *text = malloc(size);
	char longest[2048];

	assert_non_null(text);
	for (size_t at = 48000; at < 70000; at += at % 7 == 0 ? 1 : 3) {
		size_t which = at % 3;

		memset(text, '.', size);
		memcpy(text + at, v[which], strlen(v[which]));
		feed(d, text, size, NULL);
		assert_int_equal(count_of(d, id[which]), 1);
		assert_int_equal(finding_of(d, id[which])->samples[0].offset, at);
	}
	memset(longest, 'a', sizeof longest);
	memcpy(longest, "<<", 2);
	memcpy(longest + 1850, ">>", 2);
	for (size_t at = 40000; at < 70000; at += 311) {
		memset(text, '.', size);
		memcpy(text + at, longest, 1852);
		feed(d, text, size, NULL);
		assert_int_equal(count_of(d, "x-long"), 1);
		assert_int_equal(finding_of(d, "x-long")->samples[0].offset, at);
	}
	free(text);
}

static void many_values_in_a_long_line_are_all_counted(void **state)
{
	struct detector *d = ((struct fixture *)*state)->detector;
	static const char line[] = "QZ12345 项目甲456 4111111111111111,";
	struct err e = ERR_NONE;

	detector_reset(d);
	detector_begin(d, NULL);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(detector_feed(d, line, strlen(line), &e), 0);
	assert_int_equal(detector_end(d, &e), 0);
	assert_int_equal(count_of(d, "x-serial"), 100000);
	assert_int_equal(count_of(d, "x-chinese"), 100000);
	assert_int_equal(count_of(d, "payment-card"), 100000);
}

/* ---- custom recognisers -------------------------------------------------------------------- */

static void assert_refused(const struct custom_recogniser *c, size_t count, const char *says)
{
	struct recognisers *r;
	struct err e = ERR_NONE;

	assert_int_equal(recognisers_new(c, count, &r, &e), -1);
	assert_null(r);
	assert_int_equal(e.code, MUNI_USAGE);
	assert_non_null(strstr(e.text, says));
}

static void a_custom_recogniser_that_cannot_be_is_refused_by_name(void **state)
{
	struct custom_recogniser c = { .id = "mine", .pattern = "a(b", .alone = 50 }, two[2];

	(void)state;
	assert_refused(&c, 1, "\"mine\"");
	c.pattern = "x*";
	assert_refused(&c, 1, "\"mine\"");
	c.pattern = "(a)\\1";
	assert_refused(&c, 1, "\"mine\"");
	c.pattern = "abc";
	c.check = "crc32";
	assert_refused(&c, 1, "luhn");
	c.check = NULL;
	c.alone = 101;
	assert_refused(&c, 1, "percentage");
	c.alone = 0;
	assert_refused(&c, 1, "context");
	c.alone = 5;
	c.id = "iban";
	assert_refused(&c, 1, "built-in");
	c.id = "mine";
	two[0] = two[1] = c;
	assert_refused(two, 2, "twice");
}

static void a_check_by_name_is_applied(void **state)
{
	static const struct { const char *check, *right, *wrong; } cases[] = {
		{ "luhn", "79927398713", "79927398714" },
		{ "mod97", "GB29NWBK60161331926819", "GB28NWBK60161331926819" },
		{ "verhoeff", "1428570", "1428571" },
		{ "mod11-2", "0000000218250097", "0000000218250098" },
		{ "mod11-10", "86095742719", "86095742718" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct custom_recogniser c = { .id = "mine", .pattern = "\\b[0-9A-Z]{7,30}\\b",
					       .check = (char *)cases[i].check, .alone = 99 };
		struct recognisers *r;
		struct detector *d;
		struct err e = ERR_NONE;

		assert_int_equal(recognisers_new(&c, 1, &r, &e), 0);
		assert_int_equal(detector_new(r, &d, &e), 0);
		feed(d, cases[i].right, strlen(cases[i].right), NULL);
		assert_int_equal(count_of(d, "mine") +
				 (i == 1 ? count_of(d, "iban") : 0) +
				 (i == 4 ? count_of(d, "de-tax-id") : 0), 1);
		feed(d, cases[i].wrong, strlen(cases[i].wrong), NULL);
		assert_int_equal(count_of(d, "mine"), 0);
		detector_free(d);
		recognisers_free(r);
	}
}

static void the_fingerprint_follows_every_change(void **state)
{
	struct custom_recogniser c = custom[0];
	uint64_t none = recognisers_fingerprint(NULL, 0), one = recognisers_fingerprint(&c, 1);

	(void)state;
	assert_int_equal(none, recognisers_fingerprint(NULL, 0));
	assert_true(none != one);
	c.pattern = "QZ[0-9]{5}";
	assert_true(one != recognisers_fingerprint(&c, 1));
	c = custom[0];
	c.alone++;
	assert_true(one != recognisers_fingerprint(&c, 1));
	c = custom[0];
	c.context = NULL;
	assert_true(one != recognisers_fingerprint(&c, 1));
}

static void the_table_is_whole(void **state)
{
	const struct recogniser *r;
	size_t count = 0;

	(void)state;
	for (; (r = recogniser_builtin(count)) != NULL; count++) {
		assert_ptr_equal(recogniser_find(r->id), r);
		assert_true(strlen(r->id) < FINDING_ID_MAX);
		assert_true(r->pictures || r->patterns);
		assert_non_null(r->check);
		assert_true(r->min_size > 0 && r->min_size <= r->max_size && r->max_size <= 2048);
		assert_true(r->alone <= r->in_context && r->in_context <= 100);
	}
	assert_true(count > 0);
	assert_null(recogniser_find("no-such-thing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_counted_once_whatever_its_prefixes_match),
		cmocka_unit_test(samples_tell_where_the_first_values_stand),
		cmocka_unit_test(findings_stand_in_the_order_of_the_table),
		cmocka_unit_test(a_word_near_a_value_raises_its_confidence),
		cmocka_unit_test(a_value_that_counts_in_context_only_needs_it),
		cmocka_unit_test(the_passage_tells_label_place_and_offset),
		cmocka_unit_test(no_value_spans_cells),
		cmocka_unit_test(pieces_change_nothing),
		cmocka_unit_test(a_value_across_windows_is_counted_once),
		cmocka_unit_test(many_values_in_a_long_line_are_all_counted),
		cmocka_unit_test(a_custom_recogniser_that_cannot_be_is_refused_by_name),
		cmocka_unit_test(a_check_by_name_is_applied),
		cmocka_unit_test(the_fingerprint_follows_every_change),
		cmocka_unit_test(the_table_is_whole),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
