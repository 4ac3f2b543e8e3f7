/*
 * Repair on a disk that refuses reads, for now or for good: what is not read may be whole
 * another day (P5 of fs/store/parity.h).
 */
#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "tests/unit/store/parity_fixture.h"

/* Which reads the system refuses. */
static struct {
	char part[80];		/* of the path; empty: none */
	off_t from, to;		/* those that touch these bytes; 0, 0: any */
	unsigned nth, last;	/* of those the nth to the last; 0: all */
	atomic_uint passed, refused;
} disk;

static bool is_refused(int fd, size_t size, off_t at)
{
	char link[40], path[4096];
	ssize_t n;
	unsigned nth;

	if (disk.part[0] == '\0')
		return false;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	assert_true(n > 0);
	path[n] = '\0';
	if (strstr(path, disk.part) == NULL)
		return false;
	if (disk.to > 0 && (at >= disk.to || at + (off_t)size <= disk.from))
		return false;
	nth = atomic_fetch_add(&disk.passed, 1) + 1;
	if (disk.nth > 0 && (nth < disk.nth || nth > disk.last))
		return false;
	atomic_fetch_add(&disk.refused, 1);
	return true;
}

/* Stands before the library's. */
ssize_t pread(int fd, void *out, size_t size, off_t at)
{
	if (is_refused(fd, size, at)) {
		errno = EIO;
		return -1;
	}
	return (ssize_t)syscall(SYS_pread64, fd, out, size, at);
}

static void refuse(const char *part, off_t from, off_t to)
{
	snprintf(disk.part, sizeof disk.part, "%s", part);
	disk.from = from;
	disk.to = to;
	disk.nth = disk.last = 0;
	atomic_store(&disk.passed, 0);
	atomic_store(&disk.refused, 0);
}

static void refuse_nth(const char *part, unsigned nth, unsigned last)
{
	refuse(part, 0, 0);
	disk.nth = nth;
	disk.last = last;
}

static bool has_refused(void)
{
	disk.part[0] = '\0';
	return atomic_load(&disk.refused) > 0;
}

static void assert_is(struct fixture *f, const struct object_name *name, const uint8_t *good,
		      size_t good_size, const char *when)
{
	char path[80];
	uint8_t *now;
	size_t size = folder_load(&f->folder, path_of(name, path), &now);

	if (size != good_size || memcmp(now, good, size) != 0)
		fail_msg("%s is not what it was, %s", path, when);
	free(now);
}

static struct object_name only_parity(struct fixture *f)
{
	size_t count;
	struct object_name *names = list(f, OBJECTS_PARITY, &count), name;

	assert_int_equal(count, 1);
	name = names[0];
	free(names);
	return name;
}

/* A disk that refuses may end it; what it did until then must be right. */
static void try_repair(struct fixture *f)
{
	struct seen s = { 0 };
	struct err e = ERR_NONE;

	parity_repair(f->objects, test_archive_id, one, see, NULL, &s, NULL, &e);
}

/* Parity as it was made first: what was kept, and what was made beside it, goes. */
static void make_anew(struct fixture *f)
{
	size_t count;
	struct object_name *names = list(f, OBJECTS_PARITY, &count);
	char path[80];

	for (size_t i = 0; i < count; i++)
		assert_int_equal(unlinkat(f->folder.fd, path_of(&names[i], path), 0), 0);
	free(names);
	update(f, one);
}

#define EVERY 0, 0
#define HEAD 128

