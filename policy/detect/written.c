#include "policy/detect/written.h"

#include <string.h>

static void note_case(struct written *w, bool is_lower)
{
	enum written_case now = is_lower ? WRITTEN_LOWER : WRITTEN_UPPER;

	if (w->letters == WRITTEN_NO_LETTERS)
		w->letters = now;
	else if (w->letters != now)
		w->letters = WRITTEN_BOTH_CASES;
}

bool written_read(const struct candidate *c, const char *separators, struct written *w)
{
	*w = (struct written){ .count = 0 };
	for (size_t i = 0; i < c->size; i++) {
		char ch = c->text[i];

		if (written_is_digit(ch) || written_is_letter(ch)) {
			if (w->count == WRITTEN_MAX)
				return false;
			if (written_is_letter(ch)) {
				note_case(w, ch >= 'a');
				ch &= (char)~0x20;
			}
			w->chars[w->count++] = ch;
		} else if (ch == '\0' || strchr(separators, ch) == NULL) {
			return false;
		} else {
			w->by = w->by == '\0' || w->by == ch ? ch : WRITTEN_MIXED;
		}
	}
	return true;
}

bool written_digits(const struct candidate *c, const char *separators, size_t count,
		    struct written *w)
{
	return written_read(c, separators, w) && w->letters == WRITTEN_NO_LETTERS &&
	       w->count == count;
}

int written_number(const char *text, size_t count)
{
	int n = 0;

	for (size_t i = 0; i < count; i++)
		n = n * 10 + (text[i] - '0');
	return n;
}

unsigned written_weighed(const char *digits, const unsigned char *weights, size_t count)
{
	unsigned sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (unsigned)(digits[i] - '0') * weights[i];
	return sum;
}

bool written_all_same(const char *text, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (text[i] != text[0])
			return false;
	}
	return true;
}
