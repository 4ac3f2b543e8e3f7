/*
 * A keyring whose sums and error correction were made to fit: the first byte says with
 * which of three changes, of a keyring of which format, and whether the third is of what
 * the master key seals.  It opens with the right key file, or is refused; it never gives a
 * key of another archive, and never more than the file has.
 */
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/keyring_inside.h"
#include "fs/crypt/seal.h"
#include "fs/crypt/signatories.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

static int folder;
static char path[128];
static const uint8_t id[KEYRING_ID_SIZE] = "archive of fuzz";
static const uint8_t key_file[32] = "key file of thirty-two bytes ...";
static uint8_t formats[2][KEYRING_SIZE];	/* 2: two signing keys were renewed, a third is begun */
static const struct keyring_secret secret = {
	.kind = KEYRING_KEY_FILE, .data = key_file, .size = sizeof key_file,
};

static void keep(uint8_t whole[KEYRING_SIZE])
{
	FILE *f = fopen(path, "rb");

	MUST(f && fread(whole, 1, KEYRING_SIZE, f) == KEYRING_SIZE);
	fclose(f);
}

static void begin_renewal(struct keyring *k, uint64_t entry)
{
	struct err e = ERR_NONE;

	MUST(keyring_signing_begin(k, SIGNER_P256, 1700000000, entry, &e) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err e = ERR_NONE;
	struct keyring *k;

	(void)argc;
	(void)argv;
	folder = scratch_folder();
	snprintf(path, sizeof path, "%s/keyring", scratch_path());
	MUST(keyring_create(path, id, &secret, 1, 1, &k, &e) == 0);
	keep(formats[0]);
	for (uint64_t entry = 2; entry < 4; entry++) {
		begin_renewal(k, entry);
		MUST(keyring_signing_finish(k, &e) == 0);
	}
	begin_renewal(k, 4);
	keyring_close(k);
	keep(formats[1]);
	return 0;
}

static void open_it(void)
{
	struct err e = ERR_NONE;
	struct signatories who;
	struct keyring *k;
	uint64_t entry;
	size_t size;
	bool is_damaged;
	char what[300];

	keyring_check(path, id, &is_damaged, what, sizeof what, &e);
	e = ERR_NONE;
	if (keyring_open(path, id, &secret, &k, &e) == 0) {
		MUST(keyring_epoch(k) >= 1 && keyring_dedupe_key(k));
		keyring_signatories(k, &who);
		MUST(!keyring_signing_next(k, &entry) || keyring_next_certificate(k, &size));
		keyring_signer(k, &e);
		e = ERR_NONE;
		keyring_next_signer(k, &e);
		keyring_close(k);
	} else {
		MUST(e.code != MUNI_OK && *e.text);
	}
}

/* Bytes over what the master key seals, which is then sealed again as docs/format.md says. */
static void change_body(struct half *h, unsigned half, size_t at, const uint8_t *data, size_t size)
{
	uint8_t *nonce = h->payload + PAYLOAD_HEAD + h->slots_size, *sealed = nonce + SEAL_NONCE_SIZE;
	struct digest slots = digest_of(h->payload + PAYLOAD_HEAD, h->slots_size);
	uint8_t ad[69], master[32], plain[BODY_SIZE_MAX];
	struct reader r = reader_over(h->payload + PAYLOAD_HEAD, h->slots_size);
	struct writer w = writer_over(ad, sizeof ad);
	struct slots list = { 0 };
	struct sealer *s = NULL;
	struct err e = ERR_NONE;

	MUST(slots_read(&r, h->slot_count, &list, &e) == 0 && list.count > 0);
	MUST(slot_open(&list.list[0], id, &secret, master, &e) == 0);
	writer_bytes(&w, h->payload, 12);
	writer_bytes(&w, id, sizeof id);
	writer_u64(&w, h->generation);
	writer_u8(&w, (uint8_t)half);
	writer_bytes(&w, slots.bytes, sizeof slots.bytes);
	MUST(!w.overflow && w.used == sizeof ad && h->body_size <= sizeof plain);
	MUST(sealer_new(&s, &e) == 0 && sealer_set_key(s, master, &e) == 0);
	MUST(seal_open(s, nonce, ad, sizeof ad, sealed, h->body_size, sealed + h->body_size, plain,
		       &e) == 0);
	at %= h->body_size;
	memcpy(plain + at, data, size < h->body_size - at ? size : h->body_size - at);
	MUST(seal_close(s, nonce, ad, sizeof ad, plain, h->body_size, sealed,
			sealed + h->body_size, &e) == 0);
	sealer_free(s);
	slots_free(&list);
}

/* Bytes over the payload of both halves, which is then stored as a writer would. */
static void changed_payload(const uint8_t *whole, bool is_body, const uint8_t *data, size_t size)
{
	static struct keyring_state *s;
	struct err e = ERR_NONE;
	size_t at;
	FILE *f;

	scratch_put(folder, "keyring", whole, KEYRING_SIZE);
	MUST(size >= 2 && keyring_load(path, id, &s, &e) == 0);
	at = ((size_t)data[0] << 8 | data[1]) % (PAYLOAD_SIZE - 1);
	data += 2;
	size -= 2;
	for (int half = 0; half < HALF_COUNT; half++) {
		uint8_t *payload = s->halves[half].payload;

		if (is_body)
			change_body(&s->halves[half], (unsigned)half, at, data, size);
		else
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
	const uint8_t *whole;
	size_t at;

	if (size < 4)
		return 0;
	whole = formats[data[0] / 3 % 2];
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
		changed_payload(whole, data[0] / 6 % 2, data + 1, size - 1);
	}
	return 0;
}
