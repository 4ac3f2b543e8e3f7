/* What the files of the inventory share.  Only fs/store/catalogue_items*.c. */
#ifndef FS_STORE_CATALOGUE_ITEMS_INSIDE_H
#define FS_STORE_CATALOGUE_ITEMS_INSIDE_H

#include "fs/store/catalogue_inside.h"
#include "fs/store/catalogue_items.h"

/* Bytes, without NUL, without "/" at either end. */
bool item_path_is_sound(const void *path, size_t size);
/* A copy, NUL ended; NULL without memory. */
char *item_bytes(const void *data, size_t size);
int item_need_inventory(struct catalogue *c, struct err *e);
#define FINDING_WHERE_BYTES 4096
#define FINDING_SAMPLES_BYTES 65536
int item_findings_drop(struct catalogue *c, int64_t item, struct err *e);
/* What was decided on an item that changed or went holds no more. */
int catalogue_decision_forget(struct catalogue *c, int64_t item, struct err *e);

/* ---- rows for settling (catalogue_items_lines.c) ------------------------------ */

struct item_line {		/* of a row, as much as settling needs */
	int64_t id, first;
	uint64_t copies, size, device, inode;
	enum node_kind kind;
	uint32_t links;
	bool has_sha, is_opaque, has_findings;
	struct digest sha;
	char *path, *original;	/* owned */
	size_t path_size, original_size;
};

#define ITEM_LINES 512
struct item_lines {		/* a page of them; all zeros: before the first */
	struct item_line list[ITEM_LINES];
	size_t count;
	char *after;		/* the last path read; owned */
	size_t after_size;
};
/* The next page in order of paths; no statement stands open between pages.  1:
 * there are rows; 0: no more. */
int item_lines_next(struct catalogue *c, int64_t system, struct item_lines *p,
		    struct err *e);
void item_lines_clear(struct item_lines *p);	/* back to before the first */

#endif
