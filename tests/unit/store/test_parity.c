#include <stdatomic.h>

#include "tests/unit/store/parity_fixture.h"

static void a_new_segment_joins_and_nothing_new_costs_no_write(void **state)
{
	struct fixture *f = *state;
	struct object_name *before, *after;
	size_t count, again, unprotected;

	put_segment(f, 300 * KIB, 1);
	check(f, &unprotected);
	assert_int_equal(unprotected, 1);
	update(f, one);
	assert_whole(f);
	before = list(f, OBJECTS_PARITY, &count);
	assert_int_equal(count, 1);
	update(f, one);
	after = list(f, OBJECTS_PARITY, &again);
	assert_int_equal(again, 1);
	assert_memory_equal(before->uid, after->uid, 16);
	free(before);
	free(after);
}

static void groups_fill_and_the_next_one_begins(void **state)
{
	struct fixture *f = *state;
	struct object_name *names;
	size_t count;

	for (unsigned i = 0; i < 11; i++) {
		put_segment(f, (100 + 57 * i) * KIB, 100 * i);
		if (i % 3 == 2 || i == 10)
			update(f, one);
	}
	assert_whole(f);
	names = list(f, OBJECTS_PARITY, &count);
	assert_int_equal(count, 3);	/* 4 + 4 + 3 */
	free(names);
}

static void parity_that_grew_step_by_step_is_parity_made_at_once(void **state)
{
	struct fixture *f = *state;
	struct object_name names[4];

	/* A shorter, a longer and an equal newcomer. */
	names[0] = put_segment(f, 500 * KIB, 1);
	update(f, two);
	names[1] = put_segment(f, 200 * KIB, 20);
	update(f, two);
	names[2] = put_segment(f, 900 * KIB, 40);
	names[3] = put_segment(f, 900 * KIB, 60);
	update(f, two);
	assert_whole(f);
	/* If the carried parity were wrong, rebuilding could not be right. */
	for (unsigned i = 0; i < 4; i++) {
		char path[80];
		uint8_t *good, *now;
		size_t size = folder_load(&f->folder, path_of(&names[i], path), &good);
		struct seen s;

		assert_int_equal(unlinkat(f->folder.fd, path, 0), 0);
		s = repair(f, two);
		assert_int_equal(s.mendable, s.damages);
		assert_int_equal(folder_load(&f->folder, path, &now), size);
		assert_memory_equal(now, good, size);
		free(good);
		free(now);
	}
}

/* Flips bits one at a time and wants each found, and mended to the old bytes. */
static void flip_through(struct fixture *f, const struct object_name *name, off_t step)
{
	char path[80];
	uint8_t *good;
	size_t size = folder_load(&f->folder, path_of(name, path), &good);

	for (off_t at = 0; at < (off_t)size; at += step) {
		uint8_t *now;
		struct seen s;

		folder_flip(&f->folder, path, at, (unsigned)at % 8);
		s = check(f, NULL);
		if (s.damages != 1 || s.mendable != 1)
			fail_msg("%s at %ld: %u found, %u mendable", path, (long)at,
				 s.damages, s.mendable);
		assert_memory_equal(s.uid, name->uid, 16);
		if (name->kind == OBJECTS_SEGMENT) {
			assert_true(s.offset <= (uint64_t)at);
			assert_true((uint64_t)at < s.offset + s.size);
			assert_true(s.size <= PARITY_COLUMN);
		}
		s = repair(f, one);
		assert_int_equal(s.damages, 1);
		assert_int_equal(s.mendable, 1);
		assert_int_equal(folder_load(&f->folder, path, &now), size);
		assert_memory_equal(now, good, size);
		free(now);
	}
	free(good);
}

static void any_flipped_bit_in_a_segment_is_found_and_mended(void **state)
{
	struct fixture *f = *state;
	struct object_name a = put_segment(f, 200 * KIB, 1);
	struct object_name b = put_segment(f, 70 * KIB, 9);

	update(f, one);
	flip_through(f, &a, 4999);
	flip_through(f, &b, 4999);
}

static void any_flipped_bit_in_parity_is_found_and_mended(void **state)
{
	struct fixture *f = *state;
	struct object_name *names;
	size_t count;

	put_segment(f, 70 * KIB, 1);
	put_segment(f, 130 * KIB, 9);
	update(f, one);
	names = list(f, OBJECTS_PARITY, &count);
	assert_int_equal(count, 1);
	flip_through(f, &names[0], 1999);
	free(names);
}

