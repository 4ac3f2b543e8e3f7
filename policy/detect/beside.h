/*
 * What stands beside a span, and what that makes of it.  A check digit lets one
 * number in ten through: the neighbours keep order numbers, amounts, telephone
 * numbers and pieces of UUIDs out.
 *
 * Pure, and looks no further than 256 bytes to either side, so that a finding
 * does not depend on how the text was cut (D2 of detect.h).
 */
#ifndef POLICY_DETECT_BESIDE_H
#define POLICY_DETECT_BESIDE_H

#include <stdbool.h>

#include "policy/detect/recogniser.h"

/* False where the span is a piece of something longer: of a run of letters and
 * digits, a decimal number, a chain joined by hyphens that holds digits (a UUID, a
 * part number), a grouped number, a mail address. */
bool beside_is_clear(const struct candidate *c);

/* In an address or a path: it names a thing, seldom a person. */
bool beside_is_in_url(const struct candidate *c);

/* A currency sign or a unit at it. */
bool beside_is_amount(const struct candidate *c);

enum naming {
	NAMING_NONE,
	NAMING_SELF,		/* the nearest name before it is this recogniser's */
	NAMING_OTHER,		/* ... that of another kind of number: "order no. " */
};

/* By the label if it names something, else by the nearest name on the same line
 * before the span. */
enum naming beside_naming(const struct candidate *c, const char *id);

/*
 * The verdict on a number whose rule holds, written in a form that is worth
 * `form`: one level less where it is called something else or is an amount, and
 * never VERDICT_VALID in an address.  For rules so strong that no ordinary number
 * passes them, the form's own worth is the verdict and this is not asked.
 */
enum verdict beside_judge(const struct candidate *c, const char *id, enum verdict form);

/* A name of a kind of number: lower case; id NULL: none that we recognise. */
struct beside_name {
	const char *word;
	const char *id;
};
extern const struct beside_name beside_names[];		/* in order of the first byte */
extern const size_t beside_name_count;

#endif
