/*
 * Which directory a walk comes to next: the first one inside, else the next one beside,
 * else the one beside an ancestor.  Learnt from the listings that are made, kept in a
 * bounded table; what it does not know it does not guess.  A guess that is wrong costs
 * a listing made in vain, never a wrong answer.  Thread-safe.
 */
#ifndef FS_MOUNT_FAMILY_H
#define FS_MOUNT_FAMILY_H

#include <stdint.h>

struct family;

struct family *family_new(void);	/* NULL without memory */
void family_free(struct family *f);
/* The listing of parent begins; then each directory in it, in order. */
void family_begin(struct family *f, uint64_t parent);
void family_add(struct family *f, uint64_t parent, uint64_t child);
/* Behind the listing of ino; 0: unknown, or the end. */
uint64_t family_next(struct family *f, uint64_t ino);
void family_clear(struct family *f);

#endif
