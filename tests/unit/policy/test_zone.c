#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/period.h"

/* ---- TZif files made here, so that the tests need no tzdata ------------------------------ */

struct tzif {
	uint8_t bytes[4096];
	size_t size;
};

static void put(struct tzif *t, int64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		t->bytes[t->size++] = (uint8_t)((uint64_t)v >> 8 * (size - 1 - i));
}

static void put_head(struct tzif *t, char version, size_t times, size_t types)
{
	memcpy(t->bytes + t->size, "TZif", 4);
	t->size += 4;
	t->bytes[t->size++] = (uint8_t)version;
	memset(t->bytes + t->size, 0, 15);
	t->size += 15;
	put(t, 0, 4);		/* UT indicators */
	put(t, 0, 4);		/* standard indicators */
	put(t, 0, 4);		/* leap seconds */
	put(t, (int64_t)times, 4);
	put(t, (int64_t)types, 4);
	put(t, 4, 4);		/* characters */
}

struct change {
	int64_t at;
	uint8_t type;
};

/* A version 2 file: an empty block of version 1, the changes, the footer. */
static void make(struct tzif *t, const struct change *changes, size_t count,
		 const int32_t *offsets, size_t types, const char *footer)
{
	t->size = 0;
	put_head(t, '2', 0, 1);
	put(t, 0, 4);
	put(t, 0, 2);
	put(t, 0x58585800, 4);
	put_head(t, '2', count, types);
	for (size_t i = 0; i < count; i++)
		put(t, changes[i].at, 8);
	for (size_t i = 0; i < count; i++)
		put(t, changes[i].type, 1);
	for (size_t i = 0; i < types; i++) {
		put(t, offsets[i], 4);
		put(t, 0, 2);
	}
	put(t, 0x58585800, 4);
	t->bytes[t->size++] = '\n';
	memcpy(t->bytes + t->size, footer, strlen(footer));
	t->size += strlen(footer);
	t->bytes[t->size++] = '\n';
}

static struct zone *parse(const struct tzif *t)
{
	struct err e = ERR_NONE;
	struct zone *z = NULL;

	if (zone_parse(t->bytes, t->size, "Test/Zone", &z, &e) < 0)
		fail_msg("%s", e.text);
	return z;
}

/* Berlin's rule alone. */
static struct zone *berlin(void)
{
	static const int32_t offsets[] = { 3600 };
	struct tzif t;

	make(&t, NULL, 0, offsets, 1, "CET-1CEST,M3.5.0,M10.5.0/3");
	return parse(&t);
}

static int64_t second(const char *text)
{
	int64_t s;

	assert_int_equal(text_parse_time(text, false, &s), 0);
	return s;
}

static void assert_date(const struct zone *z, const char *when, const char *expected)
{
	char text[16];

	civil_text(zone_date(z, second(when)), text);
	assert_string_equal(text, expected);
}

static int64_t start(const struct zone *z, const char *day)
{
	struct civil c;

	assert_int_equal(civil_parse(day, &c), 0);
	return zone_start_of_day(z, c);
}

/* ---- UTC ------------------------------------------------------------------------------------- */

static void utc_needs_no_file(void **state)
{
	struct err e = ERR_NONE;
	struct zone *z;

	(void)state;
	assert_int_equal(zone_open("UTC", &z, &e), 0);
	assert_date(z, "1969-12-31T23:59:59Z", "1969-12-31");
	assert_date(z, "1970-01-01T00:00:00Z", "1970-01-01");
	assert_date(z, "2100-02-28T23:59:59Z", "2100-02-28");
	assert_int_equal(start(z, "1901-01-01"), second("1901-01-01T00:00:00Z"));
	assert_int_equal(zone_offset(z, 0), 0);
	zone_close(z);
	zone_close(NULL);
}

static void seconds_out_of_all_reason_stay_dates(void **state)
{
	struct zone *z = berlin();

	(void)state;
	assert_true(zone_date(z, INT64_MAX).year > 100000);
	assert_true(zone_date(z, INT64_MIN).year < -100000);
	zone_start_of_day(z, (struct civil){ INT32_MAX, 12, 31 });
	zone_start_of_day(z, (struct civil){ INT32_MIN, 1, 1 });
	zone_close(z);
}

