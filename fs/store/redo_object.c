#include "fs/store/redo_object.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/rs.h"
#include "fs/store/redo_layout.h"

/* Everything of an object but its heads, in one piece of memory. */
struct image {
	struct redo_layout l;
	uint8_t *columns;	/* data, then parity */
	uint8_t *table;		/* their checksums */
	bool *is_bad;
};

static void image_free(struct image *m)
{
	free(m->columns);
	free(m->table);
	free(m->is_bad);
	*m = (struct image){ 0 };
}

static int image_new(uint64_t payload, struct image *m, struct err *e)
{
	*m = (struct image){ .l = redo_layout_of(payload) };
	size_t count = m->l.data + m->l.parity;
	m->columns = calloc(count, m->l.column);
	m->table = calloc(count, REDO_SUM_SIZE);
	m->is_bad = calloc(count, sizeof *m->is_bad);
	if (m->columns && m->table && m->is_bad)
		return 0;
	image_free(m);
	return err_set(e, MUNI_NO_MEMORY, "no memory for a copy of catalogue pages");
}

static uint8_t *column(const struct image *m, uint32_t i)
{
	return m->columns + (size_t)i * m->l.column;
}

static void sum_of(const struct image *m, uint32_t i, uint8_t out[REDO_SUM_SIZE])
{
	struct digest d = digest_of(column(m, i), m->l.column);

	memcpy(out, d.bytes, REDO_SUM_SIZE);
}

static size_t table_size(const struct image *m)
{
	return (size_t)(m->l.data + m->l.parity) * REDO_SUM_SIZE;
}

/* ---- pages in memory ------------------------------------------------------ */

void redo_object_free(struct redo_object *r)
{
	free(r->payload);
	free(r->sealed);
	r->payload = r->sealed = NULL;
}

