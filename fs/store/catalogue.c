#include "fs/store/catalogue_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "fs/store/pagevfs.h"

#define BUSY_WAIT_MS 10000
/* Pages of 8 KiB in the WAL before a commit checkpoints: about 32 MiB. */
#define AUTOCHECKPOINT_PAGES 4096
/* No value is longer: a set of xattrs, a statement, a page of extents. */
#define VALUE_BYTES_MAX (64 * 1024 * 1024)
#define CREATE_CACHE_BYTES (8u * 1024 * 1024)

/* ---- opening ----------------------------------------------------------------- */

static void file_name(uint64_t epoch, const char *suffix, char out[48])
{
	snprintf(out, 48, "catalogue.%" PRIu64 "%s", epoch, suffix);
}

static int handle_new(int dirfd, uint64_t epoch, enum catalogue_mode mode,
		      struct catalogue **out, struct err *e)
{
	struct catalogue *c = calloc(1, sizeof *c);

	*out = NULL;
	if (!c)
		return err_set(e, MUNI_NO_MEMORY, "opening the catalogue: no memory");
	if (pagevfs_register(e) < 0) {
		free(c);
		return -1;
	}
	c->epoch = epoch;
	c->mode = mode;
	c->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	if (c->dirfd < 0) {
		err_errno(e, "opening the catalogue's folder");
		free(c);
		return -1;
	}
	*out = c;
	return 0;
}

/* Written, a second name's content would change with it: one put here from elsewhere, or
 * a copy that was made of links. */
static int refuse_linked(const char *name, const struct stat *st, struct err *e)
{
	if (st->st_nlink <= 1)
		return 0;
	return err_set(e, MUNI_DAMAGED, "%s has another name elsewhere (a hard link), under "
		       "which something else would be written; copy it in its place", name);
}

