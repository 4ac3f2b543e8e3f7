/*
 * What every process gives up that reads what others wrote: signals, descriptors, powers,
 * files.  Each of these is for good.
 */
#ifndef FS_BASE_CONFINE_H
#define FS_BASE_CONFINE_H

#include <stddef.h>
#include <stdint.h>

struct err;

/* Closes this descriptor and all above it. */
int confine_descriptors(int first, struct err *e);
/* All signals do by default what they do, none is blocked; these are ignored. */
void confine_signals(const int *ignored, size_t count);
/* Nobody's user and group where it was root, no capabilities, no new privileges, not
 * dumpable. */
int confine_powers(struct err *e);
/* No file, no port, nobody's signal (Landlock), where the kernel has it: 0 too where not. */
int confine_files(struct err *e);
/* Bytes of memory that are mapped now; 0 where that cannot be known. */
uint64_t confine_mapped(void);

#endif
