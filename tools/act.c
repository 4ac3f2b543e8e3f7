#include "tools/act.h"

#include <string.h>

#include "fs/base/text.h"

const struct act *act_find(struct cli *cli, const struct act *acts, size_t count,
			   const char *third)
{
	const char *name = cli->operands[0];

	while (count > 0 && strcmp(acts->name, name) != 0)
		count--, acts++;
	if (count == 0)
		cli_usage(cli, "there is no '%s'", text_printable(name));
	else if (cli->operand_count == acts->operands)
		return acts;
	else if (acts->operands == 3)
		cli_usage(cli, "%s wants the archive and %s", name, third);
	else
		cli_usage(cli, "%s wants the archive", name);
	return NULL;
}

int act_run(struct cli *cli, const struct act *act, const void *words)
{
	struct vault *v = NULL;
	struct err e = ERR_NONE;
	int rc = cli_open(cli, cli->operands[1], act->mode, &v, &e);

	if (rc == 0)
		rc = act->run(cli, v, words, &e);
	vault_close(v);
	return cli_end(cli, rc, &e);
}
