/*
 * Want of memory in the reading child.  libarchive tells it badly, or ends the process over
 * it; so it is written down where an allocation is refused (fs/unpack/heap.c) and told to
 * our parent at once.
 */
#ifndef FS_VAULT_FOREIGN_SHORT_H
#define FS_VAULT_FOREIGN_SHORT_H

#include <stdbool.h>
#include <stddef.h>

#include "fs/base/shortage.h"

/* Behind the door: from now on our parent is told, over `output`.  False: memory was refused
 * before, and what a library could not prepare then it may fall over later. */
bool short_begin(int output);
/* An allocator has just refused so many bytes.  Keeps errno, allocates nothing. */
void short_note(size_t size);
/* Why memory was refused, since short_forget(). */
enum shortage short_why(void);
void short_forget(void);

#endif
