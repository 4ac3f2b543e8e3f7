/* Whole tables, row by row: for verify. */
#include "fs/store/catalogue_inside.h"

#include <inttypes.h>

int catalogue_contents(struct catalogue *c, int (*row)(void *arg, const struct node *n),
		       void *arg, struct err *e)
{
	struct query q;
	int got;

	if (query_open(&q, c, STATEMENT_EACH_CONTENT, "SELECT min(id), content FROM node"
		       " WHERE content <> 0 GROUP BY content", e) < 0)
		return -1;
	while ((got = query_step(&q, e)) > 0) {
		int64_t id = query_column_id(&q, 0);
		struct node n;

		if (query_check(&q, "node", id, e) < 0 ||
		    catalogue_node(c, id, true, &n, e) < 0) {
			got = -1;
			break;
		}
		got = row(arg, &n);
		if (got != 0)
			break;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

int catalogue_directories(struct catalogue *c,
			  int (*row)(void *arg, const struct directory *d), void *arg,
			  struct err *e)
{
	struct query q;
	int got;

	/* Rows begun later belong to a version in progress. */
	if (query_open(&q, c, STATEMENT_EACH_DIRECTORY, "SELECT id, first, last, parent, node,"
		       " root FROM directory WHERE first <="
		       " (SELECT ifnull(max(id), 0) FROM version WHERE state <> 0)", e) < 0)
		return -1;
	while ((got = query_step(&q, e)) > 0) {
		struct directory d = { .id = query_column_id(&q, 0),
				       .first = query_column_id(&q, 1),
				       .last = query_column_last(&q, 2),
				       .parent = query_column(&q, 3, 0, INT64_MAX),
				       .node = query_column_id(&q, 4) };

		query_column_bytes(&q, 5, d.root.bytes, DIGEST_SIZE);
		if (query_check(&q, "directory", d.id, e) < 0) {
			got = -1;
			break;
		}
		got = row(arg, &d);
		if (got != 0)
			break;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}