static void every_byte_of_head_and_trailer_of_parity_is_covered(void **state)
{
	struct fixture *f = *state;
	struct object_name *names;
	char path[80];
	size_t count;
	off_t size;

	put_segment(f, 70 * KIB, 1);
	update(f, one);
	names = list(f, OBJECTS_PARITY, &count);
	path_of(&names[0], path);
	size = folder_size(&f->folder, path);
	for (off_t at = 0; at < size; at++) {
		struct seen s;

		if (at == 128)
			at += 2 * PARITY_COLUMN;
		folder_flip(&f->folder, path, at, (unsigned)at % 8);
		s = check(f, NULL);
		assert_int_equal(s.damages, 1);
		assert_int_equal(s.mendable, 1);
		folder_flip(&f->folder, path, at, (unsigned)at % 8);
	}
	assert_whole(f);
	free(names);
}

static void a_deleted_segment_is_rebuilt_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	struct object_name names[3];
	char path[80];

	for (unsigned i = 0; i < 3; i++)
		names[i] = put_segment(f, (150 + 200 * i) * KIB, 10 * i);
	update(f, one);
	for (unsigned i = 0; i < 3; i++) {
		uint8_t *good, *now;
		size_t size = folder_load(&f->folder, path_of(&names[i], path), &good);
		struct stat st;
		struct seen s;

		assert_int_equal(unlinkat(f->folder.fd, path, 0), 0);
		s = check(f, NULL);
		assert_int_equal(s.missing, 1);
		assert_int_equal(s.mendable, 1);
		assert_int_equal(s.size, size);
		/* An ingest in between does not forget it. */
		update(f, one);
		s = repair(f, one);
		assert_int_equal(s.mendable, 1);
		assert_int_equal(folder_load(&f->folder, path, &now), size);
		assert_memory_equal(now, good, size);
		assert_int_equal(fstatat(f->folder.fd, path, &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0400);
		assert_whole(f);
		free(good);
		free(now);
	}
}

static void a_truncated_or_lengthened_object_is_rebuilt(void **state)
{
	static const off_t sizes[] = { 0, 1, 100, 65536, 65537, 100000, 230000 };
	struct fixture *f = *state;
	struct object_name *parity;
	struct object_name objects[2];
	size_t count;

	objects[0] = put_segment(f, 200 * KIB, 1);
	put_segment(f, 300 * KIB, 7);
	update(f, one);
	parity = list(f, OBJECTS_PARITY, &count);
	objects[1] = parity[0];
	for (unsigned o = 0; o < 2; o++) {
		char path[80];

		for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			uint8_t *good, *now;
			size_t size = folder_load(&f->folder, path_of(&objects[o], path),
						  &good);
			struct seen s;

			folder_truncate(&f->folder, path, sizes[i]);
			s = check(f, NULL);
			assert_true(s.damages > 0);
			assert_int_equal(s.mendable, s.damages);
			s = repair(f, one);
			assert_int_equal(s.mendable, s.damages);
			assert_whole(f);
			/* Parity that lost both trailers comes back under a new name. */
			if (o == 0) {
				assert_int_equal(folder_load(&f->folder, path, &now), size);
				assert_memory_equal(now, good, size);
				free(now);
			}
			free(good);
			free(parity);
			parity = list(f, OBJECTS_PARITY, &count);
			objects[1] = parity[0];
		}
		path_of(&objects[o], path);
		folder_truncate(&f->folder, path, folder_size(&f->folder, path) + 10);
		assert_int_equal(check(f, NULL).mendable, 1);
		repair(f, one);
		assert_whole(f);
	}
	free(parity);
}

