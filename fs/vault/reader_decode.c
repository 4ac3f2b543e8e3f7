#include "fs/vault/reader_decode.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/secret.h"
#include "fs/store/objects.h"
#include "fs/vault/reader_helpers.h"
#include "fs/vault/reader_near.h"
#include "fs/vault/reader_rows.h"

#define ROOM_GRAIN (64u * 1024)	/* the next leader is a little larger */
#define RUN_BYTES (512u * 1024)	/* got for a run of blocks at once */
#define NEAR_PIECE (128u * 1024)	/* a tenth of a millisecond of a good disk */
#define STREAM_PIECE (1024u * 1024)	/* of a segment: what is asked for overlaps */
#define GAP_BYTES (16u * 1024)	/* got along with it, if others lie between */

static int pin(struct vault_reader *r, int64_t id, uint32_t wanted, bool is_sample,
	       unsigned depth, struct cached_block **out, struct err *e);

/* What stood there is gone. */
static int grow(uint8_t **scratch, size_t *have, size_t need, struct err *e)
{
	if (*have >= need)
		return 0;
	if (*scratch)
		secret_wipe(*scratch, *have);
	free(*scratch);
	*have = 0;
	*scratch = malloc(need);
	if (!*scratch)
		return err_set(e, MUNI_NO_MEMORY, "no memory to decode a block");
	*have = need;
	return 0;
}

/* ---- the room: bases, and right behind them what is decoded ------------------------- */

static bool has_bases(const struct block *b)
{
	for (unsigned i = 0; i < BLOCK_BASES_MAX; i++)
		if (b->bases[i] != 0)
			return true;
	return false;
}

static int grow_room(struct vault_reader *r, size_t need, struct err *e)
{
	if (r->room_size >= need)
		return 0;
	need = (need + ROOM_GRAIN - 1) / ROOM_GRAIN * ROOM_GRAIN;
	block_cache_count(r->cache, r->room_size, need);
	memset(r->laid, 0, sizeof r->laid);
	if (grow(&r->room, &r->room_size, need, e) == 0)
		return 0;
	block_cache_count(r->cache, need, 0);
	return -1;
}

static int pin_bases(struct vault_reader *r, const struct block *b, unsigned depth,
		     struct cached_block *pins[BLOCK_BASES_MAX], unsigned *count, struct err *e)
{
	for (unsigned i = 0; i < BLOCK_BASES_MAX; i++) {
		struct block row;
		uint8_t unused[16];
		if (b->bases[i] == 0)
			continue;
		if (rows_block(block_cache_rows(r->cache), r->catalogue, b->bases[i], &row,
			       unused, e) < 0)
			return -1;
		uint32_t whole = row.raw;
		secret_wipe(&row, sizeof row);
		if (pin(r, b->bases[i], whole, false, depth + 1, &pins[*count], e) < 0)
			return err_wrap(e, "as a base of block %lld", (long long)b->id);
		(*count)++;
	}
	return 0;
}

/*
 * The bytes of b's bases into the room, unless they are there from the block before.  Decoding a
 * base uses the same room, so all are pinned before any is copied.
 *
 * A copy of a leader costs a fifth of the decoding of what it leads.  To read it where it stands
 * would cost more: each of a thousand references would wait for memory by itself, where one
 * pass over it waits for none, and zstd is slower where the base lies elsewhere.
 */
static int lay(struct vault_reader *r, const struct block *b, unsigned depth, struct err *e)
{
	struct cached_block *pins[BLOCK_BASES_MAX];
	unsigned count = 0;
	size_t size = 0;
	int rc = -1;

	if (memcmp(r->laid, b->bases, sizeof r->laid) == 0 &&
	    r->room_size >= r->laid_size + b->raw)
		return 0;
	if (pin_bases(r, b, depth, pins, &count, e) < 0)
		goto out;
	for (unsigned i = 0; i < count; i++)
		size += pins[i]->valid;
	if (grow_room(r, size + b->raw, e) < 0)
		goto out;
	size = 0;
	for (unsigned i = 0; i < count; size += pins[i++]->valid)
		cached_block_copy(pins[i], 0, pins[i]->valid, r->room + size);
	memcpy(r->laid, b->bases, sizeof r->laid);
	r->laid_size = size;
	rc = 0;
out:
	while (count > 0)
		block_cache_unpin(r->cache, pins[--count]);
	return rc;
}

/* As much as is wanted, or all of it on the second visit. */
static uint32_t how_far(const struct block *b, uint32_t wanted, bool is_sample, bool had_part)
{
	return !is_sample || had_part || wanted >= b->raw - b->raw / 4 ? b->raw : wanted;
}

