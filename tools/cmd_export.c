#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/migrate.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/left_out.h"
#include "tools/progress.h"
#include "tools/shown.h"

enum { TO = 256, FORMAT, THREADS, SOURCE, DECISION };

static const struct cli_option options[] = {
	{ TO, "to", "X", "the directory or file to write (needed); - for tar: standard output" },
	{ FORMAT, "format", "FORMAT", "dir (default), tar, zip or bagit" },
	{ SOURCE, "source", "DIR", "take what is to be migrated from the live source, not a version" },
	{ DECISION, "decision", "D", "with --source: what was decided so (default: migrate)" },
	{ THREADS, "threads", "N", "at work at once (default: one a processor)" },
	{ .name = NULL },
};

struct export_words {
	struct export_options target;
	const char *source;	/* NULL: a version */
	bool has_decision;
	enum decision decision;
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

static int take_option(struct export_words *w, int o, const char *value, struct err *e)
{
	uint64_t n = 0;

	switch (o) {
	case TO:
		w->target.to = value;
		return 0;
	case FORMAT:
		return take_format(&w->target, value, e);
	case SOURCE:
		w->source = value;
		return 0;
	case DECISION:
		w->has_decision = true;
		if (decision_parse(value, &w->decision) == 0)
			return 0;
		return err_set(e, MUNI_USAGE, "--decision is migrate, archive, destroy or review");
	default:
		if (cli_number("--threads", value, 1, 256, &n, e) < 0)
			return -1;
		w->target.threads = (unsigned)n;
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

static void on_problem(void *arg, const void *path, size_t path_size, const char *what)
{
	struct losses *l = arg;
	json_t *o;

	if (!l->cli->json || l->is_stdout_taken) {
		cli_say(l->cli, "left out: %s: %s",
			path_size ? text_printable_n(path, path_size) : "the source itself",
			text_printable(what));
		return;
	}
	o = jsonl_new("problem");
	jsonl_bytes(o, "path", path, path_size);
	jsonl_text(o, "what", what);
	if (l->failed.code == MUNI_OK)
		jsonl_end(o, &l->failed);
	else
		json_decref(o);
}

static void print_decided(struct cli *cli, const struct migrate_result *r, enum decision d)
{
	char items[TEXT_COUNT_MAX], bytes[TEXT_SIZE_MAX];

	cli_say(cli, "as decided (muni decisions), %s items, %s, were taken from the source, and "
		"no others:", text_count(r->items, items), text_size(r->target.bytes, bytes));
	left_out_print(stderr, &r->left_out, d);
}

/* decided: of a migration; else NULL. */
static int report(struct cli *cli, const struct losses *l, const struct export_result *r,
		  const struct migrate_result *decided, enum decision taken, struct err *e)
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
		if (r->barred > 0)
			cli_say(cli, "%s records were left out, for their use is restricted; "
				"--restricted REASON takes them", text_count(r->barred, files));
		if (!cli->quiet && decided)
			print_decided(cli, decided, taken);
		return 0;
	}
	o = jsonl_new("export");
	jsonl_number(o, "files", r->files);
	jsonl_number(o, "directories", r->directories);
	jsonl_number(o, "others", r->others);
	jsonl_number(o, "bytes", r->bytes);
	jsonl_number(o, "resumed", r->resumed);
	jsonl_number(o, "losses", r->losses);
	jsonl_number(o, "restricted", r->barred);
	if (decided) {
		jsonl_text(o, "decision", decision_name(taken));
		jsonl_number(o, "items", decided->items);
		jsonl_number(o, "problems", r->problems);
		json_object_set_new(o, "left_out", left_out_json(&decided->left_out, taken));
	}
	return jsonl_end(o, e);
}

static int export(struct cli *cli, struct export_options *o, struct err *e)
{
	struct losses losses = { .cli = cli, .is_stdout_taken = strcmp(o->to, "-") == 0 };
	const struct export_listener listener = { on_loss, on_problem, &losses };
	struct export_result result = { .files = 0 };
	struct err told = ERR_NONE;
	struct vault *v = NULL;
	struct barred barred = { .classes = NULL };
	struct version version;
	int rc = -1;

	if (shown_open(cli, cli->operands[0], &v, e) < 0 ||
	    vault_resolve(vault_catalogue(v), cli->operands[1], &version, e) < 0 ||
	    shown_begin(cli, v, &version, NULL, NULL, 0, &barred, e) < 0)
		goto out;
	o->barred = &barred;
	rc = vault_export(v, &version, o, &cli->monitor, &listener, &result, e);
	progress_end(cli->progress);
	/* Where some items were left out, the others are there all the same. */
	if (rc < 0 && e->code != MUNI_INCOMPLETE)
		goto out;
	if (losses.failed.code != MUNI_OK)
		told = losses.failed;
	else
		report(cli, &losses, &result, NULL, DECISION_MIGRATE, &told);
	if (told.code != MUNI_OK) {
		*e = told;
		rc = -1;
	}
out:
	barred_free(&barred);
	vault_close(v);
	return rc;
}

static int migrate(struct cli *cli, const struct export_words *w, struct err *e)
{
	struct losses losses = { .cli = cli, .is_stdout_taken = strcmp(w->target.to, "-") == 0 };
	const struct migrate_listener listener = { on_loss, on_problem, &losses };
	const struct migrate_options o = { .system = cli->operands[1], .source = w->source,
					   .decision = w->decision, .target = w->target };
	struct migrate_result result;
	struct err told = ERR_NONE;
	struct vault *v = NULL;
	int rc = -1;

	if (cli_open(cli, cli->operands[0], VAULT_WRITE, &v, e) < 0)
		return -1;
	rc = vault_migrate(v, &o, &listener, &cli->monitor, &result, e);
	progress_end(cli->progress);
	/* Where some items could not be had, the others are there all the same. */
	if (rc == 0 || e->code == MUNI_INCOMPLETE) {
		if (losses.failed.code != MUNI_OK)
			told = losses.failed;
		else
			report(cli, &losses, &result.target, &result, w->decision, &told);
		if (told.code != MUNI_OK) {
			*e = told;
			rc = -1;
		}
	}
	vault_close(v);
	return rc;
}

static const char *what_is_wrong(const struct cli *cli, const struct export_words *w)
{
	if (w->target.to == NULL)
		return "--to X says where to write";
	if (strcmp(w->target.to, "-") == 0 && w->target.format != EXPORT_TAR)
		return "--to - goes with --format tar only";
	if (w->has_decision && !w->source)
		return "--decision goes with --source: a version has no decisions";
	if (w->source && cli->restricted)
		return "--restricted is of a version's records, not of a live source";
	if (w->source && strchr(cli->operands[1], '@'))
		return "with --source name the system alone: the live source has no versions";
	return NULL;
}

static int run(struct cli *cli)
{
	struct export_words words = { .target = { .format = EXPORT_DIR },
				      .decision = DECISION_MIGRATE };
	struct err e = ERR_NONE;
	const char *wrong;
	int o;

	while ((o = cli_next(cli)) > 0)
		if (take_option(&words, o, cli->value, &e) < 0)
			return cli_usage(cli, "%s", e.text);
	if (o != CLI_END)
		return cli_stopped(o);
	wrong = what_is_wrong(cli, &words);
	if (wrong)
		return cli_usage(cli, "%s", wrong);
	return cli_end(cli, words.source ? migrate(cli, &words, &e)
					 : export(cli, &words.target, &e), &e);
}

const struct command cmd_export = {
	.name = "export",
	.operands = "ARCHIVE SYSTEM[@VERSION] [--source DIR] --to X",
	.summary = "write a version out: the migration path",
	.about =
	"Writes a version out as a directory, a tar (pax), a zip or a bag (RFC 8493),\n"
	"exact in every attribute that the target can carry; what it could not carry\n"
	"is listed.  What was written is read back and compared.  Run again after an\n"
	"interruption, it goes on where it stopped.\n"
	"With --source: what was decided to be migrated, straight from the live source and\n"
	"never through the archive.  Each item is held against the inventory: what is new\n"
	"or has changed since the scan is left out and counted; other content behind the\n"
	"same times is named and the export fails.  What cannot be read, or is no longer\n"
	"there, is named, the rest goes on, and the exit status is 1.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET | CLI_RESTRICTED,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};
