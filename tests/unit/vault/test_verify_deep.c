/* What verify --deep finds does not depend on how many threads look. */
#include "tests/unit/vault/doomed.h"

#include "fs/vault/verify.h"

#define DIRECTORIES 700		/* more than one round of them */
#define TAMPERED 100		/* every so many */
#define FOUND_MAX 64

struct found {
	char *lines[FOUND_MAX];	/* owned; where, and what */
	size_t count;
};

static void keep(void *arg, const struct verify_finding *f)
{
	struct found *found = arg;
	char line[1000];

	if (f->kind != FINDING_DAMAGE)
		return;
	snprintf(line, sizeof line, "%s: %s", f->where, f->what);
	assert_true(found->count < FOUND_MAX);
	found->lines[found->count++] = strdup(line);
}

static void forget(struct found *found)
{
	while (found->count > 0)
		free(found->lines[--found->count]);
}

static bool has(const struct found *found, const char *line)
{
	for (size_t i = 0; i < found->count; i++)
		if (strncmp(found->lines[i], line, strlen(line)) == 0)
			return true;
	return false;
}

static int verify(const struct doomed_fixture *f, unsigned threads, struct found *found)
{
	const struct verify_options how = { .deep = true, .threads = threads };
	struct verify_summary sum;
	struct err e = ERR_NONE;

	*found = (struct found){ .count = 0 };
	return vault_verify(f->path, &f->options, &how, NULL, keep, found, &sum, &e);
}

static void make_archive(struct doomed_fixture *f)
{
	char name[128], text[64];
	uint8_t *large = malloc(3u << 20);

	doomed_open(f, 7);
	for (unsigned i = 0; i < DIRECTORIES; i++) {
		snprintf(name, sizeof name, "%s/d%04u", f->source, i);
		assert_int_equal(mkdir(name, 0755), 0);
		snprintf(name, sizeof name, "d%04u/file", i);
		snprintf(text, sizeof text, "the text of file %u", i);
		doomed_write(f, name, text, strlen(text));
	}
	assert_non_null(large);
	for (size_t i = 0; i < 3u << 20; i++)
		large[i] = (uint8_t)(i * i / 7);
	doomed_write(f, "large", large, 3u << 20);
	free(large);
	(void)doomed_ingest(f, "ledger");
}

static void tamper(struct doomed_fixture *f)
{
	char sql[300];

	snprintf(sql, sizeof sql, "UPDATE directory SET root = zeroblob(32) WHERE id %% %d = 0;"
		 "UPDATE content SET sha = zeroblob(32) WHERE id %% 50 = 0", TAMPERED);
	assert_int_equal(sqlite3_exec(catalogue_sqlite(f->v->catalogue), sql, NULL, NULL, NULL),
			 SQLITE_OK);
}

static void a_whole_archive_is_whole_on_any_number_of_threads(void **state)
{
	struct doomed_fixture f;
	struct found found;

	(void)state;
	make_archive(&f);
	vault_close(f.v);
	f.v = NULL;
	for (unsigned threads = 1; threads <= 5; threads += 2) {
		assert_int_equal(verify(&f, threads, &found), 0);
		assert_int_equal(found.count, 0);
	}
	doomed_close(&f);
}

static void every_wrong_root_and_digest_is_told_in_the_same_order(void **state)
{
	struct doomed_fixture f;
	struct found alone, together;

	(void)state;
	make_archive(&f);
	tamper(&f);
	vault_close(f.v);
	f.v = NULL;
	assert_int_equal(verify(&f, 1, &alone), -1);
	assert_int_equal(verify(&f, 4, &together), -1);
	assert_int_equal(alone.count, together.count);
	for (size_t i = 0; i < alone.count; i++)
		assert_string_equal(alone.lines[i], together.lines[i]);
	for (int id = 50; id <= DIRECTORIES; id += 50) {
		char line[100];

		snprintf(line, sizeof line, "content %d: its bytes do not have the digest", id);
		assert_true(has(&together, line));
	}
	for (int id = TAMPERED; id <= DIRECTORIES; id += TAMPERED) {
		char line[100];

		snprintf(line, sizeof line, "directory %d in version 1: its entries do not have "
			 "the Merkle root", id);
		assert_true(has(&together, line));
	}
	forget(&alone);
	forget(&together);
	doomed_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_archive_is_whole_on_any_number_of_threads),
		cmocka_unit_test(every_wrong_root_and_digest_is_told_in_the_same_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
