#include "fs/content/extract_office_format.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DAYS_MAX 2958465	/* 9999-12-31 */
#define INTEGER_MAX 9.2e18	/* below 2^63 */

/* Copies a code of zeros and what stands between them; false: it is another. */
static bool take_digits(const char *code, char out[40])
{
	size_t n = 0, zeros = 0;
	bool is_quoted = false;

	for (; *code && n < 39; code++) {
		if (*code == '"') {
			is_quoted = !is_quoted;
			continue;
		}
		if (*code == '\\' && !is_quoted) {
			if (!*++code)
				return false;
		} else if (!is_quoted && *code == '0') {
			zeros++;
		} else if (!is_quoted && !strchr("-/ ()", *code)) {
			return false;
		}
		out[n++] = *code;
	}
	out[n] = '\0';
	return !*code && zeros >= 5;
}

/* Year, month, day or hour outside of quotes, brackets and after no backslash. */
static bool is_date(const char *code)
{
	for (; *code && *code != ';'; code++) {
		if (*code == '\\' || *code == '_' || *code == '*') {
			if (!*++code)
				break;
		} else if (*code == '"') {
			code = strchr(code + 1, '"');
			if (!code)
				break;
		} else if (*code == '[') {
			code = strchr(code, ']');
			if (!code)
				break;
		} else if (strchr("yYdD", *code)) {
			return true;
		}
	}
	return false;
}

void office_format_parse(const char *code, struct office_format *out)
{
	*out = (struct office_format){ .kind = OFFICE_FORMAT_PLAIN };
	if (strcasecmp(code, "General") != 0 && is_date(code))
		out->kind = OFFICE_FORMAT_DATE;
	else if (take_digits(code, out->digits))
		out->kind = OFFICE_FORMAT_DIGITS;
}

bool office_format_builtin(unsigned id, struct office_format *out)
{
	*out = (struct office_format){ .kind = OFFICE_FORMAT_DATE };
	return (id >= 14 && id <= 17) || id == 22 || (id >= 27 && id <= 31) || id == 36 ||
	       (id >= 50 && id <= 54) || id == 57 || id == 58;
}

/* Days from 1970-01-01 to a civil date; Howard Hinnant, "chrono-compatible low-level
 * date algorithms". */
static void civil(int64_t days, int *year, unsigned *month, unsigned *day)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;

	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = (int)(yoe + era * 400) + (*month <= 2);
}

static bool show_date(double serial, bool is_1904, char out[64])
{
	/* Serial 60 is a day that never was (1900-02-29): from there on day 1 is
	 * 1899-12-31, before it a day later. */
	int64_t first = is_1904 ? -24107 : serial < 60 ? -25568 : -25569;
	unsigned month, day;
	int year;

	if (!(serial >= 0 && serial <= DAYS_MAX))
		return false;
	civil(first + (int64_t)serial, &year, &month, &day);
	snprintf(out, 64, "%04d-%02u-%02u", year, month, day);
	return true;
}

static bool is_integer(double value)
{
	return value > -INTEGER_MAX && value < INTEGER_MAX && (double)(int64_t)value == value;
}

static bool show_digits(const char *code, double value, char out[64])
{
	char digits[32], back[64];
	size_t left, n = 0, made = 0;

	if (value < 0 || !is_integer(value))
		return false;
	left = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, (uint64_t)value);
	for (size_t i = strlen(code); i > 0; i--) {
		char c = code[i - 1];

		if (c == '0')
			c = left > 0 ? digits[--left] : '0';
		back[n++] = c;
	}
	while (left > 0 && n < sizeof back - 1)	/* more than there are zeros */
		back[n++] = digits[--left];
	while (n > 0)
		out[made++] = back[--n];
	out[made] = '\0';
	return true;
}

bool office_format_show(const struct office_format *format, const char *value, bool is_1904,
			char out[64])
{
	char *end;
	double number = strtod(value, &end);

	if (end == value || *end)
		return false;
	if (format->kind == OFFICE_FORMAT_DATE)
		return show_date(number, is_1904, out);
	if (format->kind == OFFICE_FORMAT_DIGITS)
		return show_digits(format->digits, number, out);
	/* "4.111111111111111E15" is how a writer stores a long number. */
	if (strpbrk(value, "eE") && is_integer(number)) {
		snprintf(out, 64, "%.0f", number);
		return true;
	}
	return false;
}
