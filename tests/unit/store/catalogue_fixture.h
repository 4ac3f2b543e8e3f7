/* A fresh catalogue in a folder of its own, for the catalogue's tests. */
#ifndef TESTS_UNIT_STORE_CATALOGUE_FIXTURE_H
#define TESTS_UNIT_STORE_CATALOGUE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/store/catalogue.h"
#include "fs/store/pagevfs.h"

#define FIXTURE_EPOCH 3
#define FIXTURE_CACHE (4u * 1024 * 1024)

struct fixture {
	char path[64];
	int dirfd;
	unsigned key_id;
	struct catalogue *c;	/* the writer */
};

/* Shows the message of what should have gone well. */
#define must(call)                                                              \
	do {                                                                    \
		if ((call) < 0)                                                 \
			fail_msg("%s: %s", #call, e.text);                      \
	} while (0)
#define must_fail(call, want)                                                   \
	do {                                                                    \
		e = ERR_NONE;                                                   \
		assert_int_equal(call, -1);                                     \
		if (e.code != (want))                                           \
			fail_msg("%s: code %d: %s", #call, e.code, e.text);     \
	} while (0)

static inline int fixture_key(struct fixture *f, struct err *e)
{
	static const uint8_t key[32] = "the key of one test's catalogue";

	if (pagevfs_register(e) < 0)
		return -1;
	return pagevfs_key_add(key, key, FIXTURE_EPOCH, &f->key_id, e);
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;

	assert_non_null(f);
	strcpy(f->path, "/tmp/muniment-test-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->dirfd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->dirfd >= 0);
	must(fixture_key(f, &e));
	must(catalogue_create(f->dirfd, FIXTURE_EPOCH, f->key_id, &f->c, &e));
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	char command[96];

	catalogue_close(f->c);
	pagevfs_key_drop(f->key_id);
	close(f->dirfd);
	snprintf(command, sizeof command, "rm -rf '%s'", f->path);
	if (system(command) != 0)
		return -1;
	free(f);
	return 0;
}

static inline void fixture_reopen(struct fixture *f)
{
	struct err e = ERR_NONE;

	catalogue_close(f->c);
	must(catalogue_open(f->dirfd, FIXTURE_EPOCH, f->key_id, CATALOGUE_WRITE, FIXTURE_CACHE,
			    &f->c, &e));
}

static inline struct catalogue *fixture_reader(struct fixture *f)
{
	struct catalogue *c = NULL;
	struct err e = ERR_NONE;

	must(catalogue_open(f->dirfd, FIXTURE_EPOCH, f->key_id, CATALOGUE_READ, FIXTURE_CACHE,
			    &c, &e));
	return c;
}

/* Raw SQL, to plant what no writer of ours would write. */
static inline void fixture_sql(struct fixture *f, const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(catalogue_sqlite(f->c), sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
}

static inline struct version fixture_begin(struct fixture *f, const char *system,
					   const char *label)
{
	struct version v = { .at = 1000, .ingested = 2000 };
	struct system s;
	struct err e = ERR_NONE;

	must(catalogue_begin(f->c, &e));
	must(catalogue_system_intern(f->c, system, &s, &e));
	v.system = s.id;
	snprintf(v.label, sizeof v.label, "%s", label);
	strcpy(v.source_kind, "directory");
	must(catalogue_version_begin(f->c, &v, &e));
	return v;
}

static inline void fixture_seal(struct fixture *f, struct version *v)
{
	static const uint8_t signature[] = { 0x30, 0x00 };
	struct err e = ERR_NONE;

	v->state = VERSION_COMPLETE;
	must(catalogue_version_seal(f->c, v, "{}", signature, sizeof signature, &e));
	must(catalogue_commit(f->c, &e));
}

static inline int64_t fixture_id(struct fixture *f, enum catalogue_sequence s)
{
	struct err e = ERR_NONE;
	int64_t id = 0;

	must(catalogue_reserve(f->c, s, 1, &id, &e));
	return id;
}

static inline int64_t fixture_node(struct fixture *f, enum node_kind kind, int64_t content)
{
	struct err e = ERR_NONE;
	struct node n = { .id = fixture_id(f, SEQUENCE_NODE), .kind = kind, .mode = 0644,
			  .links = 1, .class_id = 1, .content = content,
			  .size = content ? 100 : 0, .mtime = { 1700000000, 5 } };

	n.allocated = n.size;
	n.ctime = n.atime = n.mtime;
	must(catalogue_node_add(f->c, &n, NULL, &e));
	return n.id;
}

static inline struct entry fixture_entry(const char *name, enum node_kind kind, int64_t first,
					 int64_t target)
{
	struct entry entry = { .kind = kind, .first = first, .last = CATALOGUE_OPEN_ENDED };

	entry.name_size = (uint16_t)strlen(name);
	memcpy(entry.name, name, entry.name_size);
	if (kind == NODE_DIRECTORY)
		entry.directory = target;
	else
		entry.node = target;
	memset(entry.salt, name[0], sizeof entry.salt);
	return entry;
}

/* A file of its own node in the version; returns the node. */
static inline int64_t fixture_file(struct fixture *f, const struct version *v, int64_t dir,
				   const char *name, int64_t content)
{
	struct err e = ERR_NONE;
	int64_t node = fixture_node(f, NODE_FILE, content);
	struct entry entry = fixture_entry(name, NODE_FILE, v->id, node);

	must(catalogue_entry_add(f->c, dir, &entry, &e));
	return node;
}

static inline void fixture_directory_row(struct fixture *f, const struct version *v,
					 int64_t id, int64_t parent)
{
	struct err e = ERR_NONE;
	struct directory d = { .id = id, .parent = parent, .first = v->id,
			       .node = fixture_node(f, NODE_DIRECTORY, 0) };

	memset(d.root.bytes, (int)(id + v->id), DIGEST_SIZE);
	must(catalogue_directory_add(f->c, &d, &e));
}

/* A new directory with its entry; returns its id. */
static inline int64_t fixture_directory(struct fixture *f, const struct version *v,
					int64_t parent, const char *name)
{
	struct err e = ERR_NONE;
	int64_t id = fixture_id(f, SEQUENCE_DIRECTORY);
	struct entry entry = fixture_entry(name, NODE_DIRECTORY, v->id, id);

	must(catalogue_entry_add(f->c, parent, &entry, &e));
	fixture_directory_row(f, v, id, parent);
	return id;
}

/* All names of a directory, joined by commas. */
static inline int fixture_join(void *arg, const struct entry *entry, const struct node *node)
{
	char *out = arg;

	(void)node;
	if (out[0])
		strcat(out, ",");
	strcat(out, entry->name);
	return 0;
}

static inline void fixture_names(struct catalogue *c, int64_t version, int64_t dir, char *out)
{
	struct err e = ERR_NONE;

	out[0] = '\0';
	must(catalogue_list(c, version, dir, NULL, 0, true, fixture_join, out, &e));
}

#endif
