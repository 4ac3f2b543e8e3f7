/* D5: several threads search one text, and nothing that is found tells how many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fs/base/err.h"
#include "policy/detect/detect.h"
#include "tests/unit/detect/candidates.h"

#define SIZE (2500u << 10)

struct fixture {
	struct recognisers *set;
	struct detector *detector;
	char *text;
};

static int set_up(void **state)
{
	static struct fixture f;
	struct err e = ERR_NONE;

	f.text = malloc(SIZE + 64);
	if (f.text == NULL || recognisers_new(NULL, 0, &f.set, &e) < 0 ||
	    detector_new(f.set, &f.detector, &e) < 0)
		return -1;
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	detector_free(f->detector);
	recognisers_free(f->set);
	free(f->text);
	return 0;
}

/* Numbers, words that give context, characters of three bytes and broken ones, parted by
 * what is drawn from `parts`. */
static void fill(struct fixture *f, uint64_t seed, const char *parts)
{
	static const char *const words[] = { "ssn", "phone", "电话", "born", "order", "ip", "card",
		"password=Tr0ub4dor.3", "a@example.com", "10.1.2.3", "+49 30 901820", "\xe4\xb8",
		"\xff", "4111 1111 1111 1111", "943 476 5919", "1984-03-12", "::1", "2001:db8::7" };
	struct dice d = { seed };
	char *at = f->text, *end = f->text + SIZE;

	while (at < end) {
		if (dice_below(&d, 2) == 0) {
			const char *word = words[dice_below(&d, sizeof words / sizeof words[0])];

			memcpy(at, word, strlen(word));
			at += strlen(word);
		} else {
			size_t size = 1 + dice_below(&d, 20);

			dice_digits(&d, at, size);
			at += size;
		}
		*at++ = dice_one_of(&d, parts);
	}
}

/* By the place alone, as a table's: it is asked from several threads. */
static const char *label_of(void *arg, uint64_t offset, struct passage_cursor *cursor)
{
	static const char *const labels[] = { NULL, "ssn", "password", "order_no", "phone" };

	(void)arg;
	cursor->offset = offset;
	return labels[offset / 4096 % 5];
}

static void place_of(void *arg, uint64_t offset, char out[SAMPLE_WHERE_MAX])
{
	(void)arg;
	snprintf(out, SAMPLE_WHERE_MAX, "page %llu", (unsigned long long)(offset >> 16));
}

struct told {
	size_t count;
	struct finding *findings;
};

/* threads 0: a passage that may not be shared. */
static struct told look(struct fixture *f, unsigned threads, size_t piece, bool has_labels)
{
	struct passage passage = { .label = has_labels ? label_of : NULL, .place = place_of,
				   .names_secrets = has_labels, .is_shared = threads > 0 };
	struct err e = ERR_NONE;
	struct told t = { .count = 0 };
	const struct finding *found;

	detector_use_threads(f->detector, threads);
	detector_reset(f->detector);
	detector_begin(f->detector, &passage);
	for (size_t at = 0; at < SIZE; at += piece)
		assert_int_equal(detector_feed(f->detector, f->text + at,
					       SIZE - at < piece ? SIZE - at : piece, &e), 0);
	assert_int_equal(detector_end(f->detector, &e), 0);
	found = detector_findings(f->detector, &t.count);
	t.findings = malloc(t.count * sizeof *found + 1);
	memcpy(t.findings, found, t.count * sizeof *found);
	detector_use_threads(f->detector, 1);
	return t;
}

static void assert_same(const struct told *a, const struct told *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		assert_string_equal(a->findings[i].id, b->findings[i].id);
		assert_int_equal(a->findings[i].count, b->findings[i].count);
		assert_string_equal(a->findings[i].where, b->findings[i].where);
		assert_memory_equal(&a->findings[i], &b->findings[i], sizeof a->findings[i]);
	}
}

static void hold_against_one(struct fixture *f, bool has_labels)
{
	static const struct {
		unsigned threads;
		size_t piece;
	} ways[] = { { 1, 1u << 20 }, { 2, 256u << 10 }, { 3, 77777 }, { 4, SIZE }, { 9, 1u << 20 } };
	struct told one = look(f, 0, 64u << 10, has_labels);

	assert_true(one.count > 5);
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		struct told t = look(f, ways[i].threads, ways[i].piece, has_labels);

		assert_same(&one, &t);
		free(t.findings);
	}
	free(one.findings);
}

static void lines_give_the_same_findings_on_any_number_of_threads(void **state)
{
	struct fixture *f = *state;

	fill(f, 7, "  ,;\n=:-.");
	hold_against_one(f, false);
}

static void cells_give_the_same_findings_on_any_number_of_threads(void **state)
{
	struct fixture *f = *state;

	fill(f, 11, "\x1f\x1f\x1f\x1e ");
	hold_against_one(f, true);
}

/* A passage may take its word back between two pieces: what it was asked about until then
 * lies no further back than it was told. */
struct asked {
	uint64_t fed;		/* offset of the piece that is being fed */
	uint64_t furthest;	/* before it */
	struct passage passage;
};

static void note_place(void *arg, uint64_t offset, char out[SAMPLE_WHERE_MAX])
{
	struct asked *a = arg;

	if (offset < a->fed && a->fed - offset > a->furthest)
		a->furthest = a->fed - offset;
	snprintf(out, SAMPLE_WHERE_MAX, "%llu", (unsigned long long)(offset >> 19));
}

static void nobody_is_asked_about_more_than_was_agreed(void **state)
{
	struct fixture *f = *state;
	struct asked a = { .passage = { .place = note_place, .is_shared = true } };
	struct err e = ERR_NONE;
	size_t piece = 100000;

	fill(f, 13, "\n ");
	a.passage.arg = &a;
	detector_use_threads(f->detector, 4);
	detector_reset(f->detector);
	detector_begin(f->detector, &a.passage);
	for (size_t at = 0; at < SIZE; at += piece) {
		a.fed = at;
		if (at >= SIZE / 2 && a.passage.is_shared) {
			assert_true(a.furthest > 0 && a.furthest <= DETECT_SHARED);
			a.passage.is_shared = false;
		} else if (at >= SIZE / 2) {
			assert_true(a.furthest <= 64u << 10);
		}
		assert_int_equal(detector_feed(f->detector, f->text + at,
					       SIZE - at < piece ? SIZE - at : piece, &e), 0);
		if (at < SIZE / 2 || at - SIZE / 2 < piece)
			a.furthest = at < SIZE / 2 ? a.furthest : 0;
	}
	assert_int_equal(detector_end(f->detector, &e), 0);
	detector_use_threads(f->detector, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_give_the_same_findings_on_any_number_of_threads),
		cmocka_unit_test(cells_give_the_same_findings_on_any_number_of_threads),
		cmocka_unit_test(nobody_is_asked_about_more_than_was_agreed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
