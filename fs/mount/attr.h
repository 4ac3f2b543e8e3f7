/*
 * From what the catalogue knows of a node to what stat(2) says of it.
 */
#ifndef FS_MOUNT_ATTR_H
#define FS_MOUNT_ATTR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct mount;
struct node;

/* The source's attributes, but for uid=, gid= and umask=. */
void attr_of_node(const struct mount *m, const struct node *n, uint64_t ino,
		  struct stat *out);
/* Of what is ours: type_and_mode as S_IFDIR | 0555; changed at `seconds`. */
void attr_of_ours(const struct mount *m, uint64_t ino, mode_t type_and_mode,
		  int64_t seconds, long ns, struct stat *out);
mode_t attr_type(int node_kind);	/* S_IFREG ...; 0 for a kind that is none */
/* What stands in folders went, or came back: from now on each says in its time of change
 * that a listing of before is old.  The kernel is told otherwise; a client of NFS has
 * nothing else to know it by. */
void attr_note_change(struct mount *m);
/* Whether the source's ACLs still fit what the mount says of owners and modes. */
bool attr_has_acls(const struct mount *m, uint64_t ino);
/* Whether others may enter, but only an audience: its root folder is ours then. */
bool attr_is_guarded(const struct mount *m);

#endif
