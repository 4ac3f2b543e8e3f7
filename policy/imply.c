/*
 * Proofs about conditions, by their form alone: does one hold always, never, or
 * whenever another does?  "No" means only that no proof was found.
 */
#include "policy/condition.h"

#include <string.h>

#include "policy/glob.h"

/* ---- single tests ------------------------------------------------------------------------- */

static bool are_globs_within(const struct condition *a, const struct condition *b)
{
	for (size_t i = 0; i < a->count; i++) {
		size_t k = 0;

		while (k < b->count && !glob_is_within(a->globs[i], b->globs[k]))
			k++;
		if (k == b->count)
			return false;
	}
	return true;
}

static bool are_globs_apart(const struct condition *a, const struct condition *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++)
			if (!glob_is_apart(a->globs[i], b->globs[k]))
				return false;
	return true;
}

static bool is_among(const char *text, const struct condition *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(text, c->texts[i]) == 0)
			return true;
	return false;
}

static bool are_texts_within(const struct condition *a, const struct condition *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (!is_among(a->texts[i], b))
			return false;
	return true;
}

static bool are_accounts_within(const struct condition *a, const struct condition *b)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct account *x = &a->accounts[i];
		bool is_found = false;

		for (size_t k = 0; k < b->count && !is_found; k++) {
			const struct account *y = &b->accounts[k];

			if ((x->name == NULL) != (y->name == NULL))
				continue;
			is_found = x->name == NULL ? x->number == y->number
						   : glob_is_within(x->name, y->name);
		}
		if (!is_found)
			return false;
	}
	return true;
}

/* Fewer kinds, more values, more certainty: that implies the other. */
static bool is_detect_within(const struct condition *a, const struct condition *b)
{
	return a->min >= b->min && a->confidence >= b->confidence &&
	       (b->count == 0 || (a->count > 0 && are_texts_within(a, b)));
}

/*
 * Whatever day it begins on, a is no shorter than b.  By parts, or by so much that the
 * lengths of months, which differ from their mean by less than four days over any
 * stretch, make no difference.
 */
static bool is_surely_longer(const struct period *a, const struct period *b)
{
	const int64_t month = 30436875, day = 1000000, slack = 8 * day;
	int64_t a_months = 12ll * a->years + a->months, b_months = 12ll * b->years + b->months;

	if (a->is_forever || b->is_forever)
		return a->is_forever;
	if (a_months >= b_months && a->days >= b->days)
		return true;
	return a_months * month + a->days * day >= b_months * month + b->days * day + slack;
}

static bool is_age_within(const struct condition *a, const struct condition *b)
{
	if (a->stamp != b->stamp || a->is_older != b->is_older)
		return false;
	return a->is_older ? is_surely_longer(&a->period, &b->period)
			   : is_surely_longer(&b->period, &a->period);
}

/* Both single tests of the same kind. */
static bool is_within(const struct condition *a, const struct condition *b)
{
	switch (a->kind) {
	case CONDITION_PATH:
	case CONDITION_NAME:
	case CONDITION_FORMAT:
	case CONDITION_CLAIMED:
	case CONDITION_DUPLICATE_OF:
	case CONDITION_ENCODING:
	case CONDITION_SCRIPT:
		return are_globs_within(a, b);
	case CONDITION_EXTENSION:
		return are_texts_within(a, b);
	case CONDITION_OWNER:
	case CONDITION_GROUP:
		return are_accounts_within(a, b);
	case CONDITION_SIZE:
	case CONDITION_DEPTH:
		return a->min >= b->min && a->max <= b->max;
	case CONDITION_EXTENSION_LIES:
	case CONDITION_EMPTY:
	case CONDITION_DUPLICATE:
	case CONDITION_OPAQUE:
		return a->is_wanted == b->is_wanted;
	case CONDITION_AGE:
		return is_age_within(a, b);
	case CONDITION_MODE:
	case CONDITION_KIND:
		return (a->bits & ~b->bits) == 0;
	case CONDITION_DETECT:
		return is_detect_within(a, b);
	case CONDITION_SENSITIVITY:
		return a->sensitivity >= b->sensitivity;
	default:
		return false;	/* expressions are not compared */
	}
}

