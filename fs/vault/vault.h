/*
 * The vault: what both programs can ask of an archive.  One verb a header
 * below this one: init and open here; ingest.h, reader.h, tree.h, diff.h,
 * verify.h, export.h.
 *
 * Libraries never print and never exit: long work reports through
 * `struct vault_progress`.  The time of day comes in through vault_options.now.
 */
#ifndef FS_VAULT_VAULT_H
#define FS_VAULT_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/catalogue.h"

struct err;
struct vault;
struct epoch_options;
struct epoch_result;

#define MUNIMENT_FORMAT 1	/* of the archive directory */

/* ---- keys ---------------------------------------------------------------- */

/* Before all else in a process that opens vaults: what is held of keys will be left out of
 * core files, and locked.  Locks do not follow a fork: who forks in order to open one
 * begins in the child.  MUNI_NO_MEMORY: the process can only end. */
int vault_begin(struct err *e);
/* Wipes what functions that have returned left on the stack below the caller: names, keys. */
void vault_scrub_stack(void);
/* A sentence for people where keys lie in memory that may be swapped out, because the
 * system lets this process lock too little; NULL: all that ever held one is locked. */
const char *vault_memory_warning(void);

struct vault_keys {		/* all borrowed; NULL: not given */
	const char *keyring;		/* path; default: see vault_default_keyring() */
	const char *key_file;
	const char *passphrase_file;	/* first line, without its newline */
	/* Asks a person: fills out (NUL ended), returns its length or -1.  NULL:
	 * nobody can be asked. */
	int (*prompt)(void *arg, const char *question, char *out, size_t size);
	void *prompt_arg;
	/* Asked a few times a second while a pipe that is named as a key says nothing.  NULL:
	 * it is waited for without end. */
	bool (*is_cancelled)(void *arg);
	void *cancel_arg;
};

/* For an archive that somebody else holds: a writer, who excludes all others who write or
 * verify, or one who verifies. */
struct vault_wait {
	unsigned seconds;	/* at most; then MUNI_BUSY names who holds it */
	/* Once for each holder, when it has been waited for a little while: "muni ingest (pid 12
	 * on host, since 2026-06-30T12:00:00Z)". */
	void (*waiting)(void *arg, const char *holder);
	bool (*is_cancelled)(void *arg);	/* asked a few times a second */
	void *arg;
};

struct vault_options {
	struct vault_keys keys;
	const char *purpose;	/* "muni ingest": what those are told who wait for us */
	const struct vault_wait *wait;	/* NULL: two seconds, silently */
	int64_t (*now)(void);	/* seconds since the epoch; NULL: the system's clock */
	const struct epoch_options *epoch;	/* how a switch of epoch that was cut off is
						 * ended; NULL: patiently */
	bool is_restoring;	/* an older copy opens, too: for vault_restore() alone */
};

/* /var/lib/muniment/ID.keyring for root, $XDG_DATA_HOME/muniment/ID.keyring
 * (or ~/.local/share) else.  malloc'ed. */
char *vault_default_keyring(const char *archive_id_hex);

/* ---- progress ------------------------------------------------------------- */

struct vault_progress {
	const char *stage;	/* "reading", "verifying" ... one word for people */
	uint64_t items_done, items_total;	/* total 0: not known (yet) */
	uint64_t bytes_done, bytes_total;
	uint64_t problems;
};

struct vault_monitor {		/* NULL function: silent */
	/* Called from one thread at a time, a few times a second. */
	void (*progress)(void *arg, const struct vault_progress *p);
	/* A sentence worth telling at once ("a.csv changed while it was read"). */
	void (*notice)(void *arg, const char *sentence);
	/* Asked often; true makes the work stop with MUNI_CANCELLED. */
	bool (*is_cancelled)(void *arg);
	void *arg;
};

/* ---- init, open ------------------------------------------------------------ */

struct vault_init_options {
	struct vault_keys keys;
	const char *const *recipients;	/* X.509 PEM paths: escrow slots */
	size_t recipient_count;
	uint32_t block_size;	/* 0: default */
	uint32_t level;		/* 0: default (3) */
	bool dense;		/* later versions smaller, and slower to read */
	const struct parity_strength *parity;	/* NULL: default */
	int64_t (*now)(void);
};

