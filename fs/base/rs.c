#include "fs/base/rs.h"

#include <isa-l/erasure_code.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"

#define SHARDS_MAX 255
#define TABLE_SIZE 32			/* ISA-L's bytes per coefficient */
#define PIECE (1 << 20)			/* ISA-L counts in int */

struct rs {
	unsigned data_count;
	unsigned parity_count;
	uint8_t *matrix;	/* owned; (data + parity) rows of data */
	uint8_t *tables;	/* owned; of the parity rows */
};

int rs_new(unsigned data_count, unsigned parity_count, struct rs **out, struct err *e)
{
	struct rs *rs;
	unsigned total = data_count + parity_count;

	*out = NULL;
	if (data_count == 0 || parity_count == 0 || data_count > SHARDS_MAX ||
	    parity_count > SHARDS_MAX || total > SHARDS_MAX)
		return err_set(e, MUNI_LIMIT, "parity %u+%u: both must be at least 1 and "
			       "their sum at most %u", data_count, parity_count,
			       SHARDS_MAX);
	rs = calloc(1, sizeof *rs);
	if (rs == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for parity");
	rs->data_count = data_count;
	rs->parity_count = parity_count;
	rs->matrix = malloc((size_t)total * data_count);
	rs->tables = malloc((size_t)TABLE_SIZE * data_count * parity_count);
	if (rs->matrix == NULL || rs->tables == NULL) {
		rs_free(rs);
		return err_set(e, MUNI_NO_MEMORY, "no memory for parity");
	}
	gf_gen_cauchy1_matrix(rs->matrix, (int)total, (int)data_count);
	ec_init_tables((int)data_count, (int)parity_count,
		       rs->matrix + (size_t)data_count * data_count, rs->tables);
	*out = rs;
	return 0;
}

/* out[outputs] = tables * in[inputs], piece by piece. */
static void multiply(unsigned inputs, unsigned outputs, uint8_t *tables,
		     const uint8_t *const *in, uint8_t *const *out, size_t size)
{
	unsigned char *from[SHARDS_MAX], *to[SHARDS_MAX];

	for (size_t at = 0; at < size; at += PIECE) {
		size_t n = size - at < PIECE ? size - at : PIECE;

		/* ISA-L does not write through its inputs; its types do not say so. */
		for (unsigned i = 0; i < inputs; i++)
			from[i] = (unsigned char *)(uintptr_t)(in[i] + at);
		for (unsigned i = 0; i < outputs; i++)
			to[i] = out[i] + at;
		ec_encode_data((int)n, (int)inputs, (int)outputs, tables, from, to);
	}
}

void rs_encode(const struct rs *rs, const uint8_t *const *data, uint8_t *const *parity,
	       size_t size)
{
	multiply(rs->data_count, rs->parity_count, rs->tables, data, parity, size);
}

void rs_update(const struct rs *rs, unsigned index, const uint8_t *data,
	       uint8_t *const *parity, size_t size)
{
	unsigned char *to[SHARDS_MAX];

	for (size_t at = 0; at < size; at += PIECE) {
		size_t n = size - at < PIECE ? size - at : PIECE;

		for (unsigned j = 0; j < rs->parity_count; j++)
			to[j] = parity[j] + at;
		ec_encode_data_update((int)n, (int)rs->data_count, (int)rs->parity_count,
				      (int)index, rs->tables,
				      (unsigned char *)(uintptr_t)(data + at), to);
	}
}

struct rebuild {
	unsigned present[SHARDS_MAX];	/* the first data_count shards that are there */
	uint8_t *square;	/* owned; their rows, then used as scratch */
	uint8_t *inverse;	/* owned */
	uint8_t *rows;		/* owned; one per missing data shard */
	uint8_t *tables;	/* owned */
};

static int rebuild_prepare(const struct rs *rs, const bool *is_missing,
			   struct rebuild *b, struct err *e)
{
	size_t k = rs->data_count;
	unsigned found = 0, total = rs->data_count + rs->parity_count;

	for (unsigned i = 0; i < total && found < k; i++)
		if (!is_missing[i])
			b->present[found++] = i;
	if (found < k)
		return err_set(e, MUNI_DAMAGED, "only %u of %u parts are left where %zu "
			       "are needed", found, total, k);
	b->square = malloc(k * k);
	b->inverse = malloc(k * k);
	b->rows = malloc(k * k);
	b->tables = malloc(TABLE_SIZE * k * (k > rs->parity_count ? k : rs->parity_count));
	if (b->square == NULL || b->inverse == NULL || b->rows == NULL ||
	    b->tables == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to rebuild from parity");
	for (size_t i = 0; i < k; i++)
		memcpy(b->square + i * k, rs->matrix + b->present[i] * k, k);
	/* Any square part of a Cauchy matrix has an inverse. */
	if (gf_invert_matrix(b->square, b->inverse, (int)k) != 0)
		return err_set(e, MUNI_DAMAGED, "the parity matrix has no inverse");
	return 0;
}

static void rebuild_data(const struct rs *rs, struct rebuild *b,
			 uint8_t *const *shards, const bool *is_missing, size_t size)
{
	const uint8_t *in[SHARDS_MAX];
	uint8_t *out[SHARDS_MAX];
	unsigned outputs = 0;
	size_t k = rs->data_count;

	for (unsigned i = 0; i < k; i++) {
		in[i] = shards[b->present[i]];
		if (!is_missing[i])
			continue;
		memcpy(b->rows + outputs * k, b->inverse + i * k, k);
		out[outputs++] = shards[i];
	}
	if (outputs == 0)
		return;
	ec_init_tables((int)k, (int)outputs, b->rows, b->tables);
	multiply((unsigned)k, outputs, b->tables, in, out, size);
}

/* Once the data is whole, lost parity is encoded anew. */
static void rebuild_parity(const struct rs *rs, struct rebuild *b,
			   uint8_t *const *shards, const bool *is_missing, size_t size)
{
	const uint8_t *in[SHARDS_MAX];
	uint8_t *out[SHARDS_MAX];
	unsigned outputs = 0, k = rs->data_count;

	for (unsigned i = 0; i < k; i++)
		in[i] = shards[i];
	for (unsigned i = k; i < k + rs->parity_count; i++) {
		if (!is_missing[i])
			continue;
		ec_init_tables((int)k, 1, rs->matrix + (size_t)i * k,
			       b->tables + (size_t)TABLE_SIZE * k * outputs);
		out[outputs++] = shards[i];
	}
	if (outputs > 0)
		multiply(k, outputs, b->tables, in, out, size);
}

int rs_rebuild(const struct rs *rs, uint8_t *const *shards, const bool *is_missing,
	       size_t size, struct err *e)
{
	struct rebuild b = { .square = NULL };
	int rc = -1;

	if (rebuild_prepare(rs, is_missing, &b, e) < 0)
		goto out;
	rebuild_data(rs, &b, shards, is_missing, size);
	rebuild_parity(rs, &b, shards, is_missing, size);
	rc = 0;
out:
	free(b.square);
	free(b.inverse);
	free(b.rows);
	free(b.tables);
	return rc;
}

void rs_free(struct rs *rs)
{
	if (rs == NULL)
		return;
	free(rs->matrix);
	free(rs->tables);
	free(rs);
}
