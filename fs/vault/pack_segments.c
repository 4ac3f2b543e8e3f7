/*
 * The packer's shared half: block ids, and the segment that fills.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/spin.h"
#include "fs/crypt/arena.h"
#include "fs/vault/pack_inside.h"
#include "fs/vault/pack_known.h"
#include "fs/vault/pack_name.h"
#include "fs/vault/reader.h"

#define IDS_AT_ONCE 4096
#define MAP_LIMIT (1u << 19)	/* chunks remembered: some 30 MiB */
#define BUFFERS_A_BLOCK 2	/* that a block needs beside the one that fills */
#define SEGMENT_SIZE_LEAST (2u * 1024 * 1024)
#define LADDER 32		/* a segment is this part of what stands before it */

void pack_segment_free(struct pack_segment *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		free(s->blocks[i].names);
	arena_free(s->blocks);	/* wipes: the keys in them live on in the catalogue only */
	free(s);
}

/* ---- ids ------------------------------------------------------------------ */

int packer_top_up(struct packer *p, struct catalogue *c, struct err *e)
{
	int64_t first;
	int rc = 0;

	if (p->o.dry_run)
		return 0;
	pthread_mutex_lock(&p->id_lock);
	/* What is left of a range is given up only where ranges do not join: the
	 * catalogue has one writer, so they do. */
	if (p->id_end - p->id_next < IDS_AT_ONCE / 2) {
		rc = catalogue_reserve(c, SEQUENCE_BLOCK, IDS_AT_ONCE, &first, e);
		if (rc == 0) {
			if (p->id_end != first)
				p->id_next = first;
			p->id_end = first + IDS_AT_ONCE;
			pthread_cond_broadcast(&p->id_more);
		}
	}
	pthread_mutex_unlock(&p->id_lock);
	return rc;
}

static int cancelled(struct err *e)
{
	return err_set(e, MUNI_CANCELLED, "stopped, because another part failed");
}

int packer_take_id(struct packer *p, int64_t *out, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&p->id_lock);
	while (p->id_next == p->id_end && !atomic_load(&p->is_cancelled))
		pthread_cond_wait(&p->id_more, &p->id_lock);
	if (atomic_load(&p->is_cancelled))
		rc = cancelled(e);
	else
		*out = p->id_next++;
	pthread_mutex_unlock(&p->id_lock);
	return rc;
}

/* ---- segments ---------------------------------------------------------------- */

void filling_free(struct filling *f)
{
	if (!f)
		return;
	objects_writer_abort(f->writer);
	pack_segment_free(f->segment);
	segment_plan_free(&f->plan);
	free(f->part);
	free(f);
}

/*
 * A segment is a certain share of what came before it, so that the parity of an
 * ingest of any size is a small part of it (docs/decisions/0101).
 */
static size_t next_target(const struct packer *p)
{
	uint64_t target = p->begun / LADDER;

	if (target < SEGMENT_SIZE_LEAST)
		target = SEGMENT_SIZE_LEAST;
	return target > p->o.segment_size ? p->o.segment_size : (size_t)target;
}

static int start_segment(struct packer *p, struct err *e)
{
	struct filling *f = calloc(1, sizeof *f);

	if (f)
		f->segment = calloc(1, sizeof *f->segment);
	if (!f || !f->segment) {
		filling_free(f);
		return err_set(e, MUNI_NO_MEMORY, "out of memory for a segment");
	}
	if (segment_plan_start(&f->plan, p->vault->id, e) < 0) {
		filling_free(f);
		return -1;
	}
	memcpy(f->segment->uid, f->plan.uid, sizeof f->segment->uid);
	f->target = next_target(p);
	f->before = p->begun;
	f->turn = p->turns++;
	p->current = f;
	return 0;
}

static int add_row(struct filling *f, struct pack_block *b, struct err *e)
{
	struct pack_segment *s = f->segment;

	if (s->count == f->capacity) {
		size_t more = f->capacity ? f->capacity * 4 : 64;
		struct pack_block *rows = arena_resize(s->blocks, more * sizeof *rows);

		if (!rows)
			return err_set(e, MUNI_NO_MEMORY, "out of memory for a segment");
		s->blocks = rows;
		f->capacity = more;
	}
	s->blocks[s->count++] = *b;
	f->names += b->count;
	return 0;
}

