#include "fs/crypt/seal.h"
#include "fs/store/block.h"
#include "tests/unit/store/folder.h"

#define RAW (128 * 1024)

struct fixture {
	struct block_encoder *enc;
	struct block_decoder *dec;
	uint8_t raw[RAW], base[2 * RAW], out[BLOCK_RAW_MAX + 64];
	size_t got;
};

static int fixture_make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;

	assert_non_null(f);
	assert_int_equal(block_encoder_new(test_archive_id, 3, &f->enc, &e), 0);
	assert_int_equal(block_decoder_new(test_archive_id, &f->dec, &e), 0);
	fill_text(f->raw, RAW, 1);
	fill_text(f->base, sizeof f->base, 2);
	*state = f;
	return 0;
}

static int fixture_drop(void **state)
{
	struct fixture *f = *state;

	block_encoder_free(f->enc);
	block_decoder_free(f->dec);
	free(f);
	return 0;
}

/* Encodes; *copy is the sealed bytes, malloc'ed. */
static struct block encode(struct fixture *f, const void *raw, size_t size,
			   const void *base, size_t base_size, uint8_t **copy)
{
	struct block b = { .id = 1 };
	const uint8_t *sealed;
	struct err e = ERR_NONE;

	assert_int_equal(block_encode(f->enc, raw, size, base, base_size, &b, &sealed, &e), 0);
	assert_true(b.stored <= BLOCK_STORED_MAX);
	*copy = malloc(b.stored);
	assert_non_null(*copy);
	memcpy(*copy, sealed, b.stored);
	return b;
}

static void text_shrinks_and_comes_back_also_in_part(void **state)
{
	static const size_t wants[] = { 0, 1, 4096, 32768, 32769, 65536, 131071, RAW };
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	uint8_t *sealed;
	struct block b = encode(f, f->raw, RAW, NULL, 0, &sealed);

	assert_int_equal(b.codec, BLOCK_ZSTD);
	assert_int_equal(b.raw, RAW);
	assert_true(b.stored < RAW / 2);
	for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
		memset(f->out, 0xee, sizeof f->out);
		assert_int_equal(block_decode(f->dec, &b, sealed, NULL, 0, f->out, wants[i],
					      &f->got, &e), 0);
		assert_in_range(f->got, wants[i], RAW);
		assert_memory_equal(f->out, f->raw, f->got);
		assert_int_equal(f->out[RAW], 0xee);
		assert_true(wants[i] > RAW / 2 || f->got <= RAW / 2);	/* it stops early */
	}
	free(sealed);
}

static void every_size_from_one_byte_to_the_largest_comes_back(void **state)
{
	static const size_t sizes[] = { 1, 2, 15, 16, 17, 100, 32767, 32768, 32769,
		BLOCK_RAW_MAX - 1, BLOCK_RAW_MAX };
	struct fixture *f = *state;
	uint8_t *raw = malloc(BLOCK_RAW_MAX);
	struct err e = ERR_NONE;

	assert_non_null(raw);
	for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
		size_t size = sizes[i / 2];
		uint8_t *sealed;
		struct block b;

		if (i % 2 == 0)
			fill_text(raw, size, i);
		else
			fill(raw, size, i);
		b = encode(f, raw, size, NULL, 0, &sealed);
		assert_int_equal(block_decode(f->dec, &b, sealed, NULL, 0, f->out, size,
					      &f->got, &e), 0);
		assert_memory_equal(f->out, raw, size);
		free(sealed);
	}
	free(raw);
}

static void what_does_not_compress_is_stored_as_it_is(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	uint8_t *sealed;
	struct block b;

	fill(f->raw, RAW, 7);
	b = encode(f, f->raw, RAW, NULL, 0, &sealed);
	assert_int_equal(b.codec, BLOCK_STORED);
	assert_int_equal(b.stored, RAW + SEAL_TAG_SIZE);
	assert_int_equal(block_decode(f->dec, &b, sealed, NULL, 0, f->out, 5000, &f->got, &e), 0);
	assert_memory_equal(f->out, f->raw, 5000);
	assert_int_equal(block_decode(f->dec, &b, sealed, NULL, 0, f->out, RAW, &f->got, &e), 0);
	assert_memory_equal(f->out, f->raw, RAW);
	free(sealed);
}

