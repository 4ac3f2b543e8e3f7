#include "fs/store/parity_stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/store/parity_inside.h"

#define SLAB 16		/* columns that are allocated together */
/* A first member up to this size is kept until its end: only then is it known which
 * group it is alike. */
#define STAGED_MAX (8u << 20)

struct slab {
	uint8_t *data;		/* SLAB columns; owned; NULL: zeros */
};

struct parity_batch {
	struct objects *objects;	/* borrowed */
	uint8_t archive_id[16];
	struct parity_group *group;	/* owned */
	struct slab *slabs[PARITY_PARITY_MAX];	/* owned */
	size_t slab_count;		/* of each */
	struct object_name old[PARITY_PARITY_MAX];	/* what it replaces */
	unsigned old_count;
};

struct parity_stream {
	struct objects *objects;	/* borrowed */
	uint8_t archive_id[16];
	struct parity_strength strength;
	struct rs *rs;			/* owned */
	struct keyed_hash *column_sums;	/* owned; of what is in the newer format */
	struct parity_index index;
	bool has_open[PARITY_CLASSES];
	struct parity_span open[PARITY_CLASSES];
	struct parity_batch *batch;	/* owned; NULL: the next member chooses one */
	/* The member in the making: */
	uint8_t uid[16];
	uint64_t size;
	uint8_t *sums;			/* owned; PARITY_SUM a column */
	size_t columns, sums_capacity;
	uint8_t column[PARITY_COLUMN];	/* of the last one, until it is full */
	size_t column_used;
	uint8_t *staged;		/* owned; STAGED_MAX; NULL: none is kept */
	bool is_staged;
};

/* ---- batches ----------------------------------------------------------------------- */

void parity_batch_free(struct parity_batch *b)
{
	if (b == NULL)
		return;
	for (unsigned j = 0; j < PARITY_PARITY_MAX; j++) {
		for (size_t i = 0; i < b->slab_count && b->slabs[j] != NULL; i++)
			free(b->slabs[j][i].data);
		free(b->slabs[j]);
	}
	parity_group_free(b->group);
	free(b);
}

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for parity");
}

/* Room for `columns`: what was not there counts as zeros. */
static int make_room(struct parity_batch *b, uint64_t columns, struct err *e)
{
	size_t count = (size_t)((columns + SLAB - 1) / SLAB);

	if (count <= b->slab_count)
		return 0;
	for (unsigned j = 0; j < b->group->parity; j++) {
		struct slab *list = realloc(b->slabs[j], count * sizeof *list);

		if (list == NULL)
			return no_memory(e);
		memset(list + b->slab_count, 0, (count - b->slab_count) * sizeof *list);
		b->slabs[j] = list;
	}
	b->slab_count = count;
	return 0;
}

static int touch(struct slab *s, struct err *e)
{
	if (s->data != NULL)
		return 0;
	/* Written here: what is read first is a page of zeros that all share, and the write
	 * that takes it away is told to every processor. */
	s->data = malloc((size_t)SLAB * PARITY_COLUMN);
	if (s->data == NULL)
		return no_memory(e);
	memset(s->data, 0, (size_t)SLAB * PARITY_COLUMN);
	return 0;
}

static int sum_column(struct parity_stream *s, const struct parity_group *g,
		      const uint8_t *data, size_t size, uint8_t sum[PARITY_SUM],
		      struct err *e)
{
	return parity_column_sum(g->format == PARITY_FORMAT_DIGESTS ? NULL : s->column_sums,
				 data, size, sum, e);
}

