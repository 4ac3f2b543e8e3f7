#include "fs/crypt/keyring_inside.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/secret.h"

#define KEY_FILE_LEAST 32
#define RECIPIENT_PART_MAX 8192	/* of a certificate, of a message */
#define SLOTS_MAX 256
#define SLOT_AD_SIZE (8 + KEYRING_ID_SIZE + 4 + 1 + WRAP_KEY_SIZE)

void slot_clear(struct slot *s)
{
	free(s->cert);
	free(s->message);
	s->cert = s->message = NULL;
}

void slots_free(struct slots *s)
{
	for (size_t i = 0; i < s->count; i++)
		slot_clear(&s->list[i]);
	free(s->list);
	*s = (struct slots){ .list = NULL };
}

static uint8_t *copy_of(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (copy && size > 0)
		memcpy(copy, data, size);
	return copy;
}

int slots_copy(const struct slots *from, struct slots *out, struct err *e)
{
	/* One more than needed: for the slot that is added. */
	*out = (struct slots){ .list = calloc(from->count + 1, sizeof *out->list) };
	if (!out->list)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the keyring's slots");
	for (size_t i = 0; i < from->count; i++) {
		struct slot *s = &out->list[i];

		*s = from->list[i];
		s->cert = s->message = NULL;
		out->count++;
		if (s->about.kind != KEYRING_RECIPIENT)
			continue;
		s->cert = copy_of(from->list[i].cert, s->cert_size);
		s->message = copy_of(from->list[i].message, s->message_size);
		if (!s->cert || !s->message) {
			slots_free(out);
			return err_set(e, MUNI_NO_MEMORY, "no memory for the keyring's slots");
		}
	}
	return 0;
}

/* ---- bytes ------------------------------------------------------------------ */

static void write_one(const struct slot *s, struct writer *w)
{
	size_t label = strlen(s->about.label);

	writer_u32(w, s->about.number);
	writer_u8(w, (uint8_t)s->about.kind);
	writer_u64(w, (uint64_t)s->about.created);
	writer_u8(w, (uint8_t)label);
	writer_bytes(w, s->about.label, label);
	if (s->about.kind == KEYRING_RECIPIENT) {
		writer_u16(w, (uint16_t)s->cert_size);
		writer_bytes(w, s->cert, s->cert_size);
		writer_u16(w, (uint16_t)s->message_size);
		writer_bytes(w, s->message, s->message_size);
		return;
	}
	writer_u8(w, s->how.log_n);
	writer_u32(w, s->how.r);
	writer_u32(w, s->how.p);
	writer_bytes(w, s->how.salt, sizeof s->how.salt);
	writer_bytes(w, s->public, sizeof s->public);
	writer_bytes(w, s->nonce, sizeof s->nonce);
	writer_bytes(w, s->private, sizeof s->private);
	writer_bytes(w, s->tag, sizeof s->tag);
	writer_bytes(w, s->master.ephemeral, sizeof s->master.ephemeral);
	writer_bytes(w, s->master.sealed, sizeof s->master.sealed);
}

void slots_write(const struct slots *s, struct writer *w)
{
	for (size_t i = 0; i < s->count; i++)
		write_one(&s->list[i], w);
}

static uint8_t *read_part(struct reader *r, size_t *size)
{
	const uint8_t *view;

	*size = reader_u16(r);
	if (*size > RECIPIENT_PART_MAX)
		r->underflow = true;
	view = reader_view(r, *size);
	return view ? copy_of(view, *size) : NULL;
}

