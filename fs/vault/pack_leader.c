#include "fs/vault/pack_leader.h"

#include "fs/base/err.h"

#define TRY_EVERY (6u << 20)	/* raw bytes: a trial costs a large block's compression, or two */
#define TRY_SELDOM (48u << 20)	/* ... where trial after trial came out the same */
#define LEAD_AT_MOST (64u << 20)	/* raw bytes: what a destruction in the leader moves */
#define LEAD_FILES (12u << 20)	/* of small files, which are less and less like it */
#define ROW_COST 150		/* bytes that a block takes in the catalogue and its copy */

void pack_leader_init(struct pack_leader *p, uint32_t block_size, int level, bool is_part,
		      bool has_older)
{
	*p = (struct pack_leader){ .way = has_older ? PACK_ALONE : PACK_SEEK,
				   .is_part = is_part, .try_after = TRY_EVERY };
	block_sizes_of(block_size, level, &p->sizes);
	if (!is_part)
		p->sizes.leader = p->sizes.files_leader;
	/* Two bases have to be as much as the block, and may be of the small ones; those of
	 * small files are not (docs/decisions/0103-bases-by-sketches.md, 0132). */
	uint32_t based = is_part ? block_size : p->sizes.usual;

	if (has_older && p->sizes.large > based)
		p->sizes.large = based;
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
	case PACK_TRY:		/* larger ones would make small ones seem worse */
		return p->sizes.leader < p->sizes.large ? p->sizes.leader : p->sizes.large;
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

enum measured { LARGE_ALONE, LARGE_LED, USUAL, SMALL_LED };

/* Of small blocks most are one chunk each, which passes their size by a sixth. */
static size_t piece_of(const struct pack_leader *p, enum measured kind, size_t size)
{
	if (kind == USUAL)
		return p->sizes.usual;
	return kind == SMALL_LED ? p->sizes.alike + p->sizes.alike / 6 : size;
}

static int measure(const struct pack_leader *p, struct block_encoder *enc, enum measured kind,
		   const uint8_t *raw, size_t size, size_t *out, struct err *e)
{
	bool is_led = kind == LARGE_LED || kind == SMALL_LED;
	size_t piece = piece_of(p, kind, size), one;

	*out = 0;
	for (size_t at = 0; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;

		if (block_measure(enc, is_led ? p->leader : NULL, kind == SMALL_LED,
				  raw + at, n, &one, e) < 0)
			return -1;
		*out += one + ROW_COST;
	}
	return 0;
}

/* Small blocks are for reads here and there, of large files, which high levels do not aim
 * at: elsewhere a leader is always of use, and nothing is tried. */
static bool is_tried(const struct pack_leader *p)
{
	return p->is_part && p->sizes.alike < p->sizes.large;
}

/* What does not compress is no larger in small blocks, and has more of them. */
static bool is_worth_small(size_t raw, size_t usual, size_t small)
{
	return small < usual && small < raw - raw / 8;
}

/*
 * Small blocks, where they are no larger than blocks of the usual size alone.  Else
 * large ones; and a leader, if it saves anything to speak of: it is decoded once for all.
 */
static int try_ways(const struct pack_leader *p, struct block_encoder *enc, const void *raw,
		    size_t size, enum pack_leader_way *out, struct err *e)
{
	size_t usual, small, alone, led;

	if (measure(p, enc, USUAL, raw, size, &usual, e) < 0 ||
	    measure(p, enc, SMALL_LED, raw, size, &small, e) < 0)
		return -1;
	*out = PACK_ALIKE;
	if (is_worth_small(size, usual, small))
		return 0;
	if (measure(p, enc, LARGE_ALONE, raw, size, &alone, e) < 0 ||
	    measure(p, enc, LARGE_LED, raw, size, &led, e) < 0)
		return -1;
	if (led < alone - alone / 256)
		*out = PACK_LED;
	else	/* an old leader makes way for another; a new one was a vain attempt */
		*out = p->led == 0 ? PACK_ALONE : PACK_SEEK;
	return 0;
}

static int try_out(struct pack_leader *p, struct block_encoder *enc, const void *raw,
		   size_t size, struct err *e)
{
	enum pack_leader_way way;

	if (try_ways(p, enc, raw, size, &way, e) < 0)
		return -1;
	if (way != p->best)
		p->try_after = TRY_EVERY;
	else if (p->try_after < TRY_SELDOM)
		p->try_after *= 2;
	p->best = way;
	turn(p, way);
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
	if (p->led >= (is_tried(p) ? LEAD_AT_MOST : LEAD_FILES))
		turn(p, PACK_SEEK);
	else if (p->done >= p->try_after && is_tried(p))
		turn(p, PACK_TRY);
	return 0;
}

/* With a new leader: where trial after trial came out the same, as they did, until the next
 * one is due. */
static enum pack_leader_way begin_with(const struct pack_leader *p)
{
	if (!is_tried(p))
		return PACK_LED;
	return p->try_after >= TRY_SELDOM && p->best == PACK_ALIKE ? PACK_ALIKE : PACK_TRY;
}

int pack_leader_encode(struct pack_leader *p, struct block_encoder *enc, const void *raw,
		       size_t size, struct block *b, const uint8_t **sealed, struct err *e)
{
	/* What ends early says little. */
	bool is_full = size >= pack_leader_target(p) / 2;

	if (p->way == PACK_TRY && is_full && try_out(p, enc, raw, size, e) < 0)
		return -1;
	if (p->leader && block_leader_id(p->leader) < b->id)	/* G1: not what others began earlier */
		return encode_led(p, enc, raw, size, b, sealed, e);
	if (block_encode(enc, raw, size, NULL, 0, b, sealed, e) < 0)
		return -1;
	p->done += size;
	if (p->way == PACK_SEEK && is_full && b->codec == BLOCK_ZSTD) {
		if (block_leader_new(b->id, raw, size, &p->leader, e) < 0)
			return -1;
		p->led = 0;
		turn(p, begin_with(p));
	} else if (p->way == PACK_ALONE && p->done >= TRY_EVERY) {
		turn(p, PACK_SEEK);
	}
	return 0;
}
