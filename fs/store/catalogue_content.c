/* Content: extents, blocks, segments, chunks. */
#include "fs/store/catalogue_inside.h"

#include <inttypes.h>
#include <string.h>

/* ---- extents ---------------------------------------------------------------------- */

/* Steps to a row (extents[, page]) and reads it.  1 read, 0 no row, -1. */
static int page_from_row(struct query *q, int64_t content, bool is_first,
			 struct extent_page *out, bool *has_more, struct err *e)
{
	int got = query_step(q, e);
	size_t size;

	if (got <= 0)
		return got;
	const uint8_t *data = query_column_blob(q, 0, 1, EXTENTS_PACKED_MAX, &size);
	uint64_t page = is_first ? 0 : (uint64_t)query_column(q, 1, 1, INT64_MAX);

	if (q->is_bad || !extents_parse(page, data, size, out, has_more))
		return catalogue_damaged(q->c, e, "the extents of content %" PRId64
					 " do not read", content);
	return 1;
}

/* The start of the page after `out` tells where that one ends. */
static int find_end(struct catalogue *c, int64_t content, struct extent_page *out,
		    struct err *e)
{
	struct query q;
	int rc = -1;

	if (query_open(&q, c, STATEMENT_EXTENTS_NEXT, "SELECT page FROM content_page"
		       " WHERE content = ? AND page > ? ORDER BY page LIMIT 1", e) < 0)
		return -1;
	query_int(&q, content);
	query_unsigned(&q, out->first);
	int got = query_step(&q, e);
	if (got >= 0) {
		const struct extent *x = out->count ? &out->extents[out->count - 1] : NULL;

		out->end = got ? (uint64_t)query_column(&q, 0, 1, INT64_MAX) : 0;
		if (got == 0 || q.is_bad || !x || out->end < x->offset + x->size)
			catalogue_damaged(c, e, "the extents of content %" PRId64 " overlap, "
					  "or break off", content);
		else
			rc = 0;
	}
	query_close(&q);
	return rc;
}

/* The later page that covers `offset`, if the first one does not. */
static int later_page(struct catalogue *c, int64_t content, uint64_t offset,
		      struct extent_page *out, bool *has_more, struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_EXTENTS_PAGE, "SELECT extents, page FROM content_page"
		       " WHERE content = ? AND page <= ? ORDER BY page DESC LIMIT 1", e) < 0)
		return -1;
	query_int(&q, content);
	query_int(&q, offset > INT64_MAX ? INT64_MAX : (int64_t)offset);
	int got = page_from_row(&q, content, false, out, has_more, e);
	query_close(&q);
	return got < 0 ? -1 : 0;
}

int catalogue_extents(struct catalogue *c, int64_t content, uint64_t offset,
		      struct extent_page *out, struct err *e)
{
	struct query q;
	bool has_more = false;

	if (query_open(&q, c, STATEMENT_EXTENTS, "SELECT extents FROM content WHERE id = ?",
		       e) < 0)
		return -1;
	query_int(&q, content);
	int got = page_from_row(&q, content, true, out, &has_more, e);
	query_close(&q);
	if (got == 0)
		return catalogue_damaged(c, e, "content %" PRId64 " is missing", content);
	if (got < 0 || (has_more && later_page(c, content, offset, out, &has_more, e) < 0))
		return -1;
	return has_more ? find_end(c, content, out, e) : 0;
}

int catalogue_extents_between(struct catalogue *c, int64_t first, int64_t last,
			      int (*row)(void *arg, int64_t content,
					 const struct extent_page *page),
			      void *arg, struct err *e)
{
	struct query q;
	struct extent_page page;
	int got = 0, answer = 0;

	if (query_open(&q, c, STATEMENT_EXTENTS_BETWEEN, "SELECT extents, id FROM content"
		       " WHERE id BETWEEN ? AND ? ORDER BY id", e) < 0)
		return -1;
	query_int(&q, first);
	query_int(&q, last);
	while (answer == 0 && (got = query_step(&q, e)) > 0) {
		int64_t id = query_column_id(&q, 1);
		size_t size;
		const uint8_t *data = query_column_blob(&q, 0, 1, EXTENTS_PACKED_MAX, &size);
		bool has_more;

		if (q.is_bad || !extents_parse(0, data, size, &page, &has_more))
			answer = catalogue_damaged(c, e, "the extents of content %" PRId64
						   " do not read", id);
		else if (!has_more)
			answer = row(arg, id, &page);
	}
	return query_end(&q, got, answer);
}

