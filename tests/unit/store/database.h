/*
 * What the tests of the encrypting VFS share: databases under it, in a folder.
 */
#ifndef TESTS_UNIT_STORE_DATABASE_H
#define TESTS_UNIT_STORE_DATABASE_H

#include <sqlite3.h>

#include "tests/unit/store/folder.h"

#include "fs/store/pagevfs.h"

#define DATABASE_EPOCH 3
#define FRAME_SIZE (24 + PAGEVFS_PAGE_SIZE)

static const uint8_t database_archive[16] = "an archive's id";

static inline void want(int is_so, const struct err *e)
{
	if (!is_so)
		fail_msg("code %d: %s", e->code, e->text);
}

static inline unsigned database_key(uint8_t fill)
{
	struct err e = ERR_NONE;
	uint8_t key[32];
	unsigned id;

	memset(key, fill, sizeof key);
	want(pagevfs_register(&e) == 0, &e);
	want(pagevfs_key_add(key, database_archive, DATABASE_EPOCH, &id, &e) == 0, &e);
	return id;
}

/* Returns SQLite's code; more: further URI parameters, "&new=1". */
static inline int database_try_open(const struct folder *f, const char *name, unsigned key,
				    const char *more, sqlite3 **out)
{
	char uri[256];

	snprintf(uri, sizeof uri, "file:%s/%s?vfs=" PAGEVFS_NAME "&key_id=%u%s", f->path, name,
		 key, more);
	int rc = sqlite3_open_v2(uri, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
				 SQLITE_OPEN_URI | SQLITE_OPEN_PRIVATECACHE, NULL);
	sqlite3_busy_timeout(*out, 10000);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(*out, "PRAGMA temp_store=MEMORY; PRAGMA synchronous=FULL;"
				  "PRAGMA wal_autocheckpoint=0", NULL, NULL, NULL);
	return rc;
}

static inline sqlite3 *database_open(const struct folder *f, const char *name, unsigned key)
{
	sqlite3 *db;
	int rc = database_try_open(f, name, key, "", &db);

	if (rc != SQLITE_OK)
		fail_msg("opening %s: %s; %s", name, sqlite3_errmsg(db), pagevfs_reason());
	return db;
}

static inline int database_try(sqlite3 *db, const char *sql)
{
	sqlite3_exec(db, sql, NULL, NULL, NULL);
	return sqlite3_extended_errcode(db);
}

static inline void database_run(sqlite3 *db, const char *sql)
{
	char *text = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
		fail_msg("%s: %s; %s", sql, text, pagevfs_reason());
}

static inline sqlite3 *database_new(const struct folder *f, const char *name, unsigned key)
{
	struct err e = ERR_NONE;
	sqlite3 *db;
	int rc = database_try_open(f, name, key, "&new=1", &db);

	if (rc != SQLITE_OK)
		fail_msg("making %s: %s; %s", name, sqlite3_errmsg(db), pagevfs_reason());
	want(pagevfs_format(db, &e) == 0, &e);
	database_run(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, text BLOB);"
		     "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
	return db;
}

/* -1: the statement failed. */
static inline int64_t database_number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s = NULL;
	int64_t n = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

static inline bool database_is_sound(sqlite3 *db)
{
	return database_number(db, "SELECT count(*) FROM pragma_integrity_check "
			       "WHERE integrity_check = 'ok'") == 1;
}

/* One transaction of `count` rows of about `size` bytes. */
static inline void database_insert(sqlite3 *db, int count, int size)
{
	char sql[256];

	snprintf(sql, sizeof sql, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c "
		 "WHERE x < %d) INSERT INTO t(n, text) SELECT x, randomblob(%d) FROM c", count,
		 size);
	database_run(db, sql);
}

static inline off_t file_bytes(const struct folder *f, const char *name)
{
	struct stat s;

	return fstatat(f->fd, name, &s, 0) == 0 ? s.st_size : -1;
}

static inline void file_copy(const struct folder *f, const char *from, const char *to)
{
	char command[400];

	snprintf(command, sizeof command, "cp '%s/%s' '%s/%s'", f->path, from, f->path, to);
	assert_int_equal(system(command), 0);
}

/* As a crash leaves them: without the shared memory. */
static inline void database_copy(const struct folder *f, const char *from, const char *to)
{
	char wal_from[64], wal_to[64];

	snprintf(wal_from, sizeof wal_from, "%s-wal", from);
	snprintf(wal_to, sizeof wal_to, "%s-wal", to);
	file_copy(f, from, to);
	file_copy(f, wal_from, wal_to);
}

static inline void file_poke(const struct folder *f, const char *name, off_t at, uint8_t flip)
{
	int fd = openat(f->fd, name, O_RDWR);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= flip;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static inline void file_cut(const struct folder *f, const char *name, off_t size)
{
	int fd = openat(f->fd, name, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

#endif
