/*
 * The certificates that an older copy is told by: each signed by this archive's key, and
 * none missing between two.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/officer.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/certificate_inside.h"
#include "fs/vault/renewal_inside.h"
#include "fs/vault/restore_inside.h"

/* ---- one ------------------------------------------------------------------------------- */

static const char *text_at(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

/* The number in "C12" or "D3"; 0: none. */
static int64_t number_in(const char *text, char letter)
{
	char again[32];
	long long n;

	if (text[0] != letter || text[1] < '1' || text[1] > '9')
		return 0;
	n = strtoll(text + 1, NULL, 10);
	snprintf(again, sizeof again, "%c%lld", letter, n);
	return strcmp(again, text) == 0 ? n : 0;
}

static int read_marks(const struct restore_certificate *c, const json_t *content,
		      struct marks *marks, struct err *e)
{
	const json_t *said = json_object_get(json_object_get(content, "what"), "marks");
	struct digest wanted, made;

	if (!said && strcmp(text_at(json_object_get(content, "identity"), "kind"),
			    "records") != 0)
		return 0;	/* of a live source: nothing of it is in an archive */
	if (!said)
		return err_set(e, MUNI_REFUSED, "%s: it has no marks, by which a copy knows what "
			       "must not come back: it was made by an older program",
			       text_printable(c->name));
	if (!c->marks)
		return err_set(e, MUNI_REFUSED, "%s: its marks (the file C<n>.marks) are not beside "
			       "it: without them nothing tells what must not come back",
			       text_printable(c->name));
	made = digest_of(c->marks, c->marks_size);
	if (text_unhex(text_at(said, "sha256"), wanted.bytes, DIGEST_SIZE) < 0 ||
	    !digest_equal(&made, &wanted))
		return err_set(e, MUNI_DAMAGED, "%s: its marks were changed: their SHA-256 is "
			       "another", text_printable(c->name));
	return marks_parse(marks, c->marks, c->marks_size, e);
}

static int read_content(struct vault *v, const struct restore_certificate *c,
			const json_t *content, struct testimony *out, struct err *e)
{
	const json_t *identity = json_object_get(content, "identity");
	const json_t *previous = json_object_get(json_object_get(content, "proof"), "previous");

	if (strcmp(text_at(content, "type"), CERTIFICATE_TYPE) != 0 ||
	    strcmp(text_at(identity, "archive"), vault_id_hex(v)) != 0)
		return err_set(e, MUNI_DAMAGED, "%s is no certificate of this archive",
			       text_printable(c->name));
	out->number = number_in(text_at(identity, "certificate"), 'C');
	out->disposition = number_in(text_at(identity, "disposition"), 'D');
	out->has_previous = json_is_object(previous);
	out->previous = number_in(text_at(previous, "certificate"), 'C');
	if (out->number == 0 || out->disposition == 0 ||
	    (out->has_previous && (out->previous == 0 ||
				   text_unhex(text_at(previous, "sha256"),
					      out->previous_content.bytes, DIGEST_SIZE) < 0)))
		return err_set(e, MUNI_DAMAGED, "%s does not say which certificate it is, and "
			       "which came before", text_printable(c->name));
	return 0;
}

static int check_officers(const struct restore_certificate *c, const json_t *content,
			  const struct cms_signer *signers, size_t count,
			  struct testimony_officers *o, struct err *e)
{
	bool has_later;

	if (!o)
		return 0;
	if (testimony_check_officers(o->roster, c->name, content, signers, count, o->take_later,
				     &has_later, e) < 0)
		return -1;
	o->has_later |= has_later;
	return 0;
}

struct sought {
	const struct testimony *t;
	bool is_it;
};

static int is_same(void *arg, int64_t id, int64_t disposition, int64_t made,
		   const struct digest *content)
{
	struct sought *s = arg;

	(void)disposition;
	(void)made;
	s->is_it |= id == s->t->number && digest_equal(content, &s->t->content);
	return 0;
}

/* Is it in the catalogue as it is here: taken over, or made, before this copy was? */
static int find_known(struct vault *v, const struct testimony *t, bool *is_known, struct err *e)
{
	struct sought s = { .t = t };

	if (catalogue_certificates(v->catalogue, is_same, &s, e) < 0)
		return -1;
	*is_known = s.is_it;
	return 0;
}

int testimony_read(struct vault *v, const struct restore_certificate *c,
		   struct testimony_officers *officers, struct testimony *out,
		   struct marks *marks, struct err *e)
{
	struct cms_signer *signers = NULL;
	struct signatories who;
	uint8_t *text = NULL;
	size_t size, count = 0;
	json_t *content = NULL;
	bool is_known;
	int rc = -1;

	*out = (struct testimony){ .from = c };
	if (!c->own)
		return err_set(e, MUNI_REFUSED, "%s: the archive's own signature (the file C<n>.p7s) "
			       "is not beside it", text_printable(c->name));
	if (cms_verify_attached(c->cms, c->cms_size, &text, &size, &signers, &count, e) < 0 ||
	    canonical_load(text, size, &content, e) < 0) {
		err_wrap(e, "%s", text_printable(c->name));
		goto out;
	}
	out->content = digest_of(text, size);
	if (read_content(v, c, content, out, e) < 0 || find_known(v, out, &is_known, e) < 0)
		goto out;
	/* What the copy knows may speak of another log than its own: that of a history before
	 * an earlier restoring. */
	if (renewal_later_signatories(v, c->folder, &who, e) < 0 ||
	    renewal_check_certificate(&who, is_known ? NULL : content, text, size, c->own,
				      c->own_size, e) < 0) {
		err_wrap(e, "%s", text_printable(c->name));
		goto out;
	}
	if (check_officers(c, content, signers, count, officers, e) == 0)
		rc = read_marks(c, content, marks, e);
out:
	cms_signers_free(signers, count);
	json_decref(content);
	free(text);
	return rc;
}

/* ---- all of them, in a row ---------------------------------------------------------------- */

struct newest {
	int64_t number;
	struct digest content;
};

static int is_newer(void *arg, int64_t id, int64_t disposition, int64_t made,
		    const struct digest *content)
{
	struct newest *n = arg;

	(void)disposition;
	(void)made;
	if (id > n->number)
		*n = (struct newest){ id, *content };
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct testimony *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int check_row(const struct testimony *list, size_t count, struct newest before,
		     struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		const struct testimony *t = &list[i];

		if (i > 0 && t->number == before.number &&
		    digest_equal(&t->content, &before.content))
			return err_set(e, MUNI_USAGE, "C%" PRId64 " is given twice: as %s and as %s",
				       t->number, text_printable(list[i - 1].from->name),
				       text_printable(t->from->name));
		if (i > 0 && t->number == before.number)
			return err_set(e, MUNI_DAMAGED, "%s and %s are both C%" PRId64 " and not the "
				       "same, and the archive's key signed both: they are of two "
				       "histories. Give those of the copy that was lost",
				       text_printable(list[i - 1].from->name),
				       text_printable(t->from->name), t->number);
		if (t->number != before.number + 1)
			return err_set(e, MUNI_REFUSED, "%s is C%" PRId64 "; C%" PRId64 " is not "
				       "given: what that one says is gone would come back",
				       text_printable(t->from->name), t->number,
				       before.number + 1);
		if (t->has_previous != (before.number > 0) ||
		    (t->has_previous && (t->previous != before.number ||
					 !digest_equal(&t->previous_content, &before.content))))
			return err_set(e, MUNI_DAMAGED, "%s does not follow the C%" PRId64 " that "
				       "is here: it is of another history of this archive",
				       text_printable(t->from->name), before.number);
		before = (struct newest){ t->number, t->content };
	}
	return 0;
}

/* What the copy has done itself adds nothing; of the same number, but of another history, it
 * would be passed over with all that it says. */
static int check_known(struct vault *v, const struct testimony *t, struct err *e)
{
	bool is_known;

	if (find_known(v, t, &is_known, e) < 0)
		return -1;
	return is_known ? 0 :
		err_set(e, MUNI_DAMAGED, "%s is another C%" PRId64 " than the one that is here: it "
			"is of another history of this archive", text_printable(t->from->name),
			t->number);
}

static int contradict(int64_t number, const char *other, struct err *e)
{
	return err_set(e, MUNI_DAMAGED, "the C%" PRId64 " in the archive's folder and %s are not the "
		       "same, and the archive's key signed both: they are of two histories, and what "
		       "one of them says is gone would come back. Find out which belongs to the copy "
		       "that was lost, and take the other away", number, other);
}

/* What lies in the folder against what was given, and against what the copy knows. */
static int check_witness(struct vault *v, int64_t id, const struct witness *w,
			 const struct testimony *list, size_t count, int64_t known, struct err *e)
{
	const struct testimony here = { .number = id, .content = w->content };
	struct sought s = { .t = &here };
	char given[300];
	bool is_later;

	for (size_t i = 0; i < count; i++) {
		if (list[i].number != id)
			continue;
		snprintf(given, sizeof given, "the one that is given as %s",
			 text_printable(list[i].from->name));
		return digest_equal(&list[i].content, &w->content) ? 0 :
		       contradict(id, given, e);
	}
	if (id <= known) {
		if (catalogue_certificates(v->catalogue, is_same, &s, e) < 0)
			return -1;
		return s.is_it ? 0 : contradict(id, "the one that this copy knows", e);
	}
	if (archive_witness_is_later(w, v->log, &is_later, e) < 0)
		return -1;
	if (!is_later)
		return 0;	/* left by a crash before its act */
	return err_set(e, MUNI_REFUSED, "C%" PRId64 " lies in the archive's folder, was made after "
		       "this copy, and is not given: what it says is gone would come back", id);
}

/* Every one that lies here and that this archive's key signed is a witness. */
static int check_folder(struct vault *v, const struct testimony *list, size_t count,
			int64_t known, struct err *e)
{
	struct witnesses all;
	int rc = archive_witnesses_list(v->dirfd, &all, e);

	for (size_t i = 0; rc == 0 && i < all.count; i++) {
		struct witness one;

		rc = archive_witness_read(v, all.list[i], &one, e);
		if (rc == 0 && one.acts > 0)
			rc = check_witness(v, all.list[i], &one, list, count, known, e);
	}
	archive_witnesses_clear(&all);
	return rc;
}

int testimonies_read(struct vault *v, const struct restore_request *r,
		     struct testimony_officers *officers, struct testimony **out, size_t *count,
		     struct marks *marks, struct err *e)
{
	struct newest known = { .number = 0 };
	struct testimony *list = calloc(r->certificate_count + 1, sizeof *list);
	size_t n = 0;

	*out = NULL;
	*count = 0;
	if (!list)
		return err_set(e, MUNI_NO_MEMORY, "no memory for certificates");
	if (catalogue_certificates(v->catalogue, is_newer, &known, e) < 0)
		goto failed;
	for (size_t i = 0; i < r->certificate_count; i++) {
		const size_t before = marks->count;
		struct testimony t;

		if (testimony_read(v, &r->certificates[i], officers, &t, marks, e) < 0)
			goto failed;
		if (t.number > known.number)
			list[n++] = t;
		else if (check_known(v, &t, e) < 0)
			goto failed;
		else
			marks->count = before;
	}
	qsort(list, n, sizeof *list, by_number);
	if (check_row(list, n, known, e) < 0 ||
	    check_folder(v, list, n, known.number, e) < 0)
		goto failed;
	marks_sort(marks);
	*out = list;
	*count = n;
	return 0;
failed:
	free(list);
	return -1;
}

struct taken {
	int64_t disposition;
	size_t count;
};

static int count_taken(void *arg, int64_t id, int64_t disposition, int64_t made,
		       const struct digest *content)
{
	struct taken *t = arg;

	(void)id;
	(void)made;
	(void)content;
	t->count += disposition == t->disposition;
	return 0;
}

int testimonies_again(struct vault *v, const struct restore_request *r, int64_t disposition,
		      size_t *count, struct err *e)
{
	struct taken taken = { .disposition = disposition };

	for (size_t i = 0; i < r->certificate_count; i++) {
		struct marks unused = { .list = NULL };
		struct sought s = { .t = NULL };
		struct testimony t;
		int rc = testimony_read(v, &r->certificates[i], NULL, &t, &unused, e);

		marks_clear(&unused);
		s.t = &t;
		if (rc < 0 || catalogue_certificates(v->catalogue, is_same, &s, e) < 0)
			return -1;
		if (!s.is_it)
			return err_set(e, MUNI_REFUSED, "%s was not given when restoring this copy "
				       "began: give the command without it to end that; what it "
				       "names can be proposed and destroyed then",
				       text_printable(t.from->name));
	}
	if (catalogue_certificates(v->catalogue, count_taken, &taken, e) < 0)
		return -1;
	*count = taken.count;
	return 0;
}

/* ---- in the folder ---------------------------------------------------------------------------- */

/* "C3.2.tsr" and so on, beside "C3.p7m", whatever that was called there. */
static int keep_stamps(struct vault *v, const struct testimony *t, struct err *e)
{
	const char *slash = strrchr(t->from->name, '/'), *name = slash ? slash + 1 : t->from->name;
	int stem = (int)(strrchr(name, '.') ? (size_t)(strrchr(name, '.') - name) : strlen(name));
	int own = certificate_folder(v, e), rc = own < 0 ? -1 : 0;

	for (unsigned n = 2; rc == 0; n++) {
		char beside[300], ours[CERTIFICATE_NAME_SIZE];
		uint8_t *data = NULL;
		size_t size;

		if (snprintf(beside, sizeof beside, "%.*s.%u.tsr", stem, name, n) >=
			    (int)sizeof beside ||
		    file_load(t->from->folder, beside, TIMESTAMP_SIZE_MAX, &data, &size, e) < 0) {
			rc = e->code == MUNI_NOT_FOUND || e->code == MUNI_OK ? 1 : -1;
			continue;
		}
		certificate_stamp_name(t->number, n, ours);
		rc = file_replace_synced(own, ours, data, size, 0400, e);
		free(data);
	}
	file_close(&own);
	if (rc > 0)
		*e = ERR_NONE;
	return rc < 0 ? -1 : 0;
}

int testimony_keep(struct vault *v, const struct testimony *t, struct err *e)
{
	const struct restore_certificate *c = t->from;
	const struct {
		enum certificate_file which;
		const uint8_t *data;
		size_t size;
	} parts[] = {
		{ CERTIFICATE_MARKS, c->marks, c->marks_size },
		{ CERTIFICATE_ANNEX, c->annex, c->annex_size },
		{ CERTIFICATE_CMS, c->cms, c->cms_size },
		{ CERTIFICATE_TIMESTAMP, c->timestamp, c->timestamp_size },
		{ CERTIFICATE_ARCHIVE_SIGNATURE, c->own, c->own_size },
	};

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (parts[i].data && certificate_file_put(v, t->number, parts[i].which,
							  parts[i].data, parts[i].size, e) < 0)
			return -1;
	if (c->folder >= 0 &&
	    (keep_stamps(v, t, e) < 0 || renewal_links_keep(v, c->folder, e) < 0))
		return -1;
	certificate_copies_try(v, t->number, CERTIFICATE_MADE);
	return 0;
}

struct gathering {
	struct vault *v;
	struct marks *marks;
	int64_t disposition;
	struct err *e;
};

static int load(struct vault *v, int64_t id, enum certificate_file which, uint8_t **data,
		size_t *size, struct err *e)
{
	if (certificate_file(v, id, which, data, size, e) == 0)
		return 0;
	if (e->code != MUNI_NOT_FOUND)
		return -1;
	*e = ERR_NONE;
	return 0;
}

static int gather(void *arg, int64_t id, int64_t disposition, int64_t made,
		  const struct digest *content)
{
	struct gathering *g = arg;
	uint8_t *cms = NULL, *own = NULL, *marks = NULL;
	struct restore_certificate c = { .folder = -1 };
	struct testimony t;
	char name[CERTIFICATE_NAME_SIZE];
	int rc = -1;

	(void)made;
	if (disposition != g->disposition)
		return 0;
	certificate_name(id, CERTIFICATE_CMS, name);
	c.name = name;
	if (load(g->v, id, CERTIFICATE_CMS, &cms, &c.cms_size, g->e) == 0 &&
	    load(g->v, id, CERTIFICATE_ARCHIVE_SIGNATURE, &own, &c.own_size, g->e) == 0 &&
	    load(g->v, id, CERTIFICATE_MARKS, &marks, &c.marks_size, g->e) == 0) {
		c.cms = cms;
		c.own = own;
		c.marks = marks;
		if (!cms)
			err_set(g->e, MUNI_REFUSED, "%s is gone from the archive's folder", name);
		else
			rc = testimony_read(g->v, &c, NULL, &t, g->marks, g->e);
		if (rc == 0 && !digest_equal(&t.content, content))
			rc = err_set(g->e, MUNI_DAMAGED, "%s is not the certificate that was "
				     "given when restoring began", name);
	}
	free(cms);
	free(own);
	free(marks);
	return rc;
}

int testimonies_of(struct vault *v, int64_t disposition, struct marks *marks, struct err *e)
{
	struct gathering g = { v, marks, disposition, e };

	if (catalogue_certificates(v->catalogue, gather, &g, e) < 0)
		return -1;
	marks_sort(marks);
	return 0;
}
