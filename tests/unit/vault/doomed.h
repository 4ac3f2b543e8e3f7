/*
 * An archive of random trees, records of it destroyed, and what must hold afterwards.
 * The switch of epoch itself is not in play: the next catalogue is made beside the
 * present one, and the vault is put on it.
 */
#ifndef TESTS_UNIT_VAULT_DOOMED_H
#define TESTS_UNIT_VAULT_DOOMED_H

#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/crypt/seal.h"
#include "fs/store/catalogue_copy.h"
#include "fs/store/pagevfs.h"
#include "fs/vault/doom.h"
#include "fs/vault/ingest.h"
#include "fs/vault/inside.h"
#include "fs/vault/leaf.h"
#include "fs/vault/reader.h"
#include "fs/vault/tree.h"

#define must(call) do { if ((call) < 0) fail_msg("%s: %s", #call, e.text); } while (0)

struct doomed_fixture {
	char folder[64], path[96], keyring[96], key[96], source[96];
	struct vault_options options;
	struct vault *v;
	uint64_t random;
};

static int64_t doomed_now = 1700000000;

static inline int64_t doomed_clock(void)
{
	return doomed_now;
}

static inline uint64_t doomed_random(struct doomed_fixture *f)
{
	/* splitmix64 (Steele, Lea, Flood 2014) */
	uint64_t z = f->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline void doomed_run(const char *format, ...)
{
	char command[1000];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof command, format, args);
	va_end(args);
	if (system(command) != 0)
		fail_msg("%s", command);
}

static inline void doomed_open(struct doomed_fixture *f, uint64_t seed)
{
	struct vault_init_options o = { .now = doomed_clock };
	char id[33], *keyring;
	bool is_inside;
	struct err e = ERR_NONE;

	*f = (struct doomed_fixture){ .random = seed };
	strcpy(f->folder, "/tmp/muniment-doom.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/a", f->folder);
	snprintf(f->keyring, sizeof f->keyring, "%s/k", f->folder);
	snprintf(f->key, sizeof f->key, "%s/key", f->folder);
	snprintf(f->source, sizeof f->source, "%s/source", f->folder);
	doomed_run("mkdir %s && head -c 40 /dev/zero > %s", f->source, f->key);
	f->options = (struct vault_options){
		.keys = { .keyring = f->keyring, .key_file = f->key }, .now = doomed_clock,
	};
	o.keys = f->options.keys;
	must(vault_init(f->path, &o, id, &keyring, &is_inside, &e));
	free(keyring);
	must(vault_open(f->path, &f->options, VAULT_WRITE, &f->v, &e));
}

static inline void doomed_close(struct doomed_fixture *f)
{
	vault_close(f->v);
	doomed_run("rm -r %s", f->folder);
}

static inline struct version doomed_ingest(struct doomed_fixture *f, const char *system)
{
	/* One thread: what lies in which block is the same each time. */
	struct ingest_options o = { .system = system, .threads = 1, .reread = true };
	struct ingest_result result;
	struct err e = ERR_NONE;

	doomed_now += 1000;
	must(vault_ingest(f->v, f->source, &o, NULL, &result, &e));
	return result.version;
}

