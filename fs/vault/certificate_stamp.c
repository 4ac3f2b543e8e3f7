/*
 * Renewing a time-stamp, as RFC 4998 (section 5.2) renews one: before the authority's
 * certificate or its algorithms grow weak, another stamp is put over the content and all
 * stamps that there are.  C<n>.tsr is the first, C<n>.2.tsr the second, and so on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/officer.h"
#include "fs/vault/authority.h"
#include "fs/vault/certificate_inside.h"
#include "fs/vault/certificate_verify.h"

int certificate_stamp_get(struct vault *v, int64_t id, unsigned number, uint8_t **data,
			  size_t *size, struct err *e)
{
	char name[CERTIFICATE_NAME_SIZE];
	int fd = certificate_folder(v, e), rc;

	*data = NULL;
	*size = 0;
	if (fd < 0)
		return -1;
	certificate_stamp_name(id, number, name);
	rc = file_load(fd, name, TIMESTAMP_SIZE_MAX, data, size, e);
	file_close(&fd);
	return rc;
}

static int content_of(struct vault *v, int64_t id, struct hasher *h, struct err *e)
{
	uint8_t *cms = NULL, *text = NULL;
	struct cms_signer *signers = NULL;
	size_t cms_size, size, count = 0;
	int rc = -1;

	if (certificate_read(v, id, &cms, &cms_size, e) == 0 &&
	    cms_verify_attached(cms, cms_size, &text, &size, &signers, &count, e) == 0) {
		hasher_update(h, text, size);
		rc = 0;
	}
	cms_signers_free(signers, count);
	free(cms);
	free(text);
	return rc;
}

/* What the next stamp is over, and its number. */
static int gather(struct vault *v, int64_t id, struct digest *of, unsigned *number, struct err *e)
{
	struct hasher *h = hasher_new();
	uint8_t *data;
	size_t size;
	int rc = h ? content_of(v, id, h, e) : err_set(e, MUNI_NO_MEMORY, "no memory for a digest");

	for (*number = 1; rc == 0; (*number)++) {
		if (*number > TIMESTAMPS_MAX) {
			rc = err_set(e, MUNI_LIMIT, "C%" PRId64 " has %d time-stamps", id,
				     TIMESTAMPS_MAX);
			break;
		}
		if (certificate_stamp_get(v, id, *number, &data, &size, e) < 0) {
			if (e->code != MUNI_NOT_FOUND)
				rc = -1;
			else
				*e = ERR_NONE;
			break;
		}
		hasher_update(h, data, size);
		free(data);
	}
	if (rc == 0)
		*of = hasher_finish(h);
	hasher_free(h);
	return rc;
}

static int record(struct vault *v, int64_t id, unsigned number, const uint8_t *tsr, size_t size,
		  struct err *e)
{
	const struct digest d = digest_of(tsr, size);
	char hex[DIGEST_HEX_SIZE], details[200];

	digest_hex(&d, hex);
	snprintf(details, sizeof details, "{\"certificate\":\"C%" PRId64 "\",\"number\":%u,"
		 "\"sha256\":\"%s\"}", id, number, hex);
	return catalogue_begin(v->catalogue, e) < 0 ? -1 :
		vault_commit_act(v, LOG_STAMPED, details, e);
}

int certificate_stamp(struct vault *v, int64_t id, unsigned *number, int64_t *when, struct err *e)
{
	char name[CERTIFICATE_NAME_SIZE];
	uint8_t *tsr = NULL;
	struct digest of;
	size_t size;
	int fd = -1, rc = -1;

	if (gather(v, id, &of, number, e) < 0)
		goto out;
	if (vault_authority_stamp(v, &of, &tsr, &size, when, NULL, e) < 0) {
		if (e->code == MUNI_NOT_FOUND)
			err_set(e, MUNI_NOT_FOUND, "no time-stamping authority was named: `muni "
				"cert authority ARCHIVE --url URL --tsa-ca CA.pem` names one");
		goto out;
	}
	fd = certificate_folder(v, e);
	certificate_stamp_name(id, *number, name);
	if (fd >= 0 && file_replace_synced(fd, name, tsr, size, 0400, e) == 0)
		rc = record(v, id, *number, tsr, size, e);
	if (rc == 0)
		certificate_copies_try(v, id, CERTIFICATE_ADDED);
out:
	file_close(&fd);
	free(tsr);
	return rc < 0 ? err_wrap(e, "renewing the time-stamp of C%" PRId64, id) : 0;
}
