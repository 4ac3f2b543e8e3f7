#include "fs/vault/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/store/pagevfs.h"
#include "fs/vault/inside.h"

#define CACHE_BYTES (1u << 20)	/* of SQLite's pages: it is walked through once */

struct vault_epoch {
	uint64_t epoch;
	unsigned key_id;	/* owned */
	struct catalogue *catalogue;	/* owned */
};

static int check(struct vault *v, struct vault_epoch *x, struct err *e)
{
	struct catalogue_settings s;

	if (catalogue_settings_get(x->catalogue, &s, e) < 0)
		return -1;
	if (memcmp(s.archive_id, v->id, sizeof v->id) != 0 || s.epoch != x->epoch)
		return err_set(e, MUNI_DAMAGED, "catalogue.%" PRIu64 " is another archive's or "
			       "another epoch's", x->epoch);
	return 0;
}

int vault_epoch_open(struct vault *v, uint64_t epoch, const uint8_t *key,
		     struct vault_epoch **out, struct err *e)
{
	struct vault_epoch *x = calloc(1, sizeof *x);

	*out = NULL;
	if (!x)
		return err_set(e, MUNI_NO_MEMORY, "no memory to follow the archive");
	x->epoch = epoch;
	if (pagevfs_key_add(key, v->id, epoch, &x->key_id, e) < 0 ||
	    catalogue_open(v->dirfd, epoch, x->key_id,
			   v->is_folder_read_only ? CATALOGUE_READ_IMMUTABLE : CATALOGUE_READ,
			   CACHE_BYTES, &x->catalogue, e) < 0 ||
	    check(v, x, e) < 0) {
		vault_epoch_close(x);
		return -1;
	}
	*out = x;
	return 0;
}

struct catalogue *vault_epoch_catalogue(struct vault_epoch *x)
{
	return x->catalogue;
}

void vault_epoch_swap(struct vault *v, struct vault_epoch *x)
{
	struct vault_epoch before = { v->epoch, v->key_id, v->catalogue };

	v->epoch = x->epoch;
	v->key_id = x->key_id;
	v->catalogue = x->catalogue;
	*x = before;
}

void vault_epoch_close(struct vault_epoch *x)
{
	if (!x)
		return;
	catalogue_close(x->catalogue);
	if (x->key_id)
		pagevfs_key_drop(x->key_id);
	free(x);
}

uint64_t vault_epoch_number(const struct vault *v)
{
	return v->epoch;
}

bool vault_epoch_is_over(const struct vault *v)
{
	char name[48];

	snprintf(name, sizeof name, "catalogue.%" PRIu64, v->epoch);
	return faccessat(v->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

int vault_epoch_check(struct vault *v, struct err *e)
{
	struct log_head newest;

	if (log_peek_head(v->auditfd, &v->signatories, &v->head_checked, &newest, e) < 0)
		return e->code == MUNI_NOT_FOUND ? 0 :
		       !v->keyring || !keyring_has_changed(v->keyring) ? -1 :
		       err_set(e, MUNI_BUSY, "the archive's keys change at this moment: try again");
	if (newest.epoch > v->epoch)
		return err_set(e, MUNI_BUSY, "the archive is going over to epoch %" PRIu64
			       " at this moment: try again when the command that writes to it "
			       "has finished", newest.epoch);
	return 0;
}

void vault_forget_keys(struct vault *v)
{
	keyring_close(v->keyring);
	v->keyring = NULL;
}

void vault_release_files(struct vault *v)
{
	objects_release(v->objects);
}
