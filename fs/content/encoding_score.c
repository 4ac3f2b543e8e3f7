/*
 * Points by what a character is and, in alphabets, by its neighbours: an accented
 * letter stands between letters of its case, a sign does not stand inside a word.
 */
#include "fs/content/encoding_score.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define REPLACEMENT 0xfffd
#define INVALID_POINTS (-12.0)

/* U+FFFD for bytes that are no UTF-8: the caller's decoder made none such. */
static uint32_t next_char(const uint8_t **at, const uint8_t *end)
{
	const uint8_t *p = *at;
	unsigned more = p[0] < 0x80 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
	uint32_t c = more == 0 ? p[0] : p[0] & (0x3fu >> more);

	if ((size_t)(end - p) <= more) {
		*at = end;
		return REPLACEMENT;
	}
	for (unsigned i = 1; i <= more; i++)
		c = c << 6 | (p[i] & 0x3fu);
	*at = p + more + 1;
	return c;
}

static bool is_among(const char *sorted, const uint8_t *utf8)
{
	size_t low = 0, high = strlen(sorted) / 3;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = memcmp(sorted + 3 * middle, utf8, 3);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool is_in(const char *set, const uint8_t *utf8, size_t size)
{
	return memmem(set, strlen(set), utf8, size) != NULL;
}

static bool is_han(uint32_t c)
{
	return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) ||
	       (c >= 0x20000 && c <= 0x3ffff) || (c >= 0xf900 && c <= 0xfaff);
}

/* Marks and wide forms that all of East Asia shares. */
static double wide_points(uint32_t c, const uint8_t *utf8, size_t size)
{
	if (is_in("、。，：；？！（）「」『』《》〈〉【】“”‘’…—・　－～％／％￥", utf8, size))
		return 2;
	if (c >= 0xff01 && c <= 0xff5e)
		return 1.5;
	if (c >= 0x2500 && c <= 0x25ff)		/* ruled lines, bullets */
		return 0.5;
	if ((c >= 0x2460 && c <= 0x249b) || (c >= 0x2160 && c <= 0x2179) ||
	    is_in("①②③④⑤※→←↑↓×÷±°℃·", utf8, size))
		return 0.5;
	return -1.5;
}

static double han_points(uint32_t c, const uint8_t *utf8, const char *first,
			 const char *second, const char *other_first,
			 const char *other_second)
{
	if (c < 0x4e00 || c > 0x9fff)
		return -1.5;
	if (is_among(first, utf8))
		return 4;
	if (is_among(second, utf8))
		return 3;
	if (is_among(other_first, utf8) || is_among(other_second, utf8))
		return 1;
	return 0;
}

static double east_points(uint32_t c, const uint8_t *utf8, size_t size, enum writing w)
{
	if (is_han(c)) {
		if (w == WRITING_HANS)
			return han_points(c, utf8, encoding_hans_first, encoding_hans_second,
					  encoding_hant_first, encoding_hant_second);
		if (w == WRITING_HANT)
			return han_points(c, utf8, encoding_hant_first, encoding_hant_second,
					  encoding_hans_first, encoding_hans_second);
		if (w == WRITING_JPAN)
			return han_points(c, utf8, encoding_jpan_first, encoding_jpan_second,
					  encoding_hant_first, encoding_hant_second);
		return -0.5;
	}
	if (c >= 0x3041 && c <= 0x30fe)
		return w == WRITING_JPAN ? 3.5 : -0.5;
	if (c >= 0xff61 && c <= 0xff9f)
		return w == WRITING_JPAN ? 1 : -1;
	if (c >= 0xac00 && c <= 0xd7a3) {
		if (w != WRITING_KORE)
			return -2;
		return is_among(encoding_hang_first, utf8) ? 4 :
		       is_among(encoding_hang_second, utf8) ? 3 : 0.3;
	}
	return wide_points(c, utf8, size);
}

/* ---- alphabets ---------------------------------------------------------------------- */

struct alphabet {
	const char *often, *seldom;	/* lower case, or without case */
	const char *upper;
	double often_points, seldom_points;
	bool joins_ascii;		/* its words mix with ASCII letters */
};

