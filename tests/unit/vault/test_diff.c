#include "tests/unit/store/catalogue_fixture.h"

#include "fs/crypt/digest.h"
#include "fs/vault/diff.h"

/*
 * Two versions, built by hand: make() fills the first; then change() begins the
 * second, in which things are put, dropped and renamed.
 */
struct world {
	struct fixture *f;
	struct version a, b;
	struct version *now;
	uint64_t inode;		/* of the next file; 0 again: unknown */
	char told[4096];	/* "+path", "-path", "~path[cm]", ">old>new[cm]", joined by " " */
};

static void world_make(struct world *w, struct fixture *f)
{
	*w = (struct world){ .f = f };
	w->a = fixture_begin(f, "hr", "1");
	w->now = &w->a;
	fixture_directory_row(f, &w->a, w->a.root, 0);
}

static void world_change(struct world *w)
{
	fixture_seal(w->f, &w->a);
	w->b = fixture_begin(w->f, "hr", "2");
	w->now = &w->b;
}

static int64_t content_of(struct world *w, const char *text)
{
	struct err e = ERR_NONE;
	struct digest sha256 = digest_of(text, strlen(text));
	int64_t id = fixture_id(w->f, SEQUENCE_CONTENT);

	must(catalogue_content_add(w->f->c, id, &sha256, NULL, 0, &e));
	return id;
}

static struct entry put_node(struct world *w, int64_t directory, const char *name,
			     struct node n, const char *target)
{
	struct err e = ERR_NONE;
	struct entry entry;

	n.id = fixture_id(w->f, SEQUENCE_NODE);
	n.class_id = 1;
	n.links = 1;
	n.ctime = n.atime = n.mtime;
	must(catalogue_node_add(w->f->c, &n, target, &e));
	entry = fixture_entry(name, n.kind, w->now->id, n.id);
	must(catalogue_entry_add(w->f->c, directory, &entry, &e));
	return entry;
}

static void put(struct world *w, int64_t directory, const char *name, const char *text)
{
	struct node n = { .kind = NODE_FILE, .mode = 0644, .size = strlen(text),
			  .allocated = strlen(text), .source_device = 1,
			  .source_inode = w->inode, .mtime = { 1700000000, 0 } };

	if (*text != '\0')
		n.content = content_of(w, text);
	put_node(w, directory, name, n, NULL);
	w->inode = 0;
}

static void drop(struct world *w, int64_t directory, const char *name)
{
	struct err e = ERR_NONE;
	struct entry entry;

	must(catalogue_lookup(w->f->c, w->a.id, directory, name, strlen(name), &entry, &e));
	must(catalogue_entry_close(w->f->c, directory, name, strlen(name), entry.first, w->a.id, &e));
}

/* The directory has another root in the second version, and so has all above. */
static void touch(struct world *w, int64_t id, int64_t parent)
{
	struct err e = ERR_NONE;

	must(catalogue_directory_close(w->f->c, id, w->a.id, w->a.id, &e));
	fixture_directory_row(w->f, w->now, id, parent);
}

/* The directory stands under another name or parent, its id kept. */
static void rename_directory(struct world *w, int64_t id, int64_t from, const char *old,
			     int64_t to, const char *new)
{
	struct err e = ERR_NONE;
	struct entry entry;

	drop(w, from, old);
	entry = fixture_entry(new, NODE_DIRECTORY, w->now->id, id);
	must(catalogue_entry_add(w->f->c, to, &entry, &e));
	touch(w, id, to);
}

static void drop_directory(struct world *w, int64_t id, int64_t parent, const char *name)
{
	struct err e = ERR_NONE;

	drop(w, parent, name);
	must(catalogue_subtree_close(w->f->c, id, w->a.id, NULL, NULL, &e));
}

