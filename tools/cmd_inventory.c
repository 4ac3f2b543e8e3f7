#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/base/total.h"
#include "fs/store/catalogue_items.h"
#include "fs/vault/scan.h"
#include "policy/glob.h"
#include "policy/memory.h"
#include "tools/commands.h"
#include "tools/item_json.h"
#include "tools/jsonl.h"
#include "tools/print.h"
#include "tools/sheet.h"
#include "tools/table.h"

enum { SYSTEM = 256, CSV, EXCEL, FORMAT, FINDING, OPAQUE, DUPLICATES };

static const struct cli_option options[] = {
	{ SYSTEM, "system", "NAME", "whose inventory (needed)" },
	{ CSV, "csv", NULL, "a spreadsheet on standard output" },
	{ EXCEL, "excel", NULL, "with --csv: a byte order mark in front" },
	{ FORMAT, "format", "GLOB", "of this format by content, as text/csv, image/*" },
	{ FINDING, "finding", "ID", "in which this stands, as iban; any: anything" },
	{ OPAQUE, "opaque", NULL, "what could not be looked into, wholly or in part" },
	{ DUPLICATES, "duplicates", NULL, "copies of other items" },
	{ .name = NULL },
};

struct selection {
	const char *system, *format, *finding;
	bool is_csv, has_mark, only_opaque, only_duplicates;
};

struct listing {
	struct cli *cli;
	const struct selection *want;
	struct memory memory;	/* of the globs */
	struct glob **paths;	/* one an operand; owned */
	size_t path_count;
	struct glob *format;	/* or NULL */
	int64_t at;		/* that ages are told for */
	struct table *table;
	struct sheet_out sheet;
	uint64_t items, bytes;
	struct err *e;
};

static void take_option(struct selection *want, int o, const char *value)
{
	switch (o) {
	case SYSTEM:
		want->system = value;
		break;
	case CSV:
		want->is_csv = true;
		break;
	case EXCEL:
		want->has_mark = true;
		break;
	case FORMAT:
		want->format = value;
		break;
	case FINDING:
		want->finding = value;
		break;
	case OPAQUE:
		want->only_opaque = true;
		break;
	default:
		want->only_duplicates = true;
		break;
	}
}

/* ---- which ------------------------------------------------------------------------ */

/* A path without the glob's own "/" at its end means all below it. */
static bool is_below(const char *text, const struct item_row *r)
{
	size_t size = strlen(text);

	while (size > 1 && text[size - 1] == '/')
		size--;
	return size > 0 && r->path_size > size && r->path[size] == '/' &&
		memcmp(r->path, text, size) == 0;
}

static bool is_path_match(const struct listing *l, const struct item_row *r)
{
	for (size_t i = 0; i < l->path_count; i++)
		if (glob_match(l->paths[i], r->path, r->path_size) ||
		    is_below(glob_text(l->paths[i]), r))
			return true;
	return l->path_count == 0;
}

static bool has_finding(const struct item_row *r, const char *id)
{
	if (strcmp(id, "any") == 0)
		return r->finding_count > 0;
	for (size_t i = 0; i < r->finding_count; i++)
		if (strcmp(r->findings[i].id, id) == 0)
			return true;
	return false;
}

static bool is_wanted(const struct listing *l, const struct item_row *r, bool is_duplicate)
{
	const struct selection *want = l->want;

	if ((want->only_opaque && !r->opaque) || (want->only_duplicates && !is_duplicate) ||
	    (want->finding && !has_finding(r, want->finding)))
		return false;
	if (l->format && (!r->format || !glob_match(l->format, r->format, strlen(r->format))))
		return false;
	return is_path_match(l, r);
}

static int make_globs(struct listing *l, struct err *e)
{
	struct cli *cli = l->cli;
	int count = cli->operand_count - 1;

	l->paths = calloc((size_t)count + 1, sizeof(struct glob *));
	if (!l->paths)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the patterns");
	for (int i = 0; i < count; i++) {
		const char *text = cli->operands[i + 1];

		while (*text == '/')
			text++;
		if (glob_new(&l->memory, text, 0, &l->paths[l->path_count++], e) < 0)
			return -1;
	}
	if (l->want->format)
		return glob_new(&l->memory, l->want->format, GLOB_FLAT | GLOB_ANY_CASE,
				&l->format, e);
	return 0;
}

