/*
 * Random trees in several versions of two systems, a random part of their records
 * destroyed, again and again: what stays reads back as it was, in every version, every
 * root that was signed holds, and nothing of what went is in any page.
 */
#include "tests/unit/vault/doomed.h"

#define NAMES_MAX 400
#define BIG (700u << 10)

struct tree {			/* of the source, as it is now */
	struct doomed_fixture *f;
	char *files[NAMES_MAX], *folders[NAMES_MAX];
	size_t file_count, folder_count;
};

static size_t below(struct tree *t, size_t limit)
{
	return (size_t)(doomed_random(t->f) % limit);
}

static char *fresh_name(struct tree *t)
{
	const char *folder = t->folders[below(t, t->folder_count)];
	char *path;

	assert_true(asprintf(&path, "%s%sn%012llx", folder, *folder ? "/" : "",
			     (unsigned long long)doomed_random(t->f) >> 16) > 0);
	return path;
}

static const char *full(struct tree *t, const char *path, char out[900])
{
	snprintf(out, 900, "%s/%s", t->f->source, path);
	return out;
}

static void write_file(struct tree *t, const char *path)
{
	static uint8_t data[BIG];
	size_t size = below(t, 10) == 0 ? 0 : below(t, 3000);

	if (below(t, 40) == 0)
		size = below(t, BIG);
	/* Half of the bytes compress. */
	for (size_t i = 0; i < size; i++)
		data[i] = i % 2 ? (uint8_t)'-' : (uint8_t)doomed_random(t->f);
	doomed_write(t->f, path, data, size);
}

static void copy_file(struct tree *t, const char *from, const char *to)
{
	char a[900], b[900];

	doomed_run("cp -P %s %s", full(t, from, a), full(t, to, b));
}

static void add_file(struct tree *t)
{
	char *path = fresh_name(t), a[900], b[900];
	size_t kind = below(t, 20);

	if (t->file_count == NAMES_MAX)
		return;
	const char *other = t->file_count ? t->files[below(t, t->file_count)] : NULL;

	if (kind == 0)
		assert_int_equal(symlink("n-somewhere", full(t, path, a)), 0);
	else if (kind < 3 && other)
		assert_int_equal(linkat(AT_FDCWD, full(t, other, a), AT_FDCWD,
					full(t, path, b), 0), 0);
	else if (kind < 6 && other)
		copy_file(t, other, path);
	else
		write_file(t, path);
	t->files[t->file_count++] = path;
}

static void add_folder(struct tree *t)
{
	char *path = fresh_name(t), a[900];
	size_t depth = 0;

	for (const char *p = path; *p; p++)
		depth += *p == '/';
	if (depth > 5 || t->folder_count == NAMES_MAX) {
		free(path);
		return;
	}
	assert_int_equal(mkdir(full(t, path, a), 0755), 0);
	t->folders[t->folder_count++] = path;
}

static void remove_file(struct tree *t)
{
	char a[900];
	size_t i;

	if (t->file_count == 0)
		return;
	i = below(t, t->file_count);
	assert_int_equal(unlink(full(t, t->files[i], a)), 0);
	free(t->files[i]);
	t->files[i] = t->files[--t->file_count];
}

static void rename_one(struct tree *t, char **list, size_t count, size_t from)
{
	char a[900], b[900];
	size_t i = from + below(t, count - from);
	const char *slash = strrchr(list[i], '/');
	char *name;
	size_t old = strlen(list[i]), below_old;

	assert_true(asprintf(&name, "%.*sr%012llx", slash ? (int)(slash + 1 - list[i]) : 0,
			     list[i], (unsigned long long)doomed_random(t->f) >> 16) > 0);
	assert_int_equal(rename(full(t, list[i], a), full(t, name, b)), 0);
	char *gone = strdup(list[i]);
	/* All below it have a new path too. */
	for (int k = 0; k < 2; k++) {
		char **paths = k ? t->folders : t->files;
		size_t n = k ? t->folder_count : t->file_count;

		for (size_t j = 0; j < n; j++) {
			below_old = strlen(paths[j]);
			if (strncmp(paths[j], gone, old) != 0 ||
			    (below_old > old && paths[j][old] != '/'))
				continue;
			char *moved;
			assert_true(asprintf(&moved, "%s%s", name, paths[j] + old) > 0);
			free(paths[j]);
			paths[j] = moved;
		}
	}
	free(gone);
	free(name);
}

