#include "fs/store/parity_stream.h"

#include "fs/store/parity_inside.h"

#include "tests/unit/store/parity_fixture.h"

static struct parity_stream *open_stream(struct fixture *f, struct parity_strength strength)
{
	struct parity_stream *s;
	struct err e = ERR_NONE;

	if (parity_stream_new(f->objects, test_archive_id, strength, &s, &e) < 0)
		fail_msg("parity_stream_new: %s", e.text);
	return s;
}

static void write_batch(struct parity_batch *b)
{
	struct err e = ERR_NONE;

	if (parity_batch_write(b, &e) < 0)
		fail_msg("parity_batch_write: %s", e.text);
	parity_batch_free(b);
}

/* A segment whose bytes go through the stream, `step` at a time.  Writes what it closes. */
static struct object_name stream_segment(struct fixture *f, struct parity_stream *s,
					 size_t size, unsigned seed, size_t step)
{
	struct object_name name = put_segment(f, size, seed);
	struct parity_batch *closed;
	struct err e = ERR_NONE;
	char path[80];
	uint8_t *data;
	size_t total = folder_load(&f->folder, path_of(&name, path), &data);

	assert_int_equal(parity_stream_begin(s, name.uid, size, &closed, &e), 0);
	if (closed != NULL)
		write_batch(closed);
	for (size_t at = 0; at < total; at += step)
		assert_int_equal(parity_stream_append(s, data + at,
						      total - at < step ? total - at : step,
						      &e), 0);
	assert_int_equal(parity_stream_end(s, &closed, &e), 0);
	if (closed != NULL)
		write_batch(closed);
	free(data);
	return name;
}

static void end_stream(struct parity_stream *s)
{
	struct parity_batch *last = parity_stream_take(s);

	if (last != NULL)
		write_batch(last);
	parity_stream_free(s);
}

static size_t count_parity(struct fixture *f)
{
	size_t count;

	free(list(f, OBJECTS_PARITY, &count));
	return count;
}

/* Were a column of parity wrong, what is rebuilt from it could not be right. */
static void assert_each_comes_back(struct fixture *f, struct parity_strength strength,
				   const struct object_name *names, size_t count)
{
	assert_whole(f);
	for (size_t i = 0; i < count; i++) {
		char path[80];
		uint8_t *good, *now;
		size_t size = folder_load(&f->folder, path_of(&names[i], path), &good);

		assert_int_equal(unlinkat(f->folder.fd, path, 0), 0);
		repair(f, strength);
		assert_int_equal(folder_load(&f->folder, path, &now), size);
		assert_memory_equal(now, good, size);
		free(good);
		free(now);
	}
	assert_whole(f);
}

static void whatever_passed_through_the_stream_can_be_rebuilt(void **state)
{
	static const size_t steps[] = { 1, 777, PARITY_COLUMN, 200 * KIB, 1 << 20 };
	struct fixture *f = *state;
	struct parity_stream *s = open_stream(f, two);
	struct object_name names[5];

	for (unsigned i = 0; i < 5; i++)
		names[i] = stream_segment(f, s, (150 + 130 * i) * KIB + i, 50 * i, steps[i]);
	end_stream(s);
	assert_int_equal(count_parity(f), 2);
	assert_each_comes_back(f, two, names, 5);
}

static void a_segment_too_large_to_be_kept_until_its_end_is_covered_too(void **state)
{
	struct fixture *f = *state;
	struct parity_stream *s = open_stream(f, one);
	struct object_name names[2];

	/* It said that it would be small. */
	names[0] = put_segment(f, 9 << 20, 1);
	struct parity_batch *closed;
	struct err e = ERR_NONE;
	char path[80];
	uint8_t *data;
	size_t total = folder_load(&f->folder, path_of(&names[0], path), &data);

	assert_int_equal(parity_stream_begin(s, names[0].uid, 1 << 20, &closed, &e), 0);
	assert_int_equal(parity_stream_append(s, data, total, &e), 0);
	assert_int_equal(parity_stream_end(s, &closed, &e), 0);
	assert_null(closed);
	free(data);
	names[1] = stream_segment(f, s, 6 << 20, 300, 1 << 20);
	end_stream(s);
	assert_int_equal(count_parity(f), 1);
	assert_each_comes_back(f, one, names, 2);
}

