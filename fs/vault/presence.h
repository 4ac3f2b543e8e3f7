/*
 * Presence: how the writer of an archive reaches the mounts that have it open.
 *
 * A mount puts two files into the run folder, beside the keyring:
 * "mount.PID.RANDOM.lock", held locked for as long as the process lives, and
 * "mount.PID.RANDOM.sock", a SOCK_SEQPACKET socket.  One message is 32 bytes
 * each way; docs/format.md, "Run folder".
 *
 *   P1  A registration whose process died is no registration: its lock is free,
 *       and whoever looks next removes both files.  kill -9 leaves nothing that
 *       anybody has to clean.
 *   P2  Only the user who owns the run folder, and root, are heard.
 *   P3  presence_tell() counts as answered only a mount that said it had done
 *       what was asked; a silent one is named.  The switch of epoch (design
 *       3.5, step 6) is built on this.
 *
 * A registration belongs to one thread; presence_stop() may be called from any.
 */
#ifndef FS_VAULT_PRESENCE_H
#define FS_VAULT_PRESENCE_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct vault;
struct presence;

enum presence_kind {		/* on the wire: never renumber, never reuse */
	PRESENCE_CHANGED = 1,	/* a version came, classes changed: look again */
	PRESENCE_EPOCH = 2,	/* move to `epoch`, wipe the old key, then answer */
};

/* ---- the mount's side ------------------------------------------------------ */

struct presence_event {
	enum presence_kind kind;
	uint64_t epoch;
	uint64_t number;	/* the teller's own; goes back in the answer */
	int fd;			/* presence_answer() closes it */
};

/* about: a sentence for the operator who looks ("mounted on /mnt/hr").  Fails
 * where the run folder cannot be written: the mount then lives by polling, and
 * no destruction can count it. */
int presence_register(struct vault *v, const char *about, struct presence **out,
		      struct err *e);
/* 1: *out is filled and waits for its answer; 0: nothing within timeout_ms, or
 * stopped.  Noise from strangers is dropped. */
int presence_wait(struct presence *p, int timeout_ms, struct presence_event *out);
void presence_answer(struct presence_event *event, bool is_done);
void presence_stop(struct presence *p);	/* wakes presence_wait(), for good */
/* The run folder's descriptor, borrowed: a sandbox must leave us the right to
 * remove files there. */
int presence_folder(const struct presence *p);
/* Removes the files where it still may (a sandbox may forbid it: P1). */
void presence_close(struct presence *p);

/* ---- the writer's side ----------------------------------------------------- */

struct presence_mount {
	const char *name;	/* "mount.PID.RANDOM" */
	const char *about;	/* printable */
	bool has_answered;
};

/*
 * Tells every living registration in the run folder (borrowed descriptor) and
 * waits up to timeout_ms for each answer.  row may be NULL.  -1 only where the
 * folder cannot be read; silence is not an error but a count.
 */
int presence_tell(int rundir, enum presence_kind kind, uint64_t epoch, int timeout_ms,
		  void (*row)(void *arg, const struct presence_mount *m), void *arg,
		  unsigned *answered, unsigned *silent, struct err *e);

#endif
