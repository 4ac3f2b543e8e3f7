/*
 * Certificates of destruction: what lies in certificates/ against the catalogue's rows, by
 * the judge whom `muni cert verify` asks.  What is damaged is mended from the second copy
 * where that stands before the same judge; else it comes back from where people keep theirs.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/file.h"
#include "fs/crypt/officer.h"
#include "fs/store/catalogue_dispositions.h"
#include "fs/vault/certificate_inside.h"
#include "fs/vault/certificate_verify.h"
#include "fs/vault/renewal_inside.h"
#include "fs/vault/verify_inside.h"

#define BRING_BACK "bring it back from where certificates are kept (`muni cert show --all` " \
	"saved it), with mode 0400"

struct row {
	int64_t id, disposition;
	struct digest content;
};

struct rows {
	struct row *list;	/* owned */
	size_t count;
	struct err *e;
};

static int take_row(void *arg, int64_t id, int64_t disposition, int64_t made,
		    const struct digest *content)
{
	struct rows *r = arg;
	struct row *list = reallocarray(r->list, r->count + 1, sizeof *list);

	(void)made;
	if (list == NULL)
		return err_set(r->e, MUNI_NO_MEMORY, "no memory for the archive's certificates");
	r->list = list;
	r->list[r->count++] = (struct row){ id, disposition, *content };
	return 0;
}

/* One certificate with what lies beside it. */
struct bundle {
	struct verify *verify;
	const struct row *row;
	bool can_mend;	/* what is damaged: from the copies */
	uint8_t *cms, *own, *marks, *text;	/* owned; NULL: not there, or not to be read */
	size_t cms_size, own_size, marks_size, text_size;
	FILE *annex;	/* owned; NULL as above */
};

static void bundle_clear(struct bundle *b)
{
	free(b->cms);
	free(b->own);
	free(b->marks);
	free(b->text);
	if (b->annex != NULL)
		fclose(b->annex);
}

static void place_of(const struct bundle *b, enum certificate_file which,
		     char out[VERIFY_PLACE_MAX])
{
	char name[CERTIFICATE_NAME_SIZE];

	certificate_name(b->row->id, which, name);
	snprintf(out, VERIFY_PLACE_MAX, ARCHIVE_CERTIFICATES "/%s", name);
}

static void tell_at(const struct bundle *b, const char *where, const char *what)
{
	if (b->can_mend)
		verify_damage(b->verify, true, where, "%s", what);
	else
		verify_damage(b->verify, false, where, "%s: " BRING_BACK, what);
}

static void tell(const struct bundle *b, enum certificate_file which, const char *what)
{
	char where[VERIFY_PLACE_MAX];

	place_of(b, which, where);
	tell_at(b, where, what);
}

/* What keeps this process from looking is no damage. */
static bool is_ours_to_say(const struct err *e)
{
	return e->code == MUNI_NO_MEMORY || e->code == MUNI_CANCELLED;
}

/* -1: *e is no damage. */
static int tell_unreadable(const struct bundle *b, enum certificate_file which, struct err *e)
{
	if (is_ours_to_say(e))
		return -1;
	tell(b, which, e->code == MUNI_NOT_FOUND ? "it is missing" : e->text);
	*e = ERR_NONE;
	return 0;
}

static int load(const struct bundle *b, enum certificate_file which, uint8_t **data,
		size_t *size, struct err *e)
{
	if (certificate_file(b->verify->v, b->row->id, which, data, size, e) == 0)
		return 0;
	return tell_unreadable(b, which, e);
}

/* ---- the certificate and the archive's signature ------------------------------------------ */

/* One that the archive's key signed, in the place of another: of a history that was lost. */
static int tell_other_content(const struct bundle *b, struct err *e)
{
	struct witness w;

	if (archive_witness_read(b->verify->v, b->row->id, &w, e) < 0)
		return -1;
	tell(b, CERTIFICATE_CMS, w.acts > 0
	     ? "it is not the certificate of that number that the archive made, though the "
	       "archive's key signed it, and is of another history"
	     : "its content is not what the archive certified");
	return 0;
}

