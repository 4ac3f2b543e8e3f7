/* What both programs begin and end with, and running one command. */
#include <stdio.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
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
		.vault.keys.is_cancelled = terminal_is_cancelled,
		.monitor = {
			.progress = progress_show,
			.notice = progress_notice,
			.is_cancelled = terminal_is_cancelled,
			.arg = progress,
		},
		.progress = progress,
	};
	int status;

	cli_prepare_wait(&cli);
	status = command->run(&cli);
	progress_free(progress);
	return status;
}

int cli_main(int (*run)(int argc, char **argv), int argc, char **argv)
{
	struct err e = ERR_NONE;
	const char *warning;
	int status;

	json_memory_begin();
	/* Before anything else asks OpenSSL for memory. */
	if (vault_begin(&e) < 0) {
		fprintf(stderr, "muni: %s\n", e.text);
		return err_exit_status(e.code);
	}
	cli_prepare();
	status = run(argc, argv);
	warning = vault_memory_warning();
	if (warning)
		fprintf(stderr, "muni: %s\n", warning);
	return cli_close_output(status);
}
