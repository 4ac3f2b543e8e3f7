#include "fs/crypt/officer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/library.h"
#include "fs/crypt/officer_inside.h"

const EVP_MD *cms_digest_for(EVP_PKEY *key)
{
	/* A curve's digest is no shorter than the curve needs (FIPS 186-4, 6.4). */
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 384)
		return EVP_sha512();
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 256)
		return EVP_sha384();
	return EVP_sha256();
}

CMS_SignerInfo *cms_add_signer(CMS_ContentInfo *cms, const struct signer *s, int64_t now,
			       unsigned flags)
{
	CMS_SignerInfo *info =
		CMS_add1_signer(cms, s->cert, s->key, cms_digest_for(s->key), flags);
	ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)now);
	bool is_added = info && time &&
			CMS_signed_add1_attr_by_NID(info, NID_pkcs9_signingTime, time->type,
						    time, -1) == 1;

	ASN1_TIME_free(time);
	return is_added ? info : NULL;
}

int cms_write(CMS_ContentInfo *cms, uint8_t **out, size_t *size, struct err *e)
{
	int der_size = i2d_CMS_ContentInfo(cms, NULL);
	unsigned char *end;

	*out = der_size > 0 ? malloc((size_t)der_size) : NULL;
	if (!*out)
		return library_failed(e, "writing out a signature");
	end = *out;
	/* It may want memory again, and leave half of it. */
	if (!library_wrote(i2d_CMS_ContentInfo(cms, &end), der_size)) {
		free(*out);
		*out = NULL;
		return library_failed(e, "writing out a signature");
	}
	*size = (size_t)der_size;
	return 0;
}

static int sign_all(const struct signer *const *signers, size_t count, const void *data,
		    size_t size, int64_t now, unsigned flags, uint8_t **out, size_t *out_size,
		    struct err *e)
{
	CMS_ContentInfo *cms = NULL;
	BIO *bio = NULL;
	int rc = -1;

	*out = NULL;
	*out_size = 0;
	if (size > INT_MAX)
		return err_set(e, MUNI_LIMIT, "%zu bytes are too many for one signature", size);
	flags |= CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP;
	cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	bio = BIO_new_mem_buf(data, (int)size);
	if (!cms || !bio)
		goto failed;
	for (size_t i = 0; i < count; i++)
		if (signers[i] && !cms_add_signer(cms, signers[i], now, flags))
			goto failed;
	if (CMS_final(cms, bio, NULL, flags) != 1)
		goto failed;
	rc = cms_write(cms, out, out_size, e);
	goto out;
failed:
	library_failed(e, "signing");
out:
	CMS_ContentInfo_free(cms);
	BIO_free(bio);
	return rc;
}

int officer_sign(struct officer_key *k, const void *data, size_t size, int64_t now,
		 uint8_t **out, size_t *out_size, struct err *e)
{
	const struct signer *one = &k->signer;

	return sign_all(&one, 1, data, size, now, CMS_DETACHED, out, out_size, e);
}

int cms_sign_attached(const struct signer *archive, struct officer_key *k, const void *data,
		      size_t size, int64_t now, uint8_t **out, size_t *out_size, struct err *e)
{
	const struct signer *both[2] = { archive, k ? &k->signer : NULL };

	return sign_all(both, 2, data, size, now, 0, out, out_size, e);
}

static bool has_signed(CMS_ContentInfo *cms, X509 *cert)
{
	STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);

	for (int i = 0; i < sk_CMS_SignerInfo_num(infos); i++)
		if (CMS_SignerInfo_cert_cmp(sk_CMS_SignerInfo_value(infos, i), cert) == 0)
			return true;
	return false;
}

/* The new signer's digest of the content, which must be there before it signs. */
static bool set_digest(CMS_SignerInfo *info, const uint8_t *content, size_t size,
		       const EVP_MD *md)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_size = 0;

	return EVP_Digest(content, size, digest, &digest_size, md, NULL) == 1 &&
	       CMS_signed_add1_attr_by_NID(info, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING,
					   digest, (int)digest_size) == 1 &&
	       CMS_signed_add1_attr_by_NID(info, NID_pkcs9_contentType, V_ASN1_OBJECT,
					   OBJ_nid2obj(NID_pkcs7_data), -1) == 1;
}

int cms_add_signature(const uint8_t *cms, size_t cms_size, struct officer_key *k, int64_t now,
		      uint8_t **out, size_t *out_size, struct err *e)
{
	const unsigned flags = CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP;
	const EVP_MD *md = cms_digest_for(k->signer.key);
	CMS_ContentInfo *info = NULL;
	CMS_SignerInfo *mine;
	struct cms_signer *signers = NULL;
	uint8_t *content = NULL;
	size_t size = 0, count = 0;
	int rc = -1;

	*out = NULL;
	*out_size = 0;
	/* Nobody signs beside signatures that do not hold. */
	if (cms_verify_attached(cms, cms_size, &content, &size, &signers, &count, e) < 0 ||
	    cms_read(cms, cms_size, &info, e) < 0)
		goto out;
	if (has_signed(info, k->signer.cert)) {
		err_set(e, MUNI_EXISTS, "this officer's certificate has signed it already");
		goto out;
	}
	mine = cms_add_signer(info, &k->signer, now, flags);
	if (!mine || !set_digest(mine, content, size, md) || CMS_SignerInfo_sign(mine) != 1)
		library_failed(e, "adding a signature");
	else
		rc = cms_write(info, out, out_size, e);
out:
	cms_signers_free(signers, count);
	free(content);
	CMS_ContentInfo_free(info);
	return rc;
}

int cms_detach(const uint8_t *cms, size_t cms_size, uint8_t **out, size_t *out_size,
	       struct err *e)
{
	CMS_ContentInfo *info = NULL;
	int rc = -1;

	*out = NULL;
	*out_size = 0;
	if (cms_read(cms, cms_size, &info, e) < 0)
		return -1;
	/* What is signed is the digest: the content may go and the signatures hold. */
	if (CMS_set_detached(info, 1) == 1)
		rc = cms_write(info, out, out_size, e);
	else
		err_set(e, MUNI_FORMAT, "the content cannot be taken out of the CMS");
	CMS_ContentInfo_free(info);
	library_forget();
	return rc;
}
