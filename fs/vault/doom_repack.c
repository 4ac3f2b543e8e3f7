/*
 * Survivors of blocks that go: decoded, packed into new blocks with new ids and keys, in
 * new segments.  Pieces of one class and year stay together, in the order they had, so
 * that what lay beside each other still does; blocks are as large as those were, and lean
 * on others where those did (doom_bases.h).
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/arena.h"
#include "fs/crypt/keyed_hash.h"
#include "fs/crypt/secret.h"
#include "fs/store/objects.h"
#include "fs/store/segment.h"
#include "fs/vault/doom_bases.h"
#include "fs/vault/doom_inside.h"
#include "fs/vault/inside.h"
#include "fs/vault/reader_decode.h"
#include "fs/vault/sketch.h"

#define CACHE_BYTES (32u << 20)
#define CATALOGUE_CACHE (4u << 20)
#define LEAD_AT_MOST (64u << 20)	/* raw bytes, as an ingest's (pack_leader.c) */

struct repack {
	struct doom *d;
	struct vault *v;
	const struct vault_monitor *monitor;
	struct block_cache *cache;
	struct vault_reader *reader;
	struct block_encoder *encoder;
	struct segment_builder *builder;
	struct keyed_hash *sums;	/* of sealed blocks */
	struct doom_bases *bases;
	struct block_leader *leader;	/* of this class; NULL: none yet */
	uint64_t led;		/* raw bytes, by it */
	uint32_t usual;		/* raw bytes a block, at least */
	uint32_t leaders;	/* ... of a leader */
	uint32_t target;	/* of the one that fills */
	uint8_t *raw;		/* BLOCK_RAW_MAX; the block that fills */
	uint32_t *features;	/* SKETCH_FEATURES_MAX; scratch */
	uint32_t used;
	int64_t class_id;	/* of it */
	int32_t year;
	int64_t id;
	size_t old, piece;	/* where it begins */
	bool is_based;		/* something in it leaned on others */
	bool is_to_lead;	/* it is as large as a leader, for what comes was led */
	bool has_segment;	/* segments_new has one for what the builder holds */
	uint64_t bytes_done, bytes_total;
};

/* They lie in the old blocks still, which were read a moment ago. */
static int raw_of(void *arg, const struct fresh_block *f, uint8_t *out, struct err *e)
{
	struct repack *r = arg;
	const struct doom *d = r->d;
	size_t piece = f->piece, filled = 0;

	for (size_t i = f->old; filled < f->block.raw && i < d->old_count; i++, piece = 0) {
		const struct old_block *old = &d->old[i];
		struct cached_block *decoded;

		if (reader_pin(r->reader, old->id, old->raw, false, &decoded, e) < 0)
			return -1;
		for (; piece < old->pieces && filled < f->block.raw; piece++) {
			const struct piece *p = &d->pieces[old->piece + piece];

			cached_block_copy(decoded, p->at, p->size, out + filled);
			filled += p->size;
		}
		block_cache_unpin(r->cache, decoded);
	}
	return 0;
}

static int open_parts(struct repack *r, struct err *e)
{
	struct catalogue_settings s;
	struct block_sizes sizes;

	if (catalogue_settings_get(r->v->catalogue, &s, e) < 0)
		return -1;
	block_sizes_of(s.block_size, (int)s.level, &sizes);
	r->usual = s.block_size;
	r->leaders = sizes.leader;
	r->cache = block_cache_new(CACHE_BYTES);
	r->raw = malloc(BLOCK_RAW_MAX);
	r->features = malloc(SKETCH_FEATURES_MAX * sizeof *r->features);
	if (!r->cache || !r->raw || !r->features)
		return doom_no_memory(e);
	if (vault_reader_open(r->v, r->cache, CATALOGUE_CACHE, &r->reader, e) < 0 ||
	    block_encoder_new(r->v->id, (int)s.level, &r->encoder, e) < 0)
		return -1;
	if (doom_bases_new(r->d, r->reader, s.is_dense, raw_of, r, &r->bases, e) < 0)
		return -1;
	return segment_sums_new(&r->sums, e) < 0 ? -1 :
	       segment_builder_new(r->v->id, SEGMENT_SIZE_DEFAULT, &r->builder, e);
}

