#include "fs/vault/archive_secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/secret.h"

#define SECRET_FILE_MAX (64 * 1024)	/* of a key file, a certificate */
#define PASSPHRASE_MAX 1024
#define LOOK_MS 200

void secrets_free(struct secrets *s)
{
	for (size_t i = 0; i < s->count; i++)
		secret_free(s->owned[i]);
	free(s->owned);
	free(s->list);
	*s = (struct secrets){ .list = NULL };
}

static int make_room(struct secrets *s, size_t count, struct err *e)
{
	*s = (struct secrets){
		.list = calloc(count, sizeof *s->list),
		.owned = calloc(count, sizeof *s->owned),
	};
	if (s->list && s->owned)
		return 0;
	secrets_free(s);
	return err_set(e, MUNI_NO_MEMORY, "no memory for keys");
}

/* Takes `data` (secret memory) over. */
static void add(struct secrets *s, enum keyring_secret_kind kind, uint8_t *data, size_t size,
		const char *label)
{
	s->owned[s->count] = data;
	s->list[s->count++] = (struct keyring_secret){ kind, data, size, label };
}

/* Until a pipe or a device has something to say, or will never: nobody may ever write into it. */
static int wait_for(int fd, const struct vault_keys *keys, const char *path, struct err *e)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, "reading %s", text_printable(path));
	while (!S_ISREG(st.st_mode)) {
		int n = poll(&ready, 1, keys->is_cancelled ? LOOK_MS : -1);

		if (n < 0 && errno != EINTR)
			return err_errno(e, "reading %s", text_printable(path));
		if (n > 0)
			break;
		if (keys->is_cancelled && keys->is_cancelled(keys->cancel_arg))
			return err_set(e, MUNI_CANCELLED, "stopped while nothing was written into "
				       "%s", text_printable(path));
	}
	return 0;
}

/* The whole file; a pipe (as from "<(pass show x)") is read to its end.  It is opened without
 * waiting for who writes into it: an open that waits could not be cancelled without a race. */
static int load(const struct vault_keys *keys, const char *path, uint8_t **out, size_t *size,
		struct err *e)
{
	uint8_t *data = secret_new(SECRET_FILE_MAX + 1);
	int fd = -1, rc = -1;

	*size = 0;
	if (!data) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a key");
		goto out;
	}
	fd = file_open_user(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
	if (fd < 0) {
		/* Which of the files that unlock is missing is the same trouble. */
		if (e->code == MUNI_NOT_FOUND)
			e->code = MUNI_CANNOT_UNLOCK;
		goto out;
	}
	for (;;) {
		ssize_t n;

		if (wait_for(fd, keys, path, e) < 0)
			goto out;
		n = read(fd, data + *size, SECRET_FILE_MAX + 1 - *size);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0) {
			err_errno(e, "reading %s", text_printable(path));
			goto out;
		}
		if (n == 0)
			break;
		*size += (size_t)n;
		if (*size > SECRET_FILE_MAX) {
			err_set(e, MUNI_USAGE, "%s has more than %d bytes: is it a key?",
				text_printable(path), SECRET_FILE_MAX);
			goto out;
		}
	}
	*out = data;
	data = NULL;
	rc = 0;
out:
	file_close(&fd);
	secret_free(data);
	return rc;
}

static int add_key_file(struct secrets *s, const struct vault_keys *keys, struct err *e)
{
	uint8_t *data;
	size_t size;

	if (load(keys, keys->key_file, &data, &size, e) < 0)
		return err_wrap(e, "the key file");
	add(s, KEYRING_KEY_FILE, data, size, NULL);
	return 0;
}

static int add_passphrase_file(struct secrets *s, const struct vault_keys *keys, struct err *e)
{
	const char *path = keys->passphrase_file;
	uint8_t *data, *end;
	size_t size;

	if (load(keys, path, &data, &size, e) < 0)
		return err_wrap(e, "the passphrase file");
	end = memchr(data, '\n', size);
	if (end)
		size = (size_t)(end - data);
	if (size > 0 && data[size - 1] == '\r')
		size--;
	if (size == 0 || size > PASSPHRASE_MAX) {
		secret_free(data);
		return err_set(e, MUNI_CANNOT_UNLOCK, "the passphrase file %s: its first line "
			       "has %zu bytes where 1 to %d are wanted", text_printable(path),
			       size, PASSPHRASE_MAX);
	}
	add(s, KEYRING_PASSPHRASE, data, size, NULL);
	return 0;
}