/* ---- how ---------------------------------------------------------------------------- */

/* "iban 3, email 12" */
static void print_findings(const struct item_row *r, const char *between, char *out,
			   size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < r->finding_count && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s %llu",
					 i ? between : "", text_printable(r->findings[i].id),
					 (unsigned long long)r->findings[i].count);
}

static void table_row(struct listing *l, const struct item_row *r,
		      const char *duplicate_path, size_t duplicate_size)
{
	char size[TEXT_SIZE_MAX], when[48], found[400], *path;

	path = text_printable_dup(r->path, r->path_size);
	print_findings(r, ", ", found, sizeof found);
	table_cell(l->table, "%s", r->kind == NODE_FILE ? text_size(r->size, size) : "-");
	table_cell(l->table, "%.10s", print_time(r->mtime.seconds, when));
	table_cell(l->table, "%s", r->format ? text_printable(r->format) : "-");
	table_cell(l->table, "%s", *found ? found : "-");
	table_cell(l->table, "%s%s%s%s%s%s", path ? path : text_printable_n(r->path, r->path_size),
		   duplicate_path ? "  = " : "",
		   duplicate_path ? text_printable_n(duplicate_path, duplicate_size) : "",
		   r->claimed ? "  (named as " : "",
		   r->claimed ? text_printable(r->claimed) : "", r->claimed ? ")" : "");
	free(path);
	if (!r->opaque)
		return;
	for (int i = 0; i < 4; i++)
		table_cell(l->table, "%s", "");
	table_cell(l->table, "  not looked into: %s", text_printable(r->opaque));
}

static const char *const columns[] = {
	"path", "path_base64", "kind", "size", "modified", "age_days", "owner", "group",
	"mode", "format", "claimed", "encoding", "script", "sha256", "duplicate_of",
	"duplicate_of_base64", "copies", "findings", "not_looked_into",
};

static void sheet_head(struct sheet_out *s)
{
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		sheet_cell(s, columns[i]);
	sheet_end_row(s);
}

static void sheet_row(struct listing *l, const struct item_row *r,
		      const char *duplicate_path, size_t duplicate_size)
{
	char digest[DIGEST_HEX_SIZE] = "", time[TEXT_TIME_MAX], mode[8], found[4000];
	struct sheet_out *s = &l->sheet;

	if (r->has_sha256 && scan_digest_is_plain(r))
		digest_hex(&r->sha256, digest);
	snprintf(mode, sizeof mode, "%04o", r->mode & 07777);
	print_findings(r, "; ", found, sizeof found);
	sheet_bytes(s, r->path, r->path_size);
	sheet_cell(s, print_kind(r->kind));
	sheet_number(s, r->size);
	sheet_cell(s, text_time(r->mtime.seconds, r->mtime.ns, time));
	sheet_number(s, item_age_days(r, l->at));
	sheet_cell(s, r->owner);
	sheet_cell(s, r->group);
	sheet_cell(s, mode);
	sheet_cell(s, r->format);
	sheet_cell(s, r->claimed);
	sheet_cell(s, r->encoding);
	sheet_cell(s, r->script);
	sheet_cell(s, digest);
	sheet_bytes(s, duplicate_path ? duplicate_path : "", duplicate_size);
	sheet_number(s, r->copies);
	sheet_cell(s, found);
	sheet_cell(s, r->opaque);
	sheet_end_row(s);
}

