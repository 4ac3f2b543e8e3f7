/* What the files of the copy share.  Only fs/store/catalogue_copy*.c. */
#ifndef FS_STORE_CATALOGUE_COPY_INSIDE_H
#define FS_STORE_CATALOGUE_COPY_INSIDE_H

#include "fs/store/catalogue_copy.h"
#include "fs/store/catalogue_inside.h"

struct copy_state {
	const struct catalogue_copy *k;
	struct bits items_gone;	/* of the inventory; owned */
	struct bits originals_gone;	/* items of which the original went; owned */
	bool has_failed;	/* a function could not answer: */
	struct err failure;
};

/* The functions that the rules' SELECTs ask. */
int copy_functions_add(struct catalogue *next, struct copy_state *s, struct err *e);
void copy_functions_remove(struct catalogue *next);

#endif
