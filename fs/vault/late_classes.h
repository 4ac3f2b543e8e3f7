/*
 * Classes that were given to paths after what stands there was taken in: by a newer
 * classification, or by officers.  Retention counts them at once, and so has to do who
 * shows records by their class.  Without the policies: codes are all that is needed.
 */
#ifndef FS_VAULT_LATE_CLASSES_H
#define FS_VAULT_LATE_CLASSES_H

#include "fs/vault/vault.h"

/*
 * Nodes of records whose path has a class now that is_wanted(); some come more than once.
 * An officer's word stands for the classification's.  A walk over the records of systems
 * that have classified paths at all.  row(): 0, or -1: its own error.
 */
int late_classes_nodes(struct catalogue *c, bool (*is_wanted)(void *arg, const char *code),
		       int (*row)(void *arg, int64_t node), void *arg, struct err *e);

#endif
