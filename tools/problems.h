/*
 * What of a source could not be read, listed when the work is done.
 */
#ifndef TOOLS_PROBLEMS_H
#define TOOLS_PROBLEMS_H

#include "tools/cli.h"

struct problems {
	struct cli *cli;
	const char *before;	/* what stands before each one: "left out: " */
	struct err *e;		/* of an output that could not be written */
};

/* For the catalogue's lists of problems; `problems` is a struct problems.  A path of no
 * bytes is the source itself, the command's second operand. */
int problem_tell(void *problems, const void *path, size_t path_size, const char *what);

#endif
