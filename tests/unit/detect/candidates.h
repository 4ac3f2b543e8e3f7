/*
 * For the tests of recognisers: a span with what stands around it, its table row by
 * id, a seeded generator, and sweeps over what is not quite right.
 */
#ifndef TESTS_UNIT_DETECT_CANDIDATES_H
#define TESTS_UNIT_DETECT_CANDIDATES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/detect/recogniser.h"

struct dice {
	uint64_t state;
};

static inline uint64_t dice_next(struct dice *d)	/* xorshift64*, Vigna 2014 */
{
	d->state ^= d->state >> 12;
	d->state ^= d->state << 25;
	d->state ^= d->state >> 27;
	return d->state * 2685821657736338717u;
}

static inline unsigned dice_below(struct dice *d, unsigned n)
{
	return (unsigned)((dice_next(d) >> 33) % n);
}

static inline void dice_digits(struct dice *d, char *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (char)('0' + dice_below(d, 10));
	out[count] = '\0';
}

static inline char dice_one_of(struct dice *d, const char *set)
{
	return set[dice_below(d, (unsigned)strlen(set))];
}

/* The row of one of our tables. */
static inline const struct recogniser *row_of(const char *id)
{
	const struct recogniser_table *const tables[] = { &recognisers_china,
		&recognisers_europe, &recognisers_world };

	for (size_t t = 0; t < 3; t++)
		for (size_t i = 0; i < tables[t]->count; i++)
			if (strcmp(tables[t]->rows[i].id, id) == 0)
				return &tables[t]->rows[i];
	fprintf(stderr, "no recogniser %s\n", id);
	abort();
}

/* What of a value the pattern matches, where that is not all of it (recogniser.h,
 * "value"). */
static inline void matched_of(const char *id, const char *value, size_t *from, size_t *size)
{
	const char *at;

	*from = 0;
	*size = strlen(value);
	if (strcmp(id, "cn-plate") == 0 && *size > 3) {
		*from = strstr(value, "·") ? 4 : 3;
		*size = strstr(value, "·") ? 6 : *size - 3;
		if (*size > 3 && (unsigned char)value[*from + *size - 1] >= 0x80)
			*size -= 3;
	} else if (strcmp(id, "hk-id") == 0 && (unsigned char)value[*size - 1] >= 0x80) {
		*size -= 7;
	} else if (strcmp(id, "passport-mrz") == 0 && (at = strstr(value, "<<<")) != NULL) {
		*from = (size_t)(at - value);
		*size = 4;
	}
}

/* The verdict on `value` between these two, in a copy that has nothing behind. */
static inline enum verdict verdict_in(const char *id, const char *before, const char *value,
				      const char *after, const char *label)
{
	const struct recogniser *row = row_of(id);
	size_t left = strlen(before), size = strlen(value), right = strlen(after);
	char *text = malloc(left + size + right);	/* no more: ASan sees a byte too far */
	enum verdict verdict = VERDICT_NO;
	struct candidate c = { .before = text, .after = text + left + size + right,
			       .label = label };
	size_t from;

	memcpy(text, before, left);
	memcpy(text + left, value, size);
	memcpy(text + left + size, after, right);
	matched_of(id, value, &from, &c.size);
	c.text = text + left + from;
	if (c.size >= row->min_size && c.size <= row->max_size)
		verdict = row->check(&c);
	free(text);
	return verdict;
}

static inline enum verdict verdict_on(const char *id, const char *value)
{
	return verdict_in(id, "", value, "", NULL);
}

/* Of the numbers that differ from `value` in one digit (is_swap: by two unequal
 * digits that stand beside each other, swapped): how many are not refused. */
static inline unsigned near_misses_passed(const char *id, const char *value, bool is_swap,
					  unsigned *tried)
{
	char text[256];
	unsigned passed = 0;
	size_t size = strlen(value);

	for (size_t i = 0; i < size; i++) {
		if (value[i] < '0' || value[i] > '9')
			continue;
		if (is_swap) {
			if (i + 1 >= size || value[i + 1] < '0' || value[i + 1] > '9' ||
			    value[i] == value[i + 1])
				continue;
			memcpy(text, value, size + 1);
			text[i] = value[i + 1];
			text[i + 1] = value[i];
			passed += verdict_on(id, text) != VERDICT_NO;
			(*tried)++;
			continue;
		}
		for (char c = '0'; c <= '9'; c++) {
			if (c == value[i])
				continue;
			memcpy(text, value, size + 1);
			text[i] = c;
			passed += verdict_on(id, text) != VERDICT_NO;
			(*tried)++;
		}
	}
	return passed;
}

/* Of `count` random fillings of `form` (9: a digit, A: a capital, X: either): how many
 * are valid by themselves. */
static inline unsigned random_hits(struct dice *d, const char *id, const char *form,
				   unsigned count)
{
	unsigned hits = 0;

	for (unsigned n = 0; n < count; n++) {
		char text[64];
		size_t i;

		for (i = 0; form[i] != '\0'; i++) {
			unsigned drawn = dice_below(d, form[i] == 'X' ? 36 : form[i] == 'A' ? 26 : 10);

			if (form[i] == '9' || (form[i] == 'X' && drawn < 10))
				text[i] = (char)('0' + drawn);
			else if (form[i] == 'A' || form[i] == 'X')
				text[i] = (char)('A' + (form[i] == 'X' ? drawn - 10 : drawn));
			else
				text[i] = form[i];
		}
		text[i] = '\0';
		hits += verdict_on(id, text) == VERDICT_VALID;
	}
	return hits;
}

#endif
