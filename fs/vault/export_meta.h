/*
 * Attributes put on what lies in a directory.  What the target or our rights
 * do not allow is a loss, not a failure; what was set is looked at again.
 */
#ifndef FS_VAULT_EXPORT_META_H
#define FS_VAULT_EXPORT_META_H

#include "fs/vault/export_inside.h"

/* Sets bits 1 << enum export_loss in *lost.  For files and directories. */
int export_meta_fd(int fd, const struct export_item *item, uint32_t *lost, struct err *e);
/* For all else, which is never opened; links are not followed. */
int export_meta_at(int dirfd, const char *name, const struct export_item *item,
		   uint32_t *lost, struct err *e);
/* Takes inherited access lists off a new directory, so that what is made in it
 * inherits none. */
void export_meta_disinherit(int dirfd);

#endif
