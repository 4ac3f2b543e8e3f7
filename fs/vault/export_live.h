/*
 * A live directory as the source of an export: the items on which one thing was
 * decided, each held against the inventory.  Only fs/vault/export_live*.c and
 * migrate.c include this.
 */
#ifndef FS_VAULT_EXPORT_LIVE_H
#define FS_VAULT_EXPORT_LIVE_H

#include "fs/vault/export_inside.h"
#include "fs/vault/ingest_read.h"
#include "fs/vault/seen.h"

struct spool;

struct live {
	const char *path;	/* as given */
	int fd;			/* of the directory; owned */
	int64_t system;
	enum decision wanted;
	struct selection *selection;	/* owned */
	struct ingest_accounts accounts;
	uint64_t archive_device, archive_inode;
	struct spool *spool;	/* the entries of the first pass; owned */
	/* Ids of nodes whose content could not be had: written while files are filled,
	 * read when the first pass is over. */
	struct map dropped;
	/* The walker's, and the caller's when it has ended: */
	struct left_out left_out;
	struct seen seen;	/* rows of the inventory whose path is there */
};

/* The walker's thread of every pass but PASS_AGAIN. */
int live_walk(struct export *x, struct export_walk *walk, enum export_pass pass,
	      struct err *e);

/* ---- entries, kept between two passes ------------------------------------------------ */

/* A file without a name in dirfd. */
int spool_open(int dirfd, struct spool **out, struct err *e);
int spool_put(struct spool *s, const struct export_item *item, struct err *e);
int spool_rewind(struct spool *s, struct err *e);
/* NULL at the end. */
int spool_get(struct spool *s, struct export_item **out, struct err *e);
void spool_close(struct spool *s);	/* NULL is allowed */

#endif
