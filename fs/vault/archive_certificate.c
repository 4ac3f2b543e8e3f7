/* certificates/archive.pem: for an auditor who has no key. */
#include "fs/vault/archive_inside.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/crypt/sign.h"

/* Of the present key, or of the one that is taking its place (renewal_inside.h, W2). */
static const uint8_t *certificate_of(const struct vault *v, size_t *size)
{
	uint64_t entry;

	if (v->log && keyring_signing_next(v->keyring, &entry) && log_count(v->log) > entry)
		return keyring_next_certificate(v->keyring, size);
	return keyring_certificate(v->keyring, size);
}

static bool is_pem_of(const uint8_t *data, size_t size, const uint8_t *cert, size_t cert_size,
		      struct err *e)
{
	char *pem = NULL;
	bool is_it = cert_size > 0 && sign_certificate_pem(cert, cert_size, &pem, e) == 0 &&
		     size == strlen(pem) && memcmp(data, pem, size) == 0;

	free(pem);
	return is_it;
}

int vault_certificate_put(const struct vault *v, struct err *e)
{
	size_t cert_size;
	const uint8_t *cert = certificate_of(v, &cert_size);
	char *pem = NULL;
	int folder = -1, rc = -1;

	if (file_make_dir(v->dirfd, ARCHIVE_CERTIFICATES, 0700, e) < 0)
		goto out;
	folder = file_open_dir(v->dirfd, ARCHIVE_CERTIFICATES, e);
	if (folder < 0 || sign_certificate_pem(cert, cert_size, &pem, e) < 0)
		goto out;
	rc = file_replace_synced(folder, ARCHIVE_PEM, pem, strlen(pem), 0400, e);
out:
	free(pem);
	file_close(&folder);
	return rc;
}

int vault_certificate_check(const struct vault *v, bool *is_whole, struct err *e)
{
	const uint8_t *cert;
	uint8_t *data = NULL;
	size_t size = 0, cert_size;
	int folder, rc = -1;

	*is_whole = false;
	folder = file_open_dir(v->dirfd, ARCHIVE_CERTIFICATES, e);
	if (folder < 0 ||
	    file_load(folder, ARCHIVE_PEM, ARCHIVE_PEM_MAX, &data, &size, e) < 0) {
		/* Missing or odd: not whole. */
		rc = e->code == MUNI_IO || e->code == MUNI_NO_MEMORY ? -1 : 0;
		goto out;
	}
	*e = ERR_NONE;
	cert = keyring_certificate(v->keyring, &cert_size);
	*is_whole = is_pem_of(data, size, cert, cert_size, e);
	if (!*is_whole && e->code == MUNI_OK) {
		/* A renewal that was cut off: the next writer ends it. */
		cert = keyring_next_certificate(v->keyring, &cert_size);
		*is_whole = is_pem_of(data, size, cert, cert_size, e);
	}
	rc = e->code == MUNI_OK ? 0 : -1;
out:
	free(data);
	file_close(&folder);
	return rc;
}
