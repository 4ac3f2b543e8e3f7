/*
 * RFC 3161: a time-stamping authority says that a digest existed at a time.
 */
#include "fs/crypt/officer.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/http.h>
#include <openssl/pem.h>
#include <openssl/ts.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/library.h"
#include "fs/crypt/officer_inside.h"

#define RESPONSE_MAX (128 * 1024)
#define NONCE_SIZE 16
#define ACCURACY_MAX 3600	/* seconds: coarser than that it says no time */

/* ---- asking ------------------------------------------------------------------------------ */

static int set_imprint(TS_REQ *request, const struct digest *of)
{
	TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR *algorithm = X509_ALGOR_new();
	uint8_t bytes[DIGEST_SIZE];
	int is_set;

	memcpy(bytes, of->bytes, sizeof bytes);
	is_set = imprint && algorithm &&
		 X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
		 TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
		 TS_MSG_IMPRINT_set_msg(imprint, bytes, DIGEST_SIZE) == 1 &&
		 TS_REQ_set_msg_imprint(request, imprint) == 1;
	X509_ALGOR_free(algorithm);
	TS_MSG_IMPRINT_free(imprint);
	return is_set;
}

/* A nonce, so that an answer to another question is not taken for this one's. */
static int set_nonce(TS_REQ *request, struct err *e)
{
	uint8_t raw[NONCE_SIZE];
	BIGNUM *number;
	ASN1_INTEGER *nonce;
	int is_set;

	if (random_bytes(raw, sizeof raw, e) < 0)
		return 0;
	raw[0] |= 0x40;
	raw[0] &= 0x7f;
	number = BN_bin2bn(raw, sizeof raw, NULL);
	nonce = number ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
	is_set = nonce && TS_REQ_set_nonce(request, nonce) == 1;
	ASN1_INTEGER_free(nonce);
	BN_free(number);
	return is_set;
}

static int new_request(const struct digest *of, TS_REQ **out, struct err *e)
{
	TS_REQ *request = TS_REQ_new();

	*out = NULL;
	if (!request || TS_REQ_set_version(request, 1) != 1 || !set_imprint(request, of) ||
	    !set_nonce(request, e) || TS_REQ_set_cert_req(request, 1) != 1) {
		TS_REQ_free(request);
		return library_failed(e, "asking for a time-stamp");
	}
	*out = request;
	return 0;
}

struct address {
	char *host, *port, *path;
};

static void address_clear(struct address *a)
{
	OPENSSL_free(a->host);
	OPENSSL_free(a->port);
	OPENSSL_free(a->path);
}

static int parse_url(const char *url, struct address *a, struct err *e)
{
	char *query = NULL, *path = NULL;
	int is_tls = 0, rc = -1;

	*a = (struct address){ 0 };
	if ((strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0) ||
	    OSSL_HTTP_parse_url(url, &is_tls, NULL, &a->host, &a->port, NULL, &path, &query,
				NULL) != 1) {
		library_forget();
		return library_refused(e, MUNI_USAGE, "\"%s\" is no address of a time-stamping authority, "
			       "such as http://tsa.example:8080/tsr", text_printable(url));
	}
	if (is_tls) {
		err_set(e, MUNI_UNSUPPORTED, "a time-stamping authority is asked by http, not "
			"https: what it says is signed, and nothing that it is asked is secret");
		goto out;
	}
	a->path = OPENSSL_malloc(strlen(path) + (query ? strlen(query) : 0) + 2);
	if (!a->path) {
		err_set(e, MUNI_NO_MEMORY, "no memory for an address");
		goto out;
	}
	strcpy(a->path, path);
	if (query && *query) {
		strcat(a->path, "?");
		strcat(a->path, query);
	}
	rc = 0;
out:
	OPENSSL_free(path);
	OPENSSL_free(query);
	return rc;
}

/* One POST; *answer: what came back. */
static int exchange(const char *url, TS_REQ *request, unsigned timeout_s, BIO **answer,
		    struct err *e)
{
	struct address a;
	BIO *question = BIO_new(BIO_s_mem());
	int rc = -1;

