/*
 * One file of a directory export: filled in the first pass, read back and
 * given its attributes in the second.  Both are a crew's work.
 */
#ifndef FS_VAULT_EXPORT_FILES_H
#define FS_VAULT_EXPORT_FILES_H

#include "fs/vault/export_crew.h"

/* What an earlier run left is kept if it is whole (size and SHA-256). */
void export_fill_file(struct crew_hand *hand, struct crew_task *t);
/* MUNI_DAMAGED in t->failure: it reads back differently. */
void export_check_file(struct crew_hand *hand, struct crew_task *t);

#endif
