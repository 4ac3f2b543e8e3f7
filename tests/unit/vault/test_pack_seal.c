/* What one lane fills another seals: nothing is lost, and no block leans on a later one. */
#include "tests/unit/vault/doomed.h"

#include "fs/vault/pack.h"

#define BLOCK_SIZE 65536u
#define CHUNK 16384u
#define CHUNKS 400u		/* of each lane */
#define BLOCKS_MAX 4096u
#define QUEUE_MAX 64u

struct sealed_block {
	bool is_sealed;
	int64_t bases[BLOCK_BASES_MAX];
	size_t chunks, order;
};

struct given {
	struct doomed_fixture f;
	struct pack_filled *queue[QUEUE_MAX];
	size_t waiting, taken;
	bool is_idle;		/* another lane would seal now */
	struct sealed_block blocks[BLOCKS_MAX];
	size_t order, led;
	size_t chunks_in[BLOCKS_MAX];	/* as pack_chunk() told */
	uint8_t words[512][32];
};

static int set_up(void **state)
{
	static struct given g;

	doomed_open(&g.f, 29);
	*state = &g;
	return 0;
}

static int tear_down(void **state)
{
	struct given *g = *state;

	doomed_close(&g->f);
	return 0;
}

static void sealed(void *arg, struct pack_segment *s)
{
	struct given *g = arg;

	for (size_t i = 0; i < s->count; i++) {
		struct sealed_block *b = &g->blocks[s->blocks[i].block.id];

		assert_false(b->is_sealed);
		b->is_sealed = true;
		memcpy(b->bases, s->blocks[i].block.bases, sizeof b->bases);
		b->chunks = s->blocks[i].count;
		b->order = ++g->order;
	}
	pack_segment_free(s);
}

static void failed(void *arg, const struct err *e)
{
	(void)arg;
	fail_msg("%s", e->text);
}

static bool take(void *arg, struct pack_filled *f)
{
	struct given *g = arg;

	if (!g->is_idle || g->waiting == QUEUE_MAX)
		return false;
	g->queue[g->waiting++] = f;
	g->taken++;
	return true;
}

/* Of the same words always: so there is something to be led by. */
static void pack_one(struct given *g, struct pack_lane *lane)
{
	static uint8_t data[CHUNK];
	struct chunk_place place;
	struct err e = ERR_NONE;

	for (size_t at = 0; at < CHUNK; at += 32) {
		memcpy(data + at, g->words[doomed_random(&g->f) % 512], 32);
		data[at] = (uint8_t)doomed_random(&g->f);
	}
	must(pack_chunk(lane, 1, data, CHUNK, NULL, PACK_TEXT, &place, &e));
	assert_in_range(place.block, 1, BLOCKS_MAX - 1);
	g->chunks_in[place.block]++;
}

static void seal_waiting(struct given *g, struct pack_lane *lane)
{
	struct err e = ERR_NONE;

	for (size_t i = 0; i < g->waiting; i++)
		must(pack_seal(lane, g->queue[i], &e));
	g->waiting = 0;
}

static void what_is_handed_over_is_sealed_whole_and_leans_on_nothing_later(void **state)
{
	struct given *g = *state;
	struct pack_options o = { .block_size = BLOCK_SIZE, .level = 3, .chunk_names = 2,
				  .segment_size = 16u << 20, .lookup_cache = 1 << 20,
				  .sealed = sealed, .failed = failed, .hand_over = take,
				  .arg = g };
	struct pack_lane *fills, *seals;
	struct packer *p;
	struct err e = ERR_NONE;

	for (size_t i = 0; i < sizeof g->words; i++)
		((uint8_t *)g->words)[i] = (uint8_t)doomed_random(&g->f);
	must(catalogue_begin(g->f.v->catalogue, &e));
	must(packer_new(g->f.v, &o, &p, &e));
	must(pack_lane_open(p, &fills, &e));
	must(pack_lane_open(p, &seals, &e));
	for (unsigned n = 0; n < CHUNKS; n++) {
		g->is_idle = true;
		pack_one(g, fills);
		/* The other has blocks of its own, too: its leader is of a later number than
		 * what waits for it. */
		g->is_idle = false;
		for (unsigned i = 0; i < 3; i++)
			pack_one(g, seals);
		if (n % 16 == 15)
			seal_waiting(g, seals);
	}
	g->is_idle = true;	/* at the end, too: then nobody waits */
	must(pack_lane_flush(fills, &e));
	seal_waiting(g, seals);
	g->is_idle = false;
	must(pack_lane_flush(seals, &e));
	pack_lane_close(fills);
	pack_lane_close(seals);
	must(packer_finish(p, &e));
	packer_free(p);
	must(catalogue_commit(g->f.v->catalogue, &e));

	assert_true(g->taken > 10);
	for (size_t id = 1; id < BLOCKS_MAX; id++) {
		const struct sealed_block *b = &g->blocks[id];

		assert_int_equal(b->is_sealed, g->chunks_in[id] > 0);
		assert_int_equal(b->chunks, g->chunks_in[id]);
		for (size_t i = 0; i < BLOCK_BASES_MAX && b->bases[i]; i++) {
			/* G1, P5 */
			assert_in_range(b->bases[i], 1, id - 1);
			assert_true(g->blocks[b->bases[i]].order < b->order);
			g->led++;
		}
	}
	assert_true(g->led > 10);
}

static void what_nobody_seals_is_freed(void **state)
{
	struct given *g = *state;
	struct pack_options o = { .block_size = BLOCK_SIZE, .level = 3, .chunk_names = 2,
				  .segment_size = 16u << 20, .lookup_cache = 1 << 20,
				  .sealed = sealed, .failed = failed, .hand_over = take,
				  .arg = g };
	struct pack_lane *lane;
	struct packer *p;
	struct err e = ERR_NONE;

	memset(g->chunks_in, 0, sizeof g->chunks_in);
	g->is_idle = true;
	must(catalogue_begin(g->f.v->catalogue, &e));
	must(packer_new(g->f.v, &o, &p, &e));
	must(pack_lane_open(p, &lane, &e));
	while (g->waiting < 2)
		pack_one(g, lane);
	packer_cancel(p);
	pack_lane_close(lane);
	for (size_t i = 0; i < g->waiting; i++)
		pack_filled_free(g->queue[i]);
	packer_free(p);
	catalogue_rollback(g->f.v->catalogue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_handed_over_is_sealed_whole_and_leans_on_nothing_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_nobody_seals_is_freed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
