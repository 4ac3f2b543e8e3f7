/*
 * What makes a directory a bag: RFC 8493, BagIt 1.0.
 */
#ifndef FS_VAULT_EXPORT_BAG_H
#define FS_VAULT_EXPORT_BAG_H

#include "fs/vault/export_inside.h"

struct bag;

/* root: the bag's own directory (borrowed). */
int bag_open(int root, struct bag **out, struct err *e);
/* Every payload file.  fd: the file, read only where the catalogue has no plain
 * SHA-256 of it (fs/vault/leaf.h): then a terabyte of holes is hashed as zeros
 * after all, for that is what a manifest has to say. */
int bag_add(struct bag *b, const struct export_item *item, int fd, struct err *e);
/* Writes bagit.txt, bag-info.txt and both manifests. */
int bag_finish(struct bag *b, struct export *x, struct err *e);
void bag_close(struct bag *b);	/* NULL is allowed */

/* A name that is not UTF-8 has no place in a manifest: its bytes that are not
 * ASCII become "%XX".  true: the path was changed. */
bool bag_make_name_text(struct export_item *item, bool *has_memory);

#endif
