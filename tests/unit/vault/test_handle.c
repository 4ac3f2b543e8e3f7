#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/vault/handle.h"
#include "fs/vault/walk.h"

#define DEEP 400

struct folder {
	char path[64];
	struct dir_descent way;
};

static struct dir_level *level_at(struct folder *f, size_t depth)
{
	return &f->way.levels[depth];
}

/* Down into a directory, and its level. */
static int enter(struct folder *f, int at, const char *name)
{
	struct err e = ERR_NONE;
	struct statx sx;
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct handle *h;

	assert_true(fd >= 0);
	assert_int_equal(statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &sx), 0);
	h = handle_new(fd);
	assert_non_null(h);
	assert_non_null(descent_push(&f->way, h, walk_device(&sx), sx.stx_ino, 0, &e));
	return fd;
}

/* DEEP levels, each with a second name that is to be visited on the way up. */
static int setup(void **state)
{
	struct folder *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;
	int at;

	strcpy(f->path, "/tmp/muniment-test-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	at = enter(f, AT_FDCWD, f->path);
	for (size_t i = 1; i < DEEP; i++) {
		assert_int_equal(mkdirat(at, "down", 0700), 0);
		assert_int_equal(dir_level_add(level_at(f, i - 1), "down", &e), 0);
		assert_int_equal(dir_level_add(level_at(f, i - 1), "later", &e), 0);
		free(dir_level_take(level_at(f, i - 1)));
		at = enter(f, at, "down");
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct folder *f = *state;
	char command[96];

	descent_free(&f->way);
	snprintf(command, sizeof command, "rm -rf '%s'", f->path);
	free(f);
	return system(command) == 0 ? 0 : -1;
}

static void all_levels_are_found_again_with_few_descriptors(void **state)
{
	struct folder *f = *state;
	struct err e = ERR_NONE;
	size_t held = 0;

	for (size_t i = 0; i < DEEP; i++)
		held += level_at(f, i)->handle != NULL;
	assert_in_range(held, 1, 128);
	while (f->way.depth > 1) {
		assert_int_equal(descent_pop(&f->way, &e), 0);

		struct dir_level *l = level_at(f, f->way.depth - 1);
		char *name = dir_level_take(l);
		struct stat st;

		assert_string_equal(name, "later");
		assert_int_equal(fstat(l->handle->fd, &st), 0);
		assert_int_equal(st.st_ino, l->inode);
		assert_null(dir_level_take(l));
		free(name);
	}
}

static void a_directory_that_was_moved_is_told_and_gives_no_more_children(void **state)
{
	struct folder *f = *state;
	struct err e = ERR_NONE;
	char to[128];
	size_t far = DEEP - 128 - 1;	/* the lowest whose descriptor was given up */

	assert_null(level_at(f, far)->handle);
	assert_non_null(level_at(f, far + 1)->handle);
	while (f->way.depth > far + 2)
		assert_int_equal(descent_pop(&f->way, &e), 0);
	snprintf(to, sizeof to, "%s/elsewhere", f->path);
	/* Its path is longer than PATH_MAX: it is renamed from the directory above. */
	int above = openat(level_at(f, far + 1)->handle->fd, "..", O_RDONLY | O_DIRECTORY);

	assert_int_equal(renameat(above, "down", AT_FDCWD, to), 0);
	close(above);
	assert_int_equal(descent_pop(&f->way, &e), 1);
	assert_int_equal(f->way.depth, far + 1);
	assert_null(dir_level_take(level_at(f, far)));
	assert_int_equal(e.code, 0);
}

/* That is no fault of the source, and nothing of it may be passed over in silence. */
static void want_of_descriptors_is_an_error(void **state)
{
	struct folder *f = *state;
	struct rlimit before, none;
	struct err e = ERR_NONE;
	struct handle *above;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 0, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);

	const struct dir_level *last = level_at(f, DEEP - 2);
	int rc = handle_above(level_at(f, DEEP - 1)->handle, last->device, last->inode, &above,
			      &e);

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(rc, -1);
	assert_null(above);
	assert_int_not_equal(e.code, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_levels_are_found_again_with_few_descriptors,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_directory_that_was_moved_is_told_and_gives_no_more_children, setup,
			teardown),
		cmocka_unit_test_setup_teardown(want_of_descriptors_is_an_error, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
