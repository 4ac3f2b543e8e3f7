/*
 * A command of several acts: its first operand says which ("hold add ARCHIVE").
 *
 * The command takes its options into words of its own, finds the act, checks what it
 * wants of the words, and runs it.
 */
#ifndef TOOLS_ACT_H
#define TOOLS_ACT_H

#include "tools/cli.h"

struct act {
	const char *name;
	enum vault_mode mode;
	int operands;		/* the act and the archive among them */
	/* words: the command's own, as it gave them to act_run(). */
	int (*run)(struct cli *cli, struct vault *v, const void *words, struct err *e);
};

/*
 * The one of `count` acts that the first operand names, with as many operands as it
 * wants.  `third` is what the third one is, where an act has it ("a hold's id").  NULL: the
 * usage was told, and the exit status is CLI_USAGE.
 */
const struct act *act_find(struct cli *cli, const struct act *acts, size_t count,
			   const char *third);

/* Opens the archive, which is the second operand, runs the act, closes it; the exit status. */
int act_run(struct cli *cli, const struct act *act, const void *words);

#endif
