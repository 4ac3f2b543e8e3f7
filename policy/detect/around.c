#include "policy/detect/around.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "policy/detect/recogniser.h"

enum { WORDS_MAX = 128 };	/* of a list */

struct span around_before(const struct candidate *c, size_t most, bool in_line)
{
	struct span s = { c->text, c->text };

	while (s.from > c->before && (size_t)(s.end - s.from) < most &&
	       !(in_line && s.from[-1] == '\n'))
		s.from--;
	return s;
}

struct span around_after(const struct candidate *c, size_t most, bool in_line)
{
	struct span s = { c->text + c->size, c->text + c->size };

	const char *line;

	s.end += (size_t)(c->after - s.end) < most ? (size_t)(c->after - s.end) : most;
	line = in_line ? memchr(s.from, '\n', (size_t)(s.end - s.from)) : NULL;
	if (line != NULL)
		s.end = line;
	return s;
}

struct span around_words_before(const struct candidate *c, const char *p, size_t most,
				size_t digits)
{
	struct span s = { p, p };

	while (s.from > c->before && (size_t)(s.end - s.from) < most) {
		if (around_is_digit(s.from[-1]) && digits-- == 0)
			break;
		s.from--;
	}
	return s;
}

/* A space in the word: nothing, or one character that parts words. */
static const char *match_word(const char *p, const char *end, const char *word)
{
	for (; *word != '\0'; word++) {
		if (*word == ' ') {
			if (p < end && strchr(" _-.", *p) != NULL && *p != '\0')
				p++;
			continue;
		}
		if (p == end || around_lower(*p) != *word)
			return NULL;
		p++;
	}
	return p;
}

/* homePhone, PHONE_no, phone2: the word's edge is one of letters of one case. */
static bool is_edge(char left, char right)
{
	bool left_small = left >= 'a' && left <= 'z';
	bool right_big = right >= 'A' && right <= 'Z';

	return !around_is_letter(left) || !around_is_letter(right) || (left_small && right_big);
}

static const char *word_at(struct span s, const char *p, const char *word)
{
	const char *end = match_word(p, s.end, word);

	if (end == NULL)
		return NULL;
	if (around_is_letter(word[strlen(word) - 1]) && end < s.end && !is_edge(end[-1], *end))
		return NULL;
	return end;
}

/* The first bytes of the words of a list, gathered: a search passes over most places by
 * the mask (of their low six bits) and over most words by memchr(). */
struct firsts {
	uint64_t mask;
	size_t count;
	char bytes[WORDS_MAX];
};

static struct firsts firsts_of(const char *const *words)
{
	struct firsts f;

	f.mask = 0;
	for (f.count = 0; words[f.count] != NULL; f.count++) {
		char first = words[f.count][0];

		assert(f.count < WORDS_MAX);
		f.bytes[f.count] = first;
		f.mask |= (uint64_t)1 << ((unsigned char)first & 63);
		if (first >= 'a' && first <= 'z')
			f.mask |= (uint64_t)1 << ((unsigned char)(first - 'a' + 'A') & 63);
	}
	return f;
}

static inline bool may_begin(const struct firsts *f, char c)
{
	return (f->mask >> ((unsigned char)c & 63) & 1) != 0;
}

/* The longest word that stands at p. */
static bool any_word_at(struct span s, const char *p, const char *const *words,
			const struct firsts *f, struct span *found)
{
	const char *at = f->bytes, *last = f->bytes + f->count;
	bool is_found = false;

	if (p > s.from && around_is_letter(*p) && !is_edge(p[-1], *p))
		return false;
	while (at < last && (at = memchr(at, around_lower(*p), (size_t)(last - at))) != NULL) {
		const char *word = words[at++ - f->bytes], *end;

		if (p + 1 < s.end && word[1] != ' ' && word[1] != '\0' &&
		    around_lower(p[1]) != word[1])
			continue;
		end = word_at(s, p, word);
		if (end != NULL && (!is_found || end > found->end)) {
			*found = (struct span){ p, end };
			is_found = true;
		}
	}
	return is_found;
}

/* Words begin with letters: where there are none the list need not be gone through. */
static bool may_hold_word(struct span s)
{
	for (const char *p = s.from; p < s.end; p++) {
		if (around_is_letter(*p) || (unsigned char)*p >= 0x80)
			return true;
	}
	return false;
}

bool around_last_word(struct span s, const char *const *words, struct span *found)
{
	struct firsts f;

	if (!may_hold_word(s))
		return false;
	f = firsts_of(words);
	for (const char *p = s.end; p > s.from; p--) {
		if (may_begin(&f, p[-1]) && any_word_at(s, p - 1, words, &f, found))
			return true;
	}
	return false;
}

bool around_first_word(struct span s, const char *const *words, struct span *found)
{
	struct firsts f;

	if (!may_hold_word(s))
		return false;
	f = firsts_of(words);
	for (const char *p = s.from; p < s.end; p++) {
		if (may_begin(&f, *p) && any_word_at(s, p, words, &f, found))
			return true;
	}
	return false;
}

bool around_has_word(struct span s, const char *const *words)
{
	struct span found;

	return around_first_word(s, words, &found);
}

bool around_label_has(const struct candidate *c, const char *const *words)
{
	struct span s = { c->label, c->label };

	if (c->label == NULL)
		return false;
	s.end = c->label + strlen(c->label);
	return around_has_word(s, words);
}

bool around_begins(struct span s, const char *lower_text)
{
	size_t size = strlen(lower_text);

	if ((size_t)(s.end - s.from) < size)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (around_lower(s.from[i]) != lower_text[i])
			return false;
	}
	return true;
}

size_t around_count_digits(struct span s)
{
	size_t count = 0;

	for (const char *p = s.from; p < s.end; p++)
		count += around_is_digit(*p) ? 1 : 0;
	return count;
}
