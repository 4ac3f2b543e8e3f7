/*
 * Officers, certificates of destruction, declared copies: few rows each.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "fs/base/text.h"
#include "fs/store/catalogue_dispositions.h"
#include "fs/store/catalogue_inside.h"

#define OFFICER_ID_MAX 128
#define OFFICER_TEXT_MAX (64u << 10)
#define CERTIFICATE_BYTES_MAX (1u << 20)
#define PLACE_MAX 4096

static int need_retention(struct catalogue *c, struct err *e)
{
	return catalogue_need_format(c, CATALOGUE_FORMAT_RETENTION, "officers", e);
}

/* ---- officers -------------------------------------------------------------------- */

/* Does a row in office have this id or fingerprint? */
static int is_in_office(struct catalogue *c, const char *id, const struct digest *fingerprint,
			bool *out, struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_OFFICER_IN_OFFICE, "SELECT 1 FROM officer"
		       " WHERE removed IS NULL AND (id = ? OR fingerprint = ?)", e) < 0)
		return -1;
	query_text(&q, id);
	if (fingerprint)
		query_blob(&q, fingerprint->bytes, DIGEST_SIZE);
	else
		query_null(&q);
	int got = query_step(&q, e);
	query_close(&q);
	*out = got > 0;
	return got < 0 ? -1 : 0;
}

int catalogue_officer_add(struct catalogue *c, const struct officer_row *o, struct err *e)
{
	struct query q;
	bool is_there;

	if (need_retention(c, e) < 0 ||
	    is_in_office(c, o->id, &o->fingerprint, &is_there, e) < 0)
		return -1;
	if (is_there)
		return err_set(e, MUNI_EXISTS, "an officer in office has the id \"%s\" or this "
			       "very certificate already", text_printable(o->id));
	if (query_open_write(&q, c, STATEMENT_OFFICER_ADD, "INSERT INTO officer(id, added,"
			     " fingerprint, roles, person, cert) VALUES(?, ?, ?, ?, ?, ?)",
			     e) < 0)
		return -1;
	query_text(&q, o->id);
	query_int(&q, o->added);
	query_blob(&q, o->fingerprint.bytes, DIGEST_SIZE);
	query_text(&q, o->roles);
	query_text(&q, o->person);
	query_blob(&q, o->cert, o->cert_size);
	return query_run(&q, e);
}

int catalogue_officer_remove(struct catalogue *c, const char *id, int64_t now, struct err *e)
{
	struct query q;
	bool is_there;

	if (need_retention(c, e) < 0 || is_in_office(c, id, NULL, &is_there, e) < 0)
		return -1;
	if (!is_there)
		return err_set(e, MUNI_NOT_FOUND, "no officer \"%s\" is in office; `muni officer "
			       "list` shows who is", text_printable(id));
	if (query_open_write(&q, c, STATEMENT_OFFICER_REMOVE,
			     "UPDATE officer SET removed = ? WHERE id = ? AND removed IS NULL",
			     e) < 0)
		return -1;
	query_int(&q, now);
	query_text(&q, id);
	return query_run(&q, e);
}

static int give_officer(struct query *q, int (*row)(void *arg, const struct officer_row *o),
			void *arg, struct err *e)
{
	struct officer_row o = { .added = query_column(q, 1, INT64_MIN, INT64_MAX) };
	char *id = query_column_copy(q, 0, OFFICER_ID_MAX);
	char *roles = query_column_copy(q, 3, OFFICER_TEXT_MAX);
	char *person = query_column_copy(q, 4, OFFICER_TEXT_MAX);

	query_column_bytes(q, 2, o.fingerprint.bytes, DIGEST_SIZE);
	o.cert = query_column_blob(q, 5, 1, CERTIFICATE_BYTES_MAX, &o.cert_size);
	if (!query_column_is_null(q, 6))
		o.removed = query_column(q, 6, INT64_MIN, INT64_MAX);
	o.id = id;
	o.roles = roles;
	o.person = person;
	int rc = query_check(q, "officer", o.added, e) < 0 ? -1 : row(arg, &o);
	free(id);
	free(roles);
	free(person);
	return rc;
}

int catalogue_officers(struct catalogue *c, int (*row)(void *arg, const struct officer_row *o),
		       void *arg, struct err *e)
{
	struct query q;
	int got, rc = 0;

	if (c->format < CATALOGUE_FORMAT_RETENTION)
		return 0;
	if (query_open(&q, c, STATEMENT_OFFICERS, "SELECT id, added, fingerprint, roles, person,"
		       " cert, removed FROM officer ORDER BY id, number", e) < 0)
		return -1;
	while ((got = query_step(&q, e)) > 0 && rc == 0)
		rc = give_officer(&q, row, arg, e);
	query_close(&q);
	return got < 0 || rc < 0 ? -1 : 0;
}

