/* The words of a line of fstab, as mount(8) hands them to munifs; NULs between them. */
#include <getopt.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/mount/options.h"
#include "tests/fuzz/fuzz.h"

#define WORDS_MAX 32

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *argv[WORDS_MAX + 2] = { "munifs" };
	struct mount_options o = { .archive = NULL };
	struct err e = ERR_NONE;
	int argc = 1;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *at = text; at <= text + size && argc <= WORDS_MAX; at += strlen(at) + 1)
		argv[argc++] = at;
	optind = 0;	/* getopt() begins anew: a program has one line only */
	if (options_parse(argc, argv, &o, &e) < 0)
		MUST(e.code == MUNI_USAGE && *e.text);
	else
		MUST(o.wants_help || o.wants_version || (o.archive && o.mountpoint));
	options_free(&o);
	free(text);
	return 0;
}
