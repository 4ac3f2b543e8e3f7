/*
 * A catalogue whose pages hold anything, sealed as they must be: what somebody writes who
 * has the key, or a bug of ours.  The input is a list of changes to the pages of a small
 * one (2 bytes page, 2 offset, 1 how many, so many bytes); all that reads a catalogue then
 * reads it, and gives what it checked or says that it is damaged.
 */
#include <string.h>

#include <sqlite3.h>

#include "fs/base/err.h"
#include "fs/store/catalogue_decisions.h"
#include "fs/store/catalogue_dispositions.h"
#include "fs/store/catalogue_inside.h"
#include "fs/store/catalogue_items.h"
#include "fs/store/catalogue_retention.h"
#include "fs/store/pagevfs.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

#define EPOCH 3
#define CACHE (1u << 20)
#define PAGES_MAX 512
#define ROWS_MAX 5000	/* of one list: a loop that does not end is a crash */

static int folder;
static unsigned key_id;
static struct catalogue *writer;
static sqlite3_file *file;
static uint8_t pages[PAGES_MAX][PAGEVFS_PAGE_SIZE];
static size_t page_count;

/* ---- the small one --------------------------------------------------------------- */

static void run(const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(writer->db, sql, NULL, NULL, &why) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, why);
		abort();
	}
}

static void node(int64_t id, enum node_kind kind, int64_t content)
{
	const struct node n = { .id = id, .kind = kind, .mode = 0644, .uid = 1000, .size = 9,
				.links = 1, .content = content, .class_id = 1,
				.mtime = { 900000000, 5 }, .ctime = { 900000001, 0 } };
	const char *target = kind == NODE_SYMLINK ? "elsewher." : NULL;
	struct err e = ERR_NONE;

	MUST(catalogue_node_add(writer, &n, target, &e) == 0);
}

static void fill(void)
{
	static const struct extent x[] = { { .offset = 0, .size = 5, .block = 1, .at = 0 },
					   { .offset = 7, .size = 2, .block = 2, .at = 3 } };
	const struct digest sha = digest_of("x", 1);
	struct err e = ERR_NONE;

	MUST(catalogue_begin(writer, &e) == 0);
	run("INSERT INTO system VALUES(1, 'crm', 1);"
	    "INSERT INTO version(id, system, label, previous, at, ingested, state, source_kind,"
	    "  merkle, directories, files, others, bytes, added_raw, added_stored, problems)"
	    "  VALUES(1, 1, '1', 0, 5, 5, 1, 'directory', zeroblob(32), 2, 2, 1, 18, 7, 40, 0),"
	    "  (2, 1, '2', 1, 6, 6, 2, 'tar', zeroblob(32), 2, 2, 1, 18, 7, 40, 1);"
	    "INSERT INTO problem VALUES(2, CAST('d/e' AS BLOB), 'unreadable');"
	    "INSERT INTO directory VALUES(1, 1, NULL, 0, 1, zeroblob(32)),"
	    "  (2, 1, NULL, 1, 2, zeroblob(32));"
	    "INSERT INTO entry VALUES(1, CAST('d' AS BLOB), 1, NULL, 2, 2, zeroblob(16)),"
	    "  (1, CAST('l' AS BLOB), 1, 1, 3, 4, zeroblob(16)),"
	    "  (2, CAST('a.txt' AS BLOB), 1, NULL, 1, 3, zeroblob(16));"
	    "INSERT INTO xattr VALUES(1, x'0c757365722e636f6d6d656e7403616263');"
	    "INSERT INTO account VALUES(1, 'ann');"
	    "INSERT INTO segment VALUES(1, zeroblob(16));"
	    "INSERT INTO block VALUES(1, zeroblob(16), zeroblob(32), 1, 64, 40, 5, 1, 1, 0, NULL,"
	    "  NULL), (2, zeroblob(16), zeroblob(32), 1, 104, 40, 9, 2, 1, 2030, 1, NULL);"
	    "INSERT INTO chunk VALUES(zeroblob(16), 1, 0, 5);"
	    "INSERT INTO stub VALUES(1, 1, NULL, zeroblob(32));"
	    "INSERT INTO hold VALUES(1, 'c', NULL, 'r', 1, CAST('d/**' AS BLOB), NULL, NULL, NULL,"
	    "  5, NULL, NULL);"
	    "INSERT INTO event VALUES(1, 'system-retired', 5, 5, 5, 'r');"
	    "INSERT INTO extension VALUES(1, 1, NULL, 'FIN', NULL, NULL, 9, 'r', 5);"
	    "INSERT INTO log_detail VALUES(0, zeroblob(16), '{}');");
	node(1, NODE_DIRECTORY, 0);
	node(2, NODE_DIRECTORY, 0);
	node(3, NODE_FILE, 1);
	node(4, NODE_SYMLINK, 0);
	MUST(catalogue_content_add(writer, 1, &sha, x, 2, &e) == 0);
	MUST(catalogue_commit(writer, &e) == 0 && catalogue_checkpoint(writer, &e) == 0);
}

