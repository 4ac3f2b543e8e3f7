/* What an earlier run left in a target, taken away: how deep and how locked it may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/export_discard.h"
#include "fs/vault/walk.h"

struct folders {
	char path[64];
	int top, work;		/* top: the target; work: the export's own */
};

static int make(void **state)
{
	struct folders *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;

	if (!f)
		return -1;
	strcpy(f->path, "/tmp/muniment-discard.XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->top = file_open_user(f->path, O_RDONLY | O_DIRECTORY, 0, &e);
	if (f->top < 0 || mkdirat(f->top, "work", 0700) < 0)
		return -1;
	f->work = file_open_dir(f->top, "work", &e);
	*state = f;
	return f->work < 0 ? -1 : 0;
}

static int clear(void **state)
{
	struct folders *f = *state;
	struct err e = ERR_NONE;

	(void)discard_all(f->top, &e);
	close(f->work);
	close(f->top);
	rmdir(f->path);
	free(f);
	return 0;
}

static void put(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static bool is_there(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static size_t count(int dirfd)
{
	struct names names = { .text = NULL };
	size_t n;

	assert_int_equal(names_read(dirfd, &names), 0);
	n = names.count;
	names_free(&names);
	return n;
}

/* levels of names, each of 200 bytes, with a file in each and modes that keep out. */
static void make_deep(int at, const char *top, unsigned levels)
{
	char name[201];
	int fd = dup(at), below;

	memset(name, 'd', sizeof name - 1);
	name[sizeof name - 1] = 0;
	for (unsigned i = 0; i < levels; i++) {
		const char *here = i == 0 ? top : name;

		assert_int_equal(mkdirat(fd, here, 0700), 0);
		below = openat(fd, here, O_RDONLY | O_DIRECTORY);
		assert_true(below >= 0);
		put(below, "file");
		if (i > 0)
			assert_int_equal(fchmod(fd, i % 2 ? 0 : 0500), 0);
		close(fd);
		fd = below;
	}
	close(fd);
}

static void a_directory_deeper_than_any_path_goes(void **state)
{
	struct folders *f = *state;
	struct err e = ERR_NONE;

	make_deep(f->top, "deep", 60);
	assert_int_equal(discard_name(f->top, "deep", f->work, &e), 0);
	assert_false(is_there(f->top, "deep"));
	assert_int_equal(discard_moved(f->work, &e), 0);
	assert_int_equal(count(f->work), 0);
}

static void what_was_not_moved_there_stays_in_our_own_folder(void **state)
{
	struct folders *f = *state;
	struct err e = ERR_NONE;

	put(f->work, "version");
	put(f->work, "n17");
	make_deep(f->top, "deep", 3);
	assert_int_equal(discard_name(f->top, "deep", f->work, &e), 0);
	assert_int_equal(discard_moved(f->work, &e), 0);
	assert_true(is_there(f->work, "version") && is_there(f->work, "n17"));
	assert_int_equal(count(f->work), 2);
	assert_int_equal(discard_all(f->work, &e), 0);
	assert_int_equal(count(f->work), 0);
}

static void a_link_goes_and_not_what_it_leads_to(void **state)
{
	struct folders *f = *state;
	struct err e = ERR_NONE;
	int fd;

	assert_int_equal(mkdirat(f->top, "other", 0700), 0);
	fd = openat(f->top, "other", O_RDONLY | O_DIRECTORY);
	put(fd, "dear");
	assert_int_equal(mkdirat(f->top, "old", 0700), 0);
	assert_int_equal(symlinkat("../other", f->top, "old/link"), 0);
	assert_int_equal(symlinkat("other", f->top, "link"), 0);
	assert_int_equal(discard_name(f->top, "link", f->work, &e), 0);
	assert_int_equal(discard_name(f->top, "old", f->work, &e), 0);
	assert_int_equal(discard_moved(f->work, &e), 0);
	assert_true(is_there(fd, "dear"));
	assert_int_equal(discard_name(f->top, "nothing", f->work, &e), 0);
	close(fd);
}

static void only_expected_names_stay_in_each_directory(void **state)
{
	struct folders *f = *state;
	struct err e = ERR_NONE;
	struct sweep *s = sweep_new();
	int fd;

	assert_non_null(s);
	assert_int_equal(mkdirat(f->top, "out", 0700), 0);
	fd = openat(f->top, "out", O_RDONLY | O_DIRECTORY);
	for (const char *const *name = (const char *const[]){ "a", "b", "c\xff", "z", NULL };
	     *name; name++)
		put(fd, *name);
	make_deep(fd, "m", 2);
	assert_int_equal(sweep_expect(s, 3, "z", &e), 0);	/* in no order */
	assert_int_equal(sweep_expect(s, 3, "c\xff", &e), 0);
	assert_int_equal(sweep_expect(s, 3, "is not there", &e), 0);
	assert_int_equal(sweep_expect(s, 0, "a", &e), 0);	/* of another directory */
	assert_int_equal(sweep_leave(s, 3, fd, f->work, &e), 0);
	assert_int_equal(count(fd), 2);
	assert_true(is_there(fd, "z") && is_there(fd, "c\xff"));
	/* The next directory of that depth begins with none. */
	assert_int_equal(sweep_leave(s, 3, fd, f->work, &e), 0);
	assert_int_equal(count(fd), 0);
	sweep_free(s);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_directory_deeper_than_any_path_goes, make, clear),
		cmocka_unit_test_setup_teardown(what_was_not_moved_there_stays_in_our_own_folder,
						make, clear),
		cmocka_unit_test_setup_teardown(a_link_goes_and_not_what_it_leads_to, make, clear),
		cmocka_unit_test_setup_teardown(only_expected_names_stay_in_each_directory, make,
						clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
