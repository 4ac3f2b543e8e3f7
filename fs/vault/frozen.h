/*
 * A vault that was opened on a full disk.  SQLite finds no room there for its index, 32 KiB
 * beside the catalogue, so the archive is read as one that cannot be written, under the
 * shared lock that keeps writers away.
 *
 *   Z1  That lock does not outlive the want of room: who reads for long (a mount) asks now
 *       and then, and goes on as on any disk.
 *
 * For VAULT_READ, and its opener's thread.
 */
#ifndef FS_VAULT_FROZEN_H
#define FS_VAULT_FROZEN_H

#include <stdbool.h>

struct err;
struct vault;

bool vault_is_frozen(const struct vault *v);
/* Before a sandbox closes that lets no file be made: those that a reader wants stand there. */
void vault_frozen_prepare(struct vault *v);
/* Whether the catalogue could be read now as on any disk. */
bool vault_frozen_has_room(struct vault *v);
/*
 * Goes over to that, and lets go of the lock.  All connections of vault_connect() must be
 * closed: the last that closes a file takes all locks of a process on it away.  On -1 it is
 * as before; or, where memory is wanting too, vault_catalogue() is NULL, and only closing is
 * left.
 */
int vault_frozen_end(struct vault *v, struct err *e);

#endif
