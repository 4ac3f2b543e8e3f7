/*
 * How many files this process may have open at a time.
 *
 * The soft limit, 1,024 on most systems, is there for programs that call select(2), which
 * takes no higher numbers; whoever does not may have as many as the hard limit allows
 * (setrlimit(2)).  Programs that are started from here and are not ours would inherit it: each
 * of ours lowers it for itself.
 */
#ifndef FS_BASE_DESCRIPTORS_H
#define FS_BASE_DESCRIPTORS_H

unsigned descriptors_limit(void);
/* Up to `wanted`, or the hard limit; never lowers it. */
void descriptors_lift(unsigned wanted);

#endif
