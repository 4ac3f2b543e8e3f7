/* From a path to keys: where the keyring lies, and what opens it. */
#include "fs/vault/archive_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/secret.h"
#include "fs/crypt/sign.h"
#include "fs/store/pagevfs.h"

char *vault_default_keyring(const char *archive_id_hex)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int n;

	if (geteuid() == 0)
		n = asprintf(&path, "/var/lib/muniment/%s.keyring", archive_id_hex);
	else if (data && data[0] == '/')	/* a relative one is to be ignored */
		n = asprintf(&path, "%s/muniment/%s.keyring", data, archive_id_hex);
	else
		n = asprintf(&path, "%s/.local/share/muniment/%s.keyring",
			     home && home[0] == '/' ? home : "", archive_id_hex);
	return n < 0 ? NULL : path;
}

/* As recorded by init, where that is below the archive's own folder. */
static char *recorded_path(const char *archive, const struct archive_file *a)
{
	char *path = NULL;

	if (a->keyring[0] == '/')
		return strdup(a->keyring);
	return asprintf(&path, "%s/%s", archive, a->keyring) < 0 ? NULL : path;
}

char *archive_keyring_path(const char *archive, const struct archive_file *a,
			   const struct vault_keys *keys, struct err *e)
{
	char *path, *other;

	path = keys->keyring ? strdup(keys->keyring) : recorded_path(archive, a);
	if (!path)
		goto no_memory;
	if (keys->keyring || access(path, F_OK) == 0)
		return path;
	/* On another host, or by another user, it may stand in the default place. */
	other = vault_default_keyring(a->id_hex);
	if (!other) {
		free(path);
		goto no_memory;
	}
	if (access(other, F_OK) != 0) {
		free(other);
		return path;
	}
	free(path);
	return other;
no_memory:
	err_set(e, MUNI_NO_MEMORY, "no memory for a path");
	return NULL;
}

int archive_take_certificate(struct vault *v, struct err *e)
{
	size_t size;
	const uint8_t *cert = keyring_certificate(v->keyring, &size);
	uint8_t *copy = malloc(size + 1);

	if (!copy)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the archive's certificate");
	memcpy(copy, cert, size);
	free(v->certificate);
	v->certificate = copy;
	v->certificate_size = size;
	keyring_signatories(v->keyring, &v->signatories);
	return 0;
}

int archive_take_keyring(struct vault *v, struct keyring *k, struct err *e)
{
	v->keyring = k;
	v->epoch = keyring_epoch(k);
	if (archive_take_certificate(v, e) < 0 || pagevfs_register(e) < 0)
		return -1;
	return pagevfs_key_add(keyring_catalogue_key(k, v->epoch), v->id, v->epoch, &v->key_id,
			       e);
}

int archive_unlock_keys(struct vault *v, const struct vault_keys *keys,
			struct secrets *secrets, struct err *e)
{
	struct keyring *k;

	/* Before anybody is asked for a passphrase. */
	if (access(v->keyring_path, F_OK) != 0)
		return err_set(e, MUNI_CANNOT_UNLOCK, "its keyring %s is not there: bring it "
			       "back, or say where it is with --keyring",
			       text_printable(v->keyring_path));
	if (secrets->count == 0 && secrets_to_open(keys, secrets, e) < 0)
		return -1;
	if (keyring_open(v->keyring_path, v->id, &secrets->list[0], &k, e) < 0)
		return -1;
	return archive_take_keyring(v, k, e);
}
