/* What the tests of recognisers assert again and again.  Behind cmocka.h. */
#ifndef TESTS_UNIT_DETECT_RULES_H
#define TESTS_UNIT_DETECT_RULES_H

#include "made_numbers.h"

#define SEED 88172645463325252u
#define MADE 2000		/* numbers made of each kind */
#define ORDINARY 100000		/* and ordinary ones held against it */

static inline void assert_verdict(const char *id, const char *value, enum verdict expected)
{
	enum verdict verdict = verdict_on(id, value);

	if (verdict != expected)
		fail_msg("%s: \"%s\" is %d, not %d", id, value, verdict, expected);
}

static inline void assert_verdict_in(const char *id, const char *before, const char *value,
				     const char *after, enum verdict expected)
{
	enum verdict verdict = verdict_in(id, before, value, after, NULL);

	if (verdict != expected)
		fail_msg("%s: \"%s[%s]%s\" is %d, not %d", id, before, value, after, verdict,
			 expected);
}

/* values: ended by NULL. */
static inline void assert_verdicts(const char *id, const char *const *values,
				   enum verdict expected)
{
	for (; *values != NULL; values++)
		assert_verdict(id, *values, expected);
}

static inline const struct maker *maker_of(const char *id)
{
	for (size_t i = 0; i < MAKERS; i++)
		if (strcmp(makers[i].id, id) == 0)
			return &makers[i];
	fail_msg("no maker of %s", id);
	return NULL;
}

static inline void assert_made_are(const char *id, enum verdict expected)
{
	struct dice d = { SEED };
	char value[MADE_MAX];

	for (unsigned n = 0; n < MADE; n++) {
		maker_of(id)->make(&d, value);
		assert_verdict(id, value, expected);
	}
}

/* Of a thousand numbers with one digit wrong (two swapped), at most so many pass. */
static inline void assert_misses_pass(const char *id, bool is_swap, unsigned per_mille)
{
	struct dice d = { SEED };
	unsigned tried = 0, passed = 0;
	char value[MADE_MAX];

	for (unsigned n = 0; n < 300; n++) {
		maker_of(id)->make(&d, value);
		passed += near_misses_passed(id, value, is_swap, &tried);
	}
	assert_true(tried > 0);
	if (passed * 1000ull > (unsigned long long)tried * per_mille)
		fail_msg("%s: %u of %u near misses pass, more than %u in a thousand", id, passed,
			 tried, per_mille);
}

struct chance {
	const char *id, *form;	/* random_hits() */
	unsigned most;		/* valid by themselves of ORDINARY */
};

static inline void assert_chances(const struct chance *chances, size_t count)
{
	struct dice d = { SEED };

	for (size_t i = 0; i < count; i++) {
		unsigned hits = random_hits(&d, chances[i].id, chances[i].form, ORDINARY);

		if (hits > chances[i].most)
			fail_msg("%s: %u of %u random \"%s\" count, more than %u", chances[i].id,
				 hits, ORDINARY, chances[i].form, chances[i].most);
	}
}

#endif
