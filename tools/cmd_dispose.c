#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/act.h"
#include "tools/commands.h"
#include "tools/dispose.h"

enum { DUE = 256, SYSTEM, CLASS, PATH, VERSION, ASOF, REVIEW, REASON, LIVE, SHORTEN, POLICY,
       EVERYTHING, SIGNATURE, FOR_SIGNING, ABORT_MOUNTS, MOUNTS_TIMEOUT };

static const struct cli_option options[] = {
	{ DUE, "due", NULL, "propose: the records whose time has come" },
	{ SYSTEM, "system", "NAME", "propose: of this system; without --due all of it" },
	{ CLASS, "class", "ID", "propose: of this class" },
	{ PATH, "path", "GLOB", "propose: at such paths (** crosses folders)" },
	{ VERSION, "version", "SYSTEM@LABEL", "propose: that stand in this version alone" },
	{ EVERYTHING, "everything", NULL, "propose: the whole archive" },
	{ ASOF, "asof", "DATE", "propose: as it will be due then" },
	{ REVIEW, "review", NULL, "propose: also what its class wants reviewed first" },
	{ REASON, "reason", "TEXT", "propose, withdraw: why" },
	{ LIVE, "live", "SOURCE", "propose: items of a live source that were decided destroy" },
	{ SHORTEN, "shorten", "CLASS", "propose: one definition of a class is to count alone" },
	{ POLICY, "policy", "DIGEST", "... that of the policy with this digest" },
	{ SIGNATURE, "signature", "FILE", "approve: a CMS signature that was made elsewhere" },
	{ FOR_SIGNING, "for-signing", NULL, "show: the very bytes that are signed" },
	{ ABORT_MOUNTS, "abort-mounts", NULL, "execute: cut mounts off that do not answer" },
	{ MOUNTS_TIMEOUT, "mounts-timeout", "SECONDS", "execute: how long they have (60)" },
	OFFICER_KEY_OPTIONS,
	{ .name = NULL },
};

static int take_option(struct dispose_words *w, int o, const char *value, struct err *e)
{
	const char **const texts[] = { &w->system, &w->class_code, &w->path, &w->version, &w->asof,
		&w->reason, &w->live, &w->shorten, &w->policy, &w->signature };
	static const int ids[] = { SYSTEM, CLASS, PATH, VERSION, ASOF, REASON, LIVE, SHORTEN,
		POLICY, SIGNATURE };

	if (officer_words_take(&w->officer, o, value))
		return 0;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		if (ids[i] == o) {
			*texts[i] = value;
			return 0;
		}
	w->is_due |= o == DUE;
	w->is_everything |= o == EVERYTHING;
	w->by_review |= o == REVIEW;
	w->for_signing |= o == FOR_SIGNING;
	w->abort_mounts |= o == ABORT_MOUNTS;
	return o != MOUNTS_TIMEOUT ? 0 :
		cli_number("--mounts-timeout", value, 1, 86400, &w->mounts_timeout_s, e);
}

static const struct act acts[] = {
	{ "propose", VAULT_WRITE, 2, dispose_propose },
	{ "show", VAULT_READ, 3, dispose_show },
	{ "list", VAULT_READ, 2, dispose_list },
	{ "approve", VAULT_WRITE, 3, dispose_approve },
	{ "withdraw", VAULT_WRITE, 3, dispose_withdraw },
	{ "execute", VAULT_WRITE, 3, dispose_execute },
};

/* "D1" or "1" */
static int take_id(struct dispose_words *w, const char *text, struct err *e)
{
	uint64_t id;

	if (cli_number("the disposition", *text == 'D' || *text == 'd' ? text + 1 : text, 1,
		       INT64_MAX, &id, e) < 0)
		return -1;
	w->id = (int64_t)id;
	return 0;
}