static void a_base_makes_a_later_version_small(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	uint8_t *sealed, *plain;
	struct block b, again;

	/* Random bytes that stand in the base compress against it alone. */
	fill(f->base, sizeof f->base, 3);
	memcpy(f->raw, f->base + 1000, RAW / 2);
	memcpy(f->raw + RAW / 2, f->base + RAW + 77, RAW / 2);
	memcpy(f->raw + 40000, "changed", 7);
	b = encode(f, f->raw, RAW, f->base, sizeof f->base, &sealed);
	assert_int_equal(b.codec, BLOCK_ZSTD_BASED);
	assert_true(b.stored < 500);
	assert_int_equal(block_decode(f->dec, &b, sealed, f->base, sizeof f->base, f->out,
				      RAW, &f->got, &e), 0);
	assert_memory_equal(f->out, f->raw, RAW);
	memset(f->out, 0, RAW);
	assert_int_equal(block_decode(f->dec, &b, sealed, f->base, sizeof f->base, f->out,
				      50000, &f->got, &e), 0);
	assert_memory_equal(f->out, f->raw, 50000);

	/* The prefix does not linger in either context. */
	again = encode(f, f->raw, RAW, NULL, 0, &plain);
	assert_int_equal(again.codec, BLOCK_STORED);
	fill_text(f->raw, RAW, 9);
	free(plain);
	again = encode(f, f->raw, RAW, NULL, 0, &plain);
	assert_int_equal(block_decode(f->dec, &again, plain, NULL, 0, f->out, RAW, &f->got, &e), 0);
	assert_memory_equal(f->out, f->raw, RAW);

	/* Without its base, or with another, it is not decoded to something else. */
	assert_int_equal(block_decode(f->dec, &b, sealed, NULL, 0, f->out, RAW, &f->got, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	free(plain);
	free(sealed);
}

static void a_leader_makes_small_blocks_that_come_back(void **state)
{
	struct fixture *f = *state;
	const uint8_t *sealed;
	struct block_leader *leader;
	struct err e = ERR_NONE;
	size_t alone, led;

	fill(f->base, sizeof f->base, 5);
	assert_int_equal(block_leader_new(7, f->base, sizeof f->base, &leader, &e), 0);
	memcpy(f->raw, f->base + 5000, 40000);
	for (int round = 0; round < 8; round++) {
		bool is_alike = round % 2 == 1;
		/* In part, in whole, and in whole again: with the same base it goes a
		 * quicker way. */
		size_t size = round < 4 ? 40000 : 32768, wanted = round % 3 == 0 ? 20000 : size;
		struct block b = { .id = 8 + round };

		assert_int_equal(block_measure(f->enc, NULL, is_alike, f->raw, size, &alone,
					       &e), 0);
		assert_int_equal(block_measure(f->enc, leader, is_alike, f->raw, size, &led,
					       &e), 0);
		assert_true(led < alone / 10);
		assert_int_equal(block_encode_led(f->enc, leader, is_alike, f->raw, size, &b,
						  &sealed, &e), 0);
		assert_int_equal(b.stored, led);
		assert_int_equal(b.codec, BLOCK_ZSTD_BASED);
		assert_int_equal(b.bases[0], 7);
		assert_int_equal(b.bases[1], 0);
		memset(f->out, 0xee, sizeof f->out);
		assert_int_equal(block_decode(f->dec, &b, sealed, f->base, sizeof f->base,
					      f->out, wanted, &f->got, &e), 0);
		assert_in_range(f->got, wanted, size);
		assert_memory_equal(f->out, f->raw, f->got);
		assert_int_equal(f->out[size], 0xee);
		if (round != 5)
			continue;
		/* A base of another number or size is not mistaken for the one before. */
		b.bases[0] = 9;
		memset(f->out, 0, size);
		if (block_decode(f->dec, &b, sealed, f->raw, RAW, f->out, size, &f->got,
				 &e) == 0)
			assert_memory_not_equal(f->out, f->raw, size);
	}
	block_leader_free(leader);
}

static void a_base_that_looks_like_a_dictionary_of_zstd_is_bytes_like_any(void **state)
{
	struct fixture *f = *state;
	uint8_t *room = malloc(sizeof f->base + RAW), *sealed;
	struct err e = ERR_NONE;

	assert_non_null(room);
	memcpy(f->base, "\x37\xa4\x30\xec", 4);
	for (int content = 0; content < 2; content++) {
		if (content == 1)	/* what the format says of it does not hold */
			fill(f->base + 4, sizeof f->base - 4, 3);
		memcpy(f->raw, f->base + 1000, RAW);
		memcpy(f->raw + 40000, "changed", 7);
		struct block b = encode(f, f->raw, RAW, f->base, sizeof f->base, &sealed);
		assert_int_equal(b.codec, BLOCK_ZSTD_BASED);
		memcpy(room, f->base, sizeof f->base);
		assert_int_equal(block_decode(f->dec, &b, sealed, room, sizeof f->base,
					      room + sizeof f->base, 10, &f->got, &e), 0);
		assert_in_range(f->got, 10, RAW);
		assert_memory_equal(room + sizeof f->base, f->raw, f->got);
		free(sealed);
	}
	free(room);
}

static void what_is_decoded_right_behind_its_base_is_the_same(void **state)
{
	static const size_t wants[] = { 1, 32768, 40000, RAW };
	struct fixture *f = *state;
	uint8_t *room = malloc(sizeof f->base + RAW + 1), *sealed;
	struct err e = ERR_NONE;

	assert_non_null(room);
	memcpy(f->raw + 5000, f->base + sizeof f->base - 3000, 3000);
	struct block b = encode(f, f->raw, RAW, f->base, sizeof f->base, &sealed);
	for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
		memcpy(room, f->base, sizeof f->base);
		memset(room + sizeof f->base, 0xee, RAW + 1);
		assert_int_equal(block_decode(f->dec, &b, sealed, room, sizeof f->base,
					      room + sizeof f->base, wants[i], &f->got, &e), 0);
		assert_in_range(f->got, wants[i], RAW);
		assert_memory_equal(room, f->base, sizeof f->base);
		assert_memory_equal(room + sizeof f->base, f->raw, f->got);
		assert_int_equal(room[sizeof f->base + RAW], 0xee);
	}
	free(sealed);
	free(room);
}

static void what_a_leader_does_not_help_is_stored_without_it(void **state)
{
	struct fixture *f = *state;
	const uint8_t *sealed;
	struct block_leader *leader;
	struct block b = { .id = 8 };
	struct err e = ERR_NONE;

	assert_int_equal(block_leader_new(7, f->base, sizeof f->base, &leader, &e), 0);
	fill(f->raw, RAW, 11);
	assert_int_equal(block_encode_led(f->enc, leader, true, f->raw, RAW, &b, &sealed, &e), 0);
	assert_int_equal(b.codec, BLOCK_STORED);
	assert_int_equal(b.bases[0], 0);
	assert_int_equal(b.stored, RAW + SEAL_TAG_SIZE);
	block_leader_free(leader);
}

static void every_level_leads_and_gives_back_the_largest_blocks(void **state)
{
	static const int levels[] = { 1, 2, 4, 6, 9, 12, 13, 19 };
	struct fixture *f = *state;
	size_t size = BLOCK_RAW_MAX / 4;
	uint8_t *base = malloc(BLOCK_RAW_MAX), *raw = malloc(size);
	struct err e = ERR_NONE;

	assert_non_null(base);
	assert_non_null(raw);
	fill_text(base, BLOCK_RAW_MAX, 3);
	fill_text(raw, size, 4);
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		struct block_encoder *enc;
		struct block_leader *leader;
		struct block b = { .id = 2 };
		const uint8_t *sealed;

		assert_int_equal(block_encoder_new(test_archive_id, levels[i], &enc, &e), 0);
		assert_int_equal(block_leader_new(1, base, BLOCK_RAW_MAX, &leader, &e), 0);
		assert_int_equal(block_encode_led(enc, leader, i % 2, raw, size, &b, &sealed,
						  &e), 0);
		assert_int_equal(b.codec, BLOCK_ZSTD_BASED);
		assert_int_equal(block_decode(f->dec, &b, sealed, base, BLOCK_RAW_MAX, f->out,
					      size, &f->got, &e), 0);
		assert_memory_equal(f->out, raw, size);
		block_leader_free(leader);
		block_encoder_free(enc);
	}
	free(base);
	free(raw);
}

