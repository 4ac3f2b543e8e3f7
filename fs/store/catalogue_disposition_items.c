/*
 * The items of a disposition's list, and what becomes of their names.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/store/catalogue_dispositions_inside.h"

#define CLASS_CODE_MAX 128
#define WHY_MAX 1000

static void text_or_null(struct query *q, const char *text)
{
	if (text)
		query_text(q, text);
	else
		query_null(q);
}

int catalogue_disposition_item_put(struct catalogue *c, int64_t disposition,
				   const struct disposition_item *i, struct err *e)
{
	struct query q;

	if (disposition_need(c, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_DISPOSITION_ITEM_PUT,
			     "INSERT INTO disposition_item VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			     e) < 0)
		return -1;
	query_int(&q, disposition);
	query_blob(&q, i->leaf.bytes, DIGEST_SIZE);
	query_int(&q, i->key.directory);
	if (i->path)
		query_blob(&q, i->path, i->path_size);
	else if (i->key.name_size > 0)
		query_blob(&q, i->key.name, i->key.name_size);
	else
		query_null(&q);
	query_int(&q, i->key.first);
	query_text(&q, i->class_code);
	query_int(&q, i->names);
	query_int(&q, i->outcome);
	text_or_null(&q, i->why);
	text_or_null(&q, i->text);
	return query_run(&q, e);
}

/* ---- reading ------------------------------------------------------------------------ */

struct item_texts {		/* owned */
	char *class_code, *why, *text;
};

static void texts_free(struct item_texts *t)
{
	free(t->class_code);
	free(t->why);
	free(t->text);
}

static void name_from_row(struct query *q, struct disposition_item *i)
{
	size_t size;

	if (query_column_is_null(q, 2))
		return;
	const uint8_t *name = query_column_blob(q, 2, 1, PATH_BYTES_MAX, &size);
	if (!name)
		return;
	if (i->key.first == 0) {	/* an item of a live source */
		i->path = (const char *)name;
		i->path_size = size;
	} else if (size > CATALOGUE_NAME_MAX) {
		q->is_bad = true;
	} else {
		memcpy(i->key.name, name, size);
		i->key.name[size] = '\0';
		i->key.name_size = (uint16_t)size;
	}
}

static int from_row(struct query *q, int64_t disposition, struct disposition_item *i,
		    struct item_texts *t, struct err *e)
{
	i->path = NULL;
	i->path_size = 0;
	i->key.name_size = 0;
	i->key.name[0] = '\0';
	query_column_bytes(q, 0, i->leaf.bytes, DIGEST_SIZE);
	i->key.directory = query_column(q, 1, 0, INT64_MAX);
	i->key.first = query_column(q, 3, 0, INT64_MAX);
	name_from_row(q, i);
	t->class_code = query_column_copy(q, 4, CLASS_CODE_MAX);
	i->names = (enum item_names)query_column(q, 5, ITEM_NAMES_KEEP, ITEM_NAMES_DROP);
	i->outcome = (enum item_outcome)query_column(q, 6, OUTCOME_PENDING, OUTCOME_FAILED);
	if (!query_column_is_null(q, 7))
		t->why = query_column_copy(q, 7, WHY_MAX);
	if (!query_column_is_null(q, 8))
		t->text = query_column_copy(q, 8, DISPOSITION_TEXT_MAX);
	i->class_code = t->class_code;
	i->why = t->why;
	i->text = t->text;
	return query_check(q, "an item of disposition", disposition, e);
}

int catalogue_disposition_items(struct catalogue *c, int64_t disposition,
				int (*row)(void *arg, const struct disposition_item *i),
				void *arg, struct err *e)
{
	struct disposition_item i;
	struct query q;
	int got, rc = 0;

	if (disposition_need(c, e) < 0 ||
	    query_open(&q, c, STATEMENT_DISPOSITION_ITEMS, "SELECT leaf, dir, name, first, class,"
		       " names, outcome, why, text FROM disposition_item WHERE disposition = ?"
		       " ORDER BY leaf", e) < 0)
		return -1;
	query_int(&q, disposition);
	while ((got = query_step(&q, e)) > 0 && rc == 0) {
		struct item_texts t = { .text = NULL };

		rc = from_row(&q, disposition, &i, &t, e) < 0 ? -1 : row(arg, &i);
		texts_free(&t);
	}
	query_close(&q);
	return got < 0 || rc < 0 ? -1 : 0;
}

