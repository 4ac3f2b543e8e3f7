/*
 * What no signature in a CMS covers, and OpenSSL reads past: versions, the names of
 * algorithms, and the case of letters in the name of who signed.  They have one right value
 * each (RFC 5652, 5.1 and 5.3), so a certificate of which such a byte was changed is told from
 * the one that was made.
 */
#include <string.h>

#include <openssl/asn1.h>

#include "fs/base/err.h"
#include "fs/crypt/library.h"
#include "fs/crypt/officer_inside.h"

struct piece {			/* of DER */
	const uint8_t *at;
	const uint8_t *end;
};

/* The next element of `in`: its tag, or -1; `out` is what stands inside it. */
static int next(struct piece *in, struct piece *out)
{
	const unsigned char *p = in->at;
	long size;
	int tag, class;

	if (in->at >= in->end ||
	    (ASN1_get_object(&p, &size, &tag, &class, in->end - in->at) & 0x80) != 0)
		return -1;
	*out = (struct piece){ p, p + size };
	in->at = out->end;
	return (class & V_ASN1_PRIVATE) == 0 ? tag : tag | 0x100;
}

#define CONTEXT_0 0x100		/* [0] */

static int small_number(const struct piece *p)
{
	return p->end - p->at == 1 ? *p->at : -1;
}

/* Version 1 names its signer by issuer and serial, version 3 by key id. */
static int signer_version(struct piece *infos)
{
	struct piece info, version, sid;
	int tag, number;

	if (next(infos, &info) != V_ASN1_SEQUENCE || next(&info, &version) != V_ASN1_INTEGER)
		return -1;
	number = small_number(&version);
	tag = next(&info, &sid);
	return (number == 1 && tag == V_ASN1_SEQUENCE) || (number == 3 && tag == CONTEXT_0) ?
	       number : -1;
}

static bool versions_hold(const uint8_t *der, size_t size)
{
	struct piece all = { der, der + size }, info, oid, outer, data, version, part, infos;
	int tag, wanted = 1;

	if (next(&all, &info) != V_ASN1_SEQUENCE || next(&info, &oid) != V_ASN1_OBJECT ||
	    next(&info, &outer) != CONTEXT_0 || next(&outer, &data) != V_ASN1_SEQUENCE ||
	    next(&data, &version) != V_ASN1_INTEGER)
		return false;
	if (next(&data, &part) != V_ASN1_SET || next(&data, &part) != V_ASN1_SEQUENCE)
		return false;
	while ((tag = next(&data, &infos)) != V_ASN1_SET)
		if (tag < CONTEXT_0)
			return false;
	while (infos.at < infos.end) {
		int one = signer_version(&infos);

		if (one < 0)
			return false;
		if (one > wanted)
			wanted = one;
	}
	return small_number(&version) == wanted;
}

/* The algorithm of the signature names the digest and the kind of key that were used. */
static bool algorithms_hold(CMS_SignerInfo *info)
{
	X509_ALGOR *digest = NULL, *signature = NULL;
	X509 *cert = NULL;
	const ASN1_OBJECT *oid = NULL;
	int digest_nid, nid, of_digest = NID_undef, of_key = NID_undef, kind, parameters;

	CMS_SignerInfo_get0_algs(info, NULL, &cert, &digest, &signature);
	X509_ALGOR_get0(&oid, NULL, NULL, digest);
	digest_nid = OBJ_obj2nid(oid);
	X509_ALGOR_get0(&oid, &parameters, NULL, signature);
	nid = OBJ_obj2nid(oid);
	kind = cert ? EVP_PKEY_get_base_id(X509_get0_pubkey(cert)) : NID_undef;
	if (nid == NID_rsassaPss)
		return kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS;
	if (parameters != V_ASN1_UNDEF && parameters != V_ASN1_NULL)
		return false;
	if (nid == kind)
		return true;	/* "rsaEncryption": the digest is named beside it */
	return OBJ_find_sigid_algs(nid, &of_digest, &of_key) == 1 && of_digest == digest_nid &&
	       of_key == kind;
}

