/*
 * What every command of muni shares: options, keys, opening, ending.
 *
 *   C1  A command line that is off ends in exit 2 with a usage line on standard
 *       error, before anything was touched.
 *   C2  Standard output that could not be written ends in exit 1.
 *   C3  Names reach a terminal only through text_printable().
 *
 * A command is a `struct command`; main.c holds the table.  Its run() first
 * takes its options with cli_next() until CLI_END, then its operands, and ends
 * with `return cli_end(cli, rc, &e)`.
 */
#ifndef TOOLS_CLI_H
#define TOOLS_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/base/err.h"
#include "fs/vault/vault.h"

struct progress;

struct cli_option {
	int id;			/* a letter is the short form too; else above 255 */
	const char *name;	/* the long form; the table ends with NULL */
	const char *argument;	/* "FILE"; NULL: takes none */
	const char *help;
};

enum {				/* shared options that a command takes, as a set */
	CLI_KEYS = 1,		/* --keyring, --key-file, --passphrase-file */
	CLI_JSON = 2,		/* --json */
	CLI_QUIET = 4,		/* -q, --quiet */
	CLI_RESTRICTED = 16,	/* --restricted REASON */
	CLI_BOTH_KEYS = 8,	/* --key-file and --passphrase-file may both be given */
	CLI_WAIT = 32,		/* --wait */
	CLI_ARCHIVE = CLI_KEYS | CLI_WAIT,
};

struct cli;

struct command {
	const char *name;
	const char *operands;	/* "ARCHIVE SYSTEM[@VERSION] [PATH]" */
	const char *summary;	/* for the list of commands */
	const char *about;	/* paragraphs for --help, lines of at most 76 */
	const struct cli_option *options;	/* its own; NULL: none */
	unsigned shared;
	int min_operands, max_operands;		/* max -1: any number */
	int (*run)(struct cli *cli);	/* returns the exit status */
};

#define CLI_OPTIONS_MAX 40

struct cli {
	const struct command *command;
	int argc;
	char **argv;
	const char *value;	/* argument of the option that cli_next() returned */
	int operand_count;	/* these two: after CLI_END */
	char **operands;
	bool json, quiet;
	const char *restricted;	/* why restricted records are wanted; NULL: they are not */
	struct vault_options vault;	/* with the keys that were given */
	struct vault_wait wait;	/* for who is at work on the archive */
	char purpose[40];	/* "muni ingest" */
	struct vault_monitor monitor;
	struct progress *progress;	/* owned by main */
};

enum {
	CLI_END = -1,		/* no more options: operands are there */
	CLI_WRONG = -2,		/* said so already; return CLI_USAGE */
	CLI_HELPED = -3,	/* --help was printed; return 0 */
};
#define CLI_USAGE 2		/* exit status */

/* An option's id, or one of the three above (shared options are taken inside). */
int cli_next(struct cli *cli);
/* What run() returns when cli_next() gave `o`, which is no option. */
int cli_stopped(int o);
/* Says what is wrong with the words and how they go; returns CLI_USAGE. */
int cli_usage(struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void cli_help(const struct command *command);
/* muni's own argc and argv; the exit status. */
int cli_run(const struct command *command, int argc, char **argv);
int cli_version(void);
/* A program's main(): keys have locked memory and signals their handlers while run() runs. */
int cli_main(int (*run)(int argc, char **argv), int argc, char **argv);

/* Before a command runs: how it waits for others, unless --wait says otherwise. */
void cli_prepare_wait(struct cli *cli);

/* -1 (MUNI_USAGE) unless text is such a value; `what` names the option. */
int cli_time(const char *what, const char *text, bool is_end_of_day, int64_t *out,
	     struct err *e);
int cli_size(const char *what, const char *text, uint64_t *out, struct err *e);
int cli_number(const char *what, const char *text, uint64_t min, uint64_t max,
	       uint64_t *out, struct err *e);

/* Opens the archive and says its notices (unless --quiet). */
int cli_open(struct cli *cli, const char *path, enum vault_mode mode,
	     struct vault **out, struct err *e);
/*
 * A path as a person writes it ("/a//b/", "./a") as the tree wants it ("a/b"),
 * in place.  MUNI_USAGE for "..".
 */
int cli_path(char *path, struct err *e);

/* Clears the bar, then on rc < 0 says "muni: ..."; returns the exit status. */
int cli_end(struct cli *cli, int rc, const struct err *e);
/* "muni: ..." on standard error, around the bar. */
void cli_say(struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* True once SIGINT or SIGTERM came, or standard output is broken: a listing
 * then stops. */
bool cli_is_over(void);
/* MUNI_CANCELLED if a signal ended a listing. */
int cli_check_signal(struct err *e);

/* main()'s: the first and the last act. */
void cli_prepare(void);
int cli_close_output(int status);

#endif
