/*
 * Base and redo, applied in order: into a file, or only for their digests.
 */
#ifndef FS_STORE_REDO_REPLAY_H
#define FS_STORE_REDO_REPLAY_H

#include "fs/store/redo_chain.h"

/* Hears of each object of the chain that was loaded, in order, or could not be (why, else NULL). */
struct redo_witness {
	void (*loaded)(void *arg, const struct redo_head *head, const struct redo_object *object,
		       const struct err *why);
	void *arg;
};

/* fd -1: writes nothing, and key_id may be 0: no key is needed then, and where there is
 * one, copies are opened to see that they could be.  witness may be NULL.  *reached is the digest after the last set whose own
 * digest held; MUNI_DAMAGED says which set could not be applied. */
int redo_replay(struct objects *o, const struct redo_chain *c, unsigned key_id, int fd,
		const struct redo_witness *witness, struct digest *reached, struct err *e);

#endif
