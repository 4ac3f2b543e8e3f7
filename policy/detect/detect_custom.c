/*
 * Recognisers out of a policy file, as rows like ours.  Everything is copied: the
 * policy may be gone before the compiled set is.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/detect/checksum.h"
#include "policy/detect/detect_inside.h"

#define DIGITS_MAX 64

/* ---- checks by name ------------------------------------------------------------------ */

static enum verdict any(const struct candidate *c)
{
	(void)c;
	return VERDICT_VALID;
}

static enum verdict digits_pass(const struct candidate *c, bool (*is_right)(const char *, size_t))
{
	char digits[DIGITS_MAX];
	int count = checksum_digits(c->text, c->size, " -./", digits, sizeof digits);

	return count > 1 && is_right(digits, (size_t)count) &&
	       !checksum_is_trivial(digits, (size_t)count) ? VERDICT_VALID : VERDICT_NO;
}

static enum verdict alnum_pass(const struct candidate *c, bool (*is_right)(const char *, size_t))
{
	char text[DIGITS_MAX];
	int count = checksum_alnum(c->text, c->size, " -./", text, sizeof text);

	return count > 1 && is_right(text, (size_t)count) ? VERDICT_VALID : VERDICT_NO;
}

static enum verdict luhn(const struct candidate *c)
{
	return digits_pass(c, checksum_luhn);
}

static enum verdict mod97(const struct candidate *c)
{
	return alnum_pass(c, checksum_mod97);
}

static enum verdict verhoeff(const struct candidate *c)
{
	return digits_pass(c, checksum_verhoeff);
}

static enum verdict mod11_2(const struct candidate *c)
{
	return alnum_pass(c, checksum_mod11_2);
}

static enum verdict mod11_10(const struct candidate *c)
{
	return digits_pass(c, checksum_mod11_10);
}

static const struct {
	const char *name;
	enum verdict (*check)(const struct candidate *c);
} checks[] = {
	{ "luhn", luhn }, { "mod97", mod97 }, { "verhoeff", verhoeff },
	{ "mod11-2", mod11_2 }, { "mod11-10", mod11_10 },
};

/* ---- rows ---------------------------------------------------------------------------- */

static int refuse(const struct custom_recogniser *custom, struct err *e, const char *why)
{
	return err_set(e, MUNI_USAGE, "custom recogniser \"%s\": %s",
		       custom->id ? text_printable(custom->id) : "", why);
}

static int check_by_name(const struct custom_recogniser *custom, struct recogniser *row,
			 struct err *e)
{
	row->check = any;
	if (!custom->check)
		return 0;
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
		if (strcmp(checks[i].name, custom->check) == 0) {
			row->check = checks[i].check;
			return 0;
		}
	return refuse(custom, e, "its check is none of luhn, mod97, verhoeff, mod11-2, mod11-10");
}

/* NULL without memory. */
static const char *const *copy_list(const char *const *words, size_t count)
{
	char **copy = calloc(count + 1, sizeof *copy);

	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = strdup(words[i]);
		if (!copy[i]) {
			for (size_t k = 0; k < i; k++)
				free(copy[k]);
			free(copy);
			return NULL;
		}
		for (char *c = copy[i]; *c != '\0'; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c - 'A' + 'a');
	}
	return (const char *const *)copy;
}

static void free_list(const char *const *words)
{
	for (size_t i = 0; words && words[i]; i++)
		free((char *)words[i]);
	free((void *)words);
}

static int copy_texts(const struct custom_recogniser *custom, struct recogniser *row,
		      struct err *e)
{
	const char **pattern = calloc(2, sizeof *pattern);
	size_t count = 0;

	while (custom->context && custom->context[count])
		count++;
	row->patterns = pattern;
	row->id = strdup(custom->id);
	row->title = strdup(custom->title ? custom->title : custom->id);
	row->context = copy_list((const char *const *)custom->context, count);
	if (pattern)
		pattern[0] = strdup(custom->pattern);
	if (pattern && pattern[0] && row->id && row->title && row->context)
		return 0;
	detect_custom_clear(row);
	return err_set(e, MUNI_NO_MEMORY, "no memory for the custom recognisers");
}

int detect_custom_row(const struct custom_recogniser *custom, struct recogniser *row,
		      struct err *e)
{
	*row = (struct recogniser){ .min_size = 1, .max_size = SPAN_MAX,
				    .ignores_case = custom->ignores_case,
				    .alone = custom->alone, .in_context = custom->in_context,
				    .masking = MASK_ENDS, .sensitivity = custom->sensitivity };
	if (!custom->id || !*custom->id)
		return refuse(custom, e, "it has no id");
	if (strlen(custom->id) >= FINDING_ID_MAX)
		return refuse(custom, e, "its id is too long");
	if (recogniser_find(custom->id))
		return refuse(custom, e, "its id is one of the built-in recognisers'; choose another");
	if (!custom->pattern || !*custom->pattern)
		return refuse(custom, e, "it has no pattern");
	if (custom->alone > 100 || custom->in_context > 100)
		return refuse(custom, e, "a confidence is a percentage: 0 to 100");
	if (custom->alone == 0 && (!custom->context || !custom->context[0]))
		return refuse(custom, e, "it counts only in context, but no context words are given");
	for (size_t i = 0; custom->context && custom->context[i]; i++)
		if (!*custom->context[i])
			return refuse(custom, e, "a context word is empty");
	if (row->in_context < row->alone)
		row->in_context = row->alone;
	if (check_by_name(custom, row, e) < 0)
		return -1;
	return copy_texts(custom, row, e);
}

void detect_custom_clear(struct recogniser *row)
{
	free((char *)row->id);
	free((char *)row->title);
	free_list(row->patterns);
	free_list(row->context);
	*row = (struct recogniser){ 0 };
}