static void the_stream_goes_on_with_the_open_group(void **state)
{
	struct fixture *f = *state;
	struct object_name names[6];
	struct parity_stream *s;

	names[0] = put_segment(f, 300 * KIB, 1);
	update(f, one);
	s = open_stream(f, one);
	names[1] = stream_segment(f, s, 700 * KIB, 10, 1000);
	end_stream(s);
	assert_int_equal(count_parity(f), 1);	/* one group, and its old parity is gone */
	s = open_stream(f, one);
	for (unsigned i = 2; i < 5; i++)
		names[i] = stream_segment(f, s, 400 * KIB, 100 * i, 1 << 20);
	end_stream(s);
	assert_int_equal(count_parity(f), 2);	/* 4 + 1 */
	names[5] = put_segment(f, 100 * KIB, 900);
	update(f, one);				/* and an update goes on with the stream's */
	assert_int_equal(count_parity(f), 2);
	assert_each_comes_back(f, one, names, 6);
}

static void segments_of_another_size_get_another_group(void **state)
{
	struct fixture *f = *state;
	struct parity_stream *s = open_stream(f, one);
	struct object_name names[3];

	names[0] = stream_segment(f, s, 300 * KIB, 1, 1 << 20);
	names[1] = stream_segment(f, s, 5 << 20, 10, 1 << 20);
	names[2] = stream_segment(f, s, 4 << 20, 100, 1 << 20);
	end_stream(s);
	assert_int_equal(count_parity(f), 2);
	assert_each_comes_back(f, one, names, 3);
}

static void nothing_is_written_before_the_batch_is(void **state)
{
	struct fixture *f = *state;
	struct parity_stream *s;
	size_t unprotected;
	struct object_name old = put_segment(f, 300 * KIB, 1);

	(void)old;
	update(f, one);
	s = open_stream(f, one);
	stream_segment(f, s, 500 * KIB, 10, 1 << 20);
	assert_int_equal(count_parity(f), 1);
	assert_int_equal(check(f, &unprotected).damages, 0);
	assert_int_equal(unprotected, 1);
	parity_stream_free(s);	/* as a crash leaves it: the next update covers it */
	update(f, one);
	assert_whole(f);
	assert_int_equal(count_parity(f), 1);
}

/* The parity that is there, under other names too; and back under its own. */
static void link_parity(struct fixture *f, struct object_name *names, size_t count, bool is_back)
{
	for (size_t i = 0; i < count; i++) {
		char path[80], kept[40];

		snprintf(kept, sizeof kept, "kept.%zu", i);
		path_of(&names[i], path);
		assert_int_equal(linkat(f->folder.fd, is_back ? kept : path, f->folder.fd,
					is_back ? path : kept, 0), 0);
	}
}

/* Of the generations that are there, the last object of the newest. */
static void lose_the_last_object(struct fixture *f)
{
	struct parity_index x;
	struct err e = ERR_NONE;
	struct object_name name;
	char path[80];

	assert_int_equal(parity_index_load(f->objects, test_archive_id, &x, &e), 0);
	assert_int_equal(x.count, 4);
	assert_true(x.heads[1].generation > x.heads[2].generation);
	name = parity_object_name(x.heads[1].group, x.heads[1].generation, x.heads[1].index);
	parity_index_free(&x);
	assert_int_equal(unlinkat(f->folder.fd, path_of(&name, path), 0), 0);
}

static void what_a_crash_left_of_the_next_generation_is_in_nobodys_way(void **state)
{
	struct fixture *f = *state;
	struct object_name names[4], *before;
	struct parity_stream *s = open_stream(f, two);
	size_t count, unprotected;

	names[0] = stream_segment(f, s, 300 * KIB, 1, 1 << 20);
	end_stream(s);
	before = list(f, OBJECTS_PARITY, &count);
	assert_int_equal(count, 2);
	link_parity(f, before, count, false);
	s = open_stream(f, two);
	names[1] = stream_segment(f, s, 400 * KIB, 10, 1 << 20);
	end_stream(s);
	/* Killed between its two objects: the old ones are there still. */
	link_parity(f, before, count, true);
	free(before);
	lose_the_last_object(f);
	check(f, &unprotected);
	assert_int_equal(unprotected, 1);
	s = open_stream(f, two);
	names[2] = stream_segment(f, s, 500 * KIB, 20, 1 << 20);
	end_stream(s);
	check(f, &unprotected);
	assert_int_equal(unprotected, 1);
	names[3] = put_segment(f, 350 * KIB, 30);
	update(f, two);
	assert_int_equal(count_parity(f), 2);
	assert_each_comes_back(f, two, names, 4);
}

static void assert_all_have_format(struct fixture *f, unsigned format, size_t objects)
{
	struct parity_index x;
	struct err e = ERR_NONE;

	assert_int_equal(parity_index_load(f->objects, test_archive_id, &x, &e), 0);
	assert_int_equal(x.count, objects);
	for (size_t i = 0; i < x.count; i++)
		assert_int_equal(x.heads[i].format, format);
	parity_index_free(&x);
}

