#include "fs/vault/authority.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/store/catalogue_dispositions.h"
#include "fs/vault/inside.h"

#define TIMEOUT_S 30
#define CA_MAX (128u * 1024)

/* What the log keeps of it: whole, so that the table can be held against it. */
static int details_of(const char *url, const char *ca, char **out, struct err *e)
{
	json_t *details = json_pack("{s:s?, s:s?}", "url", url, "ca", ca);
	size_t size;
	int rc;

	*out = NULL;
	if (!details)
		return err_set(e, MUNI_USAGE, "the address or the certificates of the authority "
			       "are not UTF-8");
	rc = canonical_dump(details, out, &size, e);
	json_decref(details);
	return rc;
}

/* An authority that does not answer now would stop every execution. */
static int try_out(struct vault *v, const char *url, const void *ca, size_t ca_size,
		   struct err *e)
{
	struct digest of = digest_of(v->id, sizeof v->id);
	uint8_t *tsr = NULL;
	size_t size;
	int64_t when;

	if (timestamp_get(url, ca, ca_size, &of, TIMEOUT_S, &tsr, &size, &when, e) < 0)
		return -1;
	free(tsr);
	return 0;
}

int vault_authority_set(struct vault *v, const char *url, const void *ca, size_t ca_size,
			struct err *e)
{
	char *details = NULL, *pem = NULL;
	int rc = -1;

	if (ca_size > CA_MAX)
		return err_set(e, MUNI_LIMIT, "the certificates of an authority are longer than "
			       "%u bytes", CA_MAX);
	if (url && try_out(v, url, ca, ca_size, e) < 0)
		return -1;
	pem = url ? strndup(ca, ca_size) : NULL;
	if (url && !pem)
		return err_set(e, MUNI_NO_MEMORY, "no memory for an authority");
	if (details_of(url, pem, &details, e) < 0 || catalogue_begin(v->catalogue, e) < 0)
		goto out;
	if (catalogue_authority_put(v->catalogue, url, pem, e) < 0) {
		catalogue_rollback(v->catalogue);
		goto out;
	}
	rc = vault_commit_act(v, LOG_AUTHORITY, details, e);
out:
	free(details);
	free(pem);
	return rc;
}

int vault_authority_get(struct vault *v, char **url, char **ca, struct err *e)
{
	return catalogue_authority_get(v->catalogue, url, ca, e);
}

int vault_authority_stamp(struct vault *v, const struct digest *of, uint8_t **tsr, size_t *size,
			  int64_t *when, bool *is_silent, struct err *e)
{
	char *url = NULL, *ca = NULL;
	int rc = -1;

	*tsr = NULL;
	*size = 0;
	if (is_silent)
		*is_silent = false;
	if (vault_authority_get(v, &url, &ca, e) < 0)
		return -1;
	if (url)
		rc = timestamp_get(url, ca, strlen(ca), of, TIMEOUT_S, tsr, size, when, e);
	else
		err_set(e, MUNI_NOT_FOUND, "this archive has no time-stamping authority");
	if (url && rc < 0 && is_silent)
		*is_silent = e->code != MUNI_NO_MEMORY;
	free(url);
	free(ca);
	return rc;
}
