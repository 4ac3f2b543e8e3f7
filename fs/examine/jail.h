/*
 * The closed door: what muni-examine and its workers may still do once hostile
 * bytes are read.
 *
 *   J1  After jail_close() nothing can be opened, executed, connected or signalled,
 *       and no memory be made executable.  The process may fork, and end its
 *       children.
 *   J2  After jail_close_worker() it may not even that: it reads descriptors that
 *       it was sent, answers on its own, computes and ends.
 *
 * For good, and inherited.  Looking for a file is answered EACCES (libraries do it
 * as a matter of course); all else ends the process by SIGSYS.
 */
#ifndef FS_EXAMINE_JAIL_H
#define FS_EXAMINE_JAIL_H

#include <stdint.h>
#include <sys/types.h>

struct err;

/* Of muni-examine the control, of a worker its own socket; the one descriptor that
 * messages are sent on. */
#define JAIL_SOCKET 3

/* Standard descriptors to /dev/null, nothing else stays but JAIL_SOCKET; signals as
 * a terminal's ^C are our parent's business. */
int jail_descriptors(struct err *e);
/* Over what is in use when the door closes. */
struct jail_memory {
	uint64_t lean;		/* what each process may take */
	uint64_t most;		/* what one may whose limit was lifted */
};

/* Root becomes nobody; Landlock where the kernel has it; limits; seccomp.
 * MUNI_UNSUPPORTED: no filter can be had. */
int jail_close(const struct jail_memory *m, struct err *e);
int jail_close_worker(struct err *e);

/* From lean to most; behind the first door, of a process behind the second, which
 * cannot do it itself. */
int jail_lift(pid_t worker, struct err *e);

/* SIGXCPU once so much more processor time is used up than now. */
void jail_allow_seconds(unsigned seconds);
/* As many more than were allowed. */
void jail_add_seconds(unsigned seconds);

#endif
