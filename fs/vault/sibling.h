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

/* What a sibling gets of the environment: no more than it needs to run at all. */
#define SIBLING_VARIABLES_MAX 10
#define SIBLING_VARIABLE_SIZE 4096

struct sibling_environment {	/* points into itself: not to be copied */
	char room[SIBLING_VARIABLES_MAX][SIBLING_VARIABLE_SIZE];
	char *list[SIBLING_VARIABLES_MAX + 1];	/* for execve() */
	unsigned count;
};

void sibling_environment(struct sibling_environment *v);
/* One more; value NULL, or too long: not. */
void sibling_variable(struct sibling_environment *v, const char *name, const char *value);

#endif
