/*
 * The few numbers of a node that reading and attributes need, for nodes met a
 * moment ago: so that a read does not ask the catalogue what the lookup before
 * it was told.  A bounded table; a miss costs one row, never correctness.
 * Thread-safe.
 */
#ifndef FS_MOUNT_RECENT_H
#define FS_MOUNT_RECENT_H

#include <stdbool.h>
#include <stdint.h>

struct recent;

struct recent_node {
	uint64_t ino;
	int64_t content;
	uint64_t size;
	uint64_t allocated;
	int64_t xattrs;		/* set id; 0 none */
	int64_t node;		/* catalogue's id; a directory's own node too */
	uint8_t kind;		/* enum node_kind */
};

struct recent *recent_new(void);	/* NULL without memory */
void recent_free(struct recent *r);
void recent_put(struct recent *r, const struct recent_node *n);
bool recent_get(struct recent *r, uint64_t ino, struct recent_node *out);
void recent_clear(struct recent *r);

#endif