static void close_parts(struct repack *r)
{
	segment_builder_free(r->builder);
	keyed_hash_free(r->sums);
	block_encoder_free(r->encoder);
	doom_bases_free(r->bases);
	block_leader_free(r->leader);
	vault_reader_close(r->reader);
	block_cache_free(r->cache);
	free(r->features);
	free(r->raw);
}

/* ---- out ------------------------------------------------------------------------------ */

static int begin_segment(struct repack *r, struct err *e)
{
	struct doom *d = r->d;
	struct new_segment *list = doom_room(d->segments_new, d->segment_count,
					     &d->segment_capacity, sizeof *list, e);

	if (!list)
		return -1;
	d->segments_new = list;
	list += d->segment_count++;
	list->id = d->next_segment++;
	memcpy(list->uid, segment_builder_uid(r->builder), sizeof list->uid);
	r->has_segment = true;
	return 0;
}

static int put_segment(struct repack *r, struct err *e)
{
	if (!r->has_segment)
		return 0;
	r->has_segment = false;
	return segment_builder_put(r->builder, r->v->objects, e) < 0 ?
		err_wrap(e, "writing a segment") : 0;
}

static int add_sealed(struct repack *r, struct block *b, const uint8_t *sealed, struct err *e)
{
	uint8_t sum[16];

	if (segment_sum(r->sums, sealed, b->stored, sum, e) < 0)
		return -1;
	for (;;) {
		if (!r->has_segment && begin_segment(r, e) < 0)
			return -1;
		if (segment_builder_add(r->builder, b->uid, sealed, b->stored, sum, &b->offset,
					e) == 0)
			break;
		if (e->code != MUNI_LIMIT)
			return -1;
		*e = ERR_NONE;
		if (put_segment(r, e) < 0)
			return -1;
	}
	b->segment = r->d->segments_new[r->d->segment_count - 1].id;
	return 0;
}

static int make_room(struct doom *d, struct err *e)
{
	size_t more = d->fresh_capacity ? d->fresh_capacity * 2 : 256;
	struct fresh_block *list;

	if (d->fresh_count < d->fresh_capacity)
		return 0;
	list = arena_resize(d->fresh, more * sizeof *list);	/* keys stand in it */
	if (!list)
		return doom_no_memory(e);
	d->fresh = list;
	d->fresh_capacity = more;
	return 0;
}

static void end_leader(struct repack *r)
{
	block_leader_free(r->leader);
	r->leader = NULL;
	r->led = 0;
}

/* It resembles nothing, and may have been led: a leader is of use to what shares no more than
 * words with it. */
static int encode_led(struct repack *r, struct block *b, const uint8_t **sealed,
		      struct err *e)
{
	if (r->leader) {
		if (block_encode_led(r->encoder, r->leader, true, r->raw, r->used, b, sealed,
				     e) < 0)
			return -1;
		r->led += r->used;
		if (r->led >= LEAD_AT_MOST)
			end_leader(r);
		return 0;
	}
	if (block_encode(r->encoder, r->raw, r->used, NULL, 0, b, sealed, e) < 0)
		return -1;
	return r->is_to_lead && b->codec == BLOCK_ZSTD ?
		block_leader_new(b->id, r->raw, r->used, &r->leader, e) : 0;
}

static int encode(struct repack *r, struct fresh_block *f, const uint8_t **sealed,
		  struct err *e)
{
	size_t count = sketch_features(r->raw, r->used, r->is_based, r->features);
	struct base_bytes base = { .data = NULL };
	struct block *b = &f->block;

	sketch_keep(r->features, count, r->used, &f->sketch);
	f->sketch.class_id = r->class_id;
	if (r->is_based && doom_bases_choose(r->bases, r->features, count, b, &base, e) < 0)
		return -1;
	if (r->is_based && !base.data)
		return encode_led(r, b, sealed, e);
	if (block_encode(r->encoder, r->raw, r->used, base.data, base.size, b, sealed, e) < 0)
		return -1;
	if (b->codec != BLOCK_ZSTD_BASED) {	/* it does not compress, even so */
		memset(b->bases, 0, sizeof b->bases);
		return 0;
	}
	f->sketch.depth = base.depth;
	if (base.is_far)
		f->sketch.count = 0;
	return 0;
}