/* OpenSSL finds the signer's certificate by a name in which neither case nor spaces count. */
static bool name_holds(CMS_SignerInfo *info)
{
	X509_NAME *named = NULL;
	X509 *cert = NULL;
	const unsigned char *one = NULL, *other = NULL;
	size_t one_size = 0, other_size = 0;

	CMS_SignerInfo_get0_algs(info, NULL, &cert, NULL, NULL);
	if (CMS_SignerInfo_get0_signer_id(info, NULL, &named, NULL) != 1 || !cert)
		return false;
	if (!named)
		return true;	/* by key id */
	return X509_NAME_get0_der(named, &one, &one_size) == 1 &&
	       X509_NAME_get0_der(X509_get_issuer_name(cert), &other, &other_size) == 1 &&
	       one_size == other_size && memcmp(one, other, one_size) == 0;
}

int cms_check_strict(CMS_ContentInfo *cms, const uint8_t *der, size_t size, struct err *e)
{
	STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);
	bool is_strict = versions_hold(der, size);

	for (int i = 0; is_strict && i < sk_CMS_SignerInfo_num(infos); i++)
		is_strict = algorithms_hold(sk_CMS_SignerInfo_value(infos, i)) &&
			    name_holds(sk_CMS_SignerInfo_value(infos, i));
	library_forget();
	return is_strict ? 0 : library_refused(e, MUNI_DAMAGED, "the frame around the signatures is not "
				       "as RFC 5652 has it: a byte of it was changed");
}

/* ---- what was made here ------------------------------------------------------------------ */

/* The next element of `in`, of that tag. */
static bool take(struct piece *in, int tag, struct piece *out)
{
	return next(in, out) == tag;
}

/* And the last. */
static bool take_last(struct piece *in, int tag, struct piece *out)
{
	return take(in, tag, out) && in->at == in->end;
}

static bool is_same(const struct piece *one, const struct piece *other)
{
	return one->end - one->at == other->end - other->at &&
	       memcmp(one->at, other->at, (size_t)(one->end - one->at)) == 0;
}

/* One SignerInfo: signed attributes, algorithms without parameters, nothing unsigned. */
static bool is_made_signer(struct piece *signer, const struct piece *digest)
{
	struct piece part, one, algorithm;

	return take(signer, V_ASN1_INTEGER, &part) && take(signer, V_ASN1_SEQUENCE, &part) &&
	       take(signer, V_ASN1_SEQUENCE, &one) && is_same(&one, digest) &&
	       take_last(&one, V_ASN1_OBJECT, &part) && take(signer, CONTEXT_0, &part) &&
	       take(signer, V_ASN1_SEQUENCE, &algorithm) &&
	       take_last(&algorithm, V_ASN1_OBJECT, &part) &&
	       take_last(signer, V_ASN1_OCTET_STRING, &part);
}

int cms_check_made(const uint8_t *der, size_t size, struct err *e)
{
	struct piece all = { der, der + size }, info, outer, data, set, digest, content, certs,
		     infos, signer, part;

	/* One digest, no content, one certificate, no revocations, one signer. */
	if (take_last(&all, V_ASN1_SEQUENCE, &info) && take(&info, V_ASN1_OBJECT, &part) &&
	    take_last(&info, CONTEXT_0, &outer) && take_last(&outer, V_ASN1_SEQUENCE, &data) &&
	    take(&data, V_ASN1_INTEGER, &part) && take(&data, V_ASN1_SET, &set) &&
	    take_last(&set, V_ASN1_SEQUENCE, &digest) &&
	    take(&data, V_ASN1_SEQUENCE, &content) &&
	    take_last(&content, V_ASN1_OBJECT, &part) && take(&data, CONTEXT_0, &certs) &&
	    take_last(&certs, V_ASN1_SEQUENCE, &part) && take_last(&data, V_ASN1_SET, &infos) &&
	    take_last(&infos, V_ASN1_SEQUENCE, &signer) && is_made_signer(&signer, &digest))
		return 0;
	return err_set(e, MUNI_DAMAGED, "there is more in the signature than was made here: "
		       "something was added to it");
}