/* The block's ciphertext: from what was got ahead, or into the scratch. */
static int get_sealed(struct vault_reader *r, const struct block *b, const uint8_t uid[16],
		      const uint8_t **out, struct err *e)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };

	if (r->ahead_count >= b->stored && b->offset >= r->ahead_offset &&
	    b->offset - r->ahead_offset <= r->ahead_count - b->stored &&
	    memcmp(r->ahead_uid, uid, sizeof r->ahead_uid) == 0) {
		*out = r->ahead + (b->offset - r->ahead_offset);
		return 0;
	}
	if (grow(&r->sealed, &r->sealed_size, b->stored, e) < 0)
		return -1;
	memcpy(name.uid, uid, sizeof name.uid);
	*out = r->sealed;
	return objects_get(r->objects, &name, b->offset, r->sealed, b->stored, e);
}

/* Into the room behind what is laid there, of which `base` bytes are b's bases. */
static struct cached_block *decode_there(struct vault_reader *r, const struct block *b,
					 const uint8_t *sealed, size_t base, uint32_t to,
					 struct err *e)
{
	struct cached_block *fresh;
	size_t got;

	if (block_decode(r->decoder, b, sealed, base > 0 ? r->room : NULL, base,
			 r->room + base, to, &got, e) < 0)
		return NULL;
	fresh = cached_block_new(r->cache, b->id, r->room + base, (uint32_t)got);
	if (!fresh)
		err_set(e, MUNI_NO_MEMORY, "no memory for a decoded block");
	return fresh;
}

/* At the room's front.  One that was decoded whole is laid there for what it is a base of. */
static struct cached_block *decode_alone(struct vault_reader *r, const struct block *b,
					 const uint8_t *sealed, uint32_t to, struct err *e)
{
	struct cached_block *fresh;

	memset(r->laid, 0, sizeof r->laid);
	if (grow_room(r, b->raw, e) < 0)
		return NULL;
	fresh = decode_there(r, b, sealed, 0, to, e);
	if (fresh && fresh->valid == b->raw) {
		r->laid[0] = b->id;
		r->laid_size = b->raw;
	}
	return fresh;
}

static int decode(struct vault_reader *r, const struct block *b, const uint8_t uid[16],
		  uint32_t to, unsigned depth, struct cached_block **out, struct err *e)
{
	bool is_based = has_bases(b);
	const uint8_t *sealed;

	*out = NULL;
	/* Decoding a base uses the same scratch: before our ciphertext is got. */
	if ((is_based && lay(r, b, depth, e) < 0) || get_sealed(r, b, uid, &sealed, e) < 0)
		return -1;
	*out = is_based ? decode_there(r, b, sealed, r->laid_size, to, e) :
			  decode_alone(r, b, sealed, to, e);
	return *out ? 0 : -1;
}

/* A read of no stream was at this block: where many are, the disk is asked for more. */
static void note_near(struct vault_reader *r, const struct block *b, const uint8_t uid[16])
{
	struct helpers *h = block_cache_helpers(r->cache);
	struct near *n = block_cache_near(r->cache);

	if (h && near_note(n, uid, b->offset) && !helpers_near(h, b->id))
		near_again(n, uid, b->offset);
}

static int pin(struct vault_reader *r, int64_t id, uint32_t wanted, bool is_sample,
	       unsigned depth, struct cached_block **out, struct err *e)
{
	struct block b = { 0 };
	struct flight flight;
	uint8_t uid[16];
	int rc = -1;

	if (depth > READER_DEPTH_MAX)
		return err_set(e, MUNI_DAMAGED, "block %lld stands deeper than %d bases; "
			       "run muni verify", (long long)id, READER_DEPTH_MAX);
	if (block_cache_pin(r->cache, id, wanted, r->may_look, &flight, out))
		return 0;
	if (rows_block(block_cache_rows(r->cache), r->catalogue, id, &b, uid, e) < 0)
		goto out;
	if (wanted > b.raw) {
		err_set(e, MUNI_DAMAGED, "an extent ends past block %lld; run muni verify",
			(long long)id);
		goto out;
	}
	rc = decode(r, &b, uid, how_far(&b, wanted, is_sample, flight.had_part), depth, out, e);
	if (is_sample)
		note_near(r, &b, uid);
out:
	if (rc == 0)
		block_cache_publish(r->cache, &flight, *out);
	else
		block_cache_abandon(r->cache, &flight);
	secret_wipe(&b, sizeof b);
	return rc;
}

int reader_pin(struct vault_reader *r, int64_t block, uint32_t wanted, bool is_sample,
	       struct cached_block **out, struct err *e)
{
	return pin(r, block, wanted, is_sample, 0, out, e);
}

void reader_know(struct vault_reader *r, int64_t block)
{
	struct err ignored = ERR_NONE;
	struct block row;
	uint8_t unused[16];

	(void)rows_block(block_cache_rows(r->cache), r->catalogue, block, &row, unused, &ignored);
	secret_wipe(&row, sizeof row);
}

