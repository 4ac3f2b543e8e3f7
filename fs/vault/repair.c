/*
 * Repair: mends each piece from what is redundant, in the order in which one
 * piece's mending rests on another's; then records that it was done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/renewal_inside.h"
#include "fs/vault/repair_inside.h"

static const struct vault_monitor silent;

/* ---- segments ------------------------------------------------------------------ */

struct walk {
	struct verify *verify;
	struct err *e;
};

static int mended_run(void *arg, const struct parity_damage *d)
{
	struct walk *w = arg;
	char where[VERIFY_PLACE_MAX], size[TEXT_COUNT_MAX];

	verify_damage(w->verify, d->can_mend,
		      verify_place(d->is_parity ? OBJECTS_PARITY : OBJECTS_SEGMENT, d->uid,
				   d->offset, where),
		      d->is_missing ? "it was missing (%s bytes)"
				    : "%s bytes from here on were not what was written",
		      text_count(d->size, size));
	return verify_take_run(w->verify, d, w->e) < 0 ? -1 : 0;
}

static bool read_bytes(void *arg, uint64_t bytes)
{
	struct walk *w = arg;
	struct err ignored = ERR_NONE;

	verify_advance(w->verify, 0, bytes);
	return verify_go_on(w->verify, &ignored) == 0;
}

struct parity_strength repair_strength(struct verify *k)
{
	struct catalogue_settings s;
	struct err ignored = ERR_NONE;

	if (k->is_catalogue_open &&
	    catalogue_settings_get(k->v->catalogue, &s, &ignored) == 0)
		return s.parity;
	return (struct parity_strength){ .data = PARITY_DATA_DEFAULT,
					 .parity = PARITY_COUNT_DEFAULT };
}

static int mend_segments(struct verify *k, struct err *e)
{
	struct walk w = { .verify = k, .e = e };
	const struct parity_vouch *vouch = k->v->vouch;

	verify_stage(k, "mending segments", 0, 0);
	if (objects_sweep(k->v->objects, e) < 0 || verify_uncovered(k, e) < 0 ||
	    parity_repair(k->v->objects, k->v->id, repair_strength(k), mended_run, read_bytes,
			  &w, vouch, e) < 0)
		return -1;
	verify_sort_runs(k);
	return 0;
}

/* ---- the catalogue ---------------------------------------------------------------- */

/* The rebuilt catalogue, looked at as if it had always been there. */
static int look_again(struct verify *k, struct err *e)
{
	struct verify_hold again = { .first = NULL };
	int rc;

	verify_hold(k, &again);
	rc = verify_catalogue(k, e);
	verify_hold(k, NULL);
	verify_release(k, &again, false);
	return rc;
}

static int mend_catalogue(struct verify *k, struct err *e)
{
	struct verify_hold wrong = { .first = NULL };
	int rc;

	if (repair_planted(k, e) < 0)
		return -1;
	verify_hold(k, &wrong);
	rc = verify_catalogue(k, e);
	verify_hold(k, NULL);
	if (rc < 0 && verify_absorb(k, false, "the catalogue", e) < 0) {
		verify_release(k, &wrong, false);
		return -1;
	}
	if (k->is_catalogue_open && k->is_catalogue_whole) {
		/* Only what base and redo lack, or that they are newer. */
		verify_release(k, &wrong, !k->is_behind);
		return 0;
	}
	rc = repair_catalogue(k, e);
	verify_release(k, &wrong, rc == 0);
	if (rc == 0)
		return look_again(k, e);
	return verify_absorb(k, false, "the catalogue", e);
}

/* ---- the end ------------------------------------------------------------------------ */

static int open_for_writing(struct verify *k, struct err *e)
{
	struct vault *v = k->v;
	struct log_position position;

	catalogue_close(v->catalogue);
	v->catalogue = NULL;
	if (catalogue_open(v->dirfd, v->epoch, v->key_id, CATALOGUE_WRITE, WRITER_CACHE_BYTES,
			   &v->catalogue, e) < 0 ||
	    catalogue_log_position_get(v->catalogue, &position, e) < 0 ||
	    log_open(v->auditfd, true, &position, &v->signatories, &v->head_checked, &v->log,
		     e) < 0)
		return -1;
	return renewal_take_back(v, e) < 0 || archive_recover(v, e) < 0 ? -1 : renewal_end(v, e);
}

