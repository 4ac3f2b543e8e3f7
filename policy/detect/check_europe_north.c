#include "policy/detect/check.h"

#include <string.h>

#include "policy/detect/beside.h"
#include "policy/detect/checksum.h"
#include "policy/detect/written.h"

/*
 * Poland: PESEL.  The century stands in the month (1800s +80, 1900s 0, 2000s +20).
 * One in 200 of all numbers of eleven digits is a birth of 1900 to 2035 with the
 * right check digit.
 */
enum verdict check_pl_pesel(const struct candidate *c)
{
	static const unsigned char weights[] = { 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1 };
	static const int centuries[] = { 1900, 2000, 2100, 2200, 1800 };
	struct written w;
	int month, year;

	if (!written_digits(c, "", 11, &w) || written_weighed(w.chars, weights, 11) % 10 != 0 ||
	    !beside_is_clear(c))
		return VERDICT_NO;
	month = written_number(w.chars + 2, 2);
	year = centuries[month / 20] + written_number(w.chars, 2);
	if (year > CHECK_LAST_YEAR ||
	    !checksum_is_date(year, month % 20, written_number(w.chars + 4, 2)))
		return VERDICT_NO;
	return beside_judge(c, "pl-pesel", year < 1900 ? VERDICT_WEAK : VERDICT_VALID);
}

/* Two digits of a year: of either century there may be. */
static bool is_date_of_some_century(const char *digits, int day)
{
	int year = written_number(digits, 2), month = written_number(digits + 2, 2);

	return checksum_is_date(1900 + year, month, day) ||
	       checksum_is_date(2000 + year, month, day);
}

/* "202305041530", "20230504-1530" are days and times of day too. */
static bool is_time_stamp(int year, const char *four)
{
	return year >= 1995 && written_number(four, 2) < 24 && written_number(four + 2, 2) < 60;
}

/*
 * Sweden: personnummer (SFS 1991:481), samordningsnummer (60 on the day); Luhn over the
 * ten digits without the century.  "+" since the hundredth birthday.  Ten bare digits
 * are also a time stamp or a telephone number.
 */
enum verdict check_se_personnummer(const struct candidate *c)
{
	struct written w;
	const char *ten;
	enum verdict form;
	int day;

	if (!written_read(c, "-+ ", &w) || w.letters != WRITTEN_NO_LETTERS ||
	    (w.count != 10 && w.count != 12) || !beside_is_clear(c))
		return VERDICT_NO;
	ten = w.chars + w.count - 10;
	day = written_number(ten + 4, 2);
	if (day > 60)
		day -= 60;
	if (!checksum_luhn(ten, 10) || written_number(ten + 6, 3) == 0)
		return VERDICT_NO;
	if (w.count == 12) {
		int year = written_number(w.chars, 4);

		if (year > CHECK_LAST_YEAR ||
		    !checksum_is_date(year, written_number(ten + 2, 2), day))
			return VERDICT_NO;
		form = w.by == ' ' || is_time_stamp(year, ten + 6) ? VERDICT_WEAK : VERDICT_VALID;
	} else {
		if (!is_date_of_some_century(ten, day))
			return VERDICT_NO;
		form = w.by == '-' || w.by == '+' ? VERDICT_VALID : VERDICT_WEAK;
	}
	return beside_judge(c, "se-personnummer", form);
}
