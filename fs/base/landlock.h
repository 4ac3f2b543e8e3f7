/*
 * Landlock (Linux 5.13 on): what a process may reach of files, ports and other processes is
 * taken from it for good.  Everything that the running kernel can forbid is forbidden, also
 * what came with a later kernel than these headers.
 */
#ifndef FS_BASE_LANDLOCK_H
#define FS_BASE_LANDLOCK_H

#include <stdint.h>

/* Rights to files, of the kernel's interface. */
#define LANDLOCK_WRITE (1u << 1)
#define LANDLOCK_READ (1u << 2)
#define LANDLOCK_READ_FOLDER (1u << 3)
#define LANDLOCK_REMOVE_FILE (1u << 5)
#define LANDLOCK_TRUNCATE (1u << 14)

/* A descriptor of a set of rules that allows nothing; -1 with errno.  *rights: those to
 * files that this kernel knows; 0, and the descriptor -1: it has no Landlock. */
int landlock_begin(uint64_t *rights);
/* Allows these rights (those that the kernel knows) to the file, or below the folder, that
 * fd stands for. */
int landlock_allow(int ruleset, uint64_t known, int fd, uint64_t rights);
/* From now on, for this thread and what it starts. */
int landlock_close(int ruleset);

#endif
