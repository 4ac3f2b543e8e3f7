/*
 * The pool with the real muni-examine, and with one that lies: this program
 * itself, started in its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/content/wire.h"
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

/* ---- the liar ------------------------------------------------------------------------------ */

#define LIAR_SOCKET 3

/* What the pieces of an answer may be at their worst. */
static void lie(const char *how)
{
	static uint8_t noise[20000];
	struct err e = ERR_NONE, why = ERR_NONE;

	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)(i * 37 + i / 256);
	if (!strcmp(how, "noise")) {
		(void)wire_send(LIAR_SOCKET, WIRE_FOUND, noise, sizeof noise, -1, &e);
	} else if (!strcmp(how, "empty")) {
		(void)wire_send(LIAR_SOCKET, WIRE_FOUND, NULL, 0, -1, &e);
	} else if (!strcmp(how, "other")) {
		(void)wire_send(LIAR_SOCKET, WIRE_READY, NULL, 0, -1, &e);
	} else if (!strcmp(how, "raw")) {
		(void)send(LIAR_SOCKET, noise, sizeof noise, 0);
	} else if (!strcmp(how, "endless")) {
		uint8_t packet[WIRE_PACKET_MAX] = { WIRE_FOUND, 1 };

		while (send(LIAR_SOCKET, packet, sizeof packet, MSG_NOSIGNAL) > 0)
			;
	} else if (!strcmp(how, "spin")) {
		for (volatile bool is_for_ever = true; is_for_ever;)
			;
	} else if (!strcmp(how, "silent")) {
		for (;;)
			pause();
	} else if (!strcmp(how, "exit")) {
		_exit(0);
	} else if (!strcmp(how, "segv")) {
		raise(SIGSEGV);
	} else if (!strcmp(how, "io")) {
		err_set(&why, MUNI_IO, "the disk is gone");
		(void)wire_send_failure(LIAR_SOCKET, &why, &e);
	} else if (!strcmp(how, "code")) {
		(void)wire_send(LIAR_SOCKET, WIRE_FAILED, noise, 300, -1, &e);
	}
}

static _Noreturn void lie_as_worker(int socket)
{
	static struct inbox inbox;
	struct err e = ERR_NONE;
	struct wire_look look;

	dup2(socket, LIAR_SOCKET);
	inbox_init(&inbox, LIAR_SOCKET, true);
	while (inbox_wait(&inbox, &e) == 0) {
		struct reader r = reader_over(inbox.message.data, inbox.message.size);

		if (wire_get_look(&r, &look, &e) == 0)
			lie(look.name);
	}
	_exit(0);
}

/* An honest keeper of lying workers, one at a time. */
static int lie_as_program(void)
{
	static struct inbox inbox;
	struct err e = ERR_NONE;
	pid_t pid = 0;

	inbox_init(&inbox, LIAR_SOCKET, true);
	while (inbox_wait(&inbox, &e) == 0) {
		struct buffer b = { .data = NULL };
		struct wire_ended ended = { .format = "text/plain" };
		int status = 0;

		if (inbox.type == WIRE_HELLO) {
			(void)wire_send(LIAR_SOCKET, WIRE_READY, NULL, 0, -1, &e);
		} else if (inbox.type == WIRE_WORKER) {
			pid = fork();
			if (pid == 0)
				lie_as_worker(inbox.fd);
			close(inbox.fd);
			inbox.fd = -1;
			buffer_u32(&b, 0);
			buffer_u32(&b, (uint32_t)pid);
			(void)wire_send(LIAR_SOCKET, WIRE_STARTED, b.data, b.size, -1, &e);
		} else if (inbox.type == WIRE_END) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			ended.status = status;
			wire_put_ended(&b, &ended);
			(void)wire_send(LIAR_SOCKET, WIRE_ENDED, b.data, b.size, -1, &e);
		}
		buffer_free(&b);
	}
	kill(pid, SIGKILL);
	return 0;
}

/* ---- what the tests share -------------------------------------------------------------------- */

