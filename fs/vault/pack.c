#include "fs/vault/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/keyed_hash.h"
#include "fs/crypt/secret.h"
#include "fs/vault/pack_inside.h"
#include "fs/vault/pack_known.h"
#include "fs/vault/pack_leader.h"
#include "fs/vault/pack_name.h"
#include "fs/vault/pack_run.h"

#define OPEN_CLASSES 16	/* of a lane at a time */

struct open_block {		/* of one class, filling */
	int64_t class_id;
	enum pack_kind kind;
	int64_t id;		/* 0: none is open */
	uint8_t *raw;		/* BLOCK_RAW_MAX; owned */
	size_t used;
	struct pack_name *names;	/* owned */
	size_t count, capacity;
	struct pack_leader leader;	/* of this class */
};

struct pack_lane {
	struct packer *packer;
	struct block_encoder *encoder;
	struct pack_known *known;	/* NULL: there is nothing to ask */
	struct bases_lane *bases;	/* NULL: there are none */
	struct pack_namer *namer;
	struct keyed_hash *sums;	/* of sealed blocks */
	struct pack_run *run;	/* sealed, not yet in a segment; NULL in a dry run */
	uint32_t *features;	/* SKETCH_FEATURES_MAX; scratch */
	struct open_block blocks[OPEN_CLASSES];	/* the one used last comes first */
	size_t open;		/* of them, with a buffer */
};

int pack_lane_open(struct packer *p, struct pack_lane **out, struct err *e)
{
	struct pack_lane *l = calloc(1, sizeof *l);

	*out = NULL;
	if (!l)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for a worker");
	l->packer = p;
	if (block_encoder_new(p->vault->id, (int)p->o.level, &l->encoder, e) < 0)
		goto fail;
	if (pack_namer_new(p->names, &l->namer, e) < 0 || segment_sums_new(&l->sums, e) < 0)
		goto fail;
	if (p->compared &&
	    pack_known_open(p->vault, p->compared, p->o.lookup_cache, &l->known, e) < 0)
		goto fail;
	l->features = malloc(SKETCH_FEATURES_MAX * sizeof *l->features);
	if (p->bases)
		l->bases = bases_lane_new(p->bases);
	if (!p->o.dry_run)
		l->run = pack_run_new(p);
	if (!l->features || (p->bases && !l->bases) || (!p->o.dry_run && !l->run)) {
		err_set(e, MUNI_NO_MEMORY, "out of memory for a worker");
		goto fail;
	}
	*out = l;
	return 0;
fail:
	pack_lane_close(l);
	return -1;
}

void pack_lane_close(struct pack_lane *l)
{
	if (!l)
		return;
	pack_known_close(l->known);
	bases_lane_free(l->bases);
	pack_namer_free(l->namer);
	keyed_hash_free(l->sums);
	pack_run_free(l->run);
	free(l->features);
	block_encoder_free(l->encoder);
	for (size_t i = 0; i < l->open; i++) {
		pack_leader_end(&l->blocks[i].leader);
		free(l->blocks[i].names);
		free(l->blocks[i].raw);
	}
	free(l);
}

/* Based on older blocks that it resembles, where there are any; else a leader may help,
 * which is of the same version and no depth. */
static int encode(struct pack_lane *l, struct open_block *o, struct pack_block *b,
		  const uint8_t **sealed, struct err *e)
{
	struct block *block = &b->block;
	struct base_bytes base = { .data = NULL };
	size_t count = sketch_features(o->raw, o->used, l->bases != NULL, l->features);

	sketch_keep(l->features, count, o->used, &b->sketch);
	b->sketch.class_id = o->class_id;
	if (l->bases && bases_choose(l->bases, l->features, count, block, &base, e) < 0)
		return -1;
	if ((base.data ? block_encode(l->encoder, o->raw, o->used, base.data, base.size, block,
				      sealed, e) :
			 pack_leader_encode(&o->leader, l->encoder, o->raw, o->used, block,
					    sealed, e)) < 0)
		return -1;
	if (block->codec != BLOCK_ZSTD_BASED)	/* it does not compress, even so */
		memset(block->bases, 0, sizeof block->bases);
	else
		b->sketch.depth = base.depth;
	if (block->codec == BLOCK_ZSTD_BASED && base.is_far)
		b->sketch.count = 0;
	return 0;
}

static int flush(struct pack_lane *l, struct open_block *o, struct err *e)
{
	struct packer *p = l->packer;
	struct pack_block b = { .names = o->names, .count = o->count };
	const uint8_t *sealed = NULL;
	uint8_t sum[16];
	int rc;

	/* A block is opened, and stays empty, where another lane was faster with
	 * the very chunk that it was opened for. */
	if (o->id == 0 || o->used == 0)
		return 0;
	b.block.id = o->id;
	b.block.class_id = o->class_id;
	rc = encode(l, o, &b, &sealed, e);
	if (rc == 0)
		rc = segment_sum(l->sums, sealed, b.block.stored, sum, e);
	if (rc == 0)
		rc = pack_run_add(l->run, &b, sealed, sum, e);
	secret_wipe(b.block.key, sizeof b.block.key);
	if (rc < 0)
		return -1;
	atomic_fetch_add(&p->raw, b.block.raw);
	atomic_fetch_add(&p->stored, b.block.stored);
	o->id = 0;
	o->used = 0;
	o->names = NULL;	/* pack_run_add() took them */
	o->count = o->capacity = 0;
	return 0;
}

