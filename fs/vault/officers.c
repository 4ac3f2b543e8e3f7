/*
 * Officers come and go; each in the log with certificate and roles, from which
 * retention_check_log() rebuilds the table.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/vault/clearance.h"
#include "fs/vault/disposition.h"
#include "fs/vault/inside.h"
#include "fs/vault/roster.h"

#define CERTIFICATE_FILE_MAX (1u << 20)

static int load_certificate(const char *path, struct identity *out, struct err *e)
{
	uint8_t *data = NULL;
	size_t size = 0;
	int fd = file_open_user(path, O_RDONLY, 0, e), rc = -1;

	if (fd < 0)
		return -1;
	data = malloc(CERTIFICATE_FILE_MAX + 1);
	if (!data) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a certificate");
		goto out;
	}
	if (file_read_rest(fd, data, CERTIFICATE_FILE_MAX + 1, &size, e) < 0)
		goto out;
	if (size == 0 || size > CERTIFICATE_FILE_MAX) {
		err_set(e, MUNI_USAGE, "%s is no certificate", text_printable(path));
		goto out;
	}
	if (identity_parse(data, size, out, e) == 0)
		rc = 0;
	else if (e->code == MUNI_FORMAT)
		e->code = MUNI_USAGE;
out:
	free(data);
	file_close(&fd);
	return rc < 0 ? err_wrap(e, "the certificate %s", text_printable(path)) : 0;
}

/* R1: one person, one officer.  Renewing is removing and adding under the same id. */
static int check_person(const struct roster *r, const char *id, const struct identity *who,
			struct err *e)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct officer *o = &r->list[i];
		bool is_same_id = strcmp(o->id, id) == 0;

		if (is_same_id && o->removed == 0)
			return err_set(e, MUNI_EXISTS, "there is an officer %s already; `muni "
				       "officer remove` takes the old certificate away first",
				       text_printable(id));
		if (is_same_id && !is_same_person(&o->identity, who))
			return err_set(e, MUNI_REFUSED, "identity: %s was the id of %s; an id "
				       "belongs to one person for ever, choose another",
				       text_printable(id), text_printable(o->person));
		if (!is_same_id && o->removed == 0 && is_same_person(&o->identity, who))
			return err_set(e, MUNI_REFUSED, "one person, one officer: the certificate "
				       "has the %s of the officer %s", digest_equal(
				       &o->identity.key, &who->key) ? "key" : "subject",
				       text_printable(o->id));
	}
	return 0;
}

static int check_certificate(const struct identity *who, int64_t now, struct err *e)
{
	char end[TEXT_TIME_MAX];

	if (!who->can_sign)
		return err_set(e, MUNI_USAGE, "the certificate of %s cannot sign here: its "
			       "keyUsage must have digitalSignature, and its key be RSA of 2048 "
			       "bits or on a NIST or Brainpool curve of 224 bits at least",
			       text_printable(who->subject));
	if (!who->is_for_documents)
		return err_set(e, MUNI_USAGE, "the certificate of %s is for other purposes than "
			       "signing documents (its extendedKeyUsage names a server's use, for "
			       "instance); an officer's must name emailProtection, "
			       "documentSigning or any purpose, or have no such limit",
			       text_printable(who->subject));
	if (!*who->subject)
		return err_set(e, MUNI_USAGE, "the certificate names no subject: nobody could be "
			       "told by it");
	if (who->not_after < now)
		return err_set(e, MUNI_USAGE, "the certificate of %s ended on %s; it cannot sign",
			       text_printable(who->subject), text_time(who->not_after, 0, end));
	return 0;
}

/* without: why nobody in office signs for him; NULL: they will. */
static char *added_details(const char *id, const char *roles, const struct identity *who,
			   const char *without, struct err *e)
{
	char *base64 = text_base64(who->cert, who->cert_size), hex[DIGEST_HEX_SIZE];
	char *text = NULL;
	size_t size;

	digest_hex(&who->fingerprint, hex);
	json_t *o = json_pack("{s:s, s:s*, s:s, s:s, s:s, s:s*}", "id", id, "certificate", base64,
			      "fingerprint", hex, "person", who->subject, "roles", roles,
			      "without_approval", without);
	if (!o || !base64)
		err_set(e, MUNI_NO_MEMORY, "no memory for the log's entry");
	else
		canonical_dump(o, &text, &size, e);
	json_decref(o);
	free(base64);
	return text;
}