/* Has room for all that there are. */
static int pass_on(struct packer *p, struct filling *f, bool is_last, struct err *e)
{
	struct buffer_part *part = f->part;

	part->is_last = is_last;
	if (!queue_push(p->parts, part))
		return cancelled(e);
	f->part = NULL;
	return 0;
}

/* The buffers that it needs are there: nothing waits half-way through a block. */
static int copy_in(struct packer *p, struct filling *f, const uint8_t *data, size_t size,
		   struct err *e)
{
	while (size > 0) {
		if (f->part && f->part->used == BUFFER_SIZE && pass_on(p, f, false, e) < 0)
			return -1;
		if (!f->part) {
			f->part = p->spare[--p->spare_count];
			f->part->filling = f;
			f->part->used = 0;
		}
		size_t n = BUFFER_SIZE - f->part->used;

		if (n > size)
			n = size;
		memcpy(f->part->data + f->part->used, data, n);
		f->part->used += n;
		data += n;
		size -= n;
	}
	return 0;
}

static bool is_full(const struct filling *f, uint32_t stored)
{
	return f->names >= SEGMENT_CHUNKS || !segment_plan_fits(&f->plan, f->target, stored);
}

/* With segment_lock held; its block's bytes stay together, for nobody else adds any. */
static int add_block(struct packer *p, struct pack_block *b, const uint8_t *sealed,
		     const uint8_t sum[16], struct err *e)
{
	struct filling *f = p->current;

	if (f->plan.count == 0 && copy_in(p, f, f->plan.head, SEGMENT_HEAD, e) < 0)
		return -1;
	if (segment_plan_add(&f->plan, b->block.uid, b->block.stored, sum, &b->block.offset,
			     e) < 0 ||
	    copy_in(p, f, sealed, b->block.stored, e) < 0)
		return -1;
	p->begun += b->block.stored;
	return add_row(f, b, e);
}

void packer_hold(struct packer *p)
{
	pthread_mutex_lock(&p->run_lock);
}

void packer_let_go(struct packer *p)
{
	pthread_mutex_unlock(&p->run_lock);
}

int packer_add(struct packer *p, struct pack_block *b, const uint8_t *sealed,
	       const uint8_t sum[16], struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&p->segment_lock);
	while (rc == 0 && !atomic_load(&p->is_cancelled)) {
		if (p->current && is_full(p->current, b->block.stored)) {
			rc = pass_on(p, p->current, true, e);
			if (rc == 0)
				p->current = NULL;
		} else if (p->spare_count >= BUFFERS_A_BLOCK) {
			break;
		} else {
			pthread_cond_wait(&p->buffer_free, &p->segment_lock);
		}
	}
	if (rc == 0 && atomic_load(&p->is_cancelled))
		rc = cancelled(e);
	if (rc == 0 && !p->current)
		rc = start_segment(p, e);
	if (rc == 0)
		rc = add_block(p, b, sealed, sum, e);
	pthread_mutex_unlock(&p->segment_lock);
	return rc;
}

void packer_give_back(struct packer *p, struct buffer_part *part)
{
	pthread_mutex_lock(&p->segment_lock);
	p->spare[p->spare_count++] = part;
	pthread_cond_broadcast(&p->buffer_free);
	pthread_mutex_unlock(&p->segment_lock);
}

/* ---- the whole ------------------------------------------------------------------ */

static int make_buffers(struct packer *p, struct err *e)
{
	while (p->spare_count < BUFFERS) {
		struct buffer_part *part = malloc(sizeof *part);

		if (!part)
			return err_set(e, MUNI_NO_MEMORY, "out of memory for segments");
		p->spare[p->spare_count++] = part;
	}
	return 0;
}

static void init_locks(struct packer *p)
{
	spin_mutex_init(&p->segment_lock);	/* held for as long as a block is copied */
	pthread_mutex_init(&p->id_lock, NULL);
	pthread_cond_init(&p->id_more, NULL);
	pthread_mutex_init(&p->run_lock, NULL);
	pthread_cond_init(&p->buffer_free, NULL);
	pthread_mutex_init(&p->turn_lock, NULL);
	pthread_cond_init(&p->turn_comes, NULL);
	pthread_mutex_init(&p->cohort_lock, NULL);
	pthread_cond_init(&p->cohort_gone, NULL);
}

