/*
 * The lists of system calls of jail.h.
 */
#ifndef FS_EXAMINE_JAIL_FILTER_H
#define FS_EXAMINE_JAIL_FILTER_H

struct err;

/* MUNI_UNSUPPORTED: no filter can be had here. */
int jail_filter(struct err *e);
int jail_filter_worker(struct err *e);

#endif