/* *is_it: the content is that of the catalogue's row. */
static int check_content(struct bundle *b, bool *is_it, struct err *e)
{
	struct cms_signer *signers = NULL;
	size_t count = 0;
	int rc = 0;

	*is_it = false;
	if (cms_verify_attached(b->cms, b->cms_size, &b->text, &b->text_size, &signers, &count,
				e) < 0)
		return tell_unreadable(b, CERTIFICATE_CMS, e);
	cms_signers_free(signers, count);
	const struct digest made = digest_of(b->text, b->text_size);
	*is_it = digest_equal(&made, &b->row->content);
	if (!*is_it)
		rc = tell_other_content(b, e);
	return rc;
}

/* Taken over when an older copy was restored: it is of another history. */
static int is_taken_over(const struct bundle *b, bool *is, struct err *e)
{
	struct disposition_row d;

	if (catalogue_disposition_get(b->verify->v->catalogue, b->row->disposition, &d, e) < 0)
		return -1;
	*is = d.kind == DISPOSITION_RESTORED;
	disposition_row_clear(&d);
	return 0;
}

/*
 * One that was taken over a later key may have signed; and it speaks of another log: how
 * many acts that had says nothing about a key that was renewed in this one.  That it is the
 * one that was given then says the catalogue.
 */
static int check_own(const struct bundle *b, const json_t *content, struct err *e)
{
	struct cms_signer *signers = NULL;
	struct signatories who;
	bool is_other;
	size_t count = 0;

	if (b->own == NULL)
		return 0;
	if (renewal_later_signatories(b->verify->v, -1, &who, e) < 0 ||
	    is_taken_over(b, &is_other, e) < 0)
		return -1;
	if (renewal_check_certificate(&who, is_other ? NULL : content, b->text, b->text_size,
				      b->own, b->own_size, e) == 0 &&
	    cms_verify_own(b->own, b->own_size, b->text, b->text_size, &signers, &count, e) == 0) {
		cms_signers_free(signers, count);
		return 0;
	}
	return tell_unreadable(b, CERTIFICATE_ARCHIVE_SIGNATURE, e);
}

/* ---- what lies beside it --------------------------------------------------------------------- */

/* Restoring takes certificates over without their annexes. */
static int tell_annex(const struct bundle *b, struct err *e)
{
	bool is_restored;

	if (e->code == MUNI_NOT_FOUND) {
		*e = ERR_NONE;
		if (is_taken_over(b, &is_restored, e) < 0)
			return -1;
		if (is_restored)
			return 0;
		err_set(e, MUNI_NOT_FOUND, "it is missing");
	}
	return tell_unreadable(b, CERTIFICATE_ANNEX, e);
}

static int open_annex(struct bundle *b, struct err *e)
{
	char name[CERTIFICATE_NAME_SIZE];
	int folder = certificate_folder(b->verify->v, e), fd = -1;

	if (folder >= 0) {
		certificate_name(b->row->id, CERTIFICATE_ANNEX, name);
		fd = file_open(folder, name, O_RDONLY, 0, e);
		file_close(&folder);
	}
	if (fd < 0)
		return tell_annex(b, e);
	b->annex = fdopen(fd, "r");
	if (b->annex != NULL)
		return 0;
	file_close(&fd);
	return err_set(e, MUNI_NO_MEMORY, "no memory for the annex of a certificate");
}

static bool names_marks(const json_t *content)
{
	return json_object_get(json_object_get(content, "what"), "marks") != NULL;
}

static void on_judged(void *arg, const char *check, enum check_result result,
		      const char *sentence)
{
	struct bundle *b = arg;
	enum certificate_file which = CERTIFICATE_CMS;

	if (result != CHECK_FAILS)
		return;
	if (strcmp(check, "annex") == 0)
		which = CERTIFICATE_ANNEX;
	else if (strcmp(check, "marks") == 0)
		which = CERTIFICATE_MARKS;
	tell(b, which, sentence);
}

