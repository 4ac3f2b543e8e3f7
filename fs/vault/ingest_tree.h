/*
 * An archive's entries as a tree in memory: an archive comes in any order, a
 * version is written in post-order.
 *
 * Made small, for a million entries: metadata and extents are packed, and an
 * entry costs about 250 bytes in all.
 *
 *   T1  Whatever the archive says, what comes out is a tree below one top: no
 *       "..", no name that is no name, nothing below what is no directory.
 *   T2  Of two entries of one name the later one stands.
 */
#ifndef FS_VAULT_INGEST_TREE_H
#define FS_VAULT_INGEST_TREE_H

#include "fs/vault/ingest_inside.h"

struct inode {			/* what the names of one file share */
	uint32_t links;		/* names in the tree */
	uint32_t given;		/* names handed out so far */
	uint8_t *meta;		/* packed; owned */
	uint8_t *content;	/* packed; owned; NULL: no bytes */
	struct body *body;	/* handed out, and names are missing; owned */
	bool is_failed;		/* its bytes came under a later name, and could not be taken in */
	int64_t class_id;
};

struct tree_node {
	struct tree_node *parent, *next;	/* next: among its parent's children */
	struct tree_node *children;
	struct inode *inode;	/* NULL: a directory that no entry of its own names */
	int64_t newest;		/* modification time below, for such a directory */
	uint32_t child_count;
	uint16_t name_size;
	bool is_directory;
	int64_t class_id;	/* that this further name of a file was given; 0: its inode's */
	char name[];		/* NUL ended */
};

struct ingest_tree;
struct ingest_tree *ingest_tree_new(void);	/* NULL without memory */
void ingest_tree_free(struct ingest_tree *t);
struct tree_node *ingest_tree_top(struct ingest_tree *t);

/* Where a path leads, split: directories on the way are made.  *refusal: why it
 * leads nowhere (a sentence; then the rest is not set).  *name_size 0: the top. */
int ingest_tree_way(struct ingest_tree *t, const char *path, size_t size,
		    struct tree_node **parent, const char **name, size_t *name_size,
		    const char **refusal, struct err *e);
/* NULL: no such entry. */
struct tree_node *ingest_tree_find(struct ingest_tree *t, const char *path, size_t size);

/*
 * Puts inode under the name (size 0: it is the top's).  *refusal as above: a
 * directory with entries gives way to nothing.  *is_again: the name stood before.
 */
int ingest_tree_put(struct ingest_tree *t, struct tree_node *parent, const char *name,
		    size_t name_size, struct inode *inode, bool is_directory,
		    int64_t mtime, bool *is_again, const char **refusal, struct err *e);

/* Owned by the tree, to its end.  m's xattrs and target are copied. */
struct inode *inode_new(struct ingest_tree *t, const struct meta *m);
/* Anew, when the size has become known. */
int inode_set_meta(struct inode *i, const struct meta *m, struct err *e);
/* b's digest and extents, packed. */
int inode_set_content(struct inode *i, const struct body *b, struct err *e);
/* A body with all of it.  NULL without memory. */
struct body *inode_body(const struct inode *i);
void inode_meta(const struct inode *i, struct meta *out, bool *is_failed);

/* Hands the tree to the catalogue's thread, directory by directory. */
int ingest_tree_walk(struct ingest *g, struct ingest_tree *t, struct err *e);

#endif
