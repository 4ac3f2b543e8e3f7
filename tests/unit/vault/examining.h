/*
 * A pool with the real muni-examine, one file that says a card's number, and who
 * runs on whose behalf.
 */
#ifndef TESTS_UNIT_VAULT_EXAMINING_H
#define TESTS_UNIT_VAULT_EXAMINING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/vault/examiner.h"

/* Ten milliseconds each, until a process is there or gone. */
#ifdef __SANITIZE_THREAD__
#define TRIES 6000
#else
#define TRIES 500
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

/* build/unit/vault/test_examiner* -> build/muni-examine */
static inline const char *real_program(void)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 40);

	assert_true(n > 0);
	path[n] = '\0';
	for (unsigned i = 0; i < 3; i++)
		*strrchr(path, '/') = '\0';
	return strcat(path, "/muni-examine");
}

static inline struct examiner *open_with(struct examiner_options o)
{
	struct examiner *x = NULL;
	struct err e = ERR_NONE;

	if (!o.program)
		o.program = real_program();
	if (examiner_open(&o, &x, &e) < 0)
		fail_msg("%s", e.text);
	return x;
}

static inline int file_with(const void *data, size_t size)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), (ssize_t)size);
	return fd;
}

static const char card[] = "paid by payment card 4111 1111 1111 1111 on Monday\n";

static inline void assert_digest(const struct examination *found, const void *data, size_t size)
{
	struct digest wanted = digest_of(data, size);

	assert_true(found->has_sha256);
	assert_int_equal(found->size, size);
	assert_true(digest_equal(&found->sha256, &wanted));
}

static inline void assert_card_found(struct examiner *x)
{
	int fd = file_with(card, sizeof card - 1);
	struct examination found;
	struct err e = ERR_NONE;

	assert_int_equal(examiner_look(x, fd, "card.txt", sizeof card - 1, &found, &e), 0);
	assert_string_equal(found.opaque, "");
	assert_string_equal(found.format, "text/plain");
	assert_int_equal(found.finding_count, 1);
	assert_string_equal(found.findings->id, "payment-card");
	assert_digest(&found, card, sizeof card - 1);
	examination_clear(&found);
	close(fd);
}

/* A worker's process: a grandchild of ours. */
static inline pid_t child_of(pid_t parent)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	assert_non_null(dir);
	while (!found && (entry = readdir(dir))) {
		char path[300], state;
		int pid, ppid;
		FILE *f;

		snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
		f = *entry->d_name >= '1' && *entry->d_name <= '9' ? fopen(path, "re") : NULL;
		if (!f)
			continue;
		if (fscanf(f, "%d (%*[^)]) %c %d", &pid, &state, &ppid) == 3 &&
		    ppid == parent && state != 'Z')
			found = pid;
		fclose(f);
	}
	closedir(dir);
	return found;
}

static inline pid_t wait_for_child_of(pid_t parent)
{
	for (unsigned i = 0; i < TRIES; i++) {
		pid_t pid = child_of(parent);

		if (pid)
			return pid;
		usleep(10000);
	}
	fail_msg("no child of %d", (int)parent);
	return 0;
}

#endif
