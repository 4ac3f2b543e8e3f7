/*
 * The order of belief: a byte order mark; NUL bytes in the pattern of UTF-16 or
 * UTF-32; 7-bit escapes; valid UTF-8; and only then what the bytes would say in
 * each of the encodings of encoding_guess.c.
 */
#include "fs/content/encoding.h"

#include <stdio.h>
#include <string.h>

#include "fs/content/encoding_guess.h"

/* ---- validity ------------------------------------------------------------------------ */

size_t encoding_ascii_prefix(const void *data, size_t size)
{
	const uint8_t *p = data;
	size_t i = 0;

	for (; i + 32 <= size; i += 32) {
		uint64_t a, b, c, d;

		memcpy(&a, p + i, 8);
		memcpy(&b, p + i + 8, 8);
		memcpy(&c, p + i + 16, 8);
		memcpy(&d, p + i + 24, 8);
		if (((a | b | c | d) & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	while (i < size && p[i] < 0x80)
		i++;
	return i;
}

/* Bytes of the valid character at p (RFC 3629); 0: none; -1: valid so far, cut off. */
static int utf8_character(const uint8_t *p, size_t size)
{
	uint8_t low = 0x80, high = 0xbf;
	int length;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	for (int i = 1; i < length; i++) {
		if ((size_t)i == size)
			return -1;
		if (p[i] < low || p[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return length;
}

size_t encoding_utf8_prefix(const void *data, size_t size)
{
	const uint8_t *p = data;
	size_t i = 0;

	while (i < size) {
		int length;

		if (p[i] < 0x80) {
			i += encoding_ascii_prefix(p + i, size - i);
			continue;
		}
		length = utf8_character(p + i, size - i);
		if (length <= 0)
			break;
		i += (size_t)length;
	}
	return i;
}

bool encoding_is_utf8_start(const void *data, size_t size)
{
	return size > 0 && size < 4 && utf8_character(data, size) == -1;
}

bool encoding_is_utf8(const char *encoding)
{
	return strcmp(encoding, "utf-8") == 0 || strcmp(encoding, "us-ascii") == 0;
}

/* ---- what the bytes are like ---------------------------------------------------------- */

struct census {
	size_t nul, nul_even, nul_odd;
	size_t control;		/* what no text has */
	size_t mark;		/* ... but some records have: separators, end of file */
	size_t high;
	size_t escape;
	size_t space, space_of_old;	/* of ASCII, of EBCDIC */
	size_t letter_of_old;		/* letters and digits of EBCDIC */
};

static bool is_letter_of_old(uint8_t c)
{
	return (c >= 0x81 && c <= 0x89) || (c >= 0x91 && c <= 0x99) || (c >= 0xa2 && c <= 0xa9) ||
	       (c >= 0xc1 && c <= 0xc9) || (c >= 0xd1 && c <= 0xd9) || (c >= 0xe2 && c <= 0xe9) ||
	       c >= 0xf0;
}

static void take_census(const uint8_t *p, size_t size, struct census *c)
{
	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < size; i++) {
		if (p[i] >= 0x80) {
			c->high++;
			c->letter_of_old += is_letter_of_old(p[i]);
		} else if (p[i] < 0x20) {
			if (p[i] == 0) {
				c->nul++;
				if (i % 2 == 0)
					c->nul_even++;
				else
					c->nul_odd++;
			} else if (p[i] == 0x1b) {
				c->escape++;
			} else if (p[i] < 0x07 || p[i] > 0x0d) {
				/* SOH..EOT and FS..US part fields (FIX, HL7); SUB ended files. */
				if (p[i] <= 0x04 || p[i] >= 0x1c || p[i] == 0x1a)
					c->mark++;
				else
					c->control++;
			}
		} else if (p[i] == 0x7f) {
			c->control++;
		} else {
			c->space += p[i] == ' ';
			c->space_of_old += p[i] == 0x40;
		}
	}
}

/* EBCDIC: its letters and digits are all above 0x7f, its space is '@'. */
static bool is_ebcdic(size_t size, const struct census *c)
{
	return size >= 32 && c->space == 0 && c->space_of_old * 25 >= size &&
	       (c->letter_of_old + c->space_of_old) * 10 >= size * 8;
}

/* ---- byte order marks, UTF-16, UTF-32 --------------------------------------------------- */

/* Of the characters of two or four bytes: is each one that text may hold? */
static bool is_wide_text(const uint8_t *p, size_t size, bool is_big, unsigned width)
{
	size_t count = size / width, odd = 0;
	uint32_t lead = 0;

	if (count == 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		uint32_t c = 0;

		for (unsigned k = 0; k < width; k++)
			c |= (uint32_t)p[i * width + (is_big ? width - 1 - k : k)] << (8 * k);
		if (width == 2 && lead != 0) {
			if (c < 0xdc00 || c > 0xdfff)
				return false;
			lead = 0;
			continue;
		}
		if (width == 2 && c >= 0xd800 && c <= 0xdbff) {
			lead = c;
			continue;
		}
		if ((c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff || (c & 0xfffe) == 0xfffe)
			return false;
		if ((c < 0x20 && (c < 0x07 || c > 0x0d) && c != 0x1b) ||
		    (c >= 0x7f && c < 0xa0) || (c >= 0xe000 && c <= 0xf8ff))
			odd++;
	}
	return odd * 50 <= count;
}

static bool has_mark(const uint8_t *p, size_t size, char out[ENCODING_NAME_MAX])
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *name;
		unsigned width;
		bool is_big;
	} marks[] = {
		{ "\xef\xbb\xbf", 3, "utf-8", 1, false },
		{ "\xff\xfe\0\0", 4, "utf-32le", 4, false },
		{ "\0\0\xfe\xff", 4, "utf-32be", 4, true },
		{ "\xff\xfe", 2, "utf-16le", 2, false },
		{ "\xfe\xff", 2, "utf-16be", 2, true },
		{ "\x84\x31\x95\x33", 4, "gb18030", 1, false },
	};

	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		if (size < marks[i].size || memcmp(p, marks[i].bytes, marks[i].size) != 0)
			continue;
		if (marks[i].width > 1 && size > marks[i].size &&
		    !is_wide_text(p + marks[i].size, size - marks[i].size, marks[i].is_big,
				  marks[i].width))
			continue;
		snprintf(out, ENCODING_NAME_MAX, "%s", marks[i].name);
		return true;
	}
	return false;
}

/* UTF-16 without a mark: its ASCII (spaces, line ends, digits) shows as NULs on one
 * side only. */
static const char *wide_by_nuls(const uint8_t *p, size_t size, const struct census *c)
{
	size_t pairs = size / 2;

	if (size >= 8 && c->nul * 2 > size) {
		if (is_wide_text(p, size, false, 4))
			return "utf-32le";
		if (is_wide_text(p, size, true, 4))
			return "utf-32be";
	}
	if (pairs < 2)
		return NULL;
	if (c->nul_odd * 12 >= pairs && c->nul_even * 20 <= c->nul_odd &&
	    is_wide_text(p, size, false, 2))
		return "utf-16le";
	if (c->nul_even * 12 >= pairs && c->nul_odd * 20 <= c->nul_even &&
	    is_wide_text(p, size, true, 2))
		return "utf-16be";
	return NULL;
}

/* ... and without ASCII, in East Asia, by what it says. */
static int wide_by_words(const uint8_t *p, size_t size, const char **name, double *points,
			 struct err *e)
{
	*name = NULL;
	*points = 0;
	if (size < 8 || (!is_wide_text(p, size, false, 2) && !is_wide_text(p, size, true, 2)))
		return 0;
	return encoding_guess_wide(p, size, name, points, e);
}

/* ---- 7 bits ------------------------------------------------------------------------------ */

static bool has(const uint8_t *p, size_t size, const char *what)
{
	return memmem(p, size, what, strlen(what)) != NULL;
}

static const char *seven_bits(const uint8_t *p, size_t size, const struct census *c)
{
	if (c->escape > 0) {
		if (has(p, size, "\033$B") || has(p, size, "\033$@") || has(p, size, "\033(I"))
			return "iso-2022-jp";
		if (has(p, size, "\033$)C"))
			return "iso-2022-kr";
		if (has(p, size, "\033$)A") || has(p, size, "\033$)G"))
			return "iso-2022-cn";
	}
	return "us-ascii";
}

/* ---- all together -------------------------------------------------------------------------- */

/* Characters of UTF-8 that are right and bytes that are not; a character cut off at
 * the end is neither. */
static void count_utf8(const uint8_t *p, size_t size, bool is_all, size_t *right,
		       size_t *wrong)
{
	size_t i = 0;

	*right = *wrong = 0;
	while (i < size) {
		int length;

		if (p[i] < 0x80) {
			i += encoding_ascii_prefix(p + i, size - i);
			continue;
		}
		length = utf8_character(p + i, size - i);
		if (length > 0) {
			(*right)++;
			i += (size_t)length;
		} else if (length < 0 && !is_all) {
			return;
		} else {
			(*wrong)++;
			i++;
		}
	}
}

int encoding_detect(const void *head, size_t size, bool is_all,
		    char encoding[ENCODING_NAME_MAX], struct err *e)
{
	const uint8_t *p = head;
	size_t right = 0, wrong = 0;
	double wide = 0, points = 0;
	const char *name = NULL;
	struct census c;
	bool is_bytes;

	encoding[0] = '\0';
	if (size == 0 || has_mark(p, size, encoding))
		return 0;
	take_census(p, size, &c);
	if (c.high == 0 && (c.nul + c.control + c.mark == 0 || c.escape > 0)) {
		name = seven_bits(p, size, &c);
		if (c.nul + c.control + c.mark == 0 || strcmp(name, "us-ascii") != 0) {
			snprintf(encoding, ENCODING_NAME_MAX, "%s", name);
			return 0;
		}
	}
	if (is_ebcdic(size, &c)) {
		snprintf(encoding, ENCODING_NAME_MAX, "ibm037");
		return 0;
	}
	name = wide_by_nuls(p, size, &c);
	if (name != NULL) {
		snprintf(encoding, ENCODING_NAME_MAX, "%s", name);
		return 0;
	}
	count_utf8(p, size, is_all, &right, &wrong);
	if ((c.high == 0 || (wrong > 0 && right < wrong * 20)) &&
	    wide_by_words(p, size, &name, &wide, e) < 0)
		return -1;
	/* A record of fields, or a stray control character, is text for all that. */
	is_bytes = c.nul == 0 && c.control * 200 <= size &&
		   (c.control + c.mark) * (c.high > 0 ? 8 : 3) <= size;
	if (is_bytes && c.high == 0 && wide < GUESS_SURE)
		snprintf(encoding, ENCODING_NAME_MAX, "%s", seven_bits(p, size, &c));
	else if (is_bytes && c.high > 0 && (wrong == 0 || right >= wrong * 20))
		snprintf(encoding, ENCODING_NAME_MAX, "utf-8");
	else if (is_bytes && c.high > 0 && (c.control + c.mark) * 50 <= size &&
		 encoding_guess(p, size, is_all, encoding, &points, e) < 0)
		return -1;
	if (name != NULL && wide >= GUESS_SURE && wide > points)
		snprintf(encoding, ENCODING_NAME_MAX, "%s", name);
	return 0;
}
