/*
 * "muni ingest --policy": apart from the rest of the command, for recognisers want a library
 * that takes longer to load than a small ingest takes.  muni has no such function, and
 * becomes muni-whole where a policy is named.
 */
#ifndef TOOLS_INGEST_POLICY_H
#define TOOLS_INGEST_POLICY_H

#include "fs/vault/ingest.h"
#include "tools/cli.h"

struct ingest_words {
	struct ingest_options o;
	const char **excludes;	/* owned; o has them from there */
	const char *policy;
};

/* An inventory of the source as it is now, and the policy's decisions on it.  NULL in a
 * program that is linked without it. */
__attribute__((weak)) int ingest_decide_first(struct cli *cli, struct vault *v,
					      const struct ingest_words *w, struct err *e);

#endif
