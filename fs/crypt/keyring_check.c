/* What can be said of a keyring, and taken from it, without any secret. */
#include "fs/crypt/keyring_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/secret.h"

static void say(const struct keyring_state *s, char *what, size_t size)
{
	for (unsigned i = 0; i < HALF_COUNT; i++) {
		const struct half *h = &s->halves[i];

		if (!h->is_whole) {
			snprintf(what, size, "half %u of the keyring is lost; the other is "
				 "whole", i + 1);
			return;
		}
		if (h->mended > 0) {
			snprintf(what, size, "half %u of the keyring needed %u of its %d "
				 "columns mended", i + 1, h->mended, COLUMN_COUNT);
			return;
		}
	}
	if (s->excess > 0) {
		snprintf(what, size, "%" PRIu64 " bytes follow the keyring's two halves: what they "
			 "are nobody knows, an older key may be in them", s->excess);
		return;
	}
	snprintf(what, size, "one half of the keyring was left behind by an interrupted "
		 "change");
}

int keyring_check(const char *path, const uint8_t archive_id[KEYRING_ID_SIZE],
		  bool *is_damaged, char *what, size_t what_size, struct err *e)
{
	struct keyring_state *s;
	int rc;

	*is_damaged = false;
	what[0] = '\0';
	if (keyring_load(path, archive_id, &s, e) < 0)
		return -1;
	rc = keyring_usable(s, e);
	if (rc < 0) {
		err_wrap(e, "keyring %s", text_printable(path));
	} else if (!s->is_settled) {
		*is_damaged = true;
		say(s, what, what_size);
	}
	free(s);
	return rc;
}

/* Does this half hold what is in memory, and no key beside? */
static bool holds(const struct keyring *k, const struct keyring_state *s, unsigned half,
		  struct body *body)
{
	const struct half *h = &s->halves[half];
	struct err ignored = ERR_NONE;

	if (!h->is_whole || !keyring_knows_format(h->format) ||
	    payload_open(h, k->id, half, k->body->master, body, &ignored) < 0)
		return false;
	return body->next_key_size == k->body->next_key_size &&
	       body->signing_key_size == k->body->signing_key_size &&
	       memcmp(body->signing_key, k->body->signing_key, body->signing_key_size) == 0 &&
	       body->epoch == k->body->epoch && body->successor == k->body->successor &&
	       memcmp(body->catalogue, k->body->catalogue, sizeof body->catalogue) == 0 &&
	       memcmp(body->next_catalogue, k->body->next_catalogue,
		      sizeof body->next_catalogue) == 0;
}

int keyring_confirm(const struct keyring *k, struct err *e)
{
	struct keyring_state *s = NULL;
	struct body *body = secret_new(sizeof *body);
	int rc = -1;

	if (!body)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read the keyring back");
	if (keyring_load(k->path, k->id, &s, e) < 0)
		goto out;
	if (s->is_settled && holds(k, s, 0, body) && holds(k, s, 1, body))
		rc = 0;
	else
		err_set(e, MUNI_IO, "the keyring %s did not read back as it was written: an older "
			"key may stand in it still", text_printable(k->path));
out:
	free(s);
	secret_free(body);
	return rc;
}

bool keyring_has_changed(const struct keyring *k)
{
	struct keyring_state *s;
	struct err ignored = ERR_NONE;
	bool has_changed;

	if (keyring_load(k->path, k->id, &s, &ignored) < 0)
		return false;
	has_changed = s->newest >= 0 && s->halves[s->newest].generation != k->generation;
	free(s);
	return has_changed;
}

static int find_message(const struct keyring_state *s, unsigned number, uint8_t **out,
			size_t *size, struct err *e)
{
	const struct half *h;
	struct slots slots;
	struct reader r;
	int rc;

	if (keyring_usable(s, e) < 0)
		return -1;
	h = &s->halves[s->newest];
	r = reader_over(h->payload + PAYLOAD_HEAD, h->slots_size);
	if (slots_read(&r, h->slot_count, &slots, e) < 0)
		return -1;
	rc = err_set(e, MUNI_NOT_FOUND, "there is no recipient with number %u", number);
	for (size_t i = 0; i < slots.count; i++) {
		struct slot *slot = &slots.list[i];

		if (slot->about.number != number || slot->about.kind != KEYRING_RECIPIENT)
			continue;
		*out = slot->message;
		*size = slot->message_size;
		slot->message = NULL;	/* now the caller's */
		*e = ERR_NONE;
		rc = 0;
		break;
	}
	slots_free(&slots);
	return rc;
}

int keyring_recipient_message(const char *path, const uint8_t archive_id[KEYRING_ID_SIZE],
			      unsigned number, uint8_t **out, size_t *size, struct err *e)
{
	struct keyring_state *s;
	int rc;

	*out = NULL;
	*size = 0;
	if (keyring_load(path, archive_id, &s, e) < 0)
		return -1;
	rc = find_message(s, number, out, size, e);
	free(s);
	return rc < 0 ? err_wrap(e, "keyring %s", text_printable(path)) : 0;
}
