/*
 * Points by what a character is and, in alphabets, by its neighbours: an accented
 * letter stands between letters of its case, a sign does not stand inside a word.
 */
#include "fs/content/encoding_score.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

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

static bool is_han(uint32_t c)
{
	return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) ||
	       (c >= 0x20000 && c <= 0x3ffff) || (c >= 0xf900 && c <= 0xfaff);
}

/* Marks and wide forms that all of East Asia shares. */
static double wide_points(uint32_t c)
{
	if (wcschr(L"、。，：；？！（）「」『』《》〈〉【】“”‘’…—・　－～％／￥", (wchar_t)c) != NULL)
		return 2;
	if (c >= 0xff01 && c <= 0xff5e)
		return 1.5;
	if (c >= 0x2500 && c <= 0x25ff)		/* ruled lines, bullets */
		return 0.5;
	if ((c >= 0x2460 && c <= 0x249b) || (c >= 0x2160 && c <= 0x2179) ||
	    wcschr(L"※→←↑↓×÷±°℃·", (wchar_t)c) != NULL)
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

static double east_points(uint32_t c, const uint8_t *utf8, enum writing w)
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
	return wide_points(c);
}

/* ---- alphabets ---------------------------------------------------------------------- */

/* How often a letter stands in the languages that are written with it. */
enum letter { LETTER_NONE, LETTER_FIRST, LETTER_SECOND, LETTER_THIRD, LETTER_RARE, LETTER_UPPER };

#define FIRST_LETTER 0x370
#define LAST_LETTER 0xe5f
#define A(c) [L##c - FIRST_LETTER] = LETTER_FIRST,
#define B(c) [L##c - FIRST_LETTER] = LETTER_SECOND,
#define C(c) [L##c - FIRST_LETTER] = LETTER_THIRD,
#define D(c) [L##c - FIRST_LETTER] = LETTER_RARE,
#define U(c) [L##c - FIRST_LETTER] = LETTER_UPPER,

static const uint8_t letters[LAST_LETTER - FIRST_LETTER + 1] = {
	A('о') A('е') A('а') A('и') A('н') A('т') A('с') A('р')
	B('л') B('в') B('к') B('м') B('д') B('п') B('у') B('я') B('ы') B('і')
	C('ь') C('г') C('з') C('б') C('ч') C('й') C('х') C('ж') C('ш') C('ю') C('ї') C('є')
	D('ц') D('щ') D('э') D('ф') D('ъ') D('ё') D('ґ') D('ў')
	U('А') U('Б') U('В') U('Г') U('Д') U('Е') U('Ж') U('З') U('И') U('Й') U('К') U('Л')
	U('М') U('Н') U('О') U('П') U('Р') U('С') U('Т') U('У') U('Ф') U('Х') U('Ц') U('Ч')
	U('Ш') U('Щ') U('Ъ') U('Ы') U('Ь') U('Э') U('Ю') U('Я') U('Ё') U('І') U('Ї') U('Є')
	U('Ґ') U('Ў')
	A('α') A('ο') A('ι') A('ε') A('τ') A('σ') A('ν') A('η')
	B('ρ') B('κ') B('π') B('υ') B('λ') B('μ') B('ς') B('ά') B('ί') B('ό')
	C('έ') C('ώ') C('ή') C('γ') C('δ') C('ω') C('θ') C('χ') C('φ') C('β')
	D('ξ') D('ζ') D('ψ') D('ύ') D('ϊ') D('ϋ') D('ΐ') D('ΰ')
	U('Α') U('Β') U('Γ') U('Δ') U('Ε') U('Ζ') U('Η') U('Θ') U('Ι') U('Κ') U('Λ') U('Μ')
	U('Ν') U('Ξ') U('Ο') U('Π') U('Ρ') U('Σ') U('Τ') U('Υ') U('Φ') U('Χ') U('Ψ') U('Ω')
	U('Ά') U('Έ') U('Ή') U('Ί') U('Ό') U('Ύ') U('Ώ')
	A('י') A('ו') A('ה') A('ל') A('א')
	B('ת') B('ר') B('מ') B('ב') B('ש') B('נ') B('ם')
	C('ד') C('ע') C('ק') C('ח') C('פ') C('כ')
	D('ט') D('ז') D('ס') D('ג') D('צ') D('ן') D('ך') D('ף') D('ץ')
	A('ا') A('ل') A('ي') A('م') A('و') A('ن') A('ت')
	B('ر') B('ه') B('ب') B('س') B('ع') B('د') B('ك') B('ف') B('ة')
	C('ق') C('ح') C('ج') C('ش') C('ص') C('ط') C('خ') C('ء')
	D('أ') D('إ') D('آ') D('ئ') D('ؤ') D('ى') D('ض') D('ذ') D('ث') D('ز') D('غ') D('ظ')
	D('پ') D('چ') D('ژ') D('گ') D('،') D('؟')
	A('า') A('น') A('ร') A('อ') A('ก') A('เ') A('ง') A('ม') A('ย') A('ล') A('ว') A('ด')
	A('ท') A('ส') A('ต')
	B('ะ') B('ป') B('บ') B('ค') B('ห') B('แ') B('จ') B('พ') B('ช') B('ข') B('ใ') B('ไ')
	B('โ') B('ผ')
	C('ซ') C('ถ') C('ธ') C('ศ') C('ษ') C('ณ') C('ญ') C('ภ') C('ฟ') C('ฝ') C('ฉ') C('ฬ')
	C('ฮ')
	D('ฐ') D('ฎ') D('ฏ') D('ฑ') D('ฒ') D('ฆ') D('ฌ') D('ฤ') D('ฯ') D('ๆ') D('ำ')
};
#undef A
#undef B
#undef C
#undef D
#undef U

