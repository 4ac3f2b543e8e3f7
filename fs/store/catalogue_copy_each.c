/* Whole tables, for marking what stays. */
#include <inttypes.h>
#include <string.h>

#include "fs/store/catalogue_copy_inside.h"

/* One pass: take() reads the row that q stands on; 0 go on, 1 stop, -1. */
static int each(struct catalogue *c, enum statement which, const char *sql,
		int (*take)(struct query *q, void *arg, struct err *e), void *arg,
		struct err *e)
{
	struct query q;
	int got;

	if (query_open(&q, c, which, sql, e) < 0)
		return -1;
	while ((got = query_step(&q, e)) > 0) {
		got = take(&q, arg, e);
		if (got != 0)
			break;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

struct entries {
	int (*row)(void *arg, const struct entry_row *r);
	void *arg;
};

static int take_entry(struct query *q, void *arg, struct err *e)
{
	struct entries *x = arg;
	struct entry_row r = { .directory = query_column_id(q, 0) };

	r.name = query_column_blob(q, 1, 1, CATALOGUE_NAME_MAX, &r.name_size);
	r.first = query_column_id(q, 2);
	r.last = query_column_last(q, 3);
	r.kind = (enum node_kind)query_column(q, 4, NODE_FILE, NODE_BLOCK);
	r.target = query_column_id(q, 5);
	query_column_bytes(q, 6, r.salt, sizeof r.salt);
	if (r.name && !entry_name_is_sound(r.name, r.name_size))
		q->is_bad = true;
	if (query_check(q, "an entry of directory", r.directory, e) < 0)
		return -1;
	return x->row(x->arg, &r);
}

int catalogue_each_entry(struct catalogue *c, int (*row)(void *arg, const struct entry_row *r),
			 void *arg, struct err *e)
{
	struct entries x = { row, arg };

	return each(c, STATEMENT_WHOLE_ENTRIES, "SELECT dir, name, first, last, kind, target,"
		    " salt FROM entry ORDER BY dir, name, first", take_entry, &x, e);
}

struct directories {
	int (*row)(void *arg, const struct directory *d);
	void *arg;
};

static int take_directory(struct query *q, void *arg, struct err *e)
{
	struct directories *x = arg;
	struct directory d = { .id = query_column_id(q, 0), .first = query_column_id(q, 1),
			       .last = query_column_last(q, 2),
			       .parent = query_column(q, 3, 0, INT64_MAX - 1),
			       .node = query_column_id(q, 4) };

	query_column_bytes(q, 5, d.root.bytes, DIGEST_SIZE);
	if (query_check(q, "directory", d.id, e) < 0)
		return -1;
	return x->row(x->arg, &d);
}

int catalogue_each_directory(struct catalogue *c,
			     int (*row)(void *arg, const struct directory *d), void *arg,
			     struct err *e)
{
	struct directories x = { row, arg };

	return each(c, STATEMENT_WHOLE_DIRECTORIES, "SELECT id, first, last, parent, node, root"
		    " FROM directory ORDER BY id, first", take_directory, &x, e);
}

int catalogue_directory_after(struct catalogue *c, int64_t id, int64_t version, int64_t *first,
			      struct err *e)
{
	struct query q;
	int got, rc = -1;

	if (query_open(&q, c, STATEMENT_WHOLE_DIRECTORY_NEXT, "SELECT first FROM directory"
		       " WHERE id = ? AND first > ? ORDER BY first LIMIT 1", e) < 0)
		return -1;
	query_int(&q, id);
	query_int(&q, version);
	got = query_step(&q, e);
	if (got > 0) {
		*first = query_column_id(&q, 0);
		rc = query_check(&q, "directory", id, e);
	} else if (got == 0) {
		catalogue_damaged(c, e, "directory %" PRId64 " breaks off", id);
	}
	query_close(&q);
	return rc;
}

struct nodes {
	int (*row)(void *arg, const struct node *n);
	void *arg;
};

static int take_node(struct query *q, void *arg, struct err *e)
{
	struct nodes *x = arg;
	struct node n = { .id = query_column_id(q, 0) };

	node_from_row(q, 1, &n);
	if (query_check(q, "node", n.id, e) < 0)
		return -1;
	return x->row(x->arg, &n);
}

int catalogue_each_node(struct catalogue *c, int (*row)(void *arg, const struct node *n),
			void *arg, struct err *e)
{
	struct nodes x = { row, arg };

	return each(c, STATEMENT_WHOLE_NODES, "SELECT id, content, class, attrs FROM node"
		    " ORDER BY id", take_node, &x, e);
}

struct pages {
	int (*row)(void *arg, int64_t content, const uint8_t *sha,
		   const struct extent_page *page);
	void *arg;
	struct extent_page page;
};

static int take_page(struct query *q, void *arg, struct err *e)
{
	struct pages *x = arg;
	int64_t content = query_column_id(q, 0);
	uint64_t offset = (uint64_t)query_column(q, 1, 0, INT64_MAX);
	size_t size, sha_size;
	const uint8_t *data = query_column_blob(q, 2, 1, EXTENTS_PACKED_MAX, &size);
	const uint8_t *sha = NULL;
	bool has_more;

	if (!query_column_is_null(q, 3))
		sha = query_column_blob(q, 3, DIGEST_SIZE, DIGEST_SIZE, &sha_size);
	if (q->is_bad || !extents_parse(offset, data, size, &x->page, &has_more))
		return catalogue_damaged(q->c, e, "the extents of content %" PRId64
					 " do not read", content);
	return x->row(x->arg, content, sha, &x->page);
}

int catalogue_each_extents(struct catalogue *c,
			   int (*row)(void *arg, int64_t content, const uint8_t *sha,
				      const struct extent_page *page), void *arg,
			   struct err *e)
{
	struct pages x = { .row = row, .arg = arg };

	return each(c, STATEMENT_WHOLE_EXTENTS, "SELECT id, 0, extents, sha FROM content UNION ALL"
		    " SELECT content, page, extents, NULL FROM content_page", take_page, &x, e);
}

struct blocks {
	int (*row)(void *arg, const struct block *b);
	void *arg;
};

static int64_t base_column(struct query *q, int column)
{
	return query_column_is_null(q, column) ? 0 : query_column_id(q, column);
}

/* Without offset and key: what is wanted is how large, of what kind, on what based. */
static int take_block(struct query *q, void *arg, struct err *e)
{
	struct blocks *x = arg;
	struct block b = { .id = query_column_id(q, 0), .segment = query_column_id(q, 2) };

	query_column_bytes(q, 1, b.uid, sizeof b.uid);
	b.raw = (uint32_t)query_column(q, 3, 1, BLOCK_RAW_MAX);
	b.codec = (uint8_t)query_column(q, 4, BLOCK_STORED, UINT8_MAX);
	b.class_id = query_column_id(q, 5);
	b.year = (int32_t)query_column(q, 6, INT32_MIN, INT32_MAX);
	b.bases[0] = base_column(q, 7);
	b.bases[1] = base_column(q, 8);
	if (b.bases[0] >= b.id || b.bases[1] >= b.id)
		q->is_bad = true;
	if (query_check(q, "block", b.id, e) < 0)
		return -1;
	return x->row(x->arg, &b);
}

int catalogue_each_block(struct catalogue *c, int64_t from, int64_t before,
			 int (*row)(void *arg, const struct block *b), void *arg,
			 struct err *e)
{
	struct blocks x = { row, arg };
	struct query q;
	int got;

	if (query_open(&q, c, STATEMENT_WHOLE_BLOCKS, "SELECT id, uid, segment, raw, codec, class,"
		       " year, base1, base2 FROM block WHERE id >= ? AND id < ? ORDER BY id",
		       e) < 0)
		return -1;
	query_int(&q, from);
	query_int(&q, before);
	while ((got = query_step(&q, e)) > 0) {
		got = take_block(&q, &x, e);
		if (got != 0)
			break;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

struct items {
	int (*row)(void *arg, int64_t system, const void *path, size_t size, int64_t owner,
		   int64_t group);
	void *arg;
};

static int take_item(struct query *q, void *arg, struct err *e)
{
	struct items *x = arg;
	int64_t system = query_column_id(q, 0);
	size_t path_size, attrs_size;
	const uint8_t *path = query_column_blob(q, 1, 1, PATH_BYTES_MAX, &path_size);
	const uint8_t *attrs = query_column_blob(q, 2, 1, ATTRS_MAX + SYMLINK_MAX, &attrs_size);
	const uint8_t *target;
	struct node n = { .id = 0 };

	if (q->is_bad || !attrs_parse(attrs, attrs_size, &n, &target))
		return catalogue_damaged(q->c, e, "an item of system %" PRId64 " does not read",
					 system);
	return x->row(x->arg, system, path, path_size, n.owner, n.group);
}

int catalogue_each_item_account(struct catalogue *c,
				int (*row)(void *arg, int64_t system, const void *path,
					   size_t size, int64_t owner, int64_t group),
				void *arg, struct err *e)
{
	struct items x = { row, arg };

	return each(c, STATEMENT_WHOLE_ITEMS, "SELECT system, path, attrs FROM item", take_item,
		    &x, e);
}

struct systems {
	int (*row)(void *arg, const struct system *s);
	void *arg;
};

static int take_system(struct query *q, void *arg, struct err *e)
{
	struct systems *x = arg;
	struct system s = { .id = query_column_id(q, 0), .root = query_column_id(q, 2) };

	query_column_text(q, 1, s.name, sizeof s.name);
	if (query_check(q, "system", s.id, e) < 0)
		return -1;
	return x->row(x->arg, &s);
}

int catalogue_each_system(struct catalogue *c, int (*row)(void *arg, const struct system *s),
			  void *arg, struct err *e)
{
	struct systems x = { row, arg };

	return each(c, STATEMENT_WHOLE_SYSTEMS, "SELECT id, name, root FROM system ORDER BY id",
		    take_system, &x, e);
}

struct versions {
	int (*row)(void *arg, int64_t id, int64_t system, bool is_gone);
	void *arg;
};

static int take_version(struct query *q, void *arg, struct err *e)
{
	struct versions *x = arg;
	int64_t id = query_column_id(q, 0), system = query_column_id(q, 1);
	int64_t state = query_column(q, 2, VERSION_COMPLETE, VERSION_DESTROYED);

	if (query_check(q, "version", id, e) < 0)
		return -1;
	return x->row(x->arg, id, system, state == VERSION_DESTROYED);
}

int catalogue_each_version(struct catalogue *c,
			   int (*row)(void *arg, int64_t id, int64_t system, bool is_gone),
			   void *arg, struct err *e)
{
	struct versions x = { row, arg };

	return each(c, STATEMENT_WHOLE_VERSIONS, "SELECT id, system, state FROM version"
		    " WHERE state <> 0 ORDER BY id", take_version, &x, e);
}

struct details {
	int (*row)(void *arg, int64_t sequence, const char *details);
	void *arg;
};

static int take_detail(struct query *q, void *arg, struct err *e)
{
	struct details *x = arg;
	int64_t sequence = query_column(q, 0, 0, INT64_MAX - 1);
	const unsigned char *text = sqlite3_column_text(q->stmt, 1);

	/* One that was passed over could go on naming what is destroyed. */
	if (!text)
		query_lacks_memory(q);
	if (query_check(q, "the details of log entry", sequence, e) < 0)
		return -1;
	return x->row(x->arg, sequence, (const char *)text);
}

int catalogue_each_detail(struct catalogue *c,
			  int (*row)(void *arg, int64_t sequence, const char *details),
			  void *arg, struct err *e)
{
	struct details x = { row, arg };

	return each(c, STATEMENT_WHOLE_DETAILS, "SELECT seq, details FROM log_detail"
		    " WHERE details IS NOT NULL ORDER BY seq", take_detail, &x, e);
}

int catalogue_high_water(struct catalogue *c, enum catalogue_sequence s, int64_t *out,
			 struct err *e)
{
	return catalogue_sequence_next(c, s, out, e);
}
