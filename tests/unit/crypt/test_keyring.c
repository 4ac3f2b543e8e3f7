#include "tests/unit/crypt/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs/crypt/keyring_inside.h"
#include "fs/crypt/secret.h"
#include "fs/crypt/sign.h"
#include "fs/crypt/signatories.h"

#define NOW 1700000000
#define HALF (KEYRING_SIZE / 2)

static const uint8_t id[16] = "an archive's id";
static const uint8_t other_id[16] = "another's id...";
static const uint8_t file_a[40] = "forty bytes of a key file that opens it";
static const uint8_t file_b[40] = "forty bytes of another key file, for b.";
static const struct keyring_secret key_a = { KEYRING_KEY_FILE, file_a, 40, "a" };
static const struct keyring_secret key_b = { KEYRING_KEY_FILE, file_b, 40, "b" };

/* The disk below: what a file had past `from` when it was cut, and whether the writes
 * of a half arrive as they were given. */
static struct {
	size_t from;
	uint8_t cut[8192];
	size_t cut_size;
	bool is_lying;
} disk;

int ftruncate(int fd, off_t size)
{
	if (disk.from > 0) {
		ssize_t n = pread(fd, disk.cut, sizeof disk.cut, (off_t)disk.from);

		disk.cut_size = n > 0 ? (size_t)n : 0;
	}
	return (int)syscall(SYS_ftruncate, fd, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	uint8_t *other = NULL;
	ssize_t n;

	if (disk.is_lying && size == HALF) {
		other = malloc(size);
		assert_non_null(other);
		memcpy(other, data, size);
		other[size / 2] ^= 1;
	}
	n = syscall(SYS_pwrite64, fd, other ? other : data, size, offset);
	free(other);
	return n;
}

struct fixture {
	char folder[64];
	char path[96];
	uint8_t catalogue[32], dedupe[32];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;
	struct keyring *k;

	strcpy(f->folder, "/tmp/muniment-keyring.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/k", f->folder);
	assert_int_equal(keyring_create(f->path, id, &key_a, 1, NOW, &k, &e), 0);
	memcpy(f->catalogue, keyring_catalogue_key(k, 1), 32);
	memcpy(f->dedupe, keyring_dedupe_key(k), 32);
	keyring_close(k);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	assert_int_equal(rmdir(f->folder), 0);	/* no temporary file was left */
	free(f);
	return 0;
}

static struct keyring *open_with(const struct fixture *f, const struct keyring_secret *secret)
{
	struct keyring *k;
	struct err e = ERR_NONE;

	if (keyring_open(f->path, id, secret, &k, &e) < 0)
		fail_msg("%s", e.text);
	return k;
}

static enum muni_code code_with(const struct fixture *f, const struct keyring_secret *secret)
{
	struct keyring *k;
	struct err e = ERR_NONE;

	if (keyring_open(f->path, id, secret, &k, &e) == 0) {
		keyring_close(k);
		return MUNI_OK;
	}
	assert_null(k);
	return e.code;
}

static void load(const struct fixture *f, uint8_t raw[KEYRING_SIZE])
{
	int fd = open(f->path, O_RDONLY);

	assert_int_equal(read(fd, raw, KEYRING_SIZE), KEYRING_SIZE);
	close(fd);
}

static void save(const struct fixture *f, const uint8_t *raw, size_t size)
{
	int fd = open(f->path, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, raw, size), size);
	close(fd);
}

