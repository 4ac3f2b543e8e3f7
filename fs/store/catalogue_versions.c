/* Systems and versions, as readers see them. */
#include "fs/store/catalogue_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"

/* ---- systems ----------------------------------------------------------------------- */

/* A system of which no version is sealed yet is no reader's business. */
#define SYSTEM_SELECT \
	"SELECT id, name, root FROM system WHERE EXISTS (SELECT 1 FROM version" \
	"  WHERE version.system = system.id AND state IN (1, 2))"

static int system_from_row(struct query *q, struct system *out, struct err *e)
{
	out->id = query_column_id(q, 0);
	query_column_text(q, 1, out->name, sizeof out->name);
	out->root = query_column_id(q, 2);
	return query_check(q, "system", out->id, e);
}

int catalogue_systems(struct catalogue *c, int (*row)(void *arg, const struct system *s),
		      void *arg, struct err *e)
{
	struct query q;
	struct system s;
	int got = 0, answer = 0;

	if (query_open(&q, c, STATEMENT_SYSTEMS, SYSTEM_SELECT " ORDER BY name", e) < 0)
		return -1;
	while (answer == 0 && (got = query_step(&q, e)) > 0)
		answer = system_from_row(&q, &s, e) < 0 ? -1 : row(arg, &s);
	return query_end(&q, got, answer);
}

/* 1 found, 0 not, -1. */
static int system_one(struct query *q, struct system *out, struct err *e)
{
	int got = query_step(q, e);

	if (got > 0 && system_from_row(q, out, e) < 0)
		got = -1;
	query_close(q);
	return got;
}

int catalogue_system_find(struct catalogue *c, const char *name, struct system *out,
			  struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_SYSTEM_FIND, SYSTEM_SELECT " AND name = ?", e) < 0)
		return -1;
	query_text(&q, name);
	int got = system_one(&q, out, e);
	if (got == 0)
		return err_set(e, MUNI_NOT_FOUND, "there is no system \"%s\" in this archive; "
			       "`muni log` lists those that are", text_printable(name));
	return got < 0 ? -1 : 0;
}

int catalogue_system_get(struct catalogue *c, int64_t id, struct system *out, struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_SYSTEM_GET, SYSTEM_SELECT " AND id = ?", e) < 0)
		return -1;
	query_int(&q, id);
	int got = system_one(&q, out, e);
	if (got == 0)
		return err_set(e, MUNI_NOT_FOUND, "there is no system %" PRId64, id);
	return got < 0 ? -1 : 0;
}

int catalogue_system_intern(struct catalogue *c, const char *name, struct system *out,
			    struct err *e)
{
	struct query q;

	if (strlen(name) < 1 || strlen(name) >= sizeof out->name)
		return err_set(e, MUNI_USAGE, "a system's name has 1 to 128 bytes");
	if (query_open(&q, c, STATEMENT_SYSTEM_ANY,
		       "SELECT id, name, root FROM system WHERE name = ?", e) < 0)
		return -1;
	query_text(&q, name);
	int got = system_one(&q, out, e);
	if (got != 0)
		return got < 0 ? -1 : 0;

