/*
 * The packer's shared half: block ids, the segment that fills, the thread that
 * writes full ones.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/secret.h"
#include "fs/vault/pack_inside.h"

#define IDS_AT_ONCE 4096
#define MAP_LIMIT (1u << 19)	/* chunks remembered: some 30 MiB */

void pack_segment_free(struct pack_segment *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		/* The keys in them live on in the catalogue only. */
		secret_wipe(s->blocks[i].block.key, sizeof s->blocks[i].block.key);
		free(s->blocks[i].names);
	}
	free(s->blocks);
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

static int add_row(struct filling *f, struct pack_block *b, struct err *e)
{
	struct pack_segment *s = f->segment;

	if (s->count == f->capacity) {
		size_t more = f->capacity ? f->capacity * 2 : 256;
		struct pack_block *p = realloc(s->blocks, more * sizeof *p);

		if (!p)
			return err_set(e, MUNI_NO_MEMORY, "out of memory for a segment");
		s->blocks = p;
		f->capacity = more;
	}
	s->blocks[s->count++] = *b;
	f->names += b->count;
	return 0;
}

/* With segment_lock held.  -1 when cancelled. */
static int wait_for_filling(struct packer *p, struct err *e)
{
	while (!p->current && !atomic_load(&p->is_cancelled)) {
		if (p->spare_count > 0)
			p->current = p->spare[--p->spare_count];
		else
			pthread_cond_wait(&p->segment_free, &p->segment_lock);
	}
	return atomic_load(&p->is_cancelled) ? cancelled(e) : 0;
}

int packer_add(struct packer *p, struct pack_block *b, const uint8_t *sealed,
	       struct err *e)
{
	uint8_t sum[16];
	int rc = -1;

	segment_sum(sealed, b->block.stored, sum);
	pthread_mutex_lock(&p->segment_lock);
	for (;;) {
		struct filling *f;

		if (wait_for_filling(p, e) < 0)
			break;
		f = p->current;
		if (f->names >= SEGMENT_CHUNKS)
			err_set(e, MUNI_LIMIT, "many tiny chunks");
		else if (segment_builder_add(f->builder, b->block.uid, sealed, b->block.stored,
					sum, &b->block.offset, e) == 0) {
			rc = add_row(f, b, e);
			break;
		}
		if (e->code != MUNI_LIMIT)
			break;
		*e = ERR_NONE;
		p->current = NULL;
		if (!queue_push(p->full, f)) {	/* has room for all there are */
			cancelled(e);
			break;
		}
	}
	pthread_mutex_unlock(&p->segment_lock);
	return rc;
}

static int write_one(struct packer *p, struct filling *f, struct err *e)
{
	struct pack_segment *s = f->segment;
	struct pack_segment *next = calloc(1, sizeof *next);

	if (!next)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for a segment");
	/* put() draws the next uid, so this one is taken first. */
	memcpy(s->uid, segment_builder_uid(f->builder), sizeof s->uid);
	if (segment_builder_put(f->builder, p->vault->objects, e) < 0) {
		free(next);
		return err_wrap(e, "writing a segment");
	}
	f->segment = next;
	f->capacity = f->names = 0;
	pthread_mutex_lock(&p->segment_lock);
	p->spare[p->spare_count++] = f;
	pthread_cond_broadcast(&p->segment_free);
	pthread_mutex_unlock(&p->segment_lock);
	p->o.sealed(p->o.arg, s);
	return 0;
}

static void *write_segments(void *arg)
{
	struct packer *p = arg;
	struct err e = ERR_NONE;
	void *item;

	while (queue_pop(p->full, &item)) {
		if (write_one(p, item, &e) < 0) {
			p->o.failed(p->o.arg, &e);
			break;
		}
	}
	return NULL;
}

/* ---- the whole ------------------------------------------------------------------ */

int packer_new(struct vault *v, const struct pack_options *o, struct packer **out,
	       struct err *e)
{
	struct packer *p = calloc(1, sizeof *p);
	size_t count = o->dry_run ? 0 : FILLINGS;
	int64_t base = 0;

	*out = NULL;
	if (!p)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for packing");
	p->vault = v;
	p->o = *o;
	pthread_mutex_init(&p->id_lock, NULL);
	pthread_cond_init(&p->id_more, NULL);
	pthread_mutex_init(&p->segment_lock, NULL);
	pthread_cond_init(&p->segment_free, NULL);
	if (packer_top_up(p, v->catalogue, e) < 0)
		goto fail;
	base = p->id_next;
	p->map = pack_map_new(MAP_LIMIT, base);
	p->full = queue_new(FILLINGS);
	if (!p->map || !p->full)
		goto no_memory;
	for (size_t i = 0; i < count; i++) {
		struct filling *f = &p->fillings[i];

		f->segment = calloc(1, sizeof *f->segment);
		if (!f->segment)
			goto no_memory;
		if (segment_builder_new(v->id, o->segment_size, &f->builder, e) < 0)
			goto fail;
		p->spare[p->spare_count++] = f;
	}
	if (pthread_create(&p->writer, NULL, write_segments, p) != 0) {
		err_set(e, MUNI_NO_MEMORY, "starting the thread that writes segments");
		goto fail;
	}
	p->has_writer = true;
	*out = p;
	return 0;
no_memory:
	err_set(e, MUNI_NO_MEMORY, "out of memory for packing");
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
	pthread_cond_broadcast(&p->segment_free);
	pthread_mutex_unlock(&p->segment_lock);
	pthread_mutex_unlock(&p->id_lock);
	queue_cancel(p->full);
}

int packer_finish(struct packer *p, struct err *e)
{
	pthread_mutex_lock(&p->segment_lock);
	if (p->current && p->current->segment->count > 0)
		queue_push(p->full, p->current);
	p->current = NULL;
	pthread_mutex_unlock(&p->segment_lock);
	queue_close(p->full);
	pthread_join(p->writer, NULL);
	p->has_writer = false;
	return atomic_load(&p->is_cancelled) ? cancelled(e) : 0;
}

void packer_free(struct packer *p)
{
	if (!p)
		return;
	if (p->has_writer) {
		queue_cancel(p->full);
		pthread_join(p->writer, NULL);
	}
	if (p->full)
		queue_free(p->full, NULL);
	for (size_t i = 0; i < FILLINGS; i++) {
		segment_builder_free(p->fillings[i].builder);
		pack_segment_free(p->fillings[i].segment);
	}
	pack_map_free(p->map);
	pthread_cond_destroy(&p->segment_free);
	pthread_mutex_destroy(&p->segment_lock);
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