void reader_decode_ahead(struct vault_reader *r, int64_t block, uint32_t wanted)
{
	struct err ignored = ERR_NONE;
	struct cached_block *b = NULL;
	struct block row;
	uint8_t unused[16];

	if (rows_block(block_cache_rows(r->cache), r->catalogue, block, &row, unused,
		       &ignored) < 0)
		return;
	bool is_sample = wanted < row.raw;
	if (!is_sample)
		wanted = row.raw;
	secret_wipe(&row, sizeof row);
	if (!block_cache_is_coming(r->cache, block, wanted) &&
	    pin(r, block, wanted, is_sample, 0, &b, &ignored) == 0)
		block_cache_unpin(r->cache, b);
}

/* A piece of a segment that holds blocks [0, count) of a list. */
struct piece {
	uint8_t uid[16];
	uint64_t offset;
	size_t size;
	unsigned count;
};

/* The first blocks of the list that lie near each other, going up: what lies between them
 * belongs to what other helpers decode, and to get it costs less than another call. */
static struct piece first_piece(struct vault_reader *r, const int64_t *blocks, unsigned count)
{
	struct err ignored = ERR_NONE;
	struct piece p = { .count = 0 };

	for (bool goes_on = true; goes_on && p.count < count; p.count += goes_on) {
		struct block row = { .id = 0 };
		uint8_t uid[16];
		goes_on = rows_block(block_cache_rows(r->cache), r->catalogue, blocks[p.count],
				     &row, uid, &ignored) == 0;
		if (goes_on && p.count == 0) {
			memcpy(p.uid, uid, sizeof p.uid);
			p.offset = row.offset;
		}
		uint64_t end = p.offset + p.size;
		goes_on = goes_on && memcmp(p.uid, uid, sizeof uid) == 0 && row.offset >= end &&
			  row.offset - end <= GAP_BYTES &&
			  row.offset + row.stored - p.offset <= RUN_BYTES;
		if (goes_on)
			p.size = (size_t)(row.offset + row.stored - p.offset);
		secret_wipe(&row, sizeof row);
	}
	return p;
}

/* Has the piece at hand; what fails is met, and told, by who needs the block. */
static void get_ahead(struct vault_reader *r, const struct piece *p)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	struct err ignored = ERR_NONE;

	memcpy(name.uid, p->uid, sizeof name.uid);
	if (p->count < 2 || grow(&r->ahead, &r->ahead_size, p->size, &ignored) < 0 ||
	    objects_get(r->objects, &name, p->offset, r->ahead, p->size, &ignored) < 0)
		return;
	memcpy(r->ahead_uid, p->uid, sizeof r->ahead_uid);
	r->ahead_offset = p->offset;
	r->ahead_count = p->size;
}

void reader_get_together(struct vault_reader *r, const int64_t *blocks, unsigned count)
{
	struct piece p = first_piece(r, blocks, count);

	get_ahead(r, &p);
}

void reader_forget_together(struct vault_reader *r)
{
	r->ahead_count = 0;
}

void reader_decode_run(struct vault_reader *r, const int64_t *blocks, unsigned count)
{
	while (count > 0) {
		struct piece p = first_piece(r, blocks, count);
		unsigned n = p.count > 0 ? p.count : 1;	/* one whose row cannot be had */
		get_ahead(r, &p);
		for (unsigned i = 0; i < n; i++)
			reader_decode_ahead(r, blocks[i], HELPERS_WHOLE);
		r->ahead_count = 0;
		blocks += n;
		count -= n;
	}
}

/* In pieces, one when the one before is there: who reads meanwhile waits behind one piece. */
void reader_expect_near(struct vault_reader *r, int64_t block)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	struct err ignored = ERR_NONE;
	struct block row;
	uint8_t last;

	if (rows_block(block_cache_rows(r->cache), r->catalogue, block, &row, name.uid,
		       &ignored) == 0) {
		uint64_t at = row.offset / NEAR_SIZE * NEAR_SIZE, end = at + NEAR_SIZE;
		int rc = 0;
		for (; at < end && rc == 0; at += NEAR_PIECE) {
			objects_expect(r->objects, &name, at, NEAR_PIECE);
			/* Fails where the segment ends. */
			rc = objects_get(r->objects, &name, at + NEAR_PIECE - 1, &last, 1,
					 &ignored);
		}
	}
	secret_wipe(&row, sizeof row);
}

void reader_expect_ahead(struct vault_reader *r, int64_t block)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	struct err ignored = ERR_NONE;
	struct block row;

	if (rows_block(block_cache_rows(r->cache), r->catalogue, block, &row, name.uid,
		       &ignored) == 0)
		objects_expect(r->objects, &name, row.offset, STREAM_PIECE);
	secret_wipe(&row, sizeof row);
}
