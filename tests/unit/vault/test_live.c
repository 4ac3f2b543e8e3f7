#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/vault/live.h"

#define must(call)                                                              \
	do {                                                                    \
		if ((call) < 0)                                                 \
			fail_msg("%s: %s", #call, e.text);                      \
	} while (0)

struct folder {
	char path[64];
	int fd;
};

static int setup(void **state)
{
	struct folder *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;

	strcpy(f->path, "/tmp/muniment-test-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->fd = live_open_root(f->path, &e);
	assert_true(f->fd >= 0);
	assert_int_equal(mkdirat(f->fd, "d", 0700), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct folder *f = *state;
	char command[96];

	close(f->fd);
	snprintf(command, sizeof command, "rm -rf '%s'", f->path);
	free(f);
	return system(command) == 0 ? 0 : -1;
}

static void put(const struct folder *f, const char *name, const char *text)
{
	int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* As a scan would have it. */
static struct item_row item_of(const struct folder *f, const char *name, const char *text)
{
	struct item_row r = { .path = (char *)(uintptr_t)name, .path_size = strlen(name) };
	struct stat st;

	assert_int_equal(fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	r.kind = S_ISDIR(st.st_mode) ? NODE_DIRECTORY : S_ISLNK(st.st_mode) ? NODE_SYMLINK : NODE_FILE;
	r.device = st.st_dev;
	r.inode = st.st_ino;
	r.size = (uint64_t)st.st_size;
	r.links = (uint32_t)st.st_nlink;
	r.mtime = (struct stamp){ st.st_mtim.tv_sec, (uint32_t)st.st_mtim.tv_nsec };
	if (r.kind == NODE_SYMLINK)
		r.target = (char *)(uintptr_t)text;
	else if (text) {
		r.has_sha256 = true;
		r.sha256 = digest_of(text, strlen(text));
	}
	return r;
}

static bool is_there(const struct folder *f, const char *name)
{
	return faccessat(f->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static const struct live_binding bare = { .key = NULL };
static const struct digest leaf = {{ 0xab, 0xcd }};
#define ASIDE "d/.muniment-abcd0000000000000000000000000000"

static struct live_outcome destroy(const struct folder *f, const struct item_row *item,
				   uint64_t names, bool was_begun)
{
	struct live_outcome out;
	struct err e = ERR_NONE;

	must(live_destroy(f->fd, item, &bare, &leaf, names, was_begun, &out, &e));
	return out;
}

static void what_is_the_item_goes(void **state)
{
	const struct folder *f = *state;

	put(f, "d/a", "some text\n");
	const struct item_row a = item_of(f, "d/a", "some text\n");
	int held = openat(f->fd, "d/a", O_RDONLY);
	const struct live_outcome out = destroy(f, &a, 1, false);
	char left[10];

	assert_int_equal(out.outcome, OUTCOME_GONE);
	assert_false(is_there(f, "d/a"));
	assert_false(is_there(f, ASIDE));
	/* Whoever had it open reads what it was overwritten with. */
	if (out.is_overwritten) {
		assert_int_equal(pread(held, left, sizeof left, 0), 10);
		assert_memory_not_equal(left, "some text\n", 10);
	}
	assert_null(strstr(out.why, "d/a"));
	close(held);
}

static void what_is_not_the_item_stays(void **state)
{
	const struct folder *f = *state;
	struct item_row a;

	put(f, "d/a", "some text\n");
	a = item_of(f, "d/a", "some text\n");
	struct item_row other = a;
	other.inode++;
	assert_int_equal(destroy(f, &other, 1, false).outcome, OUTCOME_FAILED);
	other = a;
	other.mtime.ns ^= 1;
	assert_int_equal(destroy(f, &other, 1, false).outcome, OUTCOME_FAILED);
	other = a;
	other.size++;
	assert_int_equal(destroy(f, &other, 1, false).outcome, OUTCOME_FAILED);
	other = a;
	other.sha256.bytes[0] ^= 1;
	assert_int_equal(destroy(f, &other, 1, false).outcome, OUTCOME_FAILED);
	other = a;
	other.device = 0;
	assert_int_equal(destroy(f, &other, 1, false).outcome, OUTCOME_FAILED);
	assert_true(is_there(f, "d/a"));
}

static void no_link_is_followed(void **state)
{
	const struct folder *f = *state;
	struct item_row a;
	struct err e = ERR_NONE;
	char path[100];

	put(f, "d/a", "some text\n");
	a = item_of(f, "d/a", "some text\n");
	assert_int_equal(renameat(f->fd, "d", f->fd, "elsewhere"), 0);
	assert_int_equal(symlinkat("elsewhere", f->fd, "d"), 0);
	assert_int_equal(destroy(f, &a, 1, false).outcome, OUTCOME_FAILED);
	assert_true(is_there(f, "elsewhere/a"));
	snprintf(path, sizeof path, "%s/d", f->path);
	assert_int_equal(live_open_root(path, &e), -1);
	/* A link that is itself the item goes; what it points to does not. */
	const struct item_row link = item_of(f, "d", "elsewhere");
	assert_int_equal(destroy(f, &link, 1, false).outcome, OUTCOME_GONE);
	assert_false(is_there(f, "d"));
	assert_true(is_there(f, "elsewhere/a"));
}

static void paths_that_lead_out_are_refused(void **state)
{
	static const char *const bad[] = { "..", "../x", "d/../a", "d/", ".", "d/.", "/d/a", "d//a" };
	const struct folder *f = *state;
	const char *name;

	put(f, "d/a", "some text\n");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = ERR_NONE;

		if (live_open_parent(f->fd, bad[i], strlen(bad[i]), &name, &e) >= 0)
			fail_msg("%s was opened", bad[i]);
	}
}

static void another_name_keeps_its_bytes(void **state)
{
	const struct folder *f = *state;
	char left[10];

	put(f, "d/a", "some text\n");
	assert_int_equal(linkat(f->fd, "d/a", f->fd, "d/b", 0), 0);
	struct item_row a = item_of(f, "d/a", "some text\n");
	const struct live_outcome out = destroy(f, &a, 1, false);

	assert_int_equal(out.outcome, OUTCOME_BYTES_STAY);
	assert_false(out.is_overwritten);
	int fd = openat(f->fd, "d/b", O_RDONLY);
	assert_int_equal(pread(fd, left, sizeof left, 0), 10);
	assert_memory_equal(left, "some text\n", 10);
	close(fd);

	/* Where all names are to go the last one carries the overwriting. */
	assert_int_equal(linkat(f->fd, "d/b", f->fd, "d/a", 0), 0);
	a = item_of(f, "d/a", "some text\n");
	const struct item_row b = item_of(f, "d/b", "some text\n");
	assert_int_equal(destroy(f, &a, 2, false).outcome, OUTCOME_GONE);
	assert_int_equal(destroy(f, &b, 1, false).outcome, OUTCOME_GONE);
	assert_false(is_there(f, "d/b"));
}

static void what_is_absent_is_only_gone_where_a_run_was_cut_off(void **state)
{
	const struct folder *f = *state;

	put(f, "d/a", "some text\n");
	const struct item_row a = item_of(f, "d/a", "some text\n");
	assert_int_equal(unlinkat(f->fd, "d/a", 0), 0);
	assert_int_equal(destroy(f, &a, 1, false).outcome, OUTCOME_FAILED);
	const struct live_outcome out = destroy(f, &a, 1, true);
	assert_int_equal(out.outcome, OUTCOME_GONE);
	assert_non_null(strstr(out.why, "no overwriting is claimed"));
}

static void what_an_earlier_run_set_aside_is_brought_to_its_end(void **state)
{
	const struct folder *f = *state;

	put(f, "d/a", "some text\n");
	const struct item_row a = item_of(f, "d/a", "some text\n");
	assert_int_equal(renameat(f->fd, "d/a", f->fd, ASIDE), 0);
	put(f, ASIDE, "half text\n");
	assert_int_equal(destroy(f, &a, 1, false).outcome, OUTCOME_FAILED);
	assert_true(is_there(f, ASIDE));
	assert_int_equal(destroy(f, &a, 1, true).outcome, OUTCOME_GONE);
	assert_false(is_there(f, ASIDE));
	/* Another file under that name is not ours to touch. */
	put(f, ASIDE, "a stranger\n");
	destroy(f, &a, 1, true);
	assert_true(is_there(f, ASIDE));
}

static void an_empty_folder_goes_and_a_full_one_stays(void **state)
{
	const struct folder *f = *state;
	const struct item_row d = item_of(f, "d", NULL);

	put(f, "d/a", "x");
	assert_int_equal(destroy(f, &d, 1, false).outcome, OUTCOME_FAILED);
	assert_int_equal(unlinkat(f->fd, "d/a", 0), 0);
	assert_int_equal(destroy(f, &d, 1, false).outcome, OUTCOME_GONE);
	assert_false(is_there(f, "d"));
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(what_is_the_item_goes),
		with_folder(what_is_not_the_item_stays),
		with_folder(no_link_is_followed),
		with_folder(paths_that_lead_out_are_refused),
		with_folder(another_name_keeps_its_bytes),
		with_folder(what_is_absent_is_only_gone_where_a_run_was_cut_off),
		with_folder(what_an_earlier_run_set_aside_is_brought_to_its_end),
		with_folder(an_empty_folder_goes_and_a_full_one_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
