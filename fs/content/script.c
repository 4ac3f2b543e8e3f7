/*
 * The script of most letters; which script a letter is of is glib's to know.
 */
#include <glib.h>
#include <string.h>

#include "fs/content/encoding.h"

#define LETTERS_MAX (64u << 10)	/* enough to tell */

struct tally {
	size_t script[G_UNICODE_SCRIPT_MATH + 1];	/* newer ones are rare */
};

static size_t han_and(const struct tally *t, GUnicodeScript a, GUnicodeScript b)
{
	return t->script[G_UNICODE_SCRIPT_HAN] + t->script[a] + (a == b ? 0 : t->script[b]);
}

static void name_of(GUnicodeScript script, char out[32])
{
	guint32 tag = g_unicode_script_to_iso15924(script);	/* four letters, big-endian */

	for (unsigned i = 0; i < 4; i++)
		out[i] = (char)(tag >> (24 - 8 * i));
	out[4] = '\0';
}

void script_detect(const void *utf8, size_t size, char script[32])
{
	struct tally t = { .script = { 0 } };
	const char *p = utf8, *end = p + size;
	size_t latin = 0, kana, best_count = 0;
	GUnicodeScript best = G_UNICODE_SCRIPT_INVALID_CODE;

	script[0] = '\0';
	for (size_t letters = 0; p < end && letters < LETTERS_MAX;) {
		gunichar c = (unsigned char)*p;

		if (c < 0x80) {
			bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

			latin += is_letter;
			letters += is_letter;
			p++;
			continue;
		}
		c = g_utf8_get_char_validated(p, end - p);
		if (c >= 0x110000) {
			p++;
			continue;
		}
		p = g_utf8_next_char(p);
		if (g_unichar_isalpha(c)) {
			GUnicodeScript s = g_unichar_get_script(c);

			letters++;
			if ((size_t)s < sizeof t.script / sizeof t.script[0])
				t.script[s]++;
		}
	}
	t.script[G_UNICODE_SCRIPT_LATIN] += latin;
	t.script[G_UNICODE_SCRIPT_COMMON] = t.script[G_UNICODE_SCRIPT_INHERITED] = 0;
	kana = t.script[G_UNICODE_SCRIPT_HIRAGANA] + t.script[G_UNICODE_SCRIPT_KATAKANA];
	for (size_t i = 0; i < sizeof t.script / sizeof t.script[0]; i++)
		if (t.script[i] > best_count) {
			best_count = t.script[i];
			best = (GUnicodeScript)i;
		}
	/* Han is one of two or three scripts that Japanese and Korean are written in. */
	if (kana > 0 && han_and(&t, G_UNICODE_SCRIPT_HIRAGANA, G_UNICODE_SCRIPT_KATAKANA) >= best_count &&
	    kana * 20 >= t.script[G_UNICODE_SCRIPT_HAN])
		memcpy(script, "Jpan", 5);
	else if (t.script[G_UNICODE_SCRIPT_HANGUL] > 0 &&
		 han_and(&t, G_UNICODE_SCRIPT_HANGUL, G_UNICODE_SCRIPT_HANGUL) >= best_count &&
		 t.script[G_UNICODE_SCRIPT_HANGUL] * 10 >= t.script[G_UNICODE_SCRIPT_HAN])
		memcpy(script, "Kore", 5);
	else if (best_count > 0 && best == G_UNICODE_SCRIPT_HAN)
		memcpy(script, "Hani", 5);
	else if (best_count > 0)
		name_of(best, script);
}