static int add_first_page(struct catalogue *c, int64_t id, const struct digest *sha256,
			  const uint8_t *raw, size_t size, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_CONTENT_ADD,
			     "INSERT INTO content(id, extents, sha) VALUES(?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, id);
	query_blob(&q, raw, size);
	query_blob(&q, sha256->bytes, DIGEST_SIZE);
	return query_run(&q, e);
}

static int add_later_page(struct catalogue *c, int64_t id, uint64_t page,
			  const uint8_t *raw, size_t size, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_CONTENT_PAGE_ADD, "INSERT INTO"
			     " content_page(content, page, extents) VALUES(?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, id);
	query_unsigned(&q, page);
	query_blob(&q, raw, size);
	return query_run(&q, e);
}

int catalogue_content_add(struct catalogue *c, int64_t id, const struct digest *sha256,
			  const struct extent *extents, size_t count, struct err *e)
{
	uint8_t raw[EXTENTS_PACKED_MAX];
	uint64_t end = 0;
	size_t done = 0;

	do {
		size_t left = count - done;
		unsigned n = left > EXTENTS_A_PAGE ? EXTENTS_A_PAGE : (unsigned)left;
		uint64_t page = done ? extents[done].offset : 0;
		size_t size = page < end ? 0 :
			extents_pack(page, extents + done, n, n < left, raw);

		if (size == 0)
			return err_set(e, MUNI_LIMIT, "extents %zu to %zu of content %" PRId64
				       " overlap or are out of range", done, done + n, id);
		if ((done == 0 ? add_first_page(c, id, sha256, raw, size, e) :
		     add_later_page(c, id, page, raw, size, e)) < 0)
			return -1;
		done += n;
		if (n)
			end = extents[done - 1].offset + extents[done - 1].size;
	} while (done < count);
	return 0;
}

/* ---- blocks and segments -------------------------------------------------------------- */

#define BLOCK_SELECT \
	"SELECT b.id, b.uid, b.key, b.segment, b.offset, b.stored, b.raw, b.codec," \
	"  b.class, b.year, b.base1, b.base2, s.uid" \
	" FROM block b LEFT JOIN segment s ON s.id = b.segment"

static int64_t base_column(struct query *q, int column)
{
	if (sqlite3_column_type(q->stmt, column) == SQLITE_NULL)
		return 0;
	return query_column_id(q, column);
}

static int block_from_row(struct query *q, struct block *b, uint8_t segment_uid[16],
			  struct err *e)
{
	b->id = query_column_id(q, 0);
	query_column_bytes(q, 1, b->uid, sizeof b->uid);
	query_column_bytes(q, 2, b->key, sizeof b->key);
	b->segment = query_column_id(q, 3);
	b->offset = (uint64_t)query_column(q, 4, 0, INT64_MAX - BLOCK_STORED_MAX);
	b->stored = (uint32_t)query_column(q, 5, 1, BLOCK_STORED_MAX);
	b->raw = (uint32_t)query_column(q, 6, 1, BLOCK_RAW_MAX);
	b->codec = (uint8_t)query_column(q, 7, BLOCK_STORED, UINT8_MAX);
	b->class_id = query_column_id(q, 8);
	b->year = (int32_t)query_column(q, 9, INT32_MIN, INT32_MAX);
	b->bases[0] = base_column(q, 10);
	b->bases[1] = base_column(q, 11);
	query_column_bytes(q, 12, segment_uid, 16);
	/* A base has a lower number: so no chain of bases is a circle. */
	if (b->bases[0] >= b->id || b->bases[1] >= b->id || (b->bases[1] && !b->bases[0]))
		q->is_bad = true;
	return query_check(q, "block", b->id, e);
}