/* build/unit/vault/test_examiner -> build/muni-examine */
static const char *real_program(void)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 40);

	assert_true(n > 0);
	path[n] = '\0';
	for (unsigned i = 0; i < 3; i++)
		*strrchr(path, '/') = '\0';
	return strcat(path, "/muni-examine");
}

static struct examiner *open_with(struct examiner_options o)
{
	struct examiner *x = NULL;
	struct err e = ERR_NONE;

	if (!o.program)
		o.program = real_program();
	if (examiner_open(&o, &x, &e) < 0)
		fail_msg("%s", e.text);
	return x;
}

static struct examiner *open_liar(void)
{
	return open_with((struct examiner_options){ .program = "/proc/self/exe", .workers = 1,
						    .seconds = 1, .standstill = 4,
						    .limits = { .expanded = 1 } });
}

static int file_with(const void *data, size_t size)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), (ssize_t)size);
	return fd;
}

static const char card[] = "paid by payment card 4111 1111 1111 1111 on Monday\n";

static void assert_digest(const struct examination *found, const void *data, size_t size)
{
	struct digest wanted = digest_of(data, size);

	assert_true(found->has_sha256);
	assert_int_equal(found->size, size);
	assert_true(digest_equal(&found->sha256, &wanted));
}

static void assert_card_found(struct examiner *x)
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
static pid_t child_of(pid_t parent)
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

static pid_t wait_for_child_of(pid_t parent)
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

/* ---- files ------------------------------------------------------------------------------------ */

static void a_file_is_looked_into(void **state)
{
	struct examiner *x = open_with((struct examiner_options){ .workers = 1 });

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_card_found(x);
	examiner_close(x);
}

static void a_file_is_read_to_the_size_that_is_told(void **state)
{
	struct examiner *x = open_with((struct examiner_options){ .workers = 1 });
	int fd = file_with(card, sizeof card - 1);
	struct examination found;
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(examiner_look(x, fd, NULL, 4, &found, &e), 0);
	assert_digest(&found, card, 4);
	assert_int_equal(found.finding_count, 0);
	examination_clear(&found);
	/* It has become shorter meanwhile. */
	assert_int_equal(examiner_look(x, fd, NULL, 1 << 20, &found, &e), 0);
	assert_digest(&found, card, sizeof card - 1);
	examination_clear(&found);
	close(fd);
	examiner_close(x);
}

static void a_name_of_any_bytes_and_length_is_taken(void **state)
{
	struct examiner *x = open_with((struct examiner_options){ .workers = 1 });
	char *name = malloc(3 * WIRE_NAME_MAX);
	int fd = file_with(card, sizeof card - 1);
	struct examination found;
	struct err e = ERR_NONE;

	(void)state;
	assert_non_null(name);
	memset(name, 0xff, 3 * WIRE_NAME_MAX);
	strcpy(name + 3 * WIRE_NAME_MAX - 5, ".csv");
	assert_int_equal(examiner_look(x, fd, name, sizeof card - 1, &found, &e), 0);
	assert_digest(&found, card, sizeof card - 1);
	examination_clear(&found);
	free(name);
	close(fd);
	examiner_close(x);
}

static void a_file_that_cannot_be_read_is_an_error_and_the_pool_goes_on(void **state)
{
	struct examiner *x = open_with((struct examiner_options){ .workers = 1 });
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	struct examination found;
	struct err e = ERR_NONE;

	(void)state;
	if (fd < 0)
		skip();
	assert_int_equal(examiner_look(x, fd, "mem", 4096, &found, &e), -1);
	assert_int_equal(e.code, MUNI_IO);
	close(fd);
	assert_card_found(x);
	examiner_close(x);
}

/* ---- pipes ------------------------------------------------------------------------------------ */

struct feed {
	int fd;
	uint64_t size;
	const char *line;
};

