#include "tests/unit/store/catalogue_fixture.h"

/* v1: a, b; v2: a changed; v3: b removed, c added; v4: nothing. */
struct history {
	struct version v[5];
	int64_t root, a1, a2, b, c;
};

static struct history history_of(struct fixture *f)
{
	struct history h;
	struct err e = ERR_NONE;

	h.v[1] = fixture_begin(f, "hr", "1");
	h.root = h.v[1].root;
	fixture_directory_row(f, &h.v[1], h.root, 0);
	h.a1 = fixture_file(f, &h.v[1], h.root, "a", 0);
	h.b = fixture_file(f, &h.v[1], h.root, "b", 0);
	fixture_seal(f, &h.v[1]);

	h.v[2] = fixture_begin(f, "hr", "2");
	must(catalogue_directory_close(f->c, h.root, h.v[1].id, h.v[2].previous, &e));
	fixture_directory_row(f, &h.v[2], h.root, 0);
	must(catalogue_entry_close(f->c, h.root, "a", 1, h.v[1].id, h.v[2].previous, &e));
	h.a2 = fixture_file(f, &h.v[2], h.root, "a", 0);
	fixture_seal(f, &h.v[2]);

	h.v[3] = fixture_begin(f, "hr", "3");
	must(catalogue_directory_close(f->c, h.root, h.v[2].id, h.v[3].previous, &e));
	fixture_directory_row(f, &h.v[3], h.root, 0);
	must(catalogue_entry_close(f->c, h.root, "b", 1, h.v[1].id, h.v[3].previous, &e));
	h.c = fixture_file(f, &h.v[3], h.root, "c", 0);
	fixture_seal(f, &h.v[3]);

	h.v[4] = fixture_begin(f, "hr", "4");
	fixture_seal(f, &h.v[4]);
	return h;
}

static void assert_entry(struct fixture *f, int64_t version, int64_t dir, const char *name,
			 int64_t node)
{
	struct entry entry;
	struct err e = ERR_NONE;

	if (node == 0) {
		must_fail(catalogue_lookup(f->c, version, dir, name, strlen(name), &entry, &e),
			  MUNI_NOT_FOUND);
		return;
	}
	must(catalogue_lookup(f->c, version, dir, name, strlen(name), &entry, &e));
	assert_string_equal(entry.name, name);
	assert_int_equal(entry.name_size, strlen(name));
	assert_int_equal(entry.node, node);
	assert_int_equal(entry.kind, NODE_FILE);
	assert_int_equal(entry.salt[15], name[0]);

	struct entry same;
	struct node n;
	must(catalogue_lookup_node(f->c, version, dir, name, strlen(name), &same, &n, &e));
	assert_int_equal(same.node, node);
	assert_int_equal(n.id, node);
	assert_int_equal(n.kind, NODE_FILE);
	assert_int_equal(n.mtime.seconds, 1700000000);
}

static void every_version_sees_its_own_entries(void **state)
{
	struct fixture *f = *state;
	struct history h = history_of(f);
	struct directory d;
	struct err e = ERR_NONE;
	char names[64];

	assert_entry(f, h.v[1].id, h.root, "a", h.a1);
	assert_entry(f, h.v[2].id, h.root, "a", h.a2);
	assert_entry(f, h.v[4].id, h.root, "a", h.a2);
	assert_entry(f, h.v[2].id, h.root, "b", h.b);
	assert_entry(f, h.v[3].id, h.root, "b", 0);
	assert_entry(f, h.v[2].id, h.root, "c", 0);
	assert_entry(f, h.v[4].id, h.root, "c", h.c);

	static const char *const expected[] = { "", "a,b", "a,b", "a,c", "a,c" };
	for (int i = 1; i <= 4; i++) {
		fixture_names(f->c, h.v[i].id, h.root, names);
		assert_string_equal(names, expected[i]);
	}
	must(catalogue_directory(f->c, h.v[4].id, h.root, &d, &e));
	assert_int_equal(d.first, h.v[3].id);
	assert_int_equal(d.last, CATALOGUE_OPEN_ENDED);
	must(catalogue_directory(f->c, h.v[1].id, h.root, &d, &e));
	assert_int_equal(d.last, h.v[1].id);
	assert_int_equal(d.parent, 0);
	assert_int_equal(d.root.bytes[0], (h.root + h.v[1].id) & 0xff);
	must_fail(catalogue_directory(f->c, 0, h.root, &d, &e), MUNI_NOT_FOUND);
}

static void a_closed_entry_that_never_stood_is_gone(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v = fixture_begin(f, "hr", "1");
	struct entry entry;

	fixture_file(f, &v, v.root, "twice", 0);
	must(catalogue_entry_close(f->c, v.root, "twice", 5, v.id, v.previous, &e));
	int64_t node = fixture_file(f, &v, v.root, "twice", 0);
	must(catalogue_lookup(f->c, v.id, v.root, "twice", 5, &entry, &e));
	assert_int_equal(entry.node, node);
	must_fail(catalogue_entry_close(f->c, v.root, "absent", 6, v.id, v.previous, &e),
		  MUNI_NOT_FOUND);
	catalogue_rollback(f->c);
}