static inline void doomed_write(struct doomed_fixture *f, const char *name, const void *data,
				size_t size)
{
	char path[600];

	snprintf(path, sizeof path, "%s/%s", f->source, name);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* ---- the disposition ------------------------------------------------------------------- */

struct doomed_list {
	struct record_key *keys;
	size_t count;
};

static inline void doomed_add(struct doomed_list *l, const struct record_key *key)
{
	l->keys = realloc(l->keys, (l->count + 1) * sizeof *l->keys);
	assert_non_null(l->keys);
	l->keys[l->count++] = *key;
}

static inline int64_t doomed_propose(struct doomed_fixture *f, const struct doomed_list *l,
				     const char *scope, enum item_names names)
{
	struct catalogue *c = f->v->catalogue;
	struct disposition_row d = { .kind = DISPOSITION_RECORDS,
				     .state = DISPOSITION_SWITCHING,
				     .proposer = (char *)"anna", .scope = (char *)scope,
				     .statement = (char *)"{}" };
	struct err e = ERR_NONE;

	must(catalogue_begin(c, &e));
	must(catalogue_disposition_add(c, &d, &e));
	for (size_t i = 0; i < l->count; i++) {
		struct disposition_item item = { .key = l->keys[i], .class_code = "",
						 .names = names, .text = "{}" };

		item.leaf = digest_of(&i, sizeof i);
		must(catalogue_disposition_item_put(c, d.id, &item, &e));
	}
	must(catalogue_commit(c, &e));
	return d.id;
}

/* The vault moves to its next epoch; what was there is removed. */
static inline struct doom_result doomed_switch(struct doomed_fixture *f, int64_t disposition)
{
	struct vault *v = f->v;
	struct doom_result result;
	struct catalogue *next;
	struct doom *d;
	uint8_t key[32];
	unsigned key_id;
	struct err e = ERR_NONE;

	must(random_bytes(key, sizeof key, &e));
	must(pagevfs_key_add(key, v->id, v->epoch + 1, &key_id, &e));
	must(catalogue_create(v->dirfd, v->epoch + 1, key_id, &next, &e));
	must(doom_mark(v, disposition, &d, &e));
	must(doom_repack(d, v, NULL, &e));
	must(doom_copy(d, v, next, NULL, &e));
	must(catalogue_checkpoint(next, &e));
	doom_result(d, &result);
	doom_free(d);
	catalogue_close(v->catalogue);
	pagevfs_key_drop(v->key_id);
	doomed_run("rm %s/catalogue.%llu", f->path, (unsigned long long)v->epoch);
	v->catalogue = next;
	v->key_id = key_id;
	v->epoch++;
	/* As vault_epoch_switch() leaves it, but that no head was signed. */
	uint64_t pages;
	must(pagevfs_digest(catalogue_sqlite(next), &v->pages_at_open, &pages, &e));
	v->seals_counted = pagevfs_seals(key_id);
	return result;
}

/* ---- what stands in the archive ------------------------------------------------------- */

struct doomed_seen {		/* a path in a version, and all that a reader sees of it */
	char system[132];
	int64_t version;
	char path[400];
	struct record_key key;
	enum node_kind kind;
	int64_t node, content;
	int64_t directory;	/* of a directory its id */
	uint64_t size;
	struct digest metadata, bytes;	/* bytes: as read */
	uint8_t salt[16];
};

struct doomed_view {
	struct doomed_seen *list;
	size_t count;
	struct doomed_fixture *f;
	const struct version *version;
	struct vault_reader *reader;
	int64_t parents[64];	/* directory ids by depth */
};

static inline struct digest doomed_read(struct doomed_view *w, const struct node *n)
{
	struct digest out = digest_of("", 0);
	struct err e = ERR_NONE;
	size_t got;

	if (n->kind != NODE_FILE || n->size == 0)
		return out;
	uint8_t *data = malloc(n->size);
	assert_non_null(data);
	must(vault_read(w->reader, n->content, n->size, 0, data, n->size, &got, &e));
	assert_int_equal(got, n->size);
	out = digest_of(data, got);
	free(data);
	return out;
}

static inline int doomed_see(void *arg, const struct tree_item *item)
{
	struct doomed_view *w = arg;
	struct doomed_seen *s;
	struct node plain = *item->node;
	size_t depth = 0;

	for (const char *p = item->path; *p; p++)
		depth += *p == '/';
	assert_true(depth + 1 < 64);
	w->list = realloc(w->list, (w->count + 1) * sizeof *w->list);
	assert_non_null(w->list);
	s = &w->list[w->count++];
	memset(s, 0, sizeof *s);
	strcpy(s->system, w->version->system_name);
	s->version = w->version->id;
	snprintf(s->path, sizeof s->path, "%s", item->path);
	s->kind = item->entry->kind;
	s->node = item->entry->node;
	s->key.directory = w->parents[depth];
	s->key.first = item->entry->first;
	s->key.name_size = item->entry->name_size;
	memcpy(s->key.name, item->entry->name, item->entry->name_size);
	memcpy(s->salt, item->entry->salt, 16);
	s->content = plain.content;
	s->directory = item->entry->directory;
	s->size = plain.size;
	s->bytes = doomed_read(w, item->node);
	if (s->kind == NODE_DIRECTORY)
		w->parents[depth + 1] = item->entry->directory;
	s->metadata = digest_of(&plain.mode, sizeof plain.mode);
	uint64_t numbers[] = { (uint64_t)plain.id, plain.uid, plain.gid, plain.size, plain.links,
		(uint64_t)plain.mtime.seconds, plain.mtime.ns, plain.source_inode,
		(uint64_t)plain.content, (uint64_t)plain.xattrs };
	s->metadata = digest_hmac(s->metadata.bytes, 32, numbers, sizeof numbers);
	return 0;
}

static inline int doomed_view_version(void *arg, const struct version *v)
{
	struct doomed_view *w = arg;
	struct err e = ERR_NONE;
	struct digest root;

	w->version = v;
	w->parents[0] = v->root;
	must(tree_walk(vault_reader_catalogue(w->reader), v, v->root, "", doomed_see, w, &e));
	must(leaf_of_version(w->f->v->catalogue, v->id, v->root, &root, &e));
	assert_memory_equal(root.bytes, v->merkle.bytes, DIGEST_SIZE);
	return 0;
}

static inline struct doomed_view doomed_look(struct doomed_fixture *f)
{
	struct doomed_view w = { .f = f };
	struct block_cache *cache = block_cache_new(16u << 20);
	struct err e = ERR_NONE;

	assert_non_null(cache);
	must(vault_reader_open(f->v, cache, 1u << 20, &w.reader, &e));
	must(catalogue_versions(f->v->catalogue, 0, doomed_view_version, &w, &e));
	vault_reader_close(w.reader);
	block_cache_free(cache);
	return w;
}

static inline int doomed_root_holds(void *arg, const struct directory *d)
{
	struct doomed_fixture *f = arg;
	struct err e = ERR_NONE;
	struct digest root;
	int64_t newest = INT64_MAX - 1;

	must(leaf_root_of_directory(f->v->catalogue, d->first, d->id, &root, &e));
	assert_memory_equal(root.bytes, d->root.bytes, DIGEST_SIZE);
	must(leaf_root_of_directory(f->v->catalogue, d->last < newest ? d->last : newest, d->id,
				    &root, &e));
	assert_memory_equal(root.bytes, d->root.bytes, DIGEST_SIZE);
	return 0;
}

/* Every root of every range of every directory, stubs included. */
static inline void doomed_check_roots(struct doomed_fixture *f)
{
	struct err e = ERR_NONE;

	must(catalogue_directories(f->v->catalogue, doomed_root_holds, f, &e));
}

/* Every decrypted page of the catalogue, free ones too. */
static inline uint8_t *doomed_pages(struct doomed_fixture *f, size_t *size)
{
	sqlite3_int64 bytes = 0;
	uint8_t *pages = sqlite3_serialize(catalogue_sqlite(f->v->catalogue), "main", &bytes, 0);

	assert_non_null(pages);
	assert_true(bytes > 0);
	*size = (size_t)bytes;
	return pages;
}

static inline bool doomed_is_in(const uint8_t *pages, size_t size, const void *what,
				size_t what_size)
{
	return memmem(pages, size, what, what_size) != NULL;
}

#endif
