#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/commands.h"
#include "tools/decided.h"
#include "tools/jsonl.h"

enum { SYSTEM = 's', DECISION = 'd', CLASS = 'c', OFFICER = 'o', REASON = 'r', GLOB = 'g',
       WITHDRAW = 256, CSV };

static const struct cli_option options[] = {
	{ SYSTEM, "system", "NAME", "the system whose items are decided on" },
	{ DECISION, "decision", "D", "migrate, archive, destroy or review" },
	{ CLASS, "class", "ID", "a class of the policy, instead of the rule's" },
	{ OFFICER, "officer", "NAME", "who decides" },
	{ REASON, "reason", "TEXT", "why" },
	{ GLOB, "glob", NULL, "PATH is a pattern (** crosses folders)" },
	{ WITHDRAW, "withdraw", NULL, "take officers' decisions back: the policy's hold again" },
	{ CSV, "csv", "FILE", "take the decisions from a sheet; - is standard input" },
	{ 0, NULL, NULL, NULL },
};

struct words {
	const char *system, *officer, *reason, *class_code, *csv;
	bool is_glob, is_withdrawn, has_decision;
	enum decision decision;
};

struct requests {
	struct override_request *list;	/* owned; their texts borrowed, but paths: */
	char **paths;			/* owned, where not borrowed from the command line */
	size_t count, path_count;
};

static void requests_free(struct requests *r)
{
	for (size_t i = 0; i < r->path_count; i++)
		free(r->paths[i]);
	free(r->paths);
	free(r->list);
}

static int take_option(struct words *w, int o, const char *value, struct err *e)
{
	const char **const texts[] = { &w->system, &w->class_code, &w->officer, &w->reason,
		&w->csv };
	static const int ids[] = { SYSTEM, CLASS, OFFICER, REASON, CSV };

	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		if (ids[i] == o) {
			*texts[i] = value;
			return 0;
		}
	w->is_glob |= o == GLOB;
	w->is_withdrawn |= o == WITHDRAW;
	if (o != DECISION)
		return 0;
	w->has_decision = true;
	if (decision_parse(value, &w->decision) < 0)
		return err_set(e, MUNI_USAGE, "--decision is migrate, archive, destroy or review");
	return 0;
}

/* ---- from a sheet -------------------------------------------------------------------------- */

struct columns {
	int path, path_base64, decision, class_code, officer, reason;
};

static int find_columns(const struct sheet *s, struct columns *k, struct err *e)
{
	*k = (struct columns){
		.path = sheet_column(s, "path"),
		.path_base64 = sheet_column(s, "path_base64"),
		.decision = sheet_column(s, "decision"), .class_code = sheet_column(s, "class"),
		.officer = sheet_column(s, "officer"), .reason = sheet_column(s, "reason"),
	};
	if (k->path < 0 || k->decision < 0)
		return err_set(e, MUNI_USAGE, "its first line must name the columns \"path\" and "
			       "\"decision\"; \"class\", \"officer\" and \"reason\" may be there");
	return 0;
}

/* The row's path, malloc'ed. */
static char *path_of(const struct sheet *s, size_t row, const struct columns *k)
{
	const char *text = sheet_at(s, row, k->path);
	const char *base64 = sheet_at(s, row, k->path_base64);

	return *text || !*base64 ? strdup(text) : text_unbase64(base64);
}

/* Does the sheet say something else than what holds already? */
static int is_news(struct catalogue *c, int64_t system, const struct override_request *r,
		   bool *out, struct err *e)
{
	struct decided_row now;
	struct item_row item;

	*out = true;
	if (catalogue_item_find(c, system, r->path, strlen(r->path), false, &item, e) < 0) {
		if (e->code != MUNI_NOT_FOUND)
			return -1;
		*e = ERR_NONE;	/* vault_decide() says so, with the line */
		return 0;
	}
	int rc = catalogue_decided_find(c, &item, &now, e);
	if (rc == 0) {
		const char *class_code = decided_class(&now);

		*out = decided_decision(&now) != r->decision ||
		       (r->class_code && strcmp(class_code ? class_code : "", r->class_code) != 0);
		decided_row_clear(&now);
	}
	item_row_clear(&item);
	return rc;
}

static int take_row(const struct words *w, const struct sheet *s, size_t row,
		    const struct columns *k, struct requests *out, struct err *e)
{
	const char *class_code = sheet_at(s, row, k->class_code);
	const char *officer = sheet_at(s, row, k->officer);
	const char *reason = sheet_at(s, row, k->reason);
	struct override_request *r = &out->list[out->count];
	char *path = path_of(s, row, k);

	if (!path)
		return err_set(e, MUNI_USAGE, "path_base64 is no base64 (RFC 4648)");
	out->paths[out->path_count++] = path;
	*r = (struct override_request){
		.path = path, .is_glob = w->is_glob,
		.class_code = *class_code ? class_code : NULL,
		.officer = *officer ? officer : w->officer,
		.reason = *reason ? reason : w->reason,
	};
	if (!*path)
		return err_set(e, MUNI_USAGE, "the row has no path");
	if (decision_parse(sheet_at(s, row, k->decision), &r->decision) < 0)
		return err_set(e, MUNI_USAGE, "the decision \"%s\" is none of migrate, archive, "
			       "destroy, review", text_printable(sheet_at(s, row, k->decision)));
	return 0;
}

