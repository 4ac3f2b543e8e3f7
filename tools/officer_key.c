#include "tools/officer_key.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/user_file.h"

#define SECRET_FILE_MAX 4096

bool officer_words_take(struct officer_words *w, int option, const char *value)
{
	switch (option) {
	case OFFICER_BY:
		w->by = value;
		return true;
	case OFFICER_KEY:
		w->key = value;
		return true;
	case OFFICER_PASSPHRASE:
		w->passphrase_file = value;
		return true;
	case OFFICER_PIN:
		w->pin_file = value;
		return true;
	default:
		return false;
	}
}

struct asking {
	struct cli *cli;
	const char *file;	/* NULL: a person is asked */
	struct err *e;		/* of reading the file */
};

/* The first line, without its newline. */
static int from_file(const char *path, char *out, size_t size, struct err *e)
{
	uint8_t *data = NULL;
	size_t got = 0, line;
	int rc = -1;

	if (user_file_load(path, SECRET_FILE_MAX, &data, &got, e) < 0)
		return -1;
	line = strcspn((const char *)data, "\r\n");
	if (line < size) {
		memcpy(out, data, line);
		out[line] = '\0';
		rc = (int)line;
	}
	explicit_bzero(data, got);
	free(data);
	return rc;
}

static int ask(void *arg, const char *question, char *out, size_t size)
{
	struct asking *a = arg;
	const struct vault_keys *keys = &a->cli->vault.keys;

	if (a->file)
		return from_file(a->file, out, size, a->e);
	return keys->prompt ? keys->prompt(keys->prompt_arg, question, out, size) : -1;
}

int officer_words_open(struct cli *cli, struct vault *v, const struct officer_words *w,
		       struct officer_key **out, struct err *e)
{
	struct err file = ERR_NONE;
	struct asking a = { .cli = cli, .e = &file,
			    .file = w->passphrase_file ? w->passphrase_file : w->pin_file };

	if (vault_officer_key(v, w->by, w->key, ask, &a, out, e) == 0)
		return 0;
	if (file.code != MUNI_OK)
		*e = file;
	return -1;
}
