/*
 * Dispositions and the approvals of them.
 */
#include "fs/store/catalogue_dispositions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/store/catalogue_dispositions_inside.h"

#define OFFICER_ID_MAX 128
#define SIGNATURE_MAX (4u << 20)

void disposition_row_clear(struct disposition_row *d)
{
	free(d->proposer);
	free(d->scope);
	free(d->statement);
	free(d->signature);
	free(d->result);
	*d = (struct disposition_row){ .id = 0 };
}

int disposition_need(struct catalogue *c, struct err *e)
{
	return catalogue_need_format(c, CATALOGUE_FORMAT_RETENTION, "dispositions", e);
}

/* ---- writing --------------------------------------------------------------------- */

int catalogue_disposition_next(struct catalogue *c, int64_t *id, struct err *e)
{
	return disposition_need(c, e) < 0 ? -1 :
		catalogue_sequence_take(c, SEQUENCE_DISPOSITION, 1, id, e);
}

int disposition_insert(struct catalogue *c, const struct disposition_row *d, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_DISPOSITION_ADD,
			     "INSERT INTO disposition VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			     e) < 0)
		return -1;
	query_int(&q, d->id);
	query_int(&q, d->kind);
	query_int(&q, d->state);
	query_text(&q, d->proposer);
	query_int(&q, d->proposed);
	query_int(&q, d->asof);
	query_text(&q, d->scope);
	query_blob(&q, d->root.bytes, DIGEST_SIZE);
	query_text(&q, d->statement);
	if (d->signature)
		query_blob(&q, d->signature, d->signature_size);
	else
		query_null(&q);
	if (d->result)
		query_text(&q, d->result);
	else
		query_null(&q);
	return query_run(&q, e);
}

int catalogue_disposition_add(struct catalogue *c, struct disposition_row *d, struct err *e)
{
	if (disposition_need(c, e) < 0 ||
	    (d->id == 0 && catalogue_disposition_next(c, &d->id, e) < 0))
		return -1;
	return disposition_insert(c, d, e);
}

/* ---- keys of lists ------------------------------------------------------------------ */

int catalogue_list_key_put(struct catalogue *c, int64_t disposition,
			   const uint8_t key[LIST_KEY_SIZE], struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_LIST_KEY_PUT,
			     "INSERT INTO disposition_key VALUES(?, ?)", e) < 0)
		return -1;
	query_int(&q, disposition);
	query_blob(&q, key, LIST_KEY_SIZE);
	return query_run(&q, e);
}

int catalogue_list_key_get(struct catalogue *c, int64_t disposition,
			   uint8_t key[LIST_KEY_SIZE], bool *is_there, struct err *e)
{
	struct query q;

	*is_there = false;
	if (c->format < CATALOGUE_FORMAT_LIST_KEYS)
		return 0;
	if (query_open(&q, c, STATEMENT_LIST_KEY_GET,
		       "SELECT key FROM disposition_key WHERE disposition = ?", e) < 0)
		return -1;
	query_int(&q, disposition);
	int got = query_step(&q, e);
	if (got > 0) {
		query_column_bytes(&q, 0, key, LIST_KEY_SIZE);
		*is_there = true;
		if (query_check(&q, "disposition_key", disposition, e) < 0)
			got = -1;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

static int end_list_key(struct catalogue *c, int64_t disposition, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_LIST_KEY_END,
			     "DELETE FROM disposition_key WHERE disposition = ?", e) < 0)
		return -1;
	query_int(&q, disposition);
	return query_run(&q, e);
}

/* ---- states ------------------------------------------------------------------------------ */

int catalogue_disposition_state(struct catalogue *c, int64_t id, enum disposition_state s,
				const char *result, struct err *e)
{
	struct query q;

	if (disposition_need(c, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_DISPOSITION_STATE, "UPDATE disposition SET"
			     " state = ?, result = coalesce(?, result) WHERE id = ?", e) < 0)
		return -1;
	query_int(&q, s);
	if (result)
		query_text(&q, result);
	else
		query_null(&q);
	query_int(&q, id);
	if (query_run(&q, e) < 0)
		return -1;
	if (sqlite3_changes(c->db) != 1)
		return err_set(e, MUNI_NOT_FOUND, "there is no disposition D%" PRId64, id);
	return s >= DISPOSITION_GONE ? end_list_key(c, id, e) : 0;
}

/* ---- reading ------------------------------------------------------------------------ */

#define DISPOSITION_SELECT \
	"SELECT id, kind, state, proposer, proposed, asof, scope, root, statement, signature," \
	"  result FROM disposition"

static void signature_from_row(struct query *q, struct disposition_row *d)
{
	const uint8_t *signature;

	if (query_column_is_null(q, 9))
		return;
	signature = query_column_blob(q, 9, 1, SIGNATURE_MAX, &d->signature_size);
	if (!signature)
		return;
	d->signature = malloc(d->signature_size);
	if (d->signature)
		memcpy(d->signature, signature, d->signature_size);
	else
		query_lacks_memory(q);
}