static int ask(const struct vault_keys *keys, const char *question, uint8_t **out,
	       size_t *size, struct err *e)
{
	uint8_t *data;
	int n;

	if (!keys->prompt)
		return err_set(e, MUNI_CANNOT_UNLOCK, "no key was given and nobody can be "
			       "asked: give --key-file or --passphrase-file");
	data = secret_new(PASSPHRASE_MAX + 2);
	if (!data)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a passphrase");
	n = keys->prompt(keys->prompt_arg, question, (char *)data, PASSPHRASE_MAX + 2);
	if (n <= 0 || n > PASSPHRASE_MAX) {
		secret_free(data);
		return err_set(e, MUNI_CANNOT_UNLOCK, n > PASSPHRASE_MAX
			       ? "the passphrase is too long"
			       : "no passphrase was given; where no terminal is, give "
				 "--key-file or --passphrase-file");
	}
	*out = data;
	*size = (size_t)n;
	return 0;
}

static int ask_twice(struct secrets *s, const struct vault_keys *keys, struct err *e)
{
	uint8_t *first, *second;
	size_t first_size, second_size;
	bool is_same;

	if (ask(keys, "New passphrase:", &first, &first_size, e) < 0)
		return -1;
	if (ask(keys, "The same again:", &second, &second_size, e) < 0) {
		secret_free(first);
		return -1;
	}
	is_same = first_size == second_size && memcmp(first, second, first_size) == 0;
	secret_free(second);
	if (!is_same) {
		secret_free(first);
		return err_set(e, MUNI_USAGE, "the two passphrases are not the same");
	}
	add(s, KEYRING_PASSPHRASE, first, first_size, NULL);
	return 0;
}

int secrets_to_open(const struct vault_keys *keys, struct secrets *out, struct err *e)
{
	uint8_t *data;
	size_t size;
	int rc;

	if (make_room(out, 1, e) < 0)
		return -1;
	if (keys->key_file) {
		rc = add_key_file(out, keys, e);
	} else if (keys->passphrase_file) {
		rc = add_passphrase_file(out, keys, e);
	} else {
		rc = ask(keys, "Passphrase:", &data, &size, e);
		if (rc == 0)
			add(out, KEYRING_PASSPHRASE, data, size, NULL);
	}
	if (rc < 0)
		secrets_free(out);
	return rc;
}

static int add_recipient(struct secrets *s, const struct vault_keys *keys, const char *path,
			 struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	uint8_t *data;
	size_t size;

	if (load(keys, path, &data, &size, e) < 0) {
		if (e->code == MUNI_CANNOT_UNLOCK)
			e->code = MUNI_NOT_FOUND;
		return err_wrap(e, "the recipient's certificate");
	}
	/* A file name that no label can be: the kind's name says enough. */
	add(s, KEYRING_RECIPIENT, data, size,
	    strlen(name) < sizeof ((struct vault_key *)0)->label &&
	    text_is_utf8(name, strlen(name)) ? name : NULL);
	return 0;
}

int secrets_to_make(const struct vault_keys *keys, const char *const *recipients,
		    size_t recipient_count, struct secrets *out, struct err *e)
{
	if (make_room(out, 2 + recipient_count, e) < 0)
		return -1;
	if (keys->key_file && add_key_file(out, keys, e) < 0)
		goto fail;
	if (keys->passphrase_file && add_passphrase_file(out, keys, e) < 0)
		goto fail;
	for (size_t i = 0; i < recipient_count; i++)
		if (add_recipient(out, keys, recipients[i], e) < 0)
			goto fail;
	if (!keys->key_file && !keys->passphrase_file && ask_twice(out, keys, e) < 0)
		goto fail;
	return 0;
fail:
	secrets_free(out);
	return -1;
}

int secrets_for_key(const struct vault_keys *keys, const char *recipient,
		    struct secrets *out, struct err *e)
{
	int rc;

	if (!recipient && keys->key_file && keys->passphrase_file)
		return err_set(e, MUNI_USAGE, "a key is one file, or one passphrase: give one "
			       "of the two");
	if (!recipient)
		return secrets_to_make(keys, NULL, 0, out, e);
	if (make_room(out, 1, e) < 0)
		return -1;
	rc = add_recipient(out, keys, recipient, e);
	if (rc < 0)
		secrets_free(out);
	return rc;
}
