/*
 * What graft.c (entries), graft_dir.c and graft_node.c share.
 */
#ifndef FS_VAULT_GRAFT_INSIDE_H
#define FS_VAULT_GRAFT_INSIDE_H

#include "fs/vault/graft.h"

struct id_pool {
	int64_t next, end;
};

struct graft {
	struct ingest *g;
	struct catalogue *c;	/* the vault's own: the writer */
	bool is_dry;
	bool has_stubs;		/* something of the archive was destroyed once */
	bool is_begun;		/* a transaction is open */
	unsigned rows;		/* since the last commit, about ... */
	struct pack_segment *noted;	/* ... and segments, whose chunks the packer keeps
					 * in memory until it; owned */
	uint64_t noted_bytes;	/* of their blocks */
	struct id_pool ids[SEQUENCE_COUNT];
	struct map account_ids;	/* interned name -> id */
	struct map account_names;	/* id -> interned name */
	struct map xattrs;	/* digest of a set -> id */
	struct map groups;	/* node of the version before -> the body that has it */
	int64_t *removed;	/* directories whose names are gone; owned */
	size_t removed_count, removed_capacity;
	struct tally tally;
	struct ingest_result sums;	/* counts alone */
	bool is_whole;
};

int graft_id(struct graft *t, enum catalogue_sequence s, int64_t *out, struct err *e);
/* Is the stored node what the source says now?  body NULL: a directory. */
int graft_is_same(struct graft *t, int64_t node, const struct meta *m,
		  const struct body *body, bool *out, struct err *e);
/* Rows for a new node; *out as stored.  prior: whose content may be kept; 0 none. */
int graft_add_node(struct graft *t, const struct meta *m, const struct body *body,
		   int64_t prior, struct node *out, struct err *e);


/* The node that the source's item is, but for the catalogue's own ids. */
void graft_node_of(const struct meta *m, const struct body *body, struct node *out);
/* Rows of all chunks in the blocks of a list of segments. */
int graft_add_chunks(struct graft *t, const struct pack_segment *first, struct err *e);

/* The directory's id, given now if it has none yet. */
int graft_dir_id(struct graft *t, struct dir *d, int64_t *out, struct err *e);
int graft_keep_leaf(struct dir *d, const struct digest *leaf, struct err *e);
int graft_close_entry(struct graft *t, struct dir *d, const char *name, size_t name_size,
		      const struct prior *prior, struct err *e);
/* A new row in d, with a fresh salt where salt is NULL.  *out for its leaf. */
int graft_open_entry(struct graft *t, struct dir *d, const char *name, size_t name_size,
		     enum node_kind kind, int64_t directory, int64_t node,
		     const uint8_t *salt, struct entry *out, struct err *e);
/* All its children are known. */
int graft_finish(struct graft *t, struct dir *d, struct err *e);

#endif
