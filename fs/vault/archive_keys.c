/* Who may open the archive.  Every change is an act in the log. */
#include "fs/vault/archive_inside.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/archive_secrets.h"
#include "fs/vault/epoch.h"

static const char *kind_name(enum keyring_secret_kind kind)
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

int vault_key_list(const struct vault *v, struct vault_key **out, size_t *count,
		   struct err *e)
{
	struct keyring_slot *slots;

	*out = NULL;
	if (keyring_slots(v->keyring, &slots, count, e) < 0)
		return -1;
	*out = calloc(*count + 1, sizeof **out);
	for (size_t i = 0; *out && i < *count; i++) {
		struct vault_key *k = &(*out)[i];

		k->number = slots[i].number;
		k->kind = kind_name(slots[i].kind);
		memcpy(k->label, slots[i].label, sizeof k->label);
		k->created = slots[i].created;
	}
	free(slots);
	return *out ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory to list keys");
}

/* {"key":2,"kind":"passphrase","label":"desk"} into the log. */
static int log_key(struct vault *v, enum log_act act, unsigned number, const char *kind,
		   const char *label, const char *note, struct err *e)
{
	json_t *o = json_pack("{s:I,s:s,s:s}", "key", (json_int_t)number, "kind", kind,
			      "label", label);
	char *text;
	int rc = -1;

	if (o && note && json_object_set_new(o, "note", json_string(note)) < 0) {
		json_decref(o);
		o = NULL;
	}
	text = o ? json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(o);
	if (!text)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a log entry");
	if (catalogue_begin(v->catalogue, e) == 0)
		rc = vault_commit_act(v, act, text, e);
	free(text);
	return rc;
}

static int require_writer(const struct vault *v, struct err *e)
{
	if (v->mode == VAULT_WRITE)
		return 0;
	return err_set(e, MUNI_USAGE, "the archive is open for reading only");
}

/* The log first: a crash then leaves an act about a key that is not there, never
 * a key that no act tells of. */
int vault_key_add(struct vault *v, const struct vault_keys *keys, const char *recipient,
		  const char *label, unsigned *number, struct err *e)
{
	struct secrets secrets;
	const struct keyring_secret *secret;
	const char *kind;
	struct err second = ERR_NONE;
	int rc = -1;

	*number = 0;
	if (require_writer(v, e) < 0 || secrets_for_key(keys, recipient, &secrets, e) < 0)
		return -1;
	secret = &secrets.list[0];
	kind = kind_name(secret->kind);
	if (!label)
		label = secret->label ? secret->label : kind;
	if (!text_is_utf8(label, strlen(label))) {
		err_set(e, MUNI_USAGE, "a key's label is UTF-8");
		goto out;
	}
	if (log_key(v, LOG_KEY_ADDED, keyring_next_slot(v->keyring), kind, label, NULL, e) < 0)
		goto out;
	if (keyring_slot_add(v->keyring, secret, label, vault_now(v), number, e) < 0) {
		if (log_key(v, LOG_KEY_REMOVED, *number, kind, label, "was not added",
			    &second) < 0)
			err_wrap(e, "not added (and the log, which says that it was, could not "
				 "be corrected: %s)", second.text);
		goto out;
	}
	rc = 0;
out:
	secrets_free(&secrets);
	return rc;
}

/* The keyring first: the log never says of a key that still opens that it is
 * gone. */
static int remove_key(struct vault *v, unsigned number, struct err *e)
{
	struct vault_key *keys;
	size_t count;
	struct vault_key gone = { .kind = "unknown" };

	if (vault_key_list(v, &keys, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (keys[i].number == number)
			gone = keys[i];
	free(keys);
	if (keyring_slot_remove(v->keyring, number, e) < 0)
		return -1;
	if (log_key(v, LOG_KEY_REMOVED, number, gone.kind, gone.label, NULL, e) < 0)
		return err_wrap(e, "the key is removed, but the log does not say so");
	return 0;
}

int vault_key_remove(struct vault *v, unsigned number, const struct epoch_options *o,
		     const struct vault_monitor *m, struct epoch_result *out, struct err *e)
{
	if (require_writer(v, e) < 0 || remove_key(v, number, e) < 0)
		return -1;
	if (vault_epoch_switch(v, o, m, out, e) < 0)
		return err_wrap(e, "the key is removed and the master key is new, but who held "
				"it may have kept the catalogue's key: \"muni key rotate\" "
				"renews that too");
	return 0;
}

int vault_key_rotate(struct vault *v, const struct epoch_options *o,
		     const struct vault_monitor *m, struct epoch_result *out, struct err *e)
{
	if (require_writer(v, e) < 0 || keyring_renew(v->keyring, e) < 0)
		return -1;
	return vault_epoch_switch(v, o, m, out, e);
}

int vault_key_message(const struct vault *v, unsigned number, uint8_t **out, size_t *size,
		      struct err *e)
{
	return keyring_recipient_message(v->keyring_path, v->id, number, out, size, e);
}