static void two_parities_mend_two_losses_and_say_when_three_are_too_many(void **state)
{
	struct fixture *f = *state;
	struct object_name names[4];
	char path[80];
	struct seen s;

	for (unsigned i = 0; i < 4; i++)
		names[i] = put_segment(f, 200 * KIB, 10 * i);
	update(f, two);
	assert_int_equal(unlinkat(f->folder.fd, path_of(&names[0], path), 0), 0);
	folder_flip(&f->folder, path_of(&names[2], path), 70000, 1);
	s = repair(f, two);
	assert_int_equal(s.damages, 2);
	assert_int_equal(s.mendable, 2);
	assert_whole(f);

	/* Three bad in one column, one in another: the other is mended. */
	for (unsigned i = 0; i < 3; i++)
		folder_flip(&f->folder, path_of(&names[i], path), 1000, 0);
	folder_flip(&f->folder, path_of(&names[3], path), 70000, 1);
	s = check(f, NULL);
	assert_int_equal(s.damages, 4);
	assert_int_equal(s.mendable, 1);
	s = repair(f, two);
	assert_int_equal(s.damages, 4);
	assert_int_equal(s.mendable, 1);
	s = check(f, NULL);
	assert_int_equal(s.damages, 3);
	assert_int_equal(s.mendable, 0);
}

static void a_lost_parity_object_of_two_is_written_anew_under_its_name(void **state)
{
	struct fixture *f = *state;
	struct object_name *parity;
	char path[80];
	uint8_t *good, *now;
	size_t count, size;
	struct seen s;

	put_segment(f, 200 * KIB, 1);
	put_segment(f, 100 * KIB, 5);
	update(f, two);
	parity = list(f, OBJECTS_PARITY, &count);
	assert_int_equal(count, 2);
	size = folder_load(&f->folder, path_of(&parity[1], path), &good);
	assert_int_equal(unlinkat(f->folder.fd, path, 0), 0);
	s = check(f, NULL);
	assert_int_equal(s.missing, 1);
	assert_int_equal(s.parity, 1);
	s = repair(f, two);
	assert_int_equal(s.mendable, 1);
	assert_int_equal(folder_load(&f->folder, path, &now), size);
	assert_memory_equal(now, good, size);
	free(good);
	free(now);
	free(parity);
}

static void a_crash_between_two_generations_leaves_one_that_counts(void **state)
{
	struct fixture *f = *state;
	struct object_name first = put_segment(f, 200 * KIB, 1), second, *old, *names;
	char path[80], copy[80];
	uint8_t *good, *now;
	size_t count, size;

	update(f, one);
	old = list(f, OBJECTS_PARITY, &count);
	path_of(&old[0], path);
	assert_int_equal(linkat(f->folder.fd, path, f->folder.fd, "kept", 0), 0);
	second = put_segment(f, 300 * KIB, 50);
	update(f, one);
	/* The new one is durable, the old one not yet gone. */
	assert_int_equal(renameat(f->folder.fd, "kept", f->folder.fd, path), 0);
	assert_whole(f);
	size = folder_load(&f->folder, path_of(&second, copy), &good);
	assert_int_equal(unlinkat(f->folder.fd, copy, 0), 0);
	assert_int_equal(repair(f, one).mendable, 1);
	assert_int_equal(folder_load(&f->folder, copy, &now), size);
	assert_memory_equal(now, good, size);
	names = list(f, OBJECTS_PARITY, &count);
	assert_int_equal(count, 1);
	assert_memory_not_equal(names[0].uid, old[0].uid, 16);
	free(names);
	free(old);
	free(good);
	free(now);
	(void)first;
}

static void half_a_new_generation_is_dropped_and_the_old_one_counts(void **state)
{
	struct fixture *f = *state;
	struct object_name *old, *names;
	char path[2][80], kept[2][8] = { "kept0", "kept1" };
	size_t count, unprotected;

	put_segment(f, 200 * KIB, 1);
	update(f, two);
	old = list(f, OBJECTS_PARITY, &count);
	for (unsigned i = 0; i < 2; i++) {
		path_of(&old[i], path[i]);
		assert_int_equal(linkat(f->folder.fd, path[i], f->folder.fd, kept[i], 0), 0);
	}
	put_segment(f, 300 * KIB, 50);
	update(f, two);
	/* As if the crash had come after the first of the new two. */
	names = list(f, OBJECTS_PARITY, &count);
	assert_int_equal(unlinkat(f->folder.fd, path_of(&names[1], (char[80]){ 0 }), 0), 0);
	free(names);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(renameat(f->folder.fd, kept[i], f->folder.fd, path[i]), 0);
	assert_int_equal(check(f, &unprotected).damages, 0);
	assert_int_equal(unprotected, 1);
	update(f, two);
	assert_whole(f);
	names = list(f, OBJECTS_PARITY, &count);
	assert_int_equal(count, 2);
	free(names);
	free(old);
}