static void read_one(struct reader *r, struct slot *s)
{
	size_t label;

	s->about.number = reader_u32(r);
	s->about.kind = reader_u8(r);
	s->about.created = (int64_t)reader_u64(r);
	label = reader_u8(r);
	if (label >= sizeof s->about.label)
		r->underflow = true;
	else
		reader_bytes(r, s->about.label, label);
	if (s->about.kind == KEYRING_RECIPIENT) {
		s->cert = read_part(r, &s->cert_size);
		s->message = read_part(r, &s->message_size);
		return;
	}
	s->how.log_n = reader_u8(r);
	s->how.r = reader_u32(r);
	s->how.p = reader_u32(r);
	reader_bytes(r, s->how.salt, sizeof s->how.salt);
	reader_bytes(r, s->public, sizeof s->public);
	reader_bytes(r, s->nonce, sizeof s->nonce);
	reader_bytes(r, s->private, sizeof s->private);
	reader_bytes(r, s->tag, sizeof s->tag);
	reader_bytes(r, s->master.ephemeral, sizeof s->master.ephemeral);
	reader_bytes(r, s->master.sealed, sizeof s->master.sealed);
}

static bool is_sound(const struct slot *s)
{
	switch (s->about.kind) {
	case KEYRING_PASSPHRASE:
	case KEYRING_KEY_FILE:
		return true;
	case KEYRING_RECIPIENT:
		return s->cert && s->message;
	}
	return false;
}

int slots_read(struct reader *r, size_t count, struct slots *out, struct err *e)
{
	*out = (struct slots){ .list = NULL };
	if (count > SLOTS_MAX)
		goto bad;
	out->list = calloc(count + 1, sizeof *out->list);
	if (!out->list)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the keyring's slots");
	for (size_t i = 0; i < count; i++) {
		read_one(r, &out->list[i]);
		out->count++;
		if (r->underflow || !is_sound(&out->list[i]))
			goto bad;
	}
	if (reader_left(r) == 0)
		return 0;
bad:
	slots_free(out);
	return err_set(e, MUNI_DAMAGED, "its list of slots does not parse");
}

/* ---- secrets ------------------------------------------------------------------ */

/* The key that the secret stands for, into secret memory. */
static int secret_key(const struct slot *s, const struct keyring_secret *secret,
		      uint8_t kek[32], struct err *e)
{
	if (secret->kind == KEYRING_PASSPHRASE)
		return stretch(&s->how, secret->data, secret->size, kek, e);
	if (secret->size < KEY_FILE_LEAST)
		return err_set(e, MUNI_CANNOT_UNLOCK, "a key file has at least %d bytes, this "
			       "one has %zu", KEY_FILE_LEAST, secret->size);
	return digest_hkdf(secret->data, secret->size, s->how.salt, sizeof s->how.salt,
			   "muniment key file 1", kek, 32, e);
}

static void slot_ad(const struct slot *s, const uint8_t *id, uint8_t ad[SLOT_AD_SIZE])
{
	struct writer w = writer_over(ad, SLOT_AD_SIZE);

	writer_bytes(&w, "MUNISLOT", 8);
	writer_bytes(&w, id, KEYRING_ID_SIZE);
	writer_u32(&w, s->about.number);
	writer_u8(&w, (uint8_t)s->about.kind);
	writer_bytes(&w, s->public, sizeof s->public);
}

static int make_pair(struct slot *s, const uint8_t *id, const struct keyring_secret *secret,
		     struct err *e)
{
	uint8_t ad[SLOT_AD_SIZE];
	uint8_t *keys = secret_new(2 * 32);	/* the secret's key, the private key */
	struct sealer *sealer = NULL;
	int rc = -1;

	if (!keys) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a slot");
		goto out;
	}
	if (secret->kind == KEYRING_PASSPHRASE) {
		s->how.log_n = STRETCH_LOG_N;
		s->how.r = STRETCH_R;
		s->how.p = STRETCH_P;
	}
	if (random_bytes(s->how.salt, sizeof s->how.salt, e) < 0 ||
	    random_bytes(s->nonce, sizeof s->nonce, e) < 0 ||
	    secret_key(s, secret, keys, e) < 0 ||
	    wrap_pair(keys + 32, s->public, e) < 0 || sealer_new(&sealer, e) < 0 ||
	    sealer_set_key(sealer, keys, e) < 0)
		goto out;
	slot_ad(s, id, ad);
	rc = seal_close(sealer, s->nonce, ad, sizeof ad, keys + 32, 32, s->private, s->tag, e);