/* Old parity into memory: what it covers stays covered.  MUNI_DAMAGED. */
static int load_parity(struct parity_stream *stream, struct parity_batch *b, struct err *e)
{
	const struct parity_group *g = b->group;
	uint8_t sum[PARITY_SUM];

	if (make_room(b, g->columns, e) < 0)
		return -1;
	for (unsigned j = 0; j < g->parity; j++) {
		struct object_name name = parity_object_name(g->uid, g->generation, j);

		for (uint64_t c = 0; c < g->columns; c++) {
			struct slab *s = &b->slabs[j][c / SLAB];

			if (touch(s, e) < 0)
				return -1;
			uint8_t *to = s->data + c % SLAB * PARITY_COLUMN;

			if (objects_get(b->objects, &name, PARITY_HEAD + c * PARITY_COLUMN, to,
					PARITY_COLUMN, e) < 0 ||
			    sum_column(stream, g, to, PARITY_COLUMN, sum, e) < 0)
				return -1;
			if (memcmp(sum, g->objects[j].sums + c * PARITY_SUM, PARITY_SUM) != 0)
				return err_set(e, MUNI_DAMAGED, "old parity is damaged");
		}
		b->old[b->old_count++] = name;
	}
	return 0;
}

static struct parity_batch *batch_new(struct parity_stream *s, struct parity_group *g,
				      struct err *e)
{
	struct parity_batch *b = calloc(1, sizeof *b);

	if (b == NULL) {
		parity_group_free(g);
		no_memory(e);
		return NULL;
	}
	b->objects = s->objects;
	memcpy(b->archive_id, s->archive_id, sizeof b->archive_id);
	b->group = g;
	return b;
}

/* The archive's open group of this class.  *out NULL: it is of no use. */
static int go_on_with(struct parity_stream *s, unsigned class, struct parity_batch **out,
		      struct err *e)
{
	struct parity_group *g = NULL;
	int rc = parity_group_load(s->objects, s->archive_id, &s->index, &s->open[class], &g, e);

	*out = NULL;
	s->has_open[class] = false;	/* whatever comes of it, once */
	for (unsigned j = 0; rc == 0 && j < g->parity; j++)
		if (g->objects[j].sums == NULL)
			rc = err_set(e, MUNI_DAMAGED, "parity is damaged");
	if (rc == 0) {
		*out = batch_new(s, g, e);
		g = NULL;
		rc = *out != NULL ? load_parity(s, *out, e) : -1;
	}
	parity_group_free(g);
	if (rc < 0) {
		parity_batch_free(*out);
		*out = NULL;
	}
	if (rc < 0 && e->code == MUNI_DAMAGED) {
		*e = ERR_NONE;	/* verify names it; the newcomers get another group */
		return 0;
	}
	return rc;
}

static int choose(struct parity_stream *s, uint64_t size, struct err *e)
{
	unsigned class = parity_class_of(parity_columns(size));
	struct parity_group *g;

	assert(s->batch == NULL);
	if (s->has_open[class] && go_on_with(s, class, &s->batch, e) < 0)
		return -1;
	if (s->batch != NULL)
		return 0;
	g = parity_group_new(s->strength.data, s->strength.parity, e);
	if (g == NULL)
		return -1;
	if (random_bytes(g->uid, sizeof g->uid, e) < 0) {
		parity_group_free(g);
		return -1;
	}
	s->batch = batch_new(s, g, e);
	return s->batch != NULL ? 0 : -1;
}

/* Columns [first, first + count) of the member that joins as the next. */
static int add_columns(struct parity_stream *s, uint64_t first, const uint8_t *data,
		       size_t count, struct err *e)
{
	struct parity_batch *b = s->batch;
	uint8_t *parity[PARITY_PARITY_MAX];

	if (make_room(b, first + count, e) < 0)
		return -1;
	while (count > 0) {
		size_t at = (size_t)(first % SLAB);
		size_t n = count < SLAB - at ? count : SLAB - at;

		for (unsigned j = 0; j < b->group->parity; j++) {
			struct slab *slab = &b->slabs[j][first / SLAB];

			if (touch(slab, e) < 0)
				return -1;
			parity[j] = slab->data + at * PARITY_COLUMN;
		}
		rs_update(s->rs, b->group->count, data, parity, n * PARITY_COLUMN);
		data += n * PARITY_COLUMN;
		first += n;
		count -= n;
	}
	return 0;
}

/* ---- the stream ---------------------------------------------------------------------- */