static int check_proposal(struct cli *cli, const struct dispose_words *w)
{
	int whole = !w->is_due && !w->live && !w->shorten &&
		    (w->system || w->version || w->is_everything);

	if ((w->shorten != NULL) != (w->policy != NULL))
		return cli_usage(cli, "--shorten CLASS and --policy DIGEST go together");
	if (w->is_due + (w->live != NULL) + (w->shorten != NULL) + whole != 1)
		return cli_usage(cli, "give one of --due, --live SOURCE, --shorten CLASS, or a whole "
				 "--system, --version or --everything");
	if (w->live && !w->system)
		return cli_usage(cli, "--live wants --system: whose inventory says what goes?");
	if (whole && (w->class_code || w->path))
		return cli_usage(cli, "--class and --path go with --due");
	if (w->is_everything && (w->system || w->version))
		return cli_usage(cli, "--everything is the whole archive");
	return 0;
}

static bool needs_officer(const struct act *act)
{
	return act->run == dispose_propose || act->run == dispose_withdraw ||
	       act->run == dispose_execute;
}

static int check_words(struct cli *cli, const struct act *act, struct dispose_words *w)
{
	struct err e = ERR_NONE;

	if (act->operands == 3 && take_id(w, cli->operands[2], &e) < 0)
		return cli_usage(cli, "%s", e.text);
	if (needs_officer(act) && (!w->officer.by || !w->officer.key))
		return cli_usage(cli, "%s wants --by ID --key KEY.pem: who does it?", act->name);
	if (act->run == dispose_approve &&
	    (w->signature != NULL) == (w->officer.by != NULL && w->officer.key != NULL))
		return cli_usage(cli, "approve wants --by ID --key KEY.pem, or --signature FILE");
	if (act->run == dispose_withdraw && !w->reason)
		return cli_usage(cli, "withdraw wants --reason TEXT");
	return act->run == dispose_propose ? check_proposal(cli, w) : 0;
}

static int run(struct cli *cli)
{
	struct dispose_words w = { .id = 0 };
	struct err e = ERR_NONE;
	const struct act *act;
	int o, rc;

	while ((o = cli_next(cli)) > 0)
		if (take_option(&w, o, cli->value, &e) < 0)
			return cli_usage(cli, "%s", e.text);
	if (o != CLI_END)
		return cli_stopped(o);
	act = act_find(cli, acts, sizeof acts / sizeof *acts, "a disposition");
	if (!act || check_words(cli, act, &w) != 0)
		return CLI_USAGE;
	/* Also for what a cut off execution left, which opening goes on with. */
	const struct epoch_options epoch = {
		.mounts_timeout_ms = (unsigned)w.mounts_timeout_s * 1000,
		.abort_mounts = w.abort_mounts,
		.wait = cli->vault.wait,
	};
	cli->vault.epoch = &epoch;
	rc = act_run(cli, act, &w);
	cli->vault.epoch = NULL;
	return rc;
}

const struct command cmd_dispose = {
	.name = "dispose",
	.operands = "propose|show|list|approve|withdraw|execute ARCHIVE [DISPOSITION]",
	.summary = "destroy what may go, under approvals, with a certificate",
	.about =
	"propose   makes a list of what may go and signs its statement; prints its id.\n"
	"          What was left out, and why, is said on standard error\n"
	"show      the list, who has approved it, what is still asked for; --for-signing\n"
	"          gives the bytes that an approval is over, for signing elsewhere:\n"
	"            openssl cms -sign -binary -in list.json -signer CERT.pem \\\n"
	"              -inkey KEY.pem -outform DER -out approval.p7s\n"
	"list      all dispositions\n"
	"approve   signs the statement (--by ID --key KEY.pem), or takes a signature in\n"
	"withdraw  a proposal that is not to be executed\n"
	"execute   asks every rule anew, destroys, and prints the certificate's id; after an\n"
	"          interruption it goes on\n\n"
	"Who proposes cannot approve, nor can one person twice.  A list of which any item\n"
	"has changed has no approvals.  What is refused ends with status 3, the rule is\n"
	"cited, and the refusal stands in the log.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 2,
	.max_operands = 3,
	.run = run,
};