static const struct alphabet latin = {
	.often = "éèêëàâäáãåçíîïñóôöõøúûüùßæœąęłśżźćńčšžřěůőűığşșțăāēīūėįų",
	.seldom = "ìòýďťňľĺŕđţðþÿģķļņ",
	.upper = "ÉÈÊËÀÂÄÁÃÅÇÍÎÏÑÓÔÖÕØÚÛÜÙÆŒĄĘŁŚŻŹĆŃČŠŽŘĚŮŐŰİĞŞȘȚĂĀĒĪŪĖĮŲ"
		 "ÌÒÝĎŤŇĽĹŔĐŢÐÞŸĢĶĻŅ",
	.often_points = 3, .seldom_points = 1, .joins_ascii = true,
};
static const struct alphabet cyrillic = {
	.often = "оеаинтсрвлкмдпуяьыгзбчйі",
	.seldom = "хжшюцщэфъёїєґў",
	.upper = "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁІЇЄҐЎ",
	.often_points = 3.5, .seldom_points = 1.5,
};
static const struct alphabet greek = {
	.often = "αοιετσνηρκπυλμςάίόέώή",
	.seldom = "γδωθχφβξζψύϊϋΐΰ",
	.upper = "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏ",
	.often_points = 3.5, .seldom_points = 1.8,
};
static const struct alphabet hebrew = {
	.often = "יוהלאמתרבשנםד",
	.seldom = "עכפחקסטצגזןךףץ",
	.upper = "", .often_points = 3.3, .seldom_points = 1.8,
};
static const struct alphabet arabic = {
	.often = "اليمونترهبسعدكفة",
	.seldom = "قحجشصطخءأإآئؤىضذثزغظپچژگ،؟",
	.upper = "", .often_points = 3.3, .seldom_points = 1.8,
};
static const struct alphabet thai = {
	.often = "านรอกเงมยลวดทสตะปบคหแจพชขใไโผ",
	.seldom = "ซถธศษณญภฟฝฉฬฮฐฎฏฑฒฆฌฤฯๆำ",
	.upper = "", .often_points = 2.6, .seldom_points = 1.2,
};

enum kind { KIND_NONE, KIND_ASCII_LOWER, KIND_ASCII_UPPER, KIND_LOWER, KIND_UPPER };

static enum kind ascii_kind(uint32_t c)
{
	return c >= 'a' && c <= 'z' ? KIND_ASCII_LOWER :
	       c >= 'A' && c <= 'Z' ? KIND_ASCII_UPPER : KIND_NONE;
}

/* What this character is worth by itself, and what it is for its neighbours. */
static double letter_points(const struct alphabet *a, uint32_t c, const uint8_t *utf8,
			    size_t size, enum kind *kind)
{
	*kind = KIND_NONE;
	if (is_in(a->often, utf8, size)) {
		*kind = KIND_LOWER;
		return a->often_points;
	}
	if (is_in(a->seldom, utf8, size)) {
		*kind = KIND_LOWER;
		return a->seldom_points;
	}
	if (is_in(a->upper, utf8, size)) {
		*kind = KIND_UPPER;
		return a->joins_ascii ? 2.2 : 1.8;
	}
	if (c >= 0x0591 && c <= 0x05c7)		/* points over Hebrew letters */
		return 1;
	if ((c >= 0x064b && c <= 0x0652) || (c >= 0x0e31 && c <= 0x0e4e) ||
	    (c >= 0x0660 && c <= 0x0669) || (c >= 0x0e50 && c <= 0x0e59)) {
		*kind = KIND_LOWER;
		return 2;
	}
	if (is_in("’‘“”„–—…•€™‚‹›№", utf8, size))
		return 2.2;
	if (is_in("«»°£§©®·¿¡ºª½¼¾±²³µ´\u00a0\u00ad¢¥×÷", utf8, size))
		return 1.2;
	if (c < 0xa0)				/* C1 controls */
		return -6;
	return -1.5;
}

struct neighbours {
	enum kind before2, before, self;
	double points;			/* of self, not yet added */
	bool is_sign;			/* self is neither letter nor ASCII */
	bool may_join;			/* ... an apostrophe or the like */
	unsigned run;			/* of letters beyond ASCII up to self */
};

