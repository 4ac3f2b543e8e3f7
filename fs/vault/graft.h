/*
 * Grafting: what was read is held against the version before, and only what
 * differs becomes rows.  The catalogue's thread alone.
 *
 *   G1  An entry equal to the one before costs no row; a directory costs one
 *       only when its node, its parent or its root changed.
 *   G2  Rows of blocks and chunks are written only for segments on stable
 *       storage, and committed with every 16 MiB of them.
 *   G3  All names of a hard-link group get one node.
 */
#ifndef FS_VAULT_GRAFT_H
#define FS_VAULT_GRAFT_H

#include "fs/vault/ingest_inside.h"

/* The salt and leaf of an item whose body is filled and is nobody else's yet: what
 * would be made of it otherwise, by the catalogue's one thread.  Any thread. */
int graft_make_leaf(struct item *item, struct err *e);

/* g->version has begun (not in a dry run, which only compares and counts). */
int graft_new(struct ingest *g, struct graft **out, struct err *e);
void graft_free(struct graft *t);	/* NULL is allowed */

/* Each takes what it is given. */
int graft_run(struct graft *t, struct run *r, struct err *e);
int graft_listed(struct graft *t, struct dir *d, struct err *e);
int graft_segment(struct graft *t, struct pack_segment *s, struct err *e);
int graft_problem(struct graft *t, const struct problem *p, struct err *e);

/* The transaction that is open, or a new one. */
int graft_begin(struct graft *t, struct err *e);
void graft_rollback(struct graft *t);
/* Somebody else has committed the open transaction. */
void graft_done(struct graft *t);
/* The top directory has been finished. */
bool graft_is_whole(const struct graft *t);
/* Commits what stands so far and writes it back, while the last blocks are on their way to
 * the disk: then little of either is left to do after them. */
int graft_settle(struct graft *t, struct err *e);
/* Closes what was removed; fills version's counts and root, and out's counts. */
int graft_end(struct graft *t, struct version *v, struct ingest_result *out, struct err *e);

#endif
