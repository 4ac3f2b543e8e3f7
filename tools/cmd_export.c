#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/export.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/progress.h"

enum { TO = 256, FORMAT, THREADS };

static const struct cli_option options[] = {
	{ TO, "to", "X", "the directory or file to write (needed); - for tar: standard output" },
	{ FORMAT, "format", "FORMAT", "dir (default), tar, zip or bagit" },
	{ THREADS, "threads", "N", "at work at once (default: one a processor)" },
	{ .name = NULL },
};

static int take_format(struct export_options *o, const char *value, struct err *e)
{
	static const struct {
		const char *name;
		enum export_format format;
	} formats[] = {
		{ "dir", EXPORT_DIR }, { "tar", EXPORT_TAR }, { "zip", EXPORT_ZIP },
		{ "bagit", EXPORT_BAGIT },
	};

	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (strcmp(formats[i].name, value) == 0) {
			o->format = formats[i].format;
			return 0;
		}
	return err_set(e, MUNI_USAGE, "--format %s: dir, tar, zip and bagit are known",
		       text_printable(value));
}

static int take_option(struct export_options *w, int o, const char *value, struct err *e)
{
	uint64_t n = 0;

	switch (o) {
	case TO:
		w->to = value;
		return 0;
	case FORMAT:
		return take_format(w, value, e);
	default:
		if (cli_number("--threads", value, 1, 256, &n, e) < 0)
			return -1;
		w->threads = (unsigned)n;
		return 0;
	}
}

struct losses {
	struct cli *cli;
	bool is_stdout_taken;	/* by the tar itself */
	struct err failed;
};

/* path is printable already. */
static void on_loss(void *arg, const char *path, const char *what)
{
	struct losses *l = arg;
	json_t *o;

	if (!l->cli->json || l->is_stdout_taken) {
		cli_say(l->cli, "not carried over: %s: %s", path, what);
		return;
	}
	o = jsonl_new("loss");
	jsonl_text(o, "path", path);
	jsonl_text(o, "what", what);
	if (l->failed.code == MUNI_OK)
		jsonl_end(o, &l->failed);
	else
		json_decref(o);
}

static int report(struct cli *cli, const struct losses *l, const struct export_result *r,
		  struct err *e)
{
	char files[TEXT_COUNT_MAX], directories[TEXT_COUNT_MAX], others[TEXT_COUNT_MAX];
	char bytes[TEXT_SIZE_MAX], resumed[TEXT_COUNT_MAX], losses[TEXT_COUNT_MAX];
	json_t *o;

	if (!cli->json || l->is_stdout_taken) {
		if (!cli->quiet)
			cli_say(cli, "exported %s files, %s directories, %s others, %s; %s were "
				"there from an earlier run; %s attributes could not be carried over",
				text_count(r->files, files), text_count(r->directories, directories),
				text_count(r->others, others), text_size(r->bytes, bytes),
				text_count(r->resumed, resumed), text_count(r->losses, losses));
		return 0;
	}
	o = jsonl_new("export");
	jsonl_number(o, "files", r->files);
	jsonl_number(o, "directories", r->directories);
	jsonl_number(o, "others", r->others);
	jsonl_number(o, "bytes", r->bytes);
	jsonl_number(o, "resumed", r->resumed);
	jsonl_number(o, "losses", r->losses);
	return jsonl_end(o, e);
}

static int export(struct cli *cli, const struct export_options *o, struct err *e)
{
	struct losses losses = { .cli = cli, .is_stdout_taken = strcmp(o->to, "-") == 0 };
	struct export_result result = { .files = 0 };
	struct vault *v = NULL;
	struct version version;
	int rc = -1;

	if (cli_open(cli, cli->operands[0], VAULT_READ, &v, e) < 0 ||
	    vault_resolve(vault_catalogue(v), cli->operands[1], &version, e) < 0)
		goto out;
	if (vault_export(v, &version, o, &cli->monitor, on_loss, &losses, &result, e) < 0)
		goto out;
	progress_end(cli->progress);
	if (losses.failed.code != MUNI_OK) {
		*e = losses.failed;
		goto out;
	}
	rc = report(cli, &losses, &result, e);
out:
	vault_close(v);
	return rc;
}

static int run(struct cli *cli)
{
	struct export_options words = { .format = EXPORT_DIR };
	struct err e = ERR_NONE;
	int o;

	while ((o = cli_next(cli)) > 0)
		if (take_option(&words, o, cli->value, &e) < 0)
			return cli_usage(cli, "%s", e.text);
	if (o != CLI_END)
		return cli_stopped(o);
	if (words.to == NULL)
		return cli_usage(cli, "--to X says where to write");
	if (strcmp(words.to, "-") == 0 && words.format != EXPORT_TAR)
		return cli_usage(cli, "--to - goes with --format tar only");
	return cli_end(cli, export(cli, &words, &e), &e);
}

const struct command cmd_export = {
	.name = "export",
	.operands = "ARCHIVE SYSTEM[@VERSION] --to X",
	.summary = "write a version out: the migration path",
	.about =
	"Writes a version out as a directory, a tar (pax), a zip or a bag (RFC 8493),\n"
	"exact in every attribute that the target can carry; what it could not carry\n"
	"is listed.  What was written is read back and compared.  Run again after an\n"
	"interruption, it goes on where it stopped.",
	.options = options,
	.shared = CLI_KEYS | CLI_JSON | CLI_QUIET,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};
