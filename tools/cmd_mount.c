/*
 * Runs munifs: the copy beside this program, else the one on PATH.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/text.h"
#include "tools/commands.h"
#include "tools/terminal.h"

static const struct cli_option options[] = {
	{ 'o', "options", "OPT[,OPT]", "options of munifs(8) (repeatable)" },
	{ 'f', "foreground", NULL, "stay in the foreground" },
	{ .name = NULL },
};

#define WORDS_MAX 64

struct words {
	const char *list[WORDS_MAX + 1];
	size_t count;
	char *owned[8];		/* freed at the end */
	size_t owned_count;
};

static void add_word(struct words *w, const char *word)
{
	if (w->count < WORDS_MAX)
		w->list[w->count++] = word;
}

/* "-o key=value"; commas and backslashes of the value are escaped, for munifs
 * splits its options at commas. */
static int add_path_option(struct words *w, const char *key, const char *value,
			   struct err *e)
{
	struct buffer b = { 0 };
	char *absolute;

	if (value == NULL)
		return 0;
	/* munifs leaves this directory when it goes into the background. */
	absolute = realpath(value, NULL);
	if (absolute == NULL)
		return err_errno(e, "finding %s", text_printable(value));
	buffer_append(&b, key, strlen(key));
	buffer_u8(&b, '=');
	for (const char *p = absolute; *p != '\0'; p++) {
		if (*p == ',' || *p == '\\')
			buffer_u8(&b, '\\');
		buffer_u8(&b, (uint8_t)*p);
	}
	buffer_u8(&b, '\0');
	free(absolute);
	if (b.failed) {
		buffer_free(&b);
		return err_set(e, MUNI_NO_MEMORY, "no memory for an option");
	}
	w->owned[w->owned_count++] = (char *)b.data;
	add_word(w, "-o");
	add_word(w, (char *)b.data);
	return 0;
}

/* The folder of this program and "munifs"; false if it is not there. */
static bool find_beside(char out[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 8);
	char *slash;

	if (n <= 0)
		return false;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL || (size_t)(slash - out) + sizeof "/munifs" > PATH_MAX)
		return false;
	memcpy(slash, "/munifs", sizeof "/munifs");
	return access(out, X_OK) == 0;
}

static int become_munifs(struct words *w, struct err *e)
{
	char beside[PATH_MAX];
	bool is_beside = find_beside(beside);

	w->list[0] = is_beside ? beside : "munifs";
	w->list[w->count] = NULL;
	fflush(stdout);
	fflush(stderr);
	terminal_restore_signals();
	/* exec does not write through its arguments; its type does not say so. */
	if (is_beside)
		execv(beside, (char *const *)(uintptr_t)w->list);
	else
		execvp("munifs", (char *const *)(uintptr_t)w->list);
	if (errno == ENOENT)
		return err_set(e, MUNI_NOT_FOUND, "munifs, which serves the mount, is neither "
			       "beside this program nor on PATH: install it, or give its "
			       "folder in PATH");
	return err_errno(e, "running munifs");
}

static int run(struct cli *cli)
{
	struct words w = { .count = 1 };	/* [0]: munifs itself */
	const struct vault_keys *keys = &cli->vault.keys;
	struct err e = ERR_NONE;
	int rc = -1, o;

	while ((o = cli_next(cli)) > 0) {
		if (w.count > WORDS_MAX - 16)
			return cli_usage(cli, "too many options");
		add_word(&w, o == 'f' ? "-f" : "-o");
		if (o == 'o')
			add_word(&w, cli->value);
	}
	if (o != CLI_END)
		return cli_stopped(o);
	if (add_path_option(&w, "keyring", keys->keyring, &e) < 0 ||
	    add_path_option(&w, "key-file", keys->key_file, &e) < 0 ||
	    add_path_option(&w, "passphrase-file", keys->passphrase_file, &e) < 0)
		goto out;
	add_word(&w, "--");
	add_word(&w, cli->operands[0]);
	add_word(&w, cli->operands[1]);
	rc = become_munifs(&w, &e);
out:
	for (size_t i = 0; i < w.owned_count; i++)
		free(w.owned[i]);
	return cli_end(cli, rc, &e);
}

const struct command cmd_mount = {
	.name = "mount",
	.operands = "ARCHIVE DIR",
	.summary = "mount the archive read-only as ordinary files",
	.about =
	"Mounts the archive on the empty directory DIR: DIR/SYSTEM/versions/LABEL/...,\n"
	"DIR/SYSTEM/latest, DIR/SYSTEM/@2021-06-30.  Runs munifs(8), which names the\n"
	"options for -o (system=, version=, allow_other, cache= ...).",
	.options = options,
	.shared = CLI_KEYS,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};
