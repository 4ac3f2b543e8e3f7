/*
 * The switch of epoch: the one way in which anything leaves an archive, and in which its
 * keys are renewed.  docs/decisions/0092 gives the steps and what a crash at each leaves.
 *
 *   E1  Before the head over LOG_EPOCH_SWITCHED is on stable storage a crash leaves the
 *       archive as it was; after it, the next writer goes on to the end.
 *   E2  Nothing goes but what an approved disposition names, after clearance_check() with
 *       the lock held; with disposition 0 nothing goes.
 *       What the switch did is kept beside the disposition, in its `result`
 *       (execution.h): first when its state becomes GONE, whole once LOG_EPOCH_ENDED is in
 *       the log, also where a later writer brought it there.  `officer` is not ours.
 *   E3  The old epoch's key is overwritten, read back, before this returns 0; mounts have
 *       answered before it is.
 */
#ifndef FS_VAULT_EPOCH_H
#define FS_VAULT_EPOCH_H

#include "fs/vault/doom.h"

struct epoch_options {
	int64_t disposition;	/* 0: keys only */
	unsigned mounts_timeout_ms;	/* 0: 60 s */
	bool abort_mounts;	/* cut a mount off that does not answer */
	const struct vault_wait *wait;	/* for other programs that read, where no
					 * mounts_timeout_ms says how long; NULL: 60 s */
	/* Called for each mount that was asked. */
	void (*mount)(void *arg, const char *about, bool has_answered);
	void *arg;
};

struct epoch_result {
	uint64_t old_epoch, new_epoch;
	struct doom_result doom;
	struct log_head before, after;	/* heads before the intent, and of the new epoch */
	unsigned mounts_answered, mounts_aborted;
	bool keyring_inside;	/* the keyring lies in ARCHIVE: every backup of it has keys */
};

/* v is open for writing; it is on the new epoch when this returns 0 (connections made
 * with vault_connect() before are to be closed by then). */
int vault_epoch_switch(struct vault *v, const struct epoch_options *o,
		       const struct vault_monitor *m, struct epoch_result *out, struct err *e);
/* For vault_open(): takes back or ends what a crash left.  o: its `disposition` is not
 * looked at; NULL: patience, and no mount is cut off.  wait: NULL, or instead of o's. */
int epoch_recover(struct vault *v, const struct epoch_options *o,
		  const struct vault_wait *wait, struct err *e);

#endif
