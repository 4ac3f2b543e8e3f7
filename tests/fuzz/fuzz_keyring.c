/*
 * A keyring whose sums and error correction were made to fit: the first byte says with
 * which of three changes.  It opens with the right key file, or is refused; it never
 * gives a key of another archive, and never more than the file has.
 */
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/keyring_inside.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

static int folder;
static char path[128];
static const uint8_t id[KEYRING_ID_SIZE] = "archive of fuzz";
static const uint8_t key_file[32] = "key file of thirty-two bytes ...";
static uint8_t whole[KEYRING_SIZE];
static const struct keyring_secret secret = {
	.kind = KEYRING_KEY_FILE, .data = key_file, .size = sizeof key_file,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err e = ERR_NONE;
	struct keyring *k;
	FILE *f;

	(void)argc;
	(void)argv;
	folder = scratch_folder();
	snprintf(path, sizeof path, "%s/keyring", scratch_path());
	MUST(keyring_create(path, id, &secret, 1, 1, &k, &e) == 0);
	keyring_close(k);
	f = fopen(path, "rb");
	MUST(f && fread(whole, 1, sizeof whole, f) == sizeof whole);
	fclose(f);
	return 0;
}

static void open_it(void)
{
	struct err e = ERR_NONE;
	struct keyring *k;
	bool is_damaged;
	char what[300];

	keyring_check(path, id, &is_damaged, what, sizeof what, &e);
	e = ERR_NONE;
	if (keyring_open(path, id, &secret, &k, &e) == 0) {
		MUST(keyring_epoch(k) >= 1 && keyring_dedupe_key(k));
		keyring_close(k);
	} else {
		MUST(e.code != MUNI_OK && *e.text);
	}
}

/* Bytes over the payload of the newest half, which is then stored as a writer would. */
static void changed_payload(const uint8_t *data, size_t size)
{
	static struct keyring_state *s;
	struct err e = ERR_NONE;
	size_t at;
	FILE *f;

	scratch_put(folder, "keyring", whole, sizeof whole);
	MUST(size >= 2 && keyring_load(path, id, &s, &e) == 0);
	at = ((size_t)data[0] << 8 | data[1]) % (PAYLOAD_SIZE - 1);
	data += 2;
	size -= 2;
	for (int half = 0; half < HALF_COUNT; half++) {
		uint8_t *payload = s->halves[half].payload;

		memcpy(payload + at, data, size < PAYLOAD_SIZE - at ? size : PAYLOAD_SIZE - at);
		f = fopen(path, "r+b");
		MUST(f && keyring_put_half(fileno(f), id, (unsigned)half, payload, &e) == 0);
		fclose(f);
	}
	free(s);
	open_it();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t file[KEYRING_SIZE];
	size_t at;

	if (size < 4)
		return 0;
	switch (data[0] % 3) {
	case 0:		/* the file itself, cut or longer too */
		scratch_put(folder, "keyring", data + 1, size - 1);
		open_it();
		break;
	case 1:		/* a stretch of it */
		memcpy(file, whole, sizeof file);
		at = ((size_t)data[1] << 8 | data[2]) % sizeof file;
		memcpy(file + at, data + 3, size - 3 < sizeof file - at ? size - 3 : sizeof file - at);
		scratch_put(folder, "keyring", file, sizeof file);
		open_it();
		break;
	default:
		changed_payload(data + 1, size - 1);
	}
	return 0;
}
