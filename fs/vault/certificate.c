/*
 * Certificates as files: made, read, signed.
 *
 * The order is the point: marks, annex, certificate, time-stamp, and last the archive's own
 * signature, each synced; then the row and the log.  Where the archive's signature is
 * there all of it is, and a later run takes that certificate instead of making another.
 */
#include "fs/vault/certificate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/sign.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/authority.h"
#include "fs/vault/certificate_inside.h"
#include "fs/vault/marks.h"
#include "fs/vault/renewal_inside.h"
#include "fs/vault/roster.h"

/* ---- marks ---------------------------------------------------------------------------------- */

/* What the switch of epoch left, under the certificate's name.  Of a live source there is
 * none, nor of what a program before this destroyed. */
static int take_marks(struct certificate_facts *f, int fd, struct err *e)
{
	char name[CERTIFICATE_NAME_SIZE];
	uint8_t *data = NULL;
	size_t size = 0;
	int rc;

	if (f->row.kind != DISPOSITION_RECORDS)
		return 0;
	certificate_marks_name(f->row.id, name);
	if (file_load(fd, name, ANNEX_MAX, &data, &size, e) < 0) {
		if (e->code != MUNI_NOT_FOUND)
			return -1;
		*e = ERR_NONE;
		return 0;
	}
	f->has_marks = true;
	f->marks = digest_of(data, size);
	f->marks_count = size / (2 * MARK_SIZE + 1);
	rc = certificate_put_in(fd, f->id, CERTIFICATE_MARKS, data, size, e);
	free(data);
	return rc;
}

/* ---- one that a crash left whole --------------------------------------------------------- */

/* Is what lies there this disposition's, under the archive's own signature?  -1: there was no
 * memory to look; what may be whole is not written over. */
static int find_left_whole(struct certificate_facts *f, struct digest *content, bool *is_whole,
			   struct err *e)
{
	struct vault *v = f->vault;
	uint8_t *cms = NULL, *own = NULL, *text = NULL;
	size_t cms_size, own_size, size, count = 0;
	struct cms_signer *signers = NULL;
	struct err why = ERR_NONE;
	json_t *json = NULL;
	char wanted[24];
	const char *disposition;

	*is_whole = false;
	if (certificate_file(v, f->id, CERTIFICATE_CMS, &cms, &cms_size, &why) < 0 ||
	    certificate_file(v, f->id, CERTIFICATE_ARCHIVE_SIGNATURE, &own, &own_size,
			     &why) < 0 ||
	    cms_verify_attached(cms, cms_size, &text, &size, &signers, &count, &why) < 0 ||
	    canonical_load(text, size, &json, &why) < 0 ||
	    renewal_check_certificate(&v->signatories, json, text, size, own, own_size,
				      &why) < 0)
		goto out;
	snprintf(wanted, sizeof wanted, "D%" PRId64, f->row.id);
	disposition = json_string_value(json_object_get(json_object_get(json, "identity"),
							"disposition"));
	*is_whole = disposition && strcmp(disposition, wanted) == 0;
	*content = digest_of(text, size);
out:
	cms_signers_free(signers, count);
	json_decref(json);
	free(cms);
	free(own);
	free(text);
	if (why.code != MUNI_NO_MEMORY)
		return 0;
	*e = why;
	return err_wrap(e, "looking at what lies there of C%" PRId64, f->id);
}

/* ---- making ------------------------------------------------------------------------------- */

/* The authority's word that it existed now, where one is named. */
static int stamp(struct certificate_facts *f, int fd, const struct digest *content, struct err *e)
{
	uint8_t *tsr = NULL;
	size_t size;
	int64_t when;
	bool is_silent;
	int rc;

	if (vault_authority_stamp(f->vault, content, &tsr, &size, &when, &is_silent, e) < 0) {
		if (e->code == MUNI_NOT_FOUND && !is_silent) {
			*e = ERR_NONE;
			return 0;
		}
		if (!is_silent)
			return -1;
		return err_wrap(e, "what was approved is destroyed, but its certificate wants a "
				"time-stamp; run `muni dispose execute` again when the authority "
				"can be reached, or name none (`muni cert authority ARCHIVE "
				"--none`)");
	}
	rc = certificate_put_in(fd, f->id, CERTIFICATE_TIMESTAMP, tsr, size, e);
	free(tsr);
	return rc;
}

static int sign_and_write(struct certificate_facts *f, int fd, struct officer_key *key,
			  const char *text, size_t size, struct err *e)
{
	const struct signer *archive = keyring_signer(f->vault->keyring, e);
	const struct digest content = digest_of(text, size);
	uint8_t *cms = NULL, *own = NULL;
	size_t cms_size, own_size;
	int rc = -1;

	if (archive &&
	    cms_sign_attached(NULL, key, text, size, f->now, &cms, &cms_size, e) == 0 &&
	    sign_detached(archive, text, size, f->now, &own, &own_size, e) == 0 &&
	    certificate_put_in(fd, f->id, CERTIFICATE_CMS, cms, cms_size, e) == 0 &&
	    stamp(f, fd, &content, e) == 0)
		rc = certificate_put_in(fd, f->id, CERTIFICATE_ARCHIVE_SIGNATURE, own, own_size, e);
	free(cms);
	free(own);
	return rc;
}

