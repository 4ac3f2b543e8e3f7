#include "fs/vault/doom_bases.h"

#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/crypt/secret.h"
#include "fs/vault/base_index.h"
#include "fs/vault/pack_reach.h"
#include "fs/vault/reader_decode.h"
#include "fs/vault/reader_rows.h"

struct doom_bases {
	struct doom *d;			/* borrowed, as reader is */
	struct vault_reader *reader;
	struct base_limits limits;
	doom_bases_raw *raw;
	void *arg;
	int64_t first;			/* of the new blocks: one after the other from here */
	bool is_loaded;
	struct base_index *index;	/* owned, as all below */
	struct base_votes *votes;
	uint8_t *joined;		/* room for all bases; NULL: none was needed yet */
};

int doom_bases_new(struct doom *d, struct vault_reader *reader, bool is_dense,
		   doom_bases_raw *raw, void *arg, struct doom_bases **out, struct err *e)
{
	struct doom_bases *x = calloc(1, sizeof *x);

	*out = NULL;
	if (!x)
		return doom_no_memory(e);
	x->d = d;
	x->reader = reader;
	x->limits = base_limits_of(is_dense);
	x->raw = raw;
	x->arg = arg;
	x->first = d->next_block;
	x->index = base_index_new();
	x->votes = base_votes_new();
	if (!x->index || !x->votes) {
		doom_bases_free(x);
		return doom_no_memory(e);
	}
	*out = x;
	return 0;
}

void doom_bases_free(struct doom_bases *x)
{
	if (!x)
		return;
	base_index_free(x->index);
	base_votes_free(x->votes);
	free(x->joined);
	free(x);
}

/* ---- who could be one ------------------------------------------------------------------ */

static int take_sketch(void *arg, int64_t block, const struct sketch *s)
{
	struct doom_bases *x = arg;

	if (s->depth >= x->limits.depth || !bits_has(&x->d->blocks, block))
		return 0;
	return base_index_add(x->index, block, s);
}

/* Not before the first block that leaned on another: most archives' never do. */
static int load(struct doom_bases *x, struct err *e)
{
	*e = ERR_NONE;
	if (catalogue_sketches(x->d->catalogue, x->first, take_sketch, x, e) < 0)
		return e->code ? -1 : doom_no_memory(e);
	for (size_t i = 0; i < x->d->fresh_count; i++) {
		const struct fresh_block *f = &x->d->fresh[i];

		if (f->sketch.count > 0 && base_index_add(x->index, f->block.id, &f->sketch) < 0)
			return doom_no_memory(e);
	}
	x->is_loaded = true;
	return 0;
}

int doom_bases_add(struct doom_bases *x, struct err *e)
{
	const struct fresh_block *f = &x->d->fresh[x->d->fresh_count - 1];

	if (!x->is_loaded || f->sketch.count == 0 || f->sketch.depth >= x->limits.depth)
		return 0;
	return base_index_add(x->index, f->block.id, &f->sketch) < 0 ? doom_no_memory(e) : 0;
}

static const struct fresh_block *fresh_of(const struct doom_bases *x, int64_t id)
{
	return id >= x->first && (size_t)(id - x->first) < x->d->fresh_count ?
		&x->d->fresh[id - x->first] : NULL;
}

/* ---- how far they are -------------------------------------------------------------------- */

static bool put(struct reach *r, int64_t block, unsigned most)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->blocks[i] == block)
			return true;
	if (r->count == most)
		return false;
	r->blocks[r->count++] = block;
	return true;
}

static int bases_of(struct doom_bases *x, int64_t id, int64_t out[BLOCK_BASES_MAX],
		    struct err *e)
{
	const struct fresh_block *f = fresh_of(x, id);
	struct block row = { 0 };
	uint8_t unused[16];
	int rc = 0;

	if (!f)
		rc = rows_block(block_cache_rows(x->reader->cache), x->reader->catalogue, id,
				&row, unused, e);
	for (unsigned i = 0; i < BLOCK_BASES_MAX; i++)
		out[i] = f ? f->block.bases[i] : row.bases[i];
	secret_wipe(&row, sizeof row);
	return rc;
}

struct judging {
	struct doom_bases *x;
	struct reach reach;	/* of those that were taken */
	struct err *e;
	bool failed;
};

