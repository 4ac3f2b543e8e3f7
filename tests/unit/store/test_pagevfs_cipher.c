/* One page, one header: what opens, and what must not. */
#include "tests/unit/store/folder.h"

#include <sys/wait.h>

#include "fs/store/pagevfs_cipher.h"

static const uint8_t secret[32] = { 1, 2, 3 };
static const uint8_t archive[16] = "an archive's id";
static const uint8_t file_id[12] = "file id one";

static void want(int is_so, const struct err *e)
{
	if (!is_so)
		fail_msg("code %d: %s", e->code, e->text);
}

static struct pagevfs_cipher *cipher(const uint8_t *key, const uint8_t *archive_id,
				     uint64_t epoch, const uint8_t *id)
{
	struct pagevfs_cipher *c;
	struct err e = ERR_NONE;

	want(pagevfs_cipher_new(key, archive_id, epoch, id, &c, &e) == 0, &e);
	return c;
}

static void page_fill(uint8_t page[PAGEVFS_PAGE_SIZE], uint32_t number)
{
	memset(page, 0, PAGEVFS_PAGE_SIZE);
	for (unsigned i = 0; i < PAGEVFS_NONCE_AT; i++)
		page[i] = (uint8_t)(i * 31 + number);
	if (number == 1) {
		memcpy(page, "SQLite format 3", 16);
		memcpy(page + 16, "\x20\x00\x02\x02\x20\x40\x20\x20", 8);
	}
}

static void a_page_comes_back_byte_for_byte(void **state)
{
	static const uint32_t numbers[] = { 1, 2, 77, UINT32_MAX };
	struct pagevfs_cipher *c = cipher(secret, archive, 1, file_id);
	uint8_t plain[PAGEVFS_PAGE_SIZE], sealed[PAGEVFS_PAGE_SIZE], back[PAGEVFS_PAGE_SIZE];
	struct err e = ERR_NONE;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		page_fill(plain, numbers[i]);
		want(pagevfs_cipher_seal(c, numbers[i], plain, sealed, &e) == 0, &e);
		memset(back, 0xee, sizeof back);
		want(pagevfs_cipher_open(c, numbers[i], sealed, back, &e) == 0, &e);
		assert_memory_equal(plain, back, sizeof plain);
		assert_null(memmem(sealed, sizeof sealed, plain + 100, 16));
	}
	pagevfs_cipher_free(c);
}

static void one_page_is_never_sealed_to_the_same_bytes_twice(void **state)
{
	struct pagevfs_cipher *c = cipher(secret, archive, 1, file_id);
	uint8_t plain[PAGEVFS_PAGE_SIZE], a[PAGEVFS_PAGE_SIZE], nonces[200][12];
	struct err e = ERR_NONE;

	(void)state;
	page_fill(plain, 5);
	for (unsigned i = 0; i < 200; i++) {
		want(pagevfs_cipher_seal(c, 5, plain, a, &e) == 0, &e);
		memcpy(nonces[i], a + PAGEVFS_NONCE_AT, 12);
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(nonces[i], nonces[j], 12);
	}
	pagevfs_cipher_free(c);
}

