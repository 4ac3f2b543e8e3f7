#include "fs/crypt/secret.h"
#include "fs/crypt/sign.h"
#include "fs/store/log.h"
#include "tests/unit/store/folder.h"
#include "tests/unit/stride.h"

struct fixture {
	struct folder folder;
	struct log *log;
	struct signer *signer;
	uint8_t *cert;
	size_t cert_size;
	struct signatories who;
	struct log_position known;	/* what a catalogue would hold */
};

static int fixture_make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;
	uint8_t *key;
	size_t key_size;

	assert_non_null(f);
	folder_make(&f->folder);
	assert_int_equal(signer_generate("00112233445566778899aabbccddeeff", SIGNER_P256, 1700000000,
					 &f->signer, &e), 0);
	assert_int_equal(signer_export(f->signer, &key, &key_size, &f->cert, &f->cert_size,
				       &e), 0);
	secret_free(key);
	signatories_one(&f->who, f->cert, f->cert_size);
	assert_int_equal(log_create(f->folder.fd, &f->log, &e), 0);
	*state = f;
	return 0;
}

static int fixture_drop(void **state)
{
	struct fixture *f = *state;

	log_close(f->log);
	signer_free(f->signer);
	free(f->cert);
	folder_drop(&f->folder);
	free(f);
	return 0;
}

static void append(struct fixture *f, const char *details)
{
	static const struct digest nobody;
	struct err e = ERR_NONE;
	uint8_t salt[16];

	assert_int_equal(log_append(f->log, LOG_INGEST, 1700000001, &nobody, details, salt,
				    &e), 0);
}

static void sign(struct fixture *f)
{
	static const struct digest pages = { { 1, 2, 3 } };
	struct err e = ERR_NONE;

	f->known = *log_position(f->log);
	assert_int_equal(log_sign_head(f->log, f->signer, 7, &pages, 1, 1700000002, &e), 0);
}

static int reopen(struct fixture *f, bool is_writable, struct err *e)
{
	log_close(f->log);
	f->log = NULL;
	*e = ERR_NONE;
	return log_open(f->folder.fd, is_writable, &f->known, &f->who, NULL, &f->log,
			e);
}

struct findings {
	unsigned damages, notes, mendable;
};

static void count_finding(void *arg, bool is_damage, bool can_mend, const char *what)
{
	struct findings *s = arg;

	assert_true(strlen(what) > 0);
	s->damages += is_damage;
	s->notes += !is_damage;
	s->mendable += is_damage && can_mend;
}

static int verify(struct fixture *f, struct findings *s)
{
	struct err e = ERR_NONE;
	uint64_t entries, heads;
	int rc;

	*s = (struct findings){ 0 };
	rc = log_verify(f->folder.fd, &f->who, &entries, &heads, count_finding,
			s, &e);
	assert_int_equal(rc < 0, s->damages > 0);
	if (rc < 0)
		assert_int_equal(e.code, MUNI_DAMAGED);
	return rc;
}

/* Two signed heads over three entries. */
static int mend(struct fixture *f, uint64_t *mended)
{
	struct err e = ERR_NONE;

	return log_mend(f->folder.fd, &f->who, mended, &e);
}

static void some_acts(struct fixture *f)
{
	append(f, "{\"a\":1}");
	sign(f);
	append(f, "{\"b\":2}");
	append(f, "{\"c\":3}");
	sign(f);
}

