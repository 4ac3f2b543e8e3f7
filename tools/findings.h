/*
 * How verify and repair tell what they found.
 */
#ifndef TOOLS_FINDINGS_H
#define TOOLS_FINDINGS_H

#include "fs/base/err.h"
#include "fs/vault/verify.h"

struct cli;

struct findings {
	struct cli *cli;
	bool is_repair;
	struct err failed;	/* a line that could not be made; code MUNI_OK: none */
};

/* The `found` of vault_verify() and vault_repair(); arg: struct findings. */
void findings_show(void *arg, const struct verify_finding *f);
/* The last lines; where damage was found e becomes what to do about it. */
int findings_end(struct findings *f, const struct verify_summary *s, int rc,
		 struct err *e);

#endif