static int add(struct vault *v, const char *id, const char *roles, const struct identity *who,
	       const char *without, struct err *e)
{
	const struct officer_row row = {
		.id = id, .roles = roles, .person = who->subject, .cert = who->cert,
		.cert_size = who->cert_size, .fingerprint = who->fingerprint,
		.added = vault_now(v),
	};
	char *details = added_details(id, roles, who, without, e);
	int rc = -1;

	if (!details)
		return -1;
	if (catalogue_begin(v->catalogue, e) == 0) {
		if (catalogue_officer_add(v->catalogue, &row, e) < 0)
			catalogue_rollback(v->catalogue);
		else
			rc = vault_commit_act(v, LOG_OFFICER_ADDED, details, e);
	}
	free(details);
	return rc;
}

static int check_without(const struct roster *r, const char *without, struct err *e)
{
	if (!without)
		return 0;
	if (!*without || !text_is_utf8(without, strlen(without)))
		return err_set(e, MUNI_USAGE, "a reason is needed: why can nobody in office sign "
			       "for this officer?");
	return r->is_closed ? 0 :
	       err_set(e, MUNI_USAGE, "nothing has been approved in this archive yet: the "
		       "archive's key is enough, add the officer without --without-approval");
}

int vault_officer_add(struct vault *v, const char *id, const char *roles, const char *cert_path,
		      const char *without, struct err *e)
{
	struct identity who = { .cert = NULL };
	struct roster roster = { .count = 0 };
	unsigned set;
	int rc = -1;

	if (vault_check_name(id, false, e) < 0)
		return err_wrap(e, "the officer's id");
	if (roles_parse(roles, &set, e) < 0 || load_certificate(cert_path, &who, e) < 0)
		return -1;
	if (check_certificate(&who, vault_now(v), e) == 0 &&
	    roster_load(v, &roster, e) == 0 &&
	    check_person(&roster, id, &who, e) == 0 &&
	    check_without(&roster, without, e) == 0)
		rc = add(v, id, roles, &who, without, e);
	if (rc < 0 && e->code == MUNI_REFUSED)
		clearance_refused(v, "add an officer", &who.fingerprint, e);
	roster_clear(&roster);
	identity_clear(&who);
	return rc;
}

int vault_officer_remove(struct vault *v, const char *id, const char *reason, struct err *e)
{
	struct roster roster;
	char hex[DIGEST_HEX_SIZE] = "", *details = NULL;
	size_t size;
	int rc = -1;

	if (roster_load(v, &roster, e) < 0)
		return -1;
	const struct officer *o = roster_listed(&roster, id);
	if (o)
		digest_hex(&o->identity.fingerprint, hex);
	roster_clear(&roster);
	if (!o)
		return err_set(e, MUNI_NOT_FOUND, "no officer \"%s\" is in office; `muni officer "
			       "list` shows who is", text_printable(id));
	json_t *json = json_pack("{s:s, s:s, s:s}", "id", id, "fingerprint", hex, "reason",
				 reason ? reason : "");
	if (!json)
		return err_set(e, MUNI_USAGE, "the reason is not UTF-8");
	if (canonical_dump(json, &details, &size, e) == 0 &&
	    catalogue_begin(v->catalogue, e) == 0) {
		if (catalogue_officer_remove(v->catalogue, id, vault_now(v), e) < 0)
			catalogue_rollback(v->catalogue);
		else
			rc = vault_commit_act(v, LOG_OFFICER_REMOVED, details, e);
	}
	json_decref(json);
	free(details);
	return rc;
}

int vault_officer_key(struct vault *v, const char *id, const char *spec,
		      int (*ask)(void *arg, const char *question, char *out, size_t size),
		      void *arg, struct officer_key **out, struct err *e)
{
	struct roster roster;
	int rc;

	*out = NULL;
	if (roster_load(v, &roster, e) < 0)
		return -1;
	const struct officer *o = roster_find(&roster, id);
	if (o) {
		rc = officer_key_open(spec, o->identity.cert, o->identity.cert_size, ask, arg, out,
				      e);
		if (rc < 0 && e->code == MUNI_USAGE)
			e->code = MUNI_REFUSED;	/* another's: R2 of the roster */
	} else {
		rc = err_set(e, MUNI_REFUSED, "role: no officer \"%s\" is in office; `muni officer "
			     "list` shows who is", text_printable(id));
	}
	if (rc < 0 && e->code == MUNI_REFUSED)
		clearance_refused(v, "open an officer's key", NULL, e);
	roster_clear(&roster);
	return rc;
}
