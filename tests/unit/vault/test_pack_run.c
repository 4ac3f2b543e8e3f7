/* Blocks that lanes seal by turns lie in runs of one lane's. */
#include "tests/unit/vault/doomed.h"

#include <pthread.h>

#include "fs/vault/pack.h"
#include "fs/vault/pack_run.h"

#define LANES 3
#define CHUNKS 600u		/* of each lane */
#define CHUNK 8000u		/* noise: as long when it is sealed */
#define BLOCK_SIZE 8192u	/* so some 40 KiB are sealed together */
#define SEGMENT (16u << 20)

struct lain {			/* what the segments have, in their order */
	struct doomed_fixture f;
	unsigned lane_of[16384];	/* by id; 0: nobody's */
	int64_t ids[LANES * CHUNKS];
	uint64_t offsets[LANES * CHUNKS];
	unsigned segments[LANES * CHUNKS], segment_count;
	size_t count, packed;
	bool has_failed;
};

static int set_up(void **state)
{
	static struct lain l;

	doomed_open(&l.f, 23);
	*state = &l;
	return 0;
}

static int tear_down(void **state)
{
	struct lain *l = *state;

	doomed_close(&l->f);
	return 0;
}

/* One at a time, in the order of segments. */
static void sealed(void *arg, struct pack_segment *s)
{
	struct lain *l = arg;

	for (size_t i = 0; i < s->count && l->count < LANES * CHUNKS; i++) {
		l->ids[l->count] = s->blocks[i].block.id;
		l->segments[l->count] = l->segment_count;
		l->offsets[l->count++] = s->blocks[i].block.offset;
	}
	l->segment_count++;
	pack_segment_free(s);
}

static void failed(void *arg, const struct err *e)
{
	struct lain *l = arg;

	(void)e;
	l->has_failed = true;
}

static void pack_by_turns(struct lain *l, struct packer *p)
{
	struct pack_lane *lanes[LANES];
	struct err e = ERR_NONE;
	uint8_t *data = malloc(CHUNK);

	for (unsigned i = 0; i < LANES; i++)
		must(pack_lane_open(p, &lanes[i], &e));
	for (unsigned n = 0; n < LANES * CHUNKS; n++) {
		struct chunk_place place;
		for (unsigned i = 0; i + 8 <= CHUNK; i += 8) {
			uint64_t x = doomed_random(&l->f);
			memcpy(data + i, &x, sizeof x);
		}
		must(pack_chunk(lanes[n % LANES], 1, data, CHUNK, NULL, PACK_PART,
				&place, &e));
		assert_in_range(place.block, 1, 16383);
		l->packed += l->lane_of[place.block] == 0;
		l->lane_of[place.block] = 1 + n % LANES;
	}
	for (unsigned i = 0; i < LANES; i++) {
		must(pack_lane_flush(lanes[i], &e));
		pack_lane_close(lanes[i]);
	}
	free(data);
}

static void blocks_of_a_lane_lie_together_and_in_order(void **state)
{
	struct lain *l = *state;
	struct pack_options o = { .block_size = BLOCK_SIZE, .level = 3, .chunk_names = 2,
				  .segment_size = SEGMENT, .lookup_cache = 1 << 20,
				  .sealed = sealed, .failed = failed, .arg = l };
	struct packer *p;
	struct err e = ERR_NONE;
	int64_t last[LANES + 1] = { 0 };
	unsigned runs = 1;

	must(catalogue_begin(l->f.v->catalogue, &e));
	must(packer_new(l->f.v, &o, &p, &e));
	pack_by_turns(l, p);
	must(packer_finish(p, &e));
	packer_free(p);
	must(catalogue_commit(l->f.v->catalogue, &e));
	assert_false(l->has_failed);
	assert_int_equal(l->count, l->packed);
	assert_true(l->count > 20 * LANES);
	for (size_t i = 0; i < l->count; i++) {
		unsigned lane = l->lane_of[l->ids[i]];
		assert_int_not_equal(lane, 0);
		/* P5: whom it leads comes behind a leader, and has the higher number. */
		assert_true(l->ids[i] > last[lane]);
		last[lane] = l->ids[i];
		if (i > 0 && l->segments[i] == l->segments[i - 1])
			assert_true(l->offsets[i] > l->offsets[i - 1]);
		runs += i > 0 && lane != l->lane_of[l->ids[i - 1]];
	}
	/* One for each half a MiB of a lane, and what is left at the end; by turns it would be
	 * one a block. */
	assert_in_range(runs, LANES, LANES * (CHUNKS * CHUNK / (PACK_RUN_SIZE - 65536) + 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_of_a_lane_lie_together_and_in_order),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
