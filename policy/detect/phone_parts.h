/*
 * A telephone number as it is written: groups of digits and what parts them.
 */
#ifndef POLICY_DETECT_PHONE_PARTS_H
#define POLICY_DETECT_PHONE_PARTS_H

#include <stdbool.h>
#include <stddef.h>

struct candidate;

#define PHONE_GROUPS_MAX 8
#define PHONE_DIGITS_MAX 20

struct phone_group {
	size_t size;
	const char *end;
	char then;		/* what parts it from the next: ' ', '-', '.', '/', ')'; 0: none */
};

struct phone {
	const char *start, *end;
	bool has_plus;
	bool has_brackets;	/* around the first group, or the one behind a single digit */
	size_t count, digit_count;
	struct phone_group groups[PHONE_GROUPS_MAX];
	char digits[PHONE_DIGITS_MAX + 1];	/* without the "+" */
};

/* From the start of the match as far as groups follow each other. */
bool phone_parse(const struct candidate *c, struct phone *out);
/* The first groups of it. */
void phone_cut(const struct phone *whole, size_t count, struct phone *out);

/* Ten digits behind +1. */
bool phone_is_north_american(const char *digits);

#endif
