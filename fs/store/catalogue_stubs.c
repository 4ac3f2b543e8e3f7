/* Bare leaves of what was destroyed. */
#include <inttypes.h>

#include "fs/store/catalogue_inside.h"

int catalogue_stubs(struct catalogue *c, int64_t version, int64_t directory,
		    int (*row)(void *arg, const struct digest *leaf), void *arg,
		    struct err *e)
{
	struct query q;
	struct digest leaf;
	int got;

	if (c->format < CATALOGUE_FORMAT_RETENTION)
		return 0;
	if (query_open(&q, c, STATEMENT_STUBS, "SELECT leaf FROM stub WHERE dir = ? AND first <= ?"
		       " AND (last IS NULL OR last >= ?)", e) < 0)
		return -1;
	query_int(&q, directory);
	query_int(&q, version);
	query_int(&q, version);
	while ((got = query_step(&q, e)) > 0) {
		query_column_bytes(&q, 0, leaf.bytes, DIGEST_SIZE);
		got = query_check(&q, "a stub of directory", directory, e);
		if (got == 0)
			got = row(arg, &leaf);
		if (got != 0)
			break;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

int catalogue_stub_any(struct catalogue *c, bool *out, struct err *e)
{
	struct query q;
	int got;

	*out = false;
	if (c->format < CATALOGUE_FORMAT_RETENTION)
		return 0;
	if (query_open(&q, c, STATEMENT_STUB_ANY, "SELECT 1 FROM stub LIMIT 1", e) < 0)
		return -1;
	got = query_step(&q, e);
	*out = got > 0;
	query_close(&q);
	return got < 0 ? -1 : 0;
}

int catalogue_stub_add(struct catalogue *c, int64_t directory, int64_t first, int64_t last,
		       const struct digest *leaf, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_STUB_ADD, "INSERT INTO stub(dir, first, last, leaf)"
			     " VALUES(?, ?, ?, ?) ON CONFLICT DO NOTHING", e) < 0)
		return -1;
	query_int(&q, directory);
	query_int(&q, first);
	query_id_or_null(&q, last == CATALOGUE_OPEN_ENDED ? 0 : last);
	query_blob(&q, leaf->bytes, DIGEST_SIZE);
	return query_run(&q, e);
}

int catalogue_stubs_close(struct catalogue *c, int64_t directory, int64_t last,
			  uint64_t *count, struct err *e)
{
	struct query q;

	*count = 0;
	if (c->format < CATALOGUE_FORMAT_RETENTION)
		return 0;
	if (query_open_write(&q, c, STATEMENT_STUBS_CLOSE, "UPDATE stub SET last = ?2"
			     " WHERE dir = ?1 AND last IS NULL", e) < 0)
		return -1;
	query_int(&q, directory);
	query_int(&q, last);
	if (query_run(&q, e) < 0)
		return -1;
	*count = (uint64_t)sqlite3_changes64(c->db);
	return 0;
}