uint32_t redo_object_number(const struct redo_object *r, uint32_t i)
{
	const uint8_t *at = r->payload + (size_t)i * REDO_NUMBER_SIZE;

	assert(i < r->head.pages);
	if (r->head.kind == REDO_BASE)
		return r->head.first + i;
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

const uint8_t *redo_object_page(const struct redo_object *r, uint32_t i)
{
	size_t list = r->head.kind == REDO_CHANGES ? (size_t)r->head.pages * REDO_NUMBER_SIZE : 0;
	const uint8_t *pages = r->sealed;

	assert(i < r->head.pages);
	if (r->head.format == REDO_FORMAT_SEALED)
		pages = r->payload + list;
	assert(pages != NULL);
	return pages + (size_t)i * PAGEVFS_PAGE_SIZE;
}

const uint8_t *redo_object_tag(const struct redo_object *r, uint32_t i)
{
	struct redo_packing p = redo_layout_packing(r->head.kind, r->head.pages);

	assert(i < r->head.pages);
	if (r->head.format == REDO_FORMAT_SEALED)
		return redo_object_page(r, i) + PAGEVFS_TAG_AT;
	return r->payload + p.seals_at + (size_t)i * REDO_SEAL_SIZE + PAGEVFS_NONCE_SIZE;
}

const uint8_t *redo_object_first_bytes(const struct redo_object *r, uint32_t i)
{
	if (redo_object_number(r, i) != 1)
		return NULL;
	if (r->head.format == REDO_FORMAT_SEALED)
		return redo_object_page(r, i);
	return r->payload + redo_layout_packing(r->head.kind, r->head.pages).head_at;
}

/* ---- parity ------------------------------------------------------------------ */

/* The columns of one stripe as the code wants them: data (short stripes filled up
 * with zeros), then parity.  *numbers: which column each is, UINT32_MAX: none. */
static void stripe_of(const struct image *m, uint32_t stripe, uint8_t *zeros,
		      uint8_t *shards[REDO_STRIPE + 1], uint32_t numbers[REDO_STRIPE + 1])
{
	uint32_t k = redo_layout_stripe(&m->l);

	for (uint32_t i = 0; i < k; i++) {
		uint32_t number = stripe + i * m->l.parity;
		bool is_there = number < m->l.data;
		shards[i] = is_there ? column(m, number) : zeros;
		numbers[i] = is_there ? number : UINT32_MAX;
	}
	/* Stripes go on around through the parity columns, so that neighbours are
	 * never of one stripe. */
	numbers[k] = m->l.data + (stripe + m->l.parity - m->l.data % m->l.parity) % m->l.parity;
	shards[k] = column(m, numbers[k]);
}

static int image_add_parity(struct image *m, struct err *e)
{
	uint32_t numbers[REDO_STRIPE + 1];
	uint8_t *shards[REDO_STRIPE + 1];
	uint32_t k = redo_layout_stripe(&m->l);
	uint8_t *zeros = calloc(1, m->l.column);
	struct rs *rs = NULL;
	int rc = -1;

	if (!zeros) {
		err_set(e, MUNI_NO_MEMORY, "no memory for parity");
		goto out;
	}
	if (rs_new(k, 1, &rs, e) < 0)
		goto out;
	for (uint32_t stripe = 0; stripe < m->l.parity; stripe++) {
		stripe_of(m, stripe, zeros, shards, numbers);
		rs_encode(rs, (const uint8_t *const *)shards, shards + k, m->l.column);
	}
	rc = 0;
out:
	if (rs)
		rs_free(rs);
	free(zeros);
	return rc;
}

/* Columns of is_bad are rebuilt where their stripe lets them; what then has its
 * checksum again is good. */
static int image_mend(struct image *m, struct err *e)
{
	uint32_t numbers[REDO_STRIPE + 1];
	uint8_t *shards[REDO_STRIPE + 1], sum[REDO_SUM_SIZE];
	uint32_t k = redo_layout_stripe(&m->l);
	uint8_t *zeros = calloc(1, m->l.column);
	struct rs *rs = NULL;
	int rc = -1;

	if (!zeros) {
		err_set(e, MUNI_NO_MEMORY, "no memory for parity");
		goto out;
	}
	if (rs_new(k, 1, &rs, e) < 0)
		goto out;
	for (uint32_t stripe = 0; stripe < m->l.parity; stripe++) {
		bool is_missing[REDO_STRIPE + 1] = { false };
		uint32_t bad = UINT32_MAX, count = 0;

		stripe_of(m, stripe, zeros, shards, numbers);
		for (uint32_t i = 0; i <= k; i++) {
			is_missing[i] = numbers[i] != UINT32_MAX && m->is_bad[numbers[i]];
			bad = is_missing[i] ? numbers[i] : bad;
			count += is_missing[i];
		}
		if (count != 1)
			continue;
		if (rs_rebuild(rs, shards, is_missing, m->l.column, e) < 0)
			goto out;
		sum_of(m, bad, sum);
		m->is_bad[bad] = memcmp(sum, m->table + (size_t)bad * REDO_SUM_SIZE,
					REDO_SUM_SIZE) != 0;
	}
	rc = 0;
out:
	if (rs)
		rs_free(rs);
	free(zeros);
	return rc;
}

/* ---- writing -------------------------------------------------------------------- */

int redo_object_put(struct objects *o, const struct redo_object *r, struct err *e)
{
	struct object_name name = { .kind = OBJECTS_CATALOGUE };
	uint8_t head[REDO_HEAD_SIZE], head_copy[REDO_HEAD_SIZE];
	struct image m;
	int rc = -1;

	memcpy(name.uid, r->head.uid, sizeof name.uid);
	if (image_new(r->head.payload, &m, e) < 0)
		return -1;
	memcpy(m.columns, r->payload, m.l.payload);
	if (image_add_parity(&m, e) < 0)
		goto out;
	for (uint32_t i = 0; i < m.l.data + m.l.parity; i++)
		sum_of(&m, i, m.table + (size_t)i * REDO_SUM_SIZE);

	struct digest table = digest_of(m.table, table_size(&m));
	redo_layout_write_head(&r->head, &table, head);
	memcpy(head_copy, head, sizeof head);
	struct iovec parts[] = {
		{ head, sizeof head },
		{ m.table, table_size(&m) },
		{ m.columns, (size_t)(m.l.data + m.l.parity) * m.l.column },
		{ m.table, table_size(&m) },
		{ head_copy, sizeof head_copy },
	};
	rc = objects_put(o, &name, parts, sizeof parts / sizeof *parts, e);
out:
	image_free(&m);
	return rc;
}

/* ---- reading --------------------------------------------------------------------- */

/* A bad sector is damage like any other: parity is there for it. */
static bool is_damage(const struct err *e)
{
	return e->code == MUNI_DAMAGED || e->code == MUNI_IO;
}

static int read_head_at(struct objects *o, const struct object_name *name, uint64_t offset,
			struct redo_head *h, struct digest *table, struct err *e)
{
	uint8_t raw[REDO_HEAD_SIZE];

	if (objects_get(o, name, offset, raw, sizeof raw, e) < 0 ||
	    redo_layout_read_head(raw, h, table, e) < 0)
		return -1;
	if (memcmp(h->uid, name->uid, sizeof h->uid) != 0)
		return err_set(e, MUNI_DAMAGED, "it stands under another object's name");
	return 0;
}

/* From the front, else from the end.  *bad: how many of the two are damaged. */
static int read_head(struct objects *o, const struct object_name *name, bool want_both,
		     struct redo_head *h, struct digest *table, unsigned *bad, struct err *e)
{
	struct redo_head second;
	struct digest second_table;
	char text[OBJECT_TEXT_MAX];
	struct err other = ERR_NONE;
	uint64_t size;

	*bad = 0;
	int rc = read_head_at(o, name, 0, h, table, e);
	if (rc < 0 && !is_damage(e))
		return err_wrap(e, "%s", object_text(name, text));
	*bad += rc < 0;
	if (rc == 0 && !want_both)
		return 0;

	if (objects_size(o, name, &size, &other) < 0 || size < REDO_HEAD_SIZE ||
	    read_head_at(o, name, size - REDO_HEAD_SIZE, &second, &second_table, &other) < 0) {
		(*bad)++;
		return rc < 0 ? err_wrap(e, "%s", object_text(name, text)) : 0;
	}
	if (rc < 0) {
		*h = second;
		*table = second_table;
		*e = ERR_NONE;
	}
	return 0;
}

int redo_object_head(struct objects *o, const struct object_name *name,
		     struct redo_head *out, struct err *e)
{
	struct digest table;
	unsigned bad;

	return read_head(o, name, false, out, &table, &bad, e);
}

/* Reads both copies; either will do. */
static int read_table(struct objects *o, const struct object_name *name, struct image *m,
		      const struct digest *want, unsigned *bad, struct err *e)
{
	const uint64_t places[2] = { m->l.table_copy_at, m->l.table_at };
	uint8_t *copy = malloc(table_size(m));

	if (!copy)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a table of checksums");
	*bad = 0;
	for (unsigned i = 0; i < 2; i++) {
		struct err why = ERR_NONE;
		struct digest sum = { 0 };
		if (objects_get(o, name, places[i], copy, table_size(m), &why) == 0)
			sum = digest_of(copy, table_size(m));
		if (digest_equal(&sum, want))
			memcpy(m->table, copy, table_size(m));
		else
			(*bad)++;
	}
	free(copy);
	return *bad < 2 ? 0 : err_set(e, MUNI_DAMAGED, "both copies of its table of checksums "
				      "are damaged");
}

static uint32_t read_columns(struct objects *o, const struct object_name *name,
			     struct image *m)
{
	uint8_t sum[REDO_SUM_SIZE];
	uint32_t bad = 0;

	for (uint32_t i = 0; i < m->l.data + m->l.parity; i++) {
		struct err why = ERR_NONE;
		m->is_bad[i] = objects_get(o, name, m->l.data_at + (uint64_t)i * m->l.column,
					   column(m, i), m->l.column, &why) < 0;
		sum_of(m, i, sum);
		if (memcmp(sum, m->table + (size_t)i * REDO_SUM_SIZE, REDO_SUM_SIZE) != 0)
			m->is_bad[i] = true;
		bad += m->is_bad[i];
	}
	return bad;
}

static int load_image(struct objects *o, const struct object_name *name,
		      const struct digest *table, struct image *m, struct redo_object *out,
		      struct err *e)
{
	unsigned bad_tables = 0;
	uint32_t lost = 0;

	if (read_table(o, name, m, table, &bad_tables, e) < 0)
		return -1;
	out->is_head_bad |= bad_tables > 0;
	out->bad_columns = read_columns(o, name, m);
	if (out->bad_columns > 0 && image_mend(m, e) < 0)
		return -1;
	for (uint32_t i = 0; i < m->l.data; i++)
		lost += m->is_bad[i];
	if (lost > 0)
		return err_set(e, MUNI_DAMAGED, "%u of its %u columns are damaged beyond its "
			       "parity", lost, m->l.data);
	return 0;
}

int redo_object_load(struct objects *o, const struct object_name *name,
		     struct redo_object *out, struct err *e)
{
	struct image m = { 0 };
	struct digest table;
	struct redo_head head;
	char text[OBJECT_TEXT_MAX];
	unsigned bad_heads;
	uint64_t size;
	int rc = -1;

	*out = (struct redo_object){ 0 };
	if (read_head(o, name, true, &head, &table, &bad_heads, e) < 0)
		return -1;
	out->head = head;
	if (image_new(head.payload, &m, e) < 0 ||
	    objects_size(o, name, &size, e) < 0)
		goto out;
	out->is_head_bad = bad_heads > 0 || size != m.l.size;
	objects_expect(o, name, 0, m.l.size);
	if (load_image(o, name, &table, &m, out, e) < 0) {
		err_wrap(e, "%s", object_text(name, text));
		goto out;
	}
	/* The data columns are the payload. */
	out->payload = m.columns;
	m.columns = NULL;
	rc = 0;
out:
	image_free(&m);
	return rc;
}
