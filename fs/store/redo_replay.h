/*
 * Base and redo, applied in order: into a file, or only for their digests.
 */
#ifndef FS_STORE_REDO_REPLAY_H
#define FS_STORE_REDO_REPLAY_H

#include "fs/store/redo_chain.h"

/* fd -1: writes nothing, and key_id may be 0: no key is needed then, and where there is
 * one, copies are opened to see that they could be.  *reached is the digest after the last set whose own
 * digest held; MUNI_DAMAGED says which set could not be applied. */
int redo_replay(struct objects *o, const struct redo_chain *c, unsigned key_id, int fd,
		struct digest *reached, struct err *e);

#endif
