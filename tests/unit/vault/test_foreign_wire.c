/* A hostile child: what it says is bounded, and where it may not go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/vault/foreign_frames.h"
#include "fs/vault/foreign_jail.h"
#include "fs/vault/foreign_wire.h"

static struct wire_entry a_full_entry(void)
{
	static struct wire_xattr xattrs[] = { { "user.a", "value", 5 }, { "user.b", "", 0 } };
	static struct wire_acl acls[] = {
		{ false, WIRE_ACL_USER_OBJ, 7, -1, "" },
		{ true, WIRE_ACL_GROUP, 5, 1000, "staff" },
	};
	struct wire_entry w = {
		.f = { .path = "dir/file", .path_size = 8, .kind = NODE_FILE, .mode = 04755,
		       .uid = 1000, .gid = -1, .uname = "mei", .has_size = true,
		       .size = 1ull << 40, .has_mtime = true, .mtime = { -5, 999999999 },
		       .hardlink = "other", .hardlink_size = 5, .has_data = true,
		       .remark = "something" },
		.xattrs = xattrs, .xattr_count = 2, .acls = acls, .acl_count = 2,
	};

	return w;
}

static void an_entry_survives_the_wire(void **state)
{
	struct wire_entry in = a_full_entry(), out;
	struct buffer b = { .data = NULL };

	(void)state;
	wire_put_entry(&b, &in);
	assert_int_equal(wire_get_entry(b.data, b.size, &out), 0);
	assert_string_equal(out.f.path, "dir/file");
	assert_string_equal(out.f.hardlink, "other");
	assert_string_equal(out.f.uname, "mei");
	assert_null(out.f.gname);
	assert_int_equal(out.f.mode, 04755);
	assert_int_equal(out.f.gid, -1);
	assert_int_equal(out.f.size, 1ull << 40);
	assert_int_equal(out.f.mtime.seconds, -5);
	assert_int_equal(out.f.mtime.ns, 999999999);
	assert_true(out.f.has_data && out.f.has_mtime && !out.f.has_atime);
	assert_int_equal(out.xattr_count, 2);
	assert_memory_equal(out.xattrs[0].value, "value", 5);
	assert_int_equal(out.acl_count, 2);
	assert_string_equal(out.acls[1].name, "staff");
	wire_entry_free(&out);
	buffer_free(&b);
}

/* Each in a block of exactly its size, so that a read past it is seen by ASan. */
static int parse_copy(const uint8_t *data, size_t size)
{
	struct wire_entry out;
	uint8_t *exact = malloc(size ? size : 1);
	int rc;

	assert_non_null(exact);
	memcpy(exact, data, size);
	rc = wire_get_entry(exact, size, &out);
	if (rc == 0) {
		assert_int_equal(strlen(out.f.path), out.f.path_size);
		wire_entry_free(&out);
	}
	free(exact);
	return rc;
}

static void an_entry_cut_anywhere_is_refused(void **state)
{
	struct wire_entry in = a_full_entry();
	struct buffer b = { .data = NULL };

	(void)state;
	wire_put_entry(&b, &in);
	for (size_t size = 0; size < b.size; size++)
		assert_int_equal(parse_copy(b.data, size), -1);
	buffer_u8(&b, 0);
	assert_int_equal(parse_copy(b.data, b.size), -1);
	buffer_free(&b);
}

static void nonsense_in_an_entry_is_refused_or_harmless(void **state)
{
	struct wire_entry in = a_full_entry();
	struct buffer b = { .data = NULL };
	uint32_t seed = 7;

	(void)state;
	wire_put_entry(&b, &in);
	for (unsigned n = 0; n < 20000; n++) {
		uint8_t *copy = malloc(b.size);

		assert_non_null(copy);
		memcpy(copy, b.data, b.size);
		for (unsigned k = 0; k <= n % 4; k++) {
			seed = seed * 1664525 + 1013904223;
			copy[(seed >> 8) % b.size] = (uint8_t)(seed >> 24);
		}
		(void)parse_copy(copy, b.size);
		free(copy);
	}
	buffer_free(&b);
}

/* What frames_next() makes of a child that says these bytes and stops. */
static enum muni_code heard(const void *data, size_t size)
{
	struct frames p = { .fd = -1 };
	struct err e = ERR_NONE;
	enum wire_type type;
	const uint8_t *payload;
	size_t got;
	int ends[2], rc;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], data, size), (ssize_t)size);
	close(ends[1]);
	p.fd = ends[0];
	rc = frames_next(&p, &type, &payload, &got, &e);
	frames_close(&p);
	return rc < 0 ? e.code : MUNI_OK;
}

