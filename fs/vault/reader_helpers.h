/*
 * Threads that decode ahead of need.  They take errands from a short ring; what
 * does not fit is dropped, for a hint is only a hint.  What a read waits for goes
 * before what may be read later.
 */
#ifndef FS_VAULT_READER_HELPERS_H
#define FS_VAULT_READER_HELPERS_H

#include <stdbool.h>
#include <stdint.h>

struct block_cache;
struct err;
struct helpers;
struct vault;

int helpers_start(struct vault *v, struct block_cache *c, unsigned count,
		  struct helpers **out, struct err *e);
struct helpers_errand {
	int64_t block;
	uint32_t wanted;	/* bytes from its start, or one of those below */
	bool is_urgent;		/* set by helpers_hint() */
	bool is_series;		/* the next like it is about to come: look for it */
};

#define HELPERS_WHOLE UINT32_MAX
#define HELPERS_DISK (UINT32_MAX - 1)	/* decode nothing: have the disk read from it on */

/* is_urgent: somebody waits for these now; the first is begun first. */
void helpers_hint(struct helpers *h, const struct helpers_errand *list, unsigned count,
		  bool is_urgent);
/* Asked once a read: whether there are processors to look for what comes in place of sleeping. */
bool helpers_may_look(struct helpers *h);
/* Decode nothing: have the disk read what lies around it, when nothing else is to be done, one
 * after the other: who reads meanwhile waits for the disk behind one alone.  false: too much is
 * waiting already, and this was not taken. */
bool helpers_near(struct helpers *h, int64_t block);
/* Returns once each has let go of its reader; they rest, and forget what they were
 * asked for, until helpers_resume(). */
void helpers_pause(struct helpers *h);
void helpers_resume(struct helpers *h);
void helpers_stop(struct helpers *h);	/* joins; NULL is allowed */

#endif
