/* Which epoch an archive is in: keyring and newest head have to agree. */
#include "fs/vault/archive_inside.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/store/pagevfs.h"

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

int archive_choose_epoch(struct vault *v, struct err *e)
{
	uint64_t present = keyring_epoch(v->keyring);
	struct log_head head;

	if (log_peek_head(v->auditfd, v->certificate, v->certificate_size, &head, e) < 0)
		return e->code == MUNI_NO_MEMORY ? -1 : choose_blindly(v, e);
	if (head.epoch == present || head.epoch == keyring_successor_epoch(v->keyring))
		return take_epoch(v, head.epoch, e);
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
	       (log_peek_head(v->auditfd, v->certificate, v->certificate_size, &head,
			      &ignored) == 0 && head.epoch != v->epoch);
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
