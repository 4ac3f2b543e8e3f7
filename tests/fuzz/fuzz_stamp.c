/*
 * What a time-stamping authority says, signed as it should be: the input is what it signs
 * (TSTInfo of RFC 3161, in DER), which this target puts into an answer of an authority of
 * its own.  What is taken is a stamp over this digest, and not off by more than an hour.
 */
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/officer.h"
#include "tests/fuzz/authority.h"
#include "tests/fuzz/fuzz.h"

static struct authority authority;

static void close_all(void)
{
	authority_close(&authority);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	authority_open(&authority);
	MUST(atexit(close_all) == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct digest of = digest_of("x", 1);
	uint8_t *answer;
	int64_t when = 0;
	struct err e = ERR_NONE;
	size_t answer_size;

	if (size > 4096)
		return 0;
	answer_size = authority_answer(&authority, data, size, &answer);
	if (timestamp_verify(answer, answer_size, &of, authority.pem, strlen(authority.pem), &when,
			     &e) == 0)
		MUST(memmem(data, size, of.bytes, DIGEST_SIZE) && when >= 0 &&
		     when <= AUTHORITY_LIFE);	/* as its certificate has it */
	else
		MUST((e.code == MUNI_DAMAGED || e.code == MUNI_REFUSED) && *e.text);
	free(answer);
	return 0;
}