static int on_item(void *arg, const struct item_row *r, const char *duplicate_path,
		   size_t duplicate_size)
{
	struct listing *l = arg;
	json_t *o;

	if (cli_is_over())
		return 1;
	if (!is_wanted(l, r, duplicate_path != NULL))
		return 0;
	l->items++;
	total_add(&l->bytes, r->kind == NODE_FILE ? r->size : 0);
	if (l->want->is_csv) {
		sheet_row(l, r, duplicate_path, duplicate_size);
		return 0;
	}
	if (!l->cli->json) {
		table_row(l, r, duplicate_path, duplicate_size);
		return 0;
	}
	o = jsonl_new("item");
	if (item_json(o, r, duplicate_path, duplicate_size, l->at, l->e) < 0) {
		json_decref(o);
		return -1;
	}
	return jsonl_end(o, l->e);
}

/* ---- the whole ------------------------------------------------------------------------ */

static void begin(struct listing *l)
{
	static const char *const heads[] = { "SIZE", "MODIFIED", "FORMAT", "FOUND", "PATH" };

	if (l->want->is_csv) {
		l->sheet.to = stdout;
		if (l->want->has_mark)
			sheet_mark(&l->sheet);
		sheet_head(&l->sheet);
	} else if (!l->cli->json) {
		l->table = table_new(stdout, "rllll", heads);
	}
}

static int end(struct listing *l)
{
	char items[TEXT_COUNT_MAX], bytes[TEXT_SIZE_MAX];

	if (l->want->is_csv || l->cli->json)
		return sheet_end(&l->sheet, l->e);
	if (table_end(l->table) < 0)
		return err_set(l->e, MUNI_NO_MEMORY, "no memory for a table");
	if (!l->cli->quiet)
		printf("\n%s item%s, %s\n", text_count(l->items, items),
		       l->items == 1 ? "" : "s", text_size(l->bytes, bytes));
	return 0;
}

static int list(struct listing *l, struct vault *v, struct err *e)
{
	struct catalogue *c = vault_catalogue(v);
	struct system system;
	struct scan scan;
	int rc;

	if (catalogue_scanned_system(c, l->want->system, &system, e) < 0 ||
	    catalogue_scan_latest(c, system.id, &scan, e) < 0)
		return -1;
	l->at = scan.began;
	if (!scan.is_complete && !l->cli->quiet)
		cli_say(l->cli, "note: the scan was cut off, so the inventory is not whole: "
			"`muni scan` again goes on with it");
	scan_clear(&scan);
	begin(l);
	rc = catalogue_items(c, system.id, NULL, 0, on_item, l, e);
	if (rc < 0) {
		table_end(l->table);
		return -1;
	}
	return end(l) < 0 ? -1 : cli_check_signal(e);
}

static int inventory(struct cli *cli, const struct selection *want, struct err *e)
{
	struct listing l = { .cli = cli, .want = want, .e = e };
	struct vault *v = NULL;
	int rc = -1;

	if (make_globs(&l, e) == 0 &&
	    cli_open(cli, cli->operands[0], VAULT_READ, &v, e) == 0)
		rc = list(&l, v, e);
	vault_close(v);
	free(l.paths);
	memory_clear(&l.memory);
	return rc;
}

static int run(struct cli *cli)
{
	struct selection want = { .system = NULL };
	struct err e = ERR_NONE;
	int o;

	while ((o = cli_next(cli)) > 0)
		take_option(&want, o, cli->value);
	if (o != CLI_END)
		return cli_stopped(o);
	if (want.system == NULL)
		return cli_usage(cli, "--system NAME says whose inventory");
	if (want.is_csv && cli->json)
		return cli_usage(cli, "--json and --csv: give one of them");
	return cli_end(cli, inventory(cli, &want, &e), &e);
}

const struct command cmd_inventory = {
	.name = "inventory",
	.operands = "ARCHIVE --system NAME [PATH-GLOB]...",
	.summary = "list what a scan has seen of a system",
	.about =
	"Lists every item that the last scan of the system saw, or those that meet all\n"
	"conditions given: format, sensitive data that stands in it (how many times,\n"
	"validated), what it is a copy of, what could not be looked into and why.\n"
	"A PATH-GLOB knows * ? [...] and ** as a policy's `path` does; a plain path\n"
	"means all below it too.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 1,
	.max_operands = -1,
	.run = run,
};
