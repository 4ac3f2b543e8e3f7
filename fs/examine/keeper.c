#include "fs/examine/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/shortage.h"
#include "fs/content/wire.h"
#include "fs/examine/jail.h"
#include "fs/examine/worker.h"

#define WORKERS_MAX 1024u
#define NOTE_SIZE 4096u		/* a page of its own */

struct kept {
	pid_t pid;		/* 0: none */
	struct worker_note *note;	/* shared with it */
};

struct keeper {
	struct looker *looker;
	struct inbox *control;
	struct kept workers[WORKERS_MAX];
};

static void say(enum wire_type type, const struct buffer *b)
{
	struct err e = ERR_NONE;

	if (b->failed || wire_send(JAIL_SOCKET, type, b->data, b->size, -1, &e) < 0)
		_exit(1);
}

/* ---- beginning ------------------------------------------------------------------------- */

static _Noreturn void become_worker(struct keeper *k, int socket, struct worker_note *note,
				    pid_t keeper)
{
	/* Control's place becomes the worker's own socket: no way to the keeper. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != keeper ||
	    dup3(socket, JAIL_SOCKET, O_CLOEXEC) < 0)
		_exit(1);
	close(socket);
	worker_run(k->looker, note);
}

static int start(struct keeper *k, struct kept *w, int socket, struct err *e)
{
	pid_t self = getpid();
	void *page = mmap(NULL, NOTE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			  -1, 0);

	if (page == MAP_FAILED)
		return err_errno(e, "making a worker");
	w->pid = fork();
	if (w->pid == 0)
		become_worker(k, socket, page, self);
	if (w->pid < 0) {
		w->pid = 0;
		err_errno(e, "making a worker");
		munmap(page, NOTE_SIZE);
		return -1;
	}
	/* Workers that come later do not see it. */
	(void)madvise(page, NOTE_SIZE, MADV_DONTFORK);
	w->note = page;
	return 0;
}

static void on_worker(struct keeper *k, uint32_t number)
{
	struct err e = ERR_NONE, ignored = ERR_NONE;
	struct kept *w = &k->workers[number];
	struct buffer b = { .data = NULL };
	int rc = w->pid == 0 && k->control->fd >= 0 ? start(k, w, k->control->fd, &e) :
		 err_set(&e, MUNI_USAGE, "a worker of this number is there already");

	file_close(&k->control->fd);
	if (rc < 0) {
		if (wire_send_failure(JAIL_SOCKET, &e, &ignored) < 0)
			_exit(1);
		return;
	}
	buffer_u32(&b, number);
	buffer_u32(&b, (uint32_t)w->pid);
	say(WIRE_STARTED, &b);
	buffer_free(&b);
}

/* ---- growing --------------------------------------------------------------------------- */

static void on_grow(struct keeper *k, uint32_t number)
{
	struct err e = ERR_NONE, ignored = ERR_NONE;
	pid_t pid = k->workers[number].pid;
	int rc = pid > 0 ? jail_lift(pid, &e) :
		 err_set(&e, MUNI_USAGE, "there is no worker of this number");

	if (rc == 0)
		rc = wire_send(JAIL_SOCKET, WIRE_GROWN, NULL, 0, -1, &ignored);
	else
		rc = wire_send_failure(JAIL_SOCKET, &e, &ignored);
	if (rc < 0)
		_exit(1);
}

/* ---- ending ---------------------------------------------------------------------------- */

/* One that has died by itself already keeps the status that it died with. */
static void on_end(struct keeper *k, uint32_t number)
{
	struct kept *w = &k->workers[number];
	struct wire_ended ended = { .number = number };
	struct buffer b = { .data = NULL };
	struct rusage usage = { .ru_maxrss = 0 };

	if (w->pid > 0) {
		int status = 0;

		kill(w->pid, SIGKILL);
		while (wait4(w->pid, &status, 0, &usage) < 0 && errno == EINTR)
			;
		ended.status = status;
		ended.peak = (uint64_t)usage.ru_maxrss * 1024;
		memcpy(ended.format, w->note->format, sizeof ended.format);
		memcpy(ended.reader, w->note->reader, sizeof ended.reader);
		ended.shortage = atomic_load(&w->note->shortage);
		/* A worker that was taken over wrote it. */
		if (ended.shortage > SHORTAGE_MACHINE)
			ended.shortage = SHORTAGE_NONE;
		munmap(w->note, NOTE_SIZE);
		*w = (struct kept){ .pid = 0 };
	}
	wire_put_ended(&b, &ended);
	say(WIRE_ENDED, &b);
	buffer_free(&b);
}

_Noreturn void keeper_run(struct looker *looker, struct inbox *control)
{
	struct keeper *k = calloc(1, sizeof *k);
	struct err e = ERR_NONE;

	if (!k)
		_exit(1);
	k->looker = looker;
	k->control = control;
	while (inbox_wait(control, &e) == 0) {
		struct reader r = reader_over(control->message.data, control->message.size);
		uint32_t number = reader_u32(&r);

		if (r.underflow || number >= WORKERS_MAX)
			break;
		if (control->type == WIRE_WORKER)
			on_worker(k, number);
		else if (control->type == WIRE_GROW)
			on_grow(k, number);
		else if (control->type == WIRE_END)
			on_end(k, number);
		else
			break;
	}
	/* The scan is gone, or makes no sense: PR_SET_PDEATHSIG takes the workers along. */
	_exit(0);
}