static int from_row(struct query *q, struct disposition_row *d, struct err *e)
{
	*d = (struct disposition_row){ .id = query_column_id(q, 0) };
	d->kind = (enum disposition_kind)query_column(q, 1, DISPOSITION_RECORDS,
						      DISPOSITION_RESTORED);
	d->state = (enum disposition_state)query_column(q, 2, DISPOSITION_PROPOSED,
							DISPOSITION_WITHDRAWN);
	d->proposer = query_column_copy(q, 3, OFFICER_ID_MAX);
	d->proposed = query_column(q, 4, INT64_MIN, INT64_MAX);
	d->asof = query_column(q, 5, INT64_MIN, INT64_MAX);
	d->scope = query_column_copy(q, 6, DISPOSITION_TEXT_MAX);
	query_column_bytes(q, 7, d->root.bytes, DIGEST_SIZE);
	d->statement = query_column_copy(q, 8, DISPOSITION_TEXT_MAX);
	signature_from_row(q, d);
	if (!query_column_is_null(q, 10))
		d->result = query_column_copy(q, 10, DISPOSITION_TEXT_MAX);
	if (query_check(q, "disposition", d->id, e) == 0)
		return 0;
	disposition_row_clear(d);
	return -1;
}

int catalogue_disposition_get(struct catalogue *c, int64_t id, struct disposition_row *out,
			      struct err *e)
{
	struct query q;

	*out = (struct disposition_row){ .id = 0 };
	if (disposition_need(c, e) < 0 ||
	    query_open(&q, c, STATEMENT_DISPOSITION_GET, DISPOSITION_SELECT " WHERE id = ?",
		       e) < 0)
		return -1;
	query_int(&q, id);
	int got = query_step(&q, e);
	if (got > 0)
		got = from_row(&q, out, e) < 0 ? -1 : 1;
	query_close(&q);
	if (got == 0)
		err_set(e, MUNI_NOT_FOUND, "there is no disposition D%" PRId64 "; `muni dispose "
			"list` shows those that there are", id);
	return got > 0 ? 0 : -1;
}

int catalogue_disposition_restoring(struct catalogue *c, int64_t *id, struct err *e)
{
	struct query q;

	*id = 0;
	if (c->format < CATALOGUE_FORMAT_RETENTION)
		return 0;
	if (query_open(&q, c, STATEMENT_DISPOSITION_RESTORING, "SELECT id FROM disposition"
		       " WHERE kind = 4 AND state < 3", e) < 0)
		return -1;
	int got = query_step(&q, e);
	if (got > 0) {
		*id = query_column_id(&q, 0);
		if (query_check(&q, "disposition", *id, e) < 0)
			got = -1;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

int catalogue_dispositions(struct catalogue *c,
			   int (*row)(void *arg, const struct disposition_row *d), void *arg,
			   struct err *e)
{
	struct query q;
	int got, rc = 0;

	if (c->format < CATALOGUE_FORMAT_RETENTION)
		return 0;
	if (query_open(&q, c, STATEMENT_DISPOSITIONS, DISPOSITION_SELECT " ORDER BY id", e) < 0)
		return -1;
	while ((got = query_step(&q, e)) > 0 && rc == 0) {
		struct disposition_row d;

		rc = from_row(&q, &d, e) < 0 ? -1 : row(arg, &d);
		disposition_row_clear(&d);
	}
	query_close(&q);
	return got < 0 || rc < 0 ? -1 : 0;
}

/* ---- approvals ------------------------------------------------------------------------ */

static int has_approved(struct catalogue *c, int64_t disposition, const char *officer,
			struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_APPROVAL_ANY, "SELECT 1 FROM approval"
		       " WHERE disposition = ? AND officer = ?", e) < 0)
		return -1;
	query_int(&q, disposition);
	query_text(&q, officer);
	int got = query_step(&q, e);
	query_close(&q);
	return got;
}

int catalogue_approval_put(struct catalogue *c, int64_t disposition,
			   const struct approval_row *a, struct err *e)
{
	struct query q;

	if (disposition_need(c, e) < 0)
		return -1;
	int has = has_approved(c, disposition, a->officer, e);
	if (has != 0)
		return has < 0 ? -1 : err_set(e, MUNI_EXISTS, "%s has approved D%" PRId64
					      " already", text_printable(a->officer),
					      disposition);
	if (query_open_write(&q, c, STATEMENT_APPROVAL_PUT,
			     "INSERT INTO approval VALUES(?, ?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, disposition);
	query_text(&q, a->officer);
	query_int(&q, a->made);
	query_blob(&q, a->signature, a->signature_size);
	return query_run(&q, e);
}

int catalogue_approvals(struct catalogue *c, int64_t disposition,
			int (*row)(void *arg, const struct approval_row *a), void *arg,
			struct err *e)
{
	struct query q;
	int got, rc = 0;

	if (disposition_need(c, e) < 0 ||
	    query_open(&q, c, STATEMENT_APPROVALS, "SELECT officer, made, signature FROM approval"
		       " WHERE disposition = ? ORDER BY officer", e) < 0)
		return -1;
	query_int(&q, disposition);
	while ((got = query_step(&q, e)) > 0 && rc == 0) {
		struct approval_row a = { .made = query_column(&q, 1, INT64_MIN, INT64_MAX) };
		char *officer = query_column_copy(&q, 0, OFFICER_ID_MAX);

		a.officer = officer;
		a.signature = query_column_blob(&q, 2, 1, SIGNATURE_MAX, &a.signature_size);
		rc = query_check(&q, "approval", disposition, e) < 0 ? -1 : row(arg, &a);
		free(officer);
	}
	query_close(&q);
	return got < 0 || rc < 0 ? -1 : 0;
}
