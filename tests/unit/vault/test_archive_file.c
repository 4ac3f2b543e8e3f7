#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/digest.h"
#include "fs/vault/archive_file.h"

struct fixture {
	char path[64];
	int dirfd;
	struct archive_file about;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;

	strcpy(f->path, "/tmp/muniment-file.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->dirfd = open(f->path, O_RDONLY | O_DIRECTORY);
	memset(f->about.id, 0xa5, sizeof f->about.id);
	text_hex(f->about.id, sizeof f->about.id, f->about.id_hex);
	strcpy(f->about.keyring, "/srv/keys/\"a\" \\ b/发票.keyring");
	assert_int_equal(archive_file_write(f->dirfd, &f->about, &e), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlinkat(f->dirfd, ARCHIVE_FILE, 0);
	unlinkat(f->dirfd, ARCHIVE_FILE_COPY, 0);
	unlinkat(f->dirfd, ARCHIVE_MARK, 0);
	close(f->dirfd);
	assert_int_equal(rmdir(f->path), 0);
	free(f);
	return 0;
}

static size_t load(const struct fixture *f, const char *name, char *out, size_t size)
{
	int fd = openat(f->dirfd, name, O_RDONLY);
	ssize_t n = read(fd, out, size);

	close(fd);
	assert_true(n > 0 && (size_t)n < size);
	out[n] = '\0';
	return (size_t)n;
}

static void save(const struct fixture *f, const char *name, const char *data, size_t size)
{
	unlinkat(f->dirfd, name, 0);
	int fd = openat(f->dirfd, name, O_WRONLY | O_CREAT, 0600);

	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static enum muni_code code_of(const struct fixture *f)
{
	struct archive_file a;
	struct err e = ERR_NONE;

	return archive_file_read(f->dirfd, &a, &e) == 0 ? MUNI_OK : e.code;
}

/* body, then the check that belongs to it. */
static void save_checked(const struct fixture *f, const char *body)
{
	char text[4096], hex[DIGEST_HEX_SIZE];
	struct digest d = digest_of(body, strlen(body));

	digest_hex(&d, hex);
	int n = snprintf(text, sizeof text, "%scheck = \"%s\"\n", body, hex);

	save(f, ARCHIVE_FILE, text, (size_t)n);
}

static void what_was_written_is_read(void **state)
{
	struct fixture *f = *state;
	struct archive_file a;
	struct err e = ERR_NONE;
	struct stat st;
	const char *what;

	assert_int_equal(archive_file_read(f->dirfd, &a, &e), 0);
	assert_memory_equal(a.id, f->about.id, 16);
	assert_string_equal(a.id_hex, f->about.id_hex);
	assert_string_equal(a.keyring, f->about.keyring);
	assert_int_equal(fstatat(f->dirfd, ARCHIVE_FILE, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(archive_file_check(f->dirfd, false, &a, &what, &e), 0);
	assert_null(what);
}

static void every_flipped_bit_and_every_cut_is_seen(void **state)
{
	struct fixture *f = *state;
	char text[4096];
	size_t size = load(f, ARCHIVE_FILE, text, sizeof text);

	for (size_t bit = 0; bit < 8 * size; bit++) {
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		save(f, ARCHIVE_FILE, text, size);
		assert_int_equal(code_of(f), MUNI_DAMAGED);
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t cut = 0; cut < size; cut++) {
		save(f, ARCHIVE_FILE, text, cut);
		assert_int_equal(code_of(f), MUNI_DAMAGED);
	}
	strcpy(text + size, "#");
	save(f, ARCHIVE_FILE, text, size + 1);
	assert_int_equal(code_of(f), MUNI_DAMAGED);
}

static void either_copy_mends_the_other(void **state)
{
	static const char *const names[] = { ARCHIVE_FILE, ARCHIVE_FILE_COPY };
	struct fixture *f = *state;
	struct archive_file a;
	struct err e = ERR_NONE;
	const char *what;

	for (size_t i = 0; i < 2; i++) {
		for (int is_gone = 0; is_gone < 2; is_gone++) {
			save(f, names[i], "format = 1\n", 11);
			if (is_gone)
				unlinkat(f->dirfd, names[i], 0);
			assert_int_equal(code_of(f), i == 0 ? MUNI_DAMAGED : MUNI_OK);
			assert_int_equal(archive_file_check(f->dirfd, false, &a, &what, &e), 0);
			assert_non_null(what);
			assert_string_equal(a.keyring, f->about.keyring);
			assert_int_equal(archive_file_check(f->dirfd, true, &a, &what, &e), 0);
			assert_int_equal(archive_file_check(f->dirfd, false, &a, &what, &e), 0);
			assert_null(what);
			assert_int_equal(code_of(f), MUNI_OK);
		}
	}
	unlinkat(f->dirfd, ARCHIVE_FILE, 0);
	unlinkat(f->dirfd, ARCHIVE_FILE_COPY, 0);
	assert_int_equal(code_of(f), MUNI_NOT_FOUND);
	assert_int_equal(archive_file_check(f->dirfd, true, &a, &what, &e), -1);
}

#define ID "id = \"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\"\n"

static void a_newer_format_is_no_damage_whatever_else_it_says(void **state)
{
	struct fixture *f = *state;

	save_checked(f, "format = 2\n" ID "keyring = \"k\"\n");
	assert_int_equal(code_of(f), MUNI_FORMAT);
	save_checked(f, "format = 999\nshards = [1, 2]\n[table]\n");
	assert_int_equal(code_of(f), MUNI_FORMAT);
}

static void only_the_three_keys_once_each_are_taken(void **state)
{
	static const char *const bad[] = {
		"", "# nothing\n",
		"format = 1\n" ID,
		"format = 1\nkeyring = \"k\"\n",
		ID "keyring = \"k\"\n",
		"format = 0\n" ID "keyring = \"k\"\n",
		"format = \"1\"\n" ID "keyring = \"k\"\n",
		"format = 1\nformat = 1\n" ID "keyring = \"k\"\n",
		"format = 1\n" ID "keyring = \"k\"\nmore = 1\n",
		"format = 1\n" ID "keyring = \"k\n",
		"format = 1\n" ID "keyring = \"k\" \n",
		"format = 1\n" ID "keyring = \"k\\\"\n",
		"format = 1\n" ID "keyring = \"k\\n\"\n",
		"format = 1\n" ID "keyring = \"\"\n",
		"format = 1\n" ID "keyring=\"k\"\n",
		"format = 1\nid = \"a5\"\nkeyring = \"k\"\n",
		"format = 1\nid = \"g5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\"\nkeyring = \"k\"\n",
		"format = -1\n" ID "keyring = \"k\"\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		save_checked(f, bad[i]);
		if (code_of(f) != MUNI_DAMAGED)
			fail_msg("taken: %s", bad[i]);
	}
	save_checked(f, "# by hand\nkeyring = \"k\"\n" ID "format = 1\n");
	assert_int_equal(code_of(f), MUNI_OK);
}

static void a_keyring_path_that_cannot_be_written_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	strcpy(f->about.keyring, "/srv/caf\xe9");
	assert_int_equal(archive_file_write(f->dirfd, &f->about, &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
	strcpy(f->about.keyring, "/srv/a\nb");
	assert_int_equal(archive_file_write(f->dirfd, &f->about, &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_written_is_read),
		TEST(every_flipped_bit_and_every_cut_is_seen),
		TEST(either_copy_mends_the_other),
		TEST(a_newer_format_is_no_damage_whatever_else_it_says),
		TEST(only_the_three_keys_once_each_are_taken),
		TEST(a_keyring_path_that_cannot_be_written_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
