/* Which epoch an archive is in: keyring and newest head have to agree. */
#include "fs/vault/archive_inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/store/pagevfs.h"
#include "fs/vault/renewal_inside.h"

#define PREFIX "catalogue."

/* The successor's key in the place of the present one's. */
static int take_epoch(struct vault *v, uint64_t epoch, struct err *e)
{
	unsigned key_id;

	if (epoch == v->epoch)
		return 0;
	if (pagevfs_key_add(keyring_catalogue_key(v->keyring, epoch), v->id, epoch, &key_id,
			    e) < 0)
		return -1;
	pagevfs_key_drop(v->key_id);
	v->key_id = key_id;
	v->epoch = epoch;
	return 0;
}

uint64_t archive_catalogue_epoch(const char *name)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char *end;
	uint64_t epoch;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || name[strlen(PREFIX)] < '1' ||
	    name[strlen(PREFIX)] > '9')
		return 0;
	errno = 0;
	epoch = strtoull(name + strlen(PREFIX), &end, 10);
	if (errno != 0)
		return 0;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (strcmp(end, ends[i]) == 0)
			return epoch;
	return 0;
}

/* The newest epoch of which a catalogue lies in the folder; 0: none. */
static int newest_catalogue(const struct vault *v, uint64_t *out, struct err *e)
{
	int fd = file_open_dir(v->dirfd, ".", e), rc = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	*out = 0;
	if (!d) {
		rc = fd < 0 ? -1 : err_errno(e, "listing the archive's folder");
		file_close(&fd);
		return rc;
	}
	errno = 0;
	for (struct dirent *entry; (entry = readdir(d)) != NULL; errno = 0) {
		uint64_t epoch = archive_catalogue_epoch(entry->d_name);

		*out = epoch > *out ? epoch : *out;
	}
	if (errno != 0)
		rc = err_errno(e, "listing the archive's folder");
	closedir(d);
	return rc;
}

/* A switch removes the catalogue before it last, when keyring and log are of the one
 * after: where that one alone is there, keyring and log are older than the folder. */
static int check_catalogue(const struct vault *v, struct err *e)
{
	char name[sizeof PREFIX + 20];
	struct stat st;
	uint64_t newest;

	snprintf(name, sizeof name, PREFIX "%" PRIu64, v->epoch);
	if (fstatat(v->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return 0;
	if (newest_catalogue(v, &newest, e) < 0)
		return -1;
	if (newest <= v->epoch)
		return 0;
	return err_set(e, MUNI_DAMAGED, "keyring and audit log are of an older copy: they are of "
		       "epoch %" PRIu64 ", the catalogue that is here is of epoch %" PRIu64
		       ". What was destroyed since must not come back: bring the newest copy of "
		       "all three", v->epoch, newest);
}

/* Without a head that reads there is one epoch to try; of two we cannot tell. */
static int choose_blindly(struct vault *v, struct err *e)
{
	if (keyring_successor_epoch(v->keyring) == 0) {
		*e = ERR_NONE;
		return 0;
	}
	return err_wrap(e, "a switch to epoch %" PRIu64 " was interrupted, and how far it came "
			"stands in the audit log's newest head",
			keyring_successor_epoch(v->keyring));
}

/* A key of before the keyring's own?  Then the archive stood further once. */
static int check_signer(const struct vault *v, const struct log_head *head, struct err *e)
{
	const struct signatory *who = signatories_find(&v->signatories, &head->signer);
	uint64_t entry;
	size_t present = v->signatories.count - 1 - keyring_signing_next(v->keyring, &entry);

	if (!who || who >= &v->signatories.list[present] || v->is_older)
		return 0;
	return err_set(e, MUNI_DAMAGED, "this is an older copy of the archive: it knows %" PRIu64
		       " acts, and the key that signed them was renewed when there were %" PRIu64
		       ". What was destroyed since must not come back: bring the newest copy; where "
		       "there is none, `muni restore` takes this one", head->count, who->until);
}

/* The newest head is signed by a key that took the place of the keyring's. */
static bool is_keyring_older(struct vault *v)
{
	struct signatories later;
	struct log_head head;
	struct err ignored = ERR_NONE;

	return renewal_later_signatories(v, -1, &later, &ignored) == 0 &&
	       later.count > v->signatories.count &&
	       log_peek_head(v->auditfd, &later, NULL, &head, &ignored) == 0;
}

static int refuse_older_keyring(struct err *e)
{
	return err_set(e, MUNI_CANNOT_UNLOCK, "the keyring is an older copy: the archive's signing "
		       "key was renewed since it was made: bring the newest keyring");
}

int archive_choose_epoch(struct vault *v, struct err *e)
{
	uint64_t present = keyring_epoch(v->keyring);
	struct log_head head;

	if (log_peek_head(v->auditfd, &v->signatories, &v->head_checked, &head, e) < 0)
		return e->code == MUNI_NO_MEMORY ? -1 :
		       is_keyring_older(v) ? refuse_older_keyring(e) : choose_blindly(v, e);
	if (check_signer(v, &head, e) < 0)
		return -1;
	if (head.epoch == present || head.epoch == keyring_successor_epoch(v->keyring))
		return take_epoch(v, head.epoch, e) < 0 ? -1 : check_catalogue(v, e);
	if (head.epoch > present)
		return err_set(e, MUNI_CANNOT_UNLOCK, "the keyring is an older copy: it is of "
			       "epoch %" PRIu64 ", the archive of epoch %" PRIu64 ", whose key "
			       "it never had: bring the newest keyring", present, head.epoch);
	return err_set(e, MUNI_DAMAGED, "this is an older copy of the archive: its newest act "
		       "is of epoch %" PRIu64 " (catalogue.%" PRIu64 "), which ended and whose "
		       "key was destroyed; the keyring is of epoch %" PRIu64 ". What was "
		       "destroyed since must not come back: bring the newest copy", head.epoch,
		       head.epoch, present);
}

bool archive_has_moved(const struct vault *v)
{
	struct log_head head;
	struct err ignored = ERR_NONE;

	if (!v->keyring || v->auditfd < 0)
		return false;
	return keyring_has_changed(v->keyring) ||
	       (log_peek_head(v->auditfd, &v->signatories, NULL, &head, &ignored) == 0 && head.epoch != v->epoch);
}

bool archive_is_switching(const struct vault *v)
{
	return v->keyring && keyring_successor_epoch(v->keyring) != 0;
}

bool archive_keyring_is_inside(const struct vault *v)
{
	char *home = realpath(v->path, NULL), *keyring = realpath(v->keyring_path, NULL);
	size_t size = home ? strlen(home) : 0;
	bool is_inside = home && keyring && strncmp(keyring, home, size) == 0 &&
			 keyring[size] == '/';

	free(home);
	free(keyring);
	return is_inside;
}
