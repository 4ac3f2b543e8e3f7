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
#include "fs/base/file.h"
#include "fs/vault/archive_anchor.h"

static const uint8_t id[16] = "an archive's id";
static const uint8_t other_id[16] = "another's id...";

struct fixture {
	char folder[64];
	char keyring[96];
	char audit[96];
	int auditfd;
	struct log *log;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;

	strcpy(f->folder, "/tmp/muniment-anchor.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->keyring, sizeof f->keyring, "%s/k", f->folder);
	snprintf(f->audit, sizeof f->audit, "%s/audit", f->folder);
	assert_int_equal(mkdir(f->audit, 0700), 0);
	f->auditfd = file_open_user(f->audit, O_RDONLY | O_DIRECTORY, 0, &e);
	assert_int_equal(log_create(f->auditfd, &f->log, &e), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[200];

	log_close(f->log);
	close(f->auditfd);
	snprintf(command, sizeof command, "rm -r %s", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void act(struct fixture *f, unsigned count)
{
	const struct digest nobody = {{0}};
	struct err e = ERR_NONE;
	uint8_t salt[16];

	while (count--)
		assert_int_equal(log_append(f->log, LOG_INGEST, 1, &nobody, "{}", salt, &e), 0);
}

static struct anchor now_of(const struct fixture *f)
{
	return (struct anchor){ .epoch = 3, .generation = 9, .position = *log_position(f->log) };
}

static void an_anchor_comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct anchor a, b;
	struct err e = ERR_NONE;

	assert_int_equal(anchor_read(f->keyring, id, &b, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	for (int i = 0; i < 9; i++) {
		a = now_of(f);
		assert_int_equal(anchor_write(f->keyring, id, &a, &e), 0);
		assert_int_equal(anchor_read(f->keyring, id, &b, &e), 0);
		assert_int_equal(b.epoch, 3);
		assert_int_equal(b.generation, 9);
		assert_int_equal(b.position.frontier.count, a.position.frontier.count);
		assert_int_equal(anchor_compare(&b, f->log, 3, 9, &e), 0);
		act(f, 1);
	}
	assert_int_equal(anchor_read(f->keyring, other_id, &b, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	assert_int_equal(anchor_remove(f->keyring, id, &e), 0);
	assert_int_equal(anchor_remove(f->keyring, id, &e), 0);
	assert_int_equal(anchor_read(f->keyring, id, &b, &e), -1);
}

static void a_damaged_anchor_is_seen(void **state)
{
	struct fixture *f = *state;
	struct anchor a, b;
	struct err e = ERR_NONE;
	char path[200], byte;

	act(f, 3);
	a = now_of(f);
	assert_int_equal(anchor_write(f->keyring, id, &a, &e), 0);
	snprintf(path, sizeof path, "%s/616e2061726368697665277320696400.anchor", f->folder);
	FILE *file = fopen(path, "r+b");

	assert_non_null(file);
	for (long at = 0; at < 8 + 8 + 16 + 24 + 64 + 32; at++) {
		fseek(file, at, SEEK_SET);
		byte = (char)fgetc(file);
		fseek(file, at, SEEK_SET);
		fputc(byte ^ 1, file);
		fflush(file);
		assert_int_equal(anchor_read(f->keyring, id, &b, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		fseek(file, at, SEEK_SET);
		fputc(byte, file);
		fflush(file);
	}
	fclose(file);
	assert_int_equal(anchor_read(f->keyring, id, &b, &e), 0);
}

static void an_older_log_epoch_or_generation_is_refused(void **state)
{
	struct fixture *f = *state;
	struct log_position older;
	struct anchor seen;
	struct err e = ERR_NONE;

	act(f, 4);
	older = *log_position(f->log);
	act(f, 3);
	seen = now_of(f);
	assert_int_equal(anchor_compare(&seen, f->log, 4, 9, &e), 0);
	assert_int_equal(anchor_compare(&seen, f->log, 3, 10, &e), 0);
	assert_int_equal(anchor_compare(&seen, f->log, 2, 9, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_int_equal(anchor_compare(&seen, f->log, 3, 8, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	log_rewind(f->log, &older);
	assert_int_equal(anchor_compare(&seen, f->log, 3, 9, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
}

/* N2 */
static void a_log_that_went_another_way_is_refused_though_it_is_longer(void **state)
{
	struct fixture *f = *state;
	struct log_position older;
	struct anchor seen;
	struct err e = ERR_NONE;

	for (unsigned common = 0; common < 6; common++) {
		act(f, common);
		older = *log_position(f->log);
		act(f, 3);
		seen = now_of(f);
		act(f, 2);
		assert_int_equal(anchor_compare(&seen, f->log, 3, 9, &e), 0);
		log_rewind(f->log, &older);
		act(f, 7);	/* other salts, so other entries */
		assert_int_equal(anchor_compare(&seen, f->log, 3, 9, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_anchor_comes_back_as_it_was),
		TEST(a_damaged_anchor_is_seen),
		TEST(an_older_log_epoch_or_generation_is_refused),
		TEST(a_log_that_went_another_way_is_refused_though_it_is_longer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