/* ---- rules ------------------------------------------------------------------------------------- */

static void the_footers_rule_holds_in_every_later_year(void **state)
{
	struct zone *z = berlin();

	(void)state;
	assert_int_equal(zone_offset(z, second("2024-01-15T00:00:00Z")), 3600);
	assert_int_equal(zone_offset(z, second("2024-07-15T00:00:00Z")), 7200);
	/* 2024-03-31 01:00 UTC and 2024-10-27 01:00 UTC are the changes. */
	assert_int_equal(zone_offset(z, second("2024-03-31T00:59:59Z")), 3600);
	assert_int_equal(zone_offset(z, second("2024-03-31T01:00:00Z")), 7200);
	assert_int_equal(zone_offset(z, second("2024-10-27T00:59:59Z")), 7200);
	assert_int_equal(zone_offset(z, second("2024-10-27T01:00:00Z")), 3600);
	/* After 2037, where old tables end, and after what is written out. */
	assert_int_equal(zone_offset(z, second("2050-03-27T00:59:59Z")), 3600);
	assert_int_equal(zone_offset(z, second("2050-03-27T01:00:00Z")), 7200);
	for (int64_t k = 1; k < 12; k++) {
		const int64_t cycle = 146097ll * 86400;

		assert_int_equal(zone_offset(z, second("2024-03-31T00:59:59Z") + k * cycle), 3600);
		assert_int_equal(zone_offset(z, second("2024-03-31T01:00:00Z") + k * cycle), 7200);
	}
	assert_date(z, "2024-07-15T22:00:00Z", "2024-07-16");
	assert_date(z, "2024-01-15T22:59:59Z", "2024-01-15");
	assert_date(z, "2024-01-15T23:00:00Z", "2024-01-16");
	assert_date(z, "2824-07-15T22:00:00Z", "2824-07-16");
	zone_close(z);
}

static void a_day_begins_at_its_first_second(void **state)
{
	struct zone *z = berlin();

	(void)state;
	assert_int_equal(start(z, "2024-01-15"), second("2024-01-14T23:00:00Z"));
	assert_int_equal(start(z, "2024-07-15"), second("2024-07-14T22:00:00Z"));
	assert_int_equal(start(z, "2024-03-31"), second("2024-03-30T23:00:00Z"));
	assert_int_equal(start(z, "2024-04-01"), second("2024-03-31T22:00:00Z"));
	assert_int_equal(start(z, "2824-07-15"), second("2824-07-14T22:00:00Z"));
	for (int64_t day = -40000; day < 400000; day += 37) {
		struct civil c = civil_of_day(day);
		int64_t s = zone_start_of_day(z, c);

		assert_int_equal(civil_compare(zone_date(z, s), c), 0);
		assert_int_equal(civil_compare(zone_date(z, s - 1), c), -1);
	}
	zone_close(z);
}