struct alphabet {
	uint32_t first, last;		/* its letters beyond ASCII */
	double points[LETTER_UPPER + 1];
};

static const struct alphabet cyrillic = { 0x400, 0x4ff, { 0, 4, 3.2, 2, 0.5, 2 } };
static const struct alphabet greek = { 0x370, 0x3ff, { 0, 4, 3.2, 2.2, 0.8, 2 } };
static const struct alphabet hebrew = { 0x5d0, 0x5ea, { 0, 4, 3.4, 2.3, 1.5, 0 } };
static const struct alphabet arabic = { 0x60c, 0x6ff, { 0, 4, 3.4, 2.2, 1.2, 0 } };
static const struct alphabet thai = { 0xe01, 0xe5b, { 0, 3.2, 2.6, 1.6, 0.8, 0 } };

enum kind { KIND_NONE, KIND_ASCII_LOWER, KIND_ASCII_UPPER, KIND_LOWER, KIND_UPPER };

static enum kind ascii_kind(uint32_t c)
{
	return c >= 'a' && c <= 'z' ? KIND_ASCII_LOWER :
	       c >= 'A' && c <= 'Z' ? KIND_ASCII_UPPER : KIND_NONE;
}

/* What a sign is worth that is no letter. */
static double sign_points(uint32_t c)
{
	if (c == 0xa0)				/* before the colon in French */
		return 2.8;
	if (wcschr(L"’‘“”„–—…•€™‚‹›№«»¿¡", (wchar_t)c) != NULL)
		return 2.2;
	if (wcschr(L"°£§©®·ºª½±²³", (wchar_t)c) != NULL)
		return 1.6;
	if (wcschr(L"¼¾µ´\u00ad¢¥×÷", (wchar_t)c) != NULL)
		return 0.8;
	return c < 0xa0 ? -6 : -1.5;		/* C1 controls */
}