static void change(struct tree *t)
{
	size_t what = below(t, 12);

	if (what < 4)
		add_file(t);
	else if (what < 6)
		remove_file(t);
	else if (what < 8 && t->file_count > 0)
		write_file(t, t->files[below(t, t->file_count)]);
	else if (what < 9)
		add_folder(t);
	else if (what < 10 && t->file_count > 0)
		rename_one(t, t->files, t->file_count, 0);
	else if (what < 11 && t->folder_count > 1)
		rename_one(t, t->folders, t->folder_count, 1);
}

/* write_file() through a symbolic link would make its target. */
static void drop_links(struct tree *t)
{
	doomed_run("find %s -name n-somewhere -delete", t->f->source);
}

/* ---- what is to be expected ------------------------------------------------------------ */

static bool same_key(const struct record_key *a, const struct record_key *b)
{
	return a->directory == b->directory && a->first == b->first &&
	       strcmp(a->name, b->name) == 0;
}

static bool is_listed(const struct doomed_list *l, const struct record_key *key)
{
	for (size_t i = 0; i < l->count; i++)
		if (same_key(&l->keys[i], key))
			return true;
	return false;
}

/* Nothing stood in the directory under that name, in any version. */
static bool is_alone(const struct doomed_view *w, const struct doomed_seen *s)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct doomed_seen *x = &w->list[i];

		if (x->key.directory != s->directory)
			continue;
		for (size_t k = 0; k < w->count; k++)
			if (w->list[k].version == x->version &&
			    same_key(&w->list[k].key, &s->key))
				return false;
	}
	return true;
}

static bool is_in(const struct doomed_seen *x, const struct doomed_seen *folder)
{
	return x->key.directory == folder->directory && x->version == folder->version;
}

/* A record that is kept, or a directory that has one in it, in this version. */
static void mark_alive(const struct doomed_view *w, const struct doomed_list *l, bool *alive)
{
	bool is_changed = true;

	for (size_t i = 0; i < w->count; i++)
		alive[i] = !is_listed(l, &w->list[i].key) &&
			(w->list[i].kind != NODE_DIRECTORY || is_alone(w, &w->list[i]));
	while (is_changed) {
		is_changed = false;
		for (size_t i = 0; i < w->count; i++) {
			if (alive[i] || w->list[i].kind != NODE_DIRECTORY)
				continue;
			for (size_t k = 0; k < w->count && !alive[i]; k++)
				alive[i] = alive[k] && is_in(&w->list[k], &w->list[i]);
			is_changed = is_changed || alive[i];
		}
	}
}

/* Rows of the view, that is names in versions, that stay: a directory's name stays in all
 * of its versions where it is alive in one, if what it stands in does. */
static void mark_kept(const struct doomed_view *w, const struct doomed_list *l, bool *kept)
{
	bool *alive = calloc(w->count + 1, sizeof *alive);

	assert_non_null(alive);
	mark_alive(w, l, alive);
	for (size_t i = 0; i < w->count; i++) {	/* directories come before what is in them */
		const struct doomed_seen *s = &w->list[i];
		bool is_above_kept = !strchr(s->path, '/');

		for (size_t k = 0; k < i && !is_above_kept; k++)
			is_above_kept = kept[k] && is_in(s, &w->list[k]);
		kept[i] = false;
		for (size_t k = 0; k < w->count && is_above_kept && !kept[i]; k++)
			kept[i] = alive[k] && same_key(&w->list[k].key, &s->key);
	}
	free(alive);
}

static bool is_version_gone(const struct doomed_view *w, const bool *kept, int64_t version)
{
	bool has_doomed = false;

	for (size_t i = 0; i < w->count; i++) {
		const struct doomed_seen *s = &w->list[i];
		bool is_record = s->kind != NODE_DIRECTORY || is_alone(w, s);

		if (s->version != version || !is_record)
			continue;
		if (kept[i])
			return false;
		has_doomed = true;
	}
	return has_doomed;
}

