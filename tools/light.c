/*
 * muni, as it is called: the commands that look, mount, check and take in.
 *
 * Patterns, policies, pages of paper and other formats want libraries that take longer to
 * load than a mount or a look into an archive takes in all.  So this program has none of
 * them, and becomes muni-whole for every other command, for help and for what is none.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/sibling.h"
#include "tools/commands.h"

static const struct command *const light[] = {
	&cmd_init, &cmd_log, &cmd_ls, &cmd_find, &cmd_cat, &cmd_stat, &cmd_diff,
	&cmd_mount, &cmd_umount, &cmd_verify, &cmd_repair, &cmd_copy, &cmd_ingest,
};

static const struct command *find(const char *word)
{
	for (size_t i = 0; word && i < sizeof light / sizeof *light; i++)
		if (strcmp(light[i]->name, word) == 0)
			return light[i];
	return NULL;
}

/* Before anything was touched: what muni-whole finds is what muni found. */
static int become_whole(char **argv)
{
	char path[PATH_MAX];
	struct err e = ERR_NONE;

	if (sibling_find("muni-whole", "MUNIMENT_WHOLE", "has the other commands", path,
			 sizeof path, &e) == 0) {
		execv(path, argv);
		err_errno(&e, "starting %s", text_printable(path));
	}
	fprintf(stderr, "muni: %s\n", e.text);
	return err_exit_status(e.code);
}

/* As getopt_long() knows --policy, by its first letters too; of "--p" it is not sure. */
static bool names_policy(char **argv)
{
	for (size_t i = 2; argv[i]; i++)
		if (strncmp(argv[i], "--po", 4) == 0)
			return true;
	return false;
}

static int run(int argc, char **argv)
{
	const struct command *command = find(argv[1]);

	return command ? cli_run(command, argc, argv) : cli_version();
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	/* Whatever else such a word may be there, muni-whole has every command. */
	if (word && (find(word) || strcmp(word, "--version") == 0) && !names_policy(argv))
		return cli_main(run, argc, argv);
	return become_whole(argv);
}