static void *feed_pipe(void *arg)
{
	const struct feed *f = arg;
	size_t size = strlen(f->line);
	char *block = malloc(64 << 10);
	uint64_t left = f->size;

	assert_non_null(block);
	for (size_t i = 0; i < 64 << 10; i++)
		block[i] = f->line[i % size];
	while (left > 0) {
		size_t part = (64 << 10) / size * size;

		if (part > left)
			part = (size_t)left;
		for (size_t done = 0; done < part;) {
			ssize_t n = write(f->fd, block + done, part - done);

			if (n < 0)
				goto out;
			done += (size_t)n;
		}
		left -= part;
	}
out:
	close(f->fd);
	free(block);
	return NULL;
}

static int look_at_pipe(struct examiner *x, struct feed *f, uint64_t told,
			struct examination *found, struct err *e)
{
	pthread_t thread;
	int ends[2], rc;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	f->fd = ends[1];
	assert_int_equal(pthread_create(&thread, NULL, feed_pipe, f), 0);
	rc = examiner_look(x, ends[0], "stream.txt", told, found, e);
	close(ends[0]);
	pthread_join(thread, NULL);
	return rc;
}

static void a_pipe_is_looked_into(void **state)
{
	static const uint64_t sizes[] = { 0, 1, sizeof card - 1, 200 * (sizeof card - 1),
					  100000 * (sizeof card - 1) };
	struct examiner *x = open_with((struct examiner_options){ .workers = 1 });

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct feed f = { .size = sizes[i], .line = card };
		struct examination found;
		struct err e = ERR_NONE;
		struct hasher *h = hasher_new();
		struct digest wanted;

		assert_int_equal(look_at_pipe(x, &f, UINT64_MAX, &found, &e), 0);
		for (uint64_t at = 0; at < sizes[i]; at += sizeof card - 1)
			hasher_update(h, card, sizes[i] - at < sizeof card - 1 ? sizes[i] - at
									       : sizeof card - 1);
		wanted = hasher_finish(h);
		hasher_free(h);
		assert_true(digest_equal(&found.sha256, &wanted));
		assert_int_equal(found.size, sizes[i]);
		assert_string_equal(found.opaque, "");
		if (sizes[i] >= sizeof card - 1)
			assert_int_equal(found.findings->count, sizes[i] / (sizeof card - 1));
		examination_clear(&found);
	}
	examiner_close(x);
}

/* ---- what goes wrong -------------------------------------------------------------------------- */

static void a_worker_that_takes_too_long_is_cut_and_the_digest_is_made(void **state)
{
	static const char line[] = "a line of plain words that nobody would look at twice\n";
	struct feed f = { .size = 3ull << 30, .line = line };
	struct examination found;
	struct err e = ERR_NONE;
	struct examiner *x;

	(void)state;
	if (IS_SANITIZED)
		skip();
	x = open_with((struct examiner_options){ .workers = 1, .seconds = 1 });
	/* Told to be small: its size grants no time. */
	assert_int_equal(look_at_pipe(x, &f, 0, &found, &e), 0);
	assert_string_equal(found.opaque,
			    "looking into it took more than 1 s of processor time");
	assert_string_equal(found.format, "text/plain");
	assert_int_equal(found.size, f.size);
	assert_true(found.has_sha256);
	examination_clear(&found);
	assert_card_found(x);
	examiner_close(x);
}

/* Packed so that unpacking takes a dictionary of 64 MiB, whatever is in it. */
static size_t pack_wide(uint8_t *out, size_t room)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	size_t size = 0;

	assert_int_equal(archive_write_set_format_raw(a), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter_xz(a), ARCHIVE_OK);
	assert_int_equal(archive_write_set_options(a, "xz:compression-level=9"), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(a, out, room, &size), ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(a, card, sizeof card - 1), sizeof card - 1);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_entry_free(entry);
	archive_write_free(a);
	return size;
}

static void too_little_memory_is_said_and_the_digest_is_made(void **state)
{
	struct examiner *x = open_with((struct examiner_options){ .workers = 1,
								  .memory = 16 << 20 });
	uint8_t packed[4096];
	size_t size = pack_wide(packed, sizeof packed);
	int fd = file_with(packed, size);

	(void)state;
	for (unsigned i = 0; i < 2 && !IS_SANITIZED; i++) {
		struct examination found;
		struct err e = ERR_NONE;

		assert_int_equal(examiner_look(x, fd, "wide.xz", size, &found, &e), 0);
		if (!strstr(found.opaque, "memory") || strstr(found.opaque, "this machine"))
			fail_msg("\"%s\"", found.opaque);
		assert_digest(&found, packed, size);
		examination_clear(&found);
		assert_card_found(x);
	}
	close(fd);
	examiner_close(x);
}

