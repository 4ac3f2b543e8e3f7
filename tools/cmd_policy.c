#include <string.h>

#include "fs/base/text.h"
#include "fs/store/catalogue_items.h"
#include "tools/commands.h"
#include "tools/policy_acts.h"

enum { SYSTEM = 's', POLICY = 'p', ASOF = 256, SUMMARY, CSV };

static const struct cli_option options[] = {
	{ SYSTEM, "system", "NAME", "explain, simulate, diff: whose inventory" },
	{ POLICY, "policy", "FILE", "explain, simulate: by this policy (explain: or the last)" },
	{ ASOF, "asof", "DATE", "explain, simulate: as of this day, as in 2031-12-31" },
	{ SUMMARY, "summary", NULL, "diff: sums alone, not every file" },
	{ CSV, "csv", NULL, "classes: a sheet, which import reads back" },
	{ .name = NULL },
};

static const struct act {
	const char *name;
	int min, max;		/* operands behind the name; max -1: any number */
	const char *wants;
	bool takes_system, takes_policy, takes_asof, takes_summary;
	int (*run)(struct cli *cli, const struct policy_words *w, int count, char **operands,
		   struct err *e);
} acts[] = {
	{ "check", 1, -1, "the policies", false, false, false, false, policy_check },
	{ "explain", 2, 2, "the archive and an item's path", true, true, true, false,
	  policy_explain_item },
	{ "simulate", 1, 1, "the archive", true, true, true, false, policy_simulate },
	{ "diff", 2, 3, "the archive, the old policy, the new one; or the two policies alone",
	  true, false, true, true, policy_diff },
	{ "classes", 1, 1, "a policy", false, false, false, false, policy_classes },
	{ "import", 2, 2, "a policy and a sheet of classes", false, false, false, false,
	  policy_import },
};

static const struct act *find_act(const char *name)
{
	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
		if (strcmp(acts[i].name, name) == 0)
			return &acts[i];
	return NULL;
}

static void take_option(struct policy_words *w, int o, const char *value)
{
	switch (o) {
	case SYSTEM:
		w->system = value;
		return;
	case POLICY:
		w->policy = value;
		return;
	case ASOF:
		w->asof = value;
		return;
	case CSV:
		w->is_csv = true;
		return;
	default:
		w->only_sums = true;
	}
}

static int check_words(struct cli *cli, const struct act *act, const struct policy_words *w)
{
	int count = cli->operand_count - 1;
	bool needs_system;

	if (act == NULL)
		return cli_usage(cli, "there is no 'policy %s': check, explain, simulate, diff, "
				 "classes, import", text_printable(cli->operands[0]));
	if (count < act->min || (act->max >= 0 && count > act->max))
		return cli_usage(cli, "%s wants %s", act->name, act->wants);
	if ((w->system != NULL && !act->takes_system) ||
	    (w->policy != NULL && !act->takes_policy) ||
	    (w->asof != NULL && !act->takes_asof) || (w->only_sums && !act->takes_summary) ||
	    (w->is_csv && act->run != policy_classes))
		return cli_usage(cli, "%s does not take all of these options", act->name);
	needs_system = act->takes_system && (act->run != policy_diff || count == 3);
	if (needs_system && w->system == NULL)
		return cli_usage(cli, "--system NAME says whose inventory");
	if (!needs_system && (w->system != NULL || w->asof != NULL || w->only_sums))
		return cli_usage(cli, "two policies alone are compared without an inventory; name "
				 "the archive before them");
	if (act->run == policy_simulate && w->policy == NULL)
		return cli_usage(cli, "--policy FILE says by which rules");
	return 0;
}

static int run(struct cli *cli)
{
	struct policy_words words = { .system = NULL };
	struct err e = ERR_NONE;
	const struct act *act;
	int o;

	while ((o = cli_next(cli)) > 0)
		take_option(&words, o, cli->value);
	if (o != CLI_END)
		return cli_stopped(o);
	act = find_act(cli->operands[0]);
	if (check_words(cli, act, &words) != 0)
		return CLI_USAGE;
	return cli_end(cli, act->run(cli, &words, cli->operand_count - 1, cli->operands + 1, &e),
		       &e);
}

/* ---- shared by the acts --------------------------------------------------------------- */

int policy_source_open(struct cli *cli, const char *archive, const char *system,
		       struct policy_source *out, struct err *e)
{
	*out = (struct policy_source){ .vault = NULL };
	if (cli_open(cli, archive, VAULT_READ, &out->vault, e) < 0)
		return -1;
	out->catalogue = vault_catalogue(out->vault);
	return catalogue_scanned_system(out->catalogue, system, &out->system, e);
}

void policy_source_close(struct policy_source *s)
{
	vault_close(s->vault);
	s->vault = NULL;
}

int policy_moment(const struct policy_source *s, const struct policy *p, const char *asof,
		  int64_t *out, struct err *e)
{
	struct civil day;

	if (asof == NULL) {
		*out = vault_now(s->vault);
		return 0;
	}
	if (civil_parse(asof, &day) < 0)
		return err_set(e, MUNI_USAGE, "--asof %s: it is written as a date, as in 2031-12-31",
			       text_printable(asof));
	*out = zone_start_of_day(policy_zone(p), day);
	return 0;
}

const struct command cmd_policy = {
	.name = "policy",
	.operands = "check|explain|simulate|diff|classes|import [ARCHIVE] FILE...",
	.summary = "check a policy; explain, simulate and compare what it decides",
	.about =
	"check     what is wrong with policies: rules that can never decide, classes that\n"
	"          nothing is decided for, periods below a mandate's minimum ...; ends in 1\n"
	"          where there is an error\n"
	"explain   which rules hold for an item and why, step by step, from the inventory\n"
	"simulate  what a policy would decide, in files and bytes, and what would be due by\n"
	"          a date; nothing is written\n"
	"diff      which files and bytes a new policy decides otherwise than an old one; of\n"
	"          two policies alone: which classes and rules differ\n"
	"classes   a policy's classes as a table, or with --csv as a sheet\n"
	"import    prints the policy with the classes of a sheet in place of its own\n"
	"muni-policy(5) says how policies are written.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 1,
	.max_operands = -1,
	.run = run,
};
