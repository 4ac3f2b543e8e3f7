/*
 * Restricted records, as a set of nodes: so that one that becomes restricted, or is so
 * no more, is known by name and number, and that totals do not tell of them.
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

void node_set_free(struct node_set *s);
/* The nodes of these classes: a walk over all nodes for each of them. */
int node_set_of_classes(struct node_set *out, struct catalogue *c, const int64_t *classes,
			size_t count, struct err *e);
/* Those in one of both but not in the other, added to *out. */
int node_set_add_difference(struct node_set *out, const struct node_set *a,
			    const struct node_set *b, struct err *e);
/* Sorts, and drops what is there twice. */
void node_set_settle(struct node_set *s);

/* Entries of the nodes in all of the versions, and bytes of their files. */
int hidden_totals(const struct node_set *s, struct catalogue *c,
		  const struct view_version *versions, size_t version_count,
		  uint64_t *entries, uint64_t *bytes, struct err *e);

#endif