static void compare(const struct doomed_view *before, const struct doomed_view *after,
		    const bool *kept)
{
	size_t at = 0;

	for (size_t i = 0; i < before->count; i++) {
		const struct doomed_seen *s = &before->list[i];

		if (!kept[i] || is_version_gone(before, kept, s->version))
			continue;
		if (at == after->count)
			fail_msg("%s of version %lld is missing", s->path, (long long)s->version);
		const struct doomed_seen *x = &after->list[at++];
		if (strcmp(x->path, s->path) != 0 || x->version != s->version)
			fail_msg("%s of version %lld, where %s of %lld is wanted", x->path,
				 (long long)x->version, s->path, (long long)s->version);
		assert_memory_equal(x, s, sizeof *s);
	}
	assert_int_equal(at, after->count);
}

/* ---- what may be nowhere ------------------------------------------------------------------- */

struct secrets {
	uint8_t (*keys)[32];
	size_t count;
};

static int keep_key(void *arg, const struct block *b, const uint8_t uid[16])
{
	struct secrets *s = arg;

	(void)uid;
	s->keys = realloc(s->keys, (s->count + 1) * sizeof *s->keys);
	assert_non_null(s->keys);
	memcpy(s->keys[s->count++], b->key, 32);
	return 0;
}

static struct secrets block_keys(struct doomed_fixture *f)
{
	struct secrets s = { .count = 0 };
	struct err e = ERR_NONE;

	must(catalogue_blocks(f->v->catalogue, keep_key, &s, &e));
	return s;
}

static bool has_key(const struct secrets *s, const uint8_t key[32])
{
	for (size_t i = 0; i < s->count; i++)
		if (memcmp(s->keys[i], key, 32) == 0)
			return true;
	return false;
}

static bool name_stays(const struct doomed_view *w, const bool *kept, const char *name)
{
	for (size_t i = 0; i < w->count; i++)
		if (kept[i] && strcmp(w->list[i].key.name, name) == 0)
			return true;
	return false;
}

/* In some version. */
static bool key_stays(const struct doomed_view *w, const bool *kept,
		      const struct record_key *key)
{
	for (size_t i = 0; i < w->count; i++)
		if (kept[i] && same_key(&w->list[i].key, key))
			return true;
	return false;
}

static bool bytes_stay(const struct doomed_view *w, const bool *kept, const struct digest *d)
{
	for (size_t i = 0; i < w->count; i++)
		if (kept[i] && digest_equal(&w->list[i].bytes, d))
			return true;
	return false;
}

static void check_nothing_is_left(struct doomed_fixture *f, const struct doomed_view *w,
				  const bool *kept, const struct secrets *old)
{
	struct secrets now = block_keys(f);
	size_t size;
	uint8_t *pages = doomed_pages(f, &size);

	for (size_t i = 0; i < w->count; i++) {
		const struct doomed_seen *s = &w->list[i];

		if (key_stays(w, kept, &s->key))
			continue;
		if (!name_stays(w, kept, s->key.name) &&
		    doomed_is_in(pages, size, s->key.name, s->key.name_size))
			fail_msg("the name %s (kind %d, %s of version %lld) is in a page",
				 s->key.name, (int)s->kind, s->path, (long long)s->version);
		assert_false(doomed_is_in(pages, size, s->salt, 16));
		if (s->kind == NODE_FILE && s->size > 0 && !bytes_stay(w, kept, &s->bytes))
			assert_false(doomed_is_in(pages, size, s->bytes.bytes, DIGEST_SIZE));
	}
	for (size_t i = 0; i < old->count; i++)
		if (!has_key(&now, old->keys[i]))
			assert_false(doomed_is_in(pages, size, old->keys[i], 32));
	sqlite3_free(pages);
	free(now.keys);
}

