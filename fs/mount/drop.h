/*
 * Taking back from the kernel what is no longer true: names, attributes, pages, also
 * mapped ones and those of files that somebody holds open.
 *
 * Only from a thread that answers nothing: the kernel may hold, while it drops an entry,
 * what a request being answered needs.
 */
#ifndef FS_MOUNT_DROP_H
#define FS_MOUNT_DROP_H

#include <stddef.h>
#include <stdint.h>

struct catalogue;
struct err;
struct mount;
struct node_set;
struct view_version;

void drop_entry(struct mount *m, uint64_t parent, const char *name);
/* The root's listing, and that of certificates. */
void drop_top(struct mount *m);
/* The way to a version: listings, "latest", its label (NULL: that it stays). */
void drop_way_to(struct mount *m, const struct view_version *v, const char *label);

/* Everything that stands in `old` and not in `now` (NULL: nothing stands any more). */
int drop_gone(struct mount *m, struct catalogue *old, struct catalogue *now, struct err *e);
/* These nodes, under every name that they have in c. */
int drop_nodes(struct mount *m, struct catalogue *c, const struct node_set *nodes,
	       struct err *e);

#endif
