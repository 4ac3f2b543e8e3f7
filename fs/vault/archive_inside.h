/*
 * What the files that open and close an archive share, also piece by piece.
 * Only fs/vault/archive*.c, verify*.c, repair*.c and frozen.c include this.
 */
#ifndef FS_VAULT_ARCHIVE_INSIDE_H
#define FS_VAULT_ARCHIVE_INSIDE_H

#include "fs/vault/archive_anchor.h"
#include "fs/vault/archive_file.h"
#include "fs/vault/archive_secrets.h"
#include "fs/vault/inside.h"

#define ARCHIVE_LOCK "lock"
#define ARCHIVE_AUDIT "audit"
#define ARCHIVE_CERTIFICATES "certificates"
#define ARCHIVE_CERTIFICATE_COPIES "certificates.2"
#define ARCHIVE_PEM "archive.pem"
#define ARCHIVE_PEM_MAX (16 * 1024)
#define ARCHIVE_SEGMENTS "segments"
#define WRITER_CACHE_BYTES (64u << 20)	/* of SQLite's pages, on the vault's connection */
#define READER_CACHE_BYTES (8u << 20)

/* An empty vault for path; NULL without memory. */
struct vault *archive_new(const char *path, int64_t (*now)(void));
/* Frees without closing acts: for what never got open. */
void archive_release(struct vault *v);

/* ---- the lock (archive_lock.c) -------------------------------------------------- */

/* For a writer, or (shared) for who verifies, or reads a folder that cannot be written:
 * that one must not be changed under it.  Waits as o->wait says; MUNI_BUSY names the
 * holder. */
int archive_lock(struct vault *v, const struct vault_options *o, struct err *e);
/* v->catalogue for a reader; on a full disk as in a folder that cannot be written, under the
 * lock that keeps writers away, if no act was cut off there. */
int archive_read_catalogue(struct vault *v, const struct vault_options *o, size_t cache_bytes,
			   struct err *e);
void archive_unlock(struct vault *v);

/* ---- keys (archive_unlock.c) ------------------------------------------------------ */

/* Where the keyring is: as given, as recorded, or in the default place.
 * malloc'ed. */
char *archive_keyring_path(const char *archive, const struct archive_file *a,
			   const struct vault_keys *keys, struct err *e);
/* Opens the keyring and takes certificate, epoch and catalogue key from it.  secrets
 * (secrets_free()) keeps what opened it: nobody is asked twice. */
int archive_unlock_keys(struct vault *v, const struct vault_keys *keys,
			struct secrets *secrets, struct err *e);
/* The same from an open keyring, which becomes v's. */
int archive_take_keyring(struct vault *v, struct keyring *k, struct err *e);

/* Certificate and signatories as v->keyring has them now. */
int archive_take_certificate(struct vault *v, struct err *e);

/* ---- acts and recovery (archive_act.c) -------------------------------------------- */

/* What a crash left: a version in progress, an act without its head. */
int archive_recover(struct vault *v, struct err *e);
int archive_move_anchor(struct vault *v, uint64_t generation, struct err *e);

/* ---- epochs (archive_epoch.c) ------------------------------------------------------ */

/*
 * Which of the keyring's epochs the archive is in: the one that the newest signed head
 * names.  After archive_take_keyring(), with audit/ open.  MUNI_CANNOT_UNLOCK: the
 * keyring is older than the archive; MUNI_DAMAGED: the archive is older than the keyring,
 * its epoch is dead, or the catalogue is newer than both.
 */
int archive_choose_epoch(struct vault *v, struct err *e);
/* The epoch of "catalogue.12", "catalogue.12-wal" ...; 0: no file of ours. */
uint64_t archive_catalogue_epoch(const char *name);
/* A switch went on beside us while we opened it: what failed may well go now. */
bool archive_has_moved(const struct vault *v);
/* A switch has begun and not ended; what is left of it may lie in the folder. */
bool archive_is_switching(const struct vault *v);
/* The keyring lies in the archive's folder: whoever copies that has its keys. */
bool archive_keyring_is_inside(const struct vault *v);

/* ---- certificates as witnesses (archive_witness.c) ----------------------------------- */

/* The numbers of all certificates in the folder, highest first.  To be asked before the log
 * is opened that they are compared with: certificates come while others look. */
struct witnesses {
	int64_t *list;		/* owned: archive_witnesses_clear() */
	size_t count;
};
int archive_witnesses_list(int dirfd, struct witnesses *out, struct err *e);
void archive_witnesses_clear(struct witnesses *w);
/* MUNI_DAMAGED: one of them, which the catalogue does not know, was signed by this
 * archive's key when the log had more acts than it has. */
int archive_witnesses_check(struct vault *v, const struct witnesses *w, const struct log *log,
			    struct err *e);

/*
 * Copies of a newer catalogue in segments/: whole, and leading to what no head of the log
 * signed, or of an epoch that comes after and that no switch in progress explains.  A
 * catalogue is durable before its copies are, so catalogue and log are older than these.
 * v has its catalogue open, as the newest head signed it.
 */
enum archive_copies {
	ARCHIVE_COPIES_KNOWN,		/* or none */
	ARCHIVE_COPIES_UNSIGNED,	/* of this epoch */
	ARCHIVE_COPIES_LATER,		/* of *later */
};
int archive_copies_compare(struct vault *v, const struct digest *pages,
			   enum archive_copies *is, uint64_t *later, struct err *e);
/* MUNI_DAMAGED: there are such; who restores goes on, and v knows. */
int archive_copies_check(struct vault *v, const struct digest *pages, struct err *e);

struct witness {
	uint64_t acts;		/* of the log, that it knows of; 0: it does not read, or the
				 * archive's key never signed it */
	struct digest root;	/* of the log's tree over them */
	struct digest content;	/* SHA-256 of what was signed */
};
/* -1: there was no memory to look, which is no reason to pass it by. */
int archive_witness_read(struct vault *v, int64_t id, struct witness *out, struct err *e);
/* Does it know of acts that this log has not: more of them, or others in their place, as a
 * copy has that was restored from one before?  w->acts is not 0. */
int archive_witness_is_later(const struct witness *w, const struct log *log, bool *out,
			     struct err *e);

/* ---- sweeping (archive_sweep.c) ------------------------------------------------------ */

/* Removes NAME.tmp from the folder, audit/ and certificates/.  Under the writer's lock. */
int archive_sweep(int dirfd, struct err *e);

/* ---- clearing (archive_clear.c) ----------------------------------------------------- */

int archive_mark_remove(int dirfd, struct err *e);
/* MUNI_EXISTS unless the folder is empty or holds what a killed init left, which
 * is then cleared, its keyring too. */
int archive_require_empty(const char *path, int dirfd, struct err *e);
/* Removes all that an init makes in the folder; nothing else. */
void archive_clear(int dirfd);

#endif
