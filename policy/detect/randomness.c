#include "policy/detect/randomness.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { KEY_LEAST = 16, HEX_LEAST = 24, WORD = 5 };

double randomness_entropy(struct span s)
{
	size_t seen[256] = { 0 }, size = (size_t)(s.end - s.from);
	double bits = 0;

	if (size > 256)
		size = 256;
	for (size_t i = 0; i < size; i++)
		seen[(unsigned char)s.from[i]]++;
	for (size_t i = 0; i < 256; i++) {
		double share = (double)seen[i] / (double)size;

		if (seen[i] > 0)
			bits -= share * log2(share);
	}
	return bits;
}

struct make {			/* what it is made of */
	size_t size, digits, upper, lower, other;
	size_t changes;		/* places where small, capital, digit, other meet */
	size_t worded;		/* letters that stand in words */
	bool is_hex, is_charset;
};

static int kind_of(char c)
{
	return around_is_digit(c) ? 1 : c >= 'A' && c <= 'Z' ? 2 : c >= 'a' && c <= 'z' ? 3 : 4;
}

static bool is_vowel(char c)
{
	return strchr("aeiouy", around_lower(c)) != NULL;
}

/* Letters of one case, but for the first, that people could speak. */
static size_t spoken(const char *from, const char *end)
{
	size_t vowels = 0, run = 0, longest = 0, size = (size_t)(end - from);
	bool is_one_case = true;

	for (const char *p = from; p < end; p++) {
		bool vowel = is_vowel(*p);

		vowels += vowel ? 1 : 0;
		run = vowel ? 0 : run + 1;
		longest = run > longest ? run : longest;
		is_one_case = is_one_case && (p < from + 2 || kind_of(*p) == kind_of(p[-1]));
	}
	return size >= WORD && longest <= 3 && vowels * 6 >= size && is_one_case ? size : 0;
}

static struct make look(struct span s)
{
	struct make m = { .size = (size_t)(s.end - s.from), .is_hex = true, .is_charset = true };
	const char *word = s.from;

	for (const char *p = s.from; p < s.end; p++) {
		int kind = kind_of(*p);

		m.digits += kind == 1 ? 1 : 0;
		m.upper += kind == 2 ? 1 : 0;
		m.lower += kind == 3 ? 1 : 0;
		m.other += kind == 4 ? 1 : 0;
		m.changes += p > s.from && kind != kind_of(p[-1]) ? 1 : 0;
		m.is_hex = m.is_hex && around_is_hex(*p);
		m.is_charset = m.is_charset &&
			       (kind != 4 || (*p != '\0' && strchr("+/=_-.~", *p) != NULL));
		if (!around_is_letter(*p)) {
			m.worded += spoken(word, p);
			word = p + 1;
		} else if (p > word && kind == 2 && kind_of(p[-1]) == 3) {
			m.worded += spoken(word, p);
			word = p;
		}
	}
	m.worded += spoken(word, s.end);
	return m;
}

static bool is_uuid(struct span s)
{
	static const size_t dashes[] = { 8, 13, 18, 23 };

	if (s.end - s.from != 36)
		return false;
	for (size_t i = 0; i < 4; i++) {
		if (s.from[dashes[i]] != '-')
			return false;
	}
	return true;
}

static bool is_drawn_hex(const struct make *m, struct span s)
{
	return m->size >= HEX_LEAST && m->digits >= 4 && m->lower + m->upper >= 3 &&
	       (m->upper == 0 || m->lower == 0) && randomness_entropy(s) >= 2.8;
}

/* RegOpenKeyEx: most letters stand in runs of small ones behind a capital. */
static bool is_camel(struct span s)
{
	size_t inside = 0, run = 0;

	for (const char *p = s.from; p <= s.end; p++) {
		if (p < s.end && kind_of(*p) == 3) {
			run++;
			continue;
		}
		inside += run >= 2 ? run + 1 : 0;
		run = 0;
	}
	return inside * 4 >= (size_t)(s.end - s.from) * 3;
}

/* "x509_privkey_t", "id-Gost28147-89-None": words and numbers parted by signs. */
static bool is_compound(struct span s)
{
	size_t parts = 0, plain = 0;
	const char *from = s.from;

	for (const char *p = s.from; p <= s.end; p++) {
		if (p < s.end && strchr("_-.", *p) == NULL)
			continue;
		if (p > from) {
			struct span rest = { from + 1, p };
			bool is_plain = true;

			for (const char *q = rest.from; q < rest.end; q++)
				is_plain = is_plain && kind_of(*q) == kind_of(rest.from[0]);
			parts++;
			plain += is_plain ? 1 : 0;
		}
		from = p + 1;
	}
	return parts >= 3 && plain * 3 >= parts * 2;
}

bool randomness_is_key(struct span s)
{
	struct make m;
	size_t letters;

	while (s.end > s.from && s.end[-1] == '=')	/* padding */
		s.end--;
	m = look(s);
	letters = m.upper + m.lower;
	if (m.size < KEY_LEAST || !m.is_charset || letters == 0 || is_uuid(s))
		return false;
	if (m.is_hex && (m.upper == 0 || m.lower == 0))
		return is_drawn_hex(&m, s);
	if (m.digits == 0 && (m.upper == 0 || m.lower == 0))
		return false;
	if (m.other * 4 > m.size || m.worded * 3 > m.size || is_compound(s))
		return false;
	/* An identifier of mixed case: of drawn ones few have no digit at all. */
	if (m.digits == 0 && (m.other > 0 || m.changes * 3 < m.size || is_camel(s)))
		return false;
	if (randomness_entropy(s) < (m.size < 24 ? 3.2 : 3.5))
		return false;
	/* In drawn letters and digits every second or third neighbour is of another kind. */
	return m.changes * 4 >= m.size;
}

bool randomness_is_filler(struct span s)
{
	size_t size = (size_t)(s.end - s.from), same = 0, up = 0;

	for (size_t i = 1; i < size; i++) {
		same += s.from[i] == s.from[i - 1] ? 1 : 0;
		up += s.from[i] == s.from[i - 1] + 1 ? 1 : 0;
	}
	return size < 2 || same * 4 >= (size - 1) * 3 || (size >= 8 && up * 4 >= (size - 1) * 3);
}