static void a_removed_segment_leaves_its_group_and_the_rest_stays_covered(void **state)
{
	struct fixture *f = *state;
	struct object_name names[3];
	struct err e = ERR_NONE;
	char path[80];
	uint8_t *good, *now;
	size_t size, count;
	struct object_name *parity;

	for (unsigned i = 0; i < 3; i++)
		names[i] = put_segment(f, (150 + 200 * i) * KIB, 10 * i);
	update(f, one);
	assert_int_equal(parity_remove(f->objects, test_archive_id,
		(const uint8_t (*)[16])&names[2].uid, 1, &e), 0);
	assert_int_equal(objects_delete(f->objects, &names[2], &e), 0);
	assert_whole(f);
	size = folder_load(&f->folder, path_of(&names[1], path), &good);
	assert_int_equal(unlinkat(f->folder.fd, path, 0), 0);
	assert_int_equal(repair(f, one).mendable, 1);
	assert_int_equal(folder_load(&f->folder, path, &now), size);
	assert_memory_equal(now, good, size);
	free(good);
	free(now);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(parity_remove(f->objects, test_archive_id,
			(const uint8_t (*)[16])&names[i].uid, 1, &e), 0);
		assert_int_equal(objects_delete(f->objects, &names[i], &e), 0);
	}
	parity = list(f, OBJECTS_PARITY, &count);
	assert_int_equal(count, 0);
	free(parity);
}

static void a_segment_damaged_before_it_joined_is_left_out_and_named(void **state)
{
	struct fixture *f = *state;
	struct object_name bad = put_segment(f, 200 * KIB, 1);
	size_t unprotected;
	struct seen s;
	char path[80];

	put_segment(f, 200 * KIB, 30);
	folder_flip(&f->folder, path_of(&bad, path), 5000, 0);
	update(f, one);
	s = check(f, &unprotected);
	assert_int_equal(s.damages, 1);
	assert_int_equal(s.mendable, 0);
	assert_int_equal(unprotected, 1);
	assert_memory_equal(s.uid, bad.uid, 16);
}

static void of_a_cut_segment_without_parity_all_is_lost_not_only_what_is_left(void **state)
{
	struct fixture *f = *state;
	struct object_name cut = put_segment(f, 200 * KIB, 1);
	struct seen s;
	char path[80];

	folder_truncate(&f->folder, path_of(&cut, path), 1000);
	s = check(f, NULL);
	assert_int_equal(s.damages, 1);
	assert_int_equal(s.whole, 1);
	s = repair(f, one);
	assert_int_equal(s.damages, 1);
	assert_int_equal(s.whole, 1);
	assert_int_equal(s.mendable, 0);
}

static void newcomers_to_a_group_with_damage_are_covered_all_the_same(void **state)
{
	struct fixture *f = *state;
	struct object_name old = put_segment(f, 200 * KIB, 1), *parity;
	char path[80];
	size_t count;

	update(f, one);
	parity = list(f, OBJECTS_PARITY, &count);
	folder_flip(&f->folder, path_of(&parity[0], path), 1000, 0);
	folder_flip(&f->folder, path_of(&old, path), 70000, 0);
	put_segment(f, 210 * KIB, 20);
	update(f, one);
	/* The old group's two faults lie in different columns: both can be mended. */
	assert_int_equal(check(f, NULL).damages, 2);
	assert_int_equal(repair(f, one).mendable, 2);
	assert_whole(f);
	free(parity);
}

static void no_parity_asked_for_is_no_parity(void **state)
{
	struct fixture *f = *state;
	struct object_name *names;
	size_t count, unprotected;

	put_segment(f, 10 * KIB, 1);
	update(f, (struct parity_strength){ .data = 20, .parity = 0 });
	names = list(f, OBJECTS_PARITY, &count);
	assert_int_equal(count, 0);
	assert_int_equal(check(f, &unprotected).damages, 0);
	assert_int_equal(unprotected, 1);
	free(names);
}

static void a_small_segment_does_not_rewrite_the_parity_of_large_ones(void **state)
{
	struct fixture *f = *state;
	struct object_name *before, *after;
	size_t count;

	put_segment(f, 3000 * KIB, 1);
	update(f, one);
	before = list(f, OBJECTS_PARITY, &count);
	put_segment(f, 30 * KIB, 100);
	update(f, one);
	after = list(f, OBJECTS_PARITY, &count);
	assert_int_equal(count, 2);
	assert_true(memcmp(before->uid, after[0].uid, 16) == 0 ||
		    memcmp(before->uid, after[1].uid, 16) == 0);
	assert_whole(f);
	free(before);
	free(after);
}

