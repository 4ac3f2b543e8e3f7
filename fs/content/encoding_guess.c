/*
 * The bytes are decoded in every encoding that they may be in, and what comes out
 * is judged (encoding_score.c): text that people wrote wins over characters by
 * chance.  uchardet, which knows the statistics of more languages but is weak on
 * short text, has a vote.
 */
#include "fs/content/encoding_guess.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uchardet/uchardet.h>

#include "fs/base/err.h"
#include "fs/content/encoding_score.h"

#define SAMPLE_MAX 4096		/* bytes judged: words with bytes above 0x7f */
#define SHORT_MAX 512u		/* ... by every encoding; all of them by the best ones */
#define MARGIN 1.0		/* points that the rest may bring */
#define VOTE 0.4		/* points for what uchardet says ... */
#define VOTE_LATN 0.2		/* ... of alphabets like ours, where it errs more */
#define TEXT_MIN 0.3		/* points of what can be called text */

struct candidate {
	const char *name;
	enum writing writing;
	double prior;		/* points: how common it is where others say the same */
};

static const struct candidate candidates[] = {
	{ "gb18030", WRITING_HANS, 0.2 },
	{ "big5", WRITING_HANT, 0.1 },
	{ "gb18030", WRITING_HANT, -0.6 },
	{ "shift_jis", WRITING_JPAN, 0 },
	{ "euc-jp", WRITING_JPAN, 0 },
	{ "euc-kr", WRITING_KORE, 0 },
	{ "johab", WRITING_KORE, -0.3 },
	{ "euc-tw", WRITING_HANT, -0.3 },
	{ "iso-8859-1", WRITING_LATN, 0.5 },
	{ "windows-1252", WRITING_LATN, 0.47 },
	{ "iso-8859-15", WRITING_LATN, 0.3 },
	{ "iso-8859-2", WRITING_LATN, 0 },
	{ "windows-1250", WRITING_LATN, 0.05 },
	{ "iso-8859-9", WRITING_LATN, 0 },
	{ "windows-1254", WRITING_LATN, -0.05 },
	{ "windows-1257", WRITING_LATN, -0.1 },
	{ "ibm850", WRITING_LATN, -0.4 },
	{ "macintosh", WRITING_LATN, -0.5 },
	{ "windows-1251", WRITING_CYRL, 0.1 },
	{ "koi8-r", WRITING_CYRL, 0 },
	{ "iso-8859-5", WRITING_CYRL, -0.05 },
	{ "ibm866", WRITING_CYRL, -0.05 },
	{ "ibm855", WRITING_CYRL, -0.2 },
	{ "x-mac-cyrillic", WRITING_CYRL, -0.25 },
	{ "iso-8859-7", WRITING_GREK, 0.05 },
	{ "windows-1253", WRITING_GREK, 0 },
	{ "windows-1255", WRITING_HEBR, -0.1 },
	{ "windows-1256", WRITING_ARAB, -0.1 },
	{ "iso-8859-6", WRITING_ARAB, -0.15 },
	{ "tis-620", WRITING_THAI, -0.2 },
};

/* A byte that no encoding has as second byte of a character. */
static bool parts_characters(uint8_t c)
{
	return c < 0x30;
}

/* The words that hold bytes above 0x7f, a space between.  True if the last one was
 * cut off. */
static bool gather(const uint8_t *p, size_t size, bool is_all, uint8_t *sample, size_t *made)
{
	size_t i = 0;

	*made = 0;
	while (i < size) {
		size_t start, end;

		i += encoding_ascii_prefix(p + i, size - i);
		if (i == size)
			break;
		start = i;
		while (start > 0 && i - start < 32 && !parts_characters(p[start - 1]))
			start--;
		for (end = i; end < size && !parts_characters(p[end]); end++)
			;
		if (*made + (end - start) + 1 > SAMPLE_MAX) {
			size_t room = SAMPLE_MAX - *made;

			if (*made > SAMPLE_MAX / 2)
				return false;
			memcpy(sample + *made, p + start, room);
			*made = SAMPLE_MAX;
			return true;
		}
		memcpy(sample + *made, p + start, end - start);
		*made += end - start;
		if (end == size)
			return !is_all;
		sample[(*made)++] = ' ';
		i = end;
	}
	return false;
}

/* What the sample says in this encoding: 1; 0: it cannot be said in it. */
static int decode(const char *name, const uint8_t *sample, size_t size, bool is_cut,
		  uint8_t *out, size_t room, size_t *made, struct err *e)
{
	struct decoder *d = NULL;
	struct err unknown = ERR_NONE;
	uint64_t invalid;
	size_t used;

	if (decoder_new(name, &d, &unknown) < 0) {
		if (unknown.code != MUNI_NO_MEMORY)
			return 0;
		*e = unknown;
		return -1;
	}
	decoder_run(d, sample, size, !is_cut, out, room, &used, made);
	invalid = decoder_invalid(d);
	decoder_free(d);
	return used == size && invalid * 20 < size;
}

/* Lower case, by the names that we use; "" where it says nothing. */
static int ask_uchardet(const uint8_t *p, size_t size, char name[ENCODING_NAME_MAX],
			struct err *e)
{
	static const char *const aliases[][2] = {
		{ "gb18030", "gb18030" }, { "gb2312", "gb18030" }, { "gbk", "gb18030" },
		{ "uhc", "euc-kr" }, { "euc-kr", "euc-kr" }, { "mac-cyrillic", "x-mac-cyrillic" },
		{ "shift_jis", "shift_jis" }, { "ascii", "" }, { "hz-gb-2312", "" },
	};
	uchardet_t u = uchardet_new();
	const char *said;

