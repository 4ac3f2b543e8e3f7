/*
 * Failures, problems and notices, from any thread.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/vault/ingest_inside.h"

void ingest_fail(struct ingest *g, const struct err *e)
{
	pthread_mutex_lock(&g->failure_lock);
	if (g->failure.code == MUNI_OK)
		g->failure = *e;
	pthread_mutex_unlock(&g->failure_lock);
	atomic_store(&g->is_stopped, true);
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

void ingest_problem(struct ingest *g, const struct dir *d, const char *name,
		    const char *format, ...)
{
	struct problem *p = NULL;
	size_t size = 0;
	char *path = ingest_path(d, name, &size);
	va_list args;

	va_start(args, format);
	if (path)
		p = malloc(sizeof *p + size + 1);
	if (p && vasprintf(&p->what, format, args) < 0) {
		free(p);
		p = NULL;
	}
	va_end(args);
	if (p) {
		p->path_size = size;
		memcpy(p->path, path, size + 1);
		atomic_fetch_add(&g->problems, 1);
		events_push(g->events, (struct event){ EVENT_PROBLEM, .problem = p });
	} else {
		fail_no_memory(g);	/* an item left out without a word: never */
	}
	free(path);
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