static void parity_that_was_not_read_stays_and_mends_another_day(void **state)
{
	struct fixture *f = *state;
	struct object_name segment = put_segment(f, 200 * KIB, 1);
	char path[80], other[80];
	uint8_t *good, *parity_good;
	size_t size = folder_load(&f->folder, path_of(&segment, path), &good), parity_size;
	struct object_name parity;
	/* A head or trailer refused, the second damaged, and the other way round. */
	struct { off_t from, to, flip; } tries[9];
	off_t end, trailer;

	update(f, one);
	parity = only_parity(f);
	parity_size = folder_load(&f->folder, path_of(&parity, other), &parity_good);
	end = (off_t)parity_size;
	trailer = HEAD + 4 * PARITY_COLUMN;
	memcpy(tries, (struct { off_t from, to, flip; }[9]){
		{ EVERY, -1 }, { 0, HEAD, -1 }, { trailer, end, -1 }, { trailer, end - HEAD, -1 },
		{ 0, HEAD, end - 1 }, { end - HEAD, end, 8 },
		{ trailer, trailer + 40, (trailer + end - HEAD) / 2 + 8 },
		{ end - HEAD - 40, end - HEAD, trailer + 8 },
		{ HEAD + PARITY_COLUMN, HEAD + PARITY_COLUMN + 1, -1 },
	}, sizeof tries);
	for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
		char when[40];

		snprintf(when, sizeof when, "after try %zu", i);
		folder_flip(&f->folder, path, 70000, 3);
		if (tries[i].flip >= 0)
			folder_flip(&f->folder, other, tries[i].flip, 1);
		refuse(".par", tries[i].from, tries[i].to);
		repair(f, one);
		assert_true(has_refused());
		repair(f, one);
		assert_is(f, &segment, good, size, when);
		repair(f, one);
		assert_whole(f);
		/* As it was: parity that lost something may have come back beside it. */
		folder_store(&f->folder, other, parity_good, parity_size);
	}
	free(good);
	free(parity_good);
}

/* With the nth read refused, and with it and all that follow, of parity and of all. */
static void repair_after_any_refused_read_mends_all(void **state)
{
	static const char *const parts[] = { "segments", ".par", ".seg" };
	struct fixture *f = *state;
	struct object_name a = put_segment(f, 200 * KIB, 1), b = put_segment(f, 150 * KIB, 9);
	char paths[2][80];
	uint8_t *good[2];
	size_t sizes[2];
	unsigned tried = 0;

	sizes[0] = folder_load(&f->folder, path_of(&a, paths[0]), &good[0]);
	sizes[1] = folder_load(&f->folder, path_of(&b, paths[1]), &good[1]);
	update(f, one);
	for (unsigned part = 0; part < 3; part++) {
		for (unsigned how = 0; how < 2; how++) {
			for (unsigned nth = 1;; nth++) {
				char when[60];
				bool has_met;

				snprintf(when, sizeof when, "%s %u%s", parts[part], nth,
					 how == 1 ? " on" : "");
				folder_flip(&f->folder, paths[0], 70000, 3);
				folder_flip(&f->folder, paths[1], 1000, 3);
				refuse_nth(parts[part], nth, how == 0 ? nth : 1000000);
				try_repair(f);
				has_met = has_refused();
				repair(f, one);
				assert_is(f, &a, good[0], sizes[0], when);
				assert_is(f, &b, good[1], sizes[1], when);
				assert_whole(f);
				tried += has_met;
				make_anew(f);
				if (!has_met)
					break;
			}
		}
	}
	assert_true(tried > 40);
	free(good[0]);
	free(good[1]);
}

static void a_segment_is_not_written_over_what_was_neither_read_nor_mended(void **state)
{
	struct fixture *f = *state;
	struct object_name a = put_segment(f, 200 * KIB, 1), b = put_segment(f, 200 * KIB, 9);
	char path[2][80];
	uint8_t *good[2], *flipped;
	size_t sizes[2], flipped_size;
	struct seen s;

	sizes[0] = folder_load(&f->folder, path_of(&a, path[0]), &good[0]);
	sizes[1] = folder_load(&f->folder, path_of(&b, path[1]), &good[1]);
	update(f, one);
	/* Column 1 has two losses, one of them on the disk's part; column 0 of the same segment
	 * could be mended. */
	folder_flip(&f->folder, path[0], PARITY_COLUMN + 1000, 3);
	folder_flip(&f->folder, path[1], 1000, 3);
	flipped_size = folder_load(&f->folder, path[1], &flipped);
	refuse(path[1], PARITY_COLUMN, PARITY_COLUMN + 4096);
	s = repair(f, one);
	assert_true(has_refused());
	assert_int_equal(s.mendable, 0);
	assert_is(f, &b, flipped, flipped_size, "while it was not read");
	s = repair(f, one);
	assert_int_equal(s.damages, 2);
	assert_int_equal(s.mendable, 2);
	assert_is(f, &a, good[0], sizes[0], "another day");
	assert_is(f, &b, good[1], sizes[1], "another day");
	assert_whole(f);
	for (unsigned i = 0; i < 2; i++)
		free(good[i]);
	free(flipped);
}

