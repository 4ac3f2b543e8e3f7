#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "policy/period.h"

static struct period period(const char *text)
{
	struct err e = ERR_NONE;
	struct period p;

	assert_int_equal(period_parse(text, &p, &e), 0);
	return p;
}

static struct civil date(const char *text)
{
	struct civil c;

	assert_int_equal(civil_parse(text, &c), 0);
	return c;
}

static void assert_date(struct civil c, const char *expected)
{
	char text[16];

	civil_text(c, text);
	assert_string_equal(text, expected);
}

static void periods_are_read_and_written_back(void **state)
{
	static const char *const same[] = { "P30Y", "P6M", "P1Y6M", "P10D", "P1Y2M3D",
					    "forever", "P0D", "P100000Y" };
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		struct period p = period(same[i]);

		period_text(&p, text);
		assert_string_equal(text, same[i]);
	}
	struct period p = period("P2W");
	assert_int_equal(p.days, 14);
	p = period("P1W3D");
	assert_int_equal(p.days, 10);
}

static void what_is_no_period_is_refused_with_what_was_expected(void **state)
{
	static const char *const wrong[] = { "", "P", "30Y", "P30", "PY", "P1D1Y", "P1Y1Y",
					     "P-1Y", "P1.5Y", "PT1H", "P1YT1H", "p30y", "P30y",
					     "P100001Y", "P99999999999999999999Y", "Forever",
					     "P1Y ", " P1Y", "P1H" };

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct err e = ERR_NONE;
		struct period p;

		assert_int_equal(period_parse(wrong[i], &p, &e), -1);
		assert_int_equal(e.code, MUNI_USAGE);
		assert_non_null(strstr(e.text, "expected"));
	}
}

static void a_longer_period_compares_greater(void **state)
{
	static const char *const rising[] = { "P0D", "P1D", "P2W", "P30D", "P1M", "P31D", "P12M",
					      "P366D", "P10Y", "P30Y", "forever" };

	(void)state;
	for (size_t i = 0; i < sizeof rising / sizeof *rising; i++)
		for (size_t j = 0; j < sizeof rising / sizeof *rising; j++) {
			struct period a = period(rising[i]), b = period(rising[j]);

			assert_int_equal(period_compare(&a, &b), i < j ? -1 : i > j);
		}
	struct period year = period("P1Y"), months = period("P12M");
	assert_int_equal(period_compare(&year, &months), 0);
}

static void a_day_that_its_month_lacks_becomes_the_months_last(void **state)
{
	static const struct { const char *from, *period, *then; } cases[] = {
		{ "2024-02-29", "P1Y", "2025-02-28" },
		{ "2024-02-29", "P30Y", "2054-02-28" },
		{ "2024-02-29", "P4Y", "2028-02-29" },
		{ "1896-02-29", "P4Y", "1900-02-28" },
		{ "1996-02-29", "P4Y", "2000-02-29" },
		{ "2021-01-31", "P1M", "2021-02-28" },
		{ "2021-08-31", "P6M", "2022-02-28" },
		{ "2021-12-15", "P1M", "2022-01-15" },
		{ "2021-01-31", "P1M1D", "2021-03-01" },
		{ "2021-12-31", "P2W", "2022-01-14" },
		{ "1960-05-01", "P120Y", "2080-05-01" },
		{ "0001-01-01", "P1D", "0001-01-02" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct period p = period(cases[i].period);

		assert_date(civil_add(date(cases[i].from), &p), cases[i].then);
	}
	struct period p = period("P1Y1M1D");
	assert_date(civil_subtract(date("2024-03-31"), &p), "2023-02-27");
	p = period("P1D");
	assert_date(civil_subtract(date("1970-01-01"), &p), "1969-12-31");
}

static void for_ever_is_later_than_any_date(void **state)
{
	struct period p = period("forever");

	(void)state;
	assert_int_equal(civil_compare(civil_add(date("9999-12-31"), &p), date("9999-12-31")), 1);
	p = period("P100000Y100000M100000D");
	assert_int_equal(civil_compare(civil_add(date("9999-12-31"), &p), date("9999-12-31")), 1);
}

static void days_and_dates_are_one_to_one(void **state)
{
	struct civil before = civil_of_day(-1000000);

	(void)state;
	for (int64_t day = -1000000; day <= 1000000; day++) {
		struct civil c = civil_of_day(day);

		assert_int_equal(civil_day(c), day);
		if (day > -1000000)
			assert_int_equal(civil_compare(before, c), -1);
		before = c;
	}
	assert_date(civil_of_day(0), "1970-01-01");
	assert_date(civil_of_day(-719468), "0000-03-01");
	assert_date(civil_of_day(11016), "2000-02-29");
}

static void a_cutoff_is_the_next_such_day_or_the_day_itself(void **state)
{
	(void)state;
	assert_date(civil_cutoff(date("2021-03-05"), 12, 31), "2021-12-31");
	assert_date(civil_cutoff(date("2021-12-31"), 12, 31), "2021-12-31");
	assert_date(civil_cutoff(date("2021-12-31"), 3, 31), "2022-03-31");
	assert_date(civil_cutoff(date("2021-03-01"), 2, 29), "2022-02-28");
	assert_date(civil_cutoff(date("2023-03-01"), 2, 29), "2024-02-29");
	assert_date(civil_cutoff(date("2021-03-05"), 0, 0), "2021-03-05");
}

static void dates_that_do_not_exist_are_none(void **state)
{
	static const char *const wrong[] = { "", "2021", "2021-02-29", "2021-13-01", "2021-00-01",
					     "2021-01-00", "2021-04-31", "2021-1-1", "20210101",
					     "2021-01-01x", "1900-02-29" };
	struct civil c;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(civil_parse(wrong[i], &c), -1);
	assert_int_equal(civil_parse("2000-02-29", &c), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(periods_are_read_and_written_back),
		cmocka_unit_test(what_is_no_period_is_refused_with_what_was_expected),
		cmocka_unit_test(a_longer_period_compares_greater),
		cmocka_unit_test(a_day_that_its_month_lacks_becomes_the_months_last),
		cmocka_unit_test(for_ever_is_later_than_any_date),
		cmocka_unit_test(days_and_dates_are_one_to_one),
		cmocka_unit_test(a_cutoff_is_the_next_such_day_or_the_day_itself),
		cmocka_unit_test(dates_that_do_not_exist_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
