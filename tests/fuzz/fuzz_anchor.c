/* The anchor, which says what this host saw last: as it is, and with a sum that fits.
 * What is read is written again byte for byte. */
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/crypt/digest.h"
#include "fs/vault/archive_anchor.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

#define NAME "61726368697665206f662066757a7a00.anchor"

static const uint8_t id[16] = "archive of fuzz";
static int folder;
static char keyring[128];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	folder = scratch_folder();
	snprintf(keyring, sizeof keyring, "%s/keyring", scratch_path());
	return 0;
}

static void read_it(const uint8_t *data, size_t size)
{
	struct anchor a;
	struct err e = ERR_NONE;
	uint8_t *again = NULL;
	size_t again_size;

	scratch_put(folder, NAME, data, size);
	if (anchor_read(keyring, id, &a, &e) < 0) {
		MUST(e.code != MUNI_OK && *e.text);
		return;
	}
	MUST(anchor_write(keyring, id, &a, &e) == 0);
	MUST(file_load(folder, NAME, 1 << 16, &again, &again_size, &e) == 0);
	MUST(again_size == size && memcmp(again, data, size) == 0);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *fitting = malloc(size + DIGEST_SIZE);
	struct digest sum = digest_of(data, size);

	MUST(fitting);
	read_it(data, size);
	memcpy(fitting, data, size);
	memcpy(fitting + size, sum.bytes, DIGEST_SIZE);
	read_it(fitting, size + DIGEST_SIZE);
	free(fitting);
	return 0;
}
