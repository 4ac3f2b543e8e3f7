/*
 * A certificate of somebody's own making, signed as it should be: any JSON, with any
 * annex, judged from the files alone as `muni cert verify` does.  The input is 2 bytes of
 * size, an annex of so many bytes, and the text of the certificate, which is brought into
 * canonical form where it is JSON.  It never holds: one person alone, who proposed and
 * approved, is nobody's approval.
 *
 * A signature of "@" in it becomes the target's own over the statement that it belongs to,
 * a certificate of "@" the target's: what stands behind them is reached.
 */
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/officer.h"
#include "fs/crypt/sign.h"
#include "fs/vault/certificate_verify.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_mutate.h"

#define NOW 1700000000

static struct signer *signer;
static char *ca, *certificate;	/* PEM; base64 of DER */

static void close_all(void)
{
	signer_free(signer);
	free(ca);
	free(certificate);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err e = ERR_NONE;
	uint8_t *cert;
	size_t cert_size;

	(void)argc;
	(void)argv;
	MUST(signer_generate("0123456789abcdef0123456789abcdef", SIGNER_P256, NOW, &signer, &e) == 0);
	MUST(signer_certificate(signer, &cert, &cert_size, &e) == 0);
	MUST(sign_certificate_pem(cert, cert_size, &ca, &e) == 0);
	certificate = text_base64(cert, cert_size);
	MUST(certificate);
	free(cert);
	MUST(atexit(close_all) == 0);
	return 0;
}

static void found(void *arg, const char *check, enum check_result result, const char *sentence)
{
	unsigned *bad = arg;

	MUST(check && *check && sentence && *sentence);
	for (const char *c = sentence; *c; c++)	/* goes to a terminal */
		MUST((unsigned char)*c >= 0x20 && *c != 0x7f);
	*bad += result == CHECK_FAILS || result == CHECK_UNTRUSTED;
}

static bool is_ours(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && strcmp(text, "@") == 0;
}

static void put_certificate(json_t *o, const char *key)
{
	if (is_ours(o, key))
		json_object_set_new(o, key, json_string(certificate));
}

/* Over the text at `key` of `from`; with the signer's certificate in it either way. */
static void put_signature(json_t *o, const json_t *from, const char *key)
{
	const char *text = json_string_value(json_object_get(from, key));
	uint8_t *cms;
	size_t size;
	struct err e = ERR_NONE;
	char *code;

	if (!text || !is_ours(o, "signature"))
		return;
	MUST(sign_detached(signer, text, strlen(text), NOW, &cms, &size, &e) == 0);
	code = text_base64(cms, size);
	MUST(code);
	json_object_set_new(o, "signature", json_string(code));
	free(code);
	free(cms);
}

static void put_right(json_t *root)
{
	json_t *proof = json_object_get(root, "proof"), *person;
	size_t i;

	put_certificate(json_object_get(root, "identity"), "archive_certificate");
	put_signature(proof, proof, "statement");
	json_array_foreach(json_object_get(root, "people"), i, person) {
		put_certificate(person, "certificate");
		put_signature(person, json_object_get(root, "clearance"), "statement");
	}
}

/* malloc'ed. */
static char *text_of(const uint8_t *data, size_t size, size_t *out)
{
	json_t *o = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	char *text = NULL;
	struct err e = ERR_NONE;

	if (o)
		put_right(o);
	if (!o || canonical_dump(o, &text, out, &e) < 0) {
		text = malloc(size + 1);
		MUST(text);
		memcpy(text, data, size);
		*out = size;
	}
	json_decref(o);
	return text;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct reader r = reader_over(data, size);
	size_t annex_size = reader_u16(&r);

	return json_mutate(data, size, max_size, r.used + annex_size, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	struct evidence w = { .ca = (const uint8_t *)ca, .ca_size = strlen(ca) };
	size_t annex_size = reader_u16(&r), text_size = 0, cms_size, alone_size;
	const uint8_t *annex = reader_view(&r, annex_size);
	uint8_t *cms = NULL, *alone = NULL;
	json_t *content = NULL;
	struct err e = ERR_NONE;
	unsigned bad = 0;
	char *text;

	if (r.underflow || reader_left(&r) == 0)
		return 0;
	text = text_of(data + r.used, reader_left(&r), &text_size);
	MUST(cms_sign_attached(signer, NULL, text, text_size, NOW, &cms, &cms_size, &e) == 0);
	MUST(sign_detached(signer, text, text_size, NOW, &alone, &alone_size, &e) == 0);
	w.cms = cms;
	w.cms_size = cms_size;
	w.archive_signature = alone;
	w.archive_signature_size = alone_size;
	if (annex_size > 0)
		w.annex = fmemopen((void *)(uintptr_t)annex, annex_size, "r");
	MUST(certificate_verify(&w, found, &bad, &content, &e) < 0 && bad > 0);
	MUST(e.code == MUNI_DAMAGED || e.code == MUNI_REFUSED);
	json_decref(content);
	if (w.annex)
		fclose(w.annex);
	free(cms);
	free(alone);
	free(text);
	return 0;
}