static int on_item(void *arg, const struct diff_item *d)
{
	struct world *w = arg;
	char line[512];
	const char *flags = d->content_changed ? (d->metadata_changed ? "[cm]" : "[c]")
					       : d->metadata_changed ? "[m]" : "";

	assert_int_equal(strlen(d->path), d->path_size);
	assert_int_equal(d->before != NULL, d->kind != DIFF_ADDED);
	assert_int_equal(d->after != NULL, d->kind != DIFF_REMOVED);
	assert_int_equal(d->old_path != NULL, d->kind == DIFF_MOVED);
	snprintf(line, sizeof line, "%s%c%s%s%s%s", w->told[0] != '\0' ? " " : "",
		 "+-~>"[d->kind], d->old_path != NULL ? d->old_path : "",
		 d->old_path != NULL ? ">" : "", d->path, flags);
	strcat(w->told, line);
	return 0;
}

static void assert_told(struct world *w, const char *expected)
{
	struct err e = ERR_NONE;

	if (w->now == &w->b)
		fixture_seal(w->f, &w->b);
	w->now = NULL;
	w->told[0] = '\0';
	must(vault_diff(w->f->c, &w->a, &w->b, on_item, w, &e));
	assert_string_equal(w->told, expected);
}

static void nothing_changed_is_nothing_told(void **state)
{
	struct world w;

	world_make(&w, *state);
	put(&w, w.a.root, "f", "one");
	world_change(&w);
	assert_told(&w, "");
}

static void files_come_go_and_change_in_path_order(void **state)
{
	struct world w;
	int64_t d;

	world_make(&w, *state);
	d = fixture_directory(w.f, &w.a, w.a.root, "d");
	put(&w, d, "same", "same");
	put(&w, d, "goes", "goes");
	put(&w, w.a.root, "changes", "one");
	put(&w, w.a.root, "e", "");
	world_change(&w);
	drop(&w, d, "goes");
	drop(&w, w.a.root, "changes");
	drop(&w, w.a.root, "e");
	put(&w, w.a.root, "changes", "two");
	put(&w, w.a.root, "a new one", "new");
	put(&w, d, "empty", "");
	touch(&w, d, w.a.root);
	touch(&w, w.a.root, 0);
	assert_told(&w, "+a new one ~changes[c] +d/empty -d/goes -e");
}

static void attributes_alone_are_metadata_and_times_of_access_are_nothing(void **state)
{
	struct node n = { .kind = NODE_FILE, .mode = 0644, .mtime = { 5, 0 } };
	struct node link = { .kind = NODE_SYMLINK, .mode = 0777, .size = 1, .mtime = { 5, 0 } };
	struct world w;

	world_make(&w, *state);
	put_node(&w, w.a.root, "mode", n, NULL);
	put_node(&w, w.a.root, "mtime", n, NULL);
	put_node(&w, w.a.root, "nothing", n, NULL);
	put_node(&w, w.a.root, "link", link, "a");
	world_change(&w);
	drop(&w, w.a.root, "mode");
	drop(&w, w.a.root, "mtime");
	drop(&w, w.a.root, "nothing");
	drop(&w, w.a.root, "link");
	put_node(&w, w.a.root, "nothing", n, NULL);	/* a new node, all the same */
	put_node(&w, w.a.root, "link", link, "b");
	n.mode = 0600;
	put_node(&w, w.a.root, "mode", n, NULL);
	n.mode = 0644;
	n.mtime.ns = 1;
	put_node(&w, w.a.root, "mtime", n, NULL);
	touch(&w, w.a.root, 0);
	assert_told(&w, "~link[m] ~mode[m] ~mtime[m]");
}

static void another_kind_of_thing_is_a_change_of_both(void **state)
{
	struct node link = { .kind = NODE_SYMLINK, .mode = 0777, .size = 1, .mtime = { 5, 0 } };
	struct world w;
	int64_t d;

	world_make(&w, *state);
	put(&w, w.a.root, "file to link", "x");
	put(&w, w.a.root, "file to directory", "y");
	world_change(&w);
	drop(&w, w.a.root, "file to link");
	put_node(&w, w.a.root, "file to link", link, "a");
	drop(&w, w.a.root, "file to directory");
	d = fixture_directory(w.f, &w.b, w.a.root, "file to directory");
	put(&w, d, "in it", "z");
	touch(&w, w.a.root, 0);
	assert_told(&w, "-file to directory +file to directory +file to directory/in it "
			"~file to link[cm]");
}