out:
	sealer_free(sealer);
	secret_free(keys);
	return rc;
}

int slot_make(struct slot *s, const uint8_t id[KEYRING_ID_SIZE],
	      const struct keyring_secret *secret, struct err *e)
{
	switch (secret->kind) {
	case KEYRING_PASSPHRASE:
		if (secret->size == 0 || secret->size > STRETCH_PASSPHRASE_MAX)
			return err_set(e, MUNI_USAGE, "a passphrase has 1 to %d bytes, this "
				       "one has %zu", STRETCH_PASSPHRASE_MAX, secret->size);
		return make_pair(s, id, secret, e);
	case KEYRING_KEY_FILE:
		if (secret->size < KEY_FILE_LEAST)
			return err_set(e, MUNI_USAGE, "a key file has at least %d bytes, this "
				       "one has %zu: make one with \"head -c 64 "
				       "/dev/urandom\"", KEY_FILE_LEAST, secret->size);
		return make_pair(s, id, secret, e);
	case KEYRING_RECIPIENT:
		if (wrap_certificate(secret->data, secret->size, &s->cert, &s->cert_size, e) < 0)
			return -1;
		if (s->cert_size > RECIPIENT_PART_MAX)
			return err_set(e, MUNI_LIMIT, "the certificate has %zu bytes where at "
				       "most %d are taken", s->cert_size, RECIPIENT_PART_MAX);
		return 0;
	}
	return err_set(e, MUNI_USAGE, "there is no kind of secret %u", (unsigned)secret->kind);
}

int slot_wrap(struct slot *s, const uint8_t id[KEYRING_ID_SIZE],
	      const uint8_t master[32], struct err *e)
{
	uint8_t *message;
	size_t size;

	if (s->about.kind != KEYRING_RECIPIENT)
		return wrap_close(s->public, id, master, &s->master, e);
	if (wrap_message(s->cert, s->cert_size, master, &message, &size, e) < 0)
		return -1;
	if (size > RECIPIENT_PART_MAX) {
		free(message);
		return err_set(e, MUNI_LIMIT, "the message to a recipient is too large");
	}
	free(s->message);
	s->message = message;
	s->message_size = size;
	return 0;
}

int slot_open(const struct slot *s, const uint8_t id[KEYRING_ID_SIZE],
	      const struct keyring_secret *secret, uint8_t master[32], struct err *e)
{
	uint8_t ad[SLOT_AD_SIZE];
	uint8_t *keys = NULL;
	struct sealer *sealer = NULL;
	int rc = -1;

	if (s->about.kind != secret->kind || s->about.kind == KEYRING_RECIPIENT)
		return err_set(e, MUNI_CANNOT_UNLOCK, "the slot takes another kind of secret");
	keys = secret_new(2 * 32);
	if (!keys)
		return err_set(e, MUNI_NO_MEMORY, "no memory to open a slot");
	if (secret_key(s, secret, keys, e) < 0 || sealer_new(&sealer, e) < 0 ||
	    sealer_set_key(sealer, keys, e) < 0)
		goto out;
	slot_ad(s, id, ad);
	if (seal_open(sealer, s->nonce, ad, sizeof ad, s->private, 32, s->tag, keys + 32,
		      e) < 0) {
		if (e->code == MUNI_DAMAGED)
			err_set(e, MUNI_CANNOT_UNLOCK, "the secret does not open this slot");
		goto out;
	}
	rc = wrap_open(keys + 32, s->public, id, &s->master, master, e);
out:
	sealer_free(sealer);
	secret_free(keys);
	return rc;
}