/*
 * Makes the directory (0700) or takes an empty one.  id_hex: 33 bytes.
 * *keyring_path: malloc'ed.  *keyring_inside: the keyring lies in the archive
 * (warn).  On failure nothing is left behind that was not there before; what a
 * killed init left, with its keyring, is cleared by the next one.
 */
int vault_init(const char *path, const struct vault_init_options *o, char id_hex[33],
	       char **keyring_path, bool *keyring_inside, struct err *e);

enum vault_mode {
	VAULT_READ,	/* any number, also of a read-only folder */
	VAULT_WRITE,	/* one; MUNI_BUSY names the holder */
};

/* Asks the disk for what opening this archive will read: for a process that waits while
 * another opens it.  Reads and believes nothing, and says nothing of what fails. */
void vault_expect(const char *path, const struct vault_keys *keys);

/* Unlocks, checks the anchor and the log against the catalogue, and for
 * VAULT_WRITE recovers what a crash left. */
int vault_open(const char *path, const struct vault_options *o, enum vault_mode mode,
	       struct vault **out, struct err *e);
void vault_close(struct vault *v);

const char *vault_id_hex(const struct vault *v);
const uint8_t *vault_id(const struct vault *v);		/* 16 bytes */
const char *vault_path(const struct vault *v);
int64_t vault_now(const struct vault *v);
/* What a careful person should know: "no anchor on this host: a rollback cannot
 * be excluded".  NULL when index is past the last. */
const char *vault_notice(const struct vault *v, unsigned index);
/* Those that come from now on, on the thread that acts. */
void vault_on_notice(struct vault *v, void (*tell)(void *arg, const char *text), void *arg);

/* The vault's own connection (its opener's thread only). */
struct catalogue *vault_catalogue(struct vault *v);
/* Another connection for another thread; catalogue_close() it first. */
int vault_connect(struct vault *v, size_t cache_bytes, struct catalogue **out,
		  struct err *e);

/* "SYSTEM" or "SYSTEM@LABEL" or "SYSTEM@2021-06-30" (in force that day). */
int vault_resolve(struct catalogue *c, const char *spec, struct version *out,
		  struct err *e);
/* A system or version label: 1..128 bytes of UTF-8 without / @ control bytes or
 * a leading dot; a label (is_label) may not look like a date.  MUNI_USAGE. */
int vault_check_name(const char *name, bool is_label, struct err *e);

/* ---- who may open it --------------------------------------------------------- */

struct vault_key {
	unsigned number;
	const char *kind;	/* "passphrase", "key file", "recipient" */
	char label[64];
	int64_t created;
};

/* *out malloc'ed. */
int vault_key_list(const struct vault *v, struct vault_key **out, size_t *count,
		   struct err *e);
/* The new secret is exactly one of keys->key_file, keys->passphrase_file, a
 * prompt; or, where not NULL, the certificate (PEM or DER) of a recipient.
 * label NULL: the kind's name.  For VAULT_WRITE. */
int vault_key_add(struct vault *v, const struct vault_keys *keys, const char *recipient,
		  const char *label, unsigned *number, struct err *e);
/*
 * Takes the key away, renews the master key for all others, and switches the epoch
 * (fs/vault/epoch.h): who held the key may have kept a copy of the keys.  MUNI_REFUSED
 * for the last one that is no recipient.  Where the switch fails the key is removed all
 * the same: vault_key_rotate() then ends the work.
 */
int vault_key_remove(struct vault *v, unsigned number, const struct epoch_options *o,
		     const struct vault_monitor *m, struct epoch_result *out, struct err *e);
/* A new master key and a new epoch: what was copied of the keyring before opens nothing
 * that is written from now on. */
int vault_key_rotate(struct vault *v, const struct epoch_options *o,
		     const struct vault_monitor *m, struct epoch_result *out, struct err *e);
/* What a recipient decrypts with stock tools: CMS in DER, malloc'ed.  The 32
 * bytes that come out open the archive as --key-file. */
int vault_key_message(const struct vault *v, unsigned number, uint8_t **out, size_t *size,
		      struct err *e);

#endif