	*answer = NULL;
	if (parse_url(url, &a, e) < 0)
		goto out;
	if (!question || i2d_TS_REQ_bio(question, request) != 1) {
		library_failed(e, "asking for a time-stamp");
		goto out;
	}
	*answer = OSSL_HTTP_transfer(NULL, a.host, a.port, a.path, 0, NULL, NULL, NULL, NULL, NULL,
				     NULL, 0, NULL, "application/timestamp-query", question,
				     "application/timestamp-reply", 1, RESPONSE_MAX,
				     (int)timeout_s, 0);
	if (*answer)
		rc = 0;
	else
		library_refused(e, MUNI_IO, "the time-stamping authority at %s gave no time-stamp: it "
				"cannot be reached, or answered something else",
				text_printable(url));
	library_forget();
out:
	address_clear(&a);
	BIO_free(question);
	return rc;
}

/* ---- judging ----------------------------------------------------------------------------- */

static int64_t time_said(const TS_TST_INFO *info)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;
	int64_t at = 0;

	if (epoch && ASN1_TIME_diff(&days, &seconds, epoch, TS_TST_INFO_get_time(info)) == 1)
		at = (int64_t)days * 86400 + seconds;
	ASN1_TIME_free(epoch);
	return at;
}

static int check_accuracy(TS_TST_INFO *info, struct err *e)
{
	TS_ACCURACY *accuracy = TS_TST_INFO_get_accuracy(info);
	const ASN1_INTEGER *seconds = accuracy ? TS_ACCURACY_get_seconds(accuracy) : NULL;
	int64_t n = 0;

	if (!seconds || (ASN1_INTEGER_get_int64(&n, seconds) == 1 && n >= 0 && n <= ACCURACY_MAX))
		return 0;
	return err_set(e, MUNI_REFUSED, "the time-stamp is off by up to %lld seconds, as its "
		       "authority says: it proves no time", (long long)n);
}

struct bundle {			/* of PEM */
	X509_STORE *store;		/* owned */
	STACK_OF(X509) *certificates;	/* owned: a token need not carry its signer's */
};

static void bundle_clear(struct bundle *b)
{
	X509_STORE_free(b->store);
	sk_X509_pop_free(b->certificates, X509_free);
	*b = (struct bundle){ .store = NULL };
}

static void take_certificates(struct bundle *b, BIO *bio)
{
	X509 *x;

	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		if (X509_STORE_add_cert(b->store, x) != 1 || sk_X509_push(b->certificates, x) <= 0)
			X509_free(x);
}

/* Every certificate of the PEM bundle, as of the moment `at`. */
static int read_bundle(const void *ca, size_t ca_size, int64_t at, struct bundle *b,
		       struct err *e)
{
	BIO *bio = ca_size <= INT_MAX ? BIO_new_mem_buf(ca, (int)ca_size) : NULL;

	*b = (struct bundle){ X509_STORE_new(), sk_X509_new_null() };
	if (bio && b->store && b->certificates)
		take_certificates(b, bio);
	BIO_free(bio);
	library_forget();
	if (!b->certificates || sk_X509_num(b->certificates) == 0) {
		bundle_clear(b);
		return library_refused(e, MUNI_FORMAT, "there is no certificate in PEM of the "
			       "time-stamping authority");
	}
	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(b->store), (time_t)at);
	return 0;
}

static bool carries_certificates(PKCS7 *token)
{
	return sk_X509_num(token->d.sign->cert) > 0;
}

/* RFC 3161, 2.4.1: who did not ask for it may get a token without its signer's certificate. */
static int check_has_signer(PKCS7 *token, const struct bundle *b, struct err *e)
{
	STACK_OF(X509) *signers = PKCS7_get0_signers(token, b->certificates, 0);
	const bool has = sk_X509_num(signers) > 0 || carries_certificates(token);

	sk_X509_free(signers);
	library_forget();
	return has ? 0 : library_refused(e, MUNI_REFUSED, "the time-stamp carries no certificate of who "
		"signed it, and the bundle has none that fits: its signature could not be checked, and "
		"it proves no time. The authority's own certificate belongs into the bundle");
}

