/*
 * Memory for keys: locked (where RLIMIT_MEMLOCK lets us), MADV_DONTDUMP,
 * MADV_WIPEONFORK, guard pages on both sides, wiped when freed.
 *
 * A child reads zeros where its parent had keys: a daemon forks first and
 * opens the archive after.
 */
#ifndef FS_CRYPT_SECRET_H
#define FS_CRYPT_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/* First of all in main() of a program that holds keys: the main thread's stack in no
 * dump, and locked as deep as keys are handled; OpenSSL, which copies keys, on a heap of
 * its own (arena.h).  MUNI_NO_MEMORY where that cannot start. */
int secret_begin(struct err *e);
/* The same in a forked child that handles keys: locks do not follow it. */
void secret_begin_child(void);
/* Asks the disk for the settings that OpenSSL will read in another process.  Not before
 * secret_begin(), which comes too late where OpenSSL has taken memory. */
void secret_expect_library(void);
/* Before threads share OpenSSL: the first fetch of each kind builds all that a provider
 * offers of it, under locks on which others would sleep for longer than it takes. */
void secret_warm_library(void);
/* Leaves the stack of the calling thread out of cores; who is handed a key calls it, and
 * from the second time on it costs nothing. */
void secret_mark_stack(void);
/* Is all that ever held a key here locked?  false: RLIMIT_MEMLOCK did not let us. */
bool secret_is_locked(void);

void *secret_new(size_t size);		/* zeroed; NULL without memory */
void secret_free(void *secret);		/* wipes; NULL is allowed */
/* Not optimised away; vector registers, through which it was copied, are cleared too. */
void secret_wipe(void *data, size_t size);
/* What functions that have returned left on the stack below the caller: 8 KiB become
 * zeros.  After whatever was handed a key. */
void secret_scrub_stack(void);

/* No core of this process and no ptrace by its equals.  Process-wide. */
void secret_forbid_cores(void);

#endif
