#include "policy/detect/check.h"

#include <string.h>

#include "policy/detect/beside.h"
#include "policy/detect/checksum.h"
#include "policy/detect/written.h"

/* ---- United States --------------------------------------------------------------------- */

/* Printed in advertisements, wallets and forms, and void since (SSA); and examples. */
static bool is_famous(const char *digits)
{
	static const char *const famous[] = { "002281852", "042103580", "062360749",
		"078051120", "095073645", "111223333", "123121234", "123456789", "128036045",
		"135016629", "141186941", "165167999", "165187999", "165207999", "165227999",
		"165247999", "189092294", "212097694", "212099999", "219099999", "306302348",
		"308125070", "457555462", "468288779", "549241889" };

	for (size_t i = 0; i < sizeof famous / sizeof famous[0]; i++) {
		if (strcmp(digits, famous[i]) == 0)
			return true;
	}
	return written_all_same(digits, 9);
}

/* 3-2-4: one kind of separator, and "123 45 6789" is no "1234 56 789" (the patterns
 * see to the groups). */
static enum verdict form_of_ssn(const struct written *w)
{
	return w->by == '-' || w->by == ' ' ? VERDICT_VALID : VERDICT_WEAK;
}

enum verdict check_us_ssn(const struct candidate *c)
{
	struct written w;
	int area;

	if (!written_digits(c, " -.", 9, &w) || w.by == WRITTEN_MIXED || !beside_is_clear(c))
		return VERDICT_NO;
	area = written_number(w.chars, 3);
	if (area == 0 || area == 666 || area >= 900 || written_number(w.chars + 3, 2) == 0 ||
	    written_number(w.chars + 5, 4) == 0 || is_famous(w.chars))
		return VERDICT_NO;
	return beside_judge(c, "us-ssn", form_of_ssn(&w));
}

/* IRS: the ranges of the fourth and fifth digit that are ITINs (93 was never). */
enum verdict check_us_itin(const struct candidate *c)
{
	struct written w;
	int group;

	if (!written_digits(c, " -.", 9, &w) || w.by == WRITTEN_MIXED || !beside_is_clear(c))
		return VERDICT_NO;
	group = written_number(w.chars + 3, 2);
	if (w.chars[0] != '9' || group < 50 || (group > 65 && group < 70) || group == 89 ||
	    group == 93 || written_all_same(w.chars, 9))
		return VERDICT_NO;
	return beside_judge(c, "us-itin", form_of_ssn(&w));
}

/* ---- Canada ------------------------------------------------------------------------------ */

/* Social insurance number: Luhn; 0 and 8 begin none. */
enum verdict check_ca_sin(const struct candidate *c)
{
	struct written w;

	if (!written_digits(c, " -", 9, &w) || w.by == WRITTEN_MIXED || w.chars[0] == '0' ||
	    w.chars[0] == '8' || !checksum_luhn(w.chars, 9) || written_all_same(w.chars, 9) ||
	    !beside_is_clear(c))
		return VERDICT_NO;
	return beside_judge(c, "ca-sin", w.by == '\0' ? VERDICT_WEAK : VERDICT_VALID);
}

/* ---- Brazil ------------------------------------------------------------------------------- */

/* A check character of Receita Federal: weights 2, 3, ... from the right, starting
 * again after `last`; modulo 11, 10 counts 0.  Letters (CNPJ since July 2026) count
 * as ASCII less 48. */
static bool is_br_check(const char *chars, size_t count, unsigned last)
{
	unsigned sum = 0, weight = 2;

	for (size_t i = count; i-- > 0;) {
		sum += (unsigned)(chars[i] - '0') * weight;
		weight = weight == last ? 2 : weight + 1;
	}
	sum = sum * 10 % 11 % 10;
	return (unsigned)(chars[count] - '0') == sum;
}

enum verdict check_br_cpf(const struct candidate *c)
{
	struct written w;

	if (!written_digits(c, ".-", 11, &w) || written_all_same(w.chars, 11) ||
	    !is_br_check(w.chars, 9, 11) || !is_br_check(w.chars, 10, 11) || !beside_is_clear(c))
		return VERDICT_NO;
	return w.by != '\0' ? VERDICT_VALID : beside_judge(c, "br-cpf", VERDICT_WEAK);
}

enum verdict check_br_cnpj(const struct candidate *c)
{
	struct written w;
	bool is_branch;

	if (!written_read(c, "./-", &w) || w.count != 14 || w.letters == WRITTEN_LOWER ||
	    w.letters == WRITTEN_BOTH_CASES || !written_is_digit(w.chars[12]) ||
	    !written_is_digit(w.chars[13]) || written_all_same(w.chars, 14) ||
	    !is_br_check(w.chars, 12, 9) || !is_br_check(w.chars, 13, 9) || !beside_is_clear(c))
		return VERDICT_NO;
	if (w.by != '\0')
		return VERDICT_VALID;
	/* Nearly all firms have fewer than a hundred branches. */
	is_branch = memcmp(w.chars + 8, "00", 2) == 0 && memcmp(w.chars + 10, "00", 2) != 0;
	return beside_judge(c, "br-cnpj", is_branch ? VERDICT_VALID : VERDICT_WEAK);
}