static bool implies_other_kind(const struct condition *a, const struct condition *b)
{
	if (a->kind == CONDITION_CLAIMED && b->kind == CONDITION_EXTENSION_LIES)
		return b->is_wanted;
	if (a->kind == CONDITION_DUPLICATE_OF && b->kind == CONDITION_DUPLICATE)
		return b->is_wanted;
	if (a->kind == CONDITION_SIZE && b->kind == CONDITION_KIND)
		return (b->bits >> FACTS_FILE & 1) != 0;
	if (a->kind == CONDITION_SIZE && b->kind == CONDITION_EMPTY)
		return b->is_wanted ? a->max == 0 : a->min > 0;
	return false;
}

static bool needs_findings(const struct condition *c)
{
	return c->kind == CONDITION_DETECT ||
	       (c->kind == CONDITION_SENSITIVITY && c->sensitivity > SENSITIVITY_PUBLIC);
}

/* No item meets both single tests. */
static bool is_apart(const struct condition *a, const struct condition *b)
{
	if (needs_findings(a) && b->kind == CONDITION_EMPTY)
		return b->is_wanted;	/* nothing stands in it */
	if (a->kind == CONDITION_SIZE && b->kind == CONDITION_EMPTY)
		return b->is_wanted ? a->min > 0 : a->max == 0;
	if (a->kind == CONDITION_SIZE && b->kind == CONDITION_KIND)
		return (b->bits >> FACTS_FILE & 1) == 0;
	if ((a->kind == CONDITION_CLAIMED && b->kind == CONDITION_EXTENSION_LIES) ||
	    (a->kind == CONDITION_DUPLICATE_OF && b->kind == CONDITION_DUPLICATE))
		return !b->is_wanted;
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case CONDITION_PATH:
	case CONDITION_NAME:
	case CONDITION_FORMAT:
	case CONDITION_CLAIMED:
	case CONDITION_DUPLICATE_OF:
	case CONDITION_ENCODING:
	case CONDITION_SCRIPT:
		return are_globs_apart(a, b);
	case CONDITION_SIZE:
	case CONDITION_DEPTH:
		return a->min > b->max || b->min > a->max;
	case CONDITION_EXTENSION_LIES:
	case CONDITION_EMPTY:
	case CONDITION_DUPLICATE:
	case CONDITION_OPAQUE:
		return a->is_wanted != b->is_wanted;
	case CONDITION_KIND:
		return (a->bits & b->bits) == 0;
	case CONDITION_AGE: {
		const struct condition *older = a->is_older ? a : b;
		const struct condition *newer = a->is_older ? b : a;

		return a->stamp == b->stamp && a->is_older != b->is_older &&
		       is_surely_longer(&older->period, &newer->period);
	}
	default:
		return false;
	}
}

static bool is_single_always(const struct condition *c)
{
	switch (c->kind) {
	case CONDITION_PATH:
	case CONDITION_NAME:
		for (size_t i = 0; i < c->count; i++)
			if (glob_is_everything(c->globs[i]))
				return true;
		return false;
	case CONDITION_DEPTH:
		return c->min <= 1 && c->max == UINT64_MAX;
	case CONDITION_SENSITIVITY:
		return c->sensitivity == SENSITIVITY_PUBLIC;
	case CONDITION_KIND:
		return c->bits == 0xf;
	default:
		return false;
	}
}

static bool is_single_never(const struct condition *c)
{
	if (c->kind == CONDITION_AGE)
		return c->period.is_forever && c->is_older;
	return c->kind == CONDITION_DEPTH && c->max < 1;
}

/* ---- trees ------------------------------------------------------------------------------------ */

static bool is_spent(unsigned *steps)
{
	if (*steps == 0)
		return true;
	(*steps)--;
	return false;
}

bool condition_is_always(const struct condition *c, unsigned *steps)
{
	if (is_spent(steps))
		return false;
	switch (c->kind) {
	case CONDITION_ALL:
		for (size_t i = 0; i < c->count; i++)
			if (!condition_is_always(&c->children[i], steps))
				return false;
		return true;
	case CONDITION_ANY:
		for (size_t i = 0; i < c->count; i++)
			if (condition_is_always(&c->children[i], steps))
				return true;
		/* "this, or not this" */
		for (size_t i = 0; i < c->count; i++)
			for (size_t k = 0; k < c->count; k++)
				if (c->children[k].kind == CONDITION_NOT &&
				    condition_implies(c->children[k].children,
						      &c->children[i], steps))
					return true;
		return false;
	case CONDITION_NOT:
		return condition_is_never(c->children, steps);
	default:
		return is_single_always(c);
	}
}