/* A limit of data is to the examiner what a machine without memory is: its own limit, of
 * addresses, would have let it. */
static void a_machine_without_memory_is_not_the_files_fault(void **state)
{
	uint8_t packed[4096];
	size_t size = pack_wide(packed, sizeof packed);
	int fd = file_with(packed, size), status;
	pid_t pid;

	(void)state;
	if (IS_SANITIZED)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit data = { 60u << 20, 60u << 20 };
		struct examiner_options o = { .program = real_program(), .workers = 1 };
		struct examiner *x = NULL;
		struct examination found;
		struct err e = ERR_NONE;

		if (setrlimit(RLIMIT_DATA, &data) < 0)
			_exit(100);
		if (examiner_open(&o, &x, &e) < 0 ||
		    examiner_look(x, fd, "wide.xz", size, &found, &e) < 0) {
			fprintf(stderr, "%s\n", e.text);
			_exit(101);
		}
		if (!strstr(found.opaque, "this machine") || !strstr(found.opaque, "nothing of the")) {
			fprintf(stderr, "%s\n", found.opaque);
			_exit(102);
		}
		_exit(found.has_sha256 && found.size == size ? 0 : 103);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(fd);
}

static void a_damaged_file_is_not_told_as_want_of_memory(void **state)
{
	struct examiner *x = open_with((struct examiner_options){ .workers = 1 });
	uint8_t packed[4096];
	size_t size = pack_wide(packed, sizeof packed);
	struct examination found;
	struct err e = ERR_NONE;
	int fd;

	(void)state;
	packed[size / 2] ^= 0x40;
	fd = file_with(packed, size);
	assert_int_equal(examiner_look(x, fd, "wide.xz", size, &found, &e), 0);
	assert_string_not_equal(found.opaque, "");
	if (strstr(found.opaque, "memory"))
		fail_msg("\"%s\"", found.opaque);
	examination_clear(&found);
	close(fd);
	examiner_close(x);
}

static void enough_memory_unpacks_the_same(void **state)
{
	struct examiner *x = open_with((struct examiner_options){ .workers = 1 });
	uint8_t packed[4096];
	size_t size = pack_wide(packed, sizeof packed);
	int fd = file_with(packed, size);
	struct examination found;
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(examiner_look(x, fd, "wide.xz", size, &found, &e), 0);
	assert_string_equal(found.opaque, "");
	assert_int_equal(found.finding_count, 1);
	examination_clear(&found);
	close(fd);
	examiner_close(x);
}

struct victim {
	int to;
	int signal;
};

/* Kills the worker in the middle of a stream, then gives the rest of it. */
static void *kill_worker(void *arg)
{
	struct victim *v = arg;
	pid_t keeper = wait_for_child_of(getpid()), worker = wait_for_child_of(keeper);

	assert_int_equal(write(v->to, card, sizeof card - 1), (ssize_t)sizeof card - 1);
	usleep(50000);
	kill(worker, v->signal);
	usleep(50000);
	assert_int_equal(write(v->to, card, sizeof card - 1), (ssize_t)sizeof card - 1);
	close(v->to);
	return NULL;
}

