#include "fs/store/redo_layout.h"

#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"

#define HEAD_SUM_AT (REDO_HEAD_SIZE - DIGEST_SIZE)
#define PARTS_MAX (1u << 20)
#define PIECE_GROWTH 17		/* a piece that does not compress is sealed as it is: a tag, and how */

static const uint8_t magic[8] = "MUNIREDO";

/*
 * At least two stripes, so that a damaged run that crosses from one column into
 * the next meets two of them: hence columns of a fortieth of a small payload.
 */
struct redo_layout redo_layout_of(uint64_t payload)
{
	struct redo_layout l = { .payload = payload };
	uint64_t column = (payload + 2 * REDO_STRIPE - 1) / (2 * REDO_STRIPE);

	column = (column + 63) / 64 * 64;
	if (column < REDO_COLUMN_MIN)
		column = REDO_COLUMN_MIN;
	if (column > REDO_COLUMN_MAX)
		column = REDO_COLUMN_MAX;
	l.column = (uint32_t)column;
	l.data = (uint32_t)((payload + column - 1) / column);
	l.parity = (l.data + REDO_STRIPE - 1) / REDO_STRIPE;
	if (l.parity < 2)
		l.parity = 2;

	uint64_t table = (uint64_t)(l.data + l.parity) * REDO_SUM_SIZE;
	l.table_at = REDO_HEAD_SIZE;
	l.data_at = l.table_at + table;
	l.parity_at = l.data_at + (uint64_t)l.data * l.column;
	l.table_copy_at = l.parity_at + (uint64_t)l.parity * l.column;
	l.head_copy_at = l.table_copy_at + table;
	l.size = l.head_copy_at + REDO_HEAD_SIZE;
	return l;
}

static uint64_t number_size(enum redo_kind kind)
{
	return kind == REDO_CHANGES ? REDO_NUMBER_SIZE : 0;
}

uint64_t redo_layout_sealed_payload(const struct redo_head *h)
{
	return h->pages * (PAGEVFS_PAGE_SIZE + number_size(h->kind));
}

struct redo_packing redo_layout_packing(enum redo_kind kind, uint32_t pages)
{
	struct redo_packing p;

	p.pieces = (pages + REDO_PIECE_PAGES - 1) / REDO_PIECE_PAGES;
	p.head_at = pages * number_size(kind);
	p.seals_at = p.head_at + PAGEVFS_HEAD_SIZE;
	p.sizes_at = p.seals_at + (size_t)pages * REDO_SEAL_SIZE;
	p.pieces_at = p.sizes_at + (size_t)p.pieces * 4;
	return p;
}

uint32_t redo_layout_piece_pages(uint32_t pages, uint32_t i)
{
	uint32_t left = pages - i * REDO_PIECE_PAGES;

	return left < REDO_PIECE_PAGES ? left : REDO_PIECE_PAGES;
}

uint32_t redo_layout_stripe(const struct redo_layout *l)
{
	return (l->data + l->parity - 1) / l->parity;
}

void redo_layout_write_head(const struct redo_head *h, const struct digest *table,
			    uint8_t out[REDO_HEAD_SIZE])
{
	struct redo_layout l = redo_layout_of(h->payload);
	struct writer w = writer_over(out, REDO_HEAD_SIZE);

	writer_bytes(&w, magic, sizeof magic);
	writer_u32(&w, h->format);
	writer_u32(&w, h->kind);
	writer_bytes(&w, h->archive_id, sizeof h->archive_id);
	writer_bytes(&w, h->uid, sizeof h->uid);
	writer_u64(&w, h->epoch);
	writer_u64(&w, h->sequence);
	writer_u32(&w, h->part);
	writer_u32(&w, h->parts);
	writer_u32(&w, PAGEVFS_PAGE_SIZE);
	writer_u32(&w, l.column);
	writer_u32(&w, l.data);
	writer_u32(&w, l.parity);
	writer_u32(&w, h->pages);
	writer_u32(&w, h->first);
	writer_u64(&w, h->page_count);
	writer_bytes(&w, h->before.bytes, DIGEST_SIZE);
	writer_bytes(&w, h->after.bytes, DIGEST_SIZE);
	writer_bytes(&w, table->bytes, DIGEST_SIZE);
	writer_u64(&w, h->format == REDO_FORMAT_SEALED ? 0 : h->payload);
	writer_zeros(&w, HEAD_SUM_AT - w.used);
	struct digest sum = digest_of(out, HEAD_SUM_AT);
	writer_bytes(&w, sum.bytes, DIGEST_SIZE);
}

