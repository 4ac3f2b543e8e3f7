#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/store/catalogue.h"
#include "fs/vault/pack_name.h"

static const uint8_t dedupe_key[32] = "a key that names chunks by";
static const uint8_t other_key[32] = "another one";

static struct pack_names_of names(const uint8_t *key, unsigned how, int64_t class_id,
				  const char *data, const struct digest *digest)
{
	struct pack_names *all;
	struct pack_namer *n;
	struct pack_names_of out;
	struct err e = ERR_NONE;

	assert_int_equal(pack_names_new(key, how, &all, &e), 0);
	assert_int_equal(pack_namer_new(all, &n, &e), 0);
	assert_int_equal(pack_namer_of(n, class_id, data, strlen(data), digest, &out, &e), 0);
	pack_namer_free(n);
	pack_names_free(all);
	return out;
}

#define assert_same(a, b) assert_memory_equal(a, b, 16)
#define assert_apart(a, b) assert_memory_not_equal(a, b, 16)

/* HMAC-SHA-256(key, class || SHA-256(chunk)): what rows of released archives have. */
static void an_archive_of_before_finds_its_chunks_by_the_names_that_it_has(void **state)
{
	const struct digest of = digest_of("minutes", 7);
	uint8_t raw[8 + DIGEST_SIZE] = { 3 };
	struct digest want;

	(void)state;
	memcpy(raw + 8, of.bytes, DIGEST_SIZE);
	want = digest_hmac(dedupe_key, sizeof dedupe_key, raw, sizeof raw);
	for (unsigned how = CHUNK_NAMES_DIGESTS; how <= CHUNK_NAMES_HASHED; how++)
		assert_same(names(dedupe_key, how, 3, "minutes", &of).kept, want.bytes);
	assert_same(names(dedupe_key, CHUNK_NAMES_DIGESTS, 3, "minutes", NULL).kept, want.bytes);
}

static void a_part_is_found_again_by_a_later_ingest(void **state)
{
	struct pack_names_of a = names(dedupe_key, CHUNK_NAMES_HASHED, 3, "minutes", NULL);
	struct pack_names_of b = names(dedupe_key, CHUNK_NAMES_HASHED, 3, "minutes", NULL);

	(void)state;
	assert_same(a.kept, b.kept);
	/* N2: what is believed without a comparison has a key of its own each time. */
	assert_apart(a.here, b.here);
	assert_apart(a.here, a.kept);
}

static void class_content_and_key_each_make_another_name(void **state)
{
	struct pack_names_of a = names(dedupe_key, CHUNK_NAMES_HASHED, 3, "minutes", NULL);

	(void)state;
	assert_apart(a.kept, names(dedupe_key, CHUNK_NAMES_HASHED, 4, "minutes", NULL).kept);
	assert_apart(a.kept, names(dedupe_key, CHUNK_NAMES_HASHED, 3, "minutez", NULL).kept);
	assert_apart(a.kept, names(dedupe_key, CHUNK_NAMES_HASHED, 3, "minute", NULL).kept);
	assert_apart(a.kept, names(other_key, CHUNK_NAMES_HASHED, 3, "minutes", NULL).kept);
}

static void within_an_ingest_threads_agree_on_what_is_equal(void **state)
{
	struct pack_names *all;
	struct pack_namer *one, *two;
	struct pack_names_of a, b, c, d;
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(pack_names_new(dedupe_key, CHUNK_NAMES_HASHED, &all, &e), 0);
	assert_int_equal(pack_namer_new(all, &one, &e), 0);
	assert_int_equal(pack_namer_new(all, &two, &e), 0);
	assert_int_equal(pack_namer_of(one, 1, "minutes", 7, NULL, &a, &e), 0);
	assert_int_equal(pack_namer_of(two, 1, "minutes", 7, NULL, &b, &e), 0);
	assert_int_equal(pack_namer_of(two, 2, "minutes", 7, NULL, &c, &e), 0);
	assert_int_equal(pack_namer_of(two, 1, "minuten", 7, NULL, &d, &e), 0);
	assert_same(a.here, b.here);
	assert_apart(a.here, c.here);
	assert_apart(a.here, d.here);
	pack_namer_free(one);
	pack_namer_free(two);
	pack_names_free(all);
}

/* N2, of small files in archives of all ages: the name in the catalogue, cut, is not believed. */
static void a_whole_file_too_is_believed_by_a_key_of_this_ingest_alone(void **state)
{
	const struct digest of = digest_of("minutes", 7);

	(void)state;
	for (unsigned how = CHUNK_NAMES_DIGESTS; how <= CHUNK_NAMES_HASHED; how++) {
		struct pack_names_of a = names(dedupe_key, how, 3, "minutes", &of);
		struct pack_names_of b = names(dedupe_key, how, 3, "minutes", &of);

		assert_same(a.kept, b.kept);
		assert_apart(a.here, b.here);
		assert_apart(a.here, a.kept);
	}
}

static void who_has_a_digest_as_content_is_not_taken_for_what_it_is_of(void **state)
{
	const struct digest of = digest_of("minutes", 7);
	struct pack_names *all;
	struct pack_namer *n;
	struct pack_names_of a, b, c;
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(pack_names_new(dedupe_key, CHUNK_NAMES_HASHED, &all, &e), 0);
	assert_int_equal(pack_namer_new(all, &n, &e), 0);
	assert_int_equal(pack_namer_of(n, 1, "minutes", 7, &of, &a, &e), 0);
	assert_int_equal(pack_namer_of(n, 1, of.bytes, DIGEST_SIZE, NULL, &b, &e), 0);
	assert_int_equal(pack_namer_of(n, 2, "minutes", 7, &of, &c, &e), 0);
	assert_apart(a.here, b.here);
	assert_apart(a.here, c.here);
	pack_namer_free(n);
	pack_names_free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_archive_of_before_finds_its_chunks_by_the_names_that_it_has),
		cmocka_unit_test(a_part_is_found_again_by_a_later_ingest),
		cmocka_unit_test(class_content_and_key_each_make_another_name),
		cmocka_unit_test(within_an_ingest_threads_agree_on_what_is_equal),
		cmocka_unit_test(a_whole_file_too_is_believed_by_a_key_of_this_ingest_alone),
		cmocka_unit_test(who_has_a_digest_as_content_is_not_taken_for_what_it_is_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