static void a_worker_that_dies_is_replaced_and_its_file_recorded(void **state)
{
	static const struct {
		int signal;
		const char *why;
	} deaths[] = { { SIGSEGV, "crashed" }, { SIGABRT, "crashed" },
		       { SIGSYS, "may not do" }, { SIGKILL, "killed from outside" } };
	char both[2 * sizeof card];
	struct examiner *x;

	(void)state;
	if (IS_SANITIZED)
		skip();		/* their run time takes the signals */
	x = open_with((struct examiner_options){ .workers = 1 });
	snprintf(both, sizeof both, "%s%s", card, card);
	for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++) {
		struct victim v = { .signal = deaths[i].signal };
		struct examination found;
		struct err e = ERR_NONE;
		pthread_t thread;
		int ends[2];

		assert_card_found(x);
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		v.to = ends[1];
		assert_int_equal(pthread_create(&thread, NULL, kill_worker, &v), 0);
		assert_int_equal(examiner_look(x, ends[0], "x.txt", 100, &found, &e), 0);
		pthread_join(thread, NULL);
		close(ends[0]);
		assert_non_null(strstr(found.opaque, deaths[i].why));
		assert_digest(&found, both, strlen(both));
		examination_clear(&found);
		assert_card_found(x);
	}
	examiner_close(x);
}

static const struct {
	const char *how, *why;
} lies[] = {
	{ "noise", "made no sense" }, { "empty", "made no sense" }, { "other", "made no sense" },
	{ "raw", "made no sense" }, { "endless", "made no sense" }, { "code", "made no sense" },
	{ "exit", "crashed" }, { "segv", "crashed" }, { "io", "the disk is gone" },
	{ "spin", "more than 1 s of processor time" }, { "silent", "standstill" },
};
#define LIES (sizeof lies / sizeof *lies)

struct lie {
	struct examiner *x;
	size_t index;
	struct examination found;
	int rc;
};

static void *hear_lie(void *arg)
{
	struct lie *l = arg;
	int fd = file_with(card, sizeof card - 1);
	struct err e = ERR_NONE;

	l->rc = examiner_look(l->x, fd, lies[l->index].how, sizeof card - 1, &l->found, &e);
	close(fd);
	return NULL;
}

/* All at once: two of them take their time. */
static void a_worker_that_lies_is_not_believed(void **state)
{
	struct lie heard[LIES] = { { .x = NULL } };
	pthread_t threads[LIES];

	(void)state;
	for (size_t i = 0; i < LIES; i++) {
		heard[i] = (struct lie){ .x = open_liar(), .index = i };
		assert_int_equal(pthread_create(&threads[i], NULL, hear_lie, &heard[i]), 0);
	}
	for (size_t i = 0; i < LIES; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < LIES; i++) {
		assert_int_equal(heard[i].rc, 0);
		if (!strstr(heard[i].found.opaque, lies[i].why))
			fail_msg("%s: \"%s\"", lies[i].how, heard[i].found.opaque);
		assert_int_equal(heard[i].found.finding_count, 0);
		assert_digest(&heard[i].found, card, sizeof card - 1);
		examination_clear(&heard[i].found);
		examiner_close(heard[i].x);
	}
}

static bool is_set(void *arg)
{
	return __atomic_load_n((bool *)arg, __ATOMIC_RELAXED);
}

static void *set_soon(void *arg)
{
	usleep(100000);
	__atomic_store_n((bool *)arg, true, __ATOMIC_RELAXED);
	return NULL;
}

static void a_pool_that_is_told_to_stop_waits_for_nothing(void **state)
{
	bool is_cancelled = false;
	struct examiner *x = open_with((struct examiner_options){
		.workers = 1, .is_cancelled = is_set, .arg = &is_cancelled });
	struct examination found;
	struct err e = ERR_NONE;
	pthread_t thread;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&thread, NULL, set_soon, &is_cancelled), 0);
	assert_int_equal(examiner_look(x, ends[0], "x", UINT64_MAX, &found, &e), -1);
	assert_int_equal(e.code, MUNI_CANCELLED);
	pthread_join(thread, NULL);
	close(ends[0]);
	close(ends[1]);
	is_cancelled = false;
	assert_card_found(x);
	examiner_close(x);
}

/* ---- many ------------------------------------------------------------------------------------- */

#define MANY 2500u

struct many {
	struct examiner *x;
	unsigned next;
	struct digest digests[MANY];
	uint64_t counts[MANY];
	unsigned failures;
};

