/*
 * What others signed: certificates of people, CMS in every form, time-stamps, proofs.
 * The first byte says as what the rest is read.  Nothing that was not signed by the one
 * key of the seeds may ever verify with other content.
 */
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/officer.h"
#include "fs/vault/proof.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void identity(const uint8_t *data, size_t size)
{
	struct err e = ERR_NONE;
	struct identity i;

	if (identity_parse(data, size, &i, &e) < 0)
		return;
	MUST(i.cert && i.subject && i.issuer && i.serial);
	identity_check_chain(&i, data, size, NULL, 0, 1700000000, &e);
	identity_clear(&i);
}

static void attached(const uint8_t *data, size_t size)
{
	struct err e = ERR_NONE;
	struct cms_signer *signers = NULL;
	uint8_t *content = NULL;
	size_t count = 0, n = 0;

	if (cms_verify_attached(data, size, &content, &n, &signers, &count, &e) < 0)
		return;
	/* Only a seed does, as it was: its content is this sentence. */
	MUST(count > 0 && n == 17 && memcmp(content, "signed by a seed\n", 17) == 0);
	cms_signers_free(signers, count);
	free(content);
}

static void detached(const uint8_t *data, size_t size)
{
	struct err e = ERR_NONE;
	struct cms_signer *signers = NULL;
	uint8_t *der = NULL;
	size_t count = 0, n = 0;

	if (cms_verify_detached(data, size, "another sentence\n", 17, &signers, &count, &e) == 0)
		abort();
	if (cms_detach(data, size, &der, &n, &e) == 0)
		free(der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct digest of = digest_of("x", 1);
	struct proof_facts facts;
	struct err e = ERR_NONE;
	int64_t when;

	if (size == 0)
		return 0;
	switch (data[0] % 5) {
	case 0:
		identity(data + 1, size - 1);
		break;
	case 1:
		attached(data + 1, size - 1);
		break;
	case 2:
		detached(data + 1, size - 1);
		break;
	case 3:
		timestamp_verify(data + 1, size - 1, &of, NULL, 0, &when, &e);
		break;
	default:
		if (proof_check(data + 1, size - 1, NULL, 0, &facts, &e) == 0)
			proof_facts_clear(&facts);
	}
	return 0;
}
