/* What the files of the inventory share.  Only fs/store/catalogue_items*.c. */
#ifndef FS_STORE_CATALOGUE_ITEMS_INSIDE_H
#define FS_STORE_CATALOGUE_ITEMS_INSIDE_H

#include "fs/store/catalogue_inside.h"
#include "fs/store/catalogue_items.h"

/* Bytes, without NUL, without "/" at either end. */
bool item_path_is_sound(const void *path, size_t size);
int item_findings_drop(struct catalogue *c, int64_t item, struct err *e);
/* What was decided on an item that changed or went holds no more. */
int catalogue_decision_forget(struct catalogue *c, int64_t item, struct err *e);

#endif
