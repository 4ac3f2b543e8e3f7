/*
 * Memory beyond what each worker may take: asked for at the moment when it is
 * wanted, and waited for.
 *
 *   G1  To libraries an allocation fails only when the largest limit is reached,
 *       never because of the smaller one that workers share out: what is found in a
 *       file does not depend on what others hold.
 *   G2  Why one failed is written down (fs/base/shortage.h), so that a reader that takes
 *       it for the file's fault, or falls over it, is not believed.
 */
#ifndef FS_EXAMINE_GROWTH_H
#define FS_EXAMINE_GROWTH_H

#include <stdatomic.h>
#include <stdbool.h>

/* From main(), before the first door. */
void growth_prepare(void);
/* In a worker, before it closes its own.  An enum shortage of what was refused last goes to
 * *why, which outlives the process; NULL: nowhere. */
void growth_begin(atomic_uchar *why);
/* Such a worker ends with its file, so that others may grow. */
bool growth_has_happened(void);

#endif