static void a_moved_file_is_found_by_content_or_inode_and_paired_once(void **state)
{
	struct world w;
	int64_t d;

	world_make(&w, *state);
	d = fixture_directory(w.f, &w.a, w.a.root, "d");
	put(&w, w.a.root, "x1", "twins");
	put(&w, w.a.root, "x2", "twins");
	put(&w, w.a.root, "name", "twins");
	w.inode = 77;
	put(&w, w.a.root, "empty", "");
	put(&w, w.a.root, "no inode", "");
	world_change(&w);
	drop(&w, w.a.root, "x1");
	drop(&w, w.a.root, "x2");
	drop(&w, w.a.root, "name");
	drop(&w, w.a.root, "empty");
	drop(&w, w.a.root, "no inode");
	put(&w, d, "name", "twins");	/* by its name, though it comes last */
	put(&w, d, "a", "twins");
	w.inode = 77;
	put(&w, d, "void", "");
	put(&w, d, "void2", "");
	touch(&w, d, w.a.root);
	touch(&w, w.a.root, 0);
	assert_told(&w, ">x1>d/a >name>d/name >empty>d/void +d/void2 -no inode -x2");
}

static void a_copy_is_added_and_not_moved(void **state)
{
	struct world w;

	world_make(&w, *state);
	put(&w, w.a.root, "first", "text");
	world_change(&w);
	put(&w, w.a.root, "second", "text");
	touch(&w, w.a.root, 0);
	assert_told(&w, "+second");
}

static void a_moved_directory_is_told_once_and_what_changed_in_it_under_its_new_name(void **state)
{
	struct world w;
	int64_t d, sub, target;

	world_make(&w, *state);
	d = fixture_directory(w.f, &w.a, w.a.root, "d");
	sub = fixture_directory(w.f, &w.a, d, "sub");
	put(&w, sub, "stays", "1");
	put(&w, sub, "goes", "2");
	put(&w, d, "also stays", "3");
	world_change(&w);
	target = fixture_directory(w.f, &w.b, w.a.root, "new");
	rename_directory(&w, d, w.a.root, "d", target, "deeper");
	drop(&w, sub, "goes");
	put(&w, sub, "comes", "4");
	touch(&w, sub, d);
	touch(&w, w.a.root, 0);
	assert_told(&w, "-d/sub/goes +new >d>new/deeper +new/deeper/sub/comes");
}

static void a_directory_that_takes_the_name_of_one_that_moved_is_its_own(void **state)
{
	struct world w;
	int64_t x, y;

	world_make(&w, *state);
	x = fixture_directory(w.f, &w.a, w.a.root, "x");
	put(&w, x, "of x", "1");
	y = fixture_directory(w.f, &w.a, w.a.root, "y");
	put(&w, y, "of y", "2");
	world_change(&w);
	/* y takes x's place; x goes. */
	drop_directory(&w, x, w.a.root, "x");
	rename_directory(&w, y, w.a.root, "y", w.a.root, "x");
	touch(&w, w.a.root, 0);
	assert_told(&w, "-x >y>x -x/of x");
}

static void a_directory_that_went_and_came_again_is_compared_with_itself(void **state)
{
	struct world w;
	int64_t d;

	world_make(&w, *state);
	d = fixture_directory(w.f, &w.a, w.a.root, "d");
	put(&w, d, "same", "1");
	put(&w, d, "old", "2");
	world_change(&w);
	drop_directory(&w, d, w.a.root, "d");
	d = fixture_directory(w.f, &w.b, w.a.root, "d");
	put(&w, d, "same", "1");
	put(&w, d, "new", "3");
	touch(&w, w.a.root, 0);
	assert_told(&w, "+d/new -d/old");
}