/* ---- certificates ------------------------------------------------------------------- */

int catalogue_certificate_add(struct catalogue *c, int64_t disposition, int64_t now,
			      const struct digest *content, int64_t *id, struct err *e)
{
	struct query q;

	if (need_retention(c, e) < 0 ||
	    catalogue_sequence_take(c, SEQUENCE_CERTIFICATE, 1, id, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_CERTIFICATE_ADD,
			     "INSERT INTO certificate VALUES(?, ?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, *id);
	query_int(&q, disposition);
	query_int(&q, now);
	query_blob(&q, content->bytes, DIGEST_SIZE);
	return query_run(&q, e);
}

int catalogue_certificates(struct catalogue *c,
			   int (*row)(void *arg, int64_t id, int64_t disposition, int64_t made,
				      const struct digest *content), void *arg, struct err *e)
{
	struct query q;
	int got, rc = 0;

	if (c->format < CATALOGUE_FORMAT_RETENTION)
		return 0;
	if (query_open(&q, c, STATEMENT_CERTIFICATES, "SELECT id, disposition, made, digest"
		       " FROM certificate ORDER BY id", e) < 0)
		return -1;
	while ((got = query_step(&q, e)) > 0 && rc == 0) {
		int64_t id = query_column_id(&q, 0), disposition = query_column_id(&q, 1);
		int64_t made = query_column(&q, 2, INT64_MIN, INT64_MAX);
		struct digest content;

		query_column_bytes(&q, 3, content.bytes, DIGEST_SIZE);
		rc = query_check(&q, "certificate", id, e) < 0 ? -1 :
			row(arg, id, disposition, made, &content);
	}
	query_close(&q);
	return got < 0 || rc < 0 ? -1 : 0;
}

/* ---- declared copies ------------------------------------------------------------------ */

static int add_copy(struct catalogue *c, struct copy_row *k, struct err *e)
{
	struct query q;

	if (catalogue_sequence_take(c, SEQUENCE_COPY, 1, &k->id, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_COPY_ADD,
			     "INSERT INTO copy VALUES(?, ?, ?, ?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, k->id);
	query_text(&q, k->of);
	query_text(&q, k->place);
	query_int(&q, k->declared);
	query_text(&q, k->state);
	query_int(&q, k->changed);
	return query_run(&q, e);
}

int catalogue_copy_put(struct catalogue *c, struct copy_row *k, struct err *e)
{
	struct query q;

	if (need_retention(c, e) < 0)
		return -1;
	if (k->id == 0)
		return add_copy(c, k, e);
	if (query_open_write(&q, c, STATEMENT_COPY_CHANGE,
			     "UPDATE copy SET state = ?, changed = ? WHERE id = ?", e) < 0)
		return -1;
	query_text(&q, k->state);
	query_int(&q, k->changed);
	query_int(&q, k->id);
	if (query_run(&q, e) < 0)
		return -1;
	return sqlite3_changes(c->db) == 1 ? 0 :
		err_set(e, MUNI_NOT_FOUND, "no copy %" PRId64 " is declared", k->id);
}

int catalogue_copies(struct catalogue *c, int (*row)(void *arg, const struct copy_row *k),
		     void *arg, struct err *e)
{
	struct query q;
	int got, rc = 0;

	if (c->format < CATALOGUE_FORMAT_RETENTION)
		return 0;
	if (query_open(&q, c, STATEMENT_COPIES, "SELECT id, of, place, declared, state, changed"
		       " FROM copy ORDER BY id", e) < 0)
		return -1;
	while ((got = query_step(&q, e)) > 0 && rc == 0) {
		struct copy_row k = { .id = query_column_id(&q, 0) };
		char *of = query_column_copy(&q, 1, PLACE_MAX);
		char *place = query_column_copy(&q, 2, PLACE_MAX);
		char *state = query_column_copy(&q, 4, PLACE_MAX);

		k.declared = query_column(&q, 3, INT64_MIN, INT64_MAX);
		k.changed = query_column(&q, 5, INT64_MIN, INT64_MAX);
		k.of = of;
		k.place = place;
		k.state = state;
		rc = query_check(&q, "declared copy", k.id, e) < 0 ? -1 : row(arg, &k);
		free(of);
		free(place);
		free(state);
	}
	query_close(&q);
	return got < 0 || rc < 0 ? -1 : 0;
}
