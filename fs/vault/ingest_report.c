/*
 * Failures, problems and notices, from any thread.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/walk.h"

#define SENTENCE_MAX 900

void ingest_fail(struct ingest *g, const struct err *e)
{
	pthread_mutex_lock(&g->failure_lock);
	if (g->failure.code == MUNI_OK)
		g->failure = *e;
	pthread_mutex_unlock(&g->failure_lock);
	atomic_store(&g->is_stopped, true);
	pthread_mutex_lock(&g->loose_lock);
	pthread_cond_broadcast(&g->loose_none);
	pthread_mutex_unlock(&g->loose_lock);
	queue_cancel(g->tasks);
	queue_cancel(g->large);
	events_cancel(g->events);
	if (g->packer)
		packer_cancel(g->packer);
}

static void fail_no_memory(struct ingest *g)
{
	struct err e = ERR_NONE;

	err_set(&e, MUNI_NO_MEMORY, "out of memory");
	ingest_fail(g, &e);
}

/* The catalogue keeps sentences of less than 1,000 bytes; none is cut within a
 * character. */
static void clip(char *sentence)
{
	size_t size = strlen(sentence);

	if (size <= SENTENCE_MAX)
		return;
	size = SENTENCE_MAX;
	while (size > 0 && ((unsigned char)sentence[size] & 0xc0) == 0x80)
		size--;
	sentence[size] = 0;
}

static void report(struct ingest *g, const void *path, size_t size, const char *format,
		   va_list args)
{
	struct problem *p = malloc(sizeof *p + size + 1);

	if (!p || vasprintf(&p->what, format, args) < 0) {
		free(p);
		fail_no_memory(g);	/* an item left out without a word: never */
		return;
	}
	clip(p->what);
	p->path_size = size;
	memcpy(p->path, path, size);
	p->path[size] = 0;
	atomic_fetch_add(&g->problems, 1);
	events_push(g->events, (struct event){ EVENT_PROBLEM, .problem = p });
}

const char ingest_keyring_left_out[] = "it is a keyring of this archive, and was left out: kept in "
	"here it would come out again after each destruction, and open older copies of the "
	"archive; move it away, or name it by --exclude";

bool ingest_is_keyring(const struct ingest *g, const struct keyring_look *l)
{
	return keyring_look_is_of(l, g->vault->id);
}

void ingest_problem_at(struct ingest *g, const void *path, size_t path_size,
		       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(g, path, path_size, format, args);
	va_end(args);
}

void ingest_problem(struct ingest *g, const struct dir *d, const char *name,
		    const char *format, ...)
{
	size_t size = 0;
	char *path = ingest_path(d, name, &size);
	va_list args;

	va_start(args, format);
	if (path)
		report(g, path, size, format, args);
	else
		fail_no_memory(g);
	va_end(args);
	free(path);
}

void ingest_refused(struct ingest *g, const struct dir *d, const char *name, const char *what,
		    int why)
{
	struct err e = ERR_NONE;
	size_t size = 0;
	char *path;

	if (!err_is_want(why)) {
		ingest_problem(g, d, name, "%s: %s", what, strerror(why));
		return;
	}
	path = ingest_path(d, name, &size);
	err_want(&e, why, "%.500s: %s", path ? text_printable_n(path, size) : "an item", what);
	free(path);
	ingest_fail(g, &e);
}

void ingest_notice(struct ingest *g, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		events_push(g->events, (struct event){ EVENT_NOTICE, .text = text });
	else
		fail_no_memory(g);
}

/* ---- attributes that could not be read --------------------------------------------- */

struct captured {
	struct ingest *g;
	const struct dir *dir;
	const char *label;
};

static void capture_problem(void *arg, const char *what)
{
	const struct captured *of = arg;

	ingest_problem(of->g, of->dir, of->label, "%s", what);
}

static void capture_fail(void *arg, const struct err *e)
{
	const struct captured *of = arg;

	ingest_fail(of->g, e);
}

int ingest_capture(struct ingest *g, struct capture *c, const struct dir *d,
		   const char *label, int fd, const char *name, const struct statx *sx,
		   struct meta *out)
{
	struct captured of = { g, d, label };
	const struct capture_ear ear = { capture_problem, capture_fail, &of };

	return capture_item(c, &g->accounts, &ear, fd, name, sx, out);
}
