#include "fs/crypt/officer.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/library.h"
#include "fs/crypt/officer_inside.h"
#include "fs/crypt/secret.h"

#define KEY_FILE_MAX (64 * 1024)

void officer_key_close(struct officer_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->signer.key);
	X509_free(k->signer.cert);
	token_close(k->engine);
	free(k);
}

/* The whole file in secret memory, which the caller frees. */
static int load_key(const char *path, uint8_t **out, size_t *out_size, struct err *e)
{
	int fd = file_open_user(path, O_RDONLY, 0, e);
	int rc = -1;

	*out = NULL;
	*out_size = 0;
	if (fd < 0)
		return -1;
	*out = secret_new(KEY_FILE_MAX + 1);
	if (!*out) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a private key");
		goto out;
	}
	if (file_read_rest(fd, *out, KEY_FILE_MAX + 1, out_size, e) < 0)
		goto out;
	if (*out_size == 0)
		err_set(e, MUNI_FORMAT, "it is no private key: it is empty");
	else if (*out_size > KEY_FILE_MAX)
		err_set(e, MUNI_FORMAT, "it is no private key: it has more than %d bytes",
			KEY_FILE_MAX);
	else
		rc = 0;
out:
	if (rc < 0) {
		secret_free(*out);
		*out = NULL;
	}
	file_close(&fd);
	return rc;
}

static int passphrase(char *out, int size, int is_writing, void *arg)
{
	struct officer_ask *a = arg;

	(void)is_writing;
	a->was_asked = true;
	if (!a->ask || size <= 0 ||
	    a->ask(a->arg, "Passphrase of the private key", out, (size_t)size) < 0)
		return -1;
	return (int)strnlen(out, (size_t)size);
}

static int read_pem(const char *path, struct officer_ask *ask, EVP_PKEY **key, struct err *e)
{
	uint8_t *pem = NULL;
	size_t size = 0;
	BIO *bio;

	*key = NULL;
	if (load_key(path, &pem, &size, e) < 0)
		return err_wrap(e, "reading the key %s", text_printable(path));
	bio = BIO_new_mem_buf(pem, (int)size);
	if (bio)
		*key = PEM_read_bio_PrivateKey(bio, NULL, passphrase, ask);
	BIO_free(bio);
	secret_free(pem);
	library_forget();
	if (*key)
		return 0;
	if (ask->was_asked)
		return library_refused(e, MUNI_CANNOT_UNLOCK, "the passphrase does not open the key %s, "
			       "or none was given", text_printable(path));
	return library_refused(e, MUNI_FORMAT, "there is no private key in PEM in %s; it begins with "
		       "\"-----BEGIN PRIVATE KEY-----\" or \"-----BEGIN ENCRYPTED PRIVATE "
		       "KEY-----\"", text_printable(path));
}

/* The certificate's public key must be this one's. */
static int check_pair(struct officer_key *k, const char *spec, struct err *e)
{
	struct identity i;

	if (EVP_PKEY_eq(X509_get0_pubkey(k->signer.cert), k->signer.key) == 1) {
		library_forget();
		return 0;
	}
	library_forget();
	if (identity_of(k->signer.cert, &i, e) < 0)
		return -1;
	library_refused(e, MUNI_USAGE, "the key %s is not the one of the certificate of %s",
		/* What stands behind the '?' of a URI may be a PIN. */
		strncmp(spec, "pkcs11:", 7) == 0 ? "on the token" : text_printable(spec),
		text_printable(i.subject));
	identity_clear(&i);
	return -1;
}

int officer_key_open(const char *spec, const uint8_t *cert, size_t cert_size,
		     int (*ask)(void *arg, const char *question, char *out, size_t size),
		     void *arg, struct officer_key **out, struct err *e)
{
	struct officer_ask asked = { .ask = ask, .arg = arg };
	struct officer_key *k = calloc(1, sizeof *k);
	int rc;

	*out = NULL;
	if (!k)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a private key");
	k->signer.cert = x509_read(cert, cert_size);
	if (!k->signer.cert)
		rc = library_refused(e, MUNI_FORMAT, "the officer's certificate cannot be read");
	else if (strncmp(spec, "pkcs11:", 7) == 0)
		rc = token_key_open(spec, &asked, &k->signer.key, &k->engine, e);
	else
		rc = read_pem(spec, &asked, &k->signer.key, e);
	if (rc == 0)
		rc = check_pair(k, spec, e);
	if (rc < 0) {
		officer_key_close(k);
		return -1;
	}
	*out = k;
	return 0;
}