/* What a letter is worth by itself, and what it is for its neighbours. */
static double letter_points(const struct alphabet *a, uint32_t c, enum kind *kind)
{
	enum letter letter = c >= a->first && c <= a->last ?
		(enum letter)letters[c - FIRST_LETTER] : LETTER_NONE;

	*kind = letter == LETTER_NONE ? KIND_NONE :
		letter == LETTER_UPPER ? KIND_UPPER : KIND_LOWER;
	if (letter != LETTER_NONE)
		return a->points[letter];
	if (c >= 0x0591 && c <= 0x05c7)		/* points over Hebrew letters */
		return 1;
	if ((c >= 0x064b && c <= 0x0652) || (c >= 0x0e31 && c <= 0x0e4e) ||
	    (c >= 0x0660 && c <= 0x0669) || (c >= 0x0e50 && c <= 0x0e59)) {
		*kind = KIND_LOWER;
		return 2;
	}
	return sign_points(c);
}

/* ---- our own alphabet --------------------------------------------------------------------- */

#define LATIN_FIRST 0xc0u
#define LATIN_LAST 0x21bu
#define IN_LANGUAGE 3.0
#define IN_REGION 1.5			/* of names from next door */
#define ELSEWHERE (-0.5)

static const wchar_t west[] = L"éèêëàâäáãåçíîïñóôöøúüùßæœ";
static const wchar_t east[] = L"áčćďěéíĺľłňńóôöőŕřśšťúüůűýžżźąęëäăâîșțşţ";
static const wchar_t baltic[] = L"āčēģīķļņšūžąęėįųäõöüé";
static const wchar_t south[] = L"çğıöşüâîé";

/* The letters beyond ASCII of each language: a text is in one of them. */
static const struct {
	const wchar_t *region, *letters;
} languages[] = {
	{ west, L"éèêëàâùûîïôçœæÿ" }, { west, L"äöüßé" }, { west, L"áéíóúñü" },
	{ west, L"áâãàçéêíóôõúü" }, { west, L"àèéìòùíáóú" }, { west, L"åäöéü" },
	{ west, L"æøåéö" }, { west, L"éëïöüèê" }, { west, L"àèéíïòóúüç" },
	{ west, L"áéíóúýðþæö" }, { west, L"ëç" }, { east, L"ąćęłńóśźż" },
	{ east, L"áčďéěíňóřšťúůýž" }, { east, L"áäčďéíĺľňóôŕšťúýž" }, { east, L"áéíóöőúüű" },
	{ east, L"ăâîșțşţ" }, { east, L"čćđšž" }, { south, L"çğıöşüâî" },
	{ baltic, L"äõöüšž" }, { baltic, L"āčēģīķļņšūž" }, { baltic, L"ąčęėįšųūž" },
};
#define LANGUAGES (sizeof languages / sizeof languages[0])

static uint32_t lower(uint32_t c)
{
	if (c >= 0xc0 && c <= 0xde && c != 0xd7)
		return c + 0x20;
	if (c == 0x130)
		return 0x131;
	if (c == 0x178)
		return 0xff;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c + (c & 1);
	if ((c >= 0x100 && c <= 0x177 && c != 0x131) || (c >= 0x218 && c <= LATIN_LAST))
		return c | 1;
	return c;
}

static bool is_latin(uint32_t c)
{
	return c >= LATIN_FIRST && c <= LATIN_LAST && c != 0xd7 && c != 0xf7 &&
	       (c <= 0x17f || c >= 0x218);
}

/* Of the letters that were counted, by the language that explains most of them. */
static double language_points(const uint32_t counts[LATIN_LAST - LATIN_FIRST + 1])
{
	double best = -1e9;

	for (size_t i = 0; i < LANGUAGES; i++) {
		double sum = 0;

		for (uint32_t c = LATIN_FIRST; c <= LATIN_LAST; c++)
			if (counts[c - LATIN_FIRST] > 0)
				sum += counts[c - LATIN_FIRST] *
				       (wcschr(languages[i].letters, (wchar_t)c) != NULL ?
					IN_LANGUAGE :
					wcschr(languages[i].region, (wchar_t)c) != NULL ?
					IN_REGION : ELSEWHERE);
		if (sum > best)
			best = sum;
	}
	return best;
}

