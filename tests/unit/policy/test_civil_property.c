/*
 * Civil time against an implementation that shares nothing with it: a calendar that was
 * written down day by day, in which sums are made by counting.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "policy/period.h"

#define FIRST_YEAR 1800
#define LAST_YEAR 2420		/* room for the periods that are added */
#define DAYS ((LAST_YEAR - FIRST_YEAR + 1) * 366)

struct day {
	int year, month, day;
};

struct calendar {
	struct day days[DAYS];
	int count;
	int epoch;		/* index of 1970-01-01 */
};

static int setup(void **state)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct calendar *c = calloc(1, sizeof *c);

	assert_non_null(c);
	for (int y = FIRST_YEAR; y <= LAST_YEAR; y++)
		for (int m = 1; m <= 12; m++) {
			bool is_leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
			int length = lengths[m - 1] + (m == 2 && is_leap);

			for (int d = 1; d <= length; d++) {
				if (y == 1970 && m == 1 && d == 1)
					c->epoch = c->count;
				c->days[c->count++] = (struct day){ y, m, d };
			}
		}
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* The index of that day or, where the month is shorter, of its last. */
static int find(const struct calendar *c, int year, int month, int day)
{
	int lo = 0, hi = c->count - 1;

	while (lo < hi) {	/* the last one that is not behind it */
		int mid = (lo + hi + 1) / 2;
		const struct day *d = &c->days[mid];
		bool is_behind = d->year != year ? d->year > year :
				 d->month != month ? d->month > month : d->day > day;

		if (is_behind)
			hi = mid - 1;
		else
			lo = mid;
	}
	return lo;
}

static int counted_add(const struct calendar *c, int from, const struct period *p)
{
	int year = c->days[from].year, month = c->days[from].month;

	for (uint32_t i = 0; i < p->years; i++)
		year++;
	for (uint32_t i = 0; i < p->months; i++)
		if (++month > 12) {
			month = 1;
			year++;
		}
	return find(c, year, month, c->days[from].day) + (int)p->days;
}

/* Day after day until it is the cutoff; one that this year has not is its month's last. */
static int counted_cutoff(const struct calendar *c, int from, int month, int day)
{
	for (int i = from;; i++) {
		const struct day *d = &c->days[i], *next = &c->days[i + 1];

		if (d->month == month &&
		    (d->day == day || (d->day < day && next->month != d->month)))
			return i;
	}
}

static struct civil civil(const struct day *d)
{
	return (struct civil){ d->year, (uint8_t)d->month, (uint8_t)d->day };
}

static void assert_day(const struct calendar *c, struct civil got, int want)
{
	struct civil w = civil(&c->days[want]);
	char a[16], b[16];

	if (civil_compare(got, w) == 0)
		return;
	civil_text(got, a);
	civil_text(w, b);
	fail_msg("%s, not %s", a, b);
}

static void every_day_has_its_number_and_each_number_its_day(void **state)
{
	const struct calendar *c = *state;

	for (int i = 0; i < c->count; i++) {
		struct civil d = civil(&c->days[i]);

		assert_int_equal(civil_day(d), i - c->epoch);
		assert_day(c, civil_of_day(i - c->epoch), i);
		if (i > 0)
			assert_true(civil_compare(civil_of_day(i - 1 - c->epoch), d) < 0);
	}
}

static void whole_years_from_every_day_of_three_centuries(void **state)
{
	static const uint32_t years[] = { 1, 3, 4, 10, 30, 100 };
	const struct calendar *c = *state;

	for (int i = find(c, 1900, 1, 1); c->days[i].year <= 2200; i++)
		for (size_t k = 0; k < sizeof years / sizeof *years; k++) {
			const struct period p = { .years = years[k] };

			assert_day(c, civil_add(civil(&c->days[i]), &p), counted_add(c, i, &p));
		}
}

static void thirty_years_from_each_29_february_end_on_the_28th_or_29th(void **state)
{
	const struct period p = { .years = 30 };

	for (int y = 1904; y <= 2196; y += 4) {
		if (y % 100 == 0 && y % 400 != 0)
			continue;
		struct civil d = civil_add((struct civil){ y, 2, 29 }, &p);

		assert_int_equal(d.year, y + 30);
		assert_int_equal(d.month, 2);
		assert_int_equal(d.day, 28);	/* no y + 30 is divisible by four */
	}
	(void)state;
}

static void periods_at_random_from_days_at_random(void **state)
{
	const struct calendar *c = *state;
	int first = find(c, 1900, 1, 1), last = find(c, 2200, 12, 31);

	srandom(20260930);
	for (int n = 0; n < 500000; n++) {
		int i = first + (int)(random() % (last - first + 1));
		const struct period p = { .years = (uint32_t)(random() % 101),
					  .months = (uint32_t)(random() % 121),
					  .days = (uint32_t)(random() % 800) };
		struct civil d = civil(&c->days[i]);

		assert_day(c, civil_add(d, &p), counted_add(c, i, &p));
		/* Days alone can be taken back. */
		const struct period days = { .days = p.days };
		assert_day(c, civil_subtract(civil_add(d, &days), &days), i);
	}
}

static void cutoffs_from_every_day(void **state)
{
	static const unsigned cutoffs[][2] = { { 12, 31 }, { 1, 1 }, { 2, 29 }, { 2, 28 },
					       { 3, 31 }, { 6, 30 }, { 9, 30 } };
	const struct calendar *c = *state;

	for (size_t k = 0; k < sizeof cutoffs / sizeof *cutoffs; k++)
		for (int i = find(c, 1900, 1, 1); c->days[i].year <= 2200; i += 1 + i % 5)
			assert_day(c, civil_cutoff(civil(&c->days[i]), cutoffs[k][0],
						   cutoffs[k][1]),
				   counted_cutoff(c, i, (int)cutoffs[k][0], (int)cutoffs[k][1]));
}

static void what_is_written_is_read_back(void **state)
{
	const struct calendar *c = *state;
	char text[24];

	for (int i = find(c, 1900, 1, 1); c->days[i].year <= 2200; i++) {
		struct civil d = { 0 };

		civil_text(civil(&c->days[i]), text);
		assert_int_equal(civil_parse(text, &d), 0);
		assert_day(c, d, i);
	}
	for (int y = 1900; y <= 2200; y++) {
		struct civil d;
		bool is_leap = c->days[find(c, y, 2, 29)].day == 29;

		snprintf(text, sizeof text, "%04d-02-29", y);
		assert_int_equal(civil_parse(text, &d), is_leap ? 0 : -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day_has_its_number_and_each_number_its_day),
		cmocka_unit_test(whole_years_from_every_day_of_three_centuries),
		cmocka_unit_test(thirty_years_from_each_29_february_end_on_the_28th_or_29th),
		cmocka_unit_test(periods_at_random_from_days_at_random),
		cmocka_unit_test(cutoffs_from_every_day),
		cmocka_unit_test(what_is_written_is_read_back),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
