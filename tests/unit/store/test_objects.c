#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "fs/store/objects_inside.h"
#include "tests/unit/store/folder.h"

struct fixture {
	struct folder folder;
	struct objects *objects;
};

static int fixture_make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;

	assert_non_null(f);
	folder_make(&f->folder);
	assert_int_equal(objects_make_folder(f->folder.fd, &e), 0);
	assert_int_equal(objects_open_folder(f->folder.fd, true, &f->objects, &e), 0);
	*state = f;
	return 0;
}

static int fixture_drop(void **state)
{
	struct fixture *f = *state;

	objects_close(f->objects);
	folder_drop(&f->folder);
	free(f);
	return 0;
}

static struct object_name name_of(enum objects_kind kind, unsigned n)
{
	struct object_name name = { .kind = kind };

	name.uid[0] = (uint8_t)(n * 37);
	name.uid[14] = (uint8_t)(n >> 8);
	name.uid[15] = (uint8_t)n;
	return name;
}

static void put(struct fixture *f, const struct object_name *name, const char *text)
{
	struct err e = ERR_NONE;
	struct iovec part = { .iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text) };

	assert_int_equal(objects_put(f->objects, name, &part, 1, &e), 0);
}

static void assert_holds(struct fixture *f, const struct object_name *name, const char *text)
{
	struct err e = ERR_NONE;
	char got[64];
	uint64_t size;

	assert_int_equal(objects_size(f->objects, name, &size, &e), 0);
	assert_int_equal(size, strlen(text));
	assert_int_equal(objects_get(f->objects, name, 0, got, strlen(text), &e), 0);
	assert_memory_equal(got, text, strlen(text));
}

static void what_is_put_is_got_by_ranges(void **state)
{
	struct fixture *f = *state;
	struct object_name name = name_of(OBJECTS_SEGMENT, 1);
	struct iovec parts[2] = { { .iov_base = "hello ", .iov_len = 6 },
				  { .iov_base = "world", .iov_len = 5 } };
	struct err e = ERR_NONE;
	char got[5];

	assert_int_equal(objects_put(f->objects, &name, parts, 2, &e), 0);
	assert_int_equal(objects_get(f->objects, &name, 4, got, 5, &e), 0);
	assert_memory_equal(got, "o wor", 5);
	assert_holds(f, &name, "hello world");
}