static bool is_damaged(const struct fixture *f)
{
	bool damaged;
	char what[200];
	struct err e = ERR_NONE;

	if (keyring_check(f->path, id, &damaged, what, sizeof what, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(damaged, what[0] != '\0');
	return damaged;
}

static bool holds(const uint8_t *raw, const uint8_t *needle, size_t size)
{
	return memmem(raw, KEYRING_SIZE, needle, size) != NULL;
}

static void a_new_keyring_is_private_whole_and_gives_its_keys_back(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	struct keyring *k = open_with(f, &key_a);

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, KEYRING_SIZE);
	assert_int_equal(keyring_epoch(k), 1);
	assert_memory_equal(keyring_catalogue_key(k, 1), f->catalogue, 32);
	assert_memory_equal(keyring_dedupe_key(k), f->dedupe, 32);
	assert_null(keyring_catalogue_key(k, 0));
	assert_null(keyring_catalogue_key(k, 2));
	assert_memory_not_equal(keyring_chunker_key(k), f->dedupe, 32);
	assert_true(keyring_is_settled(k));
	assert_false(is_damaged(f));
	assert_non_null(keyring_signer(k, &(struct err)ERR_NONE));
	keyring_close(k);
}

static void no_key_stands_in_the_file_in_clear(void **state)
{
	struct fixture *f = *state;
	uint8_t raw[KEYRING_SIZE];

	load(f, raw);
	assert_false(holds(raw, f->catalogue, 32));
	assert_false(holds(raw, f->dedupe, 32));
	assert_false(holds(raw, file_a, 40));
}

static void creating_over_a_keyring_is_refused_and_leaves_it(void **state)
{
	struct fixture *f = *state;
	struct keyring *k;
	struct err e = ERR_NONE;

	assert_int_equal(keyring_create(f->path, id, &key_b, 1, NOW, &k, &e), -1);
	assert_int_equal(e.code, MUNI_EXISTS);
	assert_int_equal(code_with(f, &key_a), MUNI_OK);
}

static void a_wrong_secret_cannot_unlock(void **state)
{
	struct fixture *f = *state;
	const struct keyring_secret word = { KEYRING_PASSPHRASE, (const uint8_t *)"x", 1, NULL };
	const struct keyring_secret small = { KEYRING_KEY_FILE, file_a, 31, NULL };
	const struct keyring_secret raw = { KEYRING_KEY_FILE, file_b, 32, NULL };
	struct keyring *k;
	struct err e = ERR_NONE;

	assert_int_equal(code_with(f, &key_b), MUNI_CANNOT_UNLOCK);
	assert_int_equal(code_with(f, &word), MUNI_CANNOT_UNLOCK);
	assert_int_equal(code_with(f, &small), MUNI_CANNOT_UNLOCK);
	assert_int_equal(code_with(f, &raw), MUNI_CANNOT_UNLOCK);
	assert_int_equal(keyring_open(f->path, other_id, &key_a, &k, &e), -1);
	assert_int_equal(e.code, MUNI_CANNOT_UNLOCK);
	assert_non_null(strstr(e.text, "another archive"));
	unlink(f->path);
	assert_int_equal(keyring_open(f->path, id, &key_a, &k, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
}

static void a_passphrase_opens_and_a_neighbour_of_it_does_not(void **state)
{
	struct fixture *f = *state;
	const struct keyring_secret right = { KEYRING_PASSPHRASE,
					      (const uint8_t *)"correct horse", 13, NULL };
	const struct keyring_secret wrong = { KEYRING_PASSPHRASE,
					      (const uint8_t *)"correct horsf", 13, NULL };
	struct keyring *k = open_with(f, &key_a);
	struct err e = ERR_NONE;
	unsigned number;

	assert_int_equal(keyring_slot_add(k, &right, "desk", NOW, &number, &e), 0);
	assert_int_equal(number, 2);
	keyring_close(k);
	assert_int_equal(code_with(f, &wrong), MUNI_CANNOT_UNLOCK);
	k = open_with(f, &right);
	assert_memory_equal(keyring_catalogue_key(k, 1), f->catalogue, 32);
	keyring_close(k);
	assert_int_equal(code_with(f, &key_a), MUNI_OK);
}

/* N = 2^17, r = 8, p = 1, as docs/format.md has them: 128 MiB. */
static void a_guess_at_a_passphrase_costs_128_mebibytes(void **state)
{
	static const uint8_t work[] = { 17, 8, 0, 0, 0, 1, 0, 0, 0 };
	const struct keyring_secret words = { KEYRING_PASSPHRASE,
					      (const uint8_t *)"correct horse", 13, NULL };
	struct fixture *f = *state;
	struct keyring *k = open_with(f, &key_a);
	struct err e = ERR_NONE;
	uint8_t raw[KEYRING_SIZE];
	unsigned number;

	assert_int_equal(keyring_slot_add(k, &words, "desk", NOW, &number, &e), 0);
	keyring_close(k);
	load(f, raw);
	assert_true(holds(raw, work, sizeof work));
}

static void the_passphrase_may_lie_in_memory_that_a_child_does_not_see(void **state)
{
	struct fixture *f = *state;
	uint8_t *words = secret_new(16);
	struct keyring_secret secret = { KEYRING_PASSPHRASE, words, 16, NULL };
	const struct keyring_secret zeros = { KEYRING_PASSPHRASE, (const uint8_t[16]){0}, 16,
					      NULL };
	struct keyring *k = open_with(f, &key_a);
	struct err e = ERR_NONE;
	unsigned number;

	memset(words, 'w', 16);
	assert_int_equal(keyring_slot_add(k, &secret, NULL, NOW, &number, &e), 0);
	keyring_close(k);
	assert_int_equal(code_with(f, &zeros), MUNI_CANNOT_UNLOCK);
	assert_int_equal(code_with(f, &secret), MUNI_OK);
	secret_free(words);
}

/* Flips in each region of 250 bytes, in both halves: one column or two. */
static void every_small_damage_is_seen_and_mended(void **state)
{
	struct fixture *f = *state;
	uint8_t raw[KEYRING_SIZE], hurt[KEYRING_SIZE];

	load(f, raw);
	for (size_t at = 0; at < KEYRING_SIZE; at += 250) {
		memcpy(hurt, raw, sizeof raw);
		for (size_t i = at; i < at + 250 && i < sizeof hurt; i++)
			hurt[i] ^= 0x55;
		save(f, hurt, sizeof hurt);
		assert_true(is_damaged(f));
		struct keyring *k = open_with(f, &key_a);

		assert_false(keyring_is_settled(k));
		assert_memory_equal(keyring_catalogue_key(k, 1), f->catalogue, 32);
		keyring_close(k);
	}
}

static void every_single_bit_is_watched(void **state)
{
	struct fixture *f = *state;
	uint8_t raw[KEYRING_SIZE];

	load(f, raw);
	for (size_t bit = 0; bit < 8 * (size_t)KEYRING_SIZE; bit += 4093) {
		raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
		save(f, raw, sizeof raw);
		assert_true(is_damaged(f));
		raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	save(f, raw, sizeof raw);
	assert_false(is_damaged(f));
}

static void a_rewrite_makes_a_damaged_keyring_whole(void **state)
{
	struct fixture *f = *state;
	uint8_t raw[KEYRING_SIZE];
	struct err e = ERR_NONE;

	load(f, raw);
	memset(raw + HALF, 0xff, HALF);
	save(f, raw, sizeof raw);
	struct keyring *k = open_with(f, &key_a);

	assert_int_equal(keyring_rewrite(k, &e), 0);
	assert_true(keyring_is_settled(k));
	keyring_close(k);
	assert_false(is_damaged(f));
	assert_int_equal(code_with(f, &key_a), MUNI_OK);
}

/* 16 columns gone in each half: as much as its code mends; 17: lost. */
static void sixteen_columns_of_a_half_are_mended_and_seventeen_are_not(void **state)
{
	struct fixture *f = *state;
	uint8_t raw[KEYRING_SIZE], hurt[KEYRING_SIZE];

	load(f, raw);
	memcpy(hurt, raw, sizeof raw);
	for (unsigned half = 0; half < 2; half++)
		for (unsigned c = 0; c < 16; c++)
			memset(hurt + half * HALF + 512 * (c * 4 + half), 0, 512);
	save(f, hurt, sizeof hurt);
	assert_int_equal(code_with(f, &key_a), MUNI_OK);
	memset(hurt + 512, 0, 512);
	save(f, hurt, sizeof hurt);
	assert_int_equal(code_with(f, &key_a), MUNI_OK);	/* the other half */
	memset(hurt + HALF, 0, 512);
	save(f, hurt, sizeof hurt);
	assert_int_equal(code_with(f, &key_a), MUNI_DAMAGED);
}

static void either_half_alone_is_enough(void **state)
{
	struct fixture *f = *state;
	uint8_t raw[KEYRING_SIZE], hurt[KEYRING_SIZE];

	load(f, raw);
	for (unsigned half = 0; half < 2; half++) {
		memcpy(hurt, raw, sizeof raw);
		memset(hurt + half * HALF, 0xaa, HALF);
		save(f, hurt, sizeof hurt);
		assert_true(is_damaged(f));
		assert_int_equal(code_with(f, &key_a), MUNI_OK);
	}
	save(f, raw, HALF);		/* cut off in the middle */
	assert_int_equal(code_with(f, &key_a), MUNI_OK);
	save(f, raw, HALF / 2);
	assert_int_equal(code_with(f, &key_a), MUNI_DAMAGED);
	save(f, raw, 0);
	assert_int_equal(code_with(f, &key_a), MUNI_DAMAGED);
}

static void a_half_in_the_others_place_is_none(void **state)
{
	struct fixture *f = *state;
	uint8_t raw[KEYRING_SIZE], swapped[KEYRING_SIZE];

	load(f, raw);
	memcpy(swapped, raw + HALF, HALF);
	memcpy(swapped + HALF, raw, HALF);
	save(f, swapped, sizeof swapped);
	assert_int_equal(code_with(f, &key_a), MUNI_DAMAGED);
	/* One beside itself leaves that one alone. */
	memcpy(swapped + HALF, raw + HALF, HALF);
	save(f, swapped, sizeof swapped);
	assert_true(is_damaged(f));
	assert_int_equal(code_with(f, &key_a), MUNI_OK);
}

/* A copy of a longer keyring's end may hold keys that are to be gone. */
static void what_follows_the_keyring_is_overwritten_before_it_is_cut_off(void **state)
{
	static const char old[] = "keys of before, that are to be gone";
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct keyring *k;
	struct stat st;
	FILE *to = fopen(f->path, "ab");

	assert_non_null(to);
	for (int i = 0; i < 100; i++)
		fputs(old, to);
	fclose(to);
	k = open_with(f, &key_a);
	disk.from = KEYRING_SIZE;
	disk.cut_size = 0;
	assert_int_equal(keyring_rewrite(k, &e), 0);
	disk.from = 0;
	keyring_close(k);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_size, KEYRING_SIZE);
	assert_true(disk.cut_size >= 100 * strlen(old));
	assert_null(memmem(disk.cut, disk.cut_size, old, 8));
	assert_false(is_damaged(f));
}

/* Certificates say that it was read back. */
static void a_disk_that_keeps_something_else_is_told_of(void **state)
{
	struct fixture *f = *state;
	struct keyring *k = open_with(f, &key_a);
	struct err e = ERR_NONE;

	disk.is_lying = true;
	assert_int_equal(keyring_rewrite(k, &e), -1);
	disk.is_lying = false;
	assert_int_equal(e.code, MUNI_IO);
	assert_non_null(strstr(e.text, "did not read back"));
	keyring_close(k);
	assert_int_equal(code_with(f, &key_a), MUNI_OK);
}

static void a_half_of_an_older_file_is_not_mixed_in(void **state)
{
	struct fixture *f = *state;
	uint8_t old[KEYRING_SIZE], now[KEYRING_SIZE], hurt[KEYRING_SIZE];
	struct err e = ERR_NONE;
	unsigned number;

	load(f, old);
	struct keyring *k = open_with(f, &key_a);

	assert_int_equal(keyring_epoch_begin(k, &e), 0);
	assert_int_equal(keyring_epoch_finish(k, &e), 0);
	assert_int_equal(keyring_slot_add(k, &key_b, "b", NOW, &number, &e), 0);
	keyring_close(k);
	load(f, now);
	for (unsigned half = 0; half < 2; half++) {
		memcpy(hurt, now, sizeof now);
		memcpy(hurt + half * HALF, old + half * HALF, HALF);
		save(f, hurt, sizeof hurt);
		assert_true(is_damaged(f));
		k = open_with(f, &key_b);	/* the newer half has it, whichever */
		assert_int_equal(keyring_epoch(k), 2);
		assert_false(keyring_is_settled(k));
		keyring_close(k);
	}
	/* Halves put in each other's place are none. */
	memcpy(hurt, now + HALF, HALF);
	memcpy(hurt + HALF, now, HALF);
	save(f, hurt, sizeof hurt);
	assert_int_equal(code_with(f, &key_b), MUNI_DAMAGED);
	/* A half pieced together from two stores, each column whole in itself. */
	memcpy(hurt, now, sizeof now);
	memcpy(hurt, old, HALF / 2);
	save(f, hurt, sizeof hurt);
	assert_true(is_damaged(f));
	assert_int_equal(code_with(f, &key_b), MUNI_OK);
}

static void a_crash_between_the_halves_leaves_the_new_or_the_old(void **state)
{
	struct fixture *f = *state;
	uint8_t old[KEYRING_SIZE], now[KEYRING_SIZE], torn[KEYRING_SIZE];
	struct err e = ERR_NONE;

	load(f, old);
	struct keyring *k = open_with(f, &key_a);

	assert_int_equal(keyring_epoch_begin(k, &e), 0);
	keyring_close(k);
	load(f, now);
	/* The second half is the newest; half 0 was written first. */
	for (size_t cut = 0; cut <= KEYRING_SIZE; cut += 512 * 3 + 100) {
		memcpy(torn, old, sizeof old);
		memcpy(torn, now, cut);
		save(f, torn, sizeof torn);
		k = open_with(f, &key_a);
		uint64_t successor = keyring_successor_epoch(k);

		if (cut < HALF / 2)	/* more of it old than its code bridges */
			assert_int_equal(successor, 0);
		if (cut >= HALF)
			assert_int_equal(successor, 2);
		assert_memory_equal(keyring_catalogue_key(k, 1), f->catalogue, 32);
		assert_int_equal(keyring_rewrite(k, &e), 0);
		keyring_close(k);
		assert_false(is_damaged(f));
		k = open_with(f, &key_a);
		assert_int_equal(keyring_successor_epoch(k), successor);
		keyring_close(k);
	}
	memcpy(torn, old, sizeof old);
	memcpy(torn, now, HALF);
	save(f, torn, sizeof torn);
	assert_true(is_damaged(f));
}

static void a_finished_switch_leaves_no_trace_of_the_old_key(void **state)
{
	struct fixture *f = *state;
	uint8_t before[KEYRING_SIZE], after[KEYRING_SIZE], next[32];
	struct err e = ERR_NONE;
	struct keyring *k = open_with(f, &key_a);

	load(f, before);
	assert_int_equal(keyring_epoch_begin(k, &e), 0);
	assert_int_equal(keyring_epoch_begin(k, &e), -1);
	assert_int_equal(e.code, MUNI_EXISTS);
	assert_memory_equal(keyring_catalogue_key(k, 1), f->catalogue, 32);
	assert_non_null(keyring_catalogue_key(k, 2));
	memcpy(next, keyring_catalogue_key(k, 2), 32);
	assert_memory_not_equal(next, f->catalogue, 32);
	keyring_close(k);
	k = open_with(f, &key_a);
	assert_memory_equal(keyring_catalogue_key(k, 2), next, 32);
	assert_int_equal(keyring_epoch_finish(k, &e), 0);
	keyring_close(k);

	k = open_with(f, &key_a);
	assert_int_equal(keyring_epoch(k), 2);
	assert_null(keyring_catalogue_key(k, 1));
	assert_memory_equal(keyring_catalogue_key(k, 2), next, 32);
	assert_int_equal(keyring_epoch_finish(k, &e), -1);
	keyring_close(k);
	/* Every sealed byte of both halves was replaced: no run of 16 bytes past
	 * the heads and slots stands where, or as, it stood. */
	load(f, after);
	for (size_t column = 4; column < 64; column++) {
		assert_false(holds(after, before + column * 512, 16));
		assert_false(holds(after, before + HALF + column * 512, 16));
	}
}

static void an_abandoned_switch_forgets_the_successor(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct keyring *k = open_with(f, &key_a);

	assert_int_equal(keyring_epoch_begin(k, &e), 0);
	assert_int_equal(keyring_epoch_abandon(k, &e), 0);
	assert_int_equal(keyring_epoch_abandon(k, &e), 0);
	keyring_close(k);
	k = open_with(f, &key_a);
	assert_int_equal(keyring_successor_epoch(k), 0);
	assert_memory_equal(keyring_catalogue_key(k, 1), f->catalogue, 32);
	keyring_close(k);
}

static void a_removed_key_opens_no_more_and_the_others_do(void **state)
{
	struct fixture *f = *state;
	struct keyring_slot *list;
	size_t count;
	unsigned number;
	struct err e = ERR_NONE;
	struct keyring *k = open_with(f, &key_a);

	assert_int_equal(keyring_slot_remove(k, 1, &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	assert_int_equal(keyring_slot_add(k, &key_b, "b", NOW + 1, &number, &e), 0);
	assert_int_equal(keyring_slot_remove(k, 7, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	keyring_close(k);
	k = open_with(f, &key_b);	/* b renews the master without a's secret: K3 */
	assert_int_equal(keyring_renew(k, &e), 0);
	keyring_close(k);
	k = open_with(f, &key_a);
	assert_int_equal(keyring_slot_remove(k, number, &e), 0);
	assert_int_equal(keyring_slots(k, &list, &count, &e), 0);
	assert_int_equal(count, 1);
	assert_string_equal(list[0].label, "a");
	assert_int_equal(list[0].created, NOW);
	free(list);
	/* A number is not given twice. */
	assert_int_equal(keyring_slot_add(k, &key_b, NULL, NOW, &number, &e), 0);
	assert_int_equal(number, 3);
	assert_int_equal(keyring_slot_remove(k, 3, &e), 0);
	keyring_close(k);
	assert_int_equal(code_with(f, &key_b), MUNI_CANNOT_UNLOCK);
	k = open_with(f, &key_a);
	assert_memory_equal(keyring_catalogue_key(k, 1), f->catalogue, 32);
	keyring_close(k);
}

/* Who has an older copy of the file and a secret that opened it has the master key of then. */
static void the_master_key_is_another_when_a_key_was_removed_or_it_was_renewed(void **state)
{
	struct fixture *f = *state;
	struct keyring *k = open_with(f, &key_a);
	struct err e = ERR_NONE;
	uint8_t before[sizeof k->body->master];
	unsigned number;

	assert_int_equal(keyring_slot_add(k, &key_b, NULL, NOW, &number, &e), 0);
	for (int i = 0; i < 2; i++) {
		memcpy(before, k->body->master, sizeof before);
		assert_int_equal(i == 0 ? keyring_slot_remove(k, number, &e) :
					  keyring_renew(k, &e), 0);
		assert_memory_not_equal(k->body->master, before, sizeof before);
		keyring_close(k);
		k = open_with(f, &key_a);
		assert_memory_not_equal(k->body->master, before, sizeof before);
	}
	keyring_close(k);
}

static void a_full_keyring_says_so_and_keeps_what_it_has(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct keyring *k = open_with(f, &key_a);
	unsigned number;
	int rc = 0;

	for (int i = 0; i < 300 && rc == 0; i++)
		rc = keyring_slot_add(k, &key_b, "one of many", NOW, &number, &e);
	assert_int_equal(rc, -1);
	assert_int_equal(e.code, MUNI_LIMIT);
	keyring_close(k);
	assert_int_equal(code_with(f, &key_a), MUNI_OK);
	assert_false(is_damaged(f));
}

static void a_forged_slot_is_refused_though_every_sum_was_made_anew(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct keyring *k = open_with(f, &key_a), *forged;
	struct fixture g = *f;
	uint8_t raw[KEYRING_SIZE];

	/* A stranger's keyring under this archive's id: whole, yet none of ours. */
	keyring_close(k);
	snprintf(g.path, sizeof g.path, "%s/forged", f->folder);
	assert_int_equal(keyring_create(g.path, id, &key_b, 1, NOW, &forged, &e), 0);
	assert_memory_not_equal(keyring_catalogue_key(forged, 1), f->catalogue, 32);
	keyring_close(forged);
	load(&g, raw);
	save(f, raw, sizeof raw);
	assert_int_equal(code_with(f, &key_a), MUNI_CANNOT_UNLOCK);
	unlink(g.path);
}

static void a_recipient_opens_with_stock_tools(void **state)
{
	struct fixture *f = *state;
	static const char *const kinds[] = {
		"rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-256",
	};
	char command[800];
	uint8_t pem[8192], master[64], *message;
	size_t pem_size, size;
	struct err e = ERR_NONE;
	unsigned number;

	for (size_t i = 0; i < 2; i++) {
		snprintf(command, sizeof command, "cd %s && openssl req -x509 -newkey %s "
			 "-nodes -keyout key.pem -out cert.pem -subj /CN=escrow 2>/dev/null",
			 f->folder, kinds[i]);
		assert_int_equal(system(command), 0);
		snprintf(command, sizeof command, "%s/cert.pem", f->folder);
		FILE *file = fopen(command, "rb");

		assert_non_null(file);
		pem_size = fread(pem, 1, sizeof pem, file);
		fclose(file);
		const struct keyring_secret to = { KEYRING_RECIPIENT, pem, pem_size, NULL };
		struct keyring *k = open_with(f, &key_a);

		assert_int_equal(keyring_slot_add(k, &to, "escrow", NOW, &number, &e), 0);
		assert_int_equal(keyring_renew(k, &e), 0);
		keyring_close(k);
		assert_int_equal(code_with(f, &to), MUNI_CANNOT_UNLOCK);

		assert_int_equal(keyring_recipient_message(f->path, id, number, &message,
							   &size, &e), 0);
		snprintf(command, sizeof command, "%s/message", f->folder);
		file = fopen(command, "wb");
		assert_int_equal(fwrite(message, 1, size, file), size);
		fclose(file);
		free(message);
		snprintf(command, sizeof command, "cd %s && openssl cms -decrypt -inform DER "
			 "-in message -inkey key.pem -recip cert.pem -out master", f->folder);
		assert_int_equal(system(command), 0);
		snprintf(command, sizeof command, "%s/master", f->folder);
		file = fopen(command, "rb");
		size = fread(master, 1, sizeof master, file);
		fclose(file);
		assert_int_equal(size, 32);
		const struct keyring_secret raw = { KEYRING_KEY_FILE, master, 32, NULL };

		k = open_with(f, &raw);
		assert_memory_equal(keyring_catalogue_key(k, 1), f->catalogue, 32);
		keyring_close(k);
	}
	assert_int_equal(keyring_recipient_message(f->path, id, 1, &message, &size, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	snprintf(command, sizeof command, "cd %s && rm key.pem cert.pem message master",
		 f->folder);
	assert_int_equal(system(command), 0);
}

static void a_keyring_for_recipients_alone_or_of_weak_secrets_is_not_made(void **state)
{
	struct fixture *f = *state;
	const struct keyring_secret bad[] = {
		{ KEYRING_RECIPIENT, (const uint8_t *)"no certificate", 14, NULL },
		{ KEYRING_KEY_FILE, file_a, 31, NULL },
		{ KEYRING_PASSPHRASE, (const uint8_t *)"", 0, NULL },
		{ KEYRING_KEY_FILE, file_a, 40, "a label that is longer than sixty-three bytes "
						"is not taken, not even in part" },
		{ KEYRING_KEY_FILE, file_a, 40, "\xff" },
	};
	struct keyring *k;
	struct err e = ERR_NONE;
	char path[120];

	snprintf(path, sizeof path, "%s/none", f->folder);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(keyring_create(path, id, &bad[i], 1, NOW, &k, &e), -1);
		assert_int_equal(e.code, MUNI_USAGE);
		assert_null(k);
		assert_int_equal(access(path, F_OK), -1);
	}
	assert_int_equal(keyring_create(path, id, NULL, 0, NOW, &k, &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
}

static void the_signing_key_survives_a_reopening(void **state)
{
	struct fixture *f = *state;
	struct keyring *k = open_with(f, &key_a);
	uint8_t *der, *cert;
	size_t der_size, cert_size;
	struct err e = ERR_NONE;

	assert_int_equal(signer_certificate(keyring_signer(k, &e), &cert, &cert_size, &e), 0);
	keyring_close(k);
	k = open_with(f, &key_a);
	assert_int_equal(sign_detached(keyring_signer(k, &e), "x", 1, NOW, &der, &der_size, &e), 0);
	assert_int_equal(sign_verify_detached(der, der_size, "x", 1, cert, cert_size, &e), 0);
	keyring_close(k);
	free(der);
	free(cert);
}

static void a_refused_write_leaves_the_keyring_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct keyring *k = open_with(f, &key_a);
	char away[120];
	struct err e = ERR_NONE;
	unsigned number;

	snprintf(away, sizeof away, "%s.away", f->path);
	assert_int_equal(rename(f->path, away), 0);
	assert_int_equal(keyring_slot_add(k, &key_b, NULL, NOW, &number, &e), -1);
	assert_int_equal(keyring_epoch_begin(k, &e), -1);
	assert_int_equal(keyring_successor_epoch(k), 0);
	assert_int_equal(rename(away, f->path), 0);
	assert_int_equal(keyring_slot_add(k, &key_b, NULL, NOW, &number, &e), 0);
	assert_int_equal(number, 2);
	keyring_close(k);
	assert_int_equal(code_with(f, &key_b), MUNI_OK);
}

static struct digest certificate_of(const struct keyring *k)
{
	size_t size;
	const uint8_t *cert = keyring_certificate(k, &size);

	return digest_of(cert, size);
}

static uint32_t format_on_disk(const struct fixture *f, unsigned half)
{
	uint8_t raw[4];
	int fd = open(f->path, O_RDONLY);

	assert_int_equal(pread(fd, raw, 4, (off_t)half * HALF + 8), 4);
	close(fd);
	return raw[0];
}

static void a_renewed_signing_key_takes_the_place_and_the_former_is_known(void **state)
{
	struct fixture *f = *state;
	struct keyring *k = open_with(f, &key_a);
	const struct digest first = certificate_of(k);
	struct signatories who;
	struct digest second;
	struct err e = ERR_NONE;
	uint64_t entry;

	assert_int_equal(format_on_disk(f, 0), 1);
	assert_int_equal(keyring_signing_begin(k, SIGNER_P384, NOW, 7, &e), 0);
	assert_int_equal(keyring_signing_begin(k, SIGNER_P384, NOW, 7, &e), -1);
	assert_int_equal(e.code, MUNI_EXISTS);
	keyring_close(k);
	k = open_with(f, &key_a);
	assert_true(keyring_signing_next(k, &entry));
	assert_int_equal(entry, 7);
	keyring_signatories(k, &who);
	assert_int_equal(who.count, 2);
	assert_memory_equal(&who.list[0].certificate, &first, sizeof first);
	assert_int_equal(who.list[0].until, 7);
	assert_non_null(keyring_next_signer(k, &e));
	assert_int_equal(keyring_signing_finish(k, &e), 0);
	assert_int_equal(keyring_confirm(k, &e), 0);
	second = certificate_of(k);
	assert_memory_not_equal(&first, &second, sizeof first);
	keyring_close(k);
	k = open_with(f, &key_a);
	assert_int_equal(format_on_disk(f, 0), 2);
	assert_int_equal(format_on_disk(f, 1), 2);
	assert_false(keyring_signing_next(k, &entry));
	keyring_signatories(k, &who);
	assert_int_equal(who.count, 2);
	assert_memory_equal(&who.list[1].certificate, &second, sizeof second);
	assert_non_null(keyring_signer(k, &e));
	keyring_close(k);
}

static void a_renewal_that_is_taken_back_leaves_the_keyring_of_before(void **state)
{
	struct fixture *f = *state;
	struct keyring *k = open_with(f, &key_a);
	const struct digest first = certificate_of(k);
	struct digest now;
	struct err e = ERR_NONE;
	uint64_t entry;

	assert_int_equal(keyring_signing_begin(k, SIGNER_P521, NOW, 7, &e), 0);
	assert_int_equal(keyring_signing_abandon(k, &e), 0);
	assert_int_equal(keyring_signing_abandon(k, &e), 0);
	keyring_close(k);
	k = open_with(f, &key_a);
	assert_false(keyring_signing_next(k, &entry));
	now = certificate_of(k);
	assert_memory_equal(&first, &now, sizeof now);
	assert_int_equal(format_on_disk(f, 0), 1);
	assert_int_equal(format_on_disk(f, 1), 1);
	keyring_close(k);
}

static void a_keyring_remembers_so_many_former_keys_and_then_says_so(void **state)
{
	struct fixture *f = *state;
	struct keyring *k = open_with(f, &key_a);
	struct signatories who;
	struct err e = ERR_NONE;

	for (unsigned i = 0; i < KEYRING_FORMER_MAX; i++) {
		assert_int_equal(keyring_signing_begin(k, SIGNER_P521, NOW, i + 1, &e), 0);
		assert_int_equal(keyring_signing_finish(k, &e), 0);
	}
	assert_int_equal(keyring_signing_begin(k, SIGNER_P521, NOW, 99, &e), -1);
	assert_int_equal(e.code, MUNI_LIMIT);
	keyring_close(k);
	k = open_with(f, &key_a);
	keyring_signatories(k, &who);
	assert_int_equal(who.count, KEYRING_FORMER_MAX + 1);
	assert_int_equal(who.list[4].until, 5);
	keyring_close(k);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* By what either half begins with, however its bytes come, and whatever follows. */
static void a_copy_is_known_in_pieces_of_any_size(void **state)
{
	static const uint8_t ours[KEYRING_ID_SIZE] = "an archive's id";
	static uint8_t raw[KEYRING_SIZE + 100];

	(void)state;
	for (size_t half = 0; half < 2; half++) {
		memset(raw, 7, sizeof raw);
		memcpy(raw + half * KEYRING_SIZE / 2, "MUNIKEYS", 8);
		memcpy(raw + half * KEYRING_SIZE / 2 + 16, ours, sizeof ours);
		for (size_t piece = 1; piece < sizeof raw; piece += piece < 70 ? 1 : 4099) {
			struct keyring_look look = { 0 };
			for (size_t at = 0; at < sizeof raw; at += piece)
				keyring_look_at(&look, at, raw + at,
						piece < sizeof raw - at ? piece : sizeof raw - at);
			assert_true(keyring_look_is_of(&look, ours));
			assert_false(keyring_look_is_of(&look, other_id));
		}
		struct keyring_look look = { 0 };
		keyring_look_at(&look, 1, raw, sizeof raw);	/* it stands elsewhere: no keyring */
		keyring_look_at(&look, UINT64_MAX - 10, raw, 5);
		assert_false(keyring_look_is_of(&look, ours));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_known_in_pieces_of_any_size),
		TEST(the_master_key_is_another_when_a_key_was_removed_or_it_was_renewed),
		TEST(a_guess_at_a_passphrase_costs_128_mebibytes),
		TEST(a_half_in_the_others_place_is_none),
		TEST(what_follows_the_keyring_is_overwritten_before_it_is_cut_off),
		TEST(a_disk_that_keeps_something_else_is_told_of),
		TEST(a_new_keyring_is_private_whole_and_gives_its_keys_back),
		TEST(no_key_stands_in_the_file_in_clear),
		TEST(creating_over_a_keyring_is_refused_and_leaves_it),
		TEST(a_wrong_secret_cannot_unlock),
		TEST(a_passphrase_opens_and_a_neighbour_of_it_does_not),
		TEST(the_passphrase_may_lie_in_memory_that_a_child_does_not_see),
		TEST(every_small_damage_is_seen_and_mended),
		TEST(every_single_bit_is_watched),
		TEST(a_rewrite_makes_a_damaged_keyring_whole),
		TEST(sixteen_columns_of_a_half_are_mended_and_seventeen_are_not),
		TEST(either_half_alone_is_enough),
		TEST(a_half_of_an_older_file_is_not_mixed_in),
		TEST(a_crash_between_the_halves_leaves_the_new_or_the_old),
		TEST(a_finished_switch_leaves_no_trace_of_the_old_key),
		TEST(an_abandoned_switch_forgets_the_successor),
		TEST(a_removed_key_opens_no_more_and_the_others_do),
		TEST(a_full_keyring_says_so_and_keeps_what_it_has),
		TEST(a_forged_slot_is_refused_though_every_sum_was_made_anew),
		TEST(a_recipient_opens_with_stock_tools),
		TEST(a_keyring_for_recipients_alone_or_of_weak_secrets_is_not_made),
		TEST(the_signing_key_survives_a_reopening),
		TEST(a_renewed_signing_key_takes_the_place_and_the_former_is_known),
		TEST(a_renewal_that_is_taken_back_leaves_the_keyring_of_before),
		TEST(a_keyring_remembers_so_many_former_keys_and_then_says_so),
		TEST(a_refused_write_leaves_the_keyring_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
