/*
 * What a mount does not show, as sets of nodes: so that a record that becomes restricted,
 * or is so no more, is known by name and number, and that neither totals nor the numbers
 * of a directory tell of what is not shown.
 */
#ifndef FS_MOUNT_HIDDEN_H
#define FS_MOUNT_HIDDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct catalogue;
struct err;
struct view_version;

struct node_set {
	int64_t *ids;		/* owned; ascending */
	size_t count;
};

/* To be settled afterwards. */
int node_set_add(struct node_set *s, int64_t id, struct err *e);
void node_set_free(struct node_set *s);
/* The nodes of these classes: a walk over all nodes for each of them. */
int node_set_of_classes(struct node_set *out, struct catalogue *c, const int64_t *classes,
			size_t count, struct err *e);
/* Nodes that have the class besides their own: another name's, an empty directory's. */
int node_set_add_beside(struct node_set *out, struct catalogue *c, int64_t class_id,
			struct err *e);
bool node_set_has(const struct node_set *s, int64_t id);
/* Those in one of both but not in the other, added to *out. */
int node_set_add_difference(struct node_set *out, const struct node_set *a,
			    const struct node_set *b, struct err *e);
/* Sorts, and drops what is there twice. */
void node_set_settle(struct node_set *s);

/* The directories in which one of the nodes stands, in any version. */
int node_set_add_folders(struct node_set *out, struct catalogue *c, const struct node_set *s,
			 struct err *e);

struct hidden_counts {		/* of one version */
	uint64_t nodes;		/* names of all kinds */
	uint64_t directories, files;
	uint64_t bytes;		/* of files, each inode once */
};

/* What the nodes make out in each of the versions, added to out[0..version_count);
 * directories among them only where asked for. */
int hidden_count(const struct node_set *s, bool with_directories, struct catalogue *c,
		 const struct view_version *versions, size_t version_count,
		 struct hidden_counts *out, struct err *e);

#endif
