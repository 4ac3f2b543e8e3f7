#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/print.h"
#include "tools/table.h"

struct listing {
	struct cli *cli;
	struct table *table;
	struct err *e;
	bool is_any;
};

static const char *const heads[] = { "VERSION", "IN FORCE (UTC)", "INGESTED (UTC)", "FILES", "SIZE",
	"STORED FOR IT", "SOURCE", "STATE" };

static void version_row(struct table *t, const struct version *v)
{
	char at[TEXT_TIME_MAX], ingested[TEXT_TIME_MAX], files[TEXT_COUNT_MAX];
	char bytes[TEXT_SIZE_MAX], stored[TEXT_SIZE_MAX];

	table_cell(t, "%s@%s", text_printable(v->system_name), text_printable(v->label));
	table_cell(t, "%s", print_time(v->at, at));
	table_cell(t, "%s", print_time(v->ingested, ingested));
	table_cell(t, "%s", text_count(v->files, files));
	table_cell(t, "%s", text_size(v->bytes, bytes));
	table_cell(t, "%s", text_size(v->added_stored, stored));
	table_cell(t, "%s", text_printable(v->source_kind));
	if (v->problems > 0)
		table_cell(t, "%s, %llu problem%s", print_state(v->state),
			   (unsigned long long)v->problems, v->problems == 1 ? "" : "s");
	else
		table_cell(t, "%s", print_state(v->state));
}

static int on_version(void *arg, const struct version *v)
{
	struct listing *l = arg;
	json_t *o;

	l->is_any = true;
	if (!l->cli->json) {
		version_row(l->table, v);
		return cli_is_over();
	}
	o = jsonl_new("version");
	print_version_json(o, v);
	return jsonl_end(o, l->e) < 0 ? -1 : cli_is_over();
}

static int list_versions(struct cli *cli, struct catalogue *c, int64_t system,
			 struct err *e)
{
	struct listing l = { .cli = cli, .e = e };
	int rc;

	if (!cli->json)
		l.table = table_new(stdout, "lllrrrll", heads);
	rc = catalogue_versions(c, system, on_version, &l, e);
	if (!cli->json && table_end(l.table) < 0 && rc == 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	if (rc == 0 && !l.is_any && !cli->quiet)
		cli_say(cli, "no version was taken in yet: `muni ingest` does it");
	return rc;
}

static int on_problem(void *arg, const void *path, size_t path_size, const char *what)
{
	struct listing *l = arg;
	json_t *o;

	if (!l->cli->json) {
		printf("problem:      %s: %s\n", text_printable_n(path, path_size),
		       text_printable(what));
		return cli_is_over();
	}
	o = jsonl_new("problem");
	jsonl_bytes(o, "path", path, path_size);
	jsonl_text(o, "what", what);
	return jsonl_end(o, l->e) < 0 ? -1 : cli_is_over();
}

static void print_one(const struct version *v)
{
	char at[TEXT_TIME_MAX], ingested[TEXT_TIME_MAX], root[DIGEST_HEX_SIZE];
	char count[TEXT_COUNT_MAX], size[TEXT_SIZE_MAX], raw[TEXT_SIZE_MAX];

	text_hex(v->merkle.bytes, sizeof v->merkle.bytes, root);
	printf("version:      %s@%s\n", text_printable(v->system_name), text_printable(v->label));
	printf("state:        %s\n", print_state(v->state));
	printf("in force:     %s\n", text_time(v->at, 0, at));
	printf("ingested:     %s\n", text_time(v->ingested, 0, ingested));
	printf("source:       %s\n", text_printable(v->source_kind));
	printf("directories:  %s\n", text_count(v->directories, count));
	printf("files:        %s\n", text_count(v->files, count));
	printf("others:       %s\n", text_count(v->others, count));
	printf("size:         %s\n", text_size(v->bytes, size));
	printf("new content:  %s, stored in %s\n", text_size(v->added_raw, raw),
	       text_size(v->added_stored, size));
	printf("merkle root:  %s\n", root);
	printf("problems:     %s\n", text_count(v->problems, count));
}

/* One version: more of it, and its problems. */
static int show_version(struct cli *cli, struct catalogue *c, const char *spec,
			struct err *e)
{
	struct listing l = { .cli = cli, .e = e };
	struct version v;

	if (vault_resolve(c, spec, &v, e) < 0)
		return -1;
	if (!cli->json) {
		print_one(&v);
	} else {
		json_t *o = jsonl_new("version");

		print_version_json(o, &v);
		if (jsonl_end(o, e) < 0)
			return -1;
	}
	return catalogue_problems(c, v.id, on_problem, &l, e);
}

static int run(struct cli *cli)
{
	const char *spec;
	struct err e = ERR_NONE;
	struct vault *v = NULL;
	struct catalogue *c;
	struct system system = { .id = 0 };
	int rc = -1, o = cli_next(cli);

	if (o != CLI_END)
		return cli_stopped(o);
	spec = cli->operand_count > 1 ? cli->operands[1] : NULL;
	if (cli_open(cli, cli->operands[0], VAULT_READ, &v, &e) < 0)
		goto out;
	c = vault_catalogue(v);
	if (spec != NULL && strchr(spec, '@') != NULL) {
		rc = show_version(cli, c, spec, &e);
		goto out;
	}
	if (spec != NULL && catalogue_system_find(c, spec, &system, &e) < 0)
		goto out;
	rc = list_versions(cli, c, system.id, &e);
out:
	if (rc == 0)
		rc = cli_check_signal(&e);
	vault_close(v);
	return cli_end(cli, rc, &e);
}

const struct command cmd_log = {
	.name = "log",
	.operands = "ARCHIVE [SYSTEM[@VERSION]]",
	.summary = "list the versions that were taken in",
	.about =
	"Lists the versions of all systems, or of one, oldest first.  For a single\n"
	"version: all that is known of it, and what could not be taken in.",
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 1,
	.max_operands = 2,
	.run = run,
};