/* self is judged when what follows it is known. */
static double settle(const struct neighbours *n, enum kind after, const struct alphabet *a)
{
	double points = n->points;

	if (n->is_sign) {
		if (n->before != KIND_NONE && after != KIND_NONE && !n->may_join)
			points -= 3;		/* a sign inside a word */
		return points;
	}
	if (n->self == KIND_UPPER &&
	    (n->before == KIND_LOWER || n->before == KIND_ASCII_LOWER))
		points -= 4;
	if (a->joins_ascii) {
		if (n->run >= 3)
			points -= 5;
		if (n->self == KIND_LOWER && n->before == KIND_ASCII_UPPER &&
		    n->before2 == KIND_ASCII_UPPER)
			points -= 2;
		if (n->before == KIND_NONE && after == KIND_NONE)
			points -= 1.2;
	} else if (n->before == KIND_ASCII_LOWER || n->before == KIND_ASCII_UPPER ||
		   after == KIND_ASCII_LOWER || after == KIND_ASCII_UPPER) {
		points -= 2.5;			/* two alphabets in one word */
	} else if (n->before == KIND_NONE && after == KIND_NONE) {
		points -= 1;
	}
	return points;
}

static double alphabet_score(const uint8_t *p, const uint8_t *end, const struct alphabet *a)
{
	struct neighbours n = { .self = KIND_NONE };
	bool is_pending = false;
	double sum = 0;
	size_t count = 0;

	while (p < end) {
		const uint8_t *start = p;
		uint32_t c = next_char(&p, end);
		enum kind kind = ascii_kind(c);
		double points = 0;

		if (c >= 0x80 && c != REPLACEMENT)
			points = letter_points(a, c, start, (size_t)(p - start), &kind);
		if (is_pending)
			sum += settle(&n, kind, a);
		is_pending = false;
		n.before2 = n.before;
		n.before = n.self;
		n.self = kind;
		n.run = kind == KIND_LOWER || kind == KIND_UPPER ? n.run + 1 : 0;
		if (c < 0x80)
			continue;
		count++;
		if (c == REPLACEMENT) {
			sum += INVALID_POINTS;
			continue;
		}
		n.points = points;
		n.is_sign = kind == KIND_NONE;
		n.may_join = c == 0x2019 || c == 0xb4 || c == 0xb7 || c == 0xad;
		is_pending = true;
	}
	if (is_pending)
		sum += settle(&n, KIND_NONE, a);
	return count == 0 ? 0 : sum / (double)count;
}

static double east_score(const uint8_t *p, const uint8_t *end, enum writing w)
{
	bool was_ascii_letter = false;
	double sum = 0;
	size_t count = 0;

	while (p < end) {
		const uint8_t *start = p;
		uint32_t c = next_char(&p, end);
		bool is_ascii_letter = ascii_kind(c) != KIND_NONE;

		if (c >= 0x80) {
			bool next_is_letter = p < end && ascii_kind(*p) != KIND_NONE;

			count++;
			sum += c == REPLACEMENT ? INVALID_POINTS :
			       c >= 0xe000 && c <= 0xf8ff ? -4 : c < 0xa0 ? -6 :
			       east_points(c, start, (size_t)(p - start), w);
			/* One wide character alone inside a Latin word. */
			if (was_ascii_letter && next_is_letter)
				sum -= 2;
		}
		was_ascii_letter = is_ascii_letter;
	}
	return count == 0 ? 0 : sum / (double)count;
}

double encoding_score(const void *utf8, size_t size, enum writing writing)
{
	static const struct alphabet *const alphabets[] = {
		[WRITING_LATN] = &latin, [WRITING_CYRL] = &cyrillic, [WRITING_GREK] = &greek,
		[WRITING_HEBR] = &hebrew, [WRITING_ARAB] = &arabic, [WRITING_THAI] = &thai,
	};
	const uint8_t *p = utf8;

	if (writing < WRITING_LATN)
		return east_score(p, p + size, writing);
	return alphabet_score(p, p + size, alphabets[writing]);
}
