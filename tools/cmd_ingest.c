#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/descriptors.h"
#include "fs/base/text.h"
#include "fs/vault/ingest.h"
#include "tools/commands.h"
#include "tools/ingest_policy.h"
#include "tools/jsonl.h"
#include "tools/left_out.h"
#include "tools/print.h"
#include "tools/problems.h"
#include "tools/progress.h"
#include "tools/table.h"

enum { SYSTEM = 256, VERSION, AT, CLASS, POLICY, EXCLUDE, ONE_FILE_SYSTEM, DRY_RUN, REREAD, ALL, RAR, RAW,
	NAME_ENCODING, THREADS, BOMB_LIMIT };

static const struct cli_option options[] = {
	{ SYSTEM, "system", "NAME", "the system that the source is a version of (needed)" },
	{ VERSION, "version", "LABEL", "the version's label (default: the next number)" },
	{ AT, "at", "TIME", "when the version was in force (default: now); decides @DATE" },
	{ CLASS, "class", "CODE", "the record class of all of it" },
	{ POLICY, "policy", "FILE", "scan and classify first, by this policy" },
	{ EXCLUDE, "exclude", "GLOB", "leave out paths that match (repeatable)" },
	{ ONE_FILE_SYSTEM, "one-file-system", NULL, "do not enter other file systems" },
	{ DRY_RUN, "dry-run", NULL, "read and count, store nothing" },
	{ ALL, "all", NULL, "of a classified system: also what is not to be archived" },
	{ REREAD, "reread", NULL, "read files too that look unchanged" },
	{ RAR, "rar", NULL, "take RAR archives" },
	{ RAW, "raw", NULL, "take a single compressed file that is no archive" },
	{ NAME_ENCODING, "name-encoding", "CHARSET", "of the names in an old zip, as GB18030" },
	{ THREADS, "threads", "N", "at work at once (default: one a processor)" },
	{ BOMB_LIMIT, "bomb-limit", "SIZE", "refuse an archive that expands past it" },
	{ .name = NULL },
};

static int take_number_option(struct ingest_words *w, int o, const char *value,
			      struct err *e)
{
	uint64_t n = 0;

	switch (o) {
	case AT:
		w->o.has_at = true;
		return cli_time("--at", value, false, &w->o.at, e);
	case THREADS:
		if (cli_number("--threads", value, 1, 256, &n, e) < 0)
			return -1;
		w->o.threads = (unsigned)n;
		return 0;
	default:
		return cli_size("--bomb-limit", value, &w->o.bomb_limit, e);
	}
}

static int take_option(struct ingest_words *w, int o, const char *value, struct err *e)
{
	switch (o) {
	case SYSTEM:
		w->o.system = value;
		return 0;
	case VERSION:
		w->o.label = value;
		return 0;
	case CLASS:
		w->o.class_code = value;
		return 0;
	case POLICY:
		w->policy = value;
		return 0;
	case EXCLUDE:
		return take_exclude(&w->excludes, &w->o.exclude_count, value, e);
	case ONE_FILE_SYSTEM:
		w->o.one_file_system = true;
		return 0;
	case DRY_RUN:
		w->o.dry_run = true;
		return 0;
	case REREAD:
		w->o.reread = true;
		return 0;
	case ALL:
		w->o.everything = true;
		return 0;
	case RAR:
		w->o.allow_rar = true;
		return 0;
	case RAW:
		w->o.allow_raw = true;
		return 0;
	case NAME_ENCODING:
		w->o.name_encoding = value;
		return 0;
	default:
		return take_number_option(w, o, value, e);
	}
}

static void count_line(struct table *t, const char *what, uint64_t n)
{
	char text[TEXT_COUNT_MAX];

	table_cell(t, "  %s", what);
	table_cell(t, "%s", text_count(n, text));
	table_cell(t, "%s", "");
}