/* What it holds lies in SQLite's arena, where no leak checker looks. */
static void close_writer(void)
{
	catalogue_close(writer);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint8_t key[32] = "the key of the fuzzed catalogue";
	struct err e = ERR_NONE;
	sqlite3_int64 size;

	(void)argc;
	(void)argv;
	folder = scratch_folder();
	MUST(pagevfs_register(&e) == 0 && pagevfs_key_add(key, key, EPOCH, &key_id, &e) == 0);
	MUST(catalogue_create(folder, EPOCH, key_id, &writer, &e) == 0);
	fill();
	MUST(atexit(close_writer) == 0);
	MUST(sqlite3_file_control(writer->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) ==
	     SQLITE_OK);
	MUST(file->pMethods->xFileSize(file, &size) == SQLITE_OK);
	page_count = (size_t)size / PAGEVFS_PAGE_SIZE;
	MUST(page_count > 10 && page_count <= PAGES_MAX);
	for (size_t i = 0; i < page_count; i++)
		MUST(file->pMethods->xRead(file, pages[i], PAGEVFS_PAGE_SIZE,
					   (sqlite3_int64)i * PAGEVFS_PAGE_SIZE) == SQLITE_OK);
	return 0;
}

/* ---- reading everything --------------------------------------------------------------- */

struct seen {
	struct catalogue *c;
	size_t rows;
	int64_t node, content, directory;
};

static int count(struct seen *s)
{
	return ++s->rows > ROWS_MAX;
}

static int on_system(void *arg, const struct system *s)
{
	MUST(memchr(s->name, 0, sizeof s->name));
	return count(arg);
}

static int on_version(void *arg, const struct version *v)
{
	MUST(memchr(v->label, 0, sizeof v->label) && v->state <= VERSION_DESTROYED);
	return count(arg);
}

static int on_entry(void *arg, const struct entry *n, const struct node *node_of)
{
	struct seen *s = arg;

	MUST(n->name_size > 0 && strlen(n->name) == n->name_size && !strchr(n->name, '/'));
	MUST(n->kind >= NODE_FILE && n->kind <= NODE_BLOCK);
	if (n->kind == NODE_DIRECTORY)
		s->directory = n->directory;
	else
		s->node = n->node;
	s->content = node_of->content;
	return count(s);
}

static int on_block(void *arg, const struct block *b, const uint8_t segment_uid[16])
{
	(void)segment_uid;
	MUST(b->raw > 0 && b->raw <= BLOCK_RAW_MAX);
	return count(arg);
}

static int on_segment(void *arg, int64_t id, const uint8_t uid[16])
{
	(void)id;
	(void)uid;
	return count(arg);
}

static int on_problem(void *arg, const void *path, size_t size, const char *what)
{
	(void)path;
	MUST(size > 0 && what);
	return count(arg);
}

static int on_node(void *arg, const struct node *n)
{
	MUST(n->kind >= NODE_FILE && n->kind <= NODE_BLOCK);
	return count(arg);
}

static int on_directory(void *arg, const struct directory *d)
{
	MUST(d->id > 0);
	return count(arg);
}

static int on_stub(void *arg, const struct digest *leaf)
{
	(void)leaf;
	return count(arg);
}

static int on_hold(void *arg, const struct hold_row *h)
{
	MUST(h->case_ref && h->reason);
	return count(arg);
}

static int on_event(void *arg, const struct event_row *r)
{
	MUST(r->name && r->reason);
	return count(arg);
}

static int on_extension(void *arg, const struct extension_row *x)
{
	MUST(x->reason);
	return count(arg);
}

static int on_disposition(void *arg, const struct disposition_row *d)
{
	MUST(d->statement && d->scope);
	return count(arg);
}

static int on_file(void *arg, int64_t system, const void *path, size_t size, int64_t first,
		   int64_t last, int64_t id)
{
	(void)system;
	(void)path;
	(void)first;
	(void)last;
	(void)id;
	MUST(size > 0);
	return count(arg);
}

static int on_item(void *arg, const struct item_row *r, const char *duplicate_path, size_t n)
{
	(void)duplicate_path;
	(void)n;
	MUST(r->path && r->path_size > 0);
	return count(arg);
}

