#include "fs/crypt/keyring_inside.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/secret.h"
#include "fs/crypt/sign.h"

static bool is_fatal(const struct err *e)
{
	return e->code == MUNI_NO_MEMORY || e->code == MUNI_IO;
}

/* The body under the first slot that the secret opens. */
static int unlock_by_slot(struct keyring *k, const struct half *h, unsigned index,
			  const struct slots *slots, const struct keyring_secret *secret,
			  struct err *e)
{
	uint8_t *master = secret_new(32);
	size_t tried = 0;
	int rc = -1;

	if (!master)
		return err_set(e, MUNI_NO_MEMORY, "no memory to open the keyring");
	for (size_t i = 0; i < slots->count; i++) {
		if (slots->list[i].about.kind != secret->kind)
			continue;
		tried++;
		if (slot_open(&slots->list[i], k->id, secret, master, e) == 0) {
			rc = payload_open(h, k->id, index, master, k->body, e);
			goto out;
		}
		if (is_fatal(e))
			goto out;
	}
	/* What a recipient decrypted: the master key itself. */
	if (secret->kind == KEYRING_KEY_FILE && secret->size == 32) {
		memcpy(master, secret->data, 32);
		if (payload_open(h, k->id, index, master, k->body, e) == 0) {
			rc = 0;
			goto out;
		}
		if (is_fatal(e))
			goto out;
	}
	if (tried == 0)
		err_set(e, MUNI_CANNOT_UNLOCK, "no slot of it takes a %s",
			keyring_kind_name(secret->kind));
	else
		err_set(e, MUNI_CANNOT_UNLOCK, "the %s opens none of its slots",
			keyring_kind_name(secret->kind));
out:
	secret_free(master);
	return rc;
}

static int unlock_half(struct keyring *k, const struct half *h, unsigned index,
		       const struct keyring_secret *secret, struct err *e)
{
	struct reader r = reader_over(h->payload + PAYLOAD_HEAD, h->slots_size);
	struct slots slots;

	if (slots_read(&r, h->slot_count, &slots, e) < 0)
		return -1;
	if (unlock_by_slot(k, h, index, &slots, secret, e) < 0) {
		slots_free(&slots);
		return -1;
	}
	k->slots = slots;
	k->newest = (int)index;
	k->generation = h->generation;
	return 0;
}

/* The newest half decides; the other one only where the newest, though its sums
 * hold, is none that the master key sealed. */
static int unlock(struct keyring *k, const struct keyring_state *s,
		  const struct keyring_secret *secret, struct err *e)
{
	const struct half *other = &s->halves[!s->newest];
	struct err second = ERR_NONE;

	if (keyring_usable(s, e) < 0)
		return -1;
	k->is_settled = s->is_settled;
	if (unlock_half(k, &s->halves[s->newest], (unsigned)s->newest, secret, e) == 0)
		return 0;
	if (e->code != MUNI_DAMAGED || !other->is_whole || !keyring_knows_format(other->format))
		return -1;
	if (unlock_half(k, other, !s->newest, secret, &second) < 0)
		return -1;
	k->is_settled = false;
	/* Its number is taken: the next store must come after it. */
	k->generation = s->halves[s->newest].generation;
	return 0;
}

int keyring_open(const char *path, const uint8_t archive_id[KEYRING_ID_SIZE],
		 const struct keyring_secret *secret, struct keyring **out,
		 struct err *e)
{
	struct keyring_state *s;
	struct keyring *k;

	*out = NULL;
	if (keyring_load(path, archive_id, &s, e) < 0)
		return -1;
	k = keyring_new(path, archive_id, e);
	if (k && unlock(k, s, secret, e) < 0) {
		err_wrap(e, "keyring %s", text_printable(path));
		keyring_close(k);
		k = NULL;
	}
	free(s);
	*out = k;
	return k ? 0 : -1;
}
