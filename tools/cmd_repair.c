#include "fs/vault/verify.h"
#include "tools/commands.h"
#include "tools/findings.h"

static int run(struct cli *cli)
{
	struct err e = ERR_NONE;
	struct findings findings = { .cli = cli, .is_repair = true };
	struct verify_summary summary = { .blocks = 0 };
	int rc, o = cli_next(cli);

	if (o != CLI_END)
		return cli_stopped(o);
	rc = vault_repair(cli->operands[0], &cli->vault, &cli->monitor, findings_show, &findings,
			  &summary, &e);
	return cli_end(cli, findings_end(&findings, &summary, rc, &e), &e);
}

const struct command cmd_repair = {
	.name = "repair",
	.operands = "ARCHIVE",
	.summary = "mend what parity and copies cover",
	.about =
	"Mends what parity and the catalogue's copies cover, and says of each damage\n"
	"whether it was mended.  Exit 5 if anything damaged is left.",
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
