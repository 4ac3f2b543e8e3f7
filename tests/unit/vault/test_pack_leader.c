#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/pack_leader.h"

#define BLOCK_SIZE (64u * 1024)
#define DATA_SIZE (24u << 20)
#define BLOCKS_MAX 8192

static const uint8_t archive_id[16] = "pack leader";

struct fixture {
	struct block_encoder *enc;
	struct block_decoder *dec;
	struct pack_leader leader;
	uint64_t seed;
	uint8_t *data;		/* DATA_SIZE */
	uint8_t *leaders[BLOCKS_MAX];	/* raw bytes of the blocks that lead, by number */
	size_t sizes[BLOCKS_MAX];
	size_t count, based, stored;
	size_t targets[BLOCKS_MAX];	/* of each block */
};

static int make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;

	assert_non_null(f);
	f->seed = 88172645463325252u;
	f->data = malloc(DATA_SIZE);
	assert_non_null(f->data);
	assert_int_equal(block_encoder_new(archive_id, 3, &f->enc, &e), 0);
	assert_int_equal(block_decoder_new(archive_id, &f->dec, &e), 0);
	pack_leader_init(&f->leader, BLOCK_SIZE, 3, true, false);
	*state = f;
	return 0;
}

static int drop(void **state)
{
	struct fixture *f = *state;

	pack_leader_end(&f->leader);
	block_encoder_free(f->enc);
	block_decoder_free(f->dec);
	for (size_t i = 0; i < BLOCKS_MAX; i++)
		free(f->leaders[i]);
	free(f->data);
	free(f);
	return 0;
}

static uint32_t next(struct fixture *f)
{
	f->seed ^= f->seed << 13;
	f->seed ^= f->seed >> 7;
	f->seed ^= f->seed << 17;
	return (uint32_t)(f->seed >> 20);
}

#define WORDS 8192	/* more than a block alone can learn and use */

/* Lines of a log: words of a vocabulary that comes up again all over the file. */
static void fill_log(struct fixture *f, uint8_t *data, size_t size)
{
	static char words[WORDS][12];

	for (size_t i = 0; i < WORDS; i++)
		for (size_t k = 0; k < 12; k++)
			words[i][k] = (char)('a' + next(f) % 26);
	for (size_t at = 0; at < size;) {
		const char *w = words[next(f) % WORDS];
		size_t n = size - at < 12 ? size - at : 12;

		memcpy(data + at, w, n);
		at += n;
		if (at < size)
			data[at++] = (uint8_t)('0' + next(f) % 10);
	}
}

static void fill_noise(struct fixture *f, uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)next(f);
}

/* Packs the data as a lane does; each block is decoded with the base that it names. */
static void pack(struct fixture *f, const uint8_t *data, size_t size)
{
	uint8_t *out = malloc(BLOCK_RAW_MAX);
	struct err e = ERR_NONE;

	assert_non_null(out);
	for (size_t at = 0; at < size;) {
		size_t n = pack_leader_target(&f->leader);
		struct block b = { .id = (int64_t)++f->count };
		const uint8_t *sealed, *base = NULL;
		size_t base_size = 0;

		assert_true(f->count < BLOCKS_MAX);
		f->targets[f->count] = n;
		n = size - at < n ? size - at : n;
		assert_int_equal(pack_leader_encode(&f->leader, f->enc, data + at, n, &b,
						    &sealed, &e), 0);
		f->stored += b.stored;
		if (b.bases[0] != 0) {
			assert_true(b.bases[0] < b.id);	/* G1 */
			assert_int_equal(b.bases[1], 0);
			base = f->leaders[b.bases[0]];
			base_size = f->sizes[b.bases[0]];
			assert_non_null(base);		/* it stands alone */
			f->based++;
		} else {
			f->leaders[b.id] = malloc(n);
			assert_non_null(f->leaders[b.id]);
			memcpy(f->leaders[b.id], data + at, n);
			f->sizes[b.id] = n;
		}
		size_t got;
		assert_int_equal(block_decode(f->dec, &b, sealed, base, base_size, out, n, &got,
					      &e), 0);
		assert_int_equal(got, n);
		assert_memory_equal(out, data + at, n);
		at += n;
	}
	free(out);
}

static void what_goes_on_as_it_began_gets_small_blocks_with_a_leader(void **state)
{
	struct fixture *f = *state;

	fill_log(f, f->data, DATA_SIZE);
	pack(f, f->data, DATA_SIZE);
	assert_int_equal(f->targets[1], f->leader.sizes.leader);
	assert_int_equal(f->targets[f->count], f->leader.sizes.alike);
	assert_true(f->based > f->count * 9 / 10);
}

static void noise_gets_large_blocks_that_stand_alone(void **state)
{
	struct fixture *f = *state;

	fill_noise(f, f->data, DATA_SIZE);
	pack(f, f->data, DATA_SIZE);
	assert_int_equal(f->based, 0);
	assert_true(f->count <= DATA_SIZE / f->leader.sizes.leader + 1);
}

/* Not for ever: after some megabytes of something else a new leader is found. */
static void what_changes_gets_another_leader(void **state)
{
	struct fixture *f = *state;
	size_t before, half = DATA_SIZE;

	fill_log(f, f->data, half);
	pack(f, f->data, half);
	fill_noise(f, f->data, half);
	pack(f, f->data, half);
	assert_null(f->leader.leader);
	fill_log(f, f->data, half);
	before = f->based;
	pack(f, f->data, half);
	assert_true(f->based > before);
	assert_int_equal(f->targets[f->count], f->leader.sizes.alike);
}

static void a_leader_does_not_lead_for_ever(void **state)
{
	struct fixture *f = *state;
	size_t alone = 0;

	fill_log(f, f->data, DATA_SIZE);
	for (unsigned i = 0; i < 4; i++)
		pack(f, f->data, DATA_SIZE);
	for (size_t i = 1; i <= f->count; i++)
		alone += f->leaders[i] != NULL;
	assert_in_range(alone, 2, 4);
}

static void with_older_versions_no_block_waits_to_become_a_leader(void **state)
{
	struct fixture *f = *state;

	pack_leader_init(&f->leader, BLOCK_SIZE, 3, true, true);
	assert_in_range(pack_leader_target(&f->leader), BLOCK_SIZE, 2 * BLOCK_SIZE);
}

static void a_high_level_leads_with_whole_blocks_and_tries_nothing(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	block_encoder_free(f->enc);
	assert_int_equal(block_encoder_new(archive_id, BLOCK_LEVEL_DENSE, &f->enc, &e), 0);
	pack_leader_init(&f->leader, block_size_default(BLOCK_LEVEL_DENSE), BLOCK_LEVEL_DENSE, true,
			 false);
	fill_log(f, f->data, 4u << 20);
	pack(f, f->data, 4u << 20);
	assert_int_equal(f->count, 4);
	assert_int_equal(f->based, 3);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, make, drop)
	const struct CMUnitTest tests[] = {
		T(what_goes_on_as_it_began_gets_small_blocks_with_a_leader),
		T(noise_gets_large_blocks_that_stand_alone),
		T(what_changes_gets_another_leader),
		T(a_leader_does_not_lead_for_ever),
		T(with_older_versions_no_block_waits_to_become_a_leader),
		T(a_high_level_leads_with_whole_blocks_and_tries_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