	memcpy(out->name, name, strlen(name) + 1);
	if (catalogue_sequence_take(c, SEQUENCE_SYSTEM, 1, &out->id, e) < 0 ||
	    catalogue_reserve(c, SEQUENCE_DIRECTORY, 1, &out->root, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_SYSTEM_ADD,
			     "INSERT INTO system(id, name, root) VALUES(?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, out->id);
	query_text(&q, out->name);
	query_int(&q, out->root);
	return query_run(&q, e);
}

/* ---- versions ------------------------------------------------------------------------ */

#define VERSION_SELECT \
	"SELECT v.id, v.system, s.name, v.label, s.root, v.previous, v.at, v.ingested," \
	"  v.state, v.merkle, v.directories, v.files, v.others, v.bytes, v.added_raw," \
	"  v.added_stored, v.problems, v.source_kind" \
	" FROM version v JOIN system s ON s.id = v.system WHERE v.state IN (1, 2)"

static int version_from_row(struct query *q, struct version *v, struct err *e)
{
	uint64_t *const counts[] = { &v->directories, &v->files, &v->others, &v->bytes,
		&v->added_raw, &v->added_stored, &v->problems };

	v->id = query_column_id(q, 0);
	v->system = query_column_id(q, 1);
	query_column_text(q, 2, v->system_name, sizeof v->system_name);
	query_column_text(q, 3, v->label, sizeof v->label);
	v->root = query_column_id(q, 4);
	v->previous = query_column(q, 5, 0, INT64_MAX - 1);
	v->at = query_column(q, 6, INT64_MIN, INT64_MAX);
	v->ingested = query_column(q, 7, INT64_MIN, INT64_MAX);
	v->state = (enum version_state)query_column(q, 8, VERSION_COMPLETE,
						    VERSION_INCOMPLETE);
	query_column_bytes(q, 9, v->merkle.bytes, DIGEST_SIZE);
	for (int i = 0; i < 7; i++)
		*counts[i] = (uint64_t)query_column(q, 10 + i, 0, INT64_MAX);
	query_column_text(q, 17, v->source_kind, sizeof v->source_kind);
	if (v->previous >= v->id)
		q->is_bad = true;
	return query_check(q, "version", v->id, e);
}

int catalogue_versions(struct catalogue *c, int64_t system,
		       int (*row)(void *arg, const struct version *v), void *arg,
		       struct err *e)
{
	struct query q;
	struct version v;
	int got = 0, answer = 0;

	if (query_open(&q, c, STATEMENT_VERSIONS,
		       VERSION_SELECT " AND (?1 = 0 OR v.system = ?1) ORDER BY v.id", e) < 0)
		return -1;
	query_int(&q, system);
	while (answer == 0 && (got = query_step(&q, e)) > 0)
		answer = version_from_row(&q, &v, e) < 0 ? -1 : row(arg, &v);
	return query_end(&q, got, answer);
}

/* 1 found, 0 not, -1. */
static int version_one(struct query *q, struct version *out, struct err *e)
{
	int got = query_step(q, e);

	if (got > 0 && version_from_row(q, out, e) < 0)
		got = -1;
	query_close(q);
	return got;
}

int catalogue_version_find(struct catalogue *c, int64_t system, const char *label,
			   struct version *out, struct err *e)
{
	struct query q;

	if (label) {
		if (query_open(&q, c, STATEMENT_VERSION_FIND,
			       VERSION_SELECT " AND v.system = ? AND v.label = ?", e) < 0)
			return -1;
		query_int(&q, system);
		query_text(&q, label);
	} else {
		if (query_open(&q, c, STATEMENT_VERSION_LATEST, VERSION_SELECT
			       " AND v.system = ? ORDER BY v.id DESC LIMIT 1", e) < 0)
			return -1;
		query_int(&q, system);
	}
	int got = version_one(&q, out, e);
	if (got == 0)
		return err_set(e, MUNI_NOT_FOUND, "the system has no version%s%s%s",
			       label ? " \"" : "", label ? text_printable(label) : " yet",
			       label ? "\"" : "");
	return got < 0 ? -1 : 0;
}

int catalogue_version_get(struct catalogue *c, int64_t id, struct version *out,
			  struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_VERSION_GET, VERSION_SELECT " AND v.id = ?", e) < 0)
		return -1;
	query_int(&q, id);
	int got = version_one(&q, out, e);
	if (got == 0)
		return err_set(e, MUNI_NOT_FOUND, "there is no version %" PRId64, id);
	return got < 0 ? -1 : 0;
}

int catalogue_version_at(struct catalogue *c, int64_t system, int64_t when,
			 struct version *out, struct err *e)
{
	struct query q;
	char day[TEXT_TIME_MAX];

	if (query_open(&q, c, STATEMENT_VERSION_AT, VERSION_SELECT " AND v.system = ?"
		       " AND v.at <= ? ORDER BY v.at DESC, v.id DESC LIMIT 1", e) < 0)
		return -1;
	query_int(&q, system);
	query_int(&q, when);
	int got = version_one(&q, out, e);
	if (got == 0)
		return err_set(e, MUNI_NOT_FOUND, "the system has no version as old as %s",
			       text_time(when, 0, day));
	return got < 0 ? -1 : 0;
}

int catalogue_version_proof(struct catalogue *c, int64_t id, char **statement,
			    uint8_t **signature, size_t *signature_size, struct err *e)
{
	struct query q;
	int rc = -1;

	*statement = NULL;
	*signature = NULL;
	*signature_size = 0;
	if (query_open(&q, c, STATEMENT_VERSION_PROOF, "SELECT CAST(statement AS BLOB),"
		       " signature FROM version WHERE id = ? AND state <> 0", e) < 0)
		return -1;
	query_int(&q, id);
	int got = query_step(&q, e);
	if (got <= 0) {
		if (got == 0)
			err_set(e, MUNI_NOT_FOUND, "there is no version %" PRId64, id);
		goto out;
	}
	size_t text_size, blob_size;
	const uint8_t *text = query_column_blob(&q, 0, 1, 1024 * 1024, &text_size);
	const uint8_t *blob = query_column_blob(&q, 1, 1, 1024 * 1024, &blob_size);
	if (!text || !blob || memchr(text, 0, text_size)) {
		catalogue_damaged(c, e, "the signed statement of version %" PRId64
				  " does not read", id);
		goto out;
	}
	*statement = strndup((const char *)text, text_size);
	*signature = malloc(blob_size);
	if (!*statement || !*signature) {
		free(*statement);
		free(*signature);
		*statement = NULL;
		*signature = NULL;
		err_set(e, MUNI_NO_MEMORY, "reading a version's statement: no memory");
		goto out;
	}
	memcpy(*signature, blob, blob_size);
	*signature_size = blob_size;
	rc = 0;
out:
	query_close(&q);
	return rc;
}
