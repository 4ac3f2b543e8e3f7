/*
 * What the parts of a comparison share: the changes found so far.  Only
 * fs/vault/diff*.c include this.
 */
#ifndef FS_VAULT_DIFF_INSIDE_H
#define FS_VAULT_DIFF_INSIDE_H

#include "fs/vault/diff.h"

/* Enough of a node to know it again under another name; nodes themselves are
 * read once more when a change is told, so that a million changes fit memory. */
struct diff_trace {
	enum node_kind kind;
	bool has_sha256;
	uint64_t size, device, inode;
	struct stamp mtime;
	struct digest sha256;
};

struct diff_change {
	enum diff_kind kind;
	char *path;		/* owned; as struct diff_item has it */
	size_t path_size;
	char *old_path;		/* owned; MOVED only */
	size_t old_path_size;
	int64_t before, after;	/* node ids; 0 none */
	bool content_changed, metadata_changed;
	struct diff_trace trace;	/* ADDED and REMOVED but of directories */
	bool is_gone;		/* became the old side of a MOVED */
};

struct diff_changes {
	struct diff_change *list;	/* owned */
	size_t count, capacity;
};

/* Pairs what was removed with what was added where it is the same thing under
 * another path: first by source inode, then by content and name, then by
 * content alone.  Files of no bytes and what is no file: by inode only. */
int diff_find_moves(struct diff_changes *changes, struct err *e);

/* What a reader sees: other bytes, or another kind of thing.  Nodes with digests. */
bool diff_is_content_changed(const struct node *a, const struct node *b);
/* Mode, owner, device, attributes, link target and, with_mtime, mtime. */
int diff_is_metadata_changed(struct catalogue *c, const struct node *a,
			     const struct node *b, bool with_mtime, bool *out,
			     struct err *e);

/* "DIRECTORY/NAME", or the name alone in the topmost; malloc'ed. */
char *diff_join(const char *directory, const char *name, size_t size);
/* Where directory `id` stands in version v: *path malloc'ed, NULL if it does not. */
int diff_directory_path(struct catalogue *c, const struct version *v, int64_t id,
			char **path, struct err *e);
int diff_is_directory_in(struct catalogue *c, const struct version *v, int64_t id,
			 bool *out, struct err *e);

#define DIFF_RUN 256

/* A directory's listing in one version, a run of entries at a time, so that
 * nothing is open while an entry is worked on. */
struct diff_side {
	struct catalogue *c;
	int64_t version, directory;	/* directory 0: nothing to list */
	struct entry *entries;	/* owned; DIFF_RUN of them */
	size_t count, next;
	bool is_last;
};

/* The entry that the side stands on (side->next moves it on); NULL past its end. */
int diff_side_entry(struct diff_side *s, const struct entry **out, struct err *e);
int diff_compare_names(const struct entry *a, const struct entry *b);

#endif