/* As programs of before made them. */
static void write_first_format(struct fixture *f, const struct object_name *segment)
{
	struct err e = ERR_NONE;
	struct parity_group *g = parity_group_new(one.data, one.parity, &e);
	uint64_t size;

	assert_non_null(g);
	g->format = PARITY_FORMAT_DIGESTS;
	memset(g->uid, 7, sizeof g->uid);
	assert_int_equal(objects_size(f->objects, segment, &size, &e), 0);
	parity_group_add(g, segment->uid, size);
	assert_int_equal(parity_group_write(f->objects, test_archive_id, g, NULL, &e), 0);
	parity_group_free(g);
}

static void a_group_of_the_first_format_stays_so_and_mends_all_its_members(void **state)
{
	struct fixture *f = *state;
	struct object_name names[3];
	struct parity_stream *s;

	names[0] = put_segment(f, 300 * KIB, 1);
	write_first_format(f, &names[0]);
	assert_all_have_format(f, PARITY_FORMAT_DIGESTS, 1);
	s = open_stream(f, one);
	names[1] = stream_segment(f, s, 700 * KIB, 10, 1000);
	end_stream(s);
	names[2] = put_segment(f, 100 * KIB, 900);
	update(f, one);
	assert_all_have_format(f, PARITY_FORMAT_DIGESTS, 1);
	assert_each_comes_back(f, one, names, 3);
}

static void a_new_group_has_the_newer_format(void **state)
{
	struct fixture *f = *state;
	struct object_name names[2];
	struct parity_stream *s = open_stream(f, one);

	names[0] = stream_segment(f, s, 700 * KIB, 10, 1000);
	end_stream(s);
	assert_all_have_format(f, PARITY_FORMAT, 1);
	names[1] = put_segment(f, 5 << 20, 900);	/* of another size */
	update(f, one);
	assert_all_have_format(f, PARITY_FORMAT, 2);
	assert_each_comes_back(f, one, names, 2);
}

/* Printed in docs/format.md: who reads it there has to come to the same. */
static void a_sum_of_a_column_is_the_tag_that_the_format_describes(void **state)
{
	static const uint8_t expected[PARITY_SUM] = { 0x46, 0x66, 0x66, 0xc0, 0x6b, 0xfc, 0x86, 0xf1,
						    0xd4, 0x00, 0x4b, 0x88, 0x72, 0xe6, 0xe4, 0x4b };
	struct keyed_hash *sums;
	uint8_t sum[PARITY_SUM];
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(parity_column_sums_new(PARITY_FORMAT, &sums, &e), 0);
	assert_int_equal(parity_column_sum(sums, "abc", 3, sum, &e), 0);
	assert_memory_equal(sum, expected, sizeof sum);
	keyed_hash_free(sums);
	assert_int_equal(parity_column_sums_new(PARITY_FORMAT_DIGESTS, &sums, &e), 0);
	assert_null(sums);
}

static void damaged_parity_is_not_carried_on(void **state)
{
	struct fixture *f = *state;
	struct object_name names[2], *parity;
	struct parity_stream *s;
	char path[80];
	size_t count;

	names[0] = put_segment(f, 300 * KIB, 1);
	update(f, one);
	parity = list(f, OBJECTS_PARITY, &count);
	folder_flip(&f->folder, path_of(&parity[0], path), 70000, 0);
	free(parity);
	s = open_stream(f, one);
	names[1] = stream_segment(f, s, 500 * KIB, 10, 1 << 20);
	end_stream(s);
	assert_int_equal(count_parity(f), 2);
	assert_int_equal(check(f, NULL).damages, 1);	/* that which was there before */
	repair(f, one);
	assert_each_comes_back(f, one, names, 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_drop)
	const struct CMUnitTest tests[] = {
		T(whatever_passed_through_the_stream_can_be_rebuilt),
		T(a_segment_too_large_to_be_kept_until_its_end_is_covered_too),
		T(the_stream_goes_on_with_the_open_group),
		T(segments_of_another_size_get_another_group),
		T(nothing_is_written_before_the_batch_is),
		T(what_a_crash_left_of_the_next_generation_is_in_nobodys_way),
		T(a_group_of_the_first_format_stays_so_and_mends_all_its_members),
		T(a_new_group_has_the_newer_format),
		T(a_sum_of_a_column_is_the_tag_that_the_format_describes),
		T(damaged_parity_is_not_carried_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
