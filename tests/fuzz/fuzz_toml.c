/* muniment.toml: read, or refused with a sentence; as it is, and with a last line that fits. */
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/vault/archive_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

static int folder;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	folder = scratch_folder();
	return 0;
}

static void read_it(const uint8_t *data, size_t size)
{
	struct archive_file out;
	const char *what = NULL;
	struct err e = ERR_NONE;

	scratch_put(folder, ARCHIVE_FILE, data, size);
	if (archive_file_read(folder, &out, &e) == 0)
		MUST(strlen(out.id_hex) == 32 && memchr(out.keyring, 0, sizeof out.keyring));
	else
		MUST(e.code != MUNI_OK && *e.text);
	e = ERR_NONE;
	archive_file_check(folder, false, &out, &what, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct digest d = digest_of(data, size);
	char hex[DIGEST_HEX_SIZE];
	uint8_t *fitting = malloc(size + 100);

	MUST(fitting);
	read_it(data, size);
	digest_hex(&d, hex);
	memcpy(fitting, data, size);
	size += (size_t)snprintf((char *)fitting + size, 100, "check = \"%s\"\n", hex);
	read_it(fitting, size);
	free(fitting);
	return 0;
}
