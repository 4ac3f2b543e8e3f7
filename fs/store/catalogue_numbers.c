/*
 * One digest for the numbers of all files of a directory.  A directory's row is made anew
 * whenever anything in it changes, so numbers that are no older than the row are those of
 * all that stands in it.
 */
#include <inttypes.h>

#include "fs/store/catalogue_inside.h"

int catalogue_numbers_get(struct catalogue *c, int64_t version, int64_t directory,
			  struct numbers *out, bool *is_there, struct err *e)
{
	struct query q;
	int rc = 0;

	*is_there = false;
	if (c->format < CATALOGUE_FORMAT_NUMBERS)
		return 0;
	if (query_open(&q, c, STATEMENT_NUMBERS_GET, "SELECT n.device, n.digest FROM numbers n"
		       " JOIN directory d ON d.id = n.dir WHERE n.dir = ?1 AND n.version <= ?2"
		       " AND d.first <= ?2 AND (d.last IS NULL OR d.last >= ?2)"
		       " AND n.version >= d.first", e) < 0)
		return -1;
	query_int(&q, directory);
	query_int(&q, version);
	int got = query_step(&q, e);
	if (got > 0) {
		out->device = (uint64_t)query_column(&q, 0, INT64_MIN, INT64_MAX);
		query_column_bytes(&q, 1, out->digest.bytes, DIGEST_SIZE);
		rc = query_check(&q, "the numbers of directory", directory, e);
		*is_there = rc == 0;
	}
	query_close(&q);
	return got < 0 ? -1 : rc;
}

int catalogue_numbers_put(struct catalogue *c, int64_t version, int64_t directory,
			  const struct numbers *n, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_NUMBERS_PUT, "INSERT OR REPLACE INTO"
			     " numbers(dir, version, device, digest) VALUES(?, ?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, directory);
	query_int(&q, version);
	query_int(&q, (int64_t)n->device);
	query_blob(&q, n->digest.bytes, DIGEST_SIZE);
	return query_run(&q, e);
}