/* Nothing but what SQLite makes itself may stand under the names that it opens. */
static int check_companions(struct catalogue *c, struct err *e)
{
	static const char *const suffixes[] = { "-wal", "-shm", "-journal" };
	struct stat st;

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		bool is_journal = i == 2;
		char name[48];

		file_name(c->epoch, suffixes[i], name);
		if (fstatat(c->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;	/* SQLite makes it, or says why it cannot */
		if (is_journal || !S_ISREG(st.st_mode))
			return err_set(e, MUNI_DAMAGED, "%s%s: muniment did not make it, and "
				       "reads nothing from it; move it away", name,
				       is_journal ? " lies in the archive's folder"
						  : " is not a regular file");
		/* Also who only reads may have to write the index. */
		if ((c->mode == CATALOGUE_WRITE || i == 1) && refuse_linked(name, &st, e) < 0)
			return -1;
	}
	return 0;
}

/* What SQLite would say of a missing or odd file says too little. */
static int check_file(struct catalogue *c, struct err *e)
{
	char name[48];
	struct stat st;

	file_name(c->epoch, "", name);
	if (fstatat(c->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return err_errno(e, "looking for %s", name);
		return err_set(e, MUNI_DAMAGED, "%s is missing from the archive; "
			       "run `muni repair` to rebuild it from its copies", name);
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, MUNI_DAMAGED, "%s is not a regular file", name);
	if (c->mode == CATALOGUE_WRITE && refuse_linked(name, &st, e) < 0)
		return -1;
	if (check_companions(c, e) < 0)
		return -1;
	if (c->mode != CATALOGUE_READ_IMMUTABLE)
		return 0;
	/* An immutable connection does not look at the WAL: pages would be missing. */
	file_name(c->epoch, "-wal", name);
	if (fstatat(c->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0)
		return err_set(e, MUNI_UNSUPPORTED, "the archive was not closed cleanly (%s "
			       "is not empty) and its folder cannot be written; open it once "
			       "where it can be", name);
	return 0;
}

/* /proc/self/fd makes the name independent of the working directory and free
 * of bytes that a URI would have to escape; SQLite derives the names of WAL
 * and shared memory from what it resolves to. */
static int open_database(struct catalogue *c, unsigned key_id, const char *more, struct err *e)
{
	char uri[160];
	int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
		SQLITE_OPEN_EXRESCODE;

	(void)pagevfs_reason();		/* what was refused before is not our reason */
	c->key_id = key_id;
	flags |= c->mode == CATALOGUE_WRITE ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	snprintf(uri, sizeof uri, "file:/proc/self/fd/%d/catalogue.%" PRIu64
		 "?vfs=" PAGEVFS_NAME "&key_id=%u%s%s", c->dirfd, c->epoch, key_id,
		 c->mode == CATALOGUE_READ_IMMUTABLE ? "&immutable=1" : "", more);
	int rc = sqlite3_open_v2(uri, &c->db, flags, NULL);

	if (!c->db)
		return err_set(e, MUNI_NO_MEMORY, "opening the catalogue: no memory");
	if (rc != SQLITE_OK)
		return catalogue_sql_error(c, rc, "opening the catalogue", e);
	return 0;
}

static int configure(struct catalogue *c, size_t cache_bytes, struct err *e)
{
	char pragma[64];

	sqlite3_busy_timeout(c->db, BUSY_WAIT_MS);
	sqlite3_limit(c->db, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	snprintf(pragma, sizeof pragma, "PRAGMA cache_size = -%zu",
		 cache_bytes / 1024 > 64 ? cache_bytes / 1024 : 64);
	if (catalogue_exec(c, "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
			   "PRAGMA mmap_size = 0; PRAGMA secure_delete = OFF;"
			   "PRAGMA synchronous = FULL", e) < 0)
		return -1;
	return catalogue_exec(c, pragma, e);
}

/* An empty WAL is left on close: a removal that a power cut takes back would
 * bring old frames back with the name. */
static int configure_writer(struct catalogue *c, struct err *e)
{
	int keep = 1;
	sqlite3_stmt *stmt = NULL;
	bool is_wal = false;

	sqlite3_file_control(c->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
	sqlite3_wal_autocheckpoint(c->db, AUTOCHECKPOINT_PAGES);
	int rc = sqlite3_prepare_v2(c->db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		const char *mode = (const char *)sqlite3_column_text(stmt, 0);

		if (!mode)
			rc = SQLITE_NOMEM;
		is_wal = mode && strcmp(mode, "wal") == 0;
	}
	sqlite3_finalize(stmt);
	if (rc != SQLITE_ROW)
		return catalogue_sql_error(c, rc, "opening the catalogue", e);
	if (!is_wal)
		return err_set(e, MUNI_IO, "catalogue.%" PRIu64 " cannot be put into WAL mode "
			       "here; the archive must be on a file system with shared memory "
			       "maps", c->epoch);
	return 0;
}

static bool has_scratch(struct catalogue *c, char shm[48])
{
	char wal[48];
	struct stat st;

	file_name(c->epoch, "-shm", shm);
	file_name(c->epoch, "-wal", wal);
	if (fstatat(c->dirfd, shm, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return fstatat(c->dirfd, wal, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == 0;
}

/*
 * Whoever leaves last takes the shared memory file away: nothing vouches for
 * its bytes, and at rest every byte of an archive is to be vouched for.  In
 * exclusive mode SQLite uses none itself, and gets the lock only if nobody has
 * the catalogue open, in this process or another.  Best effort.
 */
static void remove_scratch(struct catalogue *c)
{
	struct err ignored = ERR_NONE;
	int keep = 1;
	char shm[48];

	if (c->mode == CATALOGUE_READ_IMMUTABLE || !has_scratch(c, shm))
		return;
	c->db = NULL;
	c->mode = CATALOGUE_WRITE;
	if (open_database(c, c->key_id, "", &ignored) == 0) {
		sqlite3_file_control(c->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
		if (sqlite3_exec(c->db, "PRAGMA locking_mode = EXCLUSIVE;"
				 "SELECT count(*) FROM sqlite_schema", NULL, NULL,
				 NULL) == SQLITE_OK && has_scratch(c, shm))
			unlinkat(c->dirfd, shm, 0);
	}
	sqlite3_close(c->db);
}

static void let_go(struct catalogue *c, bool is_last)
{
	bool was_open = c->db != NULL;

	for (unsigned i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(c->statements[i].prepared);
	sqlite3_close(c->db);
	if (was_open && is_last)
		remove_scratch(c);
	catalogue_words_forget(c);
	file_close(&c->dirfd);
	free(c);
}

static void discard(struct catalogue *c)
{
	let_go(c, true);
}

/* What stands beside a catalogue that is not there yet is nobody's. */
static int remove_companions(int dirfd, uint64_t epoch, struct err *e)
{
	static const char *const suffixes[] = { "-wal", "-shm", "-journal" };
	char name[48];

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		file_name(epoch, suffixes[i], name);
		if (file_remove(dirfd, name, e) < 0)
			return -1;
	}
	return 0;
}

int catalogue_create(int dirfd, uint64_t epoch, unsigned key_id, struct catalogue **out,
		     struct err *e)
{
	return catalogue_create_format(dirfd, epoch, key_id, 0, out, e);
}

int catalogue_create_format(int dirfd, uint64_t epoch, unsigned key_id, int64_t format,
			    struct catalogue **out, struct err *e)
{
	struct catalogue *c = NULL;
	char name[48];

	*out = NULL;
	file_name(epoch, "", name);
	int fd = file_open(dirfd, name, O_RDWR | O_CREAT | O_EXCL, 0600, e);
	if (fd < 0)
		return err_wrap(e, "making the catalogue");
	file_close(&fd);
	if (remove_companions(dirfd, epoch, e) < 0 ||
	    handle_new(dirfd, epoch, CATALOGUE_WRITE, &c, e) < 0 ||
	    open_database(c, key_id, "&new=1", e) < 0 || pagevfs_format(c->db, e) < 0 ||
	    configure(c, CREATE_CACHE_BYTES, e) < 0 ||
	    catalogue_schema_create(c, format, e) < 0 || configure_writer(c, e) < 0 ||
	    file_sync_dir(dirfd, e) < 0)
		goto fail;
	*out = c;
	return 0;
fail:
	if (c)
		discard(c);
	unlinkat(dirfd, name, 0);
	return err_wrap(e, "making %s", name);
}

int catalogue_open(int dirfd, uint64_t epoch, unsigned key_id, enum catalogue_mode mode,
		   size_t cache_bytes, struct catalogue **out, struct err *e)
{
	struct catalogue *c = NULL;

	*out = NULL;
	if (handle_new(dirfd, epoch, mode, &c, e) < 0)
		return -1;
	if (check_file(c, e) < 0 || open_database(c, key_id, "", e) < 0 ||
	    configure(c, cache_bytes, e) < 0 ||
	    (mode == CATALOGUE_WRITE && configure_writer(c, e) < 0) ||
	    catalogue_schema_check(c, e) < 0) {
		discard(c);
		return -1;
	}
	*out = c;
	return 0;
}

static void end(struct catalogue *c, bool is_last)
{
	struct err ignored = ERR_NONE;

	if (!c)
		return;
	catalogue_rollback(c);
	/* A reader in the way leaves frames that the next open will find. */
	if (c->mode == CATALOGUE_WRITE)
		(void)catalogue_checkpoint(c, &ignored);
	let_go(c, is_last);
}

void catalogue_close(struct catalogue *c)
{
	end(c, true);
}

void catalogue_close_beside(struct catalogue *c)
{
	end(c, false);
}

/* ---- transactions ------------------------------------------------------------- */

int catalogue_begin(struct catalogue *c, struct err *e)
{
	struct query q;

	if (c->in_transaction)
		return err_set(e, MUNI_USAGE, "a transaction within a transaction");
	if (query_open(&q, c, STATEMENT_BEGIN,
		       c->mode == CATALOGUE_WRITE ? "BEGIN IMMEDIATE" : "BEGIN", e) < 0 ||
	    query_run(&q, e) < 0)
		return -1;
	c->in_transaction = true;
	return 0;
}

int catalogue_commit(struct catalogue *c, struct err *e)
{
	struct query q;

	if (!c->in_transaction)
		return err_set(e, MUNI_USAGE, "a commit outside a transaction");
	if (sqlite3_get_autocommit(c->db)) {
		catalogue_rollback(c);
		return err_set(e, MUNI_IO, "the catalogue's transaction was lost to an earlier "
			       "error; nothing of it was kept");
	}
	if (query_open(&q, c, STATEMENT_COMMIT, "COMMIT", e) < 0 || query_run(&q, e) < 0) {
		struct err first = *e;

		catalogue_rollback(c);
		*e = first;
		return -1;
	}
	c->in_transaction = false;
	c->upgraded_from = 0;
	return 0;
}

void catalogue_rollback(struct catalogue *c)
{
	if (!c->in_transaction)
		return;
	if (!sqlite3_get_autocommit(c->db))
		sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
	c->in_transaction = false;
	catalogue_words_forget(c);
	if (c->upgraded_from) {
		c->format = c->upgraded_from;
		c->upgraded_from = 0;
	}
}

int catalogue_checkpoint(struct catalogue *c, struct err *e)
{
	int left = 0, done = 0;
	int rc = sqlite3_wal_checkpoint_v2(c->db, "main", SQLITE_CHECKPOINT_TRUNCATE, &left,
					   &done);

	if (rc != SQLITE_OK)
		return catalogue_sql_error(c, rc, "writing the catalogue's WAL back", e);
	return 0;
}

int catalogue_checkpoint_some(struct catalogue *c, struct err *e)
{
	int rc = sqlite3_wal_checkpoint_v2(c->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY)
		return catalogue_sql_error(c, rc, "writing the catalogue's WAL back", e);
	return 0;
}

void catalogue_warm(struct catalogue *c, uint64_t most)
{
	char name[48];
	struct stat st;

	file_name(c->epoch, "", name);
	if (fstatat(c->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size >= 0 &&
	    (uint64_t)st.st_size <= most)
		pagevfs_warm(c->db, most);
}

struct sqlite3 *catalogue_sqlite(struct catalogue *c)
{
	return c->db;
}

int catalogue_data_version(struct catalogue *c, int64_t *out, struct err *e)
{
	struct query q;
	int rc = -1;

	*out = 0;
	if (query_open(&q, c, STATEMENT_DATA_VERSION, "PRAGMA data_version", e) < 0)
		return -1;
	int got = query_step(&q, e);
	if (got > 0) {
		*out = query_column(&q, 0, INT64_MIN, INT64_MAX);
		rc = 0;
	} else if (got == 0) {
		catalogue_damaged(c, e, "it gives no data version");
	}
	query_close(&q);
	return rc;
}