static int verify_response(TS_RESP *response, TS_VERIFY_CTX *ctx, const void *ca, size_t ca_size,
			   int64_t *when, struct err *e)
{
	TS_TST_INFO *info = TS_RESP_get_tst_info(response);
	struct bundle b;

	if (!info)
		return err_set(e, MUNI_REFUSED, "the time-stamping authority refused: it gave no "
			       "time-stamp");
	/* As of its own time: an authority's certificate may have expired since. */
	if (read_bundle(ca, ca_size, time_said(info), &b, e) < 0)
		return -1;
	if (check_has_signer(TS_RESP_get_token(response), &b, e) < 0) {
		bundle_clear(&b);
		return -1;
	}
	TS_VERIFY_CTX_set_store(ctx, b.store);	/* both owned by ctx from here */
	TS_VERIFY_CTX_set_certs(ctx, b.certificates);
	TS_VERIFY_CTX_add_flags(ctx, TS_VFY_SIGNATURE | TS_VFY_VERSION | TS_VFY_IMPRINT);
	/* Checks the extended key usage too: timeStamping, alone and critical. */
	if (TS_RESP_verify_response(ctx, response) != 1) {
		library_forget();
		return library_refused(e, MUNI_DAMAGED, "the time-stamp is not over this digest, is not "
			       "signed by an authority in the bundle, or was changed");
	}
	if (check_accuracy(info, e) < 0)
		return -1;
	*when = time_said(info);
	return 0;
}

static int keep(TS_RESP *response, uint8_t **out, size_t *size, struct err *e)
{
	int der_size = i2d_TS_RESP(response, NULL);
	unsigned char *end;

	*out = der_size > 0 ? malloc((size_t)der_size) : NULL;
	if (!*out)
		return library_failed(e, "keeping a time-stamp");
	end = *out;
	if (!library_wrote(i2d_TS_RESP(response, &end), der_size)) {
		free(*out);
		*out = NULL;
		return library_failed(e, "keeping a time-stamp");
	}
	*size = (size_t)der_size;
	return 0;
}

int timestamp_get(const char *url, const void *ca, size_t ca_size, const struct digest *of,
		  unsigned timeout_s, uint8_t **out, size_t *out_size, int64_t *when,
		  struct err *e)
{
	TS_REQ *request = NULL;
	TS_RESP *response = NULL;
	TS_VERIFY_CTX *ctx = NULL;
	BIO *answer = NULL;
	int rc = -1;

	*out = NULL;
	*out_size = 0;
	if (new_request(of, &request, e) < 0 || exchange(url, request, timeout_s, &answer, e) < 0)
		goto out;
	response = d2i_TS_RESP_bio(answer, NULL);
	if (!response) {
		library_forget();
		library_refused(e, MUNI_FORMAT, "what %s answered is no time-stamp", text_printable(url));
		goto out;
	}
	ctx = TS_REQ_to_TS_VERIFY_CTX(request, NULL);	/* version, imprint, nonce */
	if (!ctx) {
		library_failed(e, "checking a time-stamp");
		goto out;
	}
	if (verify_response(response, ctx, ca, ca_size, when, e) < 0)
		err_wrap(e, "checking what %s answered", text_printable(url));
	else
		rc = keep(response, out, out_size, e);
out:
	TS_VERIFY_CTX_free(ctx);
	TS_RESP_free(response);
	TS_REQ_free(request);
	BIO_free(answer);
	return rc;
}

