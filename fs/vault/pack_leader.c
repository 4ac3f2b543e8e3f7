#include "fs/vault/pack_leader.h"

#include "fs/base/err.h"

#define TRY_EVERY (12u << 20)	/* raw bytes: a trial costs two blocks' compression */
#define LEAD_AT_MOST (64u << 20)	/* raw bytes: what a destruction in the leader moves */
#define ROW_COST 150		/* bytes that a block takes in the catalogue and its copy */

void pack_leader_init(struct pack_leader *p, uint32_t block_size, int level, bool has_older)
{
	*p = (struct pack_leader){ .way = has_older ? PACK_ALONE : PACK_SEEK };
	block_sizes_of(block_size, level, &p->sizes);
	/* Two bases have to be as much as the block, and may be of the small ones
	 * (docs/decisions/0103-bases-by-sketches.md). */
	if (has_older && p->sizes.large > block_size)
		p->sizes.large = block_size;
}

void pack_leader_end(struct pack_leader *p)
{
	block_leader_free(p->leader);
	p->leader = NULL;
}

size_t pack_leader_target(const struct pack_leader *p)
{
	switch (p->way) {
	case PACK_SEEK:
		return p->sizes.leader;
	case PACK_ALIKE:
		return p->sizes.alike;
	default:
		return p->sizes.large;
	}
}

static void turn(struct pack_leader *p, enum pack_leader_way way)
{
	p->way = way;
	p->done = 0;
	if (way == PACK_SEEK || way == PACK_ALONE)
		pack_leader_end(p);
}

/* In small blocks, led. */
static int measure_alike(struct pack_leader *p, struct block_encoder *enc, const uint8_t *raw,
			 size_t size, size_t *out, struct err *e)
{
	size_t one;

	*out = 0;
	for (size_t at = 0; at < size; at += p->sizes.alike) {
		size_t n = size - at < p->sizes.alike ? size - at : p->sizes.alike;

		if (block_measure(enc, p->leader, true, raw + at, n, &one, e) < 0)
			return -1;
		*out += one + ROW_COST;
	}
	return 0;
}

/* Small blocks are for reads here and there, which high levels do not aim at: there a
 * leader is always of use, and nothing is tried. */
static bool is_dense(const struct pack_leader *p)
{
	return p->sizes.alike >= p->sizes.large;
}

/*
 * Small blocks, if they are no larger than what is read slower; a leader at all, if it
 * saves more than the hundredth that is not worth its decode.
 */
static int try_ways(struct pack_leader *p, struct block_encoder *enc, const void *raw,
		    size_t size, struct err *e)
{
	bool was_new = p->led == 0;
	size_t alone, led, alike;

	if (block_measure(enc, NULL, false, raw, size, &alone, e) < 0 ||
	    block_measure(enc, p->leader, false, raw, size, &led, e) < 0 ||
	    measure_alike(p, enc, raw, size, &alike, e) < 0)
		return -1;
	alone += ROW_COST;
	led += ROW_COST;
	if (alike <= alone)
		turn(p, PACK_ALIKE);
	else if (led < alone - alone / 64)
		turn(p, PACK_LED);
	else	/* an old leader makes way for another; a new one was a vain attempt */
		turn(p, was_new ? PACK_ALONE : PACK_SEEK);
	return 0;
}

static int encode_led(struct pack_leader *p, struct block_encoder *enc, const void *raw,
		      size_t size, struct block *b, const uint8_t **sealed, struct err *e)
{
	bool is_alike = p->way == PACK_ALIKE;

	if (block_encode_led(enc, p->leader, is_alike, raw, size, b, sealed, e) < 0)
		return -1;
	p->led += size;
	p->done += size;
	if (p->led >= LEAD_AT_MOST)
		turn(p, PACK_SEEK);
	else if (p->done >= TRY_EVERY && !is_dense(p))
		turn(p, PACK_TRY);
	return 0;
}

int pack_leader_encode(struct pack_leader *p, struct block_encoder *enc, const void *raw,
		       size_t size, struct block *b, const uint8_t **sealed, struct err *e)
{
	/* What ends early says little. */
	bool is_full = size >= pack_leader_target(p) / 2;

	if (p->way == PACK_TRY && is_full && try_ways(p, enc, raw, size, e) < 0)
		return -1;
	if (p->leader)
		return encode_led(p, enc, raw, size, b, sealed, e);
	if (block_encode(enc, raw, size, NULL, 0, b, sealed, e) < 0)
		return -1;
	p->done += size;
	if (p->way == PACK_SEEK && is_full && b->codec == BLOCK_ZSTD) {
		if (block_leader_new(b->id, raw, size, &p->leader, e) < 0)
			return -1;
		p->led = 0;
		turn(p, is_dense(p) ? PACK_LED : PACK_TRY);
	} else if (p->way == PACK_ALONE && p->done >= TRY_EVERY) {
		turn(p, PACK_SEEK);
	}
	return 0;
}
