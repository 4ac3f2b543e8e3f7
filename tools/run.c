/* Running one command, in either of the programs. */
#include <stdio.h>

#include "tools/cli.h"
#include "tools/progress.h"
#include "tools/terminal.h"

#define MUNI_VERSION "0.1.0"

int cli_version(void)
{
	printf("muni (muniment) %s, archive format %d\n", MUNI_VERSION, MUNIMENT_FORMAT);
	return 0;
}

int cli_run(const struct command *command, int argc, char **argv)
{
	struct progress *progress = progress_new();
	struct cli cli = {
		.command = command,
		.argc = argc - 1,
		.argv = argv + 1,
		.vault.keys.prompt = terminal_prompt,
		.monitor = {
			.progress = progress_show,
			.notice = progress_notice,
			.is_cancelled = terminal_is_cancelled,
			.arg = progress,
		},
		.progress = progress,
	};
	int status = command->run(&cli);

	progress_free(progress);
	return status;
}
