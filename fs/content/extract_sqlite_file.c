/*
 * The smallest VFS that SQLite can read with.  The file says that it is immutable:
 * then neither locks nor journals nor a WAL are asked for.
 */
#include "fs/content/extract_sqlite_file.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/content/input.h"

#define HEAP_MAX (96ll << 20)	/* of all of SQLite: what a hostile file may use */
#define VALUE_MAX (64 << 20)
#define CACHE "-8192"		/* KiB of pages */

struct sqlite_file {
	sqlite3 *db;
	struct input *in;
	uint64_t size;
	struct err failure;
	sqlite3_vfs vfs;
	char name[40];
	sqlite3_int64 heap_before;
	bool is_registered;
};

struct open_file {		/* what SQLite allocates */
	sqlite3_file base;
	struct sqlite_file *owner;
};

/* ---- the file ------------------------------------------------------------------------------- */

static int file_close(sqlite3_file *file)
{
	(void)file;
	return SQLITE_OK;
}

static int file_read(sqlite3_file *file, void *out, int size, sqlite3_int64 offset)
{
	struct sqlite_file *f = ((struct open_file *)file)->owner;
	ssize_t n;

	if (size < 0 || offset < 0)
		return SQLITE_IOERR_READ;
	n = input_at(f->in, (uint64_t)offset, out, (size_t)size, &f->failure);
	if (n < 0)
		return SQLITE_IOERR_READ;
	if (n < size) {
		memset((char *)out + n, 0, (size_t)(size - n));
		return SQLITE_IOERR_SHORT_READ;
	}
	return SQLITE_OK;
}

static int file_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
	(void)file;
	(void)data;
	(void)size;
	(void)offset;
	return SQLITE_READONLY;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	(void)file;
	(void)size;
	return SQLITE_READONLY;
}

static int file_sync(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out)
{
	*out = (sqlite3_int64)((struct open_file *)file)->owner->size;
	return SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int level)
{
	(void)file;
	(void)level;
	return SQLITE_OK;
}

static int file_is_reserved(sqlite3_file *file, int *out)
{
	(void)file;
	*out = 0;
	return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
	(void)file;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *file)
{
	(void)file;
	return 4096;
}

static int file_characteristics(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_IMMUTABLE;
}

static const sqlite3_io_methods file_methods = {
	.iVersion = 1,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_lock,
	.xCheckReservedLock = file_is_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
};

/* ---- the VFS --------------------------------------------------------------------------------- */

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
		    int *out_flags)
{
	struct open_file *o = (struct open_file *)file;

	(void)name;
	file->pMethods = NULL;
	if (!(flags & SQLITE_OPEN_MAIN_DB))
		return SQLITE_CANTOPEN;
	o->owner = vfs->pAppData;
	file->pMethods = &file_methods;
	if (out_flags)
		*out_flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	(void)name;
	(void)sync;
	return SQLITE_READONLY;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	(void)vfs;
	(void)name;
	(void)flags;
	*out = 0;
	return SQLITE_OK;
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	snprintf(out, (size_t)size, "%s", name);
	return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs;
	memset(out, 0, (size_t)size);	/* the same file gives the same findings */
	return size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, double *out)
{
	(void)vfs;
	*out = 2440587.5;
	return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs;
	(void)size;
	(void)out;
	return 0;
}

static int register_vfs(struct sqlite_file *f)
{
	snprintf(f->name, sizeof f->name, "look-%p", (void *)f);
	f->vfs = (sqlite3_vfs){
		.iVersion = 1,
		.szOsFile = (int)sizeof(struct open_file),
		.mxPathname = 512,
		.zName = f->name,
		.pAppData = f,
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_name,
		.xRandomness = vfs_random,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_time,
		.xGetLastError = vfs_last_error,
	};
	f->is_registered = sqlite3_vfs_register(&f->vfs, 0) == SQLITE_OK;
	return f->is_registered ? 0 : -1;
}

