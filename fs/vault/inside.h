/*
 * What the vault's verbs share about an open archive.  Only fs/vault includes
 * this.
 */
#ifndef FS_VAULT_INSIDE_H
#define FS_VAULT_INSIDE_H

#include "fs/crypt/keyring.h"
#include "fs/store/log.h"
#include "fs/store/objects.h"
#include "fs/vault/vault.h"

struct vault {
	char *path;		/* as the user gave it */
	int dirfd;		/* the archive folder */
	int lockfd;		/* writer's lock; -1 for a reader */
	int auditfd;		/* audit/ */
	uint8_t id[16];
	char id_hex[33];
	char *keyring_path;
	struct keyring *keyring;
	unsigned key_id;	/* pagevfs key of the present epoch */
	uint64_t epoch;
	enum vault_mode mode;
	bool is_folder_read_only;
	struct objects *objects;
	struct catalogue *catalogue;
	struct log *log;
	struct digest pages_at_open;	/* writer: digest over page tags found */
	int64_t (*now)(void);
	char *notices[8];
};

/*
 * The end of every act that changed the catalogue (design 3.2, 3.4): in this
 * order, append `act` with details to the log, store position and details,
 * commit, checkpoint, bring redo and parity up, sign the head, move the
 * anchor, tell open mounts.  The caller has begun the transaction.
 */
int vault_commit_act(struct vault *v, enum log_act act, const char *details,
		     struct err *e);

/* Tells every mount registered in the run folder that something changed. */
void vault_announce(struct vault *v);
/* The folder of sockets, beside the keyring: "ID.run"; made 0700. -1 on error. */
int vault_run_dir(struct vault *v, bool make, struct err *e);

#endif
