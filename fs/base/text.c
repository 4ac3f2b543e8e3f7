#include "fs/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The length of the UTF-8 character at p (left > 0 bytes), its code point in
 * *point; 0 if there is none.  RFC 3629, section 4: the second byte of E0, ED,
 * F0 and F4 is narrowed, which rules out overlong forms and surrogates.
 */
static size_t utf8_character(const uint8_t *p, size_t left, uint32_t *point)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t size;

	if (p[0] < 0x80) {
		*point = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	size = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (size > left)
		return 0;
	switch (p[0]) {
	case 0xe0: low = 0xa0; break;
	case 0xed: high = 0x9f; break;
	case 0xf0: low = 0x90; break;
	case 0xf4: high = 0x8f; break;
	}
	if (p[1] < low || p[1] > high)
		return 0;
	*point = p[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (p[i] & 0x3f);
	}
	return size;
}

bool text_is_utf8(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint32_t point;

	while (size > 0) {
		size_t n = utf8_character(p, size, &point);

		if (n == 0)
			return false;
		p += n;
		size -= n;
	}
	return true;
}

/* What would move the cursor, turn the direction of writing or not be seen. */
static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) ||	/* C0, DEL, C1 */
	       c == 0x00ad || c == 0x061c || c == 0x180e ||
	       c == 0x115f || c == 0x1160 || c == 0x3164 || c == 0xffa0 ||	/* fillers */
	       c == 0x200b || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) ||		/* separators, overrides */
	       (c >= 0x2060 && c <= 0x206f) ||		/* isolates, invisible */
	       c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef) ||	/* no characters */
	       (c >= 0xe0000 && c <= 0xe0fff);		/* tags */
}

const char *text_unsafe(const char *text, size_t *size, uint32_t *point)
{
	while (*text != '\0') {
		*size = utf8_character((const uint8_t *)text, strlen(text), point);
		if (*size == 0)
			*size = 1;
		else if (is_unsafe(*point))
			return text;
		text += *size;
	}
	return NULL;
}

#define PRINTED_MAX 16		/* four bytes as \xHH */

/* Prints the character (or stray byte) at p; *used says how many bytes of p. */
static size_t print_character(const uint8_t *p, size_t left, char out[PRINTED_MAX + 1],
			      size_t *used)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t point = 0;
	size_t n = utf8_character(p, left, &point), size = 0;

	*used = n > 0 ? n : 1;
	if (n > 0 && point != '\\' && !is_unsafe(point)) {
		memcpy(out, p, n);
		return n;
	}
	if (point == '\\' || point == '\n' || point == '\t') {
		out[0] = '\\';
		out[1] = point == '\n' ? 'n' : point == '\t' ? 't' : '\\';
		return 2;
	}
	for (size_t i = 0; i < *used; i++) {
		out[size++] = '\\';
		out[size++] = 'x';
		out[size++] = digits[p[i] >> 4];
		out[size++] = digits[p[i] & 15];
	}
	return size;
}

/* capacity includes the NUL; what does not fit ends in "...". */
static void print_into(const uint8_t *p, size_t size, char *out, size_t capacity)
{
	static const char more[] = "...";
	size_t used = 0, safe = 0;	/* safe: where "..." still fits */

	while (size > 0) {
		char one[PRINTED_MAX + 1];
		size_t taken, n = print_character(p, size, one, &taken);

		if (used + n >= capacity) {
			memcpy(out + safe, more, sizeof more);
			return;
		}
		memcpy(out + used, one, n);
		used += n;
		if (used + sizeof more <= capacity)
			safe = used;
		p += taken;
		size -= taken;
	}
	out[used] = '\0';
}

const char *text_printable_n(const void *name, size_t size)
{
	static _Thread_local char buffers[16][4096];
	static _Thread_local unsigned next;
	char *out = buffers[next++ % 16];

	print_into(name, size, out, sizeof buffers[0]);
	return out;
}

const char *text_printable(const char *name)
{
	return text_printable_n(name, strlen(name));
}

size_t text_said_size(const char *said)
{
	size_t size = strlen(said);

	while (size > 0 && strchr(" \t\r\n", said[size - 1]))
		size--;
	return size;
}

const char *text_said(const char *said)
{
	return text_printable_n(said, text_said_size(said));
}

char *text_printable_dup(const void *name, size_t size)
{
	char *out;

	if (size > SIZE_MAX / 4 - 1)
		return NULL;
	out = malloc(4 * size + 1);	/* one byte prints as four at most */
	if (out != NULL)
		print_into(name, size, out, 4 * size + 1);
	return out;
}

