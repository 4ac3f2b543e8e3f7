/*
 * Frames from the reading child, one after the other, each size-checked before
 * a byte of it is fetched; and what to say when the child is no more.
 */
#ifndef FS_VAULT_FOREIGN_FRAMES_H
#define FS_VAULT_FOREIGN_FRAMES_H

#include <sys/types.h>

#include "fs/base/shortage.h"
#include "fs/vault/foreign_wire.h"

/* A child that computes for so long without a word is taken to hang. */
#define FRAMES_PATIENCE_CPU_SECONDS 120

struct frames {
	int fd;			/* the pipe's reading end; -1: closed */
	pid_t pid;		/* 0: reaped */
	enum shortage shortage;	/* memory that it was refused at last, by its own word */
	bool is_ready;		/* it has spoken, and does so behind its doors only */
	uint8_t *data;
	size_t capacity, start, end;
	bool (*is_cancelled)(void *arg);
	void *arg;
};

/*
 * *payload is borrowed until the next call.  -1: MUNI_DAMAGED (nonsense, or the
 * child crashed), MUNI_LIMIT (it was killed, hangs, or fell over the memory that it may
 * have), MUNI_NO_MEMORY (the machine had none for it, or it ended before its doors were closed: nothing is said of the archive), MUNI_CANCELLED,
 * MUNI_IO; then no further call is of use.
 */
int frames_next(struct frames *p, enum wire_type *type, const uint8_t **payload,
		size_t *size, struct err *e);
/* Ends and reaps the child. */
void frames_close(struct frames *p);

/* foreign_open() once the child runs: fd is the pipe's reading end.  Takes both over,
 * also on failure; child 0: none. */
int foreign_attach(int fd, pid_t child, const struct foreign_options *o,
		   struct foreign **out, struct err *e);

#endif
