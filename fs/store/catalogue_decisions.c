/*
 * Decisions, by the item's id, and overrides, by its path.  docs/format.md,
 * "Tables".
 */
#include "fs/store/catalogue_decisions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/store/catalogue_items_inside.h"

#define SENTENCE_MAX 4096	/* bytes of an evidence, an officer's name, a reason */
#define MATCHED_MAX (64u << 10)

static int need_decisions(struct catalogue *c, struct err *e)
{
	return catalogue_need_format(c, CATALOGUE_FORMAT_DECISIONS, "decisions", e);
}

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the decisions");
}

static void decision_clear(struct decision_row *d)
{
	free(d->class_code);
	free(d->rule);
	free(d->matched);
	free(d->evidence);
	*d = (struct decision_row){ .decision = 0 };
}

static void override_clear(struct override_row *o)
{
	free(o->class_code);
	free(o->officer);
	free(o->reason);
	*o = (struct override_row){ .decision = 0 };
}

void decided_row_clear(struct decided_row *r)
{
	decision_clear(&r->policy);
	override_clear(&r->override);
	*r = (struct decided_row){ .item = NULL };
}

/* ---- classifications ------------------------------------------------------------------ */

int catalogue_classification_begin(struct catalogue *c, int64_t system,
				   const struct classification *k, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_DECISIONS_CLEAR, "DELETE FROM decision WHERE item"
			     " IN (SELECT id FROM item WHERE system = ?)", e) < 0)
		return -1;
	query_int(&q, system);
	if (query_run(&q, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_CLASSIFICATION_PUT, "INSERT OR REPLACE INTO"
			     " classification(system, policy, decided, scan)"
			     " VALUES(?, ?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, system);
	query_int(&q, k->policy);
	query_int(&q, k->decided);
	query_int(&q, k->scan);
	return query_run(&q, e);
}

int catalogue_classification_get(struct catalogue *c, int64_t system,
				 struct classification *out, struct err *e)
{
	struct query q;
	int rc = -1;

	*out = (struct classification){ .policy = 0 };
	if (need_decisions(c, e) < 0 ||
	    query_open(&q, c, STATEMENT_CLASSIFICATION_GET, "SELECT policy, decided, scan"
		       " FROM classification WHERE system = ?", e) < 0)
		return -1;
	query_int(&q, system);
	int got = query_step(&q, e);
	if (got == 0)
		err_set(e, MUNI_NOT_FOUND, "the system has not been classified; "
			"`muni classify ARCHIVE --system NAME --policy FILE` does that");
	if (got <= 0)
		goto out;
	out->policy = query_column_id(&q, 0);
	out->decided = query_column(&q, 1, INT64_MIN, INT64_MAX);
	out->scan = query_column_id(&q, 2);
	rc = query_check(&q, "the classification of system", system, e);
out:
	query_close(&q);
	return rc;
}

/* ---- decisions -------------------------------------------------------------------------- */

int catalogue_decision_put(struct catalogue *c, int64_t item, const struct decision_row *d,
			   struct err *e)
{
	const char *const words[] = { d->class_code, d->rule };
	int64_t ids[2];
	struct query q;

	for (int i = 0; i < 2; i++)
		if (catalogue_word_intern(c, WORD_PLAIN, words[i], &ids[i], e) < 0)
			return -1;
	if (query_open_write(&q, c, STATEMENT_DECISION_PUT, "INSERT INTO decision(item,"
			     " decision, class, sensitivity, importance, confidence, rule,"
			     " matched, evidence) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, item);
	query_int(&q, d->decision);
	query_id_or_null(&q, ids[0]);
	query_int(&q, d->sensitivity);
	query_int(&q, d->importance);
	query_int(&q, d->confidence);
	query_id_or_null(&q, ids[1]);
	/* Most items match one rule: then it is not told twice. */
	if (d->matched && (!d->rule || strcmp(d->matched, d->rule) != 0))
		query_text(&q, d->matched);
	else
		query_null(&q);
	query_text(&q, d->evidence);
	return query_run(&q, e);
}

int catalogue_decision_forget(struct catalogue *c, int64_t item, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_DECISION_FORGET,
			     "DELETE FROM decision WHERE item = ?", e) < 0)
		return -1;
	query_int(&q, item);
	return query_run(&q, e);
}

static int copy_word(struct query *q, int column, char **out, struct err *e)
{
	const char *text;

	if (query_column_is_null(q, column))
		return 0;
	int64_t id = query_column_id(q, column);
	if (query_check(q, "a decision's word", id, e) < 0 ||
	    catalogue_word(q->c, WORD_PLAIN, id, &text, e) < 0)
		return -1;
	*out = strdup(text);
	return *out ? 0 : no_memory(e);
}

static int decision_from_row(struct query *q, int64_t item, struct decision_row *d,
			     struct err *e)
{
	d->decision = (uint8_t)query_column(q, 0, 0, 3);
	d->sensitivity = (uint8_t)query_column(q, 2, 0, 3);
	d->importance = (uint8_t)query_column(q, 3, 0, 3);
	d->confidence = (uint8_t)query_column(q, 4, 0, 100);
	d->evidence = query_column_copy(q, 7, SENTENCE_MAX);
	if (copy_word(q, 1, &d->class_code, e) < 0 || copy_word(q, 5, &d->rule, e) < 0)
		return -1;
	if (!query_column_is_null(q, 6))
		d->matched = query_column_copy(q, 6, MATCHED_MAX);
	else if (d->rule && !(d->matched = strdup(d->rule)))
		return no_memory(e);
	return query_check(q, "the decision on item", item, e);
}

static int read_decision(struct catalogue *c, int64_t item, struct decided_row *r,
			 struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_DECISION_GET, "SELECT decision, class, sensitivity,"
		       " importance, confidence, rule, matched, evidence FROM decision"
		       " WHERE item = ?", e) < 0)
		return -1;
	query_int(&q, item);
	int got = query_step(&q, e);
	if (got > 0) {
		r->has_decision = true;
		got = decision_from_row(&q, item, &r->policy, e);
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

/* ---- overrides --------------------------------------------------------------------------- */

int catalogue_override_put(struct catalogue *c, int64_t system, const void *path,
			   size_t path_size, const struct override_row *o, struct err *e)
{
	struct query q;

	if (!item_path_is_sound(path, path_size))
		return err_set(e, MUNI_USAGE, "an override names one path below the source, "
			       "without \"/\" at its ends");
	if (strlen(o->officer) > SENTENCE_MAX || strlen(o->reason) > SENTENCE_MAX)
		return err_set(e, MUNI_LIMIT, "an officer's name or reason is longer than %d "
			       "bytes", SENTENCE_MAX);
	if (query_open_write(&q, c, STATEMENT_OVERRIDE_PUT, "INSERT OR REPLACE INTO"
			     " override(system, path, decision, class, officer, reason, made)"
			     " VALUES(?, ?, ?, ?, ?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, system);
	query_blob(&q, path, path_size);
	query_int(&q, o->decision);
	if (o->class_code)
		query_text(&q, o->class_code);
	else
		query_null(&q);
	query_text(&q, o->officer);
	query_text(&q, o->reason);
	query_int(&q, o->made);
	return query_run(&q, e);
}

int catalogue_override_drop(struct catalogue *c, int64_t system, const void *path,
			    size_t path_size, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_OVERRIDE_DROP,
			     "DELETE FROM override WHERE system = ? AND path = ?", e) < 0)
		return -1;
	query_int(&q, system);
	query_blob(&q, path, path_size);
	if (query_run(&q, e) < 0)
		return -1;
	if (sqlite3_changes(c->db) == 0)
		return err_set(e, MUNI_NOT_FOUND, "no officer has decided on this path");
	return 0;
}

static int read_override(struct catalogue *c, const struct item_row *item,
			 struct decided_row *r, struct err *e)
{
	struct override_row *o = &r->override;
	struct query q;

	if (query_open(&q, c, STATEMENT_OVERRIDE_GET, "SELECT decision, class, officer, reason,"
		       " made FROM override WHERE system = ? AND path = ?", e) < 0)
		return -1;
	query_int(&q, item->system);
	query_blob(&q, item->path, item->path_size);
	int got = query_step(&q, e);
	if (got > 0) {
		r->has_override = true;
		o->decision = (uint8_t)query_column(&q, 0, 0, 3);
		if (!query_column_is_null(&q, 1))
			o->class_code = query_column_copy(&q, 1, WORD_MAX);
		o->officer = query_column_copy(&q, 2, SENTENCE_MAX);
		o->reason = query_column_copy(&q, 3, SENTENCE_MAX);
		o->made = query_column(&q, 4, INT64_MIN, INT64_MAX);
		got = query_check(&q, "the override of item", item->id, e);
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

/* ---- together ------------------------------------------------------------------------------ */

int catalogue_decided_find(struct catalogue *c, const struct item_row *item,
			   struct decided_row *out, struct err *e)
{
	*out = (struct decided_row){ .item = item };
	if (need_decisions(c, e) < 0)
		return -1;
	if (read_decision(c, item->id, out, e) == 0 && read_override(c, item, out, e) == 0)
		return 0;
	decided_row_clear(out);
	return -1;
}

struct each {
	struct catalogue *c;
	int (*row)(void *arg, const struct decided_row *r);
	void *arg;
	struct err *e;
	bool has_failed;	/* e is filled, by us */
};

static int on_item(void *arg, const struct item_row *item, const char *duplicate_path,
		   size_t duplicate_size)
{
	struct each *k = arg;
	struct decided_row r;

	if (catalogue_decided_find(k->c, item, &r, k->e) < 0) {
		k->has_failed = true;
		return -1;
	}
	r.duplicate_path = duplicate_path;
	r.duplicate_size = duplicate_size;
	int answer = k->row(k->arg, &r);
	decided_row_clear(&r);
	return answer;
}

int catalogue_decided(struct catalogue *c, int64_t system, const void *after,
		      size_t after_size,
		      int (*row)(void *arg, const struct decided_row *r), void *arg,
		      struct err *e)
{
	struct each k = { .c = c, .row = row, .arg = arg, .e = e };

	if (need_decisions(c, e) < 0)
		return -1;
	return catalogue_items(c, system, after, after_size, on_item, &k, e);
}
