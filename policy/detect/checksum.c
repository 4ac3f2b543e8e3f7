#include "policy/detect/checksum.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int checksum_digits(const char *text, size_t size, const char *separators, char *out,
		    size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (is_digit(c)) {
			if (count + 1 >= room)
				return -1;
			out[count++] = c;
		} else if (c == '\0' || strchr(separators, c) == NULL) {
			return -1;
		}
	}
	if (room == 0)
		return -1;
	out[count] = '\0';
	return (int)count;
}

int checksum_alnum(const char *text, size_t size, const char *separators, char *out,
		   size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (is_digit(c) || (c >= 'A' && c <= 'Z')) {
			if (count + 1 >= room)
				return -1;
			out[count++] = c;
		} else if (c == '\0' || strchr(separators, c) == NULL) {
			return -1;
		}
	}
	if (room == 0)
		return -1;
	out[count] = '\0';
	return (int)count;
}

bool checksum_luhn(const char *digits, size_t count)
{
	unsigned sum = 0;

	if (count < 2)
		return false;
	for (size_t i = 0; i < count; i++) {
		unsigned d = (unsigned)(digits[count - 1 - i] - '0');

		if (d > 9)
			return false;
		if (i % 2 == 1) {
			d *= 2;
			if (d > 9)
				d -= 9;
		}
		sum += d;
	}
	return sum % 10 == 0;
}

bool checksum_mod97(const char *alnum, size_t count)
{
	unsigned rest = 0;

	if (count < 5)
		return false;
	for (size_t i = 0; i < count; i++) {
		char c = alnum[(i + 4) % count];

		if (is_digit(c))
			rest = (rest * 10 + (unsigned)(c - '0')) % 97;
		else if (c >= 'A' && c <= 'Z')
			rest = (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
		else
			return false;
	}
	return rest == 1;
}

/* J. Verhoeff, Error Detecting Decimal Codes (1969): the dihedral group D5, and a
 * permutation of the digits for each place. */
bool checksum_verhoeff(const char *digits, size_t count)
{
	static const unsigned char product[10][10] = {
		{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, { 1, 2, 3, 4, 0, 6, 7, 8, 9, 5 },
		{ 2, 3, 4, 0, 1, 7, 8, 9, 5, 6 }, { 3, 4, 0, 1, 2, 8, 9, 5, 6, 7 },
		{ 4, 0, 1, 2, 3, 9, 5, 6, 7, 8 }, { 5, 9, 8, 7, 6, 0, 4, 3, 2, 1 },
		{ 6, 5, 9, 8, 7, 1, 0, 4, 3, 2 }, { 7, 6, 5, 9, 8, 2, 1, 0, 4, 3 },
		{ 8, 7, 6, 5, 9, 3, 2, 1, 0, 4 }, { 9, 8, 7, 6, 5, 4, 3, 2, 1, 0 },
	};
	static const unsigned char turned[8][10] = {
		{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, { 1, 5, 7, 6, 2, 8, 3, 0, 9, 4 },
		{ 5, 8, 0, 3, 7, 9, 6, 1, 4, 2 }, { 8, 9, 1, 6, 0, 4, 3, 5, 2, 7 },
		{ 9, 4, 5, 3, 1, 2, 6, 8, 7, 0 }, { 4, 2, 8, 6, 5, 7, 3, 9, 0, 1 },
		{ 2, 7, 9, 3, 8, 0, 6, 4, 1, 5 }, { 7, 0, 4, 6, 9, 1, 3, 2, 5, 8 },
	};
	unsigned sum = 0;

	if (count < 2)
		return false;
	for (size_t i = 0; i < count; i++) {
		unsigned d = (unsigned)(digits[count - 1 - i] - '0');

		if (d > 9)
			return false;
		sum = product[sum][turned[i % 8][d]];
	}
	return sum == 0;
}

bool checksum_mod11_2(const char *digits_or_x, size_t count)
{
	unsigned sum = 0;

	if (count < 2)
		return false;
	for (size_t i = 0; i + 1 < count; i++) {
		if (!is_digit(digits_or_x[i]))
			return false;
		sum = (sum + (unsigned)(digits_or_x[i] - '0')) * 2 % 11;
	}
	if (is_digit(digits_or_x[count - 1]))
		sum += (unsigned)(digits_or_x[count - 1] - '0');
	else if (digits_or_x[count - 1] == 'X' || digits_or_x[count - 1] == 'x')
		sum += 10;
	else
		return false;
	return sum % 11 == 1;
}

bool checksum_mod11_10(const char *digits, size_t count)
{
	unsigned product = 10;

	if (count < 2)
		return false;
	for (size_t i = 0; i + 1 < count; i++) {
		unsigned sum = (product + (unsigned)(digits[i] - '0')) % 10;

		if (!is_digit(digits[i]))
			return false;
		product = (sum == 0 ? 10 : sum) * 2 % 11;
	}
	return is_digit(digits[count - 1]) &&
	       (product + (unsigned)(digits[count - 1] - '0')) % 10 == 1;
}

bool checksum_is_date(int year, int month, int day)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (year < 1850 || year > 2100 || month < 1 || month > 12 || day < 1)
		return false;
	return day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool checksum_is_trivial(const char *digits, size_t count)
{
	bool same = true, up = true, down = true;

	for (size_t i = 1; i < count; i++) {
		int a = digits[i - 1] - '0', b = digits[i] - '0';

		same = same && a == b;
		up = up && b == (a + 1) % 10;
		down = down && b == (a + 9) % 10;
	}
	return same || up || down;
}
