#include "fs/crypt/officer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/cmserr.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/library.h"
#include "fs/crypt/officer_inside.h"

#define SIGNERS_MAX 100

static CMS_ContentInfo *der_cms(const uint8_t *data, size_t size)
{
	const uint8_t *end = data;
	CMS_ContentInfo *cms =
		size <= LONG_MAX ? d2i_CMS_ContentInfo(NULL, &end, (long)size) : NULL;

	if (cms && end == data + size)
		return cms;
	CMS_ContentInfo_free(cms);
	return NULL;
}

/* `openssl cms -sign` writes S/MIME unless it is told otherwise, and PEM under two
 * names. */
static CMS_ContentInfo *text_cms(const uint8_t *data, size_t size)
{
	BIO *bio = size <= INT_MAX ? BIO_new_mem_buf(data, (int)size) : NULL;
	BIO *content = NULL;
	CMS_ContentInfo *cms = NULL;

	if (!bio)
		return NULL;
	if (memmem(data, size, "-----BEGIN ", 11))
		cms = PEM_read_bio_CMS(bio, NULL, NULL, NULL);
	else
		cms = SMIME_read_CMS(bio, &content);
	BIO_free(content);
	BIO_free(bio);
	return cms;
}

int cms_read(const uint8_t *data, size_t size, CMS_ContentInfo **out, struct err *e)
{
	*out = der_cms(data, size);
	if (!*out)
		*out = text_cms(data, size);
	library_forget();
	if (*out && OBJ_obj2nid(CMS_get0_type(*out)) == NID_pkcs7_signed &&
	    OBJ_obj2nid(CMS_get0_eContentType(*out)) == NID_pkcs7_data)
		return 0;
	CMS_ContentInfo_free(*out);
	*out = NULL;
	return library_refused(e, MUNI_FORMAT, "it is not a CMS signature that can be read (DER, PEM or "
		       "S/MIME): it was changed, cut off, or is something else");
}

void cms_signers_free(struct cms_signer *signers, size_t count)
{
	for (size_t i = 0; signers && i < count; i++)
		identity_clear(&signers[i].identity);
	free(signers);
}

static int64_t signing_time(CMS_SignerInfo *info)
{
	const ASN1_OBJECT *oid = OBJ_nid2obj(NID_pkcs9_signingTime);
	/* -3: exactly one attribute with exactly one value. */
	ASN1_TIME *t = CMS_signed_get0_data_by_OBJ(info, oid, -3, V_ASN1_UTCTIME);
	ASN1_TIME *epoch;
	int days = 0, seconds = 0;
	int64_t at = 0;

	if (!t)
		t = CMS_signed_get0_data_by_OBJ(info, oid, -3, V_ASN1_GENERALIZEDTIME);
	epoch = t ? ASN1_TIME_set(NULL, 0) : NULL;
	if (epoch && ASN1_TIME_diff(&days, &seconds, epoch, t) == 1)
		at = (int64_t)days * 86400 + seconds;
	ASN1_TIME_free(epoch);
	library_forget();
	return at;
}

static int digest_of_signer(CMS_SignerInfo *info)
{
	X509_ALGOR *digest = NULL;
	const ASN1_OBJECT *oid = NULL;

	CMS_SignerInfo_get0_algs(info, NULL, NULL, &digest, NULL);
	X509_ALGOR_get0(&oid, NULL, NULL, digest);
	return OBJ_obj2nid(oid);
}

/* What can be made to collide proves nothing about the content. */
static bool is_weak(int digest)
{
	switch (digest) {
	case NID_sha256:
	case NID_sha384:
	case NID_sha512:
	case NID_sha3_256:
	case NID_sha3_384:
	case NID_sha3_512:
		return false;
	default:
		return true;
	}
}

static int refuse_weak(int digest, const char *subject, struct err *e)
{
	const char *name = digest == NID_sha1 ? "SHA-1" : digest == NID_undef ? NULL :
			   OBJ_nid2sn(digest);

	return err_set(e, MUNI_DAMAGED, "%s signed with %s, which can be forged today or is not "
		       "known to be safe, so the signature proves nothing. Let the same person "
		       "sign the same text again with SHA-256 or better: `muni` does that by "
		       "itself, OpenSSL with `openssl cms -sign -md sha256`",
		       text_printable(subject), name ? name : "a method of no known name");
}

/* After CMS_verify(): every signer has its certificate. */
static int collect(CMS_ContentInfo *cms, struct cms_signer **signers, size_t *count,
		   struct err *e)
{
	STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);
	int n = sk_CMS_SignerInfo_num(infos);

	if (n <= 0 || n > SIGNERS_MAX)
		return err_set(e, MUNI_DAMAGED, "there are %d signatures in it", n > 0 ? n : 0);
	*signers = calloc((size_t)n, sizeof **signers);
	if (!*signers)
		return err_set(e, MUNI_NO_MEMORY, "no memory for %d signers", n);
	for (int i = 0; i < n; i++) {
		CMS_SignerInfo *info = sk_CMS_SignerInfo_value(infos, i);
		struct cms_signer *s = &(*signers)[i];
		X509 *cert = NULL;

		CMS_SignerInfo_get0_algs(info, NULL, &cert, NULL, NULL);
		if (!cert)
			return err_set(e, MUNI_DAMAGED, "a signer's certificate is missing");
		if (identity_of(cert, &s->identity, e) < 0)
			return -1;
		*count = (size_t)i + 1;
		s->signed_at = signing_time(info);
		if (is_weak(digest_of_signer(info)))
			return refuse_weak(digest_of_signer(info), s->identity.subject, e);
	}
	return 0;
}