static void what_was_appended_is_read_back_and_verifies(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct log_entry entry;
	struct log_head head;
	struct findings s;

	assert_int_equal(log_newest_head(f->log, &head, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	some_acts(f);
	assert_int_equal(reopen(f, false, &e), 0);
	assert_int_equal(log_count(f->log), 3);
	assert_int_equal(log_read(f->log, 2, &entry, &e), 0);
	assert_int_equal(entry.act, LOG_INGEST);
	assert_int_equal(entry.time, 1700000001);
	assert_int_equal(log_read(f->log, 3, &entry, &e), -1);
	assert_int_equal(log_newest_head(f->log, &head, &e), 0);
	assert_int_equal(head.count, 3);
	assert_int_equal(head.generation, 7);
	assert_int_equal(head.pages.bytes[2], 3);
	assert_int_equal(verify(f, &s), 0);
	assert_int_equal(s.notes, 0);
}

static void an_entry_that_the_catalogue_does_not_know_is_cut_by_the_next_writer(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct findings s;

	some_acts(f);
	append(f, "{\"lost\":1}");
	assert_int_equal(verify(f, &s), 0);
	assert_int_equal(reopen(f, false, &e), 0);
	assert_int_equal(log_count(f->log), 3);
	assert_int_equal(folder_size(&f->folder, "log"), 128 * 5);
	assert_int_equal(reopen(f, true, &e), 0);
	assert_int_equal(folder_size(&f->folder, "log"), 128 * 4);
	assert_int_equal(folder_size(&f->folder, "log.2"), 128 * 4);
	append(f, "{\"d\":4}");
	sign(f);
	assert_int_equal(verify(f, &s), 0);
}

static void a_rewound_append_is_overwritten_by_the_next(void **state)
{
	struct fixture *f = *state;
	struct findings s;

	some_acts(f);
	append(f, "{\"failed\":1}");
	log_rewind(f->log, &f->known);
	assert_int_equal(log_count(f->log), 3);
	append(f, "{\"d\":4}");
	sign(f);
	assert_int_equal(verify(f, &s), 0);
	assert_int_equal(folder_size(&f->folder, "log"), 128 * 5);
}

static void a_catalogue_behind_the_newest_head_is_damage_for_reader_and_writer(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct log_position old;

	append(f, "{}");
	sign(f);
	old = f->known;
	append(f, "{}");
	sign(f);
	f->known = old;
	assert_int_equal(reopen(f, false, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_int_equal(reopen(f, true, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
}

static void a_catalogue_with_another_history_is_damage(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	some_acts(f);
	f->known.frontier.peaks[0].bytes[5] ^= 1;
	assert_int_equal(reopen(f, false, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
}

static void what_a_kill_leaves_is_a_note_and_the_next_writer_puts_it_right(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct findings s;
	off_t before;

	some_acts(f);
	before = folder_size(&f->folder, "heads.2");
	append(f, "{}");
	sign(f);
	/* As if it had been killed before the copies were written. */
	folder_truncate(&f->folder, "heads.2", before);
	folder_truncate(&f->folder, "log.2", 128 * 4);
	assert_int_equal(verify(f, &s), 0);
	assert_int_equal(s.notes, 2);
	assert_int_equal(reopen(f, true, &e), 0);
	assert_int_equal(verify(f, &s), 0);
	assert_int_equal(s.notes, 0);
	append(f, "{}");
	sign(f);
	assert_int_equal(verify(f, &s), 0);
}

static void a_torn_head_is_cut_by_the_next_writer(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct findings s;
	off_t before;

	some_acts(f);
	before = folder_size(&f->folder, "heads.2");
	append(f, "{}");
	sign(f);
	folder_truncate(&f->folder, "heads.2", before);
	folder_truncate(&f->folder, "heads", folder_size(&f->folder, "heads") - 3);
	assert_int_equal(reopen(f, true, &e), 0);
	assert_int_equal(folder_size(&f->folder, "heads"), before);
	assert_int_equal(verify(f, &s), 0);
	sign(f);
	assert_int_equal(verify(f, &s), 0);
}

/* What a disk leaves that keeps any sectors of what was not synced; the copy was not begun. */
static void a_head_that_a_power_cut_tore_is_a_writing_cut_off_for_verify_mender_and_writer(void **state)
{
	static const off_t kept[] = { 1, 318, 512, 1000 };
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct findings s;
	uint64_t mended;
	off_t before;

	some_acts(f);
	before = folder_size(&f->folder, "heads");
	for (size_t i = 0; i < 2 * (sizeof kept / sizeof *kept); i++) {
		append(f, "{}");
		sign(f);
		folder_truncate(&f->folder, "heads.2", before);
		folder_truncate(&f->folder, "heads", before + kept[i / 2]);
		assert_int_equal(verify(f, &s), -1);
		assert_int_equal(s.damages, 1);
		assert_int_equal(s.mendable, 1);
		if (i % 2 == 0) {
			assert_int_equal(mend(f, &mended), 0);
			assert_int_equal(mended, 1);
			assert_int_equal(folder_size(&f->folder, "heads"), before);
			assert_int_equal(verify(f, &s), 0);
		}
		assert_int_equal(reopen(f, true, &e), 0);
		assert_int_equal(folder_size(&f->folder, "heads"), before);
		assert_int_equal(verify(f, &s), 0);
		assert_int_equal(s.notes, 0);
	}
}

/* A copy that was lost, too, is not one that was not begun yet. */
static void a_torn_head_whose_copy_is_missing_is_not_taken_away(void **state)
{
	struct fixture *f = *state;
	struct findings s;
	uint64_t mended;
	off_t size;

	some_acts(f);
	size = folder_size(&f->folder, "heads");
	folder_flip(&f->folder, "heads", size - 100, 3);
	assert_int_equal(unlinkat(f->folder.fd, "heads.2", 0), 0);
	assert_int_equal(verify(f, &s), -1);
	assert_true(s.mendable < s.damages);
	for (int i = 0; i < 3; i++) {	/* nor by mending the copy first */
		assert_int_equal(mend(f, &mended), 0);
		assert_true(i == 0 || mended == 0);
		assert_int_equal(folder_size(&f->folder, "heads"), size);
		assert_int_equal(verify(f, &s), -1);
		assert_true(s.mendable < s.damages);
	}
}

/* The length of what was appended last, and not the bytes. */
static void what_a_power_cut_left_empty_in_the_copy_is_filled_by_the_next_writer(void **state)
{
	static const char *const copies[] = { "log.2", "heads.2" };
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct findings s;

	some_acts(f);
	append(f, "{}");
	sign(f);
	for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
		off_t size = folder_size(&f->folder, copies[i]);

		folder_truncate(&f->folder, copies[i], size - 100);
		folder_truncate(&f->folder, copies[i], size);
	}
	assert_int_equal(verify(f, &s), -1);
	assert_int_equal(s.mendable, 2);
	assert_int_equal(reopen(f, true, &e), 0);
	assert_int_equal(verify(f, &s), 0);
	assert_int_equal(s.notes, 0);
}

static const char *const files[] = { "log", "log.2", "heads", "heads.2" };

static void every_flipped_bit_is_found_and_mended_from_the_copy(void **state)
{
	struct fixture *f = *state;
	struct findings s;

	some_acts(f);
	for (unsigned i = 0; i < 4; i++) {
		off_t size = folder_size(&f->folder, files[i]);
		uint8_t *good, *now;

		folder_load(&f->folder, files[i], &good);
		for (off_t at = 0; at < size; at += (i < 2 ? 1 : 7) * (off_t)stride()) {
			uint64_t mended;

			folder_flip(&f->folder, files[i], at, (unsigned)at % 8);
			if (verify(f, &s) == 0)
				fail_msg("%s: flip at %ld not found", files[i], (long)at);
			assert_int_equal(s.damages, s.mendable);
			assert_int_equal(mend(f, &mended), 0);
			assert_true(mended > 0);
			assert_int_equal(verify(f, &s), 0);
			assert_int_equal(folder_load(&f->folder, files[i], &now), size);
			assert_memory_equal(now, good, (size_t)size);
			free(now);
		}
		free(good);
	}
}

/* A splice of two archives: each file is whole in itself. */
static void a_file_of_another_log_is_found_and_mended_from_the_copy_that_was_signed(void **state)
{
	static const unsigned longer[] = { 0, 3 };
	struct fixture *f = *state;

	some_acts(f);
	for (unsigned l = 0; l < 2; l++) {
		void *other_state;

		assert_int_equal(fixture_make(&other_state), 0);
		struct fixture *other = other_state;

		some_acts(other);
		for (unsigned i = 0; i < longer[l]; i++) {
			append(other, "more");
			sign(other);
		}
		for (unsigned i = 0; i < 4; i++) {
			uint8_t *good, *foreign, *now;
			struct findings s;
			uint64_t mended;
			size_t size = folder_load(&f->folder, files[i], &good);
			size_t foreign_size = folder_load(&other->folder, files[i], &foreign);

			folder_store(&f->folder, files[i], foreign, foreign_size);
			assert_int_equal(verify(f, &s), -1);
			assert_int_equal(s.damages, s.mendable);
			assert_int_equal(mend(f, &mended), 0);
			assert_true(mended > 0);
			assert_int_equal(verify(f, &s), 0);
			assert_int_equal(folder_load(&f->folder, files[i], &now), size);
			assert_memory_equal(now, good, size);
			free(now);
			free(good);
			free(foreign);
		}
		fixture_drop(&other_state);
	}
}

static void a_missing_or_shortened_file_is_found_and_mended(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct findings s;
	uint64_t mended;

	some_acts(f);
	for (unsigned i = 0; i < 4; i++) {
		static const off_t cuts[] = { 0, 50, 128, 200, 300 };

		for (unsigned c = 0; c < sizeof cuts / sizeof *cuts; c++) {
			folder_truncate(&f->folder, files[i], cuts[c]);
			assert_int_equal(verify(f, &s), -1);
			assert_int_equal(mend(f, &mended), 0);
			assert_int_equal(verify(f, &s), 0);
		}
		assert_int_equal(unlinkat(f->folder.fd, files[i], 0), 0);
		assert_int_equal(verify(f, &s), -1);
		assert_int_equal(mend(f, &mended), 0);
		assert_int_equal(verify(f, &s), 0);
	}
	assert_int_equal(reopen(f, true, &e), 0);
}

/* Garbage, and a hole that would take days to read. */
static void what_was_put_behind_the_last_entry_or_head_is_found_and_taken_away(void **state)
{
	struct fixture *f = *state;
	static const uint8_t junk[] = "seventeen bytes..";
	struct err e = ERR_NONE;
	struct findings s;
	uint64_t mended;

	some_acts(f);
	for (unsigned i = 0; i < 4; i++) {
		off_t size = folder_size(&f->folder, files[i]);

		for (unsigned kind = 0; kind < 2; kind++) {
			int fd = openat(f->folder.fd, files[i], O_WRONLY | O_APPEND);

			assert_true(fd >= 0);
			if (kind == 0)
				assert_int_equal(write(fd, junk, sizeof junk), sizeof junk);
			else
				assert_int_equal(ftruncate(fd, (off_t)1 << 42), 0);
			close(fd);
			assert_int_equal(verify(f, &s), -1);
			assert_int_equal(s.mendable, s.damages);
			assert_int_equal(mend(f, &mended), 0);
			assert_int_equal(folder_size(&f->folder, files[i]), size);
			assert_int_equal(verify(f, &s), 0);
		}
	}
	assert_int_equal(reopen(f, true, &e), 0);
}

/* It may have been the newest head, and the act under it must not go with it. */
static void what_stands_in_place_of_a_lost_head_is_not_taken_away(void **state)
{
	struct fixture *f = *state;
	struct findings s;
	uint64_t mended;
	off_t size;

	some_acts(f);
	size = folder_size(&f->folder, "heads");
	folder_flip(&f->folder, "heads", size - 100, 3);
	folder_flip(&f->folder, "heads.2", size - 90, 3);
	assert_int_equal(verify(f, &s), -1);
	assert_true(s.mendable < s.damages);
	assert_int_equal(mend(f, &mended), 0);
	assert_int_equal(folder_size(&f->folder, "heads"), size);
	assert_int_equal(verify(f, &s), -1);
}

static void a_missing_file_is_one_damage_and_its_copy_is_none(void **state)
{
	struct fixture *f = *state;
	struct findings s;

	some_acts(f);
	assert_int_equal(unlinkat(f->folder.fd, "heads", 0), 0);
	assert_int_equal(verify(f, &s), -1);
	assert_int_equal(s.mendable, s.damages);
}

static void a_reader_lives_with_one_damaged_copy_and_a_writer_refuses(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct log_head head;
	off_t last;

	some_acts(f);
	last = folder_size(&f->folder, "heads") - 100;
	folder_flip(&f->folder, "heads", last, 3);
	assert_int_equal(reopen(f, true, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_int_equal(reopen(f, false, &e), 0);
	assert_int_equal(log_newest_head(f->log, &head, &e), 0);
	assert_int_equal(head.count, 3);
}

static void a_head_signed_by_another_is_damage(void **state)
{
	struct fixture *f = *state;
	struct signer *other;
	struct err e = ERR_NONE;
	struct findings s;

	assert_int_equal(signer_generate("ffeeddccbbaa99887766554433221100", SIGNER_P256, 1700000000,
					 &other, &e), 0);
	append(f, "{}");
	sign(f);
	append(f, "{}");
	signer_free(f->signer);
	f->signer = other;
	sign(f);
	assert_int_equal(verify(f, &s), -1);
	assert_int_equal(reopen(f, false, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
}

static void a_head_is_verified_once_and_any_other_head_anew(void **state)
{
	struct fixture *f = *state;
	const struct signatories nobody = { .count = 0 };
	struct log_checked checked = { .record = { { 0 } } }, first;
	struct log_head head;
	struct signer *other;
	struct err e = ERR_NONE;

	append(f, "{}");
	sign(f);
	assert_int_equal(log_peek_head(f->folder.fd, &f->who, &checked, &head, &e),
			 0);
	first = checked;
	/* What was checked is not looked at again: also where the certificate is none. */
	assert_int_equal(log_peek_head(f->folder.fd, &nobody, &checked, &head, &e), 0);
	assert_int_equal(log_peek_head(f->folder.fd, &nobody, NULL, &head, &e), -1);
	assert_int_equal(signer_generate("ffeeddccbbaa99887766554433221100", SIGNER_P256, 1700000000,
					 &other, &e), 0);
	append(f, "{}");
	signer_free(f->signer);
	f->signer = other;
	sign(f);
	assert_int_equal(log_peek_head(f->folder.fd, &f->who, &checked, &head, &e),
			 -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_memory_equal(&checked, &first, sizeof checked);
}

/* Another key takes the place of the fixture's, as of `until` entries. */
static struct signer *renew(struct fixture *f, uint64_t until)
{
	struct signer *former = f->signer;
	struct err e = ERR_NONE;
	struct digest next;
	uint8_t *cert;
	size_t size;

	assert_int_equal(signer_generate("00112233445566778899aabbccddeeff", SIGNER_P384, 1700000000,
					 &f->signer, &e), 0);
	assert_int_equal(signer_certificate(f->signer, &cert, &size, &e), 0);
	next = digest_of(cert, size);
	free(cert);
	f->who.list[f->who.count - 1].until = until;
	assert_int_equal(signatories_add(&f->who, &next, SIGNATORY_PRESENT), 0);
	return former;
}

static void heads_go_over_to_a_renewed_key_and_all_of_them_verify(void **state)
{
	struct fixture *f = *state;
	struct findings found = { 0 };
	struct log_head head;
	struct err e = ERR_NONE;

	append(f, "{}");
	sign(f);
	signer_free(renew(f, 1));
	append(f, "{}");
	sign(f);
	assert_int_equal(verify(f, &found), 0);
	assert_int_equal(found.damages, 0);
	assert_int_equal(log_peek_head(f->folder.fd, &f->who, NULL, &head, &e), 0);
	assert_memory_equal(&head.signer, &f->who.list[1].certificate, sizeof head.signer);
	assert_int_equal(reopen(f, true, &e), 0);
}

static void a_head_of_a_former_key_past_its_renewal_is_refused(void **state)
{
	struct fixture *f = *state;
	struct findings found = { 0 };
	struct err e = ERR_NONE;

	append(f, "{}");
	sign(f);
	struct signer *thief = renew(f, 1);
	append(f, "{}");
	signer_free(f->signer);
	f->signer = thief;
	sign(f);
	assert_int_equal(reopen(f, false, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_non_null(strstr(e.text, "renewed"));
	assert_int_equal(verify(f, &found), -1);
}

static void heads_never_go_back_to_a_former_key(void **state)
{
	struct fixture *f = *state;
	struct findings found = { 0 };

	append(f, "{}");
	sign(f);
	struct signer *former = renew(f, 9);
	append(f, "{}");
	sign(f);
	signer_free(f->signer);
	f->signer = former;
	sign(f);
	assert_int_equal(verify(f, &found), -1);
	assert_int_equal(found.damages, 1);
}

static void nothing_of_the_details_stands_in_the_files(void **state)
{
	struct fixture *f = *state;

	append(f, "{\"canary\":\"Zhang San\"}");
	sign(f);
	for (unsigned i = 0; i < 4; i++) {
		uint8_t *data;
		size_t size = folder_load(&f->folder, files[i], &data);

		assert_null(memmem(data, size, "canary", 6));
		assert_null(memmem(data, size, "Zhang", 5));
		free(data);
	}
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_make, fixture_drop)
	const struct CMUnitTest tests[] = {
		T(what_was_appended_is_read_back_and_verifies),
		T(an_entry_that_the_catalogue_does_not_know_is_cut_by_the_next_writer),
		T(a_rewound_append_is_overwritten_by_the_next),
		T(a_catalogue_behind_the_newest_head_is_damage_for_reader_and_writer),
		T(a_catalogue_with_another_history_is_damage),
		T(what_a_kill_leaves_is_a_note_and_the_next_writer_puts_it_right),
		T(a_torn_head_is_cut_by_the_next_writer),
		T(a_head_that_a_power_cut_tore_is_a_writing_cut_off_for_verify_mender_and_writer),
		T(a_torn_head_whose_copy_is_missing_is_not_taken_away),
		T(what_a_power_cut_left_empty_in_the_copy_is_filled_by_the_next_writer),
		T(every_flipped_bit_is_found_and_mended_from_the_copy),
		T(a_missing_or_shortened_file_is_found_and_mended),
		T(a_file_of_another_log_is_found_and_mended_from_the_copy_that_was_signed),
		T(what_was_put_behind_the_last_entry_or_head_is_found_and_taken_away),
		T(what_stands_in_place_of_a_lost_head_is_not_taken_away),
		T(a_missing_file_is_one_damage_and_its_copy_is_none),
		T(a_reader_lives_with_one_damaged_copy_and_a_writer_refuses),
		T(a_head_signed_by_another_is_damage),
		T(a_head_is_verified_once_and_any_other_head_anew),
		T(heads_go_over_to_a_renewed_key_and_all_of_them_verify),
		T(a_head_of_a_former_key_past_its_renewal_is_refused),
		T(heads_never_go_back_to_a_former_key),
		T(nothing_of_the_details_stands_in_the_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
