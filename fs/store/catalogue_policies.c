/*
 * Policies as they were given, and what each says of its classes.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/store/catalogue_decisions.h"
#include "fs/store/catalogue_items_inside.h"

#define POLICY_BYTES_MAX (16u << 20)
#define POLICY_NAME_MAX 255
#define DEFINITION_MAX (1u << 20)

void policy_row_clear(struct policy_row *p)
{
	free(p->name);
	free(p->text);
	*p = (struct policy_row){ .id = 0 };
}

static int find_policy(struct catalogue *c, const struct digest *digest, int64_t *id,
		       int64_t *stored, struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_POLICY_FIND,
		       "SELECT id, stored FROM policy WHERE digest = ?", e) < 0)
		return -1;
	query_blob(&q, digest->bytes, DIGEST_SIZE);
	int got = query_step(&q, e);
	if (got > 0) {
		*id = query_column_id(&q, 0);
		*stored = query_column(&q, 1, INT64_MIN, INT64_MAX);
		if (query_check(&q, "policy", *id, e) < 0)
			got = -1;
	}
	query_close(&q);
	return got;
}

int catalogue_policy_intern(struct catalogue *c, struct policy_row *p, struct err *e)
{
	struct query q;

	if (p->text_size > POLICY_BYTES_MAX || strlen(p->name) > POLICY_NAME_MAX)
		return err_set(e, MUNI_LIMIT, "a policy of %zu bytes cannot be kept",
			       p->text_size);
	int got = find_policy(c, &p->digest, &p->id, &p->stored, e);
	if (got != 0)
		return got < 0 ? -1 : 0;
	if (catalogue_sequence_take(c, SEQUENCE_POLICY, 1, &p->id, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_POLICY_ADD, "INSERT INTO policy(id, name,"
			     " version, digest, stored, text) VALUES(?, ?, ?, ?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, p->id);
	query_text(&q, p->name);
	query_int(&q, p->version);
	query_blob(&q, p->digest.bytes, DIGEST_SIZE);
	query_int(&q, p->stored);
	query_blob(&q, p->text, p->text_size);
	return query_run(&q, e);
}

static int policy_from_row(struct query *q, struct policy_row *p, struct err *e)
{
	size_t size = 0;

	p->name = query_column_copy(q, 0, POLICY_NAME_MAX);
	p->version = (unsigned)query_column(q, 1, 0, UINT32_MAX);
	query_column_bytes(q, 2, p->digest.bytes, DIGEST_SIZE);
	p->stored = query_column(q, 3, INT64_MIN, INT64_MAX);
	const uint8_t *text = query_column_blob(q, 4, 0, POLICY_BYTES_MAX, &size);
	if (query_check(q, "policy", p->id, e) < 0)
		return -1;
	p->text = malloc(size + 1);
	if (!p->text)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a policy");
	if (size > 0)
		memcpy(p->text, text, size);
	p->text[size] = '\0';
	p->text_size = size;
	struct digest now = digest_of(p->text, size);
	if (!digest_equal(&now, &p->digest))
		return catalogue_damaged(q->c, e, "policy %" PRId64 " is not the text that it "
					 "was", p->id);
	return 0;
}

int catalogue_policy_get(struct catalogue *c, int64_t id, struct policy_row *out,
			 struct err *e)
{
	struct query q;
	int rc = -1;

	*out = (struct policy_row){ .id = id };
	if (catalogue_need_format(c, CATALOGUE_FORMAT_DECISIONS, "policies", e) < 0 ||
	    query_open(&q, c, STATEMENT_POLICY_GET, "SELECT name, version, digest, stored, text"
		       " FROM policy WHERE id = ?", e) < 0)
		return -1;
	query_int(&q, id);
	int got = query_step(&q, e);
	if (got > 0)
		rc = policy_from_row(&q, out, e);
	else if (got == 0)
		catalogue_damaged(c, e, "policy %" PRId64 " is missing", id);
	query_close(&q);
	if (rc < 0)
		policy_row_clear(out);
	return rc;
}

/* ---- classes ------------------------------------------------------------------------ */

static int set_access(struct catalogue *c, int64_t class, const char *access, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_CLASS_ACCESS,
			     "UPDATE class SET access = ? WHERE id = ?", e) < 0)
		return -1;
	query_text(&q, access);
	query_int(&q, class);
	return query_run(&q, e);
}

int catalogue_class_define(struct catalogue *c, const char *code, const char *access,
			   int64_t policy, const char *definition, struct err *e)
{
	struct record_class limits;
	struct query q;
	int64_t class;

	if (strlen(access) >= sizeof limits.access || strlen(definition) > DEFINITION_MAX)
		return err_set(e, MUNI_LIMIT, "the class \"%s\" names too many groups, or is "
			       "described at too great length, to be kept", code);
	if (catalogue_class_intern(c, code, &class, e) < 0 ||
	    set_access(c, class, access, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_CLASS_DEFINE, "INSERT OR IGNORE INTO"
			     " class_definition(class, policy, definition) VALUES(?, ?, ?)",
			     e) < 0)
		return -1;
	query_int(&q, class);
	query_int(&q, policy);
	query_text(&q, definition);
	return query_run(&q, e);
}

int catalogue_class_definition(struct catalogue *c, const char *code, int64_t policy,
			       char **out, struct err *e)
{
	struct query q;

	*out = NULL;
	if (catalogue_need_format(c, CATALOGUE_FORMAT_DECISIONS, "classes", e) < 0 ||
	    query_open(&q, c, STATEMENT_CLASS_DEFINITION, "SELECT definition FROM"
		       " class_definition, class WHERE class.id = class_definition.class"
		       " AND code = ? AND policy = ?", e) < 0)
		return -1;
	query_text(&q, code);
	query_int(&q, policy);
	int got = query_step(&q, e);
	if (got > 0) {
		*out = query_column_copy(&q, 0, DEFINITION_MAX);
		got = query_check(&q, "the definition of a class in policy", policy, e);
	} else if (got == 0) {
		got = err_set(e, MUNI_NOT_FOUND, "the policy defines no such class");
	}
	query_close(&q);
	if (got < 0) {
		free(*out);
		*out = NULL;
	}
	return got < 0 ? -1 : 0;
}
