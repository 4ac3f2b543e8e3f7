#include "fs/examine/worker.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/shortage.h"
#include "fs/base/team.h"
#include "fs/content/wire.h"
#include "fs/examine/growth.h"
#include "fs/examine/jail.h"

#define THREAD_STACK (512 << 10)
#define HEAP_KEPT_MAX (32 << 20)
#define STATUS_PARENT_GONE 0
#define STATUS_TALK 3		/* the scan and we do not understand each other */

struct worker {
	struct looker *looker;
	struct worker_note *note;	/* shared with the keeper */
	struct inbox inbox;
	struct buffer answer;
	char *heap;		/* where it ended when this worker began */
	uint64_t granted;	/* of what came out of this file time was added for so much */
};

static void note_reader(void *arg, unsigned depth, const char *format)
{
	struct worker *w = arg;
	struct worker_note *note = w->note;

	snprintf(note->reader, sizeof note->reader, "%s", format);
	if (depth == 0)
		memcpy(note->format, note->reader, sizeof note->format);
}

/* What a file unpacks to costs time as well; a reader that hangs unpacks nothing. */
static void grant_time(void *arg, uint64_t expanded)
{
	struct worker *w = arg;

	if (expanded - w->granted < WIRE_EXPANDED_A_SECOND)
		return;
	jail_add_seconds((unsigned)((expanded - w->granted) / WIRE_EXPANDED_A_SECOND));
	w->granted = expanded / WIRE_EXPANDED_A_SECOND * WIRE_EXPANDED_A_SECOND;
}

static ssize_t read_pipe(void *arg, void *out, size_t size, struct err *e)
{
	const int *fd = arg;
	ssize_t n;

	do
		n = read(*fd, out, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, "reading");
	return n;
}

/* A reader to which memory was refused may have taken that for the file's fault. */
static void tell_shortage(struct worker *w, struct examination *x)
{
	enum shortage why = (enum shortage)atomic_load(&w->note->shortage);
	char said[sizeof x->opaque];

	if (why == SHORTAGE_NONE || !*x->opaque)
		return;
	memcpy(said, x->opaque, sizeof said);
	snprintf(x->opaque, sizeof x->opaque, "%s; what was said then: %.350s",
		 why == SHORTAGE_LIMIT ? "it needs more memory than looking into a file may take" :
		 "this machine had no memory left to look into all of it, which says nothing of the "
		 "file", said);
}

/* MUNI_LIMIT: more than it may have; MUNI_NO_MEMORY: the machine has none. */
static void tell_failure(struct worker *w, struct err *e)
{
	if (e->code == MUNI_NO_MEMORY && atomic_load(&w->note->shortage) != SHORTAGE_MACHINE)
		e->code = MUNI_LIMIT;
}

static int examine(struct worker *w, int fd, const struct wire_look *ask, struct err *e)
{
	struct examination x = { .findings = NULL };
	struct input *in = NULL;
	int rc = -1;

	in = ask->is_stream ? input_of_stream(read_pipe, &fd) : input_of_fd(fd, ask->size);
	if (!in)
		return err_set(e, MUNI_NO_MEMORY, "no memory to look into a file");
	buffer_reset(&w->answer);
	if (looker_examine(w->looker, in, ask->name, &x, e) == 0) {
		tell_shortage(w, &x);
		rc = examination_write(&x, &w->answer, e);
	}
	if (rc < 0)
		tell_failure(w, e);
	examination_clear(&x);
	input_free(in);
	return rc;
}

/* What a large file left in pieces would count against the next one's limit. */
static bool is_worn(const struct worker *w)
{
	return growth_has_happened() || looker_is_worn(w->looker) || (char *)sbrk(0) - w->heap > HEAP_KEPT_MAX;
}

static void serve(struct worker *w)
{
	struct wire_look ask;
	struct reader r = reader_over(w->inbox.message.data, w->inbox.message.size);
	struct err e = ERR_NONE, why = ERR_NONE;
	int rc;

	if (w->inbox.type != WIRE_LOOK || w->inbox.fd < 0 || wire_get_look(&r, &ask, &e) < 0)
		_exit(STATUS_TALK);
	*w->note->format = *w->note->reader = '\0';
	atomic_store(&w->note->shortage, SHORTAGE_NONE);
	w->granted = 0;
	jail_allow_seconds(ask.seconds);
	rc = examine(w, w->inbox.fd, &ask, &why);
	file_close(&w->inbox.fd);
	if (rc == 0)
		rc = wire_send(JAIL_SOCKET, is_worn(w) ? WIRE_FOUND_LAST : WIRE_FOUND,
			       w->answer.data, w->answer.size, -1, &e);
	else
		rc = wire_send_failure(JAIL_SOCKET, &why, &e);
	if (rc < 0)
		_exit(STATUS_PARENT_GONE);
}

/* Their stacks and heaps count against the limit of memory, and so they are small. */
static void use_threads(struct looker *k)
{
	pthread_attr_t small;

	mallopt(M_ARENA_MAX, 1);
	if (pthread_attr_init(&small) != 0)
		return;
	if (pthread_attr_setstacksize(&small, THREAD_STACK) == 0 &&
	    pthread_setattr_default_np(&small) == 0)
		looker_use_threads(k, team_processors());
	pthread_attr_destroy(&small);
}

_Noreturn void worker_run(struct looker *k, struct worker_note *note)
{
	static struct worker w;	/* its inbox is large, and this process has but one */
	const struct look_watcher watcher = { .reads = note_reader, .expanded = grant_time,
					      .arg = &w };
	struct err e = ERR_NONE;
	enum inbox_state state;

	w.looker = k;
	w.note = note;
	w.heap = sbrk(0);
	growth_begin(&note->shortage);
	looker_watch(k, &watcher);
	use_threads(k);
	inbox_init(&w.inbox, JAIL_SOCKET, true);
	if (jail_close_worker(&e) < 0) {
		(void)wire_send_failure(JAIL_SOCKET, &e, &(struct err){ .code = MUNI_OK });
		_exit(STATUS_TALK);
	}
	for (;;) {
		if (inbox_receive(&w.inbox, true, &state, &e) < 0)
			_exit(STATUS_TALK);
		if (state == INBOX_END)
			_exit(STATUS_PARENT_GONE);
		if (state == INBOX_MESSAGE)
			serve(&w);
	}
}
