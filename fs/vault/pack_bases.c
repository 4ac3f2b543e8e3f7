#include "fs/vault/pack_bases.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/secret.h"
#include "fs/vault/base_index.h"
#include "fs/vault/inside.h"
#include "fs/vault/pack_reach.h"
#include "fs/vault/reader_decode.h"

#define CACHE_BYTES (32u << 20)
#define ROWS_CACHE (1u << 20)	/* of each lane's connection */

struct bases {
	struct vault *vault;	/* borrowed */
	int64_t before;
	struct base_limits limits;
	struct block_cache *cache;
	pthread_mutex_t lock;
	bool is_loaded;		/* protected by lock */
	struct base_index *index;	/* protected by lock until it is loaded; owned */
};

struct bases_lane {
	struct bases *bases;
	struct vault_reader *reader;	/* opened when it is first needed */
	struct base_votes *votes;
	uint8_t *joined;	/* room for all bases; NULL: none was needed yet */
};

/* docs/decisions/0174-deeper-and-nearer.md has the measurements. */
static const struct base_limits usual_limits = { .depth = 4, .decoded = 8, .votes = 2 };
static const struct base_limits dense_limits = { .depth = 6, .decoded = REACH_MAX };

struct base_limits base_limits_of(bool is_dense)
{
	return is_dense ? dense_limits : usual_limits;
}

struct bases *bases_new(struct vault *v, int64_t before, struct base_limits limits)
{
	struct bases *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->vault = v;
	b->before = before;
	b->limits = limits;
	pthread_mutex_init(&b->lock, NULL);
	b->cache = block_cache_new(CACHE_BYTES);
	b->index = base_index_new();
	if (b->cache && b->index)
		return b;
	bases_free(b);
	return NULL;
}

void bases_free(struct bases *b)
{
	if (!b)
		return;
	if (b->cache)
		block_cache_free(b->cache);
	base_index_free(b->index);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

struct bases_lane *bases_lane_new(struct bases *b)
{
	struct bases_lane *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->bases = b;
	l->votes = base_votes_new();
	if (l->votes)
		return l;
	bases_lane_free(l);
	return NULL;
}

void bases_lane_free(struct bases_lane *l)
{
	if (!l)
		return;
	vault_reader_close(l->reader);
	base_votes_free(l->votes);
	free(l->joined);
	free(l);
}

/* ---- the index ------------------------------------------------------------------------ */

static int take_sketch(void *arg, int64_t block, const struct sketch *s)
{
	struct bases *b = arg;

	if (s->depth >= b->limits.depth)
		return 0;
	return base_index_add(b->index, block, s);
}

static int load(struct bases_lane *l, struct err *e)
{
	struct bases *b = l->bases;

	*e = ERR_NONE;
	if (catalogue_sketches(vault_reader_catalogue(l->reader), b->before, take_sketch, b,
			       e) == 0)
		return 0;
	return e->code ? -1 : err_set(e, MUNI_NO_MEMORY, "out of memory for the sketches of "
				      "older blocks");
}

/* Whoever comes first fills it; the others wait. */
static int prepare(struct bases_lane *l, bool *is_empty, struct err *e)
{
	struct bases *b = l->bases;
	int rc = 0;

	if (!l->reader && vault_reader_open(b->vault, b->cache, ROWS_CACHE, &l->reader, e) < 0)
		return -1;
	pthread_mutex_lock(&b->lock);
	if (!b->is_loaded) {
		rc = load(l, e);
		b->is_loaded = rc == 0;
	}
	*is_empty = base_index_count(b->index) == 0;
	pthread_mutex_unlock(&b->lock);
	return rc;
}

/* ---- bases ------------------------------------------------------------------------------ */

static bool is_unreadable(const struct err *e)
{
	return e->code == MUNI_DAMAGED || e->code == MUNI_IO || e->code == MUNI_NOT_FOUND;
}

/* Appends the base's bytes.  0 done; 1 it cannot be read, or is not what its sketch says
 * (B1, B2). */
static int join(struct bases_lane *l, int64_t id, const struct block *of,
		struct base_bytes *out, struct err *e)
{
	struct cached_block *decoded;
	struct block row = { 0 };
	uint8_t unused[16];
	int rc = catalogue_block(vault_reader_catalogue(l->reader), id, &row, unused, e);
	bool is_fit = rc == 0 && row.class_id == of->class_id && id < of->id;
	uint32_t raw = row.raw;

	secret_wipe(&row, sizeof row);
	if (rc == 0 && !is_fit)
		return 1;
	if (rc < 0 || reader_pin(l->reader, id, raw, false, &decoded, e) < 0) {
		if (!is_unreadable(e))
			return -1;
		*e = ERR_NONE;
		return 1;
	}
	cached_block_copy(decoded, 0, raw, l->joined + out->size);
	out->size += raw;
	block_cache_unpin(l->bases->cache, decoded);
	return 0;
}

static int join_all(struct bases_lane *l, const struct base_choice *choice,
		    struct block *block, struct base_bytes *out, struct err *e)
{
	unsigned count = 0;

	if (!l->joined)
		l->joined = malloc((size_t)BLOCK_BASES_MAX * BLOCK_RAW_MAX);
	if (!l->joined)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for the bases of a block");
	/* The best one last: what is nearest is named in fewest bits. */
	for (unsigned i = choice->count; i-- > 0;) {
		int rc = join(l, choice->blocks[i], block, out, e);

		if (rc < 0)
			return -1;
		if (rc == 0)
			block->bases[count++] = choice->blocks[i];
	}
	if (count > 0) {
		out->data = l->joined;
		out->depth = choice->depth;
	}
	return 0;
}

struct judging {
	struct bases_lane *lane;
	struct reach reach;	/* of those that were taken */
	struct err *e;
	bool failed;
};

/* Near enough: with the block that asks, and, of a second base, for the votes it has. */
static bool is_near(void *arg, int64_t block, unsigned votes)
{
	struct judging *j = arg;
	struct bases *b = j->lane->bases;
	struct reach next = j->reach;
	int rc;

	if (j->failed)
		return false;
	rc = reach_add(&next, block_cache_rows(b->cache),
		       vault_reader_catalogue(j->lane->reader), block, b->limits.decoded - 1,
		       j->e);
	if (rc < 0) {
		j->failed = !is_unreadable(j->e);
		if (!j->failed)
			*j->e = ERR_NONE;
	}
	if (rc != 0 || (j->reach.count > 0 &&
			votes < b->limits.votes * (next.count - j->reach.count)))
		return false;
	j->reach = next;
	return true;
}

int bases_choose(struct bases_lane *l, uint32_t *features, size_t count, struct block *block,
		 struct base_bytes *out, struct err *e)
{
	struct judging judging = { .lane = l, .e = e };
	const struct base_judge judge = { is_near, &judging };
	struct base_choice choice;
	bool is_empty;

	*out = (struct base_bytes){ .data = NULL };
	if (prepare(l, &is_empty, e) < 0)
		return -1;
	if (is_empty)
		return 0;
	base_index_choose(l->bases->index, l->votes, block->class_id, l->bases->limits.depth,
			  features, sketch_apart(features, count), &judge, &choice);
	if (judging.failed)
		return -1;
	if (choice.count == 0)
		return 0;
	if (join_all(l, &choice, block, out, e) < 0)
		return -1;
	out->is_far = out->depth >= l->bases->limits.depth ||
		      judging.reach.count + 1 >= l->bases->limits.decoded;
	return 0;
}
