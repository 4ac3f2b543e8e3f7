/*
 * Programs of ours that other programs of ours start: they lie beside each other.
 */
#ifndef FS_VAULT_SIBLING_H
#define FS_VAULT_SIBLING_H

#include <stddef.h>

struct err;

/* Beside this program, or in ../libexec/muniment; $VARIABLE names another (not where this
 * program runs with rights that its user does not have).  MUNI_NOT_FOUND says where it was
 * looked for.  what: "looks into files". */
int sibling_find(const char *name, const char *variable, const char *what, char *out,
		 size_t size, struct err *e);

#endif
