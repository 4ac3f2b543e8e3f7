/*
 * What an execution of a disposition did, as facts: stored with the disposition when it
 * is GONE (disposition_row.result, JSON), read by the certificate.  One writer and one
 * reader, here, so that both mean the same.
 *
 * The certificate takes the rest from what was signed, since records that are gone can be
 * asked nothing more.  These are the keys that it reads (docs/format.md, "Disposition");
 * a key that is not there is left out of the certificate, never guessed.
 *
 * The statement (canonical JSON, an object):
 *   archive      id, 32 hex           disposition  "D1"
 *   kind         "records" | "live" | "shorten"
 *   root         64 hex               items, bytes  integers
 *   systems      [name, ...]          reason       text, or absent
 *   source       live: the directory
 *   proposed     {by: officer id, person, certificate: 64 hex, at: RFC 3339}
 *   asof         RFC 3339
 *   log          {count, root}: the head when it was proposed
 *   classes      one object a class, by class:
 *     class, title, policy (64 hex), mandates: [text, ...], rules: [id, ...]
 *     items, bytes, formats: {format: items}
 *     from, to     "1998-01-01": span of what the items count from
 *     trigger, period ("P30Y"), due: {first, last} (days), then, grace
 *     sensitivity, names: "keep" | "commit" | "drop", residual
 *     quorum, roles: [..], witnesses: [..]
 * An item of the list (canonical JSON, an object; its leaf is over these bytes):
 *   salt (32 hex), class, path, system, kind, bytes, format, versions: [label, ...],
 *   from, due, period, policy, modified
 */
#ifndef FS_VAULT_EXECUTION_H
#define FS_VAULT_EXECUTION_H

#include "fs/vault/epoch.h"

#define EXECUTION_MOUNTS_MAX 256

struct live_facts {		/* of a live source */
	uint64_t gone, bytes;
	uint64_t failed;	/* still there; each item's text says why */
	uint64_t overwritten;	/* of `gone`: whose blocks were overwritten in place first */
	char *filesystem;	/* "ext4"; malloc'ed, as is why */
	char *why;		/* why overwriting is, or is not, meaningful there */
};

struct execution {
	char *officer;		/* id of who executed; malloc'ed */
	int64_t began, ended;	/* seconds */
	struct epoch_result epoch;	/* RECORDS and SHORTEN; zeros for LIVE, but for
					 * before and after */
	struct live_facts live;
	/* What each mount that was asked said: sentences, malloc'ed. */
	char *mounts[EXECUTION_MOUNTS_MAX];
	size_t mount_count;
	bool keyring_was_read_back;	/* E3 */
};

/* *json: malloc'ed. */
int execution_write(const struct execution *x, char **json, struct err *e);
int execution_read(const char *json, struct execution *out, struct err *e);
void execution_clear(struct execution *x);

#endif
