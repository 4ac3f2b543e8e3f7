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

/* ---- stopped in the middle ---------------------------------------------------------- */

struct stopped {
	struct packer *packer;
	struct doomed_fixture noise;	/* each thread's own, for its numbers alone */
	pthread_mutex_t *lock;
	pthread_cond_t *is_sealed;
	size_t *segments;	/* protected by lock */
	enum muni_code code;
	pthread_t thread;
};

static void count_sealed(void *arg, struct pack_segment *s)
{
	struct stopped *t = arg;

	pthread_mutex_lock(t->lock);
	(*t->segments)++;
	pthread_cond_signal(t->is_sealed);
	pthread_mutex_unlock(t->lock);
	pack_segment_free(s);
}

static void ignore_failure(void *arg, const struct err *e)
{
	(void)arg;	/* of threads that write: they were stopped, too */
	(void)e;
}

/* Until it is stopped, with whatever its run has then. */
static void *pack_on(void *arg)
{
	struct stopped *t = arg;
	struct pack_lane *lane;
	struct chunk_place place;
	struct err e = ERR_NONE;
	uint8_t data[CHUNK];
	int rc = pack_lane_open(t->packer, &lane, &e);

	while (rc == 0) {
		for (unsigned i = 0; i + 8 <= CHUNK; i += 8) {
			uint64_t x = doomed_random(&t->noise);
			memcpy(data + i, &x, sizeof x);
		}
		rc = pack_chunk(lane, 1, data, CHUNK, NULL, PACK_PART, &place, &e);
	}
	pack_lane_close(lane);
	t->code = e.code;
	return NULL;
}

static void who_is_stopped_with_blocks_that_wait_ends_and_leaves_nothing(void **state)
{
	struct lain *l = *state;
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t is_sealed = PTHREAD_COND_INITIALIZER;
	size_t segments = 0;
	static struct stopped lanes[LANES];
	struct pack_options o = { .block_size = BLOCK_SIZE, .level = 3, .chunk_names = 2,
				  .segment_size = SEGMENT, .lookup_cache = 1 << 20,
				  .sealed = count_sealed, .failed = ignore_failure, .arg = lanes };
	struct packer *p;
	struct err e = ERR_NONE;

	must(catalogue_begin(l->f.v->catalogue, &e));
	must(packer_new(l->f.v, &o, &p, &e));
	for (unsigned i = 0; i < LANES; i++) {
		lanes[i] = (struct stopped){ .packer = p, .noise = l->f, .lock = &lock,
					     .is_sealed = &is_sealed, .segments = &segments };
		for (unsigned n = 0; n < 100 * i; n++)
			doomed_random(&lanes[i].noise);
	}
	for (unsigned i = 0; i < LANES; i++)
		assert_int_equal(pthread_create(&lanes[i].thread, NULL, pack_on, &lanes[i]), 0);
	pthread_mutex_lock(&lock);
	while (segments == 0)
		pthread_cond_wait(&is_sealed, &lock);
	pthread_mutex_unlock(&lock);
	packer_cancel(p);
	for (unsigned i = 0; i < LANES; i++) {
		pthread_join(lanes[i].thread, NULL);
		assert_int_equal(lanes[i].code, MUNI_CANCELLED);
	}
	packer_free(p);
	catalogue_rollback(l->f.v->catalogue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_of_a_lane_lie_together_and_in_order),
		cmocka_unit_test(who_is_stopped_with_blocks_that_wait_ends_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