int pack_lane_flush(struct pack_lane *l, struct err *e)
{
	for (size_t i = 0; i < l->open; i++)
		if (flush(l, &l->blocks[i], e) < 0)
			return -1;
	return l->run ? pack_run_flush(l->run, e) : 0;
}

static void bring_forward(struct pack_lane *l, size_t i)
{
	struct open_block o = l->blocks[i];

	memmove(l->blocks + 1, l->blocks, i * sizeof o);
	l->blocks[0] = o;
}

static bool is_for(const struct open_block *o, int64_t class_id, enum pack_kind kind)
{
	return o->class_id == class_id && o->kind == kind;
}

/* The class's open block of that kind; where too many are open the one that waited longest
 * is sealed as it is.  NULL: e is filled. */
static struct open_block *block_for(struct pack_lane *l, int64_t class_id,
				    enum pack_kind kind, struct err *e)
{
	size_t i = 0;

	while (i < l->open && !is_for(&l->blocks[i], class_id, kind))
		i++;
	if (i == OPEN_CLASSES) {
		i--;
		if (flush(l, &l->blocks[i], e) < 0)
			return NULL;
	} else if (i == l->open) {
		l->blocks[i] = (struct open_block){ .raw = malloc(BLOCK_RAW_MAX) };
		if (!l->blocks[i].raw) {
			err_set(e, MUNI_NO_MEMORY, "out of memory for a block");
			return NULL;
		}
		l->open++;
	}
	struct open_block *o = &l->blocks[i];
	if (!is_for(o, class_id, kind) || o->leader.sizes.leader == 0) {
		const struct pack_options *p = &l->packer->o;

		pack_leader_end(&o->leader);
		pack_leader_init(&o->leader, p->block_size, (int)p->level,
				 kind == PACK_PART, l->bases != NULL);
		o->class_id = class_id;
		o->kind = kind;
	}
	if (i > 0)
		bring_forward(l, i);
	return l->blocks;
}

/* Is there one already?  The map first: it is the cheaper, and the newer. */
static int look_up(struct pack_lane *l, const struct pack_names_of *n, const void *data,
		   size_t size, struct chunk_place *out, bool *is_found, struct err *e)
{
	*is_found = pack_map_find(l->packer->map, n->here, out);
	if (*is_found || !l->known)
		return 0;
	return pack_known_find(l->known, n->kept, data, size, out, is_found, e);
}

/* The chunk goes into the open block unless another lane was faster. */
static int append(struct packer *p, struct open_block *o, const struct pack_names_of *n,
		  const void *data, size_t size, struct chunk_place *out, struct err *e)
{
	if (o->count == o->capacity) {
		size_t more = o->capacity ? o->capacity * 2 : 16;
		struct pack_name *names = realloc(o->names, more * sizeof *names);

		if (!names)
			return err_set(e, MUNI_NO_MEMORY, "out of memory for a block");
		o->names = names;
		o->capacity = more;
	}
	*out = (struct chunk_place){ o->id, (uint32_t)o->used, (uint32_t)size };
	switch (pack_map_put(p->map, n->here, out)) {
	case PACK_MAP_NO_MEMORY:
		return err_set(e, MUNI_NO_MEMORY, "out of memory for the map of chunks");
	case PACK_MAP_THERE:
		return 0;
	case PACK_MAP_NEW:
		break;
	}
	memcpy(o->raw + o->used, data, size);
	memcpy(o->names[o->count].name, n->kept, 16);
	o->names[o->count].at = out->at;
	o->names[o->count].size = out->size;
	o->count++;
	o->used += size;
	return 0;
}

/* A dry run remembers the name alone, to count each chunk once. */
static int count_only(struct packer *p, const struct pack_names_of *n, size_t size,
		      struct chunk_place *out, struct err *e)
{
	*out = (struct chunk_place){ 1, 0, (uint32_t)size };
	switch (pack_map_put(p->map, n->here, out)) {
	case PACK_MAP_NO_MEMORY:
		return err_set(e, MUNI_NO_MEMORY, "out of memory for the map of chunks");
	case PACK_MAP_NEW:
		atomic_fetch_add(&p->raw, size);
		break;
	case PACK_MAP_THERE:
		break;
	}
	return 0;
}

int pack_chunk(struct pack_lane *l, int64_t class_id, const void *data, size_t size,
	       const struct digest *digest, enum pack_kind kind,
	       struct chunk_place *out, struct err *e)
{
	struct packer *p = l->packer;
	struct open_block *o;
	size_t target, most;
	struct pack_names_of n;
	bool is_found;

	assert(size > 0 && size <= p->o.block_size / 2 * 3);
	if (pack_namer_of(l->namer, class_id, data, size, digest, &n, e) < 0 ||
	    look_up(l, &n, data, size, out, &is_found, e) < 0)
		return -1;
	if (is_found)
		return 0;
	if (p->o.dry_run)
		return count_only(p, &n, size, out, e);
	o = block_for(l, class_id, kind, e);
	if (!o)
		return -1;
	target = pack_leader_target(&o->leader);
	/* A block may pass its target by a quarter rather than end far below it. */
	most = target + target / 4 < BLOCK_RAW_MAX ? target + target / 4 : BLOCK_RAW_MAX;
	if (o->used > 0 && o->used + size > most && flush(l, o, e) < 0)
		return -1;
	if (o->id == 0 && packer_take_id(p, &o->id, e) < 0)
		return -1;
	if (append(p, o, &n, data, size, out, e) < 0)
		return -1;
	target = pack_leader_target(&o->leader);	/* another, if one was sealed above */
	return o->used >= target - target / 8 ? flush(l, o, e) : 0;
}
