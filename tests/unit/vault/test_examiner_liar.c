/*
 * The pool with a muni-examine that lies: this program itself, started in its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/content/wire.h"
#include "fs/vault/examiner.h"
#include "tests/unit/vault/examining.h"

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

static bool is_started_as_program(void)
{
	int type = 0;
	socklen_t size = sizeof type;

	return getsockopt(LIAR_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       type == SOCK_SEQPACKET;
}

/* ---- who hears it ------------------------------------------------------------------------------ */

static struct examiner *open_liar(void)
{
	return open_with((struct examiner_options){ .program = "/proc/self/exe", .workers = 1,
						    .seconds = 1, .standstill = 4,
						    .limits = { .expanded = 1 } });
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_that_lies_is_not_believed),
	};

	if (is_started_as_program())
		return lie_as_program();
	signal(SIGPIPE, SIG_IGN);	/* a feeder whose reader stopped */
	return cmocka_run_group_tests_name("examiner-liar", tests, NULL, NULL);
}
