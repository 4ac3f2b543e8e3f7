/*
 * The name that an export is written to.  Nothing stands under it before all
 * is written and read back: until then there is NAME.partial, which a second
 * run goes on with, and for directories NAME.partial.work with what is needed
 * for that.
 */
#ifndef FS_VAULT_EXPORT_TARGET_H
#define FS_VAULT_EXPORT_TARGET_H

#include "fs/vault/export_inside.h"

struct target {
	int parent;		/* the folder that the name stands in */
	char base[256], partial[256], work[256];	/* names in it */
	int root;		/* directories: NAME.partial, open */
	int workfd;		/* directories: NAME.partial.work, open */
	int file;		/* files: NAME.partial, open and locked */
	int lock;		/* directories: the marker, locked */
	bool is_resumed;	/* something was there */
};

/* MUNI_EXISTS: NAME is there already.  MUNI_BUSY: another export is writing it. */
int target_open_dir(struct target *t, struct export *x, struct err *e);
int target_open_file(struct target *t, struct export *x, struct err *e);
/* All is well: NAME.partial becomes NAME, for good. */
int target_finish(struct target *t, struct err *e);
void target_close(struct target *t);

#endif
