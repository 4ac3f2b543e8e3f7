/* Canonical JSON: what is read is written again byte for byte. */
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_NONE;
	json_t *o = NULL;
	char *text = NULL;
	size_t again;

	if (canonical_load(data, size, &o, &e) < 0)
		return 0;
	MUST(canonical_dump(o, &text, &again, &e) == 0);
	MUST(again == size && memcmp(text, data, size) == 0);
	free(text);
	json_decref(o);
	return 0;
}