static void names_come_in_byte_order_and_go_on_after_any_name(void **state)
{
	static const char *const names[] = { "B", "a", "a b", "a\x01", "ab", "\xff\xfe",
		"\xe4\xb8\xad", "z" };
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v = fixture_begin(f, "hr", "1");
	char out[128] = "";

	fixture_directory_row(f, &v, v.root, 0);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		fixture_file(f, &v, v.root, names[i], 0);
	fixture_seal(f, &v);
	fixture_names(f->c, v.id, v.root, out);
	assert_string_equal(out, "B,a,a\x01,a b,ab,z,\xe4\xb8\xad,\xff\xfe");

	out[0] = '\0';
	must(catalogue_list(f->c, v.id, v.root, "a b", 3, false, fixture_join, out, &e));
	assert_string_equal(out, "ab,z,\xe4\xb8\xad,\xff\xfe");
	out[0] = '\0';	/* a name that is not there */
	must(catalogue_list(f->c, v.id, v.root, "abc", 3, true, fixture_join, out, &e));
	assert_string_equal(out, "z,\xe4\xb8\xad,\xff\xfe");
	out[0] = '\0';
	must(catalogue_list(f->c, v.id, v.root, "\xff\xfe", 2, true, fixture_join, out, &e));
	assert_string_equal(out, "");
}

struct nested {
	struct fixture *f;
	int64_t version;
	unsigned depth, seen;
	int stop_with;
};

static int walk_down(void *arg, const struct entry *entry, const struct node *node)
{
	struct nested *n = arg;
	struct err e = ERR_NONE;

	assert_int_equal(node->kind, entry->kind);
	assert_int_equal(node->id, entry->node);
	n->seen++;
	if (n->stop_with)
		return n->stop_with;
	if (entry->kind == NODE_DIRECTORY)
		must(catalogue_list(n->f->c, n->version, entry->directory, NULL, 0, true,
				    walk_down, n, &e));
	return 0;
}

static void a_listing_may_be_nested_and_stopped(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v = fixture_begin(f, "hr", "1");
	int64_t dir = v.root;

	fixture_directory_row(f, &v, v.root, 0);
	for (int i = 0; i < 20; i++) {
		fixture_file(f, &v, dir, "before", 0);
		fixture_file(f, &v, dir, "zafter", 0);
		dir = fixture_directory(f, &v, dir, "down");
	}
	fixture_seal(f, &v);

	struct nested n = { .f = f, .version = v.id };
	must(catalogue_list(f->c, v.id, v.root, NULL, 0, true, walk_down, &n, &e));
	assert_int_equal(n.seen, 60);
	n = (struct nested){ .f = f, .version = v.id, .stop_with = 1 };
	must(catalogue_list(f->c, v.id, v.root, NULL, 0, true, walk_down, &n, &e));
	assert_int_equal(n.seen, 1);
	n = (struct nested){ .f = f, .version = v.id, .stop_with = -1 };
	assert_int_equal(catalogue_list(f->c, v.id, v.root, NULL, 0, true, walk_down, &n, &e),
			 -1);
	assert_int_equal(e.code, MUNI_OK);
}

/* Its attributes change: a new row of the directory, none of the entry. */
static void a_directory_shows_the_node_of_the_version_asked_for(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v1 = fixture_begin(f, "hr", "1");
	struct entry entry;
	struct directory d1, d2;

	fixture_directory_row(f, &v1, v1.root, 0);
	int64_t dir = fixture_directory(f, &v1, v1.root, "sub");
	fixture_seal(f, &v1);
	struct version v2 = fixture_begin(f, "hr", "2");
	must(catalogue_directory_close(f->c, dir, v1.id, v2.previous, &e));
	fixture_directory_row(f, &v2, dir, v1.root);
	fixture_seal(f, &v2);

	must(catalogue_directory(f->c, v1.id, dir, &d1, &e));
	must(catalogue_directory(f->c, v2.id, dir, &d2, &e));
	assert_int_not_equal(d1.node, d2.node);
	must(catalogue_lookup(f->c, v1.id, v1.root, "sub", 3, &entry, &e));
	assert_int_equal(entry.directory, dir);
	assert_int_equal(entry.node, d1.node);
	must(catalogue_lookup(f->c, v2.id, v1.root, "sub", 3, &entry, &e));
	assert_int_equal(entry.node, d2.node);
	must(catalogue_directory_name(f->c, v2.id, dir, &entry, &e));
	assert_string_equal(entry.name, "sub");
	assert_int_equal(entry.node, d2.node);
	must_fail(catalogue_directory_name(f->c, v2.id, v1.root, &entry, &e), MUNI_NOT_FOUND);
}

static bool is_the_kept_one(void *arg, int64_t id)
{
	return id == *(int64_t *)arg;
}

