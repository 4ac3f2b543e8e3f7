/*
 * What the detector finds in a text: for tests of recognisers as they are used.
 */
#ifndef TESTS_UNIT_DETECT_FINDS_H
#define TESTS_UNIT_DETECT_FINDS_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "fs/base/err.h"
#include "policy/detect/detect.h"

struct finds {
	struct recognisers *set;
	struct detector *detector;
};

static inline int finds_open(void **state)
{
	static struct finds f;
	struct err e = ERR_NONE;

	if (recognisers_new(NULL, 0, &f.set, &e) < 0 || detector_new(f.set, &f.detector, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return -1;
	}
	*state = &f;
	return 0;
}

static inline int finds_close(void **state)
{
	struct finds *f = *state;

	detector_free(f->detector);
	recognisers_free(f->set);
	return 0;
}

static inline const char *finds_label(void *arg, uint64_t offset,
				      struct passage_cursor *cursor)
{
	(void)offset;
	(void)cursor;
	return arg;
}

/* All findings of the text; label NULL: it is no cell. */
static inline const struct finding *finds_in(struct finds *f, const char *text, const char *label,
					     size_t *count)
{
	struct passage passage = { .label = finds_label, .arg = (void *)(uintptr_t)label,
				   .names_secrets = label != NULL };
	struct err e = ERR_NONE;

	detector_reset(f->detector);
	detector_begin(f->detector, label != NULL ? &passage : NULL);
	assert_int_equal(detector_feed(f->detector, text, strlen(text), &e), 0);
	assert_int_equal(detector_end(f->detector, &e), 0);
	return detector_findings(f->detector, count);
}

/* id, once, and nothing else; id NULL: nothing at all. */
static inline void assert_finds_only(struct finds *f, const char *text, const char *label,
				     const char *id)
{
	size_t count;
	const struct finding *found = finds_in(f, text, label, &count);
	const char *what = count > 0 ? found[0].id : "nothing";

	if (count != (id != NULL ? 1 : 0) || (id != NULL && strcmp(found[0].id, id) != 0) ||
	    (id != NULL && found[0].count != 1)) {
		fprintf(stderr, "\"%s\": %s, not %s\n", text, what, id != NULL ? id : "nothing");
		fail();
	}
}

#endif