static void *look_at_many(void *arg)
{
	struct many *m = arg;
	unsigned i;

	while ((i = __atomic_fetch_add(&m->next, 1, __ATOMIC_RELAXED)) < MANY) {
		char text[64 * 20] = "";
		struct examination found;
		struct err e = ERR_NONE;
		int fd;

		for (unsigned k = 0; k < i % 20; k++)
			strcat(text, card);
		fd = file_with(text, strlen(text));
		if (examiner_look(m->x, fd, "many.txt", strlen(text), &found, &e) < 0 ||
		    *found.opaque) {
			__atomic_fetch_add(&m->failures, 1, __ATOMIC_RELAXED);
		} else {
			m->digests[i] = found.sha256;
			m->counts[i] = found.finding_count ? found.findings->count : 0;
		}
		examination_clear(&found);
		close(fd);
	}
	return NULL;
}

static void any_number_of_threads_get_the_same_of_each_file(void **state)
{
	struct many *m = calloc(1, sizeof *m);
	pthread_t threads[8];

	(void)state;
	assert_non_null(m);
	m->x = open_with((struct examiner_options){ .workers = 2 });
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_at_many, m), 0);
	for (size_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(m->failures, 0);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(m->counts[i], i % 20);
		assert_true(i < 20 || digest_equal(&m->digests[i], &m->digests[i % 20]));
	}
	examiner_close(m->x);
	free(m);
}

/* ---- beginning and end ------------------------------------------------------------------------ */

static void a_recogniser_of_a_policy_is_used_and_a_bad_one_refused(void **state)
{
	char id[] = "badge", pattern[] = "BADGE-[0-9]{6}", bad[] = "BADGE-([0-9]";
	struct custom_recogniser custom = { .id = id, .pattern = pattern, .alone = 80,
					    .in_context = 95 };
	struct examiner_options o = { .program = real_program(), .workers = 1, .custom = &custom,
				      .custom_count = 1 };
	static const char text[] = "the badge of a visitor is BADGE-123456 today\n";
	int fd = file_with(text, sizeof text - 1);
	struct examination found;
	struct examiner *x;
	struct err e = ERR_NONE;

	(void)state;
	x = open_with(o);
	assert_int_equal(examiner_look(x, fd, "a.txt", sizeof text - 1, &found, &e), 0);
	assert_int_equal(found.finding_count, 1);
	assert_string_equal(found.findings->id, "badge");
	assert_null(strstr(found.findings->samples[0].text, "123456"));
	examination_clear(&found);
	examiner_close(x);
	close(fd);
	custom.pattern = bad;
	assert_int_equal(examiner_open(&o, &x, &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
	assert_non_null(strstr(e.text, "badge"));
	assert_null(x);
}

static void a_program_that_is_not_there_or_is_another_is_said(void **state)
{
	struct examiner_options o = { .program = "/nonexistent/muni-examine" };
	struct examiner *x;
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(examiner_open(&o, &x, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	o.program = "/bin/true";
	assert_int_equal(examiner_open(&o, &x, &e), -1);
	assert_int_equal(e.code, MUNI_IO);
}

/* As in a container whose own filter lets nobody make one. */
static void without_a_filter_nothing_is_looked_into(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct scmp_arg_cmp old = SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP);
		scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
		struct examiner_options o = { .program = real_program() };
		struct examiner *x = NULL;
		struct err e = ERR_NONE;

		if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), 0) < 0 ||
		    seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 1,
					   &old) < 0 || seccomp_load(ctx) < 0)
			_exit(100);
		_exit(examiner_open(&o, &x, &e) == 0 ? 101 : (int)e.code);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), MUNI_UNSUPPORTED);
}

