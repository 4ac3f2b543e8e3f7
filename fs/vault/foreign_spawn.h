/*
 * Starting muni-unpack, the program that reads one archive of another format: a process
 * that never was ours, so that nothing of what we hold is in its memory.
 */
#ifndef FS_VAULT_FOREIGN_SPAWN_H
#define FS_VAULT_FOREIGN_SPAWN_H

#include <sys/types.h>

#include "fs/vault/foreign.h"

/* What it is told in its arguments; the archive is its descriptor 0, its voice 1. */
#define FOREIGN_ARGUMENTS 7

int foreign_spawn(int input, int output, const char *name, const struct foreign_options *o,
		  pid_t *pid, struct err *e);
/* In the program: what foreign_spawn() was told.  Strings are borrowed from argv. */
int foreign_heed(int argc, char **argv, const char **name, struct foreign_options *o,
		 struct err *e);

#endif
