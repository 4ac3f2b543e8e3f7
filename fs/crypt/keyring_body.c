#include "fs/crypt/keyring_inside.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/secret.h"

#define BODY_AD_SIZE (8 + 4 + KEYRING_ID_SIZE + 8 + 1 + DIGEST_SIZE)

static const char magic[8] = "MUNIKEYS";

/* Slots stand in clear and are bound by their digest: none can be put in, taken
 * out or changed without the master key. */
static void body_ad(uint32_t format, const uint8_t *id, uint64_t generation, unsigned half,
		    const uint8_t *slots, size_t slots_size, uint8_t ad[BODY_AD_SIZE])
{
	struct digest d = digest_of(slots, slots_size);
	struct writer w = writer_over(ad, BODY_AD_SIZE);

	writer_bytes(&w, magic, sizeof magic);
	writer_u32(&w, format);
	writer_bytes(&w, id, KEYRING_ID_SIZE);
	writer_u64(&w, generation);
	writer_u8(&w, (uint8_t)half);
	writer_bytes(&w, d.bytes, sizeof d.bytes);
}

bool keyring_knows_format(uint32_t format)
{
	return format == KEYRING_FORMAT || format == KEYRING_FORMAT_RENEWED;
}

/* What a program of before reads, as long as it can. */
static uint32_t format_of(const struct body *b)
{
	return b->next_key_size > 0 || b->former_count > 0 ? KEYRING_FORMAT_RENEWED
							   : KEYRING_FORMAT;
}

int body_make_signer(const uint8_t id[KEYRING_ID_SIZE], enum signer_algorithm algorithm,
		     int64_t now, uint8_t key[SIGNING_KEY_MAX], size_t *key_size,
		     uint8_t certificate[CERTIFICATE_MAX], size_t *certificate_size,
		     struct signer **out, struct err *e)
{
	uint8_t *key_der = NULL, *cert_der = NULL;
	size_t k, c;
	char hex[2 * KEYRING_ID_SIZE + 1];
	int rc = -1;

	text_hex(id, KEYRING_ID_SIZE, hex);
	if (signer_generate(hex, algorithm, now, out, e) < 0 ||
	    signer_export(*out, &key_der, &k, &cert_der, &c, e) < 0)
		goto out;
	if (k > SIGNING_KEY_MAX || c > CERTIFICATE_MAX) {
		err_set(e, MUNI_LIMIT, "the signing key is too large for the keyring");
		goto out;
	}
	memcpy(key, key_der, k);
	*key_size = k;
	memcpy(certificate, cert_der, c);
	*certificate_size = c;
	rc = 0;
out:
	secret_free(key_der);
	free(cert_der);
	return rc;
}

static void renewal_write(const struct body *b, struct writer *w)
{
	writer_u16(w, (uint16_t)b->next_key_size);
	writer_bytes(w, b->next_key, b->next_key_size);
	writer_u16(w, (uint16_t)b->next_certificate_size);
	writer_bytes(w, b->next_certificate, b->next_certificate_size);
	writer_u64(w, b->next_entry);
	writer_u16(w, (uint16_t)b->former_count);
	for (size_t i = 0; i < b->former_count; i++) {
		writer_bytes(w, b->former[i].certificate.bytes, DIGEST_SIZE);
		writer_u64(w, b->former[i].entry);
	}
}

static void renewal_read(struct reader *r, struct body *b)
{
	b->next_key_size = reader_u16(r);
	if (b->next_key_size > SIGNING_KEY_MAX)
		goto bad;
	reader_bytes(r, b->next_key, b->next_key_size);
	b->next_certificate_size = reader_u16(r);
	if (b->next_certificate_size > CERTIFICATE_MAX ||
	    (b->next_key_size == 0) != (b->next_certificate_size == 0))
		goto bad;
	reader_bytes(r, b->next_certificate, b->next_certificate_size);
	b->next_entry = reader_u64(r);
	b->former_count = reader_u16(r);
	if (b->former_count > KEYRING_FORMER_MAX)
		goto bad;
	for (size_t i = 0; i < b->former_count; i++) {
		reader_bytes(r, b->former[i].certificate.bytes, DIGEST_SIZE);
		b->former[i].entry = reader_u64(r);
	}
	return;
bad:
	r->underflow = true;
}

static void body_write(const struct body *b, struct writer *w)
{
	writer_u64(w, b->epoch);
	writer_bytes(w, b->catalogue, 32);
	writer_u64(w, b->successor);
	writer_bytes(w, b->next_catalogue, 32);
	writer_bytes(w, b->dedupe, 32);
	writer_bytes(w, b->chunker, 32);
	writer_u32(w, b->next_slot);
	writer_u16(w, (uint16_t)b->signing_key_size);
	writer_bytes(w, b->signing_key, b->signing_key_size);
	writer_u16(w, (uint16_t)b->certificate_size);
	writer_bytes(w, b->certificate, b->certificate_size);
	if (format_of(b) == KEYRING_FORMAT_RENEWED)
		renewal_write(b, w);
}

