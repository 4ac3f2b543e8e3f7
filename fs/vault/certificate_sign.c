/*
 * More signatures to a certificate that is there.
 *
 * The file comes before the log: a signature that the log names and the certificate lacks
 * would be a lie.  Cut off between the two, the signature holds and nobody is told of it;
 * the same officer's next call finds it and makes the entry.
 */
#include "fs/vault/certificate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/audit.h"
#include "fs/vault/certificate_inside.h"
#include "fs/vault/roster.h"

#define ROLES_ALL (ROLES_DECIDING | ROLE_WITNESS | ROLE_AUDITOR)

static int signed_details(int64_t id, const char *officer, char **out, struct err *e)
{
	char certificate[24];
	json_t *o;
	size_t size;
	int rc;

	snprintf(certificate, sizeof certificate, "C%" PRId64, id);
	o = json_pack("{s:s, s:s}", "certificate", certificate, "signed_by", officer);
	rc = o ? canonical_dump(o, out, &size, e)
	       : err_set(e, MUNI_NO_MEMORY, "no memory for the log's entry");
	json_decref(o);
	return rc;
}

/* The officer is who he says, and in office; MUNI_REFUSED else. */
static int prove(struct vault *v, const char *officer, struct officer_key *key,
		 const void *data, size_t size, struct digest *actor, struct err *e)
{
	struct roster roster;
	const struct officer *who;
	uint8_t *signature = NULL;
	size_t signature_size;
	int rc;

	if (roster_load(v, &roster, e) < 0)
		return -1;
	rc = roster_prove(&roster, officer, key, ROLES_ALL, "sign a certificate", data, size,
			  vault_now(v), &who, &signature, &signature_size, e);
	if (rc == 0)
		*actor = who->identity.fingerprint;
	free(signature);
	roster_clear(&roster);
	return rc;
}

/* ---- a signature that the log does not name ------------------------------------------------- */

struct naming {
	char certificate[24];
	struct digest actor;
	bool is_found;
	struct err *e;
};

/* Made or signed by this officer.  Details that are gone may have said so: one entry too few
 * is better than two of one signature. */
static int is_named_by(void *arg, const struct audit_entry *a)
{
	struct naming *n = arg;
	struct err why = ERR_NONE;
	const char *certificate;
	json_t *o = NULL;

	if (a->entry.act != LOG_CERTIFIED || !digest_equal(&a->entry.actor, &n->actor))
		return 0;
	if (!a->details || canonical_load(a->details, strlen(a->details), &o, &why) < 0) {
		if (why.code == MUNI_NO_MEMORY) {
			*n->e = why;
			return -1;
		}
		n->is_found = true;
		return 1;
	}
	certificate = json_string_value(json_object_get(o, "certificate"));
	n->is_found = certificate && strcmp(certificate, n->certificate) == 0;
	json_decref(o);
	return n->is_found;
}

static int is_named(struct vault *v, int64_t id, const struct digest *actor, bool *out,
		    struct err *e)
{
	struct naming n = { .actor = *actor, .e = e };

	snprintf(n.certificate, sizeof n.certificate, "C%" PRId64, id);
	if (audit_each(v, 0, is_named_by, &n, e) < 0)
		return -1;
	*out = n.is_found;
	return 0;
}

/* The certificate with the officer's signature, malloc'ed.  MUNI_EXISTS: it has that, and the
 * log says so. */
static int with_signature(struct vault *v, int64_t id, struct officer_key *key,
			  const struct digest *actor, const uint8_t *old, size_t old_size,
			  uint8_t **new, size_t *new_size, struct err *e)
{
	struct err found = ERR_NONE;
	bool is_logged;

	if (cms_add_signature(old, old_size, key, vault_now(v), new, new_size, &found) == 0)
		return 0;
	if (found.code != MUNI_EXISTS) {
		*e = found;
		return -1;
	}
	if (is_named(v, id, actor, &is_logged, e) < 0)
		return -1;
	if (is_logged) {
		*e = found;
		return -1;
	}
	/* Written again: the sync may be what it was cut off at. */
	*new = malloc(old_size);
	if (!*new)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the certificate");
	memcpy(*new, old, old_size);
	*new_size = old_size;
	return 0;
}

int certificate_sign(struct vault *v, int64_t id, const char *officer, struct officer_key *key,
		     struct err *e)
{
	uint8_t *old = NULL, *new = NULL;
	size_t old_size, new_size;
	char *details = NULL;
	struct digest actor;
	int fd = -1, rc = -1;

	if (certificate_read(v, id, &old, &old_size, e) < 0 ||
	    prove(v, officer, key, old, old_size, &actor, e) < 0 ||
	    with_signature(v, id, key, &actor, old, old_size, &new, &new_size, e) < 0 ||
	    signed_details(id, officer, &details, e) < 0)
		goto out;
	fd = certificate_folder(v, e);
	if (fd < 0 || certificate_put_in(fd, id, CERTIFICATE_CMS, new, new_size, e) < 0)
		goto out;
	if (catalogue_begin(v->catalogue, e) == 0)
		rc = vault_commit_act_by(v, LOG_CERTIFIED, &actor, details, e);
	if (rc == 0)
		certificate_copies_try(v, id, CERTIFICATE_SIGNED);
out:
	file_close(&fd);
	free(details);
	free(old);
	free(new);
	return rc;
}
