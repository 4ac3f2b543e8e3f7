#include "tools/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/progress.h"

enum { KEYRING = 1000, KEY_FILE, PASSPHRASE_FILE, WAIT, JSON, RESTRICTED, HELP };

#define WAIT_SECONDS 3600	/* a verification of some TiB; the help says it too */
#define WAIT_MAX (366 * 86400)

static const struct cli_option key_options[] = {
	{ KEYRING, "keyring", "FILE", "the archive's keyring (default: where muniment.toml says)" },
	{ KEY_FILE, "key-file", "FILE", "unlock with this key file" },
	{ PASSPHRASE_FILE, "passphrase-file", "FILE", "unlock with the passphrase in its first line" },
	{ .name = NULL },
};
static const struct cli_option wait_options[] = {
	{ WAIT, "wait", "SECONDS", "wait so long for who is at work on it (3600; 0: not at all)" },
	{ .name = NULL },
};
static const struct cli_option json_options[] = {
	{ JSON, "json", NULL, "one JSON object a line on standard output" },
	{ .name = NULL },
};
static const struct cli_option restricted_options[] = {
	{ RESTRICTED, "restricted", "REASON", "restricted records too; REASON goes into the log" },
	{ .name = NULL },
};
static const struct cli_option quiet_options[] = {
	{ 'q', "quiet", NULL, "no progress, no notices" },
	{ .name = NULL },
};
static const struct cli_option help_options[] = {
	{ HELP, "help", NULL, "this text" },
	{ .name = NULL },
};

#define TABLES 7

/* The option tables of a command, its own first; NULL where it takes none. */
static void tables_of(const struct command *c, const struct cli_option *tables[TABLES])
{
	tables[0] = c->options;
	tables[1] = c->shared & CLI_KEYS ? key_options : NULL;
	tables[2] = c->shared & CLI_JSON ? json_options : NULL;
	tables[3] = c->shared & CLI_QUIET ? quiet_options : NULL;
	tables[4] = c->shared & CLI_RESTRICTED ? restricted_options : NULL;
	tables[5] = c->shared & CLI_WAIT ? wait_options : NULL;
	tables[6] = help_options;
}

struct getopt_words {
	struct option longs[CLI_OPTIONS_MAX + 1];
	char shorts[2 * CLI_OPTIONS_MAX + 2];
};

static void getopt_words_fill(struct getopt_words *w, const struct command *c)
{
	const struct cli_option *tables[TABLES];
	size_t count = 0;
	char *s = w->shorts;

	memset(w, 0, sizeof *w);
	*s++ = ':';	/* tells a missing argument from an unknown option */
	tables_of(c, tables);
	for (size_t t = 0; t < TABLES; t++) {
		for (const struct cli_option *o = tables[t]; o != NULL && o->name != NULL; o++) {
			if (count == CLI_OPTIONS_MAX)
				return;
			w->longs[count++] = (struct option){
				.name = o->name,
				.has_arg = o->argument != NULL,
				.val = o->id,
			};
			if (o->id > 255)
				continue;
			*s++ = (char)o->id;
			if (o->argument != NULL)
				*s++ = ':';
		}
	}
}

/* 0: taken; -1: it is none of these; CLI_WRONG. */
static int take_shared(struct cli *cli, int id)
{
	struct err e = ERR_NONE;
	uint64_t n;

	switch (id) {
	case WAIT:
		if (cli_number("--wait", cli->value, 0, WAIT_MAX, &n, &e) < 0) {
			cli_usage(cli, "%s", e.text);
			return CLI_WRONG;
		}
		cli->wait.seconds = (unsigned)n;
		return 0;
	case KEYRING:
		cli->vault.keys.keyring = cli->value;
		return 0;
	case KEY_FILE:
		cli->vault.keys.key_file = cli->value;
		return 0;
	case PASSPHRASE_FILE:
		cli->vault.keys.passphrase_file = cli->value;
		return 0;
	case JSON:
		cli->json = true;
		return 0;
	case RESTRICTED:
		cli->restricted = cli->value;
		return 0;
	case 'q':
		if ((cli->command->shared & CLI_QUIET) == 0)
			return -1;
		cli->quiet = true;
		cli->monitor.notice = NULL;
		progress_silence(cli->progress);
		return 0;
	default:
		return -1;
	}
}

static int end_options(struct cli *cli)
{
	const struct command *c = cli->command;

	cli->operands = cli->argv + optind;
	cli->operand_count = cli->argc - optind;
	if (cli->operand_count < c->min_operands) {
		cli_usage(cli, "a word is missing; it goes like this");
		return CLI_WRONG;
	}
	if (c->max_operands >= 0 && cli->operand_count > c->max_operands) {
		cli_usage(cli, "'%s' is one word too many",
			  text_printable(cli->operands[c->max_operands]));
		return CLI_WRONG;
	}
	if ((c->shared & CLI_BOTH_KEYS) == 0 && cli->vault.keys.key_file != NULL &&
	    cli->vault.keys.passphrase_file != NULL) {
		cli_usage(cli, "--key-file and --passphrase-file: give one of them");
		return CLI_WRONG;
	}
	return CLI_END;
}

static int wrong_option(struct cli *cli, int o, const char *word)
{
	char letter[3] = { '-', (char)optopt, '\0' };
	bool is_long = word != NULL && strncmp(word, "--", 2) == 0;
	const char *shown = text_printable(is_long || optopt == 0 ? word : letter);

	if (o == ':')
		cli_usage(cli, "the option %s needs a value", shown);
	else if (is_long && optopt != 0)
		cli_usage(cli, "the option %s takes no value", shown);
	else
		cli_usage(cli, "there is no option %s", shown);
	return CLI_WRONG;
}