static void a_removed_tree_is_told_whole(void **state)
{
	struct world w;
	int64_t d, sub;

	world_make(&w, *state);
	d = fixture_directory(w.f, &w.a, w.a.root, "d");
	sub = fixture_directory(w.f, &w.a, d, "sub");
	put(&w, sub, "f", "1");
	world_change(&w);
	drop_directory(&w, d, w.a.root, "d");
	touch(&w, w.a.root, 0);
	assert_told(&w, "-d -d/sub -d/sub/f");
}

/* The entry of an unchanged directory is altered behind its root's back: who
 * trusts the root does not see it. */
static void a_directory_with_the_same_root_is_not_entered(void **state)
{
	struct world w;
	int64_t d;

	world_make(&w, *state);
	d = fixture_directory(w.f, &w.a, w.a.root, "d");
	put(&w, d, "f", "1");
	world_change(&w);
	put(&w, d, "unseen", "2");
	put(&w, w.a.root, "seen", "3");
	touch(&w, w.a.root, 0);
	assert_told(&w, "+seen");
}

static void backwards_is_the_mirror(void **state)
{
	struct world w;
	struct version a;
	int64_t d;

	world_make(&w, *state);
	d = fixture_directory(w.f, &w.a, w.a.root, "d");
	put(&w, d, "f", "1");
	put(&w, w.a.root, "goes", "2");
	world_change(&w);
	rename_directory(&w, d, w.a.root, "d", w.a.root, "e");
	drop(&w, w.a.root, "goes");
	put(&w, w.a.root, "comes", "3");
	touch(&w, w.a.root, 0);
	assert_told(&w, "+comes >d>e -goes");
	a = w.a;
	w.a = w.b;
	w.b = a;
	assert_told(&w, "-comes >e>d +goes");
}

static void versions_of_two_systems_share_nothing(void **state)
{
	struct world w;

	world_make(&w, *state);
	put(&w, fixture_directory(w.f, &w.a, w.a.root, "d"), "f", "1");
	fixture_seal(w.f, &w.a);
	w.b = fixture_begin(w.f, "crm", "1");
	w.now = &w.b;
	fixture_directory_row(w.f, &w.b, w.b.root, 0);
	put(&w, w.b.root, "g", "2");
	assert_told(&w, "-d -d/f +g");
}

static void many_changes_are_all_told(void **state)
{
	struct world w;
	struct err e = ERR_NONE;
	char name[16], text[32];
	size_t spaces = 0;

	world_make(&w, *state);
	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof name, "%d", i);
		snprintf(text, sizeof text, "text %d", i);
		put(&w, w.a.root, name, text);
	}
	world_change(&w);
	for (int i = 0; i < 600; i += 2) {
		snprintf(name, sizeof name, "%d", i);
		drop(&w, w.a.root, name);
	}
	touch(&w, w.a.root, 0);
	fixture_seal(w.f, &w.b);
	must(vault_diff(w.f->c, &w.a, &w.b, on_item, &w, &e));
	for (const char *p = w.told; *p != '\0'; p++)
		spaces += *p == ' ';
	assert_int_equal(spaces, 299);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(nothing_changed_is_nothing_told),
		T(files_come_go_and_change_in_path_order),
		T(attributes_alone_are_metadata_and_times_of_access_are_nothing),
		T(another_kind_of_thing_is_a_change_of_both),
		T(a_moved_file_is_found_by_content_or_inode_and_paired_once),
		T(a_copy_is_added_and_not_moved),
		T(a_moved_directory_is_told_once_and_what_changed_in_it_under_its_new_name),
		T(a_directory_that_takes_the_name_of_one_that_moved_is_its_own),
		T(a_directory_that_went_and_came_again_is_compared_with_itself),
		T(a_removed_tree_is_told_whole),
		T(a_directory_with_the_same_root_is_not_entered),
		T(backwards_is_the_mirror),
		T(versions_of_two_systems_share_nothing),
		T(many_changes_are_all_told),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