static void other_forms_of_rules_are_understood(void **state)
{
	static const struct { const char *footer, *when; int32_t offset; } cases[] = {
		{ "CST-8", "2024-07-01T00:00:00Z", 8 * 3600 },
		{ "<+0545>-5:45", "2024-07-01T00:00:00Z", 20700 },
		{ "<-03>3", "2024-07-01T00:00:00Z", -10800 },
		{ "EST5EDT,M3.2.0,M11.1.0", "2024-03-10T06:59:59Z", -18000 },
		{ "EST5EDT,M3.2.0,M11.1.0", "2024-03-10T07:00:00Z", -14400 },
		/* The south: summer begins late in the year. */
		{ "AEST-10AEDT,M10.1.0,M4.1.0/3", "2024-01-01T00:00:00Z", 39600 },
		{ "AEST-10AEDT,M10.1.0,M4.1.0/3", "2024-07-01T00:00:00Z", 36000 },
		/* J60 is 1 March, in leap years too; 59 is 29 February in them. */
		{ "AAA0BBB,J60/0,J300/0", "2024-02-29T23:59:59Z", 0 },
		{ "AAA0BBB,J60/0,J300/0", "2024-03-01T00:00:00Z", 3600 },
		{ "AAA0BBB,59/0,300/0", "2024-02-29T00:00:00Z", 3600 },
		{ "AAA0BBB,59/0,300/0", "2023-02-28T23:59:59Z", 0 },
		{ "AAA0BBB,59/0,300/0", "2023-03-01T00:00:00Z", 3600 },
		/* Times before midnight and after the next (Greenland, Godthab). */
		{ "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2024-03-31T00:59:59Z", -7200 },
		{ "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2024-03-31T01:00:00Z", -3600 },
		/* Ireland's winter is its summer time, an hour back. */
		{ "IST-1GMT0,M10.5.0,M3.5.0/1", "2024-01-01T00:00:00Z", 0 },
		{ "IST-1GMT0,M10.5.0,M3.5.0/1", "2024-07-01T00:00:00Z", 3600 },
		/* Summer time all year (RFC 9636, section 3.3.2). */
		{ "XXX3EDT4,0/0,J365/23", "2024-01-01T00:00:00Z", -14400 },
		{ "XXX3EDT4,0/0,J365/23", "2024-12-31T12:00:00Z", -14400 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		static const int32_t offsets[] = { 0 };
		struct tzif t;
		struct zone *z;

		make(&t, NULL, 0, offsets, 1, cases[i].footer);
		z = parse(&t);
		if (zone_offset(z, second(cases[i].when)) != cases[i].offset)
			fail_msg("%s at %s: %d", cases[i].footer, cases[i].when,
				 zone_offset(z, second(cases[i].when)));
		zone_close(z);
	}
}

/* ---- transitions ----------------------------------------------------------------------------------- */

static void transitions_count_from_their_second_on(void **state)
{
	static const struct change changes[] = { { -1000000000, 1 }, { 500000000, 2 } };
	static const int32_t offsets[] = { 29143, 28800, 32400 };
	struct tzif t;
	struct zone *z;

	(void)state;
	make(&t, changes, 2, offsets, 3, "");
	z = parse(&t);
	assert_int_equal(zone_offset(z, -1000000001), 29143);
	assert_int_equal(zone_offset(z, -1000000000), 28800);
	assert_int_equal(zone_offset(z, 499999999), 28800);
	assert_int_equal(zone_offset(z, 500000000), 32400);
	assert_int_equal(zone_offset(z, INT64_MAX), 32400);
	zone_close(z);
}

/* As Samoa did on 30 December 2011: from -10 h to +14 h at midnight. */
static void a_day_that_was_left_out_begins_with_the_next(void **state)
{
	int64_t at = second("2011-12-30T10:00:00Z");
	const struct change changes[] = { { at, 1 } };
	static const int32_t offsets[] = { -36000, 50400 };
	struct tzif t;
	struct zone *z;

	(void)state;
	make(&t, changes, 1, offsets, 2, "");
	z = parse(&t);
	assert_date(z, "2011-12-30T09:59:59Z", "2011-12-29");
	assert_date(z, "2011-12-30T10:00:00Z", "2011-12-31");
	assert_int_equal(start(z, "2011-12-30"), at);
	assert_int_equal(start(z, "2011-12-31"), at);
	assert_int_equal(start(z, "2011-12-29"), second("2011-12-29T10:00:00Z"));
	zone_close(z);
}

/* ---- what is no zone ---------------------------------------------------------------------------------- */

static void a_damaged_file_is_refused_at_every_length_and_bit(void **state)
{
	static const struct change changes[] = { { -1000000000, 1 }, { 500000000, 0 } };
	static const int32_t offsets[] = { 3600, 7200 };
	struct tzif good;

	(void)state;
	make(&good, changes, 2, offsets, 2, "CET-1CEST,M3.5.0,M10.5.0/3");
	for (size_t size = 0; size < good.size; size++) {
		struct err e = ERR_NONE;
		uint8_t *exact = malloc(size > 0 ? size : 1);
		struct zone *z;

		memcpy(exact, good.bytes, size);
		assert_int_equal(zone_parse(exact, size, "Test/Zone", &z, &e), -1);
		assert_null(z);
		assert_int_equal(e.code, MUNI_DAMAGED);
		free(exact);
	}
	for (size_t bit = 0; bit < 8 * good.size; bit++) {
		struct err e = ERR_NONE;
		uint8_t *copy = malloc(good.size);
		struct zone *z;

		memcpy(copy, good.bytes, good.size);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (zone_parse(copy, good.size, "Test/Zone", &z, &e) == 0) {
			zone_date(z, 0);
			zone_start_of_day(z, (struct civil){ 2100, 2, 28 });
			zone_close(z);
		}
		free(copy);
	}
}

static void a_footer_that_is_no_rule_is_refused(void **state)
{
	static const char *const wrong[] = { "C", "CET", "CET-1CEST", "CET-1CEST,M3.5.0",
					     "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
					     "CET-1CEST,M3.5.7,M10.5.0", "CET-25", "CET-1CEST,J0,J1",
					     "CET-1CEST,366,1", "CET-1CEST,M3.5.0/168,M10.5.0",
					     "<CET-1", "CET-1x", "CET-1CEST,M3.5.0,M10.5.0x" };

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		static const int32_t offsets[] = { 0 };
		struct err e = ERR_NONE;
		struct tzif t;
		struct zone *z;

		make(&t, NULL, 0, offsets, 1, wrong[i]);
		assert_int_equal(zone_parse(t.bytes, t.size, "Test/Zone", &z, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
	}
}

static void names_that_lead_out_or_are_none_are_refused(void **state)
{
	static const char *const wrong[] = { "", "/etc/passwd", "../../etc/passwd", "Europe/../UTC",
					     "Europe//Berlin", "Europe/", "Asia/Shang hai", "亚洲",
					     "Nowhere/Atlantis", "Europe" };

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct err e = ERR_NONE;
		struct zone *z;

		assert_int_equal(zone_open(wrong[i], &z, &e), -1);
		assert_null(z);
		assert_int_equal(e.code, MUNI_USAGE);
		assert_non_null(strstr(e.text, "expected"));
	}
}

/* Where the system has the database: what it says is known from history. */
static void the_systems_zones_know_their_history(void **state)
{
	static const struct { const char *zone, *when; int32_t offset; } cases[] = {
		{ "Asia/Shanghai", "2024-07-01T00:00:00Z", 28800 },
		{ "Asia/Shanghai", "1988-07-01T00:00:00Z", 32400 },
		{ "Europe/Berlin", "1945-06-15T00:00:00Z", 10800 },
		{ "America/New_York", "2060-07-01T00:00:00Z", -14400 },
		{ "Asia/Kathmandu", "2024-07-01T00:00:00Z", 20700 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err e = ERR_NONE;
		struct zone *z;

		if (zone_open(cases[i].zone, &z, &e) < 0) {
			print_message("no tzdata here: %s\n", e.text);
			skip();
		}
		assert_int_equal(zone_offset(z, second(cases[i].when)), cases[i].offset);
		zone_close(z);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utc_needs_no_file),
		cmocka_unit_test(seconds_out_of_all_reason_stay_dates),
		cmocka_unit_test(the_footers_rule_holds_in_every_later_year),
		cmocka_unit_test(a_day_begins_at_its_first_second),
		cmocka_unit_test(other_forms_of_rules_are_understood),
		cmocka_unit_test(transitions_count_from_their_second_on),
		cmocka_unit_test(a_day_that_was_left_out_begins_with_the_next),
		cmocka_unit_test(a_damaged_file_is_refused_at_every_length_and_bit),
		cmocka_unit_test(a_footer_that_is_no_rule_is_refused),
		cmocka_unit_test(names_that_lead_out_or_are_none_are_refused),
		cmocka_unit_test(the_systems_zones_know_their_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