int cli_next(struct cli *cli)
{
	struct getopt_words words;

	getopt_words_fill(&words, cli->command);
	opterr = 0;
	for (;;) {
		int o, taken;

		optopt = 0;
		o = getopt_long(cli->argc, cli->argv, words.shorts, words.longs, NULL);
		cli->value = optarg;
		if (o == -1)
			return end_options(cli);
		if (o == '?' || o == ':')
			return wrong_option(cli, o, cli->argv[optind - 1]);
		if (o == HELP) {
			cli_help(cli->command);
			return CLI_HELPED;
		}
		taken = take_shared(cli, o);
		if (taken < 0)
			return taken == CLI_WRONG ? CLI_WRONG : o;
	}
}

int cli_stopped(int o)
{
	return o == CLI_HELPED ? 0 : CLI_USAGE;
}

int cli_usage(struct cli *cli, const char *format, ...)
{
	const struct command *c = cli->command;
	va_list args;

	fprintf(stderr, "muni %s: ", c->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nusage: muni %s %s%s\n       (muni %s --help says more)\n", c->name,
		c->options != NULL ? "[OPTION]... " : "", c->operands, c->name);
	return CLI_USAGE;
}

static void print_options(const struct cli_option *o)
{
	for (; o != NULL && o->name != NULL; o++) {
		char left[64];

		snprintf(left, sizeof left, "%c%c%s--%s%s%s", o->id > 255 ? ' ' : '-',
			 o->id > 255 ? ' ' : (char)o->id, o->id > 255 ? "  " : ", ",
			 o->name, o->argument != NULL ? " " : "",
			 o->argument != NULL ? o->argument : "");
		printf("  %-29s  %s\n", left, o->help);
	}
}

void cli_help(const struct command *command)
{
	const struct cli_option *tables[TABLES];

	printf("usage: muni %s %s%s\n\n%s\n\n", command->name,
	       command->options != NULL ? "[OPTION]... " : "", command->operands,
	       command->about);
	tables_of(command, tables);
	for (size_t t = 0; t < TABLES; t++)
		print_options(tables[t]);
}

int cli_time(const char *what, const char *text, bool is_end_of_day, int64_t *out,
	     struct err *e)
{
	if (text_parse_time(text, is_end_of_day, out) == 0)
		return 0;
	return err_set(e, MUNI_USAGE, "%s %s: a time is written 2021-06-30, "
		       "2021-06-30T12:00:00Z or @SECONDS", what, text_printable(text));
}

int cli_size(const char *what, const char *text, uint64_t *out, struct err *e)
{
	if (text_parse_size(text, out) == 0)
		return 0;
	return err_set(e, MUNI_USAGE, "%s %s: a size is written 4096, 64k, 1.5G", what,
		       text_printable(text));
}

int cli_number(const char *what, const char *text, uint64_t min, uint64_t max,
	       uint64_t *out, struct err *e)
{
	char *end = NULL;

	errno = 0;
	if (text[0] >= '0' && text[0] <= '9') {
		*out = strtoull(text, &end, 10);
		if (errno == 0 && *end == '\0' && *out >= min && *out <= max)
			return 0;
	}
	return err_set(e, MUNI_USAGE, "%s %s: a number from %llu to %llu is wanted", what,
		       text_printable(text), (unsigned long long)min,
		       (unsigned long long)max);
}

static bool is_cancelled(void *arg)
{
	const struct cli *cli = arg;

	return cli->monitor.is_cancelled(cli->monitor.arg);
}

static void say_waiting(void *arg, const char *holder)
{
	struct cli *cli = arg;

	if (!cli->quiet)
		cli_say(cli, "waiting for %s to finish, %u s at most (--wait)", holder,
			cli->wait.seconds);
}

void cli_prepare_wait(struct cli *cli)
{
	snprintf(cli->purpose, sizeof cli->purpose, "muni %s", cli->command->name);
	cli->wait = (struct vault_wait){
		.seconds = WAIT_SECONDS,
		.waiting = say_waiting,
		.is_cancelled = is_cancelled,
		.arg = cli,
	};
	cli->vault.purpose = cli->purpose;
	cli->vault.wait = &cli->wait;
}

static void say_notice(void *arg, const char *text)
{
	cli_say(arg, "note: %s", text);
}

int cli_open(struct cli *cli, const char *path, enum vault_mode mode,
	     struct vault **out, struct err *e)
{
	const char *notice;

	if (vault_open(path, &cli->vault, mode, out, e) < 0)
		return -1;
	for (unsigned i = 0; !cli->quiet && (notice = vault_notice(*out, i)) != NULL; i++)
		say_notice(cli, notice);
	if (!cli->quiet)
		vault_on_notice(*out, say_notice, cli);
	return 0;
}

int cli_path(char *path, struct err *e)
{
	char *from = path, *to = path;

	while (*from != '\0') {
		size_t n = strcspn(from, "/");

		if (n == 2 && memcmp(from, "..", 2) == 0)
			return err_set(e, MUNI_USAGE, "the path %s: \"..\" is not taken",
				       text_printable(path));
		if (n > 0 && !(n == 1 && *from == '.')) {
			if (to > path)
				*to++ = '/';
			memmove(to, from, n);
			to += n;
		}
		from += n;
		from += *from == '/';
	}
	*to = '\0';
	return 0;
}

void cli_say(struct cli *cli, const char *format, ...)
{
	va_list args;

	progress_pause(cli->progress);
	fputs("muni: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	progress_resume(cli->progress);
}

int cli_end(struct cli *cli, int rc, const struct err *e)
{
	progress_end(cli->progress);
	if (rc >= 0)
		return 0;
	fflush(stdout);		/* what was printed stands above what went wrong */
	cli_say(cli, "%s", e->text);
	return err_exit_status(e->code);
}