/* No row is left that nothing leads to, and none leads to one that is not there. */
static void check_rows_fit(struct doomed_fixture *f)
{
	static const char *const strays[] = {
		"chunk WHERE block NOT IN (SELECT id FROM block)",
		"block WHERE segment NOT IN (SELECT id FROM segment)",
		"segment WHERE id NOT IN (SELECT segment FROM block)",
		"content WHERE id NOT IN (SELECT content FROM node)",
		"content_page WHERE content NOT IN (SELECT id FROM content)",
		"node WHERE content <> 0 AND content NOT IN (SELECT id FROM content)",
		"node WHERE id NOT IN (SELECT target FROM entry WHERE kind <> 2)"
		"  AND id NOT IN (SELECT node FROM directory)",
		"entry WHERE kind <> 2 AND target NOT IN (SELECT id FROM node)",
		"entry WHERE kind = 2 AND target NOT IN (SELECT id FROM directory)",
		"entry WHERE dir NOT IN (SELECT id FROM directory)",
		"directory WHERE node NOT IN (SELECT id FROM node)",
		"stub WHERE dir NOT IN (SELECT id FROM directory)",
	};

	for (size_t i = 0; i < sizeof strays / sizeof strays[0]; i++) {
		sqlite3_stmt *stmt = NULL;
		char sql[300];

		snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", strays[i]);
		assert_int_equal(sqlite3_prepare_v2(catalogue_sqlite(f->v->catalogue), sql, -1,
						    &stmt, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
		if (sqlite3_column_int64(stmt, 0) != 0)
			fail_msg("%s", sql);
		sqlite3_finalize(stmt);
	}
}

/* ---- the round ------------------------------------------------------------------------------ */

static struct doomed_list choose(struct doomed_fixture *f, const struct doomed_view *w,
				 unsigned percent)
{
	struct doomed_list l = { .count = 0 };

	for (size_t i = 0; i < w->count; i++) {
		const struct doomed_seen *s = &w->list[i];

		if ((s->kind == NODE_DIRECTORY && !is_alone(w, s)) || is_listed(&l, &s->key))
			continue;
		if (doomed_random(f) % 100 < percent)
			doomed_add(&l, &s->key);
	}
	return l;
}

static void destroy_some(struct doomed_fixture *f, unsigned percent)
{
	struct doomed_view before = doomed_look(f);
	struct doomed_list l = choose(f, &before, percent);
	struct secrets keys = block_keys(f);
	bool *kept = calloc(before.count + 1, sizeof *kept);

	assert_non_null(kept);
	if (l.count > 0) {
		mark_kept(&before, &l, kept);
		int64_t id = doomed_propose(f, &l, "{}", ITEM_NAMES_COMMIT);
		struct doom_result r = doomed_switch(f, id);

		assert_int_equal(r.records, l.count);
		struct doomed_view after = doomed_look(f);
		compare(&before, &after, kept);
		check_nothing_is_left(f, &before, kept, &keys);
		doomed_check_roots(f);
		check_rows_fit(f);
		free(after.list);
	}
	free(l.keys);
	free(keys.keys);
	free(kept);
	free(before.list);
}

static void round_of(uint64_t seed)
{
	struct doomed_fixture f;
	struct tree t = { .f = &f };

	doomed_open(&f, seed);
	t.folders[t.folder_count++] = strdup("");
	for (int i = 0; i < 60; i++)
		i % 6 ? add_file(&t) : add_folder(&t);
	for (int version = 0; version < 4; version++) {
		drop_links(&t);
		doomed_ingest(&f, version == 2 ? "crm" : "hr");
		for (int i = 0; i < 12; i++)
			change(&t);
		if (version % 2)
			destroy_some(&f, 5 + (unsigned)below(&t, 60));
	}
	destroy_some(&f, 30);
	destroy_some(&f, 97);
	destroy_some(&f, 100);
	while (t.file_count > 0)
		free(t.files[--t.file_count]);
	while (t.folder_count > 0)
		free(t.folders[--t.folder_count]);
	doomed_close(&f);
}

static void whatever_is_destroyed_the_rest_stays_as_it_was(void **state)
{
	const char *rounds = getenv("MUNIMENT_TEST_ROUNDS");
	unsigned count = rounds ? (unsigned)atoi(rounds) : 8;

	const char *from = getenv("MUNIMENT_TEST_SEED");
	unsigned first = from ? (unsigned)atoi(from) : 1;

	(void)state;
	for (unsigned seed = first; seed < first + count; seed++) {
		print_message("seed %u\n", seed);
		round_of(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_is_destroyed_the_rest_stays_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
