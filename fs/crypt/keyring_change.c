/*
 * Changes: each is made on a draft, stored in both halves, and only then moves
 * what is in memory.
 */
#include "fs/crypt/keyring_inside.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/secret.h"

int keyring_epoch_begin(struct keyring *k, struct err *e)
{
	struct slots s;
	struct body *b;

	if (k->body->successor != 0)
		return err_set(e, MUNI_EXISTS, "a switch to epoch %llu has begun already",
			       (unsigned long long)k->body->successor);
	if (keyring_draft(k, &b, &s, e) < 0)
		return -1;
	b->successor = b->epoch + 1;
	if (random_bytes(b->next_catalogue, sizeof b->next_catalogue, e) < 0)
		return keyring_drop(b, &s);
	return keyring_commit(k, b, &s, e);
}

int keyring_epoch_finish(struct keyring *k, struct err *e)
{
	struct slots s;
	struct body *b;

	if (k->body->successor == 0)
		return err_set(e, MUNI_USAGE, "no switch of epoch has begun");
	if (keyring_draft(k, &b, &s, e) < 0)
		return -1;
	b->epoch = b->successor;
	memcpy(b->catalogue, b->next_catalogue, sizeof b->catalogue);
	b->successor = 0;
	secret_wipe(b->next_catalogue, sizeof b->next_catalogue);
	return keyring_commit(k, b, &s, e);
}

int keyring_epoch_abandon(struct keyring *k, struct err *e)
{
	struct slots s;
	struct body *b;

	if (k->body->successor == 0)
		return 0;
	if (keyring_draft(k, &b, &s, e) < 0)
		return -1;
	b->successor = 0;
	secret_wipe(b->next_catalogue, sizeof b->next_catalogue);
	return keyring_commit(k, b, &s, e);
}

const char *keyring_kind_name(enum keyring_secret_kind kind)
{
	switch (kind) {
	case KEYRING_PASSPHRASE:
		return "passphrase";
	case KEYRING_KEY_FILE:
		return "key file";
	case KEYRING_RECIPIENT:
		return "recipient";
	}
	return "unknown";
}

bool keyring_can_open(const struct slots *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->list[i].about.kind != KEYRING_RECIPIENT)
			return true;
	return false;
}

int keyring_append_slot(struct body *b, struct slots *s, const uint8_t *id,
		       const struct keyring_secret *secret, const char *label, int64_t now,
		       struct err *e)
{
	struct slot *slot = &s->list[s->count];
	size_t size;

	if (!label)
		label = keyring_kind_name(secret->kind);
	size = strlen(label);
	if (size >= sizeof slot->about.label || !text_is_utf8(label, size))
		return err_set(e, MUNI_USAGE, "a key's label is at most %zu bytes of UTF-8",
			       sizeof slot->about.label - 1);
	*slot = (struct slot){ .about = { .number = b->next_slot, .kind = secret->kind,
					  .created = now } };
	memcpy(slot->about.label, label, size + 1);
	if (slot_make(slot, id, secret, e) < 0 || slot_wrap(slot, id, b->master, e) < 0) {
		slot_clear(slot);
		return -1;
	}
	s->count++;
	b->next_slot++;
	return 0;
}

int keyring_slots(const struct keyring *k, struct keyring_slot **out, size_t *count,
		  struct err *e)
{
	*count = 0;
	*out = calloc(k->slots.count + 1, sizeof **out);
	if (!*out)
		return err_set(e, MUNI_NO_MEMORY, "no memory to list keys");
	for (size_t i = 0; i < k->slots.count; i++)
		(*out)[i] = k->slots.list[i].about;
	*count = k->slots.count;
	return 0;
}

unsigned keyring_next_slot(const struct keyring *k)
{
	return k->body->next_slot;
}

int keyring_slot_add(struct keyring *k, const struct keyring_secret *secret,
		     const char *label, int64_t now, unsigned *number, struct err *e)
{
	struct slots s;
	struct body *b;

	*number = k->body->next_slot;
	if (keyring_draft(k, &b, &s, e) < 0)
		return -1;
	if (keyring_append_slot(b, &s, k->id, secret, label, now, e) < 0)
		return keyring_drop(b, &s);
	return keyring_commit(k, b, &s, e);
}

/* K3: public keys and certificates are all that is needed. */
static int renew_master(struct body *b, struct slots *s, const uint8_t *id, struct err *e)
{
	if (random_bytes(b->master, sizeof b->master, e) < 0)
		return -1;
	for (size_t i = 0; i < s->count; i++)
		if (slot_wrap(&s->list[i], id, b->master, e) < 0)
			return err_wrap(e, "key %u", s->list[i].about.number);
	return 0;
}

int keyring_renew(struct keyring *k, struct err *e)
{
	struct slots s;
	struct body *b;

	if (keyring_draft(k, &b, &s, e) < 0)
		return -1;
	if (renew_master(b, &s, k->id, e) < 0)
		return keyring_drop(b, &s);
	return keyring_commit(k, b, &s, e);
}

static int take_out(struct slots *s, unsigned number, struct err *e)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->list[i].about.number != number)
			continue;
		slot_clear(&s->list[i]);
		s->count--;
		memmove(&s->list[i], &s->list[i + 1], (s->count - i) * sizeof *s->list);
		return 0;
	}
	return err_set(e, MUNI_NOT_FOUND, "there is no key %u", number);
}

int keyring_slot_remove(struct keyring *k, unsigned number, struct err *e)
{
	struct slots s;
	struct body *b;

	if (keyring_draft(k, &b, &s, e) < 0)
		return -1;
	if (take_out(&s, number, e) < 0)
		return keyring_drop(b, &s);
	if (!keyring_can_open(&s)) {
		err_set(e, MUNI_REFUSED, "key %u is the last passphrase or key file: without "
			"it nobody could open the archive. Add another first", number);
		return keyring_drop(b, &s);
	}
	if (renew_master(b, &s, k->id, e) < 0)
		return keyring_drop(b, &s);
	return keyring_commit(k, b, &s, e);
}