/* ---- opening ----------------------------------------------------------------------------------- */

/* Reading rows is all that a statement may do. */
static int on_action(void *arg, int action, const char *first, const char *second,
		     const char *database, const char *trigger)
{
	(void)arg;
	(void)second;
	(void)database;
	(void)trigger;
	if (action == SQLITE_SELECT || action == SQLITE_READ)
		return SQLITE_OK;
	if (action == SQLITE_PRAGMA && first && !strcmp(first, "table_xinfo"))
		return SQLITE_OK;
	return SQLITE_DENY;
}

static void harden(sqlite3 *db, bool lenient)
{
	static const int off[] = {
		SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW,
		SQLITE_DBCONFIG_ENABLE_FKEY, SQLITE_DBCONFIG_TRUSTED_SCHEMA,
		SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
		SQLITE_DBCONFIG_DQS_DML, SQLITE_DBCONFIG_DQS_DDL,
	};

	for (size_t i = 0; i < sizeof off / sizeof *off; i++)
		(void)sqlite3_db_config(db, off[i], 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* Has no other effect here: nothing can be written. */
	if (lenient)
		(void)sqlite3_db_config(db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, NULL);
	(void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_MAX);
	(void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	(void)sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
	(void)sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
	(void)sqlite3_exec(db, "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; "
			   "PRAGMA mmap_size = 0; PRAGMA cache_size = " CACHE, NULL, NULL, NULL);
	(void)sqlite3_set_authorizer(db, on_action, NULL);
}

uint64_t sqlite_told_size(struct input *in, uint64_t size)
{
	struct err ignored = ERR_NONE;
	uint64_t page_size, told;
	uint8_t head[96];

	if (input_at(in, 0, head, sizeof head, &ignored) < (ssize_t)sizeof head)
		return size + 1;
	page_size = (uint64_t)head[16] << 8 | head[17];
	if (page_size == 1)
		page_size = 65536;
	if (page_size < 512)
		return size;
	told = ((uint64_t)head[28] << 24 | (uint64_t)head[29] << 16 | (uint64_t)head[30] << 8 |
		head[31]) * page_size;
	/* Old writers leave the count alone, and with it the number at 92. */
	if (memcmp(head + 24, head + 92, 4) != 0 || told < size)
		told = (size + page_size - 1) / page_size * page_size;
	return told;
}

int sqlite_file_open(struct input *in, uint64_t size, bool lenient, struct sqlite_file **out,
		     struct err *e)
{
	struct sqlite_file *f = calloc(1, sizeof *f);
	int rc;

	*out = NULL;
	if (!f)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a database");
	f->in = in;
	f->size = lenient ? sqlite_told_size(in, size) : size;
	f->heap_before = sqlite3_hard_heap_limit64(HEAP_MAX);
	if (register_vfs(f) < 0) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read a database");
		goto bad;
	}
	rc = sqlite3_open_v2("database", &f->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_PRIVATECACHE,
			     f->name);
	if (rc != SQLITE_OK) {
		err_set(e, MUNI_DAMAGED, "the database cannot be opened: %s",
			sqlite3_errstr(rc));
		goto bad;
	}
	harden(f->db, lenient);
	*out = f;
	return 0;
bad:
	sqlite_file_close(f);
	return -1;
}

void sqlite_file_close(struct sqlite_file *f)
{
	if (!f)
		return;
	(void)sqlite3_close(f->db);
	if (f->is_registered)
		(void)sqlite3_vfs_unregister(&f->vfs);
	(void)sqlite3_hard_heap_limit64(f->heap_before);
	free(f);
}

sqlite3 *sqlite_file_db(struct sqlite_file *f)
{
	return f->db;
}

int sqlite_file_failed(const struct sqlite_file *f, struct err *e)
{
	if (f->failure.code == MUNI_OK)
		return 0;
	*e = f->failure;
	return -1;
}
