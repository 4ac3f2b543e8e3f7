/*
 * Taking away what an earlier run left in a target and what no longer belongs there.
 * A directory is moved into the export's own folder first and emptied there, level
 * by level side by side: no depth is too deep, and no path too long.
 */
#ifndef FS_VAULT_EXPORT_DISCARD_H
#define FS_VAULT_EXPORT_DISCARD_H

#include <stddef.h>

struct err;
struct sweep;

/* Whatever stands under the name; nothing is fine.  workfd: our own folder, on the same
 * file system; what is moved there goes with discard_all(). */
int discard_name(int dirfd, const char *name, int workfd, struct err *e);
/* Everything in our own folder. */
int discard_all(int workfd, struct err *e);
/* Of it, only what discard_name() moved there. */
int discard_moved(int workfd, struct err *e);

/*
 * Which names belong into the directories on the way to where an export stands, depth
 * first: the others go when their directory is left.
 */
struct sweep *sweep_new(void);	/* NULL without memory */
void sweep_free(struct sweep *s);	/* NULL is allowed */
/* depth: of the directory; the source's own is 0. */
int sweep_expect(struct sweep *s, size_t depth, const char *name, struct err *e);
int sweep_leave(struct sweep *s, size_t depth, int dirfd, int workfd, struct err *e);

#endif