bool condition_is_never(const struct condition *c, unsigned *steps)
{
	if (is_spent(steps))
		return false;
	switch (c->kind) {
	case CONDITION_ALL:
		for (size_t i = 0; i < c->count; i++) {
			if (condition_is_never(&c->children[i], steps))
				return true;
			for (size_t k = i + 1; k < c->count; k++)
				if (condition_excludes(&c->children[i], &c->children[k], steps))
					return true;
		}
		return false;
	case CONDITION_ANY:
		for (size_t i = 0; i < c->count; i++)
			if (!condition_is_never(&c->children[i], steps))
				return false;
		return true;
	case CONDITION_NOT:
		return condition_is_always(c->children, steps);
	default:
		return is_single_never(c);
	}
}

static bool implies_tree(const struct condition *a, const struct condition *b, unsigned *steps)
{
	switch (b->kind) {
	case CONDITION_ALL:
		for (size_t i = 0; i < b->count; i++)
			if (!condition_implies(a, &b->children[i], steps))
				return false;
		return true;
	case CONDITION_ANY:
		for (size_t i = 0; i < b->count; i++)
			if (condition_implies(a, &b->children[i], steps))
				return true;
		return false;
	case CONDITION_NOT:
		if (a->kind == CONDITION_NOT)
			return condition_implies(b->children, a->children, steps);
		return condition_excludes(a, b->children, steps);
	default:
		return false;
	}
}

/* What one path or format condition names is spread over the branches of "any". */
static bool implies_by_parts(const struct condition *a, const struct condition *b,
			     unsigned *steps)
{
	if (b->kind != CONDITION_ANY || a->count < 2 ||
	    (a->kind != CONDITION_PATH && a->kind != CONDITION_NAME &&
	     a->kind != CONDITION_FORMAT && a->kind != CONDITION_EXTENSION))
		return false;
	for (size_t i = 0; i < a->count; i++) {
		struct condition part = *a;

		part.count = 1;
		if (a->kind == CONDITION_EXTENSION)
			part.texts = &a->texts[i];
		else
			part.globs = &a->globs[i];
		if (!condition_implies(&part, b, steps))
			return false;
	}
	return true;
}

bool condition_implies(const struct condition *a, const struct condition *b, unsigned *steps)
{
	if (is_spent(steps))
		return false;
	if (condition_is_always(b, steps) || condition_is_never(a, steps))
		return true;
	if (a->kind == CONDITION_ANY) {
		for (size_t i = 0; i < a->count; i++)
			if (!condition_implies(&a->children[i], b, steps))
				return false;
		return true;
	}
	if (condition_is_tree(b) && implies_tree(a, b, steps))
		return true;
	if (a->kind == CONDITION_ALL) {
		for (size_t i = 0; i < a->count; i++)
			if (condition_implies(&a->children[i], b, steps))
				return true;
		return false;
	}
	if (implies_by_parts(a, b, steps))
		return true;
	if (condition_is_tree(a) || condition_is_tree(b))
		return false;
	return a->kind == b->kind ? is_within(a, b) : implies_other_kind(a, b);
}

bool condition_excludes(const struct condition *a, const struct condition *b, unsigned *steps)
{
	if (is_spent(steps))
		return false;
	for (int turn = 0; turn < 2; turn++) {
		const struct condition *x = turn == 0 ? a : b, *y = turn == 0 ? b : a;

		if (x->kind == CONDITION_ALL) {
			for (size_t i = 0; i < x->count; i++)
				if (condition_excludes(&x->children[i], y, steps))
					return true;
		} else if (x->kind == CONDITION_ANY) {
			size_t i = 0;

			while (i < x->count && condition_excludes(&x->children[i], y, steps))
				i++;
			if (i == x->count)
				return true;
		} else if (x->kind == CONDITION_NOT) {
			if (condition_implies(y, x->children, steps))
				return true;
		}
	}
	return !condition_is_tree(a) && !condition_is_tree(b) && (is_apart(a, b) || is_apart(b, a));
}
