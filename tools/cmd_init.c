#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/commands.h"

enum { RECIPIENT = 256, BLOCK_SIZE, LEVEL, DENSE, PARITY };

static const struct cli_option options[] = {
	{ RECIPIENT, "recipient", "CERT.pem", "an escrow slot for this X.509 certificate (repeatable)" },
	{ BLOCK_SIZE, "block-size", "N", "about how much is compressed and sealed as one, as 64k" },
	{ LEVEL, "level", "N", "compression level of zstd, 1 to 19; from 13 on blocks are 1 MiB" },
	{ DENSE, "dense", NULL, "later versions smaller, but slower to read" },
	{ PARITY, "parity", "K+M", "M parity objects for K segments; 0: none" },
	{ .name = NULL },
};

#define RECIPIENTS_MAX 32

struct init_words {
	struct vault_init_options o;
	const char *recipients[RECIPIENTS_MAX];
	struct parity_strength parity;
};

/* "20+1", or "0" for none. */
static int take_parity(struct init_words *w, const char *text, struct err *e)
{
	char data[16];
	const char *plus = strchr(text, '+');
	uint64_t k, m;

	w->o.parity = &w->parity;
	if (strcmp(text, "0") == 0) {
		w->parity = (struct parity_strength){ PARITY_DATA_DEFAULT, 0 };
		return 0;
	}
	if (plus == NULL || (size_t)(plus - text) >= sizeof data)
		return err_set(e, MUNI_USAGE, "--parity %s: it is written 20+1, parity "
			       "objects after the plus", text_printable(text));
	memcpy(data, text, (size_t)(plus - text));
	data[plus - text] = '\0';
	if (cli_number("--parity", data, 1, 200, &k, e) < 0 ||
	    cli_number("--parity", plus + 1, 0, 20, &m, e) < 0)
		return -1;
	w->parity = (struct parity_strength){ (unsigned)k, (unsigned)m };
	return 0;
}

static int take_option(struct init_words *w, int o, const char *value, struct err *e)
{
	uint64_t n = 0;

	switch (o) {
	case RECIPIENT:
		if (w->o.recipient_count == RECIPIENTS_MAX)
			return err_set(e, MUNI_USAGE, "more than %d recipients",
				       RECIPIENTS_MAX);
		w->recipients[w->o.recipient_count++] = value;
		return 0;
	case BLOCK_SIZE:
		if (cli_size("--block-size", value, &n, e) < 0)
			return -1;
		if (n < 4096 || n > BLOCK_RAW_MAX)
			return err_set(e, MUNI_USAGE, "--block-size %s: 4k to 1M is taken",
				       text_printable(value));
		w->o.block_size = (uint32_t)n;
		return 0;
	case LEVEL:
		if (cli_number("--level", value, 1, 19, &n, e) < 0)
			return -1;
		w->o.level = (uint32_t)n;
		return 0;
	case DENSE:
		w->o.dense = true;
		return 0;
	default:
		return take_parity(w, value, e);
	}
}

static void say_what_follows(struct cli *cli, const char *path, const char *keyring,
			     bool is_inside)
{
	if (is_inside)
		cli_say(cli, "warning: the keyring %s lies inside the archive: every backup "
			"of the folder carries it, and no destruction can be proved to reach "
			"those; --keyring FILE puts it elsewhere", text_printable(keyring));
	if (cli->quiet)
		return;
	cli_say(cli, "made the archive %s", text_printable(path));
	cli_say(cli, "its keyring is %s: without it nothing can be read, ever.  Keep it "
		"apart from the archive, back it up now (to a place where it can be "
		"destroyed), and not together with the archive", text_printable(keyring));
}

static int run(struct cli *cli)
{
	struct init_words words = { .o.block_size = 0 };
	struct err e = ERR_NONE;
	char *keyring = NULL;
	bool is_inside = false;
	char id[33] = "";
	int o, rc;

	while ((o = cli_next(cli)) > 0)
		if (take_option(&words, o, cli->value, &e) < 0)
			return cli_usage(cli, "%s", e.text);
	if (o != CLI_END)
		return cli_stopped(o);
	words.o.keys = cli->vault.keys;
	words.o.now = cli->vault.now;
	words.o.recipients = words.recipients;
	rc = vault_init(cli->operands[0], &words.o, id, &keyring, &is_inside, &e);
	if (rc == 0) {
		say_what_follows(cli, cli->operands[0], keyring, is_inside);
		printf("%s\n", id);
	}
	free(keyring);
	return cli_end(cli, rc, &e);
}

const struct command cmd_init = {
	.name = "init",
	.operands = "ARCHIVE",
	.summary = "make a new archive",
	.about =
	"Makes a new, empty archive in the folder ARCHIVE (which is made, or empty),\n"
	"and its keyring outside of it.  The passphrase is asked for, or comes from\n"
	"--passphrase-file; --key-file takes a file of at least 32 random bytes; given\n"
	"both, either opens the archive.  Prints the archive's id.\n\n"
	"--level 3 is the default: small, and quick to read anywhere.  From --level 13\n"
	"on archives get smaller still, for what is seldom read: blocks are 1 MiB, so\n"
	"each first read of a place decodes that much, and ingest takes many times\n"
	"longer.",
	.options = options,
	.shared = CLI_KEYS | CLI_QUIET | CLI_BOTH_KEYS,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
