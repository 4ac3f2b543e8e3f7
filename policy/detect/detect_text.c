#include "policy/detect/detect_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FILLER '\f'

static bool is_ascii(const unsigned char *in, size_t size)
{
	uint64_t all = 0, word;

	for (size_t i = 0; i < size; i += 8) {
		memcpy(&word, in + i, 8);
		all |= word;
	}
	return (all & 0x8080808080808080u) == 0;
}

static bool continues(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Bytes of the character at in[0]; 0: none; -1: it may be one, but the text ends. */
static int character(const unsigned char *in, size_t size)
{
	unsigned char c = in[0], low = 0x80, high = 0xbf;
	int bytes;

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	bytes = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (c == 0xe0)
		low = 0xa0;	/* overlong */
	else if (c == 0xed)
		high = 0x9f;	/* surrogates */
	else if (c == 0xf0)
		low = 0x90;
	else if (c == 0xf4)
		high = 0x8f;
	if (size < 2)
		return -1;
	if (in[1] < low || in[1] > high)
		return 0;
	for (int i = 2; i < bytes; i++) {
		if ((size_t)i >= size)
			return -1;
		if (!continues(in[i]))
			return 0;
	}
	return bytes;
}

size_t detect_text_clean(char *out, const void *text, size_t size, size_t want)
{
	const unsigned char *in = text;
	size_t at = 0;

	if (want > size)
		want = size;
	while (at < want) {
		int bytes;

		while (want - at >= 64 && is_ascii(in + at, 64)) {
			memcpy(out + at, in + at, 64);
			at += 64;
		}
		while (at < want && in[at] < 0x80) {
			out[at] = (char)in[at];
			at++;
		}
		/* Chinese, Japanese, Korean: all but the edges of the three-byte range. */
		while (at + 3 <= want && in[at] > 0xe0 && in[at] < 0xed &&
		       continues(in[at + 1]) && continues(in[at + 2])) {
			memcpy(out + at, in + at, 3);
			at += 3;
		}
		if (at >= want || in[at] < 0x80)
			continue;
		bytes = character(in + at, size - at);
		if (bytes < 0)
			break;
		if (bytes == 0) {
			out[at++] = FILLER;
			continue;
		}
		memcpy(out + at, in + at, (size_t)bytes);
		at += (size_t)bytes;
	}
	return at;
}

void detect_text_clean_end(char *out, const void *in, size_t size)
{
	size_t used = detect_text_clean(out, in, size, size);

	memset(out + used, FILLER, size - used);
}