static void read_tree(struct seen *s)
{
	static struct extent_page page;
	struct err e = ERR_NONE;
	struct directory d;
	struct version v;
	struct entry n;
	struct node m;
	char *target = NULL;
	uint8_t *set = NULL;
	size_t size;

	if (catalogue_version_find(s->c, 1, NULL, &v, &e) < 0)
		return;
	catalogue_list(s->c, v.id, v.root, NULL, 0, true, on_entry, s, &e);
	catalogue_list(s->c, 1, s->directory ? s->directory : 2, NULL, 0, true, on_entry, s, &e);
	catalogue_lookup_node(s->c, 1, 2, "a.txt", 5, &n, &m, &e);
	catalogue_directory(s->c, 1, 2, &d, &e);
	catalogue_directory_name(s->c, 1, 2, &n, &e);
	for (int64_t id = 1; id <= 5; id++) {
		catalogue_node(s->c, id, true, &m, &e);
		if (catalogue_symlink(s->c, id, &target, &size, &e) == 0)
			free(target);
	}
	if (catalogue_extents(s->c, s->content ? s->content : 1, 0, &page, &e) == 0)
		MUST(page.count <= EXTENTS_A_PAGE);
	if (catalogue_xattrs(s->c, 1, &set, &size, &e) == 0)
		free(set);
	catalogue_problems(s->c, 2, on_problem, s, &e);
	catalogue_stubs(s->c, 1, 1, on_stub, s, &e);
}

static void read_all(struct catalogue *c)
{
	static const int64_t some[] = { 1, 2 };
	struct seen s = { .c = c };
	struct catalogue_settings settings;
	struct log_position at;
	struct err e = ERR_NONE;
	char name[256], *text = NULL;
	uint8_t salt[16], *signature = NULL;
	size_t size;

	catalogue_settings_get(c, &settings, &e);
	catalogue_log_position_get(c, &at, &e);
	if (catalogue_log_detail_get(c, 0, salt, &text, &e) == 0)
		free(text);
	catalogue_systems(c, on_system, &s, &e);
	catalogue_versions(c, 0, on_version, &s, &e);
	if (catalogue_version_proof(c, 1, &text, &signature, &size, &e) == 0) {
		free(text);
		free(signature);
	}
	read_tree(&s);
	catalogue_account(c, 1, name, &e);
	catalogue_blocks(c, on_block, &s, &e);
	catalogue_segments(c, on_segment, &s, &e);
	catalogue_files_of_blocks(c, some, 2, on_file, &s, &e);
	catalogue_contents(c, on_node, &s, &e);
	catalogue_directories(c, on_directory, &s, &e);
	catalogue_holds(c, true, on_hold, &s, &e);
	catalogue_events(c, 0, on_event, &s, &e);
	catalogue_extensions(c, on_extension, &s, &e);
	catalogue_dispositions(c, on_disposition, &s, &e);
	catalogue_items(c, 1, NULL, 0, on_item, &s, &e);
	e = ERR_NONE;
	catalogue_check_sound(c, &e);
}

/* ---- one input ---------------------------------------------------------------------------- */

/* False: the VFS seals no such page (the head of the first, the reserved bytes). */
static bool put(size_t page, const uint8_t *plain)
{
	return file->pMethods->xWrite(file, plain, PAGEVFS_PAGE_SIZE,
				      (sqlite3_int64)page * PAGEVFS_PAGE_SIZE) == SQLITE_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t changed[PAGES_MAX][PAGEVFS_PAGE_SIZE];
	bool is_changed[PAGES_MAX] = { false };
	struct catalogue *c;
	struct err e = ERR_NONE;
	unsigned changes = 0;

	while (size >= 5 && changes++ < 16) {
		size_t page = ((size_t)data[0] << 8 | data[1]) % page_count;
		size_t at = ((size_t)data[2] << 8 | data[3]) % (PAGEVFS_PAGE_SIZE - PAGEVFS_RESERVE);
		size_t n = data[4];

		data += 5;
		size -= 5;
		n = n < size ? n : size;
		n = n < PAGEVFS_PAGE_SIZE - PAGEVFS_RESERVE - at ? n :
			PAGEVFS_PAGE_SIZE - PAGEVFS_RESERVE - at;
		if (!is_changed[page])
			memcpy(changed[page], pages[page], PAGEVFS_PAGE_SIZE);
		is_changed[page] = true;
		memcpy(changed[page] + at, data, n);
		data += n;
		size -= n;
	}
	for (size_t i = 0; i < page_count; i++)
		if (is_changed[i])
			is_changed[i] = put(i, changed[i]);
	if (catalogue_open(folder, EPOCH, key_id, CATALOGUE_READ, CACHE, &c, &e) == 0) {
		read_all(c);
		catalogue_close(c);
	} else {
		MUST(*e.text);
	}
	for (size_t i = 0; i < page_count; i++)
		if (is_changed[i])
			MUST(put(i, pages[i]));
	return 0;
}