void text_hex(const void *data, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;

	for (size_t i = 0; i < size; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int text_unhex(const char *text, void *out, size_t size)
{
	uint8_t *p = out;

	for (size_t i = 0; i < size; i++) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0)
			return -1;
		p[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return *text == '\0' ? 0 : -1;
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *text_base64(const void *data, size_t size)
{
	const uint8_t *p = data;
	char *out, *to;

	if (size > SIZE_MAX / 2)
		return NULL;
	out = to = malloc((size + 2) / 3 * 4 + 1);
	if (out == NULL)
		return NULL;
	for (; size > 0; size -= size < 3 ? size : 3, p += 3) {
		uint32_t group = (uint32_t)p[0] << 16;

		if (size > 1)
			group |= (uint32_t)p[1] << 8;
		if (size > 2)
			group |= p[2];
		*to++ = base64_digits[group >> 18];
		*to++ = base64_digits[group >> 12 & 63];
		*to++ = size > 1 ? base64_digits[group >> 6 & 63] : '=';
		*to++ = size > 2 ? base64_digits[group & 63] : '=';
	}
	*to = '\0';
	return out;
}

static int base64_value(char c)
{
	const char *at = c ? strchr(base64_digits, c) : NULL;

	return at ? (int)(at - base64_digits) : -1;
}

uint8_t *text_unbase64_bytes(const char *text, size_t *size)
{
	size_t length = strlen(text), used = 0;
	size_t padding = length >= 2 && text[length - 1] == '=' ?
			 1u + (text[length - 2] == '=') : 0;
	uint8_t *out = length % 4 == 0 ? malloc(length / 4 * 3 + 1) : NULL;
	uint32_t bits = 0;

	for (size_t i = 0; out && i < length - padding; i++) {
		int v = base64_value(text[i]);

		if (v < 0)
			goto none;
		bits = bits << 6 | (uint32_t)v;
		if (i % 4 != 0)
			out[used++] = (uint8_t)(bits >> (6 - 2 * (i % 4)) & 0xff);
	}
	/* What the padding cuts off must be zeros: one text for each value. */
	if (out && (bits & ((1u << 2 * padding) - 1)) == 0) {
		out[used] = '\0';
		*size = used;
		return out;
	}
none:
	free(out);
	errno = !out && length % 4 == 0 ? ENOMEM : EINVAL;
	return NULL;
}

char *text_unbase64(const char *text)
{
	size_t size;
	char *out = (char *)text_unbase64_bytes(text, &size);

	if (out && strlen(out) == size)
		return out;
	free(out);
	return NULL;
}

const char *text_size(uint64_t bytes, char out[TEXT_SIZE_MAX])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned unit = 0;
	uint64_t tenths;

	if (bytes < 1024) {
		snprintf(out, TEXT_SIZE_MAX, "%" PRIu64 " B", bytes);
		return out;
	}
	/* Down to 1024 * 1024 of the unit before, so that tenths cannot overflow. */
	while (bytes >= (uint64_t)1024 * 1024) {
		bytes /= 1024;
		unit++;
	}
	tenths = (bytes * 10 + 512) / 1024;
	if (tenths >= 10240) {
		tenths = 10;
		unit++;
	}
	snprintf(out, TEXT_SIZE_MAX, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10,
		 tenths % 10, units[unit]);
	return out;
}

const char *text_count(uint64_t n, char out[TEXT_COUNT_MAX])
{
	char plain[24];
	int size = snprintf(plain, sizeof plain, "%" PRIu64, n);
	char *to = out;

	for (int i = 0; i < size; i++) {
		if (i > 0 && (size - i) % 3 == 0)
			*to++ = ',';
		*to++ = plain[i];
	}
	*to = '\0';
	return out;
}

int text_parse_size(const char *text, uint64_t *out)
{
	static const char suffixes[] = "kmgtpe";
	uint64_t whole = 0, fraction = 0, scale = 1, factor = 1;
	const char *start = text;
	const char *suffix;

	for (; *text >= '0' && *text <= '9'; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (whole > (UINT64_MAX - digit) / 10)
			return -1;
		whole = whole * 10 + digit;
	}
	if (text == start)
		return -1;
	if (*text == '.') {
		start = ++text;
		for (; *text >= '0' && *text <= '9'; text++) {
			if (scale < 1000000) {	/* finer than that counts for nothing */
				fraction = fraction * 10 + (uint64_t)(*text - '0');
				scale *= 10;
			}
		}
		if (text == start)
			return -1;
	}
	if (*text != '\0') {
		suffix = strchr(suffixes, *text | 0x20);
		if (suffix == NULL || *suffix == '\0')
			return -1;
		factor = (uint64_t)1 << (10 * (suffix - suffixes + 1));
		text++;
		if (strcmp(text, "iB") == 0)
			text += 2;
	}
	if (*text != '\0' || (scale > 1 && factor == 1))
		return -1;
	if (whole > UINT64_MAX / factor)
		return -1;
	whole *= factor;
	fraction = (uint64_t)((unsigned __int128)factor * fraction / scale);
	if (fraction > UINT64_MAX - whole)
		return -1;
	*out = whole + fraction;
	return 0;
}

FILE *text_stream(char **text, size_t *size)
{
	*text = NULL;
	errno = 0;
	return open_memstream(text, size);
}

int text_stream_end(FILE *stream, char **text)
{
	/* What did not fit is dropped, and only malloc() has said so. */
	bool is_short = ferror(stream) || errno == ENOMEM;

	if (fclose(stream) == 0 && *text != NULL && !is_short)
		return 0;
	free(*text);
	*text = NULL;
	return -1;
}
