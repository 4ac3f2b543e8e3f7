#include "policy/detect/detect_mask.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ENDS_SHOWN 22		/* characters to either side of "..." in a long sample */

/* Signs of writing that tell nothing: they stay, so that a sample is known again. */
static bool is_sign(char c)
{
	return c != '\0' && strchr(" -./()+:@", c) != NULL;
}

static size_t character_size(const char *at, const char *end)
{
	size_t size = 1;

	while (at + size < end && ((unsigned char)at[size] & 0xc0) == 0x80)
		size++;
	return size;
}

struct count {
	size_t characters, letters;
};

static struct count count_of(const char *at, const char *end)
{
	struct count n = { 0, 0 };

	for (; at < end; at += character_size(at, end)) {
		n.characters++;
		n.letters += !is_sign(*at);
	}
	return n;
}

/* Letters that are shown: the first `head` and the last `tail`. */
struct plan {
	size_t head, tail;
	bool shows_signs;
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static struct plan plan_of(const struct recogniser *r, const char *value, size_t size,
			   size_t letters)
{
	struct plan p = { .shows_signs = letters > 0 };
	const char *end = value + size, *dot;
	size_t most = letters / 4, label;

	switch (r->masking) {
	case MASK_ALL:
		p.shows_signs = false;
		p.head = least(least(r->public_prefix, size), most);
		break;
	case MASK_ENDS:
		p.tail = least(2, (most + 1) / 2);
		p.head = least(2, most - p.tail);
		break;
	case MASK_TAIL:
		p.tail = least(4, most);
		break;
	case MASK_MAIL:
		p.head = least(1, most);
		dot = memrchr(value, '.', size);
		label = dot ? count_of(dot + 1, end).letters : 0;
		p.tail = p.head + label <= most ? label : 0;
		break;
	}
	return p;
}

void detect_mask(const struct recogniser *r, const char *value, size_t size,
		 char out[SAMPLE_TEXT_MAX])
{
	const char *end = value + size;
	struct count n = count_of(value, end);
	struct plan p = plan_of(r, value, size, n.letters);
	size_t character = 0, letter = 0, used = 0;

	for (const char *at = value; at < end; character++) {
		size_t bytes = character_size(at, end);
		bool sign = is_sign(*at), shown;

		shown = sign ? p.shows_signs || letter < p.head
			     : letter < p.head || letter + p.tail >= n.letters;
		if (n.characters > 2 * ENDS_SHOWN + 3 && character >= ENDS_SHOWN &&
		    character < n.characters - ENDS_SHOWN) {
			if (character == ENDS_SHOWN) {
				memcpy(out + used, "...", 3);
				used += 3;
			}
		} else if (shown && bytes <= 4 && used + bytes < SAMPLE_TEXT_MAX) {
			memcpy(out + used, at, bytes);
			used += bytes;
		} else if (used + 1 < SAMPLE_TEXT_MAX) {
			out[used++] = '*';
		}
		letter += !sign;
		at += bytes;
	}
	out[used] = '\0';
}