static void size_line(struct table *t, const char *what, uint64_t bytes)
{
	char count[TEXT_COUNT_MAX], size[TEXT_SIZE_MAX];

	table_cell(t, "  %s", what);
	table_cell(t, "%s", text_count(bytes, count));
	table_cell(t, "bytes (%s)", text_size(bytes, size));
}

/* Bytes read a second; 0: nothing was read, or it took no time. */
static uint64_t rate_of(const struct ingest_result *r)
{
	return r->milliseconds ? r->read_bytes * 1000 / r->milliseconds : 0;
}

/* Every item of the source ends in exactly one of the four. */
static void print_left_out(const struct left_out *out)
{
	char count[TEXT_COUNT_MAX];

	fprintf(stderr, "as decided (muni decisions), only what is to be archived was taken in:\n");
	left_out_print(stderr, out, DECISION_ARCHIVE);
	if (out->missing > 0)
		fprintf(stderr, "%s item(s) to be archived are not in the source as they were "
			"scanned\n", text_count(out->missing, count));
}

static void print_rate(struct table *t, const struct ingest_result *r)
{
	char size[TEXT_SIZE_MAX];

	table_cell(t, "  took");
	table_cell(t, "%.1f", (double)r->milliseconds / 1000);
	if (rate_of(r) > 0)
		table_cell(t, "seconds (%s read a second)", text_size(rate_of(r), size));
	else
		table_cell(t, "seconds");
}

/* All that lies in the archive's folder, so that it can be held against an image of
 * another kind, part by part. */
static void print_sizes(const struct vault_sizes *s)
{
	struct table *t = table_new(stderr, "lrl", NULL);

	fprintf(stderr, "the archive now takes\n");
	size_line(t, "data", s->data);
	size_line(t, "catalogue", s->catalogue);
	size_line(t, "copies of it", s->copies);
	size_line(t, "parity", s->parity);
	size_line(t, "together", s->data + s->catalogue + s->copies + s->parity);
	table_end(t);
}

/* On standard error: standard output is the version's name and nothing else. */
static void print_summary(const struct ingest_result *r, bool is_dry)
{
	struct table *t = table_new(stderr, "lrl", NULL);
	const struct version *v = &r->version;

	count_line(t, "directories", v->directories);
	count_line(t, "files", v->files);
	if (v->others > 0)
		count_line(t, "links and specials", v->others);
	size_line(t, "size", v->bytes);
	count_line(t, "unchanged", r->unchanged);
	count_line(t, "added", r->added);
	count_line(t, "changed", r->changed);
	count_line(t, "removed", r->removed);
	count_line(t, "moved", r->moved);
	size_line(t, "read", r->read_bytes);
	if (!is_dry) {
		size_line(t, "new content", v->added_raw);
		size_line(t, "stored for it", v->added_stored);
	}
	if (v->problems > 0)
		count_line(t, "problems", v->problems);
	print_rate(t, r);
	table_end(t);
	if (r->has_sizes)
		print_sizes(&r->sizes);
	if (r->is_selected)
		print_left_out(&r->left_out);
}

static int print_json(const struct ingest_result *r, bool is_dry, struct err *e)
{
	json_t *o = jsonl_new("ingest");

	jsonl_bool(o, "dry_run", is_dry);
	print_version_json(o, &r->version);
	jsonl_number(o, "unchanged", r->unchanged);
	jsonl_number(o, "added", r->added);
	jsonl_number(o, "changed", r->changed);
	jsonl_number(o, "removed", r->removed);
	jsonl_number(o, "moved", r->moved);
	jsonl_number(o, "read_bytes", r->read_bytes);
	jsonl_number(o, "milliseconds", r->milliseconds);
	jsonl_number(o, "read_bytes_per_second", rate_of(r));
	if (r->has_sizes) {
		jsonl_number(o, "archive_data", r->sizes.data);
		jsonl_number(o, "archive_catalogue", r->sizes.catalogue);
		jsonl_number(o, "archive_catalogue_copies", r->sizes.copies);
		jsonl_number(o, "archive_parity", r->sizes.parity);
	}
	if (r->is_selected)
		json_object_set_new(o, "left_out", left_out_json(&r->left_out, DECISION_ARCHIVE));
	return jsonl_end(o, e);
}