int catalogue_block(struct catalogue *c, int64_t id, struct block *out,
		    uint8_t segment_uid[16], struct err *e)
{
	struct query q;
	int rc = -1;

	if (query_open(&q, c, STATEMENT_BLOCK, BLOCK_SELECT " WHERE b.id = ?", e) < 0)
		return -1;
	query_int(&q, id);
	int got = query_step(&q, e);
	if (got > 0)
		rc = block_from_row(&q, out, segment_uid, e);
	else if (got == 0)
		catalogue_damaged(c, e, "block %" PRId64 " is missing", id);
	query_close(&q);
	return rc;
}

/* The rows of an open query. */
static int each_block(struct query *q, int (*row)(void *arg, const struct block *b,
						  const uint8_t segment_uid[16]),
		      void *arg, struct err *e)
{
	struct block b;
	uint8_t uid[16];
	int got = 0, answer = 0;

	while (answer == 0 && (got = query_step(q, e)) > 0)
		answer = block_from_row(q, &b, uid, e) < 0 ? -1 : row(arg, &b, uid);
	return query_end(q, got, answer);
}

int catalogue_blocks_between(struct catalogue *c, int64_t first, int64_t last,
			     int (*row)(void *arg, const struct block *b,
					const uint8_t segment_uid[16]), void *arg,
			     struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_BLOCKS_BETWEEN,
		       BLOCK_SELECT " WHERE b.id BETWEEN ? AND ? ORDER BY b.id", e) < 0)
		return -1;
	query_int(&q, first);
	query_int(&q, last);
	return each_block(&q, row, arg, e);
}

int catalogue_blocks(struct catalogue *c,
		     int (*row)(void *arg, const struct block *b,
				const uint8_t segment_uid[16]), void *arg, struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_BLOCKS,
		       BLOCK_SELECT " ORDER BY b.segment, b.offset", e) < 0)
		return -1;
	return each_block(&q, row, arg, e);
}

int catalogue_blocks_within(struct catalogue *c, int64_t segment, uint64_t first, uint64_t last,
			    int (*row)(void *arg, const struct block *b,
				       const uint8_t segment_uid[16]), void *arg,
			    struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_BLOCKS_WITHIN,
		       BLOCK_SELECT " WHERE b.segment = ? AND b.offset BETWEEN ? AND ?"
		       " ORDER BY b.offset", e) < 0)
		return -1;
	query_int(&q, segment);
	query_int(&q, (int64_t)first);
	query_int(&q, (int64_t)last);
	return each_block(&q, row, arg, e);
}

int catalogue_segments(struct catalogue *c,
		       int (*row)(void *arg, int64_t id, const uint8_t uid[16]), void *arg,
		       struct err *e)
{
	struct query q;
	uint8_t uid[16];
	int got = 0, answer = 0;

	if (query_open(&q, c, STATEMENT_SEGMENTS,
		       "SELECT id, uid FROM segment ORDER BY id", e) < 0)
		return -1;
	while (answer == 0 && (got = query_step(&q, e)) > 0) {
		int64_t id = query_column_id(&q, 0);

		query_column_bytes(&q, 1, uid, sizeof uid);
		answer = query_check(&q, "segment", id, e) < 0 ? -1 : row(arg, id, uid);
	}
	return query_end(&q, got, answer);
}

int catalogue_segment_add(struct catalogue *c, int64_t id, const uint8_t uid[16],
			  struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_SEGMENT_ADD,
			     "INSERT INTO segment(id, uid) VALUES(?, ?)", e) < 0)
		return -1;
	query_int(&q, id);
	query_blob(&q, uid, 16);
	return query_run(&q, e);
}

