/*
 * The bytes of a parity object's head and trailer.
 *
 * head  8 "MUNIPARI" 4 format 4 data 4 parity 4 index 4 members 4 zero 8 columns
 *       8 generation 16 archive 16 group 16 object 16 zero 16 sum of these 112
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/store/parity_inside.h"

#define SUMMED 112
#define MEMBER 24

static const uint8_t magic[8] = "MUNIPARI";

uint64_t parity_columns(uint64_t size)
{
	return size / PARITY_COLUMN + (size % PARITY_COLUMN != 0);
}

void parity_sum(const void *data, size_t size, uint8_t sum[PARITY_SUM])
{
	struct digest d = digest_of(data, size);

	memcpy(sum, d.bytes, PARITY_SUM);
}

int parity_column_sums_new(unsigned format, struct keyed_hash **out, struct err *e)
{
	static const uint8_t key[KEYED_HASH_KEY_SIZE] = "muniment sum of a parity column";

	*out = NULL;
	return format == PARITY_FORMAT_DIGESTS ? 0 : keyed_hash_new(key, out, e);
}

int parity_column_sum(struct keyed_hash *sums, const void *data, size_t size,
		      uint8_t sum[PARITY_SUM], struct err *e)
{
	_Static_assert(KEYED_HASH_SIZE == PARITY_SUM, "a sum is a whole tag");
	if (sums != NULL)
		return keyed_hash_of(sums, NULL, 0, data, size, sum, e);
	parity_sum(data, size, sum);
	return 0;
}

struct object_name parity_object_name(const uint8_t group[16], uint64_t generation,
				      unsigned index)
{
	struct object_name name = { .kind = OBJECTS_PARITY };
	uint8_t raw[44];
	struct writer w = writer_over(raw, sizeof raw);

	writer_bytes(&w, "muniment.parity\0", 16);
	writer_bytes(&w, group, 16);
	writer_u64(&w, generation);
	writer_u32(&w, index);
	assert(!w.overflow);
	parity_sum(raw, sizeof raw, name.uid);
	return name;
}

void parity_head_write(const uint8_t archive_id[16], const struct parity_head *h,
		       uint8_t out[PARITY_HEAD])
{
	struct writer w = writer_over(out, PARITY_HEAD);

	writer_bytes(&w, magic, sizeof magic);
	writer_u32(&w, h->format);
	writer_u32(&w, h->data);
	writer_u32(&w, h->parity);
	writer_u32(&w, h->index);
	writer_u32(&w, h->members);
	writer_u32(&w, 0);
	writer_u64(&w, h->columns);
	writer_u64(&w, h->generation);
	writer_bytes(&w, archive_id, 16);
	writer_bytes(&w, h->group, 16);
	writer_bytes(&w, h->uid, 16);
	writer_zeros(&w, SUMMED - w.used);
	parity_sum(out, SUMMED, out + SUMMED);
}

int parity_head_parse(const uint8_t raw[PARITY_HEAD], const uint8_t archive_id[16],
		      const uint8_t uid[16], struct parity_head *out, struct err *e)
{
	struct reader r = reader_over(raw, PARITY_HEAD);
	uint8_t sum[PARITY_SUM];
	struct object_name name;

	parity_sum(raw, SUMMED, sum);
	if (memcmp(raw, magic, sizeof magic) != 0 ||
	    memcmp(raw + SUMMED, sum, sizeof sum) != 0)
		return err_set(e, MUNI_DAMAGED, "its head is not what was written");
	reader_view(&r, sizeof magic);
	out->format = reader_u32(&r);
	if (out->format != PARITY_FORMAT && out->format != PARITY_FORMAT_DIGESTS)
		return err_set(e, MUNI_FORMAT, "it is of format %u, which this program "
			       "does not know: use a newer one", out->format);
	out->data = reader_u32(&r);
	out->parity = reader_u32(&r);
	out->index = reader_u32(&r);
	out->members = reader_u32(&r);
	reader_u32(&r);
	out->columns = reader_u64(&r);
	out->generation = reader_u64(&r);
	if (memcmp(reader_view(&r, 16), archive_id, 16) != 0)
		return err_set(e, MUNI_DAMAGED, "it belongs to another archive");
	reader_bytes(&r, out->group, sizeof out->group);
	reader_bytes(&r, out->uid, sizeof out->uid);
	if (out->data < 1 || out->data > PARITY_DATA_MAX || out->parity < 1 ||
	    out->parity > PARITY_PARITY_MAX || out->index >= out->parity ||
	    out->members < 1 || out->members > out->data || out->columns < 1 ||
	    out->columns > PARITY_COLUMNS_MAX)
		return err_set(e, MUNI_DAMAGED, "its head contradicts itself");
	name = parity_object_name(out->group, out->generation, out->index);
	if (memcmp(name.uid, uid, 16) != 0 || memcmp(out->uid, uid, 16) != 0)
		return err_set(e, MUNI_DAMAGED, "it stands under another's name");
	return 0;
}

size_t parity_directory_size(unsigned members)
{
	return (size_t)members * MEMBER + PARITY_SUM;
}

uint64_t parity_trailer_size(const struct parity_group *g)
{
	uint64_t columns = g->columns;

	for (unsigned i = 0; i < g->count; i++)
		columns += g->members[i].columns;
	return parity_directory_size(g->count) + columns * PARITY_SUM + PARITY_SUM;
}

uint64_t parity_object_size(const struct parity_group *g)
{
	return 2 * PARITY_HEAD + g->columns * PARITY_COLUMN + 2 * parity_trailer_size(g);
}

/* Sum of the head and the bytes after it, so that no trailer fits another head. */
static int sum_with_head(const uint8_t head[PARITY_HEAD], const void *data, size_t size,
			 uint8_t sum[PARITY_SUM], struct err *e)
{
	struct hasher *h = hasher_new();
	struct digest d;

	if (h == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a checksum");
	hasher_update(h, head, PARITY_HEAD);
	hasher_update(h, data, size);
	d = hasher_finish(h);
	hasher_free(h);
	memcpy(sum, d.bytes, PARITY_SUM);
	return 0;
}

int parity_trailer_write(const struct parity_group *g, const uint8_t head[PARITY_HEAD],
			 const uint8_t *own_sums, uint8_t *out, struct err *e)
{
	struct writer w = writer_over(out, (size_t)parity_trailer_size(g));
	uint8_t sum[PARITY_SUM];

	for (unsigned i = 0; i < g->count; i++) {
		writer_bytes(&w, g->members[i].uid, 16);
		writer_u64(&w, g->members[i].size);
	}
	if (sum_with_head(head, out, w.used, sum, e) < 0)
		return -1;
	writer_bytes(&w, sum, sizeof sum);
	for (unsigned i = 0; i < g->count; i++)
		writer_bytes(&w, g->members[i].sums,
			     (size_t)g->members[i].columns * PARITY_SUM);
	writer_bytes(&w, own_sums, (size_t)g->columns * PARITY_SUM);
	if (sum_with_head(head, out, w.used, sum, e) < 0)
		return -1;
	writer_bytes(&w, sum, sizeof sum);
	assert(!w.overflow && w.used == w.size);
	return 0;
}

int parity_directory_parse(const struct parity_head *h, const uint8_t head[PARITY_HEAD],
			   const uint8_t *raw, struct parity_member *members,
			   struct err *e)
{
	size_t size = parity_directory_size(h->members);
	struct reader r = reader_over(raw, size);
	uint8_t sum[PARITY_SUM];
	uint64_t longest = 0;

	if (sum_with_head(head, raw, size - PARITY_SUM, sum, e) < 0)
		return -1;
	if (memcmp(sum, raw + size - PARITY_SUM, sizeof sum) != 0)
		return err_set(e, MUNI_DAMAGED, "its directory is not what was written");
	for (unsigned i = 0; i < h->members; i++) {
		struct parity_member *m = &members[i];

		*m = (struct parity_member){ .size = 0 };
		reader_bytes(&r, m->uid, sizeof m->uid);
		m->size = reader_u64(&r);
		if (m->size == 0 || m->size > (uint64_t)PARITY_COLUMNS_MAX * PARITY_COLUMN)
			return err_set(e, MUNI_DAMAGED, "its directory gives an impossible "
				       "size");
		m->columns = parity_columns(m->size);
		if (m->columns > longest)
			longest = m->columns;
	}
	if (longest != h->columns)
		return err_set(e, MUNI_DAMAGED, "its directory contradicts its head");
	return 0;
}