int packer_new(struct vault *v, const struct pack_options *o, struct packer **out,
	       struct err *e)
{
	struct packer *p = calloc(1, sizeof *p);

	*out = NULL;
	if (!p)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for packing");
	p->vault = v;
	p->o = *o;
	init_locks(p);
	if (packer_top_up(p, v->catalogue, e) < 0)
		goto fail;
	p->map = pack_map_new(MAP_LIMIT, p->id_next);
	p->parts = queue_new(BUFFERS);
	p->written = queue_new(SYNCERS);
	if (pack_names_new(keyring_dedupe_key(v->keyring), o->chunk_names, &p->names, e) < 0)
		goto fail;
	if (o->has_chunks)
		p->compared = block_cache_new(PACK_KNOWN_CACHE);
	if (o->has_chunks && !o->dry_run)
		p->bases = bases_new(v, p->id_next, o->bases);
	if (!p->map || !p->parts || !p->written || (o->has_chunks && !p->compared) ||
	    (o->has_chunks && !o->dry_run && !p->bases)) {
		err_set(e, MUNI_NO_MEMORY, "out of memory for packing");
		goto fail;
	}
	if (!o->dry_run && make_buffers(p, e) < 0)
		goto fail;
	if (pack_writers_start(p, e) < 0)
		goto fail;
	*out = p;
	return 0;
fail:
	packer_free(p);
	return -1;
}

void packer_cancel(struct packer *p)
{
	pthread_mutex_lock(&p->id_lock);
	pthread_mutex_lock(&p->segment_lock);
	atomic_store(&p->is_cancelled, true);
	pthread_cond_broadcast(&p->id_more);
	pthread_cond_broadcast(&p->buffer_free);
	pthread_mutex_unlock(&p->segment_lock);
	pthread_mutex_unlock(&p->id_lock);
	pthread_mutex_lock(&p->cohort_lock);
	pthread_cond_broadcast(&p->cohort_gone);
	pthread_mutex_unlock(&p->cohort_lock);
	queue_cancel(p->parts);
	queue_cancel(p->written);
	pack_writers_break(p);
}

int packer_finish(struct packer *p, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&p->segment_lock);
	if (p->current) {
		rc = pass_on(p, p->current, true, e);
		if (rc == 0)
			p->current = NULL;
	}
	pthread_mutex_unlock(&p->segment_lock);
	queue_close(p->parts);
	pack_writers_join(p);
	return atomic_load(&p->is_cancelled) ? cancelled(e) : rc;
}

static void drop_part(void *item)
{
	struct buffer_part *part = item;

	if (part->is_last)	/* nobody else has it any more */
		filling_free(part->filling);
	free(part);
}

static void drop_filling(void *item)
{
	filling_free(item);
}

void packer_free(struct packer *p)
{
	if (!p)
		return;
	if (p->has_writer) {
		packer_cancel(p);
		pack_writers_join(p);
	}
	if (p->parts)
		queue_free(p->parts, drop_part);
	if (p->written)
		queue_free(p->written, drop_filling);
	pack_writers_free(p);
	filling_free(p->current);
	while (p->spare_count > 0)
		free(p->spare[--p->spare_count]);
	bases_free(p->bases);
	if (p->compared)
		block_cache_free(p->compared);
	pack_names_free(p->names);
	pack_map_free(p->map);
	pthread_cond_destroy(&p->cohort_gone);
	pthread_cond_destroy(&p->turn_comes);
	pthread_mutex_destroy(&p->turn_lock);
	pthread_mutex_destroy(&p->cohort_lock);
	pthread_cond_destroy(&p->buffer_free);
	pthread_mutex_destroy(&p->segment_lock);
	pthread_mutex_destroy(&p->run_lock);
	pthread_cond_destroy(&p->id_more);
	pthread_mutex_destroy(&p->id_lock);
	free(p);
}

void packer_committed(struct packer *p, const struct pack_segment *s)
{
	/* Without memory for the mark the chunks stay in the map: no harm. */
	for (size_t i = 0; i < s->count; i++)
		if (!pack_map_committed(p->map, s->blocks[i].block.id))
			return;
}

void packer_totals(const struct packer *p, uint64_t *raw, uint64_t *stored)
{
	*raw = atomic_load(&p->raw);
	*stored = atomic_load(&p->stored);
}
