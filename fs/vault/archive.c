/*
 * Opening and closing.  The order of opening: what stands in clear, the lock,
 * the keyring, the epoch that the newest head names, the anchor and what
 * certificates there are (before the position that they are compared with: they move
 * after it), the catalogue, the log against the catalogue, both against anchor and
 * certificates; and for a writer what a crash left.
 */
#include "fs/vault/archive_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/secret.h"
#include "fs/store/catalogue_dispositions.h"
#include "fs/store/pagevfs.h"
#include "fs/vault/archive_ahead.h"
#include "fs/vault/epoch.h"
#include "fs/vault/renewal_inside.h"

#define SEALS_BEFORE_ROTATION (UINT64_C(1) << 31)	/* SP 800-38D leaves ample room */
#define POSITION_TRIES 5
#define EPOCH_TRIES 3

static int64_t system_clock(void)
{
	return (int64_t)time(NULL);
}

struct vault *archive_new(const char *path, int64_t (*now)(void))
{
	struct vault *v = calloc(1, sizeof *v);

	if (!v)
		return NULL;
	v->dirfd = v->lockfd = v->auditfd = -1;
	v->now = now ? now : system_clock;
	v->path = strdup(path);
	if (!v->path) {
		free(v);
		return NULL;
	}
	return v;
}

void archive_release(struct vault *v)
{
	if (!v)
		return;
	catalogue_close(v->catalogue);
	log_close(v->log);
	objects_close(v->objects);
	if (v->key_id)
		pagevfs_key_drop(v->key_id);
	keyring_close(v->keyring);
	archive_unlock(v);
	file_close(&v->auditfd);
	file_close(&v->dirfd);
	for (size_t i = 0; i < sizeof v->notices / sizeof *v->notices; i++)
		free(v->notices[i]);
	free(v->certificate);
	free(v->keyring_path);
	free(v->path);
	free(v);
}

void vault_close(struct vault *v)
{
	struct err ignored = ERR_NONE;

	/* An ingest that failed and left by the door: the next open would do it. */
	if (v && v->mode == VAULT_WRITE && v->catalogue && v->log)
		(void)vault_abandon(v, &ignored);
	archive_release(v);
}

void vault_add_notice(struct vault *v, const char *format, ...)
{
	const size_t room = sizeof v->notices / sizeof *v->notices;
	char *text = NULL;
	va_list args;
	size_t at = 0;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	while (text && at < room && v->notices[at] && strcmp(v->notices[at], text) != 0)
		at++;
	if (!text || at == room || v->notices[at]) {	/* or it was told already */
		free(text);
		return;
	}
	v->notices[at] = text;
	if (v->on_notice)
		v->on_notice(v->on_notice_arg, text);
}

void vault_on_notice(struct vault *v, void (*tell)(void *arg, const char *text), void *arg)
{
	v->on_notice = tell;
	v->on_notice_arg = arg;
}

/* ---- what stands in clear --------------------------------------------------------- */

static int open_folder(struct vault *v, const struct vault_options *o, struct err *e)
{
	struct archive_file a;

	v->dirfd = file_open_user(v->path, O_RDONLY | O_DIRECTORY, 0, e);
	if (v->dirfd < 0)
		return -1;
	if (archive_file_read(v->dirfd, &a, e) < 0)
		return -1;
	memcpy(v->id, a.id, sizeof v->id);
	memcpy(v->id_hex, a.id_hex, sizeof v->id_hex);
	v->keyring_path = archive_keyring_path(v->path, &a, &o->keys, e);
	if (!v->keyring_path)
		return -1;
	v->is_folder_read_only = faccessat(v->dirfd, ".", W_OK, AT_EACCESS) < 0;
	if (v->is_folder_read_only && v->mode == VAULT_WRITE)
		return err_errno(e, "the archive's folder cannot be written");
	if (v->mode == VAULT_WRITE || v->is_folder_read_only) {
		if (archive_lock(v, o, e) < 0)
			return -1;
	}
	v->auditfd = file_open_dir(v->dirfd, ARCHIVE_AUDIT, e);
	if (v->auditfd < 0 && e->code == MUNI_NOT_FOUND)
		return err_set(e, MUNI_DAMAGED, "the folder audit/ is missing: bring it back "
			       "from a backup");
	return v->auditfd < 0 ? -1 : 0;
}

/* ---- catalogue and log ------------------------------------------------------------- */

/* SQLite wants 32 KiB beside the catalogue to read it. */
static int read_on_full_disk(struct vault *v, const struct vault_options *o, size_t cache_bytes,
			     struct err *e)
{
	struct err full = *e;
	bool was_locked = v->lockfd >= 0;

