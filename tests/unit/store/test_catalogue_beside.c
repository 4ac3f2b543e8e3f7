#include "tests/unit/store/catalogue_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

/*
 * Readers beside a writer that ingests, commits in the middle, checkpoints and
 * seals: in version n of the system every name ends in a number up to n, and
 * there are as many files as the version says.
 */

enum { READERS = 3, VERSIONS = 12, FILES = 60 };

struct watch {
	struct fixture *f;
	atomic_bool is_done;
	atomic_uint rounds;
};

struct seen {
	int64_t version;
	unsigned count;
	bool is_wrong;
};

static int look(void *arg, const struct entry *entry, const struct node *node)
{
	struct seen *s = arg;

	s->count++;
	if (entry->first > s->version || entry->last < s->version || node->kind != NODE_FILE)
		s->is_wrong = true;
	return 0;
}

/* 0, or -1 with e: what a mount does for one listing. */
static int look_at_latest(struct catalogue *c, struct err *e)
{
	struct system s;
	struct version v;
	struct directory d;

	if (catalogue_system_find(c, "hr", &s, e) < 0)
		return e->code == MUNI_NOT_FOUND ? 0 : -1;
	if (catalogue_version_find(c, s.id, NULL, &v, e) < 0)
		return -1;
	struct seen seen = { .version = v.id };
	if (catalogue_directory(c, v.id, v.root, &d, e) < 0 ||
	    catalogue_list(c, v.id, v.root, NULL, 0, true, look, &seen, e) < 0)
		return -1;
	if (seen.is_wrong || seen.count != v.files)
		return err_set(e, MUNI_DAMAGED, "version %s shows %u files of %u", v.label,
			       seen.count, (unsigned)v.files);
	return 0;
}

static void *reader(void *arg)
{
	struct watch *w = arg;
	struct catalogue *c = NULL;
	struct err *e = calloc(1, sizeof *e);

	for (unsigned i = 0; !w->is_done && e->code == MUNI_OK; i++) {
		if (i % 8 == 0) {	/* openings race with checkpoints, too */
			catalogue_close(c);
			if (catalogue_open(w->f->dirfd, FIXTURE_EPOCH, w->f->key_id,
					   CATALOGUE_READ, 256 * 1024, &c, e) < 0)
				break;
		}
		if (look_at_latest(c, e) == 0)
			*e = ERR_NONE;
		w->rounds++;
	}
	catalogue_close(c);
	return e;
}

static void write_version(struct fixture *f, int n)
{
	struct err e = ERR_NONE;
	char label[16], name[16];

	snprintf(label, sizeof label, "%d", n);
	struct version v = fixture_begin(f, "hr", label);
	if (v.previous)
		must(catalogue_directory_close(f->c, v.root, v.previous, v.previous, &e));
	fixture_directory_row(f, &v, v.root, 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "f%d", i);
		if (v.previous)
			must(catalogue_entry_close(f->c, v.root, name, strlen(name), v.previous,
						   v.previous, &e));
		fixture_file(f, &v, v.root, name, 0);
		if (i % 16 == 15) {
			must(catalogue_commit(f->c, &e));
			must(catalogue_begin(f->c, &e));
		}
	}
	v.files = FILES;
	fixture_seal(f, &v);
	must(catalogue_checkpoint(f->c, &e));
}

static void readers_see_whole_versions_whatever_the_writer_does(void **state)
{
	struct fixture *f = *state;
	struct watch w = { .f = f };
	pthread_t threads[READERS];

	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, &w), 0);
	for (int n = 1; n <= VERSIONS; n++)
		write_version(f, n);
	w.is_done = true;
	for (int i = 0; i < READERS; i++) {
		struct err *e;

		pthread_join(threads[i], (void **)&e);
		if (e->code != MUNI_OK)
			fail_msg("code %d: %s", e->code, e->text);
		free(e);
	}
	assert_true(w.rounds > VERSIONS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			readers_see_whole_versions_whatever_the_writer_does, fixture_setup,
			fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
