#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "policy/glob.h"
#include "policy/memory.h"
#include "tools/commands.h"
#include "tools/decided.h"
#include "tools/item_json.h"
#include "tools/jsonl.h"
#include "tools/table.h"

enum { SYSTEM = 's', DECISION = 'd', RULE = 'r', CLASS = 'c', SENSITIVITY = 256, PATH,
       OVERRIDDEN, DIFFERING, UNDECIDED, SUMMARY, CSV, MARK };

static const struct cli_option options[] = {
	{ SYSTEM, "system", "NAME", "the system whose decisions are listed" },
	{ DECISION, "decision", "D", "only migrate, archive, destroy or review" },
	{ RULE, "rule", "ID", "only what this rule decided" },
	{ CLASS, "class", "ID", "only this class" },
	{ SENSITIVITY, "sensitivity", "S", "only public, internal, confidential or restricted" },
	{ PATH, "path", "GLOB", "only these paths (** crosses folders)" },
	{ OVERRIDDEN, "overridden", NULL, "only what officers decided" },
	{ DIFFERING, "differing", NULL, "only where an officer decided otherwise" },
	{ UNDECIDED, "undecided", NULL, "only what is new or changed since the classification" },
	{ SUMMARY, "summary", NULL, "sums alone" },
	{ CSV, "csv", NULL, "a spreadsheet, which `muni decide --csv` reads back" },
	{ MARK, "excel", NULL, "with --csv: a byte order mark in front" },
	{ 0, NULL, NULL, NULL },
};

struct listing {
	struct cli *cli;
	const char *system, *rule, *class_code;
	bool has_decision, has_sensitivity, only_overridden, only_differing, only_undecided;
	bool only_sums, is_csv, has_mark;
	enum decision decision;
	enum sensitivity sensitivity;
	struct memory memory;
	struct glob *glob;
	struct decided_sums sums;
	struct item_facts facts;
	struct table *table;
	struct sheet_out sheet;
	int64_t now;
	struct err *e;
};

static int take_option(struct listing *l, int o, const char *value, struct err *e)
{
	switch (o) {
	case SYSTEM:
		l->system = value;
		return 0;
	case DECISION:
		l->has_decision = true;
		if (decision_parse(value, &l->decision) == 0)
			return 0;
		return err_set(e, MUNI_USAGE, "--decision is migrate, archive, destroy or review");
	case RULE:
		l->rule = value;
		return 0;
	case CLASS:
		l->class_code = value;
		return 0;
	case SENSITIVITY:
		l->has_sensitivity = true;
		if (sensitivity_parse(value, &l->sensitivity) == 0)
			return 0;
		return err_set(e, MUNI_USAGE, "--sensitivity is public, internal, confidential "
			       "or restricted");
	case PATH:
		return glob_new(&l->memory, value, 0, &l->glob, e);
	default:
		l->only_overridden |= o == OVERRIDDEN;
		l->only_differing |= o == DIFFERING;
		l->only_undecided |= o == UNDECIDED;
		l->only_sums |= o == SUMMARY;
		l->is_csv |= o == CSV;
		l->has_mark |= o == MARK;
		return 0;
	}
}

static bool is_wanted(const struct listing *l, const struct decided_row *r)
{
	const char *class_code = decided_class(r);

	return (!l->has_decision || decided_decision(r) == l->decision) &&
	       (!l->rule || (r->policy.rule && strcmp(r->policy.rule, l->rule) == 0)) &&
	       (!l->class_code || (class_code && strcmp(class_code, l->class_code) == 0)) &&
	       (!l->has_sensitivity || (r->has_decision && r->policy.sensitivity ==
					l->sensitivity)) &&
	       (!l->only_overridden || r->has_override) &&
	       (!l->only_differing || is_differing(r)) &&
	       (!l->only_undecided || !is_decided(r)) &&
	       (!l->glob || glob_match(l->glob, r->item->path, r->item->path_size));
}

static void table_row(struct listing *l, const struct decided_row *r)
{
	const char *class_code = decided_class(r);
	char size[TEXT_SIZE_MAX];
	enum decision d = decided_decision(r);

	table_cell(l->table, "%s%s", decision_name(d), !is_decided(r) ? " (new)" :
		   is_differing(r) ? " *" : "");
	table_cell(l->table, "%s", class_code ? text_printable(class_code) : "-");
	table_cell(l->table, "%s", r->has_decision ?
		   sensitivity_name((enum sensitivity)r->policy.sensitivity) : "-");
	table_cell(l->table, "%s", text_size(r->item->size, size));
	if (r->has_override)
		table_cell(l->table, "%s", text_printable(r->override.officer));
	else
		table_cell(l->table, "%s", r->policy.rule ? text_printable(r->policy.rule) : "-");
	table_cell(l->table, "%s", text_printable_n(r->item->path, r->item->path_size));
}