	if (!was_locked && archive_lock(v, o, e) < 0)
		return -1;
	if (catalogue_open(v->dirfd, v->epoch, v->key_id, CATALOGUE_READ_IMMUTABLE, cache_bytes,
			   &v->catalogue, e) < 0) {
		if (!was_locked)
			archive_unlock(v);
		*e = full;
		return -1;
	}
	v->is_folder_read_only = true;
	v->is_frozen = !was_locked;
	vault_add_notice(v, "the disk is full: the archive is read as one that cannot be "
			 "written, and no command can change it until there is room");
	return 0;
}

int archive_read_catalogue(struct vault *v, const struct vault_options *o, size_t cache_bytes,
			   struct err *e)
{
	if (catalogue_open(v->dirfd, v->epoch, v->key_id,
			   v->is_folder_read_only ? CATALOGUE_READ_IMMUTABLE : CATALOGUE_READ,
			   cache_bytes, &v->catalogue, e) == 0)
		return 0;
	return e->code == MUNI_NO_SPACE && v->mode == VAULT_READ ?
	       read_on_full_disk(v, o, cache_bytes, e) : -1;
}

static int open_catalogue(struct vault *v, const struct vault_options *o, struct err *e)
{
	struct catalogue_settings s;
	int rc = v->mode == VAULT_READ ? archive_read_catalogue(v, o, READER_CACHE_BYTES, e) :
		 catalogue_open(v->dirfd, v->epoch, v->key_id, CATALOGUE_WRITE,
				WRITER_CACHE_BYTES, &v->catalogue, e);

	if (rc < 0 || catalogue_settings_get(v->catalogue, &s, e) < 0)
		return -1;
	if (memcmp(s.archive_id, v->id, sizeof v->id) != 0 || s.epoch != v->epoch)
		return err_set(e, MUNI_DAMAGED, "catalogue.%" PRIu64 " is another archive's or "
			       "another epoch's", v->epoch);
	if (s.page_seals >= SEALS_BEFORE_ROTATION)
		vault_add_notice(v, "the catalogue's key has sealed %" PRIu64 " pages: it is "
				 "time for a new one, which \"muni key rotate\" makes",
				 s.page_seals);
	return 0;
}

/* A reader beside a writer may have read a position that a head has overtaken:
 * then it has moved on (log.h). */
static int open_log(struct vault *v, struct err *e)
{
	struct log_position position, before = { .frontier.count = UINT64_MAX };

	for (int i = 0; i < POSITION_TRIES; i++) {
		if (catalogue_log_position_get(v->catalogue, &position, e) < 0)
			return -1;
		if (i > 0 && position.frontier.count == before.frontier.count)
			return -1;	/* e is log_open()'s */
		*e = ERR_NONE;
		if (log_open(v->auditfd, v->mode == VAULT_WRITE, &position, &v->signatories,
			     &v->head_checked, &v->log, e) == 0)
			return 0;
		if (v->mode == VAULT_WRITE || e->code != MUNI_DAMAGED)
			return -1;
		before = position;
	}
	return -1;
}

/* ---- the anchor --------------------------------------------------------------------- */

static int read_anchor(struct vault *v, struct anchor *out, bool *has, struct err *e)
{
	*has = anchor_read(v->keyring_path, v->id, out, e) == 0;
	if (*has)
		return 0;
	if (e->code == MUNI_NOT_FOUND)
		vault_add_notice(v, "no anchor on this host: that this is the newest state of "
				 "the archive, and no older copy, cannot be told");
	else
		vault_add_notice(v, "the anchor on this host cannot be read (%s): that this is "
				 "the newest state of the archive cannot be told", e->text);
	*e = ERR_NONE;
	return 0;
}

static int compare_anchor(struct vault *v, const struct anchor *seen, bool is_restoring,
			  struct err *e)
{
	struct catalogue_settings s;
	int64_t begun = 0;

	if (catalogue_settings_get(v->catalogue, &s, e) < 0)
		return -1;
	v->acts_seen = seen->position.frontier.count;
	if (is_restoring && catalogue_disposition_restoring(v->catalogue, &begun, e) < 0)
		return -1;
	/* Cut off after its first act and before the anchor of it, that one is of another history;
	 * whatever recovery does from here on moves it. */
	v->is_older &= begun == 0;
	if (is_restoring && (begun != 0 || anchor_is_ahead(seen, v->log, v->epoch, s.generation)))
		return 0;
	return anchor_compare(seen, v->log, v->epoch, s.generation, e);
}

/* What must go from it may still be there (fs/vault/restore.h, O1). */
static int check_restored(struct vault *v, struct err *e)
{
	int64_t id;

	if (catalogue_disposition_restoring(v->catalogue, &id, e) < 0)
		return -1;
	return id == 0 ? 0 :
		err_set(e, MUNI_BUSY, "restoring this copy was cut off, and what certificates say "
			"is gone may still be in it: `muni restore` goes on");
}

/* ---- all of it ----------------------------------------------------------------------- */

