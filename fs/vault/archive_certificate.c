/* certificates/archive.pem: for an auditor who has no key. */
#include "fs/vault/archive_inside.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/crypt/sign.h"

int vault_certificate_put(const struct vault *v, struct err *e)
{
	char *pem = NULL;
	int folder = -1, rc = -1;

	if (file_make_dir(v->dirfd, ARCHIVE_CERTIFICATES, 0700, e) < 0)
		goto out;
	folder = file_open_dir(v->dirfd, ARCHIVE_CERTIFICATES, e);
	if (folder < 0 || sign_certificate_pem(v->certificate, v->certificate_size, &pem, e) < 0)
		goto out;
	rc = file_replace_synced(folder, ARCHIVE_PEM, pem, strlen(pem), 0400, e);
out:
	free(pem);
	file_close(&folder);
	return rc;
}

int vault_certificate_check(const struct vault *v, bool *is_whole, struct err *e)
{
	char *pem = NULL;
	uint8_t *data = NULL;
	size_t size = 0;
	int folder, rc = -1;

	*is_whole = false;
	folder = file_open_dir(v->dirfd, ARCHIVE_CERTIFICATES, e);
	if (folder < 0 ||
	    file_load(folder, ARCHIVE_PEM, ARCHIVE_PEM_MAX, &data, &size, e) < 0) {
		/* Missing or odd: not whole. */
		rc = e->code == MUNI_IO || e->code == MUNI_NO_MEMORY ? -1 : 0;
		goto out;
	}
	if (sign_certificate_pem(v->certificate, v->certificate_size, &pem, e) < 0)
		goto out;
	*is_whole = size == strlen(pem) && memcmp(data, pem, size) == 0;
	rc = 0;
out:
	free(pem);
	free(data);
	file_close(&folder);
	return rc;
}