/* ---- words --------------------------------------------------------------------------------- */

struct neighbours {
	enum kind before2, before, self;
	bool is_sign;			/* self is neither letter nor ASCII */
	bool may_join;			/* ... an apostrophe or the like */
	bool opens;			/* ... that stands behind no letter */
	unsigned run;			/* of letters beyond ASCII up to self */
};

/*
 * What its neighbours tell of a character, when what follows it is known.  a: NULL:
 * our own alphabet, whose words mix with ASCII letters.
 */
static double settle(const struct neighbours *n, enum kind after, const struct alphabet *a)
{
	double points = 0;

	if (n->is_sign) {
		if (n->before != KIND_NONE && after != KIND_NONE && !n->may_join)
			return -3;		/* a sign inside a word */
		return n->before != KIND_NONE && n->opens ? -2 : 0;
	}
	if (n->before == KIND_NONE && after == KIND_NONE)
		return a == NULL ? -1.2 : -2;	/* a word of one letter tells little */
	if (n->self == KIND_UPPER &&
	    (n->before == KIND_LOWER || n->before == KIND_ASCII_LOWER))
		points -= 4;
	if (a == NULL) {
		if (n->run >= 3)
			points -= 5;
		if (n->self == KIND_LOWER && n->before == KIND_ASCII_UPPER &&
		    n->before2 == KIND_ASCII_UPPER)
			points -= 2;
	} else if (n->before == KIND_ASCII_LOWER || n->before == KIND_ASCII_UPPER ||
		   after == KIND_ASCII_LOWER || after == KIND_ASCII_UPPER) {
		points -= 2.5;			/* two alphabets in one word */
	}
	return points;
}

static void move_on(struct neighbours *n, uint32_t c, enum kind kind)
{
	n->before2 = n->before;
	n->before = n->self;
	n->self = kind;
	n->run = kind == KIND_LOWER || kind == KIND_UPPER ? n->run + 1 : 0;
	n->is_sign = kind == KIND_NONE;
	n->may_join = c == 0x2019 || c == 0xb4 || c == 0xb7 || c == 0xad;
	n->opens = wcschr(L"¿¡«±¶¼½¾¹£", (wchar_t)c) != NULL;
}

static double alphabet_score(const uint8_t *p, const uint8_t *end, const struct alphabet *a)
{
	uint32_t counts[LATIN_LAST - LATIN_FIRST + 1] = { 0 };
	struct neighbours n = { .self = KIND_NONE };
	bool is_pending = false;
	double sum = 0;
	size_t count = 0;

	for (;;) {
		bool is_end = p >= end;
		uint32_t c = is_end ? ' ' : next_char(&p, end);
		enum kind kind = ascii_kind(c);
		double points = 0;

		if (c == REPLACEMENT) {
			points = INVALID_POINTS;
		} else if (c >= 0x80 && a != NULL) {
			points = letter_points(a, c, &kind);
		} else if (c >= 0x80 && is_latin(c)) {
			kind = lower(c) == c ? KIND_LOWER : KIND_UPPER;
			counts[lower(c) - LATIN_FIRST]++;
		} else if (c >= 0x80) {
			points = sign_points(c);
		}
		if (is_pending)
			sum += settle(&n, kind, a);
		if (is_end)
			break;
		is_pending = c >= 0x80 && c != REPLACEMENT;
		count += c >= 0x80;
		sum += points;
		move_on(&n, c, kind);
	}
	if (a == NULL)
		sum += language_points(counts);
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
			       east_points(c, start, w);
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
		[WRITING_LATN] = NULL, [WRITING_CYRL] = &cyrillic, [WRITING_GREK] = &greek,
		[WRITING_HEBR] = &hebrew, [WRITING_ARAB] = &arabic, [WRITING_THAI] = &thai,
	};
	const uint8_t *p = utf8;

	if (writing < WRITING_LATN)
		return east_score(p, p + size, writing);
	return alphabet_score(p, p + size, alphabets[writing]);
}
