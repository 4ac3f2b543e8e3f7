/*
 * What retention goes by: classes of nodes and paths, their definitions, shortenings,
 * events, restriction.  docs/format.md, "Tables".
 */
#include "fs/store/catalogue_retention.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/store/catalogue_inside.h"

#define REASON_MAX 4096
#define DEFINITION_MAX (1u << 20)

static bool is_older(const struct catalogue *c)
{
	return c->format < CATALOGUE_FORMAT_RETENTION;
}

/* ---- classes of nodes --------------------------------------------------------------- */

int catalogue_node_class_add(struct catalogue *c, int64_t node, int64_t class_id,
			     struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_NODE_CLASS_ADD, "INSERT INTO node_class(node,"
			     " class) VALUES(?, ?) ON CONFLICT DO NOTHING", e) < 0)
		return -1;
	query_int(&q, node);
	query_int(&q, class_id);
	return query_run(&q, e);
}

int catalogue_node_classes(struct catalogue *c, int64_t node,
			   int (*row)(void *arg, int64_t class_id), void *arg, struct err *e)
{
	struct query q;
	int got;

	if (is_older(c))
		return 0;
	if (query_open(&q, c, STATEMENT_NODE_CLASSES,
		       "SELECT class FROM node_class WHERE node = ? ORDER BY class", e) < 0)
		return -1;
	query_int(&q, node);
	while ((got = query_step(&q, e)) > 0) {
		int64_t class = query_column_id(&q, 0);

		got = query_check(&q, "a class of node", node, e) < 0 ? -1 : row(arg, class);
		if (got != 0)
			break;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

int catalogue_node_class_any(struct catalogue *c, bool *out, struct err *e)
{
	struct query q;

	*out = false;
	if (is_older(c))
		return 0;
	if (query_open(&q, c, STATEMENT_NODE_CLASS_ANY, "SELECT 1 FROM node_class LIMIT 1",
		       e) < 0)
		return -1;
	int got = query_step(&q, e);
	query_close(&q);
	*out = got > 0;
	return got < 0 ? -1 : 0;
}

int catalogue_class_base(struct catalogue *c, int64_t class_id, int64_t *base, struct err *e)
{
	struct query q;

	*base = class_id;
	if (is_older(c))
		return 0;
	if (query_open(&q, c, STATEMENT_CLASS_BASE, "SELECT base FROM class WHERE id = ?",
		       e) < 0)
		return -1;
	query_int(&q, class_id);
	int got = query_step(&q, e);
	if (got > 0) {
		int64_t of = query_column(&q, 0, 0, INT64_MAX - 1);

		got = query_check(&q, "class", class_id, e);
		*base = of ? of : class_id;
	} else if (got == 0) {
		got = catalogue_damaged(c, e, "class %" PRId64 " is missing", class_id);
	}
	query_close(&q);
	return got;
}

/* ---- definitions -------------------------------------------------------------------- */

int catalogue_class_definitions(struct catalogue *c, int64_t class_id,
				int (*row)(void *arg, int64_t policy, const char *definition),
				void *arg, struct err *e)
{
	struct query q;
	int got;

	if (c->format < CATALOGUE_FORMAT_DECISIONS)
		return 0;
	if (query_open(&q, c, STATEMENT_CLASS_DEFINITIONS, "SELECT policy, definition"
		       " FROM class_definition WHERE class = ? ORDER BY policy", e) < 0)
		return -1;
	query_int(&q, class_id);
	while ((got = query_step(&q, e)) > 0) {
		int64_t policy = query_column_id(&q, 0);
		char *definition = query_column_copy(&q, 1, DEFINITION_MAX);

		got = query_check(&q, "a definition of class", class_id, e) < 0 ? -1 :
			row(arg, policy, definition);
		free(definition);
		if (got != 0)
			break;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

int catalogue_shortening_put(struct catalogue *c, const char *code, int64_t policy,
			     int64_t disposition, int64_t now, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_SHORTENING_PUT, "INSERT OR REPLACE INTO"
			     " shortening(class, policy, disposition, made, upto)"
			     " VALUES(?, ?, ?, ?, (SELECT ifnull(max(id), 0) FROM policy))",
			     e) < 0)
		return -1;
	query_text(&q, code);
	query_int(&q, policy);
	query_int(&q, disposition);
	query_int(&q, now);
	return query_run(&q, e);
}

int catalogue_shortenings(struct catalogue *c,
			  int (*row)(void *arg, const struct shortening_row *s), void *arg,
			  struct err *e)
{
	struct record_class limits;
	char code[sizeof limits.code];
	struct query q;
	int got;

	if (is_older(c))
		return 0;
	if (query_open(&q, c, STATEMENT_SHORTENINGS, "SELECT class, policy, upto, disposition,"
		       " made FROM shortening ORDER BY class", e) < 0)
		return -1;
	while ((got = query_step(&q, e)) > 0) {
		query_column_text(&q, 0, code, sizeof code);
		const struct shortening_row r = {
			.code = code, .policy = query_column_id(&q, 1),
			.upto = query_column(&q, 2, 0, INT64_MAX - 1),
			.disposition = query_column(&q, 3, 0, INT64_MAX - 1),
			.made = query_column(&q, 4, INT64_MIN, INT64_MAX),
		};
		got = query_check(&q, "a shortening by policy", r.policy, e) < 0 ? -1 :
			row(arg, &r);
		if (got != 0)
			break;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

/* ---- classes of paths --------------------------------------------------------------- */

/* The class's word: of a policy's decision its id, of an officer's the text itself. */
static int path_class(struct query *q, enum path_class_by by, char own[WORD_MAX + 1],
		      const char **code, struct err *e)
{
	if (by == BY_OFFICER) {
		query_column_text(q, 1, own, WORD_MAX + 1);
		*code = own;
		return query_check(q, "an override of system", 0, e);
	}
	int64_t word = query_column_id(q, 1);
	if (query_check(q, "a decision's word", word, e) < 0)
		return -1;
	return catalogue_word(q->c, WORD_PLAIN, word, code, e);
}

int catalogue_path_classes(struct catalogue *c, int64_t system, enum path_class_by by,
			   const void *from, size_t from_size, unsigned limit,
			   int (*row)(void *arg, const void *path, size_t path_size,
				      const char *code), void *arg, struct err *e)
{
	char own[WORD_MAX + 1];
	struct query q;
	int got;

	if (c->format < CATALOGUE_FORMAT_DECISIONS)
		return 0;
	got = by == BY_POLICY ?
		query_open(&q, c, STATEMENT_PATH_CLASSES, "SELECT path, class FROM item"
			   " JOIN decision ON decision.item = item.id WHERE system = ?"
			   " AND path >= ? AND class IS NOT NULL ORDER BY path LIMIT ?", e) :
		query_open(&q, c, STATEMENT_PATH_CLASS_OVERRIDES, "SELECT path, class"
			   " FROM override WHERE system = ? AND path >= ? AND class IS NOT NULL"
			   " ORDER BY path LIMIT ?", e);
	if (got < 0)
		return -1;
	query_int(&q, system);
	query_blob(&q, from, from_size);
	query_int(&q, limit);
	while ((got = query_step(&q, e)) > 0) {
		const char *code;
		size_t size;
		const uint8_t *path = query_column_blob(&q, 0, 1, PATH_BYTES_MAX, &size);

		if (query_check(&q, "an item of system", system, e) < 0 ||
		    path_class(&q, by, own, &code, e) < 0)
			got = -1;
		else
			got = row(arg, path, size, code);
		if (got != 0)
			break;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

/* ---- events ------------------------------------------------------------------------- */

int catalogue_event_put(struct catalogue *c, const struct event_row *r, struct err *e)
{
	struct query q;

	if (strlen(r->reason) > REASON_MAX || strlen(r->name) > WORD_MAX)
		return err_set(e, MUNI_LIMIT, "an event's name or reason is longer than %d bytes",
			       REASON_MAX);
	if (query_open_write(&q, c, STATEMENT_EVENT_PUT, "INSERT INTO event(system, name, at,"
			     " day, recorded, reason) VALUES(?, ?, ?, ?, ?, ?)"
			     " ON CONFLICT DO NOTHING", e) < 0)
		return -1;
	query_int(&q, r->system);
	query_text(&q, r->name);
	query_int(&q, r->at);
	query_int(&q, r->is_day);
	query_int(&q, r->recorded);
	query_text(&q, r->reason);
	if (query_run(&q, e) < 0)
		return -1;
	if (sqlite3_changes(c->db) == 0)
		return err_set(e, MUNI_EXISTS, "this event is known already");
	return 0;
}

int catalogue_events(struct catalogue *c, int64_t system,
		     int (*row)(void *arg, const struct event_row *r), void *arg,
		     struct err *e)
{
	struct query q;
	int got;

	if (is_older(c))
		return 0;
	if (query_open(&q, c, STATEMENT_EVENTS, "SELECT system, name, at, day, recorded, reason"
		       " FROM event WHERE ?1 IN (0, system) ORDER BY system, name, at, day",
		       e) < 0)
		return -1;
	query_int(&q, system);
	while ((got = query_step(&q, e)) > 0) {
		char *name = query_column_copy(&q, 1, WORD_MAX);
		char *reason = query_column_copy(&q, 5, REASON_MAX);
		const struct event_row r = {
			.system = query_column_id(&q, 0), .name = name,
			.at = query_column(&q, 2, INT64_MIN, INT64_MAX),
			.is_day = query_column(&q, 3, 0, 1),
			.recorded = query_column(&q, 4, INT64_MIN, INT64_MAX),
			.reason = reason,
		};

		got = query_check(&q, "an event of system", r.system, e) < 0 ? -1 : row(arg, &r);
		free(name);
		free(reason);
		if (got != 0)
			break;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

/* ---- restriction -------------------------------------------------------------------- */

struct class_state {
	struct record_class of;	/* the class looked for */
	int64_t twin;		/* 0: none yet */
	bool is_found;
};

static int on_class(void *arg, const struct record_class *k)
{
	struct class_state *s = arg;

	if (k->id == s->of.id) {
		s->of = *k;
		s->is_found = true;
	}
	if (k->base == s->of.id)
		s->twin = k->id;
	return 0;
}

/* "~CODE": no policy can name a class so. */
static int make_twin(struct catalogue *c, const struct record_class *of, int64_t *id,
		     struct err *e)
{
	char code[sizeof of->code + 1] = "~";
	struct query q;

	strcat(code, of->code);
	if (strlen(code) >= sizeof of->code)
		return err_set(e, MUNI_LIMIT, "the class \"%s\" has too long a code to be "
			       "restricted", of->code);
	if (catalogue_sequence_take(c, SEQUENCE_CLASS, 1, id, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_CLASS_TWIN_ADD, "INSERT INTO class(id, code,"
			     " access, restricted, base) VALUES(?, ?, ?, 1, ?)", e) < 0)
		return -1;
	query_int(&q, *id);
	query_text(&q, code);
	query_text(&q, of->access);
	query_int(&q, of->id);
	return query_run(&q, e);
}

static int move_node(struct catalogue *c, int64_t node, int64_t class, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_NODE_RECLASS,
			     "UPDATE node SET class = ? WHERE id = ?", e) < 0)
		return -1;
	query_int(&q, class);
	query_int(&q, node);
	return query_run(&q, e);
}

int catalogue_node_restrict(struct catalogue *c, int64_t node, bool is_restricted,
			    bool *changed, struct err *e)
{
	struct class_state s = { .twin = 0 };
	struct node n;
	int64_t to;

	*changed = false;
	if (catalogue_node(c, node, false, &n, e) < 0)
		return -1;
	s.of.id = n.class_id;
	if (catalogue_classes(c, on_class, &s, e) < 0)
		return -1;
	if (!s.is_found)
		return catalogue_damaged(c, e, "class %" PRId64 " is missing", n.class_id);
	if (s.of.is_restricted == is_restricted)
		return 0;
	to = is_restricted ? s.twin : s.of.base;
	if (to == 0 && !is_restricted)	/* made so for good */
		return 0;
	if (to == 0 && make_twin(c, &s.of, &to, e) < 0)
		return -1;
	*changed = true;
	return move_node(c, node, to, e);
}
