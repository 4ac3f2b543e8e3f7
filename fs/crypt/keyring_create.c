#include "fs/crypt/keyring_inside.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/secret.h"
#include "fs/crypt/sign.h"

static int fresh_body(struct keyring *k, int64_t now, struct err *e)
{
	struct body *b = k->body;

	b->epoch = 1;
	b->next_slot = 1;
	if (random_bytes(b->master, sizeof b->master, e) < 0 ||
	    random_bytes(b->catalogue, sizeof b->catalogue, e) < 0 ||
	    random_bytes(b->dedupe, sizeof b->dedupe, e) < 0 ||
	    random_bytes(b->chunker, sizeof b->chunker, e) < 0)
		return -1;
	return body_make_signer(k->id, SIGNER_P256, now, b->signing_key, &b->signing_key_size,
				b->certificate, &b->certificate_size, &k->signer, e);
}

static int fresh_slots(struct keyring *k, const struct keyring_secret *secrets,
		       size_t count, int64_t now, struct err *e)
{
	k->slots.list = calloc(count + 1, sizeof *k->slots.list);
	if (!k->slots.list)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the keyring's slots");
	for (size_t i = 0; i < count; i++)
		if (keyring_append_slot(k->body, &k->slots, k->id, &secrets[i], secrets[i].label, now,
				e) < 0)
			return -1;
	if (!keyring_can_open(&k->slots))
		return err_set(e, MUNI_USAGE, "a keyring needs a passphrase or a key file: a "
			       "recipient alone cannot be asked each time");
	return 0;
}

/* The folder's entry for path. */
static int sync_folder_of(const char *path, struct err *e)
{
	char *copy = strdup(path);
	int fd, rc;

	if (!copy)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a path");
	fd = file_open_user(dirname(copy), O_RDONLY | O_DIRECTORY, 0, e);
	free(copy);
	if (fd < 0)
		return -1;
	rc = file_sync_dir(fd, e);
	file_close(&fd);
	return rc;
}

int keyring_create(const char *path, const uint8_t archive_id[KEYRING_ID_SIZE],
		   const struct keyring_secret *secrets, size_t count, int64_t now,
		   struct keyring **out, struct err *e)
{
	struct keyring *k;
	bool is_in_force;
	int fd;

	*out = NULL;
	k = keyring_new(path, archive_id, e);
	if (!k)
		return -1;
	if (fresh_body(k, now, e) < 0 || fresh_slots(k, secrets, count, now, e) < 0) {
		keyring_close(k);
		return -1;
	}
	fd = file_open_user(path, O_RDWR | O_CREAT | O_EXCL, 0600, e);
	if (fd < 0) {
		keyring_close(k);
		return e->code == MUNI_EXISTS
			? err_set(e, MUNI_EXISTS, "there is a keyring %s already: it may be "
				  "the only one of another archive, and is left alone",
				  text_printable(path))
			: err_wrap(e, "making the keyring");
	}
	file_close(&fd);
	k->newest = 1;		/* so that half 0 is the first to be written */
	if (keyring_store(k, k->body, &k->slots, &is_in_force, e) < 0 || sync_folder_of(path, e) < 0) {
		unlink(path);
		keyring_close(k);
		return -1;
	}
	*out = k;
	return 0;
}