int repair_conclude(struct verify *k, struct err *e)
{
	static const struct digest none;
	struct vault *v = k->v;
	char details[120];

	if (k->out->damages == 0 && !verify_is_held(&k->redo) && !k->is_unsettled)
		return 0;
	verify_stage(k, "recording the repair", 0, 0);
	if (open_for_writing(k, e) < 0)
		return -1;
	if (k->out->repairable == 0 && !verify_is_held(&k->redo))
		return 0;	/* a crash's left-overs alone: recovery has its own acts */
	if (!k->is_redo_whole)
		v->pages_at_open = none;	/* a fresh base supersedes what is damaged */
	snprintf(details, sizeof details, "{\"damages\":%llu,\"mended\":%llu}",
		 (unsigned long long)k->out->damages, (unsigned long long)k->out->repairable);
	if (catalogue_begin(v->catalogue, e) < 0)
		return -1;
	return vault_commit_act(v, LOG_REPAIR, details, e);
}

static int run(struct verify *k, struct err *e)
{
	struct vault *v = k->v;
	int rc;

	if (v->objects == NULL || v->auditfd < 0)
		return 0;	/* a folder is lost: told */
	if (verify_keyring(k, e) < 0 || verify_certificate(k, e) < 0 ||
	    repair_sweep(k, e) < 0 || verify_audit(k, e) < 0 || verify_redo(k, e) < 0 ||
	    mend_catalogue(k, e) < 0 || mend_segments(k, e) < 0)
		return -1;
	if (k->is_catalogue_open &&
	    (verify_versions(k, e) < 0 || verify_renewals(k, e) < 0 || verify_known_segments(k, e) < 0 ||
	     verify_all_blocks(k, false, e) < 0 || verify_touched_files(k, e) < 0) &&
	    verify_absorb(k, false, "the catalogue", e) < 0)
		return -1;
	/* An older copy gets no act of its own: two histories could never be one again. */
	if (verify_anchor(k, e) < 0 ||
	    (verify_certificates(k, e) < 0 && verify_absorb(k, false, "certificates", e) < 0))
		return -1;
	rc = k->is_catalogue_whole && !k->is_behind ? repair_conclude(k, e) : 0;
	if (k->is_unsettled)
		verify_release_as_notes(k, &k->redo);
	else
		verify_release(k, &k->redo, rc == 0 && k->is_catalogue_whole);
	return rc;
}

static int run_vouching(struct verify *k, struct err *e)
{
	struct repair_vouch *asked = NULL;
	struct parity_vouch vouch = { .segment = repair_vouch_segment };
	int rc;

	if (repair_vouch_new(k, &asked, e) < 0)
		return -1;
	vouch.arg = asked;
	k->v->vouch = &vouch;
	rc = run(k, e);
	k->v->vouch = NULL;
	repair_vouch_free(asked);
	return rc;
}

int vault_repair(const char *path, const struct vault_options *o,
		 const struct vault_monitor *m,
		 void (*found)(void *arg, const struct verify_finding *f), void *arg,
		 struct verify_summary *out, struct err *e)
{
	struct verify k = { .options = o, .monitor = m != NULL ? m : &silent,
			    .found = found, .arg = arg, .out = out, .is_repair = true };
	int rc = -1;

	*out = (struct verify_summary){ .blocks = 0 };
	if (verify_open(&k, path, e) == 0)
		rc = run_vouching(&k, e);
	verify_close(&k);
	if (rc == 0 && out->damages > out->repairable) {
		err_set(e, MUNI_DAMAGED, "%llu of %llu damages could not be repaired: bring "
			"what is lost back from a backup and repair again",
			(unsigned long long)(out->damages - out->repairable),
			(unsigned long long)out->damages);
		rc = -1;
	}
	return rc;
}
