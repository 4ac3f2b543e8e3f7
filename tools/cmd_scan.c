#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/store/catalogue_items.h"
#include "fs/vault/classify.h"
#include "fs/vault/scan.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/left_out.h"
#include "tools/problems.h"
#include "tools/progress.h"
#include "tools/scan_report.h"

enum { SYSTEM = 256, EXCLUDE, POLICY, REREAD, ONE_FILE_SYSTEM, THREADS };

static const struct cli_option options[] = {
	{ SYSTEM, "system", "NAME", "the system that the source is (needed)" },
	{ EXCLUDE, "exclude", "GLOB", "leave out paths that match (repeatable)" },
	{ POLICY, "policy", "FILE", "look for what its own recognisers know too" },
	{ REREAD, "reread", NULL, "look into files too that look unchanged" },
	{ ONE_FILE_SYSTEM, "one-file-system", NULL, "do not enter other file systems" },
	{ THREADS, "threads", "N", "at work at once (default: one a processor)" },
	{ .name = NULL },
};

struct scan_words {
	struct scan_options o;
	const char **excludes;	/* owned; o has them from there */
	const char *policy;
};

static int take_option(struct scan_words *w, int o, const char *value, struct err *e)
{
	uint64_t n = 0;

	switch (o) {
	case SYSTEM:
		w->o.system = value;
		return 0;
	case EXCLUDE:
		return take_exclude(&w->excludes, &w->o.exclude_count, value, e);
	case POLICY:
		w->policy = value;
		return 0;
	case REREAD:
		w->o.reread = true;
		return 0;
	case ONE_FILE_SYSTEM:
		w->o.one_file_system = true;
		return 0;
	default:
		if (cli_number("--threads", value, 1, 256, &n, e) < 0)
			return -1;
		w->o.threads = (unsigned)n;
		return 0;
	}
}

static int print(struct cli *cli, const char *name, const struct scan_report *report,
		 const struct scan_result *result, struct err *e)
{
	json_t *o;

	if (cli->json) {
		o = jsonl_new("scan");
		jsonl_text(o, "system", name);
		scan_report_json(o, report, result);
		return jsonl_end(o, e);
	}
	if (cli->quiet)
		return 0;
	if (scan_report_print(stdout, report, result, e) < 0)
		return -1;
	printf("\nnext:\n  muni inventory %s --system %s\n"
	       "  muni classify %s --system %s --policy FILE\n",
	       text_printable(cli->operands[0]), text_printable(name),
	       text_printable(cli->operands[0]), text_printable(name));
	return 0;
}

static int report(struct cli *cli, struct vault *v, const char *name,
		  const struct scan_result *result, struct err *e)
{
	struct catalogue *c = vault_catalogue(v);
	struct problems problems = { cli, "", e };
	struct scan_report r = { .format_count = 0 };
	struct system system;
	struct scan scan = { .id = 0 };
	int rc = -1;

	/* Without --quiet each was told when it was met. */
	if (catalogue_scanned_system(c, name, &system, e) == 0 &&
	    catalogue_scan_latest(c, system.id, &scan, e) == 0 &&
	    (result->problems == 0 || (!cli->json && !cli->quiet) ||
	     catalogue_scan_problems(c, scan.id, problem_tell, &problems, e) == 0) &&
	    scan_report_make(&r, c, system.id, e) == 0)
		rc = print(cli, name, &r, result, e);
	scan_report_free(&r);
	scan_clear(&scan);
	return rc;
}

static int scan(struct cli *cli, struct scan_words *w, struct err *e)
{
	struct scan_result result = { .items = 0 };
	struct err told = ERR_NONE;
	struct policy *policy = NULL;
	struct vault *v = NULL;
	char *text = NULL;
	size_t size;
	int rc = -1;

	if (w->policy) {
		if (vault_policy_read(w->policy, &policy, &text, &size, e) < 0)
			goto out;
		w->o.custom = policy_info(policy)->custom;
		w->o.custom_count = policy_info(policy)->custom_count;
	}
	if (cli_open(cli, cli->operands[0], VAULT_WRITE, &v, e) < 0)
		goto out;
	rc = vault_scan(v, cli->operands[1], &w->o, &cli->monitor, &result, e);
	progress_end(cli->progress);
	/* The inventory of a source with problems is there all the same. */
	if (rc < 0 && e->code != MUNI_INCOMPLETE)
		goto out;
	if (report(cli, v, w->o.system, &result, &told) < 0) {
		*e = told;
		rc = -1;
	}
out:
	vault_close(v);
	policy_free(policy);
	free(text);
	return rc;
}

static int run(struct cli *cli)
{
	struct scan_words words = { .excludes = NULL };
	struct err e = ERR_NONE;
	int o, status;

	while ((o = cli_next(cli)) > 0)
		if (take_option(&words, o, cli->value, &e) < 0) {
			free(words.excludes);
			return cli_usage(cli, "%s", e.text);
		}
	words.o.excludes = words.excludes;
	if (o != CLI_END)
		status = cli_stopped(o);
	else if (words.o.system == NULL)
		status = cli_usage(cli, "--system NAME says which system this is");
	else
		status = cli_end(cli, scan(cli, &words, &e), &e);
	free(words.excludes);
	return status;
}

const struct command cmd_scan = {
	.name = "scan",
	.operands = "ARCHIVE SOURCE --system NAME",
	.summary = "make the inventory of a source, before anything is decided",
	.about =
	"Looks at every item of SOURCE (a directory, or an archive as tar, zip, 7z) and\n"
	"writes into the archive what it is: size, times, owner, SHA-256, format by\n"
	"content, encoding, copies, and what sensitive data stands in it, also inside\n"
	"office files, PDF, mail, databases and archives; samples are masked.  What\n"
	"cannot be looked into is recorded as such, and never counts as clean.\n"
	"Nothing in SOURCE is changed.  A second scan reads only what has changed; one\n"
	"that was cut off is gone on with by the same command.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};