static int body_read(struct reader *r, uint32_t format, struct body *b, struct err *e)
{
	b->epoch = reader_u64(r);
	reader_bytes(r, b->catalogue, 32);
	b->successor = reader_u64(r);
	reader_bytes(r, b->next_catalogue, 32);
	reader_bytes(r, b->dedupe, 32);
	reader_bytes(r, b->chunker, 32);
	b->next_slot = reader_u32(r);
	b->signing_key_size = reader_u16(r);
	if (b->signing_key_size > SIGNING_KEY_MAX)
		goto bad;
	reader_bytes(r, b->signing_key, b->signing_key_size);
	b->certificate_size = reader_u16(r);
	if (b->certificate_size > CERTIFICATE_MAX)
		goto bad;
	reader_bytes(r, b->certificate, b->certificate_size);
	b->next_key_size = b->next_certificate_size = b->former_count = 0;
	b->next_entry = 0;
	if (format == KEYRING_FORMAT_RENEWED)
		renewal_read(r, b);
	if (!r->underflow && reader_left(r) == 0 && b->epoch > 0)
		return 0;
bad:
	return err_set(e, MUNI_DAMAGED, "its body does not parse");
}

int payload_build(const struct body *b, const struct slots *s,
		  const uint8_t id[KEYRING_ID_SIZE], uint64_t generation, unsigned half,
		  uint8_t payload[PAYLOAD_SIZE], struct err *e)
{
	struct writer w = writer_over(payload, PAYLOAD_SIZE), bw;
	uint8_t ad[BODY_AD_SIZE];
	uint8_t *plain = secret_new(BODY_SIZE_MAX);
	struct sealer *sealer = NULL;
	size_t slots_size;
	int rc = -1;

	if (!plain) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the keyring");
		goto out;
	}
	if (random_bytes(payload, PAYLOAD_SIZE, e) < 0)
		goto out;
	bw = writer_over(plain, BODY_SIZE_MAX);
	body_write(b, &bw);
	w.used = PAYLOAD_HEAD;
	slots_write(s, &w);
	if (bw.overflow || w.overflow ||
	    w.used + SEAL_NONCE_SIZE + bw.used + SEAL_TAG_SIZE > PAYLOAD_SIZE) {
		err_set(e, MUNI_LIMIT, "the keyring is full: remove a key first");
		goto out;
	}
	slots_size = w.used - PAYLOAD_HEAD;
	body_ad(format_of(b), id, generation, half, payload + PAYLOAD_HEAD, slots_size, ad);

	uint8_t *nonce = payload + w.used, *sealed = nonce + SEAL_NONCE_SIZE;

	/* The nonce is the random bytes that stand there already. */
	if (sealer_new(&sealer, e) < 0 || sealer_set_key(sealer, b->master, e) < 0 ||
	    seal_close(sealer, nonce, ad, sizeof ad, plain, bw.used, sealed, sealed + bw.used,
		       e) < 0)
		goto out;

	w = writer_over(payload, PAYLOAD_HEAD);
	writer_bytes(&w, magic, sizeof magic);
	writer_u32(&w, format_of(b));
	writer_u32(&w, (uint32_t)s->count);
	writer_bytes(&w, id, KEYRING_ID_SIZE);
	writer_u64(&w, generation);
	writer_u32(&w, (uint32_t)slots_size);
	writer_u32(&w, (uint32_t)bw.used);
	rc = 0;
out:
	sealer_free(sealer);
	secret_free(plain);
	return rc;
}

int payload_open(const struct half *h, const uint8_t id[KEYRING_ID_SIZE], unsigned half,
		 const uint8_t master[32], struct body *out, struct err *e)
{
	const uint8_t *slots = h->payload + PAYLOAD_HEAD;
	const uint8_t *nonce = slots + h->slots_size;
	const uint8_t *sealed = nonce + SEAL_NONCE_SIZE;
	uint8_t ad[BODY_AD_SIZE];
	uint8_t *plain = secret_new(BODY_SIZE_MAX);
	struct sealer *sealer = NULL;
	struct reader r;
	int rc = -1;

	if (!plain) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the keyring");
		goto out;
	}
	body_ad(h->format, id, h->generation, half, slots, h->slots_size, ad);
	if (sealer_new(&sealer, e) < 0 || sealer_set_key(sealer, master, e) < 0 ||
	    seal_open(sealer, nonce, ad, sizeof ad, sealed, h->body_size,
		      sealed + h->body_size, plain, e) < 0)
		goto out;
	r = reader_over(plain, h->body_size);
	if (body_read(&r, h->format, out, e) < 0)
		goto out;
	memcpy(out->master, master, 32);
	rc = 0;
out:
	sealer_free(sealer);
	secret_free(plain);
	return rc;
}