/* ---- what is left of an item that has gone --------------------------------------------- */

/* i as it may stay; false: nothing of it may. */
static bool settle_item(struct disposition_item *i, enum item_outcome outcome)
{
	i->outcome = outcome;
	if (i->names == ITEM_NAMES_KEEP)
		return true;
	i->path = NULL;
	i->key.name_size = 0;
	i->text = NULL;
	return i->names == ITEM_NAMES_COMMIT;
}

/* The leaf stays under any class: the list's root is compared for as long as it is being
 * executed. */
int catalogue_disposition_item_outcome(struct catalogue *c, int64_t disposition,
				       const struct digest *leaf, enum item_outcome outcome,
				       const char *why, struct err *e)
{
	bool is_gone = outcome == OUTCOME_GONE || outcome == OUTCOME_BYTES_STAY;
	struct query q;

	if (disposition_need(c, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_DISPOSITION_ITEM_OUTCOME,
			     "UPDATE disposition_item SET outcome = ?1, why = ?2,"
			     " name = iif(?3 AND names <> 0, NULL, name),"
			     " text = iif(?3 AND names <> 0, NULL, text)"
			     " WHERE disposition = ?4 AND leaf = ?5", e) < 0)
		return -1;
	query_int(&q, outcome);
	text_or_null(&q, why);
	query_int(&q, is_gone);
	query_int(&q, disposition);
	query_blob(&q, leaf->bytes, DIGEST_SIZE);
	return query_run(&q, e);
}

/* ---- the switch of epoch ----------------------------------------------------------------- */

struct settling {
	struct catalogue *from, *to;
	int64_t id;		/* that is executed; 0: none */
	const char *result;
	enum item_outcome (*outcome)(void *arg, const struct record_key *key);
	void *arg;
	int64_t now;		/* whose rows are being copied */
	bool has_records;	/* its items are records of the archive */
	struct err *e;
};

static int settle_one_item(void *arg, const struct disposition_item *i)
{
	struct settling *s = arg;
	struct disposition_item left = *i;
	bool is_settled = i->outcome == OUTCOME_GONE || i->outcome == OUTCOME_BYTES_STAY;

	if (s->has_records && !is_settled) {
		enum item_outcome outcome = s->outcome(s->arg, &i->key);

		if (outcome != OUTCOME_PENDING && !settle_item(&left, outcome))
			return 0;
	}
	return catalogue_disposition_item_put(s->to, s->now, &left, s->e);
}

static int settle_approval(void *arg, const struct approval_row *a)
{
	struct settling *s = arg;

	return catalogue_approval_put(s->to, s->now, a, s->e);
}

static int settle_disposition(void *arg, const struct disposition_row *d)
{
	struct settling *s = arg;
	struct disposition_row copy = *d;

	s->now = d->id;
	s->has_records = d->kind == DISPOSITION_RECORDS || d->kind == DISPOSITION_RESTORED;
	if (d->id == s->id) {
		copy.state = DISPOSITION_GONE;
		copy.result = (char *)s->result;
	}
	return disposition_insert(s->to, &copy, s->e) < 0 ||
	       catalogue_disposition_items(s->from, d->id, settle_one_item, s, s->e) < 0 ||
	       catalogue_approvals(s->from, d->id, settle_approval, s, s->e) < 0 ? -1 : 0;
}

int catalogue_disposition_settle(struct catalogue *from, struct catalogue *to, int64_t id,
				 const char *result,
				 enum item_outcome (*outcome)(void *arg,
							      const struct record_key *key),
				 void *arg, struct err *e)
{
	struct settling s = { .from = from, .to = to, .id = id, .result = result,
			      .outcome = outcome, .arg = arg, .e = e };

	return catalogue_dispositions(from, settle_disposition, &s, e);
}
