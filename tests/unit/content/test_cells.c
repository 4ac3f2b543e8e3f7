/* Many small texts in one pass: each keeps its label, its place, and its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/content/look_inside.h"

static const char card[] = "4111111111111111";

struct fixture {
	struct recognisers *r;
	struct looker k;
	struct look look;
	struct examination out;
	struct item item;
	struct cells *cells;
	struct err e;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	if (!f || recognisers_new(NULL, 0, &f->r, &f->e) < 0 ||
	    detector_new(f->r, &f->k.detector, &f->e) < 0)
		return -1;
	f->look = (struct look){ .k = &f->k, .out = &f->out, .item = &f->item };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	detector_free(f->k.detector);
	recognisers_free(f->r);
	free(f);
	return 0;
}

static void begin(struct fixture *f)
{
	detector_reset(f->k.detector);
	f->cells = cells_new(&f->look);
	assert_non_null(f->cells);
}

static void add(struct fixture *f, const char *label, const char *place, const char *text)
{
	assert_int_equal(cells_add(f->cells, label, place, text, strlen(text), &f->e), 0);
}

static void row(struct fixture *f)
{
	assert_int_equal(cells_row(f->cells, &f->e), 0);
}

static const struct finding *end(struct fixture *f, size_t *count)
{
	assert_int_equal(cells_end(f->cells, &f->e), 0);
	cells_free(f->cells);
	return detector_findings(f->k.detector, count);
}

static void a_cell_keeps_its_place_label_and_offset(void **state)
{
	struct fixture *f = *state;
	const struct finding *found;
	size_t count;

	begin(f);
	add(f, "name", "people.name", "Alice");
	add(f, "card_no", "people.card_no", "visa 4111111111111111");
	row(f);
	found = end(f, &count);
	assert_int_equal(count, 1);
	assert_string_equal(found->id, "payment-card");
	assert_string_equal(found->where, "people.card_no");
	assert_string_equal(found->samples[0].where, "people.card_no");
	assert_int_equal(found->samples[0].offset, 5);
}

static void a_label_is_context(void **state)
{
	struct fixture *f = *state;
	uint8_t plain, labelled;
	size_t count;

	begin(f);
	add(f, NULL, NULL, card);
	plain = end(f, &count)->confidence;
	begin(f);
	add(f, "credit_card_number", NULL, card);
	labelled = end(f, &count)->confidence;
	assert_true(labelled > plain);
}

static void a_value_does_not_go_on_in_the_next_cell_or_row(void **state)
{
	struct fixture *f = *state;
	size_t count;

	begin(f);
	for (unsigned i = 0; i < 3; i++) {
		add(f, "card", "a", "41111111");
		if (i == 1)
			row(f);
		add(f, "card", "a", "11111111");
		row(f);
	}
	(void)end(f, &count);
	assert_int_equal(count, 0);
}

/* More cells, rows, labels and places than any buffer holds at once. */
static void a_table_of_any_size_is_counted_whole(void **state)
{
	struct fixture *f = *state;
	const struct finding *found;
	const unsigned rows = 60000;
	size_t count;

	begin(f);
	for (unsigned i = 0; i < rows; i++) {
		char place[40], label[40];

		snprintf(place, sizeof place, "row %u", i + 1);
		snprintf(label, sizeof label, "column %u", i % 5000);
		add(f, label, place, "Alice and Bob");
		add(f, "card", place, i % 100 == 7 ? card : "none");
		row(f);
	}
	found = end(f, &count);
	assert_int_equal(count, 1);
	assert_int_equal(found->count, rows / 100);
	assert_string_equal(found->samples[0].where, "row 8");
	assert_string_equal(found->samples[1].where, "row 108");
	assert_string_equal(found->samples[2].where, "row 208");
}

static void a_row_without_an_end_is_counted_whole(void **state)
{
	struct fixture *f = *state;
	const struct finding *found;
	size_t count;

	begin(f);
	for (unsigned i = 0; i < 40000; i++)
		add(f, "card", "the row", card);
	found = end(f, &count);
	assert_int_equal(count, 1);
	assert_int_equal(found->count, 40000);
}

static void a_cell_larger_than_any_buffer_is_searched(void **state)
{
	struct fixture *f = *state;
	const size_t size = 3 << 20;
	const struct finding *found;
	char *text = malloc(size);
	size_t count;

	assert_non_null(text);
	memset(text, ' ', size);
	memcpy(text + size - sizeof card, card, sizeof card - 1);
	begin(f);
	add(f, "before", "before", "text");
	assert_int_equal(cells_add(f->cells, "card", "large", text, size, &f->e), 0);
	add(f, "after", "after", "text");
	found = end(f, &count);
	assert_int_equal(count, 1);
	assert_string_equal(found->where, "large");
	assert_int_equal(found->samples[0].offset, size - sizeof card);
	free(text);
}

static void what_parts_cells_may_stand_in_one(void **state)
{
	struct fixture *f = *state;
	const struct finding *found;
	size_t count;

	begin(f);
	add(f, "a", "one", "\x1f\x1e\x1f");
	add(f, "card", "two", card);
	found = end(f, &count);
	assert_int_equal(count, 1);
	assert_string_equal(found->where, "two");
	assert_int_equal(found->samples[0].offset, 0);
}

static void nothing_at_all_is_fine(void **state)
{
	struct fixture *f = *state;
	size_t count;

	begin(f);
	row(f);
	add(f, "a", "b", "");
	row(f);
	(void)end(f, &count);
	assert_int_equal(count, 0);
	cells_free(NULL);
}

/* The path of containers stands before a cell's place, also one without a name. */
static void a_cell_inside_a_container_is_told_with_its_path(void **state)
{
	struct fixture *f = *state;
	const struct finding *found;
	size_t count;

	path_push(&f->look, "book.xlsx");
	begin(f);
	add(f, "card", "Sheet1!B2", card);
	found = end(f, &count);
	path_cut(&f->look, 0);
	assert_int_equal(count, 1);
	assert_string_equal(found->where, "book.xlsx: Sheet1!B2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cell_keeps_its_place_label_and_offset),
		cmocka_unit_test(a_label_is_context),
		cmocka_unit_test(a_value_does_not_go_on_in_the_next_cell_or_row),
		cmocka_unit_test(a_table_of_any_size_is_counted_whole),
		cmocka_unit_test(a_row_without_an_end_is_counted_whole),
		cmocka_unit_test(a_cell_larger_than_any_buffer_is_searched),
		cmocka_unit_test(what_parts_cells_may_stand_in_one),
		cmocka_unit_test(nothing_at_all_is_fine),
		cmocka_unit_test(a_cell_inside_a_container_is_told_with_its_path),
	};

	return cmocka_run_group_tests_name("cells", tests, set_up, tear_down);
}