static bool never(void *arg, uint64_t bytes)
{
	(void)arg;
	(void)bytes;
	return false;
}

static void a_check_can_be_stopped(void **state)
{
	struct fixture *f = *state;
	struct seen s = { 0 };
	struct err e = ERR_NONE;

	put_segment(f, 10 * KIB, 1);
	update(f, one);
	assert_int_equal(parity_check(f->objects, test_archive_id, see, never, &s, NULL, &e),
			 -1);
	assert_int_equal(e.code, MUNI_CANCELLED);
}

struct shown {
	struct object_name name;
	atomic_uint slices, bytes, strangers, misplaced;
};

static void show(void *arg, unsigned thread, const uint8_t uid[16], uint64_t offset,
		 const uint8_t *data, size_t size)
{
	struct shown *s = arg;

	(void)data;
	assert_true(thread < PARITY_THREADS_MAX);
	if (memcmp(uid, s->name.uid, 16) != 0) {
		atomic_fetch_add(&s->strangers, 1);
		return;
	}
	atomic_fetch_add(&s->slices, 1);
	atomic_fetch_add(&s->bytes, (unsigned)size);
	if (offset % PARITY_SLICE != 0 || size > PARITY_SLICE)
		atomic_fetch_add(&s->misplaced, 1);
}

static struct shown check_shown(struct fixture *f, struct object_name name)
{
	struct shown shown = { .name = name };
	struct parity_seen seen = { show, &shown };
	struct seen s = { 0 };
	struct err e = ERR_NONE;

	assert_int_equal(parity_check(f->objects, test_archive_id, see, NULL, &s, &seen, &e), 0);
	return shown;
}

static void a_slice_is_shown_once_and_only_if_all_of_it_is_whole(void **state)
{
	struct fixture *f = *state;
	struct object_name name = put_segment(f, 2500 * KIB, 1);
	struct err e = ERR_NONE;
	struct shown shown;
	char path[80];
	uint64_t size;

	assert_int_equal(objects_size(f->objects, &name, &size, &e), 0);
	update(f, one);
	shown = check_shown(f, name);
	assert_int_equal(shown.slices, 3);
	assert_int_equal(shown.bytes, size);
	assert_int_equal(shown.strangers, 0);	/* parity is shown to nobody */
	assert_int_equal(shown.misplaced, 0);
	folder_flip(&f->folder, path_of(&name, path), PARITY_SLICE + 5, 1);
	shown = check_shown(f, name);
	assert_int_equal(shown.slices, 2);
	assert_int_equal(shown.bytes, size - PARITY_SLICE);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_make, fixture_drop)
	const struct CMUnitTest tests[] = {
		T(a_new_segment_joins_and_nothing_new_costs_no_write),
		T(groups_fill_and_the_next_one_begins),
		T(parity_that_grew_step_by_step_is_parity_made_at_once),
		T(any_flipped_bit_in_a_segment_is_found_and_mended),
		T(any_flipped_bit_in_parity_is_found_and_mended),
		T(every_byte_of_head_and_trailer_of_parity_is_covered),
		T(a_deleted_segment_is_rebuilt_byte_for_byte),
		T(a_truncated_or_lengthened_object_is_rebuilt),
		T(two_parities_mend_two_losses_and_say_when_three_are_too_many),
		T(a_lost_parity_object_of_two_is_written_anew_under_its_name),
		T(a_crash_between_two_generations_leaves_one_that_counts),
		T(half_a_new_generation_is_dropped_and_the_old_one_counts),
		T(a_removed_segment_leaves_its_group_and_the_rest_stays_covered),
		T(a_segment_damaged_before_it_joined_is_left_out_and_named),
		T(of_a_cut_segment_without_parity_all_is_lost_not_only_what_is_left),
		T(newcomers_to_a_group_with_damage_are_covered_all_the_same),
		T(no_parity_asked_for_is_no_parity),
		T(a_small_segment_does_not_rewrite_the_parity_of_large_ones),
		T(a_check_can_be_stopped),
		T(a_slice_is_shown_once_and_only_if_all_of_it_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
