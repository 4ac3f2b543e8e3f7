/* Whole tables, row by row: for verify. */
#include "fs/store/catalogue_inside.h"

#include <inttypes.h>

static int content_from_row(struct query *q, struct catalogue *c, struct node *n,
			    struct err *e)
{
	*n = (struct node){ .id = query_column_id(q, 3) };
	node_from_row(q, 0, n);
	if (query_column_is_null(q, 4))
		return catalogue_damaged(c, e, "content %" PRId64 " of node %" PRId64
					 " is missing", n->content, n->id);
	query_column_bytes(q, 4, n->sha256.bytes, DIGEST_SIZE);
	n->has_sha256 = true;
	return query_check(q, "node", n->id, e);
}

int catalogue_contents(struct catalogue *c, int (*row)(void *arg, const struct node *n),
		       void *arg, struct err *e)
{
	struct query q;
	int got;

	/* Only numbers are sorted: whatever else stood there would be held in memory. */
	if (query_open(&q, c, STATEMENT_EACH_CONTENT, "SELECT n.content, n.class, n.attrs, n.id,"
		       " c.sha FROM (SELECT min(id) AS first, content FROM node"
		       " WHERE content <> 0 GROUP BY content) AS f"
		       " JOIN node AS n ON n.id = f.first"
		       " LEFT JOIN content AS c ON c.id = f.content", e) < 0)
		return -1;
	while ((got = query_step(&q, e)) > 0) {
		struct node n;

		if (content_from_row(&q, c, &n, e) < 0) {
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