static int flush(struct repack *r, struct err *e)
{
	struct doom *d = r->d;
	struct fresh_block *f;
	const uint8_t *sealed = NULL;

	if (r->used == 0)
		return 0;
	if (make_room(d, e) < 0)
		return -1;
	f = &d->fresh[d->fresh_count];
	memset(f, 0, sizeof *f);
	f->block = (struct block){ .id = r->id, .class_id = r->class_id, .year = r->year };
	f->old = r->old;
	f->piece = r->piece;
	if (encode(r, f, &sealed, e) < 0 || add_sealed(r, &f->block, sealed, e) < 0) {
		secret_wipe(f, sizeof *f);
		return -1;
	}
	d->fresh_count++;
	d->result.bytes_repacked += f->block.stored;
	r->used = 0;
	return doom_bases_add(r->bases, e);
}

/* ---- in ------------------------------------------------------------------------------- */

/* As large as the one whose piece is its first. */
static void begin_block(struct repack *r, const struct old_block *old, size_t piece)
{
	r->id = r->d->next_block++;
	r->target = old->raw > r->usual ? old->raw : r->usual;
	r->old = (size_t)(old - r->d->old);
	r->piece = piece;
	r->is_based = false;
	r->is_to_lead = old->is_led && !r->leader;
	if (r->is_to_lead && r->target < r->leaders)
		r->target = r->leaders;
}

static int take_piece(struct repack *r, const struct old_block *old, size_t number,
		      const struct cached_block *from, struct err *e)
{
	struct piece *p = &r->d->pieces[old->piece + number];
	uint32_t most = r->target + r->target / 4;

	/* A block may pass its target by a quarter rather than end far below it. */
	if (r->used > 0 && r->used + p->size > (most < BLOCK_RAW_MAX ? most : BLOCK_RAW_MAX) &&
	    flush(r, e) < 0)
		return -1;
	if (r->used == 0)
		begin_block(r, old, number);
	cached_block_copy(from, p->at, p->size, r->raw + r->used);
	p->new_block = r->id;
	p->new_at = r->used;
	r->used += p->size;
	r->is_based = r->is_based || old->is_based;
	return r->used >= r->target - r->target / 8 ? flush(r, e) : 0;
}

static int take_block(struct repack *r, const struct old_block *old, struct err *e)
{
	struct cached_block *decoded = NULL;
	int rc = 0;

	if ((old->class_id != r->class_id || old->year != r->year) && flush(r, e) < 0)
		return -1;
	if (old->class_id != r->class_id)
		end_leader(r);
	r->class_id = old->class_id;
	r->year = old->year;
	if (reader_pin(r->reader, old->id, old->raw, false, &decoded, e) < 0)
		return err_wrap(e, "moving what stays out of block %lld", (long long)old->id);
	for (size_t i = 0; i < old->pieces && rc == 0; i++)
		rc = take_piece(r, old, i, decoded, e);
	block_cache_unpin(r->cache, decoded);
	return rc;
}

static int by_class(const void *a, const void *b)
{
	const struct old_block *x = a, *y = b;

	if (x->class_id != y->class_id)
		return x->class_id < y->class_id ? -1 : 1;
	if (x->year != y->year)
		return x->year < y->year ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static int go_on(struct repack *r, const struct old_block *old, struct err *e)
{
	const struct vault_monitor *m = r->monitor;
	const struct vault_progress p = { .stage = "moving what stays",
					  .bytes_done = r->bytes_done += old->raw,
					  .bytes_total = r->bytes_total };

	if (m && m->is_cancelled && m->is_cancelled(m->arg))
		return err_set(e, MUNI_CANCELLED, "stopped as you asked");
	if (m && m->progress)
		m->progress(m->arg, &p);
	return 0;
}

int doom_repack(struct doom *d, struct vault *v, const struct vault_monitor *m, struct err *e)
{
	struct repack r = { .d = d, .v = v, .monitor = m };
	int rc = -1;

	if (d->old_count == 0)
		return 0;
	qsort(d->old, d->old_count, sizeof *d->old, by_class);
	for (size_t i = 0; i < d->old_count; i++)
		r.bytes_total += d->old[i].raw;
	if (open_parts(&r, e) < 0)
		goto out;
	for (size_t i = 0; i < d->old_count; i++)
		if (take_block(&r, &d->old[i], e) < 0 || go_on(&r, &d->old[i], e) < 0)
			goto out;
	if (flush(&r, e) < 0 || put_segment(&r, e) < 0)
		goto out;
	rc = 0;
out:
	close_parts(&r);
	return rc;
}