/* A keyring that a crash or decay left unsettled is written anew by a writer. */
static int settle_keyring(struct vault *v, struct err *e)
{
	/* Who cannot sign shall hear so before anything is written. */
	if (v->mode == VAULT_WRITE && !keyring_signer(v->keyring, e))
		return -1;
	if (keyring_is_settled(v->keyring))
		return 0;
	if (v->mode == VAULT_READ) {
		vault_add_notice(v, "one half of the keyring is damaged or older than the "
				 "other; the next command that writes puts it right");
		return 0;
	}
	if (keyring_rewrite(v->keyring, e) < 0)
		return -1;
	vault_add_notice(v, "one half of the keyring was damaged or older than the other: both "
			 "have been written anew");
	return 0;
}

/* A passphrase is stretched in a child that computes, and takes longer than all the rest. */
static int unlock(struct vault *v, const struct vault_keys *keys, struct secrets *secrets,
		  struct err *e)
{
	struct archive_ahead ahead = { .has_thread = false };
	int rc;

	if (keys->key_file) {
		secret_warm_library();
		archive_ahead_start(&ahead, v);
	}
	rc = archive_unlock_keys(v, keys, secrets, e);
	archive_ahead_finish(&ahead, v);
	return rc;
}

static int open_parts(struct vault *v, const struct vault_options *o, struct secrets *secrets,
		      struct witnesses *witnesses, struct err *e)
{
	struct anchor seen;
	bool has_anchor;

	if (open_folder(v, o, e) < 0 ||
	    unlock(v, &o->keys, secrets, e) < 0 ||
	    archive_choose_epoch(v, e) < 0 ||
	    settle_keyring(v, e) < 0 ||
	    read_anchor(v, &seen, &has_anchor, e) < 0 ||
	    archive_witnesses_list(v->dirfd, witnesses, e) < 0 ||
	    objects_open_folder(v->dirfd, v->mode == VAULT_WRITE, &v->objects, e) < 0 ||
	    open_catalogue(v, o, e) < 0 ||
	    open_log(v, e) < 0)
		return -1;
	if (has_anchor && compare_anchor(v, &seen, o->is_restoring, e) < 0)
		return -1;
	if (!o->is_restoring && (archive_witnesses_check(v, witnesses, v->log, e) < 0 ||
				 check_restored(v, e) < 0))
		return -1;
	if (v->mode == VAULT_READ)
		return 0;
	if (archive_mark_remove(v->dirfd, e) < 0 || renewal_take_back(v, e) < 0 ||
	    archive_recover(v, e) < 0 || renewal_end(v, e) < 0)
		return -1;
	return epoch_recover(v, o->epoch, o->wait, e);
}

/* *is_moved: a switch of epoch went by beside us. */
static int open_once(const char *path, const struct vault_options *o, enum vault_mode mode,
		     struct secrets *secrets, bool *is_moved, struct vault **out, struct err *e)
{
	struct vault *v = archive_new(path, o->now);
	struct witnesses witnesses = { .list = NULL };
	int rc;

	*is_moved = false;
	if (!v)
		return err_set(e, MUNI_NO_MEMORY, "no memory to open an archive");
	v->mode = mode;
	v->is_restoring = v->is_older = o->is_restoring;
	rc = open_parts(v, o, secrets, &witnesses, e);
	archive_witnesses_clear(&witnesses);
	if (rc < 0) {
		err_wrap(e, "opening the archive %s", text_printable(path));
		*is_moved = mode == VAULT_READ && archive_has_moved(v);
		archive_release(v);
		return -1;
	}
	*out = v;
	return 0;
}

int vault_open(const char *path, const struct vault_options *o, enum vault_mode mode,
	       struct vault **out, struct err *e)
{
	struct secrets secrets = { .list = NULL };
	bool is_moved;
	int rc;

	*out = NULL;
	secret_forbid_cores();
	rc = open_once(path, o, mode, &secrets, &is_moved, out, e);
	for (unsigned again = 0; rc < 0 && is_moved && again < EPOCH_TRIES; again++) {
		*e = ERR_NONE;
		rc = open_once(path, o, mode, &secrets, &is_moved, out, e);
	}
	secrets_free(&secrets);
	return rc;
}

int vault_connect(struct vault *v, size_t cache_bytes, struct catalogue **out,
		  struct err *e)
{
	return catalogue_open(v->dirfd, v->epoch, v->key_id,
			      v->is_folder_read_only ? CATALOGUE_READ_IMMUTABLE
						     : CATALOGUE_READ, cache_bytes, out, e);
}

/* ---- questions ------------------------------------------------------------------------ */

const char *vault_id_hex(const struct vault *v)
{
	return v->id_hex;
}

const uint8_t *vault_id(const struct vault *v)
{
	return v->id;
}

const char *vault_path(const struct vault *v)
{
	return v->path;
}

int64_t vault_now(const struct vault *v)
{
	return v->now();
}

const char *vault_notice(const struct vault *v, unsigned index)
{
	return index < sizeof v->notices / sizeof *v->notices ? v->notices[index] : NULL;
}

struct catalogue *vault_catalogue(struct vault *v)
{
	return v->catalogue;
}
