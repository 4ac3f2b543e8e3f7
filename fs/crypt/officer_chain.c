#include "fs/crypt/officer.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/library.h"
#include "fs/crypt/officer_inside.h"

/* Every certificate of the bundle; a self-signed one is an end of chains, another one a
 * link, as stock tools have it. */
static int read_bundle(const void *ca, size_t ca_size, X509_STORE **out, struct err *e)
{
	X509_STORE *store = X509_STORE_new();
	BIO *bio = ca_size <= INT_MAX ? BIO_new_mem_buf(ca, (int)ca_size) : NULL;
	X509 *x;
	size_t count = 0;

	*out = NULL;
	if (!store || !bio) {
		X509_STORE_free(store);
		BIO_free(bio);
		return library_failed(e, "reading the bundle of authorities");
	}
	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		count += X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
	}
	BIO_free(bio);
	library_forget();
	if (count == 0) {
		X509_STORE_free(store);
		return library_refused(e, MUNI_FORMAT, "there is no certificate in PEM in the bundle of "
			       "authorities");
	}
	*out = store;
	return 0;
}

/* The certificates that travel with the signature, as links. */
static int links_of(const uint8_t *cms, size_t cms_size, STACK_OF(X509) **out, struct err *e)
{
	CMS_ContentInfo *info = NULL;

	*out = NULL;
	if (!cms)
		return 0;
	if (cms_read(cms, cms_size, &info, e) < 0)
		return -1;
	*out = CMS_get1_certs(info);
	CMS_ContentInfo_free(info);
	return 0;
}

static int ask_store(X509_STORE *store, X509 *x, STACK_OF(X509) *links, int64_t at,
		     const char *subject, struct err *e)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	char when[TEXT_TIME_MAX];
	int rc;

	if (!ctx || X509_STORE_CTX_init(ctx, store, x, links) != 1) {
		X509_STORE_CTX_free(ctx);
		return library_failed(e, "checking a certificate");
	}
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
	X509_VERIFY_PARAM_set_time(param, (time_t)at);
	if (X509_verify_cert(ctx) == 1)
		rc = 0;
	else
		rc = library_refused(e, MUNI_REFUSED, "%s is not trusted as of %s: %s",
			     text_printable(subject), text_time(at, 0, when),
			     X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	X509_STORE_CTX_free(ctx);
	library_forget();
	return rc;
}

int identity_check_chain(const struct identity *i, const void *ca, size_t ca_size,
			 const uint8_t *cms, size_t cms_size, int64_t at, struct err *e)
{
	X509 *x = x509_read(i->cert, i->cert_size);
	X509_STORE *store = NULL;
	STACK_OF(X509) *links = NULL;
	int rc = -1;

	if (!x)
		return library_refused(e, MUNI_FORMAT, "a certificate cannot be read");
	if (read_bundle(ca, ca_size, &store, e) == 0 && links_of(cms, cms_size, &links, e) == 0)
		rc = ask_store(store, x, links, at, i->subject, e);
	sk_X509_pop_free(links, X509_free);
	X509_STORE_free(store);
	X509_free(x);
	return rc;
}