static void an_object_is_a_0400_file_in_a_0700_folder(void **state)
{
	struct fixture *f = *state;
	struct object_name name = name_of(OBJECTS_PARITY, 0);
	struct stat st;

	umask(0);
	put(f, &name, "x");
	umask(022);
	assert_int_equal(fstatat(f->folder.fd,
		"segments/00/00000000000000000000000000000000.par", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(fstatat(f->folder.fd, "segments/00", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void a_name_that_is_taken_is_refused_and_keeps_its_bytes(void **state)
{
	struct fixture *f = *state;
	struct object_name name = name_of(OBJECTS_SEGMENT, 2);
	struct iovec part = { .iov_base = "new", .iov_len = 3 };
	struct err e = ERR_NONE;

	put(f, &name, "old");
	assert_int_equal(objects_put(f->objects, &name, &part, 1, &e), -1);
	assert_int_equal(e.code, MUNI_EXISTS);
	assert_holds(f, &name, "old");
}

static void reading_past_the_end_or_what_is_absent_is_damage(void **state)
{
	struct fixture *f = *state;
	struct object_name here = name_of(OBJECTS_SEGMENT, 3);
	struct object_name absent = name_of(OBJECTS_SEGMENT, 4);
	struct err e = ERR_NONE;
	char got[10];
	uint64_t size;

	put(f, &here, "short");
	assert_int_equal(objects_get(f->objects, &here, 0, got, 6, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_int_equal(objects_get(f->objects, &absent, 0, got, 1, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_int_equal(objects_size(f->objects, &absent, &size, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
}

static void a_listing_is_sorted_and_of_one_kind_and_counts_strangers(void **state)
{
	struct fixture *f = *state;
	struct object_name *names;
	struct err e = ERR_NONE;
	size_t count, strangers;

	for (unsigned i = 20; i > 0; i--) {
		struct object_name s = name_of(OBJECTS_SEGMENT, i);
		struct object_name p = name_of(OBJECTS_PARITY, i);

		put(f, &s, "s");
		put(f, &p, "p");
	}
	assert_int_equal(mkdirat(f->folder.fd, "segments/zz", 0700), 0);
	assert_int_equal(mkdirat(f->folder.fd, "segments/fe", 0700), 0);
	close(openat(f->folder.fd, "segments/fe/.put-0123", O_CREAT | O_WRONLY, 0600));
	close(openat(f->folder.fd,
		     "segments/fe/00000000000000000000000000000000.seg",
		     O_CREAT | O_WRONLY, 0600));
	assert_int_equal(objects_list(f->objects, OBJECTS_SEGMENT, &names, &count,
				      &strangers, &e), 0);
	assert_int_equal(count, 20);
	assert_int_equal(strangers, 3);
	for (size_t i = 1; i < count; i++)
		assert_true(memcmp(names[i - 1].uid, names[i].uid, 16) < 0);
	free(names);
}

static void a_left_over_is_no_object_and_is_swept(void **state)
{
	struct fixture *f = *state;
	struct object_name *names;
	struct err e = ERR_NONE;
	size_t count, strangers;
	const char *left = "segments/fe/.put-00112233445566778899aabbccddeeff";

	assert_int_equal(mkdirat(f->folder.fd, "segments/fe", 0700), 0);
	close(openat(f->folder.fd, left, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(objects_list(f->objects, OBJECTS_SEGMENT, &names, &count,
				      &strangers, &e), 0);
	assert_int_equal(count, 0);
	assert_int_equal(strangers, 0);
	assert_int_equal(objects_sweep(f->objects, &e), 0);
	assert_int_equal(faccessat(f->folder.fd, left, F_OK, 0), -1);
	free(names);
}

static void a_writer_shows_nothing_before_its_commit_and_nothing_after_an_abort(void **state)
{
	struct fixture *f = *state;
	struct object_name name = name_of(OBJECTS_SEGMENT, 5);
	struct objects_writer *w;
	struct err e = ERR_NONE;
	uint64_t size;

	assert_int_equal(objects_writer_open(f->objects, &name, &w, &e), 0);
	assert_int_equal(objects_writer_append(w, "half", 4, &e), 0);
	assert_int_equal(objects_size(f->objects, &name, &size, &e), -1);
	objects_writer_abort(w);
	assert_int_equal(objects_size(f->objects, &name, &size, &e), -1);
	assert_int_equal(objects_writer_open(f->objects, &name, &w, &e), 0);
	assert_int_equal(objects_writer_append(w, "whole", 5, &e), 0);
	assert_int_equal(objects_writer_commit(w, false, &e), 0);
	assert_holds(f, &name, "whole");
}

/* Of an object's pages, how many the kernel has in memory. */
static size_t pages_in_memory(struct fixture *f, const struct object_name *name, size_t count)
{
	char dir[OBJECT_DIR_MAX], file[OBJECT_FILE_MAX], path[128];
	unsigned char *is_there = calloc(count, 1);
	size_t sum = 0, page = (size_t)sysconf(_SC_PAGESIZE);
	void *at;
	int fd;

	objects_path(name, dir, file);
	snprintf(path, sizeof path, OBJECTS_FOLDER "/%s/%s", dir, file);
	fd = openat(f->folder.fd, path, O_RDONLY);
	assert_true(fd >= 0);
	assert_non_null(is_there);
	at = mmap(NULL, count * page, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	assert_int_equal(mincore(at, count * page, is_there), 0);
	for (size_t i = 0; i < count; i++)
		sum += is_there[i] & 1;
	munmap(at, count * page);
	close(fd);
	free(is_there);
	return sum;
}

static void what_is_let_go_is_whole_and_not_in_the_kernels_memory(void **state)
{
	const size_t count = 64, size = count * (size_t)sysconf(_SC_PAGESIZE);
	struct fixture *f = *state;
	struct statfs there;
	struct err e = ERR_NONE;
	char *bytes = malloc(size), *got = malloc(size);

	assert_non_null(bytes);
	assert_non_null(got);
	memset(bytes, 'x', size);
	assert_int_equal(fstatfs(f->folder.fd, &there), 0);
	for (unsigned n = 0; n < 2; n++) {
		struct object_name name = name_of(OBJECTS_SEGMENT, n);
		struct objects_writer *w = NULL;

		assert_int_equal(objects_writer_open(f->objects, &name, &w, &e), 0);
		assert_int_equal(objects_writer_append(w, bytes, size, &e), 0);
		if (n == 1)
			objects_writer_let_go(w);
		assert_int_equal(objects_writer_commit(w, false, &e), 0);
		if (n == 1 && there.f_type != TMPFS_MAGIC)	/* that has no other place for them */
			assert_int_equal(pages_in_memory(f, &name, count), 0);
		assert_int_equal(objects_get(f->objects, &name, 0, got, size, &e), 0);
		assert_memory_equal(got, bytes, size);
	}
	free(bytes);
	free(got);
}

static void a_get_follows_an_object_that_was_replaced_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct object_name name = name_of(OBJECTS_SEGMENT, 6);
	struct objects *other;
	struct objects_writer *w;
	struct err e = ERR_NONE;

	put(f, &name, "damaged");
	assert_holds(f, &name, "damaged");
	assert_int_equal(objects_open_folder(f->folder.fd, true, &other, &e), 0);
	assert_int_equal(objects_writer_open(other, &name, &w, &e), 0);
	assert_int_equal(objects_writer_append(w, "healthy", 7, &e), 0);
	assert_int_equal(objects_writer_commit(w, true, &e), 0);
	objects_close(other);
	assert_holds(f, &name, "healthy");
	assert_int_equal(objects_delete(f->objects, &name, &e), 0);
	assert_int_equal(objects_delete(f->objects, &name, &e), 0);
	assert_int_equal(objects_get(f->objects, &name, 0, &(char){ 0 }, 1, &e), -1);
}

static void a_store_opened_for_reading_writes_nothing(void **state)
{
	struct fixture *f = *state;
	struct object_name name = name_of(OBJECTS_SEGMENT, 7);
	struct iovec part = { .iov_base = "x", .iov_len = 1 };
	struct objects *reader;
	struct err e = ERR_NONE;

	assert_int_equal(objects_open_folder(f->folder.fd, false, &reader, &e), 0);
	assert_int_equal(objects_put(reader, &name, &part, 1, &e), -1);
	objects_close(reader);
}

struct many {
	struct fixture *f;
	unsigned seed;
	bool ok;
};

static void *read_many(void *arg)
{
	struct many *m = arg;

	m->ok = true;
	for (unsigned i = 0; i < 4000; i++) {
		unsigned n = (i * 7919u + m->seed * 104729u) % 300;
		struct object_name name = name_of(OBJECTS_SEGMENT, n);
		struct err e = ERR_NONE;
		unsigned got = 0;

		if (objects_get(m->f->objects, &name, 0, &got, sizeof got, &e) < 0 || got != n)
			m->ok = false;
	}
	return NULL;
}

static void many_threads_read_more_objects_than_are_kept_open(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct many m[4];
	pthread_t t[4];

	for (unsigned n = 0; n < 300; n++) {
		struct object_name name = name_of(OBJECTS_SEGMENT, n);
		struct iovec part = { .iov_base = &n, .iov_len = sizeof n };

		assert_int_equal(objects_put(f->objects, &name, &part, 1, &e), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		m[i] = (struct many){ .f = f, .seed = i };
		assert_int_equal(pthread_create(&t[i], NULL, read_many, &m[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		assert_true(m[i].ok);
	}
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_make, fixture_drop)
	const struct CMUnitTest tests[] = {
		T(what_is_put_is_got_by_ranges),
		T(an_object_is_a_0400_file_in_a_0700_folder),
		T(a_name_that_is_taken_is_refused_and_keeps_its_bytes),
		T(reading_past_the_end_or_what_is_absent_is_damage),
		T(a_listing_is_sorted_and_of_one_kind_and_counts_strangers),
		T(a_left_over_is_no_object_and_is_swept),
		T(a_writer_shows_nothing_before_its_commit_and_nothing_after_an_abort),
		T(what_is_let_go_is_whole_and_not_in_the_kernels_memory),
		T(a_get_follows_an_object_that_was_replaced_elsewhere),
		T(a_store_opened_for_reading_writes_nothing),
		T(many_threads_read_more_objects_than_are_kept_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