/* data: the detached content, or NULL; sink: for what is attached, or NULL. */
static int verify(CMS_ContentInfo *cms, BIO *data, BIO *sink, struct cms_signer **signers,
		  size_t *count, struct err *e)
{
	const unsigned flags = CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY;

	if (CMS_verify(cms, NULL, NULL, data, sink, flags) != 1) {
		bool is_bare = ERR_GET_REASON(ERR_peek_last_error()) ==
			       CMS_R_SIGNER_CERTIFICATE_NOT_FOUND;

		library_forget();
		if (is_bare)
			return library_refused(e, MUNI_FORMAT, "the certificate of a signer is not in it "
				       "(`openssl cms -sign` leaves it out with -nocerts)");
		return library_refused(e, MUNI_DAMAGED, "a signature does not belong to these bytes: they, "
			       "or the signature, were changed");
	}
	if (collect(cms, signers, count, e) == 0)
		return 0;
	cms_signers_free(*signers, *count);
	*signers = NULL;
	*count = 0;
	return -1;
}

/* What is attached, or MUNI_DAMAGED. */
static int take_content(CMS_ContentInfo *cms, uint8_t **content, size_t *size, struct err *e)
{
	ASN1_OCTET_STRING **at = CMS_is_detached(cms) == 1 ? NULL : CMS_get0_content(cms);
	int length;

	if (!at || !*at)
		return err_set(e, MUNI_DAMAGED, "it is a signature without its content");
	length = ASN1_STRING_length(*at);
	*content = malloc((size_t)length + 1);
	if (!*content)
		return err_set(e, MUNI_NO_MEMORY, "no memory for %d bytes", length);
	memcpy(*content, ASN1_STRING_get0_data(*at), (size_t)length);
	(*content)[length] = '\0';
	*size = (size_t)length;
	return 0;
}

int cms_verify_detached(const uint8_t *cms, size_t cms_size, const void *data, size_t size,
			struct cms_signer **signers, size_t *count, struct err *e)
{
	CMS_ContentInfo *info = NULL;
	BIO *bio = NULL;
	uint8_t *content = NULL;
	size_t content_size = 0;
	int rc = -1;

	*signers = NULL;
	*count = 0;
	if (size > INT_MAX)
		return err_set(e, MUNI_LIMIT, "%zu bytes are too many for one signature", size);
	if (cms_read(cms, cms_size, &info, e) < 0)
		return -1;
	if (CMS_is_detached(info) == 1) {
		bio = library_content(data, size);
		rc = bio ? verify(info, bio, NULL, signers, count, e)
			 : library_failed(e, "checking a signature");
	} else if (take_content(info, &content, &content_size, e) == 0) {
		if (content_size != size || memcmp(content, data, size) != 0)
			err_set(e, MUNI_DAMAGED, "what was signed is not this: the signature "
				"carries another content");
		else
			rc = verify(info, NULL, NULL, signers, count, e);
	}
	free(content);
	BIO_free_all(bio);
	CMS_ContentInfo_free(info);
	return rc;
}

/* Attached content is ours, in DER: written again it is the same bytes. */
static int check_rewritten(CMS_ContentInfo *cms, const uint8_t *der, size_t size, struct err *e)
{
	int again_size = i2d_CMS_ContentInfo(cms, NULL);
	uint8_t *again = NULL;
	size_t written = 0;
	int rc = 0;

	/* Of the right size, what fails is memory. */
	if (again_size > 0 && (size_t)again_size == size &&
	    cms_write(cms, &again, &written, e) < 0)
		return -1;
	if (!again || written != size || memcmp(again, der, size) != 0)
		rc = library_refused(e, MUNI_DAMAGED, "it is not in DER, as it was made: a byte of "
				     "it was changed");
	free(again);
	return rc;
}

int cms_verify_attached(const uint8_t *cms, size_t cms_size, uint8_t **content, size_t *size,
			struct cms_signer **signers, size_t *count, struct err *e)
{
	CMS_ContentInfo *info = NULL;
	int rc = -1;

	*content = NULL;
	*size = 0;
	*signers = NULL;
	*count = 0;
	if (cms_read(cms, cms_size, &info, e) < 0)
		return -1;
	if (take_content(info, content, size, e) == 0)
		rc = verify(info, NULL, NULL, signers, count, e);
	if (rc == 0)
		rc = check_rewritten(info, cms, cms_size, e);
	if (rc == 0)
		rc = cms_check_strict(info, cms, cms_size, e);
	if (rc < 0) {
		cms_signers_free(*signers, *count);
		*signers = NULL;
		*count = 0;
		free(*content);
		*content = NULL;
	}
	CMS_ContentInfo_free(info);
	return rc;
}

int cms_verify_own(const uint8_t *cms, size_t cms_size, const void *data, size_t size,
		   struct cms_signer **signers, size_t *count, struct err *e)
{
	CMS_ContentInfo *info = NULL;
	BIO *bio;
	int rc = -1;

	*signers = NULL;
	*count = 0;
	if (cms_read(cms, cms_size, &info, e) < 0)
		return -1;
	bio = library_content(data, size);
	if (!bio)
		library_failed(e, "checking a signature");
	else if (CMS_is_detached(info) != 1)
		err_set(e, MUNI_DAMAGED, "it is no signature beside its content");
	else if (verify(info, bio, NULL, signers, count, e) == 0 &&
		 check_rewritten(info, cms, cms_size, e) == 0 &&
		 cms_check_strict(info, cms, cms_size, e) == 0)
		rc = cms_check_made(cms, cms_size, e);
	if (rc < 0) {
		cms_signers_free(*signers, *count);
		*signers = NULL;
		*count = 0;
	}
	BIO_free_all(bio);
	CMS_ContentInfo_free(info);
	return rc;
}
