#include "policy/words.h"

#include <stdio.h>
#include <string.h>

#include "policy/policy.h"

int words_find(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return -1;
}

const char *words_list(const char *const *words, size_t count, char out[WORDS_TEXT_MAX])
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		const char *between = i == 0 ? "" : i + 1 == count ? " or " : ", ";

		if (used + strlen(between) + strlen(words[i]) + 8 > WORDS_TEXT_MAX) {
			snprintf(out + used, WORDS_TEXT_MAX - used, ", ...");
			break;
		}
		used += (size_t)snprintf(out + used, WORDS_TEXT_MAX - used, "%s%s", between,
					 words[i]);
	}
	return out;
}

#define DISTANCE_MAX 63		/* longer words are near nothing */

/* Levenshtein's distance, with two neighbours exchanged as one step, ASCII case
 * aside. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned rows[3][DISTANCE_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	for (unsigned j = 0; j <= nb; j++)
		above[j] = j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *spare = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned change = above[j - 1] + ((a[i - 1] | 0x20) != (b[j - 1] | 0x20));
			unsigned least = above[j] < row[j - 1] ? above[j] + 1 : row[j - 1] + 1;

			least = change < least ? change : least;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < least)
				least = before[j - 2] + 1;
			row[j] = least;
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[nb];
}

const char *words_nearest(const char *const *words, size_t count, const char *word)
{
	size_t size = strlen(word);
	const char *nearest = NULL;
	unsigned least = 0;

	if (size > DISTANCE_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(words[i]);
		unsigned d;

		if (other > DISTANCE_MAX)
			continue;
		d = distance(word, size, words[i], other);
		if (d <= 1 + other / 3 && d < other && (nearest == NULL || d < least)) {
			nearest = words[i];
			least = d;
		}
	}
	/* "older" for "older-than". */
	for (size_t i = 0; nearest == NULL && size >= 3 && i < count; i++)
		if (strncmp(words[i], word, size) == 0)
			nearest = words[i];
	return nearest;
}

/* ---- the words of policy.h -------------------------------------------------------------- */

static const char *const decisions[] = { "review", "migrate", "archive", "destroy" };
static const char *const importances[] = { "low", "normal", "high", "vital" };
static const char *const sensitivities[] = { "public", "internal", "confidential",
					     "restricted" };
static const char *const thens[] = { "destroy", "review", "transfer", "keep" };

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *word_of(const char *const *words, size_t count, unsigned index)
{
	return index < count ? words[index] : "unknown";
}

const char *decision_name(enum decision d)
{
	return word_of(decisions, COUNT(decisions), (unsigned)d);
}

const char *importance_name(enum importance i)
{
	return word_of(importances, COUNT(importances), (unsigned)i);
}

const char *sensitivity_name(enum sensitivity s)
{
	return word_of(sensitivities, COUNT(sensitivities), (unsigned)s);
}

const char *then_name(enum then t)
{
	return word_of(thens, COUNT(thens), (unsigned)t);
}

int decision_parse(const char *text, enum decision *out)
{
	int i = words_find(decisions, COUNT(decisions), text);

	if (i < 0)
		return -1;
	*out = (enum decision)i;
	return 0;
}

int importance_parse(const char *text, enum importance *out)
{
	int i = words_find(importances, COUNT(importances), text);

	if (i < 0)
		return -1;
	*out = (enum importance)i;
	return 0;
}

int sensitivity_parse(const char *text, enum sensitivity *out)
{
	int i = words_find(sensitivities, COUNT(sensitivities), text);

	if (i < 0)
		return -1;
	*out = (enum sensitivity)i;
	return 0;
}

int then_parse(const char *text, enum then *out)
{
	int i = words_find(thens, COUNT(thens), text);

	if (i < 0)
		return -1;
	*out = (enum then)i;
	return 0;
}
