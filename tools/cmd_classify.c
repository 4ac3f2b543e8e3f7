#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/commands.h"
#include "tools/decided.h"
#include "tools/jsonl.h"
#include "tools/progress.h"

enum { SYSTEM = 's', POLICY = 'p' };

static const struct cli_option options[] = {
	{ SYSTEM, "system", "NAME", "the system whose inventory is classified" },
	{ POLICY, "policy", "FILE", "the policy: see muni-policy(5)" },
	{ 0, NULL, NULL, NULL },
};

struct summing {
	struct decided_sums sums;
	struct item_facts facts;
	int64_t now;
	struct err *e;
};

static int on_item(void *arg, const struct decided_row *r)
{
	struct summing *s = arg;

	if (item_facts_fill(&s->facts, r->item, r->duplicate_path, r->duplicate_size, s->e) < 0)
		return -1;
	return decided_add(&s->sums, r, rot_of(&s->facts.facts, s->now), s->e);
}

static void tell_held_back(const struct classify_result *result)
{
	char count[TEXT_COUNT_MAX];

	if (result->held_back > 0)
		printf("\n%s of those for review were decided by a rule, but could not be "
		       "looked into (`muni inventory --opaque` names them)\n",
		       text_count(result->held_back, count));
}

static int report(struct cli *cli, struct vault *v, const char *name,
		  const struct classify_result *result, struct err *e)
{
	struct summing s = { .now = vault_now(v), .e = e };
	struct system system;
	int rc = -1;

	if (catalogue_scanned_system(vault_catalogue(v), name, &system, e) < 0 ||
	    catalogue_decided(vault_catalogue(v), system.id, NULL, 0, on_item, &s, e) < 0)
		goto out;
	if (cli->json) {
		json_t *o = decided_sums_json(&s.sums);

		jsonl_number(o, "held_back", result->held_back);
		rc = jsonl_end(o, e);
	} else {
		rc = decided_print_sums(stdout, &s.sums, e);
		tell_held_back(result);
		if (!cli->quiet)
			printf("\nNext: muni decisions %s --system %s, muni decide ... where an "
			       "officer knows better, then muni ingest\n",
			       text_printable(cli->operands[0]), text_printable(name));
	}
out:
	decided_sums_free(&s.sums);
	item_facts_free(&s.facts);
	return rc;
}

static int classify(struct cli *cli, const char *system, const char *policy, struct err *e)
{
	struct classify_result result;
	struct vault *v = NULL;
	int rc = -1;

	if (cli_open(cli, cli->operands[0], VAULT_WRITE, &v, e) == 0 &&
	    vault_classify(v, system, policy, &cli->monitor, &result, e) == 0) {
		progress_end(cli->progress);
		rc = report(cli, v, system, &result, e);
	}
	vault_close(v);
	return rc;
}

static int run(struct cli *cli)
{
	const char *system = NULL, *policy = NULL;
	struct err e = ERR_NONE;
	int o;

	while ((o = cli_next(cli)) > 0) {
		if (o == SYSTEM)
			system = cli->value;
		else
			policy = cli->value;
	}
	if (o != CLI_END)
		return cli_stopped(o);
	if (!system)
		return cli_usage(cli, "--system NAME says whose inventory is classified");
	if (!policy)
		return cli_usage(cli, "--policy FILE says by which rules");
	return cli_end(cli, classify(cli, system, policy, &e), &e);
}

const struct command cmd_classify = {
	.name = "classify",
	.operands = "ARCHIVE --system NAME --policy FILE",
	.summary = "decide on every item of an inventory by a policy",
	.about =
	"Applies the policy's rules to every item that `muni scan` found, and writes down\n"
	"for each what becomes of it (migrate, archive, destroy or review), its class,\n"
	"sensitivity and importance, the rule, all rules that matched, and why.  Nothing\n"
	"is moved and nothing destroyed.  Officers' own decisions (`muni decide`) stay.\n"
	"The policy's text is kept in the archive, its digest in the audit log.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