static void find_open(struct parity_stream *s)
{
	struct parity_span span;
	size_t at = 0;

	while (parity_index_next(&s->index, &at, &span)) {
		const struct parity_head *h = &s->index.heads[span.first];
		unsigned class = parity_class_of(h->columns);

		if (!span.is_complete || h->members >= h->data ||
		    h->data != s->strength.data || h->parity != s->strength.parity)
			continue;
		s->has_open[class] = true;
		s->open[class] = span;
	}
}

int parity_stream_new(struct objects *o, const uint8_t archive_id[16],
		      struct parity_strength strength, struct parity_stream **out,
		      struct err *e)
{
	struct parity_stream *s = NULL;

	*out = NULL;
	if (strength.parity < 1 || parity_check_strength(strength, e) < 0)
		return e->code ? -1 : err_set(e, MUNI_USAGE, "no parity is asked for");
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return no_memory(e);
	s->objects = o;
	memcpy(s->archive_id, archive_id, sizeof s->archive_id);
	s->strength = strength;
	if (rs_new(strength.data, strength.parity, &s->rs, e) < 0 ||
	    parity_column_sums_new(PARITY_FORMAT, &s->column_sums, e) < 0 ||
	    parity_index_load(o, archive_id, &s->index, e) < 0) {
		parity_stream_free(s);
		return -1;
	}
	find_open(s);
	*out = s;
	return 0;
}

void parity_stream_free(struct parity_stream *s)
{
	if (s == NULL)
		return;
	parity_batch_free(s->batch);
	parity_index_free(&s->index);
	rs_free(s->rs);
	keyed_hash_free(s->column_sums);
	free(s->sums);
	free(s->staged);
	free(s);
}

struct parity_batch *parity_stream_take(struct parity_stream *s)
{
	struct parity_batch *b = s->batch;

	s->batch = NULL;
	return b;
}

int parity_stream_begin(struct parity_stream *s, const uint8_t uid[16], uint64_t expected,
			struct parity_batch **closed, struct err *e)
{
	*closed = NULL;
	if (s->batch != NULL && parity_class_of(parity_columns(expected)) !=
				parity_class_of(s->batch->group->columns))
		*closed = parity_stream_take(s);
	memcpy(s->uid, uid, sizeof s->uid);
	s->size = s->columns = s->column_used = 0;
	s->is_staged = s->batch == NULL && expected <= STAGED_MAX / 2;
	if (s->is_staged && s->staged == NULL) {
		s->staged = malloc(STAGED_MAX);
		if (s->staged == NULL)
			return no_memory(e);
	}
	if (s->batch != NULL || s->is_staged)
		return 0;
	return choose(s, expected, e);
}

static int room_for_sums(struct parity_stream *s, size_t columns, struct err *e)
{
	size_t capacity = s->sums_capacity ? s->sums_capacity : 256;
	uint8_t *sums;

	while (capacity < columns)
		capacity *= 2;
	if (capacity == s->sums_capacity)
		return 0;
	sums = realloc(s->sums, capacity * PARITY_SUM);
	if (sums == NULL)
		return no_memory(e);
	s->sums = sums;
	s->sums_capacity = capacity;
	return 0;
}

/* Columns [first, first + count) of the member into its group, which says how sums are made.
 * What lies past the end counts as zeros, in the code but not in the sum. */
static int join_group(struct parity_stream *s, size_t first, const uint8_t *data, size_t count,
		      struct err *e)
{
	if (room_for_sums(s, first + count, e) < 0)
		return -1;
	for (size_t k = 0; k < count; k++) {
		uint64_t left = s->size - (uint64_t)(first + k) * PARITY_COLUMN;

		if (sum_column(s, s->batch->group, data + k * PARITY_COLUMN,
			       left < PARITY_COLUMN ? (size_t)left : PARITY_COLUMN,
			       s->sums + (first + k) * PARITY_SUM, e) < 0)
			return -1;
	}
	return add_columns(s, first, data, count, e);
}