static void closing_a_subtree_spares_what_moved_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v1 = fixture_begin(f, "hr", "1");
	char names[64];

	fixture_directory_row(f, &v1, v1.root, 0);
	int64_t top = fixture_directory(f, &v1, v1.root, "top");
	int64_t gone = fixture_directory(f, &v1, top, "gone");
	int64_t kept = fixture_directory(f, &v1, top, "kept");
	fixture_file(f, &v1, top, "t", 0);
	fixture_file(f, &v1, gone, "g", 0);
	fixture_file(f, &v1, kept, "k", 0);
	fixture_seal(f, &v1);

	struct version v2 = fixture_begin(f, "hr", "2");
	must(catalogue_entry_close(f->c, v1.root, "top", 3, v1.id, v2.previous, &e));
	must(catalogue_subtree_close(f->c, top, v2.previous, is_the_kept_one, &kept, &e));
	struct entry moved = fixture_entry("moved", NODE_DIRECTORY, v2.id, kept);
	must(catalogue_entry_add(f->c, v1.root, &moved, &e));
	must(catalogue_directory_close(f->c, kept, v1.id, v2.previous, &e));
	fixture_directory_row(f, &v2, kept, v1.root);
	fixture_seal(f, &v2);

	fixture_names(f->c, v1.id, v1.root, names);
	assert_string_equal(names, "top");
	fixture_names(f->c, v1.id, top, names);
	assert_string_equal(names, "gone,kept,t");
	fixture_names(f->c, v2.id, v1.root, names);
	assert_string_equal(names, "moved");
	fixture_names(f->c, v2.id, kept, names);
	assert_string_equal(names, "k");
	fixture_names(f->c, v2.id, gone, names);
	assert_string_equal(names, "");
	struct directory d;
	must_fail(catalogue_directory(f->c, v2.id, top, &d, &e), MUNI_NOT_FOUND);
	must_fail(catalogue_directory(f->c, v2.id, gone, &d, &e), MUNI_NOT_FOUND);
	must(catalogue_directory(f->c, v1.id, gone, &d, &e));
}

static void names_that_no_file_system_has_are_refused(void **state)
{
	static const struct { const char *name; size_t size; } bad[] = {
		{ "", 0 }, { ".", 1 }, { "..", 2 }, { "a/b", 3 }, { "a\0b", 3 },
	};
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct version v = fixture_begin(f, "hr", "1");

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct entry entry = fixture_entry("x", NODE_FILE, v.id, 1);

		memcpy(entry.name, bad[i].name, bad[i].size);
		entry.name_size = (uint16_t)bad[i].size;
		must_fail(catalogue_entry_add(f->c, v.root, &entry, &e), MUNI_LIMIT);
	}
	catalogue_rollback(f->c);
}

struct inodes {
	unsigned count;
	uint64_t inode;
	int64_t id;
};

static int note_inode(void *arg, int64_t id, uint64_t device, uint64_t inode)
{
	struct inodes *seen = arg;

	assert_int_equal(device, 7);
	seen->count++;
	seen->id = id;
	seen->inode = inode;
	return 0;
}

static int64_t add_directory_with_inode(struct fixture *f, const struct version *v,
					int64_t parent, const char *name, uint64_t inode)
{
	struct err e = ERR_NONE;
	struct node n = { .id = fixture_id(f, SEQUENCE_NODE), .kind = NODE_DIRECTORY,
			  .mode = 0755, .links = 2, .class_id = 1, .source_device = 7,
			  .source_inode = inode };
	struct directory d = { .id = fixture_id(f, SEQUENCE_DIRECTORY), .parent = parent,
			       .first = v->id, .node = n.id };
	struct entry entry = fixture_entry(name, NODE_DIRECTORY, v->id, d.id);

	must(catalogue_node_add(f->c, &n, NULL, &e));
	must(catalogue_entry_add(f->c, parent, &entry, &e));
	must(catalogue_directory_add(f->c, &d, &e));
	return d.id;
}

static void inodes_of_directories_are_told_for_one_system_and_version(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct inodes seen = { 0 };

	struct version hr = fixture_begin(f, "hr", "1");
	fixture_directory_row(f, &hr, hr.root, 0);
	int64_t mine = add_directory_with_inode(f, &hr, hr.root, "d", 41);
	fixture_seal(f, &hr);
	struct version crm = fixture_begin(f, "crm", "1");
	fixture_directory_row(f, &crm, crm.root, 0);
	int64_t theirs = add_directory_with_inode(f, &crm, crm.root, "d", 42);
	int64_t below = add_directory_with_inode(f, &crm, theirs, "e", 43);
	fixture_seal(f, &crm);

	must(catalogue_directory_inodes(f->c, hr.id, note_inode, &seen, &e));
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.inode, 41);
	assert_int_equal(seen.id, mine);
	seen.count = 0;
	must(catalogue_directory_inodes(f->c, crm.id, note_inode, &seen, &e));
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.id, below);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		T(every_version_sees_its_own_entries),
		T(a_closed_entry_that_never_stood_is_gone),
		T(names_come_in_byte_order_and_go_on_after_any_name),
		T(a_listing_may_be_nested_and_stopped),
		T(a_directory_shows_the_node_of_the_version_asked_for),
		T(closing_a_subtree_spares_what_moved_elsewhere),
		T(names_that_no_file_system_has_are_refused),
		T(inodes_of_directories_are_told_for_one_system_and_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
