/*
 * The closed door: after jail_close() this process can read one descriptor,
 * write another, compute and end.  It can open, execute, connect, signal nothing.
 */
#ifndef FS_VAULT_FOREIGN_JAIL_H
#define FS_VAULT_FOREIGN_JAIL_H

#define JAIL_INPUT 0
#define JAIL_OUTPUT 1
#define JAIL_MEMORY (1ull << 30)	/* unless less is wanted */

struct err;

/* Moves the two to JAIL_INPUT and JAIL_OUTPUT, closes all others, drops what
 * signals do here. */
int jail_descriptors(int input, int output, struct err *e);
/* Limits (memory: over what is mapped now), no new privileges, not dumpable, Landlock
 * where the kernel has it, seccomp.  For good. */
int jail_close(unsigned long long memory, struct err *e);

#endif
