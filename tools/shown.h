/*
 * What a command that looks into versions shows: restricted records only where
 * --restricted says why, and then with an entry in the log.
 */
#ifndef TOOLS_SHOWN_H
#define TOOLS_SHOWN_H

#include "fs/vault/barred.h"
#include "tools/cli.h"

/* In place of cli_open(). */
int shown_open(struct cli *cli, const char *path, struct vault **out, struct err *e);
/*
 * Once it is known what is asked for, before anything is shown; paths as the person gave
 * them (other_version NULL but in comparisons).  With --restricted it logs that and leaves
 * *out empty.  barred_free(out).
 */
int shown_begin(struct cli *cli, struct vault *v, const struct version *version,
		const struct version *other, char *const *paths, int path_count,
		struct barred *out, struct err *e);

#endif