static int print_json(struct listing *l, const struct decided_row *r)
{
	json_t *o = jsonl_new("item");

	if (item_json(o, r->item, r->duplicate_path, r->duplicate_size, l->now, l->e) < 0) {
		json_decref(o);
		return -1;
	}
	decided_json(o, r);
	return jsonl_end(o, l->e);
}

static int on_item(void *arg, const struct decided_row *r)
{
	struct listing *l = arg;

	if (cli_is_over())
		return 1;
	if (!is_wanted(l, r))
		return 0;
	if (item_facts_fill(&l->facts, r->item, r->duplicate_path, r->duplicate_size, l->e) < 0 ||
	    decided_add(&l->sums, r, rot_of(&l->facts.facts, l->now), l->e) < 0)
		return -1;
	if (l->only_sums)
		return 0;
	if (l->is_csv)
		decided_sheet_row(&l->sheet, r);
	else if (l->cli->json)
		return print_json(l, r);
	else
		table_row(l, r);
	return 0;
}

/* Who decided by which rules: above the list. */
static int print_head(struct listing *l, struct catalogue *c, int64_t system, struct err *e)
{
	char digest[DIGEST_HEX_SIZE], time[TEXT_TIME_MAX];
	struct classification k;
	struct policy_row policy;

	if (catalogue_classification_get(c, system, &k, e) < 0 ||
	    catalogue_policy_get(c, k.policy, &policy, e) < 0)
		return -1;
	digest_hex(&policy.digest, digest);
	if (!l->cli->json && !l->is_csv && !l->cli->quiet)
		printf("by policy %s, version %u (SHA-256 %.16s...), %s\n\n",
		       text_printable(policy.name), policy.version, digest,
		       text_time(k.decided, 0, time));
	policy_row_clear(&policy);
	return 0;
}

static void begin(struct listing *l)
{
	static const char *const heads[] = { "DECISION", "CLASS", "SENSITIVITY", "SIZE",
		"BY RULE OR OFFICER", "PATH" };

	if (l->only_sums)
		return;
	if (l->is_csv) {
		l->sheet.to = stdout;
		if (l->has_mark)
			sheet_mark(&l->sheet);
		decided_sheet_head(&l->sheet);
	} else if (!l->cli->json) {
		l->table = table_new(stdout, "lllrll", heads);
	}
}

static int end(struct listing *l, struct err *e)
{
	if (!l->only_sums && !l->is_csv && !l->cli->json && table_end(l->table) < 0)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	if (l->cli->json && l->only_sums)
		return jsonl_end(decided_sums_json(&l->sums), e);
	if (l->cli->json || l->is_csv)
		return sheet_end(&l->sheet, e);
	if (!l->only_sums)
		putchar('\n');
	if (decided_print_sums(stdout, &l->sums, e) < 0)
		return -1;
	if (l->sums.differing > 0 && !l->only_sums)
		puts("* an officer decided otherwise than the policy");
	return 0;
}

static int list(struct listing *l, struct vault *v, struct err *e)
{
	struct catalogue *c = vault_catalogue(v);
	struct system system;

	l->now = vault_now(v);
	l->e = e;
	if (catalogue_scanned_system(c, l->system, &system, e) < 0 ||
	    print_head(l, c, system.id, e) < 0)
		return -1;
	begin(l);
	int rc = catalogue_decided(c, system.id, NULL, 0, on_item, l, e);
	return rc < 0 ? -1 : end(l, e);
}

static int run(struct cli *cli)
{
	struct err e = ERR_NONE;
	struct listing l = { .cli = cli };
	struct vault *v = NULL;
	int rc = -1, status, o;

	while ((o = cli_next(cli)) > 0)
		if (take_option(&l, o, cli->value, &e) < 0) {
			status = cli_usage(cli, "%s", e.text);
			goto out;
		}
	if (o != CLI_END) {
		status = cli_stopped(o);
		goto out;
	}
	if (!l.system || (l.is_csv && (cli->json || l.only_sums))) {
		status = cli_usage(cli, !l.system ? "--system NAME says whose decisions" :
				   "--csv goes without --json and --summary");
		goto out;
	}
	if (cli_open(cli, cli->operands[0], VAULT_READ, &v, &e) == 0)
		rc = list(&l, v, &e);
	if (rc == 0)
		rc = cli_check_signal(&e);
	vault_close(v);
	status = cli_end(cli, rc, &e);
out:
	decided_sums_free(&l.sums);
	item_facts_free(&l.facts);
	memory_clear(&l.memory);
	return status;
}

const struct command cmd_decisions = {
	.name = "decisions",
	.operands = "ARCHIVE --system NAME",
	.summary = "list what was decided on each item, and sums",
	.about =
	"Lists what becomes of each item, by which rule or officer, and sums up by decision\n"
	"and class, with what is redundant, obsolete or trivial.  Filters may be joined.\n"
	"With --json: the object of `muni inventory` with the decision and its reasons.\n"
	"With --csv: a sheet to work on; `muni decide --csv` takes the changed rows in.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