static int unstage(struct parity_stream *s, uint64_t size, struct err *e)
{
	s->is_staged = false;
	return choose(s, size, e) < 0 ? -1 : join_group(s, 0, s->staged, s->columns, e);
}

/* Whole columns, of which the member's last one was filled up with zeros. */
static int take_columns(struct parity_stream *s, const uint8_t *data, size_t count,
			struct err *e)
{
	if (s->is_staged && (s->columns + count) * PARITY_COLUMN > STAGED_MAX &&
	    unstage(s, STAGED_MAX, e) < 0)
		return -1;
	if (s->is_staged)
		memcpy(s->staged + s->columns * PARITY_COLUMN, data, count * PARITY_COLUMN);
	else if (join_group(s, s->columns, data, count, e) < 0)
		return -1;
	s->columns += count;
	return 0;
}

int parity_stream_append(struct parity_stream *s, const void *data, size_t size,
			 struct err *e)
{
	const uint8_t *at = data;

	s->size += size;
	while (size > 0) {
		size_t n = size / PARITY_COLUMN;

		if (s->column_used == 0 && n > 0) {
			if (take_columns(s, at, n, e) < 0)
				return -1;
			n *= PARITY_COLUMN;
		} else {
			n = PARITY_COLUMN - s->column_used;
			if (n > size)
				n = size;
			memcpy(s->column + s->column_used, at, n);
			s->column_used += n;
			if (s->column_used == PARITY_COLUMN) {
				s->column_used = 0;
				if (take_columns(s, s->column, 1, e) < 0)
					return -1;
			}
		}
		at += n;
		size -= n;
	}
	return 0;
}

static int end_column(struct parity_stream *s, struct err *e)
{
	if (s->column_used == 0)
		return 0;
	memset(s->column + s->column_used, 0, PARITY_COLUMN - s->column_used);
	s->column_used = 0;
	return take_columns(s, s->column, 1, e);
}

int parity_stream_end(struct parity_stream *s, struct parity_batch **closed, struct err *e)
{
	struct parity_group *g;
	uint8_t *sums;

	*closed = NULL;
	assert(s->size > 0);
	if (end_column(s, e) < 0 || (s->is_staged && unstage(s, s->size, e) < 0))
		return -1;
	sums = malloc(s->columns * PARITY_SUM);
	if (sums == NULL)
		return no_memory(e);
	memcpy(sums, s->sums, s->columns * PARITY_SUM);
	g = s->batch->group;
	parity_group_add(g, s->uid, s->size);
	g->members[g->count - 1].sums = sums;
	if (g->count == g->data)
		*closed = parity_stream_take(s);
	return 0;
}

/* ---- writing ------------------------------------------------------------------------- */

static int write_object(struct parity_batch *b, unsigned index, struct err *e)
{
	struct parity_group *g = b->group;
	struct parity_output out;
	int rc = -1;

	if (parity_output_open(b->objects, b->archive_id, g, index, &out, e) < 0)
		return -1;
	for (uint64_t c = 0; c < g->columns; c += SLAB) {
		struct slab *s = &b->slabs[index][c / SLAB];
		uint64_t n = g->columns - c < SLAB ? g->columns - c : SLAB;

		if (touch(s, e) < 0 || parity_output_columns(&out, c, s->data, (unsigned)n, e) < 0)
			goto out;
	}
	rc = parity_output_commit(&out, g, false, e);
out:
	parity_output_abort(&out);
	return rc;
}

int parity_batch_write(struct parity_batch *b, struct err *e)
{
	if (parity_next_generation(b->objects, b->group, e) < 0)
		return err_wrap(e, "writing parity");
	for (unsigned j = 0; j < b->group->parity; j++)
		if (write_object(b, j, e) < 0)
			return err_wrap(e, "writing parity");
	for (unsigned j = 0; j < b->old_count; j++)
		if (objects_delete(b->objects, &b->old[j], e) < 0)
			return err_wrap(e, "removing old parity");
	return 0;
}

uint64_t parity_batch_bytes(const struct parity_batch *b)
{
	return b->group->parity * parity_object_size(b->group);
}