/* 1: they would be too many. */
static int reach_on(struct judging *j, struct reach *next, int64_t block)
{
	const unsigned most = j->x->limits.decoded - 1;
	int64_t bases[BLOCK_BASES_MAX];

	if (!put(next, block, most))
		return 1;
	for (unsigned i = j->reach.count; i < next->count; i++) {
		if (bases_of(j->x, next->blocks[i], bases, j->e) < 0)
			return -1;
		for (unsigned n = 0; n < BLOCK_BASES_MAX; n++)
			if (bases[n] != 0 && !put(next, bases[n], most))
				return 1;
	}
	return 0;
}

static bool is_near(void *arg, int64_t block, unsigned votes)
{
	struct judging *j = arg;
	struct reach next = j->reach;
	int rc = j->failed ? 1 : reach_on(j, &next, block);

	j->failed = j->failed || rc < 0;
	if (rc != 0 || (j->reach.count > 0 &&
			votes < j->x->limits.votes * (next.count - j->reach.count)))
		return false;
	j->reach = next;
	return true;
}

/* ---- their bytes ------------------------------------------------------------------------- */

static bool is_unreadable(const struct err *e)
{
	return e->code == MUNI_DAMAGED || e->code == MUNI_IO || e->code == MUNI_NOT_FOUND;
}

static int read_kept(struct doom_bases *x, int64_t id, int64_t class_id, uint8_t *out,
		     uint32_t *raw, struct err *e)
{
	struct cached_block *decoded;
	struct block row = { 0 };
	uint8_t unused[16];
	int rc = catalogue_block(x->reader->catalogue, id, &row, unused, e);
	bool is_fit = rc == 0 && row.class_id == class_id && bits_has(&x->d->blocks, id);

	*raw = row.raw;
	secret_wipe(&row, sizeof row);
	if (rc < 0 || !is_fit)
		return rc < 0 ? -1 : 1;
	if (reader_pin(x->reader, id, *raw, false, &decoded, e) < 0)
		return -1;
	cached_block_copy(decoded, 0, *raw, out);
	block_cache_unpin(x->reader->cache, decoded);
	return 0;
}

/* Appends a base's bytes.  1: it is none (V1, V3). */
static int join(struct doom_bases *x, int64_t id, int64_t class_id, struct base_bytes *out,
		struct err *e)
{
	const struct fresh_block *f = fresh_of(x, id);
	uint8_t *to = x->joined + out->size;
	uint32_t raw = 0;
	int rc;

	if (f) {
		raw = f->block.raw;
		rc = f->block.class_id == class_id ? x->raw(x->arg, f, to, e) : 1;
	} else {
		rc = read_kept(x, id, class_id, to, &raw, e);
	}
	if (rc < 0 && is_unreadable(e)) {
		*e = ERR_NONE;
		return 1;
	}
	if (rc == 0)
		out->size += raw;
	return rc;
}

int doom_bases_choose(struct doom_bases *x, uint32_t *features, size_t count,
		      struct block *block, struct base_bytes *out, struct err *e)
{
	struct judging judging = { .x = x, .e = e };
	const struct base_judge judge = { is_near, &judging };
	struct base_choice choice;
	unsigned joined = 0;

	*out = (struct base_bytes){ .data = NULL };
	if (!x->is_loaded && load(x, e) < 0)
		return -1;
	base_index_choose(x->index, x->votes, block->class_id, x->limits.depth, features,
			  sketch_apart(features, count), &judge, &choice);
	if (judging.failed)
		return -1;
	if (choice.count == 0)
		return 0;
	if (!x->joined)
		x->joined = malloc((size_t)BLOCK_BASES_MAX * BLOCK_RAW_MAX);
	if (!x->joined)
		return doom_no_memory(e);
	/* The best one last: what is nearest is named in fewest bits. */
	for (unsigned i = choice.count; i-- > 0;) {
		int rc = join(x, choice.blocks[i], block->class_id, out, e);

		if (rc < 0)
			return -1;
		if (rc == 0)
			block->bases[joined++] = choice.blocks[i];
	}
	if (joined == 0)
		return 0;
	out->data = x->joined;
	out->depth = choice.depth;
	out->is_far = choice.depth >= x->limits.depth ||
		      judging.reach.count + 1 >= x->limits.decoded;
	return 0;
}
