/*
 * The encrypting SQLite VFS "muniment": AES-256-GCM per page, WAL included.
 * docs/format.md, "Catalogue", gives the bytes; docs/decisions says why this
 * way and not another.
 *
 *   V1  SQLite sees zeros in the reserved bytes, database and WAL alike.
 *   V2  What SQLite wrote is what it reads back, byte for byte, or a read fails:
 *       never a changed page.  A damaged whole WAL frame reads as zeros, so that
 *       recovery ends there.
 *   V3  No journal, no temporary file, no mmap; any access not in the table of
 *       docs/format.md fails loudly.
 *   V4  A page sealed for one database, page number or key is no page of another.
 */
#ifndef FS_STORE_PAGEVFS_H
#define FS_STORE_PAGEVFS_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/crypt/digest.h"

struct err;
struct sqlite3;

#define PAGEVFS_NAME "muniment"
#define PAGEVFS_PAGE_SIZE 8192
#define PAGEVFS_RESERVE 32	/* 12 nonce, 16 tag, 4 zero */

/* SQLite's extended result code for an access that the table in docs/format.md
 * does not list: SQLITE_IOERR with a number of our own. */
#define PAGEVFS_UNLISTED (10 | (200 << 8))

/* Registers the VFS and puts SQLite's heap into a no-dump arena.  Once a
 * process, before any other use of SQLite; later calls do nothing. */
int pagevfs_register(struct err *e);

/* Why the VFS last refused something on this thread, as a sentence; "" if it
 * did not.  Reading it clears it.  For the message beside sqlite3_errmsg(). */
const char *pagevfs_reason(void);

/* Keys are named in URIs by number, never by value: "file:...?vfs=muniment&key_id=7".
 * The table is the process's own; at most 64 keys.  The key (32 bytes) is
 * copied into secret memory; numbers are never reused.
 *
 * A new file needs "&new=1" as well: it must be absent or empty, and its
 * rollback journal goes nowhere (creation, and the target of VACUUM INTO). */
int pagevfs_key_add(const uint8_t *key, const uint8_t archive_id[16], uint64_t epoch,
		    unsigned *key_id, struct err *e);
void pagevfs_key_drop(unsigned key_id);	/* wipes; connections must be closed */

/* The first act on a database opened with new=1: page size, reserved bytes, no
 * journal file.  After the first tables: PRAGMA journal_mode=WAL. */
int pagevfs_format(struct sqlite3 *db, struct err *e);

/* SHA-256 over the tags of all pages of the main file in order (page 1's plain
 * head included; the pending-byte page skipped).  No key is needed. fd is the
 * shim's own descriptor, so no POSIX lock is lost.  MUNI_DAMAGED where what follows the
 * database's last page is no page of ours. */
int pagevfs_digest(struct sqlite3 *db, struct digest *out, uint64_t *pages, struct err *e);

/* Reads the main file's bytes from front to back, up to `most`, and drops them: they are
 * in the kernel's cache then, for all connections.  Best effort. */
void pagevfs_warm(struct sqlite3 *db, uint64_t most);

/* Number of the key under which db is open. */
int pagevfs_key_of(struct sqlite3 *db, unsigned *key_id, struct err *e);
/* Raw sealed bytes of one page, and what they hold (plain may be NULL), for base
 * copies and redo; its tag was checked (MUNI_DAMAGED): damage is never copied over a
 * good copy. */
int pagevfs_read_sealed(struct sqlite3 *db, uint64_t page, uint8_t out[PAGEVFS_PAGE_SIZE],
			uint8_t *plain, struct err *e);
/* Pages of the main file that this connection's process has written since the
 * last call with clear: *pages is malloc'ed, sorted, 1-based. */
int pagevfs_dirty(struct sqlite3 *db, bool clear, uint64_t **pages, uint64_t *count,
		  struct err *e);
/* Tries every page's tag in the main file; calls bad() for each that fails, the
 * WAL aside (checkpoint first).  bad() returns 0 to go on, 1 to stop.  Two bad
 * neighbours are two calls; a file cut short inside a page is one more.  Behind the
 * database's last page the first bad one is the last call. */
int pagevfs_check(struct sqlite3 *db, int (*bad)(void *arg, uint64_t page), void *arg,
		  struct err *e);
/* Seals made by this process under the key, to be added to the count that the
 * catalogue keeps: a new epoch is asked for at 2^31. */
uint64_t pagevfs_seals(unsigned key_id);

#endif
