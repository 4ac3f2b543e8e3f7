/*
 * What ingest_foreign.c (entries) and ingest_foreign_data.c (their bytes) share.
 */
#ifndef FS_VAULT_INGEST_INTAKE_H
#define FS_VAULT_INGEST_INTAKE_H

#include "fs/vault/foreign.h"
#include "fs/vault/ingest_tree.h"

struct intake {
	struct ingest *g;
	struct foreign *f;
	struct ingest_tree *tree;
	uint8_t *head;			/* what may become a small file: a block */
	struct small_files *small;	/* the batch in the making */
	struct copies *copies;		/* names that came with the data once more */
	uint64_t again;			/* entries whose name stood before */
	uint64_t absolute;		/* entries whose path began with "/" */
	uint64_t taken;
	int64_t class_id;		/* of the entry at hand */
};

/* What came of reading an entry's data. */
enum outcome { DATA_WHOLE, DATA_FAILED, DATA_FATAL };

/* The entry's bytes into inode. *size: of the file. */
enum outcome intake_data(struct intake *in, const struct foreign_entry *entry,
			 struct inode *inode, uint64_t *size, struct err *e);
/* The batch of small files goes to the workers. */
int intake_send_small(struct intake *in, struct err *e);
size_t intake_small_max(const struct intake *in);	/* bytes of one */

#endif