static void sizes_fit_a_block_whatever_the_archive_says(void **state)
{
	(void)state;
	for (int level = 1; level <= 19; level++) {
		for (uint64_t n = 4096; n <= BLOCK_RAW_MAX; n *= 2) {
			struct block_sizes s;

			block_sizes_of((uint32_t)n, level, &s);
			assert_in_range(s.alike, 1, s.large);
			assert_in_range(s.large, s.alike, BLOCK_RAW_MAX);
			assert_in_range(s.leader, 4096, s.large);
			assert_in_range(s.files_leader, 4096, s.large);
		}
	}
}

static void equal_content_never_gets_an_equal_key_id_or_ciphertext(void **state)
{
	struct fixture *f = *state;
	uint8_t *one, *two;
	struct block a = encode(f, f->raw, RAW, NULL, 0, &one);
	struct block b = encode(f, f->raw, RAW, NULL, 0, &two);

	assert_memory_not_equal(a.key, b.key, sizeof a.key);
	assert_memory_not_equal(a.uid, b.uid, sizeof a.uid);
	assert_int_equal(a.stored, b.stored);	/* the same frame, other keys */
	assert_memory_not_equal(one, two, a.stored);
	free(one);
	free(two);
}

static void every_flipped_bit_is_found(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	uint8_t *sealed;
	struct block b = encode(f, f->raw, 300, NULL, 0, &sealed);

	for (size_t bit = 0; bit < (size_t)b.stored * 8; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(block_authenticate(f->dec, &b, sealed, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		assert_int_equal(block_decode(f->dec, &b, sealed, NULL, 0, f->out, 1,
					      &f->got, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(block_authenticate(f->dec, &b, sealed, &e), 0);
	free(sealed);
}

static void a_block_is_no_block_of_another_archive_id_or_row(void **state)
{
	struct fixture *f = *state;
	struct block_decoder *other;
	struct err e = ERR_NONE;
	uint8_t *sealed;
	struct block b = encode(f, f->raw, 1000, NULL, 0, &sealed), row = b;

	assert_int_equal(block_decoder_new((const uint8_t *)"another-archive!", &other, &e), 0);
	assert_int_equal(block_authenticate(other, &b, sealed, &e), -1);
	block_decoder_free(other);
	row.uid[3] ^= 1;
	assert_int_equal(block_authenticate(f->dec, &row, sealed, &e), -1);
	row = b;
	row.key[31] ^= 0x80;
	assert_int_equal(block_authenticate(f->dec, &row, sealed, &e), -1);
	free(sealed);
}

static void a_lying_row_is_damage(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	uint8_t *sealed;
	struct block b = encode(f, f->raw, RAW, NULL, 0, &sealed), row;

#define REFUSED(change) do { \
		row = b; \
		change; \
		assert_int_equal(block_decode(f->dec, &row, sealed, NULL, 0, f->out, \
					      row.raw < RAW ? row.raw : RAW, &f->got, &e), -1); \
		assert_int_equal(e.code, MUNI_DAMAGED); \
	} while (0)
	REFUSED(row.raw = RAW - 1);
	REFUSED(row.raw = 0);
	REFUSED(row.raw = BLOCK_RAW_MAX + 1);
	REFUSED(row.stored = 0);
	REFUSED(row.stored = 16);
	REFUSED(row.stored = UINT32_MAX);
	REFUSED(row.stored--);
	REFUSED(row.codec = BLOCK_STORED);
	REFUSED(row.codec = BLOCK_ZSTD_BASED);
	REFUSED(row.codec = 3);
	/* A larger size: the whole is asked for, and the frame has less. */
	row = b;
	row.raw = RAW + 1;
	assert_int_equal(block_decode(f->dec, &row, sealed, NULL, 0, f->out, RAW + 1,
				      &f->got, &e), -1);
	/* Past the end. */
	assert_int_equal(block_decode(f->dec, &b, sealed, NULL, 0, f->out, RAW + 1,
				      &f->got, &e), -1);
	free(sealed);
}

/* Seals bytes of ours as if they were a frame. */
static struct block forge(const void *frame, size_t size, uint32_t raw, uint8_t *sealed)
{
	struct block b = { .raw = raw, .codec = BLOCK_ZSTD,
			   .stored = (uint32_t)size + SEAL_TAG_SIZE };
	static const uint8_t nonce[SEAL_NONCE_SIZE];
	uint8_t ad[52] = "muniment.block";
	struct sealer *s;
	struct err e = ERR_NONE;

	ad[16] = 1;
	memcpy(ad + 20, test_archive_id, 16);
	assert_int_equal(sealer_new(&s, &e), 0);
	assert_int_equal(sealer_set_key(s, b.key, &e), 0);
	assert_int_equal(seal_close(s, nonce, ad, sizeof ad, frame, size, sealed,
				    sealed + size, &e), 0);
	sealer_free(s);
	return b;
}

static void a_hostile_frame_is_damage_and_writes_nothing_past_the_end(void **state)
{
	static const struct { const char *bytes; size_t size; } frames[] = {
		{ "", 1 },
		{ "\x28\xb5\x2f\xfd", 4 },
		/* a window of 2^31 */
		{ "\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9 },
		/* an RLE block of 128 KiB, again and again */
		{ "\x28\xb5\x2f\xfd\x00\x58\x02\x00\x10z\x02\x00\x10z\x03\x00\x10z", 18 },
		/* a skippable frame */
		{ "\x50\x2a\x4d\x18\x00\x00\x00\x00", 8 },
	};
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	uint8_t sealed[64];

	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
		struct block b = forge(frames[i].bytes, frames[i].size, 5000, sealed);

		memset(f->out, 0xee, sizeof f->out);
		assert_int_equal(block_authenticate(f->dec, &b, sealed, &e), 0);
		assert_int_equal(block_decode(f->dec, &b, sealed, NULL, 0, f->out, 5000,
					      &f->got, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		if (i != 3) {
			assert_int_equal(block_decode(f->dec, &b, sealed, NULL, 0, f->out,
						      4999, &f->got, &e), -1);
			assert_int_equal(e.code, MUNI_DAMAGED);
		}
		assert_int_equal(f->out[5000], 0xee);
	}
}

static void a_frame_of_a_larger_window_than_the_format_has_is_damage(void **state)
{
	/* 5,000 times the same byte; windows of 2 and of 4 MiB. */
	static const char ours[] = "\x28\xb5\x2f\xfd\x00\x58\x43\x9c\x00z";
	static const char wider[] = "\x28\xb5\x2f\xfd\x00\x60\x43\x9c\x00z";
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	uint8_t sealed[64];
	struct block b = forge(ours, sizeof ours - 1, 5000, sealed);

	assert_int_equal(block_decode(f->dec, &b, sealed, NULL, 0, f->out, 5000, &f->got, &e), 0);
	assert_int_equal(f->got, 5000);
	assert_int_equal(f->out[4999], 'z');
	b = forge(wider, sizeof wider - 1, 5000, sealed);
	assert_int_equal(block_decode(f->dec, &b, sealed, NULL, 0, f->out, 5000, &f->got, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_make, fixture_drop)
	const struct CMUnitTest tests[] = {
		T(text_shrinks_and_comes_back_also_in_part),
		T(every_size_from_one_byte_to_the_largest_comes_back),
		T(what_does_not_compress_is_stored_as_it_is),
		T(a_base_makes_a_later_version_small),
		T(a_leader_makes_small_blocks_that_come_back),
		T(a_base_that_looks_like_a_dictionary_of_zstd_is_bytes_like_any),
		T(what_is_decoded_right_behind_its_base_is_the_same),
		T(what_a_leader_does_not_help_is_stored_without_it),
		T(every_level_leads_and_gives_back_the_largest_blocks),
		T(sizes_fit_a_block_whatever_the_archive_says),
		T(equal_content_never_gets_an_equal_key_id_or_ciphertext),
		T(every_flipped_bit_is_found),
		T(a_block_is_no_block_of_another_archive_id_or_row),
		T(a_lying_row_is_damage),
		T(a_frame_of_a_larger_window_than_the_format_has_is_damage),
		T(a_hostile_frame_is_damage_and_writes_nothing_past_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