int timestamp_verify(const uint8_t *der, size_t size, const struct digest *of, const void *ca,
		     size_t ca_size, int64_t *when, struct err *e)
{
	const uint8_t *end = der;
	TS_RESP *response = size <= LONG_MAX ? d2i_TS_RESP(NULL, &end, (long)size) : NULL;
	TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
	uint8_t *imprint = OPENSSL_memdup(of->bytes, DIGEST_SIZE);
	int rc = -1;

	*when = 0;
	if (!ctx || !imprint) {
		OPENSSL_free(imprint);
		library_failed(e, "checking a time-stamp");
	} else {
		TS_VERIFY_CTX_set_imprint(ctx, imprint, DIGEST_SIZE);	/* owned by ctx */
		library_forget();
		if (!response || end != der + size)
			library_refused(e, MUNI_DAMAGED, "it is no time-stamp (RFC 3161) that can be read: "
				"it was changed, or cut off");
		else
			rc = verify_response(response, ctx, ca, ca_size, when, e);
	}
	TS_VERIFY_CTX_free(ctx);
	TS_RESP_free(response);
	return rc;
}

/* DER alone: nothing can change that the parser passes over. */
static bool is_der_of(TS_RESP *response, const uint8_t *der, size_t size)
{
	uint8_t *again = NULL;
	const int made = i2d_TS_RESP(response, &again);
	const bool is_same = made > 0 && (size_t)made == size && memcmp(again, der, size) == 0;

	OPENSSL_free(again);
	return is_same;
}

/* Whatever certificates lie in the token are trusted: who signed is another's question, but
 * the signature names them, and so no byte of the signer's can change. */
static X509_STORE *store_of_carried(PKCS7 *token, int64_t at)
{
	STACK_OF(X509) *carried = token->d.sign->cert;
	X509_STORE *store = X509_STORE_new();

	for (int i = 0; store && i < sk_X509_num(carried); i++) {
		if (X509_STORE_add_cert(store, sk_X509_value(carried, i)) != 1) {
			X509_STORE_free(store);
			store = NULL;
		}
	}
	if (store) {
		X509_VERIFY_PARAM_set_flags(X509_STORE_get0_param(store), X509_V_FLAG_PARTIAL_CHAIN);
		X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)at);
	}
	return store;
}

static bool holds(TS_RESP *response, const struct digest *of, bool *is_signature_checked)
{
	TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
	PKCS7 *token = TS_RESP_get_token(response);
	uint8_t *imprint = OPENSSL_memdup(of->bytes, DIGEST_SIZE);
	X509_STORE *store = store_of_carried(token, time_said(TS_RESP_get_tst_info(response)));
	bool is_so = false;

	/* Without the signer's certificate nothing but the content can be asked. */
	*is_signature_checked = carries_certificates(token);
	if (ctx && imprint && store) {
		TS_VERIFY_CTX_set_imprint(ctx, imprint, DIGEST_SIZE);	/* owned by ctx */
		TS_VERIFY_CTX_set_store(ctx, store);	/* owned by ctx */
		TS_VERIFY_CTX_add_flags(ctx, TS_VFY_VERSION | TS_VFY_IMPRINT |
					(*is_signature_checked ? TS_VFY_SIGNATURE : 0));
		is_so = TS_RESP_verify_response(ctx, response) == 1;
	} else {
		OPENSSL_free(imprint);
		X509_STORE_free(store);
	}
	TS_VERIFY_CTX_free(ctx);
	return is_so;
}

int timestamp_check(const uint8_t *der, size_t size, const struct digest *of,
		    bool *is_signature_checked, struct err *e)
{
	const uint8_t *end = der;
	TS_RESP *response = size <= LONG_MAX ? d2i_TS_RESP(NULL, &end, (long)size) : NULL;
	PKCS7 *token = response ? TS_RESP_get_token(response) : NULL;
	int rc = 0;

	*is_signature_checked = false;
	if (!token || !TS_RESP_get_tst_info(response) || !PKCS7_type_is_signed(token) ||
	    !is_der_of(response, der, size) ||
	    !holds(response, of, is_signature_checked))
		rc = library_refused(e, MUNI_DAMAGED, "it is not the time-stamp that was given over "
				     "this certificate: it was changed, or cut off");
	TS_RESP_free(response);
	return rc;
}
