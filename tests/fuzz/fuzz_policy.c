/* A policy file: any text is loaded or refused with a sentence, never anything else. */
#include <string.h>

#include "fs/base/err.h"
#include "policy/policy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy *p = NULL;
	struct err e = ERR_NONE;

	if (policy_load(data, size, "fuzz.yaml", &p, &e) < 0) {
		MUST(p == NULL && e.code != MUNI_OK && *e.text);
		return 0;
	}
	policy_free(p);
	return 0;
}
