/*
 * The catalogue's copies, checked by a thread of its own while the segments are read: they
 * are one thread's work, and the segments keep the disk busy, not every processor.  It works
 * on a struct verify that nobody else sees; what it found is held there, and handed over when
 * the stages have come to it.  So what is told, and in which order, stays as it was.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "fs/vault/verify_inside.h"

static const struct vault_monitor silent;

struct verify_beside {
	pthread_t thread;
	struct verify its;	/* v is borrowed */
	struct verify_summary told;
	struct err e;
	int rc;
};

/* Only where there was no memory to hold it: told counts it, and all is done again. */
static void ignore(void *arg, const struct verify_finding *f)
{
	(void)arg;
	(void)f;
}

static void *work(void *arg)
{
	struct verify_beside *b = arg;

	b->rc = verify_redo(&b->its, &b->e);
	return NULL;
}

int verify_redo_start(struct verify *k, struct err *e)
{
	struct verify_beside *b;
	sigset_t all, before;

	(void)e;
	if (k->threads == 1 || k->v->objects == NULL || k->v->epoch == 0)
		return 0;
	b = calloc(1, sizeof *b);
	if (b == NULL)
		return 0;	/* then it is done when its turn comes */
	b->its = (struct verify){ .options = k->options, .monitor = &silent, .found = ignore,
				  .out = &b->told, .threads = 1, .v = k->v };
	sigfillset(&all);	/* signals are the main thread's business */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&b->thread, NULL, work, b) == 0)
		k->beside = b;
	else
		free(b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return 0;
}

static void take_over(struct verify *k, struct verify_beside *b)
{
	if (b->its.redo.first != NULL) {
		k->redo = b->its.redo;
		b->its.redo = (struct verify_hold){ .first = NULL };
	}
	k->is_redo_whole = b->its.is_redo_whole;
	k->redo_end = b->its.redo_end;
}

int verify_redo_finish(struct verify *k, struct err *e)
{
	struct verify_beside *b = k->beside;
	bool is_done = false;
	int rc = 0;

	if (b != NULL) {
		verify_stage(k, "checking the catalogue's copies", 0, 0);
		pthread_join(b->thread, NULL);
		k->beside = NULL;
		is_done = b->told.damages == 0 && (b->rc == 0 || b->e.code != MUNI_NO_MEMORY);
		if (is_done) {
			take_over(k, b);
			rc = b->rc;
			if (rc < 0)
				*e = b->e;
		}
		verify_drop(&b->its.redo);
		free(b);
	}
	return is_done ? rc : verify_redo(k, e);
}

void verify_redo_drop(struct verify *k)
{
	if (k->beside == NULL)
		return;
	pthread_join(k->beside->thread, NULL);
	verify_drop(&k->beside->its.redo);
	free(k->beside);
	k->beside = NULL;
}
