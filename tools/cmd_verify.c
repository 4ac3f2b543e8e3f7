#include "fs/vault/verify.h"
#include "tools/commands.h"
#include "tools/findings.h"

enum { DEEP = 256, THREADS };

static const struct cli_option options[] = {
	{ DEEP, "deep", NULL, "recompute every file's digest and the Merkle roots too" },
	{ THREADS, "threads", "N", "at work at once (default: one a processor)" },
	{ .name = NULL },
};

static int run(struct cli *cli)
{
	struct err e = ERR_NONE;
	struct findings findings = { .cli = cli };
	struct verify_options how = { .deep = false };
	struct verify_summary summary = { .blocks = 0 };
	uint64_t n = 0;
	int rc, o;

	while ((o = cli_next(cli)) > 0) {
		if (o == DEEP)
			how.deep = true;
		else if (cli_number("--threads", cli->value, 1, 256, &n, &e) < 0)
			return cli_usage(cli, "%s", e.text);
		how.threads = (unsigned)n;
	}
	if (o != CLI_END)
		return cli_stopped(o);
	rc = vault_verify(cli->operands[0], &cli->vault, &how, &cli->monitor, findings_show,
			  &findings, &summary, &e);
	return cli_end(cli, findings_end(&findings, &summary, rc, &e), &e);
}

const struct command cmd_verify = {
	.name = "verify",
	.operands = "ARCHIVE",
	.summary = "read everything and say what is damaged",
	.about =
	"Reads every byte of the archive and says what is damaged, which files in\n"
	"which versions that touches, and whether it can be repaired.  Exit 5 if\n"
	"anything is damaged.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
