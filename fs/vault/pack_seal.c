#include "fs/vault/pack_seal.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/keyed_hash.h"
#include "fs/crypt/secret.h"
#include "fs/vault/pack_inside.h"
#include "fs/vault/pack_leader.h"
#include "fs/vault/pack_run.h"

struct pack_sealer {
	struct packer *packer;
	struct block_encoder *encoder;
	struct bases_lane *bases;	/* NULL: there are none */
	struct keyed_hash *sums;	/* of sealed blocks */
	struct pack_run *run;	/* sealed, not yet in a segment; NULL in a dry run */
	uint32_t *features;	/* SKETCH_FEATURES_MAX; scratch */
};

int pack_sealer_new(struct packer *p, struct pack_sealer **out, struct err *e)
{
	struct pack_sealer *s = calloc(1, sizeof *s);

	*out = NULL;
	if (!s)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for a worker");
	s->packer = p;
	if (block_encoder_new(p->vault->id, (int)p->o.level, &s->encoder, e) < 0 ||
	    segment_sums_new(&s->sums, e) < 0)
		goto fail;
	s->features = malloc(SKETCH_FEATURES_MAX * sizeof *s->features);
	if (p->bases)
		s->bases = bases_lane_new(p->bases);
	if (!p->o.dry_run)
		s->run = pack_run_new(p);
	if (!s->features || (p->bases && !s->bases) || (!p->o.dry_run && !s->run)) {
		err_set(e, MUNI_NO_MEMORY, "out of memory for a worker");
		goto fail;
	}
	*out = s;
	return 0;
fail:
	pack_sealer_free(s);
	return -1;
}

void pack_sealer_free(struct pack_sealer *s)
{
	if (!s)
		return;
	bases_lane_free(s->bases);
	keyed_hash_free(s->sums);
	pack_run_free(s->run);
	free(s->features);
	block_encoder_free(s->encoder);
	free(s);
}

/* Based on older blocks that it resembles, where there are any; else a leader may help,
 * which is of the same version and no depth. */
static int encode(struct pack_sealer *s, struct pack_leader *leader,
		  const struct pack_filled *f, struct pack_block *b, const uint8_t **sealed,
		  struct err *e)
{
	struct block *block = &b->block;
	struct base_bytes base = { .data = NULL };
	size_t count = sketch_features(f->raw, f->used, s->bases != NULL, s->features);

	sketch_keep(s->features, count, f->used, &b->sketch);
	b->sketch.class_id = f->class_id;
	if (s->bases && bases_choose(s->bases, s->features, count, block, &base, e) < 0)
		return -1;
	if ((base.data ? block_encode(s->encoder, f->raw, f->used, base.data, base.size, block,
				      sealed, e) :
			 pack_leader_encode(leader, s->encoder, f->raw, f->used, block, sealed,
					    e)) < 0)
		return -1;
	if (block->codec != BLOCK_ZSTD_BASED)	/* it does not compress, even so */
		memset(block->bases, 0, sizeof block->bases);
	else
		b->sketch.depth = base.depth;
	if (block->codec == BLOCK_ZSTD_BASED && base.is_far)
		b->sketch.count = 0;
	return 0;
}

int pack_sealer_seal(struct pack_sealer *s, struct pack_leader *leader, struct pack_filled *f,
		     struct err *e)
{
	struct packer *p = s->packer;
	struct pack_block b = { .names = f->names, .count = f->count };
	const uint8_t *sealed = NULL;
	uint8_t sum[16];
	int rc;

	b.block.id = f->id;
	b.block.class_id = f->class_id;
	rc = encode(s, leader, f, &b, &sealed, e);
	if (rc == 0)
		rc = segment_sum(s->sums, sealed, b.block.stored, sum, e);
	if (rc == 0)
		rc = pack_run_add(s->run, &b, sealed, sum, e);
	secret_wipe(b.block.key, sizeof b.block.key);
	if (rc < 0)
		return -1;
	atomic_fetch_add(&p->raw, b.block.raw);
	atomic_fetch_add(&p->stored, b.block.stored);
	f->id = 0;
	f->used = 0;
	f->names = NULL;	/* pack_run_add() took them */
	f->count = f->capacity = 0;
	return 0;
}

int pack_sealer_flush(struct pack_sealer *s, struct err *e)
{
	return s->run ? pack_run_flush(s->run, e) : 0;
}