static void a_column_that_is_not_read_is_mended_where_parity_can(void **state)
{
	struct fixture *f = *state;
	struct object_name a = put_segment(f, 200 * KIB, 1);
	char path[80];
	uint8_t *good;
	size_t size = folder_load(&f->folder, path_of(&a, path), &good);
	struct seen s;

	put_segment(f, 200 * KIB, 9);
	update(f, one);
	refuse(path, PARITY_COLUMN, PARITY_COLUMN + 1);
	s = repair(f, one);
	assert_true(has_refused());
	assert_int_equal(s.damages, 1);
	assert_int_equal(s.mendable, 1);
	assert_is(f, &a, good, size, "mended");
	assert_whole(f);
	free(good);
}

static void useless_parity_stays_while_a_damaged_segment_has_none(void **state)
{
	struct fixture *f = *state;
	struct object_name segment = put_segment(f, 200 * KIB, 1), parity;
	char path[80], other[80];
	uint8_t *good, *parity_good;
	size_t size = folder_load(&f->folder, path_of(&segment, path), &good), parity_size;
	struct seen s;

	update(f, one);
	parity = only_parity(f);
	parity_size = folder_load(&f->folder, path_of(&parity, other), &parity_good);
	folder_flip(&f->folder, path, 70000, 3);
	folder_flip(&f->folder, other, 8, 1);
	folder_flip(&f->folder, other, (off_t)parity_size - 1, 1);
	assert_int_equal(check(f, NULL).mendable, 0);
	s = repair(f, one);
	assert_int_equal(s.damages, 2);
	assert_int_equal(s.mendable, 0);
	/* Whoever brings its heads back has all of it. */
	folder_flip(&f->folder, other, 8, 1);
	s = repair(f, one);	/* of the parity, its other head */
	assert_int_equal(s.damages, 2);
	assert_int_equal(s.mendable, 2);
	assert_is(f, &segment, good, size, "with the head again");
	free(good);
	free(parity_good);
}

static void a_link_in_place_of_a_segment_was_not_refused_and_gives_way(void **state)
{
	struct fixture *f = *state;
	struct object_name a = put_segment(f, 200 * KIB, 1), b = put_segment(f, 200 * KIB, 9);
	char path[2][80];
	struct stat st;
	struct seen s;

	update(f, one);
	path_of(&a, path[0]);
	folder_flip(&f->folder, path_of(&b, path[1]), PARITY_COLUMN + 1000, 3);
	assert_int_equal(unlinkat(f->folder.fd, path[0], 0), 0);
	assert_int_equal(symlinkat("nowhere", f->folder.fd, path[0]), 0);
	s = repair(f, one);
	assert_true(s.mendable > 0 && s.mendable < s.damages);
	assert_int_equal(fstatat(f->folder.fd, path[0], &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void parity_that_nobody_can_read_goes_where_all_segments_are_whole(void **state)
{
	struct fixture *f = *state;
	struct object_name parity, now;
	char path[80];

	put_segment(f, 200 * KIB, 1);
	update(f, one);
	parity = only_parity(f);
	path_of(&parity, path);
	folder_flip(&f->folder, path, 8, 1);
	folder_flip(&f->folder, path, folder_size(&f->folder, path) - 1, 1);
	repair(f, one);
	assert_whole(f);
	now = only_parity(f);
	assert_memory_not_equal(now.uid, parity.uid, 16);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_make, fixture_drop)
	const struct CMUnitTest tests[] = {
		T(parity_that_was_not_read_stays_and_mends_another_day),
		T(repair_after_any_refused_read_mends_all),
		T(a_segment_is_not_written_over_what_was_neither_read_nor_mended),
		T(a_column_that_is_not_read_is_mended_where_parity_can),
		T(useless_parity_stays_while_a_damaged_segment_has_none),
		T(a_link_in_place_of_a_segment_was_not_refused_and_gives_way),
		T(parity_that_nobody_can_read_goes_where_all_segments_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