static void a_frame_that_is_too_large_is_not_even_fetched(void **state)
{
	static const uint8_t good[] = { WIRE_PULSE, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	static const uint8_t large[] = { WIRE_DATA, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t unknown[] = { 77, 0, 0, 0, 0 };
	static const uint8_t cut[] = { WIRE_PULSE, 8, 0, 0, 0, 1, 2 };

	(void)state;
	assert_int_equal(heard(good, sizeof good), MUNI_OK);
	assert_int_equal(heard(large, sizeof large), MUNI_DAMAGED);
	assert_int_equal(heard(unknown, sizeof unknown), MUNI_DAMAGED);
	assert_int_equal(heard(cut, sizeof cut), MUNI_DAMAGED);
	assert_int_equal(heard("", 0), MUNI_DAMAGED);
}

static void a_child_that_was_killed_is_an_error_that_says_so(void **state)
{
	static const struct {
		int signal;
		bool is_ready;
		enum muni_code code;
		enum shortage shortage;
	} deaths[] = {
		{ SIGSEGV, true, MUNI_LIMIT, SHORTAGE_LIMIT },
		{ SIGSEGV, true, MUNI_NO_MEMORY, SHORTAGE_MACHINE },
		/* What it was stopped for is not excused by a word of its own. */
		{ SIGSYS, true, MUNI_DAMAGED, SHORTAGE_MACHINE },
		{ SIGSYS, true, MUNI_DAMAGED, SHORTAGE_NONE },
		{ SIGKILL, true, MUNI_LIMIT, SHORTAGE_NONE },
		{ SIGABRT, true, MUNI_DAMAGED, SHORTAGE_NONE },
		/* Before it read a byte of the archive: of that nothing is said. */
		{ SIGSEGV, false, MUNI_NO_MEMORY, SHORTAGE_NONE },
		{ SIGSYS, false, MUNI_NO_MEMORY, SHORTAGE_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++) {
		struct frames p = { .fd = -1, .is_ready = deaths[i].is_ready };
		struct err e = ERR_NONE;
		enum wire_type type;
		const uint8_t *payload;
		size_t got;
		int ends[2];

		assert_int_equal(pipe(ends), 0);
		p.pid = fork();
		assert_true(p.pid >= 0);
		if (p.pid == 0) {
			const uint8_t said[] = { WIRE_SHORT, 1, 0, 0, 0, (uint8_t)deaths[i].shortage };

			if (deaths[i].shortage != SHORTAGE_NONE &&
			    write(ends[1], said, sizeof said) != (ssize_t)sizeof said)
				_exit(1);
			(void)signal(deaths[i].signal, SIG_DFL);
			raise(deaths[i].signal);
			_exit(0);
		}
		close(ends[1]);
		p.fd = ends[0];
		assert_int_equal(frames_next(&p, &type, &payload, &got, &e), -1);
		assert_int_equal(e.code, deaths[i].code);
		assert_true(strlen(e.text) > 20);
		assert_true(deaths[i].is_ready || !strstr(e.text, "hostile"));
		frames_close(&p);
	}
}

/* ---- the closed door -------------------------------------------------------------- */

/* Exit status of a jailed child that runs `act`; 1000 + N if signal N ended it. */
static int in_jail(int (*act)(void))
{
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = ERR_NONE;
		int input = open("/dev/null", O_RDONLY);

		if (jail_descriptors(input, ends[1], &e) < 0 || jail_close(JAIL_MEMORY, &e) < 0)
			_exit(99);
		_exit(act());
	}
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int act_nothing(void)
{
	char byte;
	void *memory = malloc(1 << 20);

	free(memory);
	return read(JAIL_INPUT, &byte, 1) == 0 && memory ? 0 : 1;
}

static int act_open(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES ? 0 : 1;
}

static int act_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? 2 : 1;
}

static int act_execute(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return 1;
}

static int act_fork(void)
{
	return fork() < 0 ? 2 : 1;
}

static int act_kill(void)
{
	return kill(1, 0) < 0 ? 2 : 1;
}

static int act_map_code(void)
{
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return code == MAP_FAILED ? 2 : 1;
}

static int act_write_elsewhere(void)
{
	return write(JAIL_OUTPUT + 4, "x", 1) < 0 ? 2 : 1;
}

static int act_complain(void)
{
	return write(STDERR_FILENO, "x", 1) < 0 && errno == EBADF ? 0 : 1;
}

static void behind_the_door_nothing_can_be_opened_or_started(void **state)
{
	(void)state;
	assert_int_equal(in_jail(act_nothing), 0);
	assert_int_equal(in_jail(act_open), 0);
	assert_int_equal(in_jail(act_socket), 1000 + SIGSYS);
	assert_int_equal(in_jail(act_execute), 1000 + SIGSYS);
	assert_int_equal(in_jail(act_fork), 1000 + SIGSYS);
	assert_int_equal(in_jail(act_kill), 1000 + SIGSYS);
	assert_int_equal(in_jail(act_map_code), 1000 + SIGSYS);
	assert_int_equal(in_jail(act_write_elsewhere), 1000 + SIGSYS);
	assert_int_equal(in_jail(act_complain), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_survives_the_wire),
		cmocka_unit_test(an_entry_cut_anywhere_is_refused),
		cmocka_unit_test(nonsense_in_an_entry_is_refused_or_harmless),
		cmocka_unit_test(a_frame_that_is_too_large_is_not_even_fetched),
		cmocka_unit_test(a_child_that_was_killed_is_an_error_that_says_so),
		cmocka_unit_test(behind_the_door_nothing_can_be_opened_or_started),
	};

	return cmocka_run_group_tests_name("foreign wire", tests, NULL, NULL);
}
