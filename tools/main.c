/*
 * muni-whole: the table of commands.  muni itself (light.c) has those that need little,
 * and becomes this program for the others.
 */
#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/commands.h"

static const struct {
	const char *group;	/* heading; NULL: as the one before */
	const struct command *command;
} commands[] = {
	{ "Taking in", &cmd_init },
	{ NULL, &cmd_ingest },
	{ "Deciding", &cmd_scan },
	{ NULL, &cmd_inventory },
	{ NULL, &cmd_classify },
	{ NULL, &cmd_decisions },
	{ NULL, &cmd_decide },
	{ NULL, &cmd_policy },
	{ "Looking", &cmd_log },
	{ NULL, &cmd_ls },
	{ NULL, &cmd_find },
	{ NULL, &cmd_cat },
	{ NULL, &cmd_stat },
	{ NULL, &cmd_diff },
	{ "Mounting", &cmd_mount },
	{ NULL, &cmd_umount },
	{ "Retention", &cmd_due },
	{ NULL, &cmd_event },
	{ NULL, &cmd_hold },
	{ NULL, &cmd_retain },
	{ "Keeping", &cmd_verify },
	{ NULL, &cmd_repair },
	{ NULL, &cmd_export },
	{ NULL, &cmd_restore },
	{ NULL, &cmd_audit },
	{ NULL, &cmd_key },
	{ NULL, &cmd_officer },
	{ NULL, &cmd_dispose },
	{ NULL, &cmd_cert },
	{ NULL, &cmd_copy },
	{ NULL, &cmd_report },
};

#define COUNT (sizeof commands / sizeof commands[0])

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(commands[i].command->name, name) == 0)
			return commands[i].command;
	return NULL;
}

static void print_commands(FILE *to)
{
	fputs("usage: muni COMMAND ...\n", to);
	for (size_t i = 0; i < COUNT; i++) {
		if (commands[i].group != NULL)
			fprintf(to, "\n%s\n", commands[i].group);
		fprintf(to, "  %-9s  %s\n", commands[i].command->name,
			commands[i].command->summary);
	}
	fputs("\nmuni COMMAND --help says more; muni --version, muni help COMMAND.\n", to);
}

static int no_such_command(const char *name)
{
	fprintf(stderr, "muni: there is no command '%s'; `muni help` lists them\n",
		text_printable(name));
	return CLI_USAGE;
}

static int run_help(int argc, char **argv)
{
	const struct command *c;

	if (argc < 3) {
		print_commands(stdout);
		return 0;
	}
	c = find_command(argv[2]);
	if (c == NULL)
		return no_such_command(argv[2]);
	cli_help(c);
	return 0;
}

static int run(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	const struct command *command;

	if (word == NULL) {
		print_commands(stderr);
		return CLI_USAGE;
	}
	if (strcmp(word, "--version") == 0)
		return cli_version();
	if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 ||
	    strcmp(word, "-h") == 0)
		return run_help(argc, argv);
	command = find_command(word);
	if (command == NULL)
		return no_such_command(word);
	return cli_run(command, argc, argv);
}

int main(int argc, char **argv)
{
	return cli_main(run, argc, argv);
}