static int check_people(const struct override_request *r, struct err *e)
{
	if (!r->officer || !*r->officer)
		return err_set(e, MUNI_USAGE, "who decides %s? Fill in the column officer, or "
			       "give --officer", text_printable(r->path));
	if (!r->reason || !*r->reason)
		return err_set(e, MUNI_USAGE, "why is %s decided so? Fill in the column reason, or "
			       "give --reason", text_printable(r->path));
	return 0;
}

static int take_sheet(const struct words *w, const struct sheet *s, struct vault *v,
		      struct requests *out, struct err *e)
{
	struct catalogue *c = vault_catalogue(v);
	struct system system;
	struct columns k;

	if (find_columns(s, &k, e) < 0 ||
	    catalogue_scanned_system(c, w->system, &system, e) < 0)
		return -1;
	out->list = calloc(sheet_rows(s) + 1, sizeof *out->list);
	out->paths = calloc(sheet_rows(s) + 1, sizeof *out->paths);
	if (!out->list || !out->paths)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the sheet");
	for (size_t row = 0; row < sheet_rows(s); row++) {
		bool is_new = true;

		if (take_row(w, s, row, &k, out, e) < 0 ||
		    (!w->is_glob && is_news(c, system.id, &out->list[out->count], &is_new,
					    e) < 0) ||
		    (is_new && check_people(&out->list[out->count], e) < 0))
			return err_wrap(e, "the sheet %s, line %u", text_printable(w->csv),
					sheet_line(s, row));
		out->count += is_new;
	}
	return 0;
}

/* ---- from the command line ------------------------------------------------------------------ */

static int take_words(struct cli *cli, const struct words *w, struct requests *out,
		      struct err *e)
{
	size_t n = (size_t)cli->operand_count - 1;

	out->list = calloc(n, sizeof *out->list);
	if (!out->list)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the paths");
	for (size_t i = 0; i < n; i++) {
		char *path = cli->operands[i + 1];

		if (!w->is_glob && cli_path(path, e) < 0)
			return -1;
		out->list[out->count++] = (struct override_request){
			.path = path, .is_glob = w->is_glob, .is_withdrawn = w->is_withdrawn,
			.decision = w->decision, .class_code = w->class_code,
			.officer = w->officer, .reason = w->reason,
		};
	}
	return 0;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int report(struct cli *cli, const struct words *w, uint64_t count, struct err *e)
{
	char text[TEXT_COUNT_MAX];

	if (cli->json) {
		json_t *o = jsonl_new("decided");

		jsonl_text(o, "system", w->system);
		jsonl_number(o, "items", count);
		return jsonl_end(o, e);
	}
	if (!cli->quiet)
		printf("%s item%s of %s %s\n", text_count(count, text), count == 1 ? "" : "s",
		       text_printable(w->system), w->is_withdrawn ?
		       "given back to the policy" : "decided");
	return 0;
}

static int decide(struct cli *cli, const struct words *w, struct err *e)
{
	struct requests r = { .list = NULL };
	struct sheet *sheet = NULL;
	struct vault *v = NULL;
	uint64_t count = 0;
	int rc = -1;

	if ((w->csv && sheet_read(w->csv, &sheet, e) < 0) ||
	    cli_open(cli, cli->operands[0], VAULT_WRITE, &v, e) < 0 ||
	    (sheet ? take_sheet(w, sheet, v, &r, e) : take_words(cli, w, &r, e)) < 0)
		goto out;
	rc = r.count == 0 ? 0 : vault_decide(v, w->system, r.list, r.count, &count, e);
	if (rc == 0)
		rc = report(cli, w, count, e);
out:
	requests_free(&r);
	sheet_free(sheet);
	vault_close(v);
	return rc;
}

static int check_words(struct cli *cli, const struct words *w)
{
	bool has_paths = cli->operand_count > 1;

	if (!w->system)
		return cli_usage(cli, "--system NAME says whose items");
	if (has_paths == (w->csv != NULL))
		return cli_usage(cli, "give the items' paths, or --csv FILE");
	if (w->csv && (w->has_decision || w->is_withdrawn))
		return cli_usage(cli, "with --csv the sheet says what is decided");
	if (!w->csv && w->has_decision == w->is_withdrawn)
		return cli_usage(cli, "give --decision D, or --withdraw");
	if (!w->csv && (!w->officer || !w->reason))
		return cli_usage(cli, "--officer NAME and --reason TEXT say who decides and why");
	return 0;
}

static int run(struct cli *cli)
{
	struct words w = { .system = NULL };
	struct err e = ERR_NONE;
	int o, wrong;

	while ((o = cli_next(cli)) > 0)
		if (take_option(&w, o, cli->value, &e) < 0)
			return cli_usage(cli, "%s", e.text);
	if (o != CLI_END)
		return cli_stopped(o);
	wrong = check_words(cli, &w);
	return wrong ? wrong : cli_end(cli, decide(cli, &w, &e), &e);
}

const struct command cmd_decide = {
	.name = "decide",
	.operands = "ARCHIVE --system NAME PATH...",
	.summary = "decide otherwise than the policy on some items",
	.about =
	"Writes down an officer's own decision on items of the inventory, with name and\n"
	"reason.  It outlives later scans and classifications; the policy's decision is\n"
	"kept beside it and both are shown.  Items are named by path, by --glob, or by a\n"
	"sheet (--csv) with the columns path, decision and, as needed, class, officer,\n"
	"reason: rows that say what holds already are passed over, so that the output of\n"
	"`muni decisions --csv` can be edited and taken back in.  All or nothing.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 1,
	.max_operands = -1,
	.run = run,
};