/* Nobody vouches for the signers here: `muni cert verify --ca` asks that. */
static int judge(struct bundle *b, struct err *e)
{
	const struct evidence with = { .cms = b->cms, .cms_size = b->cms_size,
		.ca = (const uint8_t *)"", .annex = b->annex, .marks = b->marks,
		.marks_size = b->marks_size };
	json_t *content;

	if (certificate_verify(&with, on_judged, b, &content, e) < 0 &&
	    (e->code == MUNI_NO_MEMORY || e->code == MUNI_IO)) {
		json_decref(content);
		return e->code == MUNI_IO ? tell_unreadable(b, CERTIFICATE_ANNEX, e) : -1;
	}
	*e = ERR_NONE;
	json_decref(content);
	return 0;
}

/* Once: where the first files are looked at for whether they are whole. */
static void tell_unsigned(const struct bundle *b, const char *where)
{
	if (b->verify->hold == NULL || b->verify->v->reads_certificate_copies)
		return;
	verify_note(b->verify, where, "it carries no certificate of who signed it: that it is over this "
		    "certificate was checked, its signature and its time were not, and may have been "
		    "changed. `muni cert verify --tsa-ca` with the authority's own certificate checks them");
}

/* A renewal is over the content and all stamps before it. */
static int check_stamp(struct bundle *b, unsigned number, bool *is_there, struct err *e)
{
	char name[CERTIFICATE_NAME_SIZE], where[VERIFY_PLACE_MAX];
	uint8_t *data = NULL, *text;
	bool is_signature_checked = true;
	struct digest of;
	size_t size;
	int rc = certificate_stamp_get(b->verify->v, b->row->id, number, &data, &size, e);

	*is_there = rc == 0;
	if (rc < 0 && e->code == MUNI_NOT_FOUND) {
		*e = ERR_NONE;
		return 0;
	}
	if (rc == 0) {
		of = digest_of(b->text, b->text_size);
		rc = timestamp_check(data, size, &of, &is_signature_checked, e);
	}
	certificate_stamp_name(b->row->id, number, name);
	snprintf(where, sizeof where, ARCHIVE_CERTIFICATES "/%s", name);
	if (rc < 0 && !is_ours_to_say(e)) {
		tell_at(b, where, e->text);
		*e = ERR_NONE;
		*is_there = false;	/* by it those after it cannot be judged */
		rc = 0;
	}
	if (rc == 0 && *is_there && !is_signature_checked)
		tell_unsigned(b, where);
	text = rc == 0 && *is_there ? realloc(b->text, b->text_size + size) : NULL;
	if (text != NULL) {
		memcpy(text + b->text_size, data, size);
		b->text = text;
		b->text_size += size;
	} else if (rc == 0 && *is_there) {
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a time-stamp");
	}
	free(data);
	return rc;
}

/* Last: the text grows by them. */
static int check_stamps(struct bundle *b, struct err *e)
{
	bool is_there = true;

	for (unsigned n = 1; is_there && n <= TIMESTAMPS_MAX; n++)
		if (check_stamp(b, n, &is_there, e) < 0)
			return -1;
	return 0;
}

/* ---- all ---------------------------------------------------------------------------------------- */

static int check_bundle(struct bundle *b, struct err *e)
{
	json_t *content = NULL;
	bool is_it = false;
	int rc = -1;

	if (load(b, CERTIFICATE_CMS, &b->cms, &b->cms_size, e) < 0 ||
	    load(b, CERTIFICATE_ARCHIVE_SIGNATURE, &b->own, &b->own_size, e) < 0 ||
	    (b->cms != NULL && check_content(b, &is_it, e) < 0))
		return -1;
	if (!is_it)
		return 0;	/* told */
	if (canonical_load(b->text, b->text_size, &content, e) < 0)
		return tell_unreadable(b, CERTIFICATE_CMS, e);
	if (check_own(b, content, e) == 0 && open_annex(b, e) == 0 &&
	    (!names_marks(content) ||
	     load(b, CERTIFICATE_MARKS, &b->marks, &b->marks_size, e) == 0) &&
	    judge(b, e) == 0)
		rc = check_stamps(b, e);
	json_decref(content);
	return rc;
}