static void refused(struct pagevfs_cipher *c, uint32_t page, const uint8_t *sealed)
{
	static const uint8_t zeros[PAGEVFS_PAGE_SIZE];
	uint8_t back[PAGEVFS_PAGE_SIZE];
	struct err e = ERR_NONE;

	assert_int_equal(pagevfs_cipher_open(c, page, sealed, back, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_memory_equal(back, zeros, sizeof back);
}

static void every_flipped_bit_is_refused(void **state)
{
	struct pagevfs_cipher *c = cipher(secret, archive, 1, file_id);
	uint8_t plain[PAGEVFS_PAGE_SIZE], sealed[PAGEVFS_PAGE_SIZE];
	struct err e = ERR_NONE;

	(void)state;
	for (uint32_t page = 1; page <= 2; page++) {
		page_fill(plain, page);
		want(pagevfs_cipher_seal(c, page, plain, sealed, &e) == 0, &e);
		for (unsigned at = 0; at < PAGEVFS_PAGE_SIZE;
		     at += at < 40 || at > PAGEVFS_NONCE_AT - 3 ? 1 : 37) {
			sealed[at] ^= (uint8_t)(1u << at % 8);
			refused(c, page, sealed);
			sealed[at] ^= (uint8_t)(1u << at % 8);
		}
	}
	pagevfs_cipher_free(c);
}

static void a_page_of_elsewhere_is_refused(void **state)
{
	static const uint8_t other_secret[32] = { 9 }, other_archive[16] = { 9 },
			     other_file[12] = { 9 };
	struct pagevfs_cipher *c = cipher(secret, archive, 1, file_id);
	struct pagevfs_cipher *others[] = {
		cipher(other_secret, archive, 1, file_id),
		cipher(secret, other_archive, 1, file_id),
		cipher(secret, archive, 2, file_id),
		cipher(secret, archive, 1, other_file),
	};
	uint8_t plain[PAGEVFS_PAGE_SIZE], sealed[PAGEVFS_PAGE_SIZE];
	struct err e = ERR_NONE;

	(void)state;
	for (uint32_t page = 1; page <= 2; page++) {
		page_fill(plain, page);
		want(pagevfs_cipher_seal(c, page, plain, sealed, &e) == 0, &e);
		for (unsigned i = 0; i < 4; i++)
			refused(others[i], page, sealed);
		refused(c, page + 1, sealed);
		refused(c, page + (1u << 31), sealed);
	}
	for (unsigned i = 0; i < 4; i++)
		pagevfs_cipher_free(others[i]);
	pagevfs_cipher_free(c);
}

static void content_in_the_reserved_bytes_is_not_sealed(void **state)
{
	struct pagevfs_cipher *c = cipher(secret, archive, 1, file_id);
	uint8_t plain[PAGEVFS_PAGE_SIZE], sealed[PAGEVFS_PAGE_SIZE];

	(void)state;
	for (unsigned at = PAGEVFS_NONCE_AT; at < PAGEVFS_PAGE_SIZE; at++) {
		struct err e = ERR_NONE;
		page_fill(plain, 2);
		plain[at] = 1;
		assert_int_equal(pagevfs_cipher_seal(c, 2, plain, sealed, &e), -1);
		assert_int_equal(e.code, MUNI_USAGE);
	}
	struct err e = ERR_NONE;
	page_fill(plain, 1);
	plain[20] = 0;	/* a page 1 that reserves nothing */
	assert_int_equal(pagevfs_cipher_seal(c, 1, plain, sealed, &e), -1);
	pagevfs_cipher_free(c);
}

static void a_forked_child_seals_nothing(void **state)
{
	struct pagevfs_cipher *c = cipher(secret, archive, 1, file_id);
	uint8_t plain[PAGEVFS_PAGE_SIZE], sealed[PAGEVFS_PAGE_SIZE];
	int status;

	(void)state;
	page_fill(plain, 2);
	pid_t child = fork();
	if (child == 0) {
		struct err e = ERR_NONE;
		/* And for this reason: that its key is gone as well is another's doing. */
		_exit(pagevfs_cipher_seal(c, 2, plain, sealed, &e) == -1 &&
		      strstr(e.text, "before a fork") ? 0 : 1);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	pagevfs_cipher_free(c);
}

static void a_header_comes_back_and_its_place_matters(void **state)
{
	struct pagevfs_cipher *c = cipher(secret, archive, 1, file_id);

	(void)state;
	for (size_t size = 24; size <= 32; size += 8) {
		uint8_t plain[32], head[32], elsewhere[32];
		for (unsigned i = 0; i < 32; i++)
			plain[i] = (uint8_t)i;
		memcpy(head, plain, 32);
		memcpy(elsewhere, plain, 32);
		pagevfs_cipher_hide(c, 32, head, size);
		pagevfs_cipher_hide(c, 32 + 8216, elsewhere, size);
		assert_memory_not_equal(head, elsewhere, size);
		assert_memory_equal(head + size, plain + size, 32 - size);
		pagevfs_cipher_show(c, 32, head, size);
		assert_memory_equal(head, plain, 32);
		pagevfs_cipher_show(c, 32, elsewhere, size);
		assert_memory_not_equal(elsewhere, plain, size);
	}
	pagevfs_cipher_free(c);
}

/* No field survives a change of another: neither page number nor checksum. */
static void a_flipped_bit_makes_noise_of_the_whole_header(void **state)
{
	struct pagevfs_cipher *c = cipher(secret, archive, 1, file_id);

	(void)state;
	for (unsigned bit = 0; bit < 24 * 8; bit++) {
		uint8_t plain[24] = { 0 }, head[24];
		memcpy(head, plain, 24);
		pagevfs_cipher_hide(c, 32, head, 24);
		head[bit / 8] ^= (uint8_t)(1u << bit % 8);
		pagevfs_cipher_show(c, 32, head, 24);
		for (unsigned at = 0; at < 24; at += 8)
			assert_memory_not_equal(head + at, plain + at, 8);
	}
	pagevfs_cipher_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_comes_back_byte_for_byte),
		cmocka_unit_test(one_page_is_never_sealed_to_the_same_bytes_twice),
		cmocka_unit_test(every_flipped_bit_is_refused),
		cmocka_unit_test(a_page_of_elsewhere_is_refused),
		cmocka_unit_test(content_in_the_reserved_bytes_is_not_sealed),
		cmocka_unit_test(a_forked_child_seals_nothing),
		cmocka_unit_test(a_header_comes_back_and_its_place_matters),
		cmocka_unit_test(a_flipped_bit_makes_noise_of_the_whole_header),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