/* The checksum keeps out accidents, this what somebody wrote on purpose. */
static bool is_sensible(const struct redo_head *h, uint32_t page_size)
{
	if (h->kind != REDO_BASE && h->kind != REDO_CHANGES)
		return false;
	if (page_size != PAGEVFS_PAGE_SIZE || h->parts == 0 || h->parts > PARTS_MAX ||
	    h->part >= h->parts)
		return false;
	if (h->pages == 0 || h->pages > REDO_OBJECT_PAGES || h->page_count == 0 ||
	    h->page_count >= UINT32_MAX || h->pages > h->page_count)
		return false;
	if (h->kind == REDO_CHANGES)
		return h->first == 0;
	return h->first > 0 && h->first - 1 <= h->page_count - h->pages;
}

/* Between what the list takes with nothing behind it and pages that do not compress. */
static bool is_sensible_payload(const struct redo_head *h)
{
	struct redo_packing p = redo_layout_packing(h->kind, h->pages);
	uint64_t most = p.pieces_at + (uint64_t)h->pages * PAGEVFS_BODY_SIZE +
			(uint64_t)p.pieces * PIECE_GROWTH;

	return h->payload > p.pieces_at && h->payload <= most;
}

int redo_layout_read_head(const uint8_t raw[REDO_HEAD_SIZE], struct redo_head *h,
			  struct digest *table, struct err *e)
{
	struct digest sum = digest_of(raw, HEAD_SUM_AT);
	struct reader r = reader_over(raw, REDO_HEAD_SIZE);
	uint8_t seen[sizeof magic];

	reader_bytes(&r, seen, sizeof seen);
	if (memcmp(seen, magic, sizeof magic) != 0 ||
	    memcmp(sum.bytes, raw + HEAD_SUM_AT, DIGEST_SIZE) != 0)
		return err_set(e, MUNI_DAMAGED, "its head is damaged");
	h->format = reader_u32(&r);
	if (h->format < REDO_FORMAT_SEALED || h->format > REDO_FORMAT_COLUMNS)
		return err_set(e, MUNI_FORMAT, "it is of format %u, which a later program "
			       "made", h->format);
	h->kind = (enum redo_kind)reader_u32(&r);
	reader_bytes(&r, h->archive_id, sizeof h->archive_id);
	reader_bytes(&r, h->uid, sizeof h->uid);
	h->epoch = reader_u64(&r);
	h->sequence = reader_u64(&r);
	h->part = reader_u32(&r);
	h->parts = reader_u32(&r);
	uint32_t page_size = reader_u32(&r);
	uint32_t column = reader_u32(&r);
	uint32_t data = reader_u32(&r);
	uint32_t parity = reader_u32(&r);
	h->pages = reader_u32(&r);
	h->first = reader_u32(&r);
	h->page_count = reader_u64(&r);
	reader_bytes(&r, h->before.bytes, DIGEST_SIZE);
	reader_bytes(&r, h->after.bytes, DIGEST_SIZE);
	reader_bytes(&r, table->bytes, DIGEST_SIZE);
	h->payload = reader_u64(&r);
	if (!is_sensible(h, page_size))
		return err_set(e, MUNI_DAMAGED, "its head makes no sense");
	if (h->format == REDO_FORMAT_SEALED)
		h->payload = redo_layout_sealed_payload(h);
	else if (!is_sensible_payload(h))
		return err_set(e, MUNI_DAMAGED, "its head makes no sense");
	struct redo_layout l = redo_layout_of(h->payload);
	if (l.column != column || l.data != data || l.parity != parity)
		return err_set(e, MUNI_DAMAGED, "its head makes no sense");
	return 0;
}
