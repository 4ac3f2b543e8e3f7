/*
 * What the vault's verbs share about an open archive.  Only fs/vault includes
 * this.
 */
#ifndef FS_VAULT_INSIDE_H
#define FS_VAULT_INSIDE_H

#include "fs/crypt/keyring.h"
#include "fs/crypt/signatories.h"
#include "fs/store/log.h"
#include "fs/store/objects.h"
#include "fs/vault/vault.h"

struct vault {
	char *path;		/* as the user gave it */
	int dirfd;		/* the archive folder */
	int lockfd;		/* a writer's lock, or that of who verifies, or reads what
				 * cannot be written; else -1 */
	char lock_text[256];	/* what we wrote into it, for people; at lock_at */
	off_t lock_at;
	int auditfd;		/* audit/ */
	uint8_t id[16];
	char id_hex[33];
	const struct parity_vouch *vouch;	/* of a repair alone; borrowed */
	char *keyring_path;
	struct keyring *keyring;
	uint8_t *certificate;	/* of the present signing key, DER; owned */
	size_t certificate_size;
	struct signatories signatories;	/* that one's, and those of the keys before it */
	struct log_checked head_checked;	/* for log_open(): the head that needs no second look */
	unsigned key_id;	/* pagevfs key of the present epoch; 0 none */
	uint64_t epoch;
	enum vault_mode mode;
	bool is_folder_read_only;
	bool is_frozen;		/* reader: only while the disk is full (frozen.h) */
	struct objects *objects;
	struct catalogue *catalogue;
	struct log *log;
	struct digest pages_at_open;	/* writer: digest over page tags at which base and
					 * redo stand, or that was found */
	uint64_t seals_counted;	/* of pagevfs_seals(): already in the catalogue */
	bool is_settled;	/* writer: the newest head speaks of the catalogue as
				 * it is now */
	bool is_spent;		/* writer: only opening it anew tells which epoch it is in;
				 * no act is taken any more */
	bool is_older;		/* opened to be restored: until that has begun the anchor stays
				 * where it is, and refuses everybody else */
	bool is_restoring;	/* opened to be restored */
	bool has_newer_copies;	/* so opened: segments/ has copies of a newer catalogue */
	bool reads_certificate_copies;	/* verify, repair: for as long as these are judged */
	uint64_t acts_seen;	/* by this host; 0: it has no anchor */
	int64_t (*now)(void);
	char *notices[8];
	void (*on_notice)(void *arg, const char *text);
	void *on_notice_arg;
};

/*
 * The end of every act that changed the catalogue (design 3.2, 3.4): in this
 * order, append `act` with details (JSON) to the log, store position and
 * details, raise the generation, commit, checkpoint, bring redo and parity up,
 * sign the head, move the anchor, tell open mounts.  The caller has begun the
 * transaction; when this returns it is over.
 *
 *   T1  Before the commit nothing counts: -1, rolled back, the log rewound.
 *   T2  After it the act counts, also where -1 is returned (e says so): what is
 *       left to do is done by the next act or the next VAULT_WRITE open.
 *   T3  A catalogue that differs from the newest head without an act after it
 *       or a version in progress is damage.  So whoever commits outside this
 *       function (ingest, scan) has begun a version or a scan first, in the
 *       same or an earlier commit, and leaves by this function or by
 *       vault_abandon().
 */
int vault_commit_act(struct vault *v, enum log_act act, const char *details,
		     struct err *e);
/* The same by an officer: SHA-256 of the certificate; NULL: the holder of the key. */
int vault_commit_act_by(struct vault *v, enum log_act act, const struct digest *actor,
			const char *details, struct err *e);
/* Rolls back the version in progress, or marks the scan in progress as cut off, if
 * there is one, and logs that. */
int vault_abandon(struct vault *v, struct err *e);

/* Tells every mount registered in the run folder that something changed. */
void vault_announce(struct vault *v);
/* The folder of sockets, beside the keyring: "ID.run"; made 0700. -1 on error. */
int vault_run_dir(struct vault *v, bool make, struct err *e);

/*
 * certificates/archive.pem: the archive's own certificate, for an auditor who
 * has no key.  check: true in *is_whole if it is the keyring's; put: writes it.
 */
int vault_certificate_check(const struct vault *v, bool *is_whole, struct err *e);
int vault_certificate_put(const struct vault *v, struct err *e);

/* A sentence for vault_notice(), once; what does not fit is dropped. */
void vault_add_notice(struct vault *v, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
