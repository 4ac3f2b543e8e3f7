/* Sketches of the blocks that may serve as bases. */
#include "fs/store/catalogue_inside.h"

#include "fs/base/bytes.h"

int catalogue_sketch_add(struct catalogue *c, int64_t block, const struct sketch *s,
			 struct err *e)
{
	uint8_t raw[SKETCH_MAX * 4];
	struct writer w = writer_over(raw, sizeof raw);
	struct query q;

	if (s->count == 0)
		return 0;
	for (unsigned i = 0; i < s->count; i++)
		writer_u32(&w, s->features[i]);
	if (w.overflow)
		return err_set(e, MUNI_LIMIT, "a sketch of %u features", s->count);
	if (query_open_write(&q, c, STATEMENT_SKETCH_ADD, "INSERT INTO sketch(block, class,"
			     " depth, features) VALUES(?, ?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, block);
	query_int(&q, s->class_id);
	query_int(&q, s->depth);
	query_blob(&q, raw, w.used);
	return query_run(&q, e);
}

static int take_row(struct query *q, int64_t *block, struct sketch *s, struct err *e)
{
	size_t size;

	*block = query_column_id(q, 0);
	s->class_id = query_column_id(q, 1);
	s->depth = (uint8_t)query_column(q, 2, 0, UINT8_MAX);
	const uint8_t *raw = query_column_blob(q, 3, 4, SKETCH_MAX * 4, &size);
	if (query_check(q, "the sketch of block", *block, e) < 0)
		return -1;
	struct reader r = reader_over(raw, size);

	s->count = (uint8_t)(size / 4);
	for (unsigned i = 0; i < s->count; i++)
		s->features[i] = reader_u32(&r);
	return 0;
}

int catalogue_sketches(struct catalogue *c, int64_t before,
		       int (*row)(void *arg, int64_t block, const struct sketch *s), void *arg,
		       struct err *e)
{
	struct query q;
	int got;

	if (query_open(&q, c, STATEMENT_SKETCHES, "SELECT block, class, depth, features FROM"
		       " sketch WHERE block < ? ORDER BY block DESC", e) < 0)
		return -1;
	query_int(&q, before);
	while ((got = query_step(&q, e)) > 0) {
		int64_t block;
		struct sketch s;

		got = take_row(&q, &block, &s, e);
		if (got == 0)
			got = row(arg, block, &s);
		if (got != 0)
			break;
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}
