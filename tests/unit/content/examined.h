/*
 * Looking into bytes in a test, with a recogniser of our own: "TKN-" and four
 * digits, which no shipped one knows.
 */
#ifndef TESTS_UNIT_CONTENT_EXAMINED_H
#define TESTS_UNIT_CONTENT_EXAMINED_H

#include <string.h>

#include "fs/base/err.h"
#include "fs/content/look.h"

struct bench {
	struct recognisers *recognisers;
	struct looker *looker;
	struct examination seen;	/* of the last file */
};

static inline int bench_open(void **state)
{
	static char *words[] = { (char *)"token", NULL };
	static const struct custom_recogniser custom = {
		.id = (char *)"test-token", .pattern = (char *)"\\bTKN-[0-9]{4}\\b",
		.context = words, .alone = 50, .in_context = 90,
	};
	static struct bench bench;
	struct err e = ERR_NONE;

	memset(&bench, 0, sizeof bench);
	if (recognisers_new(&custom, 1, &bench.recognisers, &e) < 0 ||
	    looker_new(bench.recognisers, NULL, &bench.looker, &e) < 0) {
		print_error("%s\n", e.text);
		return -1;
	}
	*state = &bench;
	return 0;
}

static inline int bench_close(void **state)
{
	struct bench *b = *state;

	examination_clear(&b->seen);
	looker_free(b->looker);
	recognisers_free(b->recognisers);
	return 0;
}

/* What was found of the test's own recogniser; NULL: nothing. */
static inline const struct finding *examined(struct bench *b, const char *name,
					     const void *data, size_t size)
{
	struct input *in = input_of_memory(data, size);
	struct err e = ERR_NONE;
	const struct finding *found = NULL;

	examination_clear(&b->seen);
	if (looker_examine(b->looker, in, name, &b->seen, &e) < 0)
		fail_msg("%s", e.text);
	input_free(in);
	for (size_t i = 0; i < b->seen.finding_count; i++)
		if (strcmp(b->seen.findings[i].id, "test-token") == 0)
			found = &b->seen.findings[i];
	return found;
}

#endif