/* Limits of our own are kept: lower ones are not raised, and do not stop it. */
static void a_limited_process_looks_into_files_too(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (IS_SANITIZED)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit space = { 1u << 30, 1u << 30 }, files = { 20, 20 };
		struct examiner_options o = { .program = real_program(), .workers = 1,
					      .memory = 8ull << 30 };
		int fd = file_with(card, sizeof card - 1);
		struct examiner *x = NULL;
		struct examination found;
		struct err e = ERR_NONE;

		if (setrlimit(RLIMIT_AS, &space) < 0 || setrlimit(RLIMIT_NOFILE, &files) < 0)
			_exit(100);
		if (examiner_open(&o, &x, &e) < 0 ||
		    examiner_look(x, fd, "a", sizeof card - 1, &found, &e) < 0)
			_exit(101);
		_exit(found.finding_count == 1 ? 0 : 102);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Until the process is gone, or is a zombie that somebody else has to reap. */
static bool has_ended(pid_t pid)
{
	for (unsigned i = 0; i < TRIES; i++) {
		char path[64], state = 'Z';
		FILE *f;

		snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
		f = fopen(path, "re");
		if (!f)
			return true;
		if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = 'Z';
		fclose(f);
		if (state == 'Z')
			return true;
		usleep(10000);
	}
	return false;
}

static void the_program_and_its_workers_end_with_their_parent(void **state)
{
	pid_t scan = fork(), keeper, worker;

	(void)state;
	assert_true(scan >= 0);
	if (scan == 0) {
		struct examiner *x = open_with((struct examiner_options){ .workers = 1 });
		struct examination found;
		struct err e = ERR_NONE;
		int ends[2];

		if (pipe(ends) == 0)	/* nothing will come: for ever in the middle of it */
			(void)examiner_look(x, ends[0], "x", 1, &found, &e);
		_exit(1);
	}
	keeper = wait_for_child_of(scan);
	worker = wait_for_child_of(keeper);
	kill(scan, SIGKILL);
	assert_int_equal(waitpid(scan, NULL, 0), scan);
	assert_true(has_ended(keeper));
	assert_true(has_ended(worker));
}

static void nothing_of_ours_is_left_open_or_running(void **state)
{
	int before = dup(0), after;
	struct examiner *x;

	(void)state;
	close(before);
	x = open_with((struct examiner_options){ .workers = 3 });
	assert_card_found(x);
	examiner_close(x);
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
	assert_int_equal(child_of(getpid()), 0);
}

static bool is_started_as_program(void)
{
	int type = 0;
	socklen_t size = sizeof type;

	return getsockopt(LIAR_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       type == SOCK_SEQPACKET;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_looked_into),
		cmocka_unit_test(a_file_is_read_to_the_size_that_is_told),
		cmocka_unit_test(a_name_of_any_bytes_and_length_is_taken),
		cmocka_unit_test(a_file_that_cannot_be_read_is_an_error_and_the_pool_goes_on),
		cmocka_unit_test(a_pipe_is_looked_into),
		cmocka_unit_test(a_worker_that_takes_too_long_is_cut_and_the_digest_is_made),
		cmocka_unit_test(too_little_memory_is_said_and_the_digest_is_made),
		cmocka_unit_test(enough_memory_unpacks_the_same),
		cmocka_unit_test(a_machine_without_memory_is_not_the_files_fault),
		cmocka_unit_test(a_damaged_file_is_not_told_as_want_of_memory),
		cmocka_unit_test(a_worker_that_dies_is_replaced_and_its_file_recorded),
		cmocka_unit_test(a_worker_that_lies_is_not_believed),
		cmocka_unit_test(a_pool_that_is_told_to_stop_waits_for_nothing),
		cmocka_unit_test(any_number_of_threads_get_the_same_of_each_file),
		cmocka_unit_test(a_recogniser_of_a_policy_is_used_and_a_bad_one_refused),
		cmocka_unit_test(a_program_that_is_not_there_or_is_another_is_said),
		cmocka_unit_test(without_a_filter_nothing_is_looked_into),
		cmocka_unit_test(a_limited_process_looks_into_files_too),
		cmocka_unit_test(the_program_and_its_workers_end_with_their_parent),
		cmocka_unit_test(nothing_of_ours_is_left_open_or_running),
	};

	if (is_started_as_program())
		return lie_as_program();
	signal(SIGPIPE, SIG_IGN);	/* a feeder whose reader stopped */
	return cmocka_run_group_tests_name("examiner", tests, NULL, NULL);
}
