/*
 * What the parts of the examiner share.  Only fs/vault/examiner*.c include this.
 */
#ifndef FS_VAULT_EXAMINER_INSIDE_H
#define FS_VAULT_EXAMINER_INSIDE_H

#include <pthread.h>
#include <sys/types.h>

#include "fs/content/wire.h"
#include "fs/vault/examiner.h"

#define EXAMINER_PATH_MAX 4096

struct hasher;

/* muni-examine itself, by its control socket.  Protected by lock. */
struct keeper {
	pthread_mutex_t lock;
	pid_t pid;		/* 0: not running */
	int socket;		/* -1: closed */
	struct inbox inbox;
};

struct hand {			/* on one worker; of one thread while it is taken */
	uint32_t number;
	bool is_taken;		/* protected by examiner.lock */
	bool is_live;
	pid_t pid;
	int socket;		/* -1: none */
	unsigned looked;	/* files since it was forked */
	bool is_worn;		/* it wants to be renewed */
	bool is_grown;		/* it is the one worker that may be large */
	struct inbox inbox;
};

struct examiner {
	struct keeper keeper;
	pthread_mutex_t lock;
	pthread_cond_t freed;
	unsigned count;
	struct hand *hands;	/* count */
	bool is_one_grown;	/* protected by lock; its end signals `shrunk` */
	pthread_cond_t shrunk;
	unsigned seconds, standstill;
	uint64_t memory, besides;
	bool (*is_cancelled)(void *arg);	/* or NULL */
	void *arg;
	struct look_limits limits;
};

static inline bool examiner_is_cancelled(const struct examiner *x)
{
	return x->is_cancelled && x->is_cancelled(x->arg);
}

/* ---- examiner_program.c ------------------------------------------------------------- */

/* Where the program is; MUNI_NOT_FOUND says where it was looked for. */
int program_find(const char *given, char out[EXAMINER_PATH_MAX], struct err *e);
/* Its control socket, and it: nothing else of ours. */
int program_start(const char *path, pid_t *pid, int *socket, struct err *e);

/* ---- examiner_keeper.c -------------------------------------------------------------- */

int keeper_open(struct keeper *k, const struct examiner_options *o, uint64_t lean,
		struct err *e);
void keeper_close(struct keeper *k);
/* A worker for h, answering on h->socket. */
int keeper_fork(struct keeper *k, struct hand *h, struct err *e);
/* Ends it if it has not ended, and says how it did.  h has no worker then. */
int keeper_end(struct keeper *k, struct hand *h, struct wire_ended *out, struct err *e);

/* The most that its worker may hold, from now on. */
int keeper_lift(struct keeper *k, struct hand *h, struct err *e);

/* ---- examiner_memory.c -------------------------------------------------------------- */

/* How many workers, and what each may take, so that all and one that is grown stay
 * within what a scan may use. */
void memory_share_out(struct examiner *x, unsigned workers, uint64_t *lean);
/* Waits until nobody else's worker is large, then lets h's be; MUNI_CANCELLED. */
int memory_grow(struct examiner *x, struct hand *h, struct err *e);
/* h's worker is gone. */
void memory_shrink(struct examiner *x, struct hand *h);

/* ---- examiner_hand.c ---------------------------------------------------------------- */

enum hand_end {			/* of one file */
	HAND_FOUND,		/* *out is filled */
	HAND_REFUSED,		/* e: reading failed, or memory; the worker lives */
	HAND_DIED,		/* by itself */
	HAND_SLOW,		/* over its processor time */
	HAND_STUCK,		/* no processor time, and no answer */
	HAND_SHORT,		/* it wants to grow: a fresh one shall, with nothing left over */
	HAND_LIED,		/* what it said makes no sense (X3) */
};

struct job {
	struct examiner *examiner;
	int fd;
	const char *name;
	uint64_t size;
	unsigned seconds;	/* of processor time */
	unsigned seconds_most;	/* with what its worker may add for what it unpacks */
	int64_t standstill;	/* on the wall */
	bool is_pipe;
	/* Of a pipe: passed on by us, who make the digest on the way. */
	struct hasher *hasher;
	uint64_t passed;
};

/* -1: we cannot go on. */
int hand_look(struct hand *h, struct job *j, enum hand_end *end, struct examination *out,
	      struct err *e);

/* ---- examiner_pump.c ---------------------------------------------------------------- */

/* A pipe's bytes on their way to a worker, through our hands. */
struct pump {
	struct job *job;
	int to;			/* -1: closed */
	bool is_over;		/* the pipe has ended */
	size_t start, end;	/* of what is to be sent, in buffer */
	uint8_t *buffer;
};

int pump_open(struct pump *p, struct job *j, int *worker_end, struct err *e);
/* Moves some bytes, or waits up to wait_ms for room, bytes, or the answer on
 * `socket`. */
int pump_run(struct pump *p, int socket, int wait_ms, struct err *e);
/* Reads what is left: for the digest. */
int pump_drain(struct pump *p, struct err *e);
void pump_close(struct pump *p);

#endif
