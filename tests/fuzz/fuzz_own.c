/*
 * The archive's own signatures, of which others changed bytes: beside their content
 * (cms_verify_own()) and around it (cms_verify_attached()).  The first byte says which, and
 * whether the rest is a list of changes of one that is sound (der_edit.h) or stands for itself.
 *
 * Taken is, beside its content, by the archive's certificate, what was made and nothing else;
 * around it, this content by this key, and no byte of it is another than was made where it
 * stood.  One thing is excepted, which is ECDSA's and takes no key: beside s the order of
 * the curve less s holds too.
 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

#include "fs/base/err.h"
#include "fs/crypt/officer.h"
#include "fs/crypt/sign.h"
#include "tests/fuzz/der_edit.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/same_chance.h"

#define NOW 1700000000
#define TEXT "{\"what\":\"a certificate\"}"
#define TEXT_SIZE (sizeof TEXT - 1)

enum kind {
	BESIDE,
	AROUND,
	KINDS
};

static struct signature {
	struct der made, twin;		/* by s, and by the order less s */
} signatures[KINDS];
static struct identity identity;	/* the archive's */

static void close_all(void)
{
	identity_clear(&identity);
}

/* Of all elements s begins last. */
static void make_twin(const struct der *made, struct der *out)
{
	EC_GROUP *curve = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	uint8_t change[64] = { DER_CONTENT };
	size_t number, content, end, n;
	BIGNUM *s;

	der_last(made, &number, &content, &end);
	s = BN_bin2bn(made->bytes + content, (int)(end - content), NULL);
	MUST(curve && s && BN_sub(s, EC_GROUP_get0_order(curve), s) == 1);
	/* An INTEGER has a sign. */
	n = (size_t)BN_num_bits(s) / 8 + 1;
	change[1] = (uint8_t)number;
	change[2] = (uint8_t)(number >> 8);
	change[3] = (uint8_t)n;
	MUST(4 + n <= sizeof change && BN_bn2binpad(s, change + 4, (int)n) == (int)n);
	*out = *made;
	der_edit(out, change, 4 + n);
	BN_free(s);
	EC_GROUP_free(curve);
}

static bool is_same(const struct der *one, const struct der *other)
{
	return one->size == other->size && memcmp(one->bytes, other->bytes, one->size) == 0;
}

static bool is_made(enum kind kind, const struct der *d)
{
	return is_same(d, &signatures[kind].made) || is_same(d, &signatures[kind].twin);
}

/* ---- what is asked ------------------------------------------------------------------------- */

/* As verify does: by whom, and then what nobody signed. */
static bool is_taken_beside(const struct der *d)
{
	struct cms_signer *signers = NULL;
	struct err e = ERR_NONE;
	size_t count = 0, which;
	const bool is_ours = sign_verify_known(d->bytes, d->size, TEXT, TEXT_SIZE,
					       &identity.fingerprint, 1, &which, &e) == 0;
	const bool is_so = cms_verify_own(d->bytes, d->size, TEXT, TEXT_SIZE, &signers, &count,
					  &e) == 0;

	if (is_so)	/* another's certificate in it, perhaps, but of this key */
		MUST(count == 1 && digest_equal(&signers[0].identity.key, &identity.key));
	else
		MUST(!signers && count == 0 && *e.text &&
		     (e.code == MUNI_DAMAGED || e.code == MUNI_FORMAT));
	cms_signers_free(signers, count);
	return is_ours && is_so;
}

/* *is_ours: by the archive's certificate. */
static bool is_taken_around(const struct der *d, bool *is_ours)
{
	struct cms_signer *signers = NULL;
	struct err e = ERR_NONE;
	uint8_t *content = NULL;
	size_t count = 0, size = 0;
	const bool is_so = cms_verify_attached(d->bytes, d->size, &content, &size, &signers, &count,
					       &e) == 0;

	*is_ours = is_so;
	if (is_so)
		MUST(count > 0 && size == TEXT_SIZE && memcmp(content, TEXT, TEXT_SIZE) == 0);
	else
		MUST(!signers && !content && count == 0 && *e.text &&
		     (e.code == MUNI_DAMAGED || e.code == MUNI_FORMAT));
	for (size_t i = 0; i < count; i++) {
		MUST(digest_equal(&signers[i].identity.key, &identity.key));
		*is_ours = *is_ours && digest_equal(&signers[i].identity.fingerprint,
						    &identity.fingerprint);
	}
	cms_signers_free(signers, count);
	free(content);
	return is_so;
}

static void judge(enum kind kind, const struct der *d, bool is_in_place)
{
	bool is_ours;

	if (kind == BESIDE)
		MUST(!is_taken_beside(d) || is_made(kind, d));
	else if (is_taken_around(d, &is_ours) && is_ours && is_in_place)
		MUST(is_made(kind, d));
}

/* ---- the target ---------------------------------------------------------------------------- */

static void put(struct der *d, const uint8_t *bytes, size_t size)
{
	MUST(size <= sizeof d->bytes);
	memcpy(d->bytes, bytes, size);
	d->size = size;
}

static void make(const struct signer *signer)
{
	struct err e = ERR_NONE;
	uint8_t *bytes;
	bool is_ours;
	size_t size;

	MUST(sign_detached(signer, TEXT, TEXT_SIZE, NOW, &bytes, &size, &e) == 0);
	put(&signatures[BESIDE].made, bytes, size);
	free(bytes);
	MUST(cms_sign_attached(signer, NULL, TEXT, TEXT_SIZE, NOW, &bytes, &size, &e) == 0);
	put(&signatures[AROUND].made, bytes, size);
	free(bytes);
	for (enum kind kind = 0; kind < KINDS; kind++) {
		make_twin(&signatures[kind].made, &signatures[kind].twin);
		MUST(!is_same(&signatures[kind].made, &signatures[kind].twin));
	}
	/* What is never taken would pass for a sound judge. */
	MUST(is_taken_beside(&signatures[BESIDE].made) && is_taken_beside(&signatures[BESIDE].twin));
	MUST(is_taken_around(&signatures[AROUND].made, &is_ours) && is_ours);
	MUST(is_taken_around(&signatures[AROUND].twin, &is_ours) && is_ours);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct signer *signer;
	struct err e = ERR_NONE;
	uint8_t *cert;
	size_t cert_size;

	(void)argc;
	(void)argv;
	same_chance();
	MUST(signer_generate("0123456789abcdef0123456789abcdef", SIGNER_P256, NOW, &signer, &e) == 0);
	MUST(signer_certificate(signer, &cert, &cert_size, &e) == 0);
	MUST(identity_parse(cert, cert_size, &identity, &e) == 0);
	make(signer);
	free(cert);
	signer_free(signer);
	MUST(atexit(close_all) == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct der d;
	enum kind kind;
	bool is_in_place = true;

	if (size == 0)
		return 0;
	kind = data[0] % KINDS;
	if (data[0] / KINDS % 2 == 0) {
		d = signatures[kind].made;
		is_in_place = der_edit(&d, data + 1, size - 1);
	} else if (size - 1 <= sizeof d.bytes) {
		put(&d, data + 1, size - 1);
		is_in_place = false;
	} else {
		return 0;
	}
	judge(kind, &d, is_in_place);
	return 0;
}
