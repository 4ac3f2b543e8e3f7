/*
 * What the files of `muni dispose` share: its words, and its acts.
 */
#ifndef TOOLS_DISPOSE_H
#define TOOLS_DISPOSE_H

#include "fs/vault/disposition.h"
#include "tools/cli.h"
#include "tools/officer_key.h"

struct dispose_words {		/* as given; NULL: not */
	struct officer_words officer;
	const char *system, *class_code, *path, *version, *asof, *reason, *live, *shorten, *policy,
		*signature;
	bool is_due, is_everything, by_review, for_signing, abort_mounts;
	uint64_t mounts_timeout_s;	/* 0: as it comes */
	int64_t id;		/* of the disposition */
};

const char *dispose_kind_words(enum disposition_kind k);	/* "records", "live source" ... */
const char *dispose_state_words(enum disposition_state s);	/* "proposed" ... */

int dispose_propose(struct cli *cli, struct vault *v, const void *words, struct err *e);
int dispose_show(struct cli *cli, struct vault *v, const void *words, struct err *e);
int dispose_list(struct cli *cli, struct vault *v, const void *words, struct err *e);
int dispose_approve(struct cli *cli, struct vault *v, const void *words, struct err *e);
int dispose_withdraw(struct cli *cli, struct vault *v, const void *words, struct err *e);
int dispose_execute(struct cli *cli, struct vault *v, const void *words, struct err *e);

#endif