static int report(struct cli *cli, struct vault *v, const struct ingest_result *r,
		  bool is_dry, struct err *e)
{
	struct problems problems = { cli, "left out: ", e };

	/* Without --quiet each was told when it was met. */
	if (!is_dry && r->version.problems > 0 && (cli->json || cli->quiet) &&
	    catalogue_problems(vault_catalogue(v), r->version.id, problem_tell, &problems, e) < 0)
		return -1;
	if (cli->json)
		return print_json(r, is_dry, e);
	if (!cli->quiet)
		print_summary(r, is_dry);
	if (!is_dry)
		printf("%s@%s\n", text_printable(r->version.system_name),
		       text_printable(r->version.label));
	return 0;
}

static int ingest(struct cli *cli, const struct ingest_words *w, struct err *e)
{
	const struct ingest_options *o = &w->o;
	struct ingest_result result = { .unchanged = 0 };
	struct err told = ERR_NONE;
	struct vault *v = NULL;
	int rc = -1;

	/* What a dry run leaves out stands nowhere: then it is told at once. */
	if (o->dry_run)
		cli->monitor.notice = progress_notice;
	descriptors_lift(INGEST_DESCRIPTORS);
	if (cli_open(cli, cli->operands[0], o->dry_run ? VAULT_READ : VAULT_WRITE, &v, e) < 0 ||
	    (w->policy && ingest_decide_first(cli, v, w, e) < 0))
		goto out;
	rc = vault_ingest(v, cli->operands[1], o, &cli->monitor, &result, e);
	progress_end(cli->progress);
	/* I2: an incomplete version is there all the same. */
	if (rc < 0 && e->code != MUNI_INCOMPLETE)
		goto out;
	if (report(cli, v, &result, o->dry_run, &told) < 0) {
		*e = told;
		rc = -1;
	}
out:
	vault_close(v);
	return rc;
}

static int run(struct cli *cli)
{
	struct ingest_words words = { .excludes = NULL };
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
		status = cli_usage(cli, "--system NAME says which system this is a version of");
	else if (words.policy && !ingest_decide_first)
		status = cli_usage(cli, "this program looks into no files: muni-whole takes --policy");
	else if (words.policy && (words.o.dry_run || words.o.everything))
		status = cli_usage(cli, "--policy goes without --dry-run and --all");
	else if (words.policy && strcmp(cli->operands[1], "-") == 0)
		status = cli_usage(cli, "a stream can be read once only: --policy needs a "
				   "directory or an archive file");
	else
		status = cli_end(cli, ingest(cli, &words, &e), &e);
	free(words.excludes);
	return status;
}

const struct command cmd_ingest = {
	.name = "ingest",
	.operands = "ARCHIVE SOURCE --system NAME",
	.summary = "take a source in, as one new version of a system",
	.about =
	"Takes SOURCE in as the next version of a system: a directory, an archive file\n"
	"(tar, zip, 7z, iso9660, cpio, ar, cab, lha, xar, warc, also compressed), or \"-\"\n"
	"for such a stream on standard input.  Unchanged files cost nothing.  What\n"
	"cannot be read is named, the rest goes on, the version is marked incomplete\n"
	"and the exit status is 1.  Killed at any moment, the archive stays valid, and\n"
	"the next ingest of the source goes on without storing again what is stored.\n"
	"Of a system that was scanned and classified only what is to be archived is taken\n"
	"in, each item into its class; the rest is counted by what was decided (--all:\n"
	"everything).  Prints the version as SYSTEM@LABEL.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};