	name[0] = '\0';
	if (u == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to tell encodings apart");
	if (uchardet_handle_data(u, (const char *)p, size)
	    == 0) {
		uchardet_data_end(u);
		said = uchardet_get_charset(u);
		for (size_t i = 0; said[i] != '\0' && i + 1 < ENCODING_NAME_MAX; i++) {
			name[i] = said[i] >= 'A' && said[i] <= 'Z' ? (char)(said[i] + 32)
								   : said[i];
			name[i + 1] = '\0';
		}
		for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
			if (strcmp(name, aliases[i][0]) == 0) {
				snprintf(name, ENCODING_NAME_MAX, "%s", aliases[i][1]);
				break;
			}
	}
	uchardet_delete(u);
	return 0;
}

static bool has_c1(const uint8_t *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] >= 0x80 && p[i] <= 0x9f)
			return true;
	return false;
}

/* Nothing reads like text: what it is most often, so that the ASCII in it is read. */
static void settle_for(const uint8_t *p, size_t size, const char *vote,
		       char encoding[ENCODING_NAME_MAX])
{
	const char *name = has_c1(p, size) ? "windows-1252" : "iso-8859-1";

	if (vote[0] != '\0' && encoding_iconv_name(vote) != NULL && !encoding_is_utf8(vote))
		name = vote;
	snprintf(encoding, ENCODING_NAME_MAX, "%s", name);
}

#define CANDIDATES (sizeof candidates / sizeof candidates[0])
#define UNREADABLE (-100.0)

static size_t count_high(const uint8_t *p, size_t size)
{
	size_t high = 0;

	for (size_t i = 0; i < size; i++)
		high += p[i] >= 0x80;
	return high;
}

/* What the bytes say in it, judged. */
static int points_of(const struct candidate *c, const uint8_t *sample, size_t size,
		     bool is_cut, const char *vote, double *points, struct err *e)
{
	uint8_t text[4 * SAMPLE_MAX];
	size_t length;
	int rc = decode(c->name, sample, size, is_cut, text, sizeof text, &length, e);

	*points = UNREADABLE;
	if (rc <= 0)
		return rc;
	*points = c->prior;
	if (strcmp(vote, c->name) == 0)
		*points += c->writing == WRITING_LATN ? VOTE_LATN : VOTE;
	/* The more text, the less what is common counts. */
	*points *= 0.15 + 0.85 / (1 + (double)count_high(sample, size) / 15);
	*points += encoding_score(text, length, c->writing);
	return 0;
}

/* A short look at all of them, a longer one at those that may be it. */
static int best_of(const uint8_t *sample, size_t size, bool is_cut, const char *vote,
		   const struct candidate **chosen, double *best, struct err *e)
{
	double points[CANDIDATES], first = UNREADABLE;
	size_t short_size = size < SHORT_MAX ? size : SHORT_MAX;

	for (size_t i = 0; i < CANDIDATES; i++) {
		if (points_of(&candidates[i], sample, short_size, is_cut || short_size < size,
			      vote, &points[i], e) < 0)
			return -1;
		if (points[i] > first)
			first = points[i];
	}
	*best = UNREADABLE;
	*chosen = NULL;
	for (size_t i = 0; i < CANDIDATES; i++) {
		if (points[i] == UNREADABLE || points[i] < first - MARGIN)
			continue;
		if (short_size < size && points_of(&candidates[i], sample, size, is_cut, vote,
						   &points[i], e) < 0)
			return -1;
		if (points[i] > *best) {
			*best = points[i];
			*chosen = &candidates[i];
		}
	}
	return 0;
}

int encoding_guess_wide(const void *data, size_t size, const char **name, double *best,
			struct err *e)
{
	static const char *const names[] = { "utf-16le", "utf-16be" };
	size_t length;

	size = size < SHORT_MAX ? size : SHORT_MAX;
	*name = NULL;
	*best = UNREADABLE;
	for (size_t i = 0; i < 2; i++) {
		uint8_t text[2 * SHORT_MAX];
		int rc = decode(names[i], data, size, true, text, sizeof text, &length, e);

		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		for (enum writing w = WRITING_HANS; w <= WRITING_KORE; w++) {
			double points = encoding_score(text, length, w);

			if (points > *best) {
				*best = points;
				*name = names[i];
			}
		}
	}
	return 0;
}

int encoding_guess(const void *data, size_t size, bool is_all,
		   char encoding[ENCODING_NAME_MAX], double *best, struct err *e)
{
	const struct candidate *chosen;
	uint8_t sample[SAMPLE_MAX];
	char vote[ENCODING_NAME_MAX];
	size_t made;
	bool is_cut = gather(data, size, is_all, sample, &made);

	encoding[0] = '\0';
	*best = UNREADABLE;
	if (made == 0)
		return 0;
	if (ask_uchardet(sample, made, vote, e) < 0 ||
	    best_of(sample, made, is_cut, vote, &chosen, best, e) < 0)
		return -1;
	if (chosen == NULL || *best < TEXT_MIN)
		settle_for(sample, made, vote, encoding);
	else
		snprintf(encoding, ENCODING_NAME_MAX, "%s", chosen->name);
	return 0;
}