static int make_files(struct certificate_facts *f, int fd, struct officer_key *key,
		      struct digest *content, struct err *e)
{
	char annex[CERTIFICATE_NAME_SIZE], own[CERTIFICATE_NAME_SIZE], tsr[CERTIFICATE_NAME_SIZE], *text = NULL;
	size_t size = 0;
	int rc = -1;

	certificate_name(f->id, CERTIFICATE_ANNEX, annex);
	certificate_name(f->id, CERTIFICATE_ARCHIVE_SIGNATURE, own);
	certificate_name(f->id, CERTIFICATE_TIMESTAMP, tsr);
	if (file_remove(fd, own, e) == 0 && file_remove(fd, tsr, e) == 0 &&
	    take_marks(f, fd, e) == 0 && certificate_annex(f, fd, annex, e) == 0 &&
	    certificate_json(f, &text, &size, e) == 0)
		rc = sign_and_write(f, fd, key, text, size, e);
	if (rc == 0)
		*content = digest_of(text, size);
	free(text);
	return rc;
}

/* Row, state and log in one act. */
static int settle(struct certificate_facts *f, const struct digest *content, struct err *e)
{
	struct catalogue *c = f->vault->catalogue;
	const struct known_officer *o = certificate_officer(f, f->maker, f->now);
	char hex[DIGEST_HEX_SIZE], *details = NULL;
	int64_t id = 0;
	int rc = -1;

	digest_hex(content, hex);
	if (asprintf(&details, "{\"certificate\":\"C%" PRId64 "\",\"disposition\":\"D%" PRId64
		     "\",\"sha256\":\"%s\"}", f->id, f->row.id, hex) < 0)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the log's entry");
	if (catalogue_begin(c, e) < 0)
		goto out;
	if (catalogue_certificate_add(c, f->row.id, f->now, content, &id, e) < 0 ||
	    catalogue_disposition_state(c, f->row.id, DISPOSITION_CERTIFIED, NULL, e) < 0 ||
	    (id != f->id && err_set(e, MUNI_DAMAGED, "the next certificate would be C%" PRId64
				    ", not C%" PRId64, id, f->id) < 0)) {
		catalogue_rollback(c);
		goto out;
	}
	rc = vault_commit_act_by(f->vault, LOG_CERTIFIED, o ? &o->identity.fingerprint : NULL,
				 details, e);
out:
	free(details);
	return rc;
}

static int make(struct certificate_facts *f, struct officer_key *key, int64_t *id, struct err *e)
{
	struct digest content;
	bool is_whole;
	int fd = -1, rc = -1;

	if (f->row.state != DISPOSITION_GONE)
		return err_set(e, MUNI_REFUSED, "D%" PRId64 " is not executed: what is not gone "
			       "is not certified", f->row.id);
	if (f->adversary && f->adversary->was_run && !f->adversary->has_passed)
		return err_set(e, MUNI_DAMAGED, "the adversarial check found something of what is "
			       "to be gone: there is no certificate; `muni verify` and `muni audit "
			       "list` say more");
	if (file_make_dir(f->vault->dirfd, ARCHIVE_CERTIFICATES, 0700, e) < 0)
		return -1;
	fd = certificate_folder(f->vault, e);
	if (fd < 0)
		return -1;
	if (find_left_whole(f, &content, &is_whole, e) == 0 &&
	    (is_whole || make_files(f, fd, key, &content, e) == 0)) {
		/* Before the act: cut off here, whoever goes on makes both. */
		certificate_copies_try(f->vault, f->id, CERTIFICATE_MADE);
		rc = settle(f, &content, e);
	}
	if (rc == 0)
		rc = certificate_marks_remove(f->vault, f->row.id, e);
	*id = f->id;
	file_close(&fd);
	return rc;
}

struct finding {
	int64_t disposition, id;
};

static int is_of(void *arg, int64_t id, int64_t disposition, int64_t made,
		 const struct digest *content)
{
	struct finding *f = arg;

	(void)made;
	(void)content;
	if (disposition == f->disposition)
		f->id = id;
	return 0;
}

int certificate_make(struct vault *v, int64_t disposition, const char *officer,
		     struct officer_key *key, const struct adversary_report *adversary,
		     int64_t *id, struct err *e)
{
	struct finding known = { .disposition = disposition };
	struct certificate_facts f;
	int rc;

	*id = 0;
	if (catalogue_certificates(v->catalogue, is_of, &known, e) < 0)
		return -1;
	if (known.id != 0) {
		*id = known.id;
		return 0;
	}
	if (certificate_facts_load(&f, v, disposition, e) < 0)
		return -1;
	f.maker = officer;
	f.adversary = adversary;
	rc = make(&f, key, id, e);
	certificate_facts_clear(&f);
	return rc < 0 ? err_wrap(e, "making the certificate of D%" PRId64, disposition) : 0;
}
