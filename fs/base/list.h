/*
 * Lists that grow: an array in memory, how many it holds, and how many it has room for.
 */
#ifndef FS_BASE_LIST_H
#define FS_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Room for at least one more than `count` of `size` bytes each.  `list` is the address of the
 * array's pointer (NULL at first; malloc'ed, the caller's); *room grows with it.  False: no
 * memory, and all is as it was.
 */
bool list_room(void *list, size_t count, size_t *room, size_t size);

#endif