static int check_row(struct verify *k, const struct row *row, bool can_mend, struct err *e)
{
	struct bundle b = { .verify = k, .row = row, .can_mend = can_mend };
	int rc = check_bundle(&b, e);

	bundle_clear(&b);
	return rc;
}

/* Nothing is told. */
static int is_whole(struct verify *k, const struct row *row, bool of_copies, bool *is,
		    struct err *e)
{
	struct verify_hold wrong = { .first = NULL };
	int rc;

	k->v->reads_certificate_copies = of_copies;
	verify_hold(k, &wrong);
	rc = check_row(k, row, false, e);
	verify_hold(k, NULL);
	k->v->reads_certificate_copies = false;
	*is = rc == 0 && !verify_is_held(&wrong);
	verify_drop(&wrong);
	return rc;
}

/* The first files are whole.  Where the copies are whole too and yet others, nothing here tells
 * which is the later: both stay. */
static int check_copies(struct verify *k, const struct row *row, enum certificate_copies are,
			struct err *e)
{
	char where[VERIFY_PLACE_MAX];
	bool is = true;

	snprintf(where, sizeof where, ARCHIVE_CERTIFICATE_COPIES "/C%" PRId64 ".*", row->id);
	if ((are == CERTIFICATE_COPIES_DIFFER || are == CERTIFICATE_COPIES_MORE) &&
	    is_whole(k, row, true, &is, e) < 0)
		return -1;
	if (!is) {
		verify_damage(k, true, where, "it is not the copy of what lies in "
			      ARCHIVE_CERTIFICATES "/, which is whole");
		return k->is_repair ? certificate_copies_make(k->v, row->id, false, e) : 0;
	}
	if (are == CERTIFICATE_COPIES_MORE) {
		verify_damage(k, true, where, "it has files that lack in " ARCHIVE_CERTIFICATES "/");
		return k->is_repair ? certificate_copies_put_back(k->v, row->id, true, e) : 0;
	}
	if (are == CERTIFICATE_COPIES_DIFFER)
		verify_note(k, where, "it is whole, and is not what lies in " ARCHIVE_CERTIFICATES
			    "/, which is whole too: one of them has later signatures or "
			    "time-stamps");
	if (are != CERTIFICATE_COPIES_LACK)
		return 0;
	if (k->is_repair)
		return certificate_copies_make(k->v, row->id, true, e);
	verify_note(k, where, "there is no second copy of this certificate; `muni repair` makes it");
	return 0;
}

/* A file that the copies lack, a later time-stamp, would stay as it is. */
static int check_one(struct verify *k, const struct row *row, struct err *e)
{
	enum certificate_copies are;
	bool is, can_mend = false;

	if (certificate_copies_compare(k->v, row->id, &are, e) < 0 ||
	    is_whole(k, row, false, &is, e) < 0)
		return -1;
	if (is)
		return check_copies(k, row, are, e);
	if (((are == CERTIFICATE_COPIES_DIFFER || are == CERTIFICATE_COPIES_MORE) &&
	     is_whole(k, row, true, &can_mend, e) < 0) ||
	    check_row(k, row, can_mend, e) < 0)
		return -1;
	return can_mend && k->is_repair
	       ? certificate_copies_put_back(k->v, row->id, false, e) : 0;
}

int verify_certificates(struct verify *k, struct err *e)
{
	struct rows r = { .e = e };
	int rc = 0;

	if (!k->is_catalogue_whole || k->is_behind)
		return 0;	/* told; and its rows may be of another state than the files */
	verify_stage(k, "checking the certificates", 0, 0);
	if (catalogue_certificates(k->v->catalogue, take_row, &r, e) < 0)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < r.count; i++)
		rc = verify_go_on(k, e) < 0 ? -1 : check_one(k, &r.list[i], e);
	free(r.list);
	return rc;
}