int catalogue_block_add(struct catalogue *c, const struct block *b, struct err *e)
{
	struct query q;

	if (b->bases[0] >= b->id || b->bases[1] >= b->id || (b->bases[1] && !b->bases[0]))
		return err_set(e, MUNI_LIMIT, "block %" PRId64 " names a base that is not "
			       "older than itself", b->id);
	if (query_open_write(&q, c, STATEMENT_BLOCK_ADD, "INSERT INTO block(id, uid, key,"
			     " segment, offset, stored, raw, codec, class, year, base1, base2)"
			     " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, b->id);
	query_blob(&q, b->uid, sizeof b->uid);
	query_blob(&q, b->key, sizeof b->key);
	query_int(&q, b->segment);
	query_unsigned(&q, b->offset);
	query_int(&q, b->stored);
	query_int(&q, b->raw);
	query_int(&q, b->codec);
	query_int(&q, b->class_id);
	query_int(&q, b->year);
	query_id_or_null(&q, b->bases[0]);
	query_id_or_null(&q, b->bases[1]);
	return query_run(&q, e);
}

/* ---- chunks ------------------------------------------------------------------------------ */

int catalogue_chunk_find(struct catalogue *c, const uint8_t name[CHUNK_NAME_SIZE],
			 struct chunk_place *out, bool *is_found, struct err *e)
{
	struct query q;
	int rc = -1;

	*is_found = false;
	if (query_open(&q, c, STATEMENT_CHUNK_FIND,
		       "SELECT block, at, size FROM chunk WHERE name BETWEEN ? AND ?"
		       " ORDER BY name DESC LIMIT 1", e) < 0)
		return -1;
	/* The whole name, of an older row, or what one of today keeps of it. */
	query_blob(&q, name, CHUNK_NAME_KEPT);
	query_blob(&q, name, CHUNK_NAME_SIZE);
	int got = query_step(&q, e);
	if (got > 0) {
		out->block = query_column_id(&q, 0);
		out->at = (uint32_t)query_column(&q, 1, 0, BLOCK_RAW_MAX - 1);
		out->size = (uint32_t)query_column(&q, 2, 1, BLOCK_RAW_MAX);
		if (out->size > BLOCK_RAW_MAX - out->at)
			q.is_bad = true;
		rc = query_check(&q, "a chunk of block", out->block, e);
		*is_found = rc == 0;
	} else if (got == 0) {
		rc = 0;
	}
	query_close(&q);
	return rc;
}

int catalogue_chunk_add(struct catalogue *c, const uint8_t name[CHUNK_NAME_SIZE],
			const struct chunk_place *p, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_CHUNK_ADD, "INSERT INTO"
			     " chunk(name, block, at, size) VALUES(?, ?, ?, ?)"
			     " ON CONFLICT DO UPDATE SET block = excluded.block,"
			     " at = excluded.at, size = excluded.size", e) < 0)
		return -1;
	query_blob(&q, name, CHUNK_NAME_KEPT);
	query_int(&q, p->block);
	query_int(&q, p->at);
	query_int(&q, p->size);
	return query_run(&q, e);
}

int catalogue_chunk_any(struct catalogue *c, bool *out, struct err *e)
{
	struct query q;
	int rc;

	if (query_open(&q, c, STATEMENT_CHUNK_ANY, "SELECT 1 FROM chunk LIMIT 1", e) < 0)
		return -1;
	rc = query_step(&q, e);
	*out = rc > 0;
	query_close(&q);
	return rc < 0 ? -1 : 0;
}

int catalogue_chunk_count(struct catalogue *c, uint64_t *out, struct err *e)
{
	struct query q;
	int rc = -1;

	*out = 0;
	if (query_open(&q, c, STATEMENT_CHUNK_COUNT, "SELECT count(*) FROM chunk", e) < 0)
		return -1;
	if (query_step(&q, e) > 0) {
		*out = (uint64_t)query_column(&q, 0, 0, INT64_MAX);
		rc = 0;
	}
	query_close(&q);
	return rc;
}
