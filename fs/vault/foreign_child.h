/*
 * The child's side of foreign.h: everything that runs behind the closed door.
 */
#ifndef FS_VAULT_FOREIGN_CHILD_H
#define FS_VAULT_FOREIGN_CHILD_H

#include "fs/vault/foreign.h"

/*
 * Called in muni-unpack; never returns.  Reads the archive from
 * descriptor `input` and speaks foreign_wire.h to descriptor `output`; every
 * other descriptor is closed.
 */
_Noreturn void foreign_child(int input, int output, const char *name,
			     const struct foreign_options *o);

#endif
