/*
 * Presence: how the writer of an archive reaches the mounts that have it open.
 *
 * A mount puts two files into the run folder, beside the keyring:
 * "mount.PID.RANDOM.lock", held locked for as long as the process lives, and
 * "mount.PID.RANDOM.sock", a SOCK_SEQPACKET socket.  One message and one answer
 * a connection; docs/format.md, "Run folder".
 *
 *   P1  A registration whose process died is no registration: its lock is free,
 *       and whoever looks next removes both files.  kill -9 leaves nothing that
 *       anybody has to clean.
 *   P2  Only the user who owns the run folder, and root, are heard; a key goes to
 *       nobody else, and stands on no disk.
 *   P3  Told means "said that it had done what was asked"; one that said that it
 *       could not, and one that said nothing, are named and told apart.  The switch
 *       of epoch (design 3.5, step 6) is built on this.
 *   P4  Only a process that is provably the mount (the kernel says who listens, the
 *       lock is held) is ever ended.
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
	uint8_t *key;		/* EPOCH: its catalogue key, 32 bytes of secret memory;
				 * presence_answer() wipes it; else NULL */
	int fd;			/* presence_answer() closes it */
};

/* about: a sentence for the operator who looks ("mounted on /mnt/hr").  Fails
 * where the run folder cannot be written: the mount then lives by polling, and
 * no destruction can count it. */
int presence_register(struct vault *v, const char *about, struct presence **out,
		      struct err *e);
/* Where it is mounted by now (absolute): its device is noted, by which an operator finds
 * what to unmount.  Nobody needs to answer for the mount yet. */
int presence_set_mountpoint(struct presence *p, const char *mountpoint, struct err *e);
/* 1: *out is filled and waits for its answer; 0: nothing within timeout_ms, or
 * stopped.  Noise from strangers is dropped. */
int presence_wait(struct presence *p, int timeout_ms, struct presence_event *out);
/* why: for the operator, where it was not done; else NULL. */
void presence_answer(struct presence_event *event, bool is_done, const char *why);
void presence_stop(struct presence *p);	/* wakes presence_wait(), for good */
/* The run folder's descriptor, borrowed: a sandbox must leave us the right to
 * remove files there. */
int presence_folder(const struct presence *p);
/* Removes the files where it still may (a sandbox may forbid it: P1). */
void presence_close(struct presence *p);

/* ---- the writer's side ----------------------------------------------------- */

enum presence_outcome {
	PRESENCE_DONE,		/* it did what was asked, and said so */
	PRESENCE_NOT_DONE,	/* it said that it could not: why */
	PRESENCE_SILENT,	/* it lives, and said nothing in time */
	PRESENCE_ENDED,		/* it was silent or could not, and was ended: no process holds
				 * a key of it, its mount is gone */
	PRESENCE_UNREGISTERED,	/* a munifs of this archive that this host shows, but that the
				 * run folder does not know: nobody can ask it */
};
const char *presence_outcome_name(enum presence_outcome o);	/* "done" ... */

struct presence_mount {
	const char *name;	/* "mount.PID.RANDOM"; unregistered: "" */
	const char *about;	/* printable, with process and mountpoint */
	const char *why;	/* printable; "" */
	enum presence_outcome outcome;
};

#define PRESENCE_TIMEOUT_MS 60000

struct presence_ask {
	enum presence_kind kind;
	uint64_t epoch;		/* CHANGED: the present one */
	const uint8_t *key;	/* EPOCH: the catalogue key of `epoch`, 32 bytes; else NULL */
	unsigned timeout_ms;	/* for all together; 0: PRESENCE_TIMEOUT_MS */
	bool may_end;		/* end those that do not do it: their processes are killed */
	const char *archive;	/* look for unregistered mounts of this folder; NULL: do not */
	void (*row)(void *arg, const struct presence_mount *m);	/* each once; may be NULL */
	void *arg;
};

struct presence_count {
	unsigned done, not_done, silent, ended, unregistered;
};

/*
 * Tells every living registration in the run folder (borrowed descriptor) and
 * waits for the answers.  -1 only where the folder cannot be read, or a key would be
 * told to strangers; silence is not an error but a count.
 *
 * PRESENCE_EPOCH: the teller has catalogue.EPOCH open while it asks, for a mount in
 * its sandbox cannot make the index of a WAL, only read one that is in use.  A mount
 * that moved before says so again.
 */
int presence_tell(int rundir, const struct presence_ask *ask, struct presence_count *out,
		  struct err *e);

/*
 * Step 6 of a switch: tells all mounts of the new epoch.  0: each has moved or was
 * ended.  MUNI_BUSY: at least one serves the old epoch still; e names it and says
 * what to do.  ask->kind is taken as EPOCH.
 */
int presence_switch(int rundir, const struct presence_ask *ask, struct presence_count *out,
		    struct err *e);

#endif
