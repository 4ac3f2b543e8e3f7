/*
 * What a reader that keeps answers has to take back: what stood in the catalogue of one
 * epoch and does not in the next; what belongs to classes that are no longer shown.
 * Both catalogues are walked once, side by side, in the order of their keys.
 */
#ifndef FS_STORE_CATALOGUE_GONE_H
#define FS_STORE_CATALOGUE_GONE_H

#include "fs/store/catalogue.h"

struct gone_entry {		/* of the table entry */
	int64_t directory;
	const char *name;	/* NUL ended; borrowed for the call */
	uint16_t name_size;
	enum node_kind kind;
	int64_t target;		/* a directory's id, else a node's */
	int64_t first, last;
};

/*
 * Rows of `old` that `now` has not, or has otherwise, in order of their keys; now NULL:
 * all.  row(): 0 go on, 1 stop, -1 an error that it set in its own arg.
 */
int catalogue_gone_entries(struct catalogue *old, struct catalogue *now,
			   int (*row)(void *arg, const struct gone_entry *r), void *arg,
			   struct err *e);
int catalogue_gone_nodes(struct catalogue *old, struct catalogue *now,
			 int (*row)(void *arg, int64_t node), void *arg, struct err *e);
int catalogue_gone_directories(struct catalogue *old, struct catalogue *now,
			       int (*row)(void *arg, int64_t id, int64_t first, int64_t last),
			       void *arg, struct err *e);

/* Nodes of a class, by number: a walk over all nodes. */
int catalogue_class_nodes(struct catalogue *c, int64_t class_id,
			  int (*row)(void *arg, int64_t node), void *arg, struct err *e);
/* Nodes that have the class besides their own (catalogue_node_class_add()), by number. */
int catalogue_class_nodes_beside(struct catalogue *c, int64_t class_id,
				 int (*row)(void *arg, int64_t node), void *arg,
				 struct err *e);
/* Every entry that leads to one of the nodes (ascending): a walk over all entries. */
int catalogue_entries_of_nodes(struct catalogue *c, const int64_t *nodes, size_t count,
			       int (*row)(void *arg, const struct gone_entry *r), void *arg,
			       struct err *e);

/* The last name of a directory, in any version, that stands before `name` or is it.
 * MUNI_NOT_FOUND.  out: CATALOGUE_NAME_MAX + 1 bytes. */
int catalogue_name_before(struct catalogue *c, int64_t directory, const void *name,
			  size_t name_size, char *out, uint16_t *out_size, struct err *e);

#endif
