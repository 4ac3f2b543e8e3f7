/*
 * What scan_foreign.c (entries), scan_foreign_send.c (their way on) and scan_entry.c
 * (their bytes) share.
 */
#ifndef FS_VAULT_SCAN_ENTRY_H
#define FS_VAULT_SCAN_ENTRY_H

#include "fs/vault/ingest_tree.h"
#include "fs/vault/scan_inside.h"

#define ENTRY_MEMORY (1u << 20)	/* larger ones go through a pipe */

struct entries {
	struct scanning *s;
	struct foreign *f;
	struct ingest_tree *tree;	/* which names there are; owned */
	struct catalogue *rows;		/* of this very scan, cut off before; or NULL */
	struct scan_batch *batch;	/* in the making */
	struct scan_batch *links;	/* hard links, until what they lead to is written */
	uint8_t *head;			/* ENTRY_MEMORY bytes; owned */
	char *path;			/* of the entry at work; owned */
	uint64_t ordinal;		/* of the last entry: its inode number here */
	uint64_t taken, again, absolute;
};

/* To the workers, with others or by itself; takes i. */
int entries_send(struct entries *in, struct scan_item *i, struct err *e);
int entries_send_alone(struct entries *in, struct scan_item *i, struct err *e);
/* Until all that was sent is written, hard links too: what comes now comes after. */
int entries_settle(struct entries *in, struct err *e);
/* The path of a name below parent, from the top; malloc'ed.  NULL without memory. */
char *entries_path(const struct tree_node *parent, const char *name, size_t name_size);
/* Directories that are empty, as items: when all entries are in the tree. */
int entries_empties(struct entries *in, struct err *e);
/* i's bytes, then entries_send(); takes i.  Problems are told; -1: fatal. */
int entry_read(struct entries *in, struct scan_item *i, bool has_size, struct err *e);

#endif
