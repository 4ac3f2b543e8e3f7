/*
 * Reading what a certificate tells.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/certificate_inside.h"

#define SHARED_LISTED 1000	/* the annex has all of them */

json_t *hex_value(const struct digest *d)
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(d, hex);
	return json_string(hex);
}

json_t *time_value(int64_t seconds)
{
	char text[TEXT_TIME_MAX];

	return json_string(text_time(seconds, 0, text));
}

json_t *base64_value(const void *data, size_t size)
{
	char *text = json_needs(text_base64(data, size));
	json_t *value = text ? json_string(text) : NULL;

	free(text);
	return value;
}

json_t *count_value(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* ---- officers --------------------------------------------------------------------------- */

struct loading {
	struct certificate_facts *facts;
	struct err *e;
};

static int on_officer(void *arg, const struct officer_row *o)
{
	struct loading *l = arg;
	struct certificate_facts *f = l->facts;
	struct known_officer *grown =
		reallocarray(f->officers, f->officer_count + 1, sizeof *grown);

	if (!grown)
		return err_set(l->e, MUNI_NO_MEMORY, "no memory for the officers");
	f->officers = grown;
	grown = &grown[f->officer_count];
	*grown = (struct known_officer){ .added = o->added, .removed = o->removed };
	if (identity_parse(o->cert, o->cert_size, &grown->identity, l->e) < 0)
		return err_wrap(l->e, "reading the certificate of officer %s",
				text_printable(o->id));
	f->officer_count++;
	grown->id = strdup(o->id);
	grown->roles = strdup(o->roles);
	return grown->id && grown->roles ? 0 :
	       err_set(l->e, MUNI_NO_MEMORY, "no memory for the officers");
}

const struct known_officer *certificate_officer(const struct certificate_facts *f,
						const char *id, int64_t when)
{
	const struct known_officer *last = NULL;

	for (size_t i = 0; id && i < f->officer_count; i++) {
		const struct known_officer *o = &f->officers[i];

		if (strcmp(o->id, id) != 0)
			continue;
		if (o->added <= when && (o->removed == 0 || when < o->removed))
			return o;
		last = o;
	}
	return last;
}

/* ---- approvals -------------------------------------------------------------------------- */

/* One person's part, with what proves it. */
static int add_approval(struct loading *l, const struct approval_row *a,
			const struct cms_signer *s)
{
	struct certificate_facts *f = l->facts;
	int64_t at = s->signed_at ? s->signed_at : a->made;
	const struct known_officer *o = certificate_officer(f, a->officer, a->made);
	const char *roles = o ? o->roles : "";
	json_t *part = json_pack("{s:s, s:s, s:s, s:s, s:o*, s:o, s:o, s:o, s:o}", "act",
				 strcmp(roles, "witness") == 0 ? "witnessed" : "approved", "id",
				 a->officer, "person", s->identity.subject, "roles", roles,
				 "added", o ? time_value(o->added) : NULL, "at", time_value(at),
				 "received", time_value(a->made), "certificate",
				 base64_value(s->identity.cert, s->identity.cert_size),
				 "signature", base64_value(a->signature, a->signature_size));

	if (o)
		certificate_put_office(f, o, part);
	if (!part || json_array_append_new(f->approvals, part) < 0)
		return json_memory_refused(l->e, MUNI_USAGE, "an officer's name in an approval is "
					   "not UTF-8");
	return 0;
}

/* Several officers may have signed one file: which signature is this one's? */
static const struct cms_signer *signer_of(const struct certificate_facts *f,
					  const struct approval_row *a,
					  const struct cms_signer *signers, size_t count)
{
	const struct known_officer *o = certificate_officer(f, a->officer, a->made);

	for (size_t i = 0; o && i < count; i++)
		if (digest_equal(&signers[i].identity.fingerprint, &o->identity.fingerprint))
			return &signers[i];
	return &signers[0];
}

static int on_approval(void *arg, const struct approval_row *a)
{
	struct loading *l = arg;
	const char *statement = l->facts->row.statement;
	struct cms_signer *signers = NULL;
	size_t count = 0;
	int rc = -1;

	if (cms_verify_detached(a->signature, a->signature_size, statement, strlen(statement),
				&signers, &count, l->e) < 0)
		return err_wrap(l->e, "reading the approval of %s", text_printable(a->officer));
	rc = add_approval(l, a, signer_of(l->facts, a, signers, count));
	cms_signers_free(signers, count);
	return rc;
}

/* ---- items, holds, copies, certificates ---------------------------------------------------- */

static int on_item(void *arg, const struct disposition_item *i)
{
	struct loading *l = arg;
	struct certificate_facts *f = l->facts;

	if ((unsigned)i->outcome < sizeof f->outcomes / sizeof *f->outcomes)
		f->outcomes[i->outcome]++;
	if (i->outcome == OUTCOME_BYTES_STAY && json_array_size(f->shared) < SHARED_LISTED)
		json_array_append_new(f->shared, hex_value(&i->leaf));
	return 0;
}

static int on_hold(void *arg, const struct hold_row *h)
{
	struct loading *l = arg;

	(void)h;
	l->facts->holds++;
	return 0;
}

static int on_copy(void *arg, const struct copy_row *k)
{
	struct loading *l = arg;
	json_t *copy = json_pack("{s:I, s:s, s:s, s:s, s:o, s:o}", "id", (json_int_t)k->id, "of",
				 k->of, "place", k->place, "state", k->state, "declared",
				 time_value(k->declared), "changed", time_value(k->changed));

	if (strcmp(k->of, "keyring") == 0 && strcmp(k->state, "destroyed") != 0)
		l->facts->has_kept_keyring = true;
	return copy && json_array_append_new(l->facts->copies, copy) == 0 ? 0 :
	       err_set(l->e, MUNI_NO_MEMORY, "no memory for the declared copies");
}

static int on_certificate(void *arg, int64_t id, int64_t disposition, int64_t made,
			  const struct digest *content)
{
	struct loading *l = arg;

	(void)disposition;
	(void)made;
	if (id > l->facts->previous) {
		l->facts->previous = id;
		l->facts->previous_digest = *content;
	}
	return 0;
}

/* Of an item under `names: drop` not even the leaf is left: the statement counts it. */
static void count_dropped(struct certificate_facts *f)
{
	json_int_t items = json_integer_value(json_object_get(f->statement, "items"));
	uint64_t rows = 0;

	for (size_t i = 0; i < sizeof f->outcomes / sizeof *f->outcomes; i++)
		rows += f->outcomes[i];
	if (f->row.kind == DISPOSITION_RECORDS && items > 0 && (uint64_t)items > rows)
		f->outcomes[OUTCOME_GONE] += (uint64_t)items - rows;
}

/* Who names another keyring than the archive does (--keyring) has two of them, and the key
 * was overwritten in one. */
static int find_other_keyring(struct certificate_facts *f, struct err *e)
{
	const struct vault_keys as_recorded = { .keyring = NULL };
	struct vault *v = f->vault;
	struct stat ours, other;
	struct archive_file a;
	json_t *copy = NULL;
	char *path;
	int rc = 0;

	if (f->row.kind != DISPOSITION_RECORDS)
		return 0;
	if (archive_file_read(v->dirfd, &a, e) < 0)
		return -1;
	path = archive_keyring_path(v->path, &a, &as_recorded, e);
	if (!path)
		return -1;
	if (stat(path, &other) < 0 || stat(v->keyring_path, &ours) < 0 ||
	    (other.st_dev == ours.st_dev && other.st_ino == ours.st_ino))
		goto out;
	f->has_kept_keyring = true;
	copy = json_pack("{s:i, s:s, s:s, s:s, s:o, s:o}", "id", 0, "of", "keyring", "place",
			 path, "state", "kept", "declared", time_value(f->now), "changed",
			 time_value(f->now));
	if (!copy || json_array_append_new(f->copies, copy) < 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for the copies of the keyring");
out:
	free(path);
	return rc;
}

static int load_rows(struct certificate_facts *f, int64_t disposition, struct err *e)
{
	struct catalogue *c = f->vault->catalogue;
	struct loading l = { f, e };

	if (catalogue_officers(c, on_officer, &l, e) < 0 ||
	    roster_load(f->vault, &f->roster, e) < 0 ||
	    catalogue_approvals(c, disposition, on_approval, &l, e) < 0 ||
	    catalogue_disposition_items(c, disposition, on_item, &l, e) < 0 ||
	    catalogue_holds(c, false, on_hold, &l, e) < 0 ||
	    catalogue_copies(c, on_copy, &l, e) < 0 || find_other_keyring(f, e) < 0 ||
	    catalogue_certificates(c, on_certificate, &l, e) < 0)
		return -1;
	f->id = f->previous + 1;
	count_dropped(f);
	return 0;
}

int certificate_facts_load(struct certificate_facts *f, struct vault *v, int64_t disposition,
			   struct err *e)
{
	*f = (struct certificate_facts){ .vault = v, .now = vault_now(v),
					 .approvals = json_array(), .shared = json_array(),
					 .copies = json_array() };
	if (!f->approvals || !f->shared || !f->copies) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a certificate");
		goto failed;
	}
	if (catalogue_disposition_get(v->catalogue, disposition, &f->row, e) < 0 ||
	    canonical_load(f->row.statement, strlen(f->row.statement), &f->statement, e) < 0 ||
	    execution_read(f->row.result, &f->execution, e) < 0 ||
	    load_rows(f, disposition, e) < 0)
		goto failed;
	return 0;
failed:
	certificate_facts_clear(f);
	return err_wrap(e, "gathering what the certificate of D%" PRId64 " tells", disposition);
}

void certificate_facts_clear(struct certificate_facts *f)
{
	for (size_t i = 0; i < f->officer_count; i++) {
		free(f->officers[i].id);
		free(f->officers[i].roles);
		identity_clear(&f->officers[i].identity);
	}
	free(f->officers);
	roster_clear(&f->roster);
	json_decref(f->statement);
	json_decref(f->approvals);
	json_decref(f->shared);
	json_decref(f->copies);
	execution_clear(&f->execution);
	disposition_row_clear(&f->row);
	*f = (struct certificate_facts){ 0 };
}
