/*
 * Registration of the VFS and its opening of files; pagevfs_main.c and
 * pagevfs_wal.c have what happens to open ones.
 */
#include "fs/store/pagevfs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/digest.h"
#include "fs/store/arena_sqlite.h"
#include "fs/store/pagevfs_dirty.h"
#include "fs/store/pagevfs_file.h"
#include "fs/store/pagevfs_keys.h"

#define OPEN_KINDS (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TRANSIENT_DB | \
		    SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_TEMP_JOURNAL | \
		    SQLITE_OPEN_SUBJOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL)

static _Thread_local char reason[sizeof(((struct err *)0)->text)];
static _Thread_local char reason_out[sizeof reason];

const char *pagevfs_reason(void)
{
	memcpy(reason_out, reason, sizeof reason);
	reason[0] = '\0';
	return reason_out;
}

int pagevfs_refuse(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof reason, format, args);
	va_end(args);
	return code;
}

int pagevfs_refuse_err(const struct err *e)
{
	int code = SQLITE_IOERR;

	if (e->code == MUNI_DAMAGED)
		code = SQLITE_IOERR_DATA;
	else if (e->code == MUNI_NO_MEMORY)
		code = SQLITE_IOERR_NOMEM;
	else if (e->code == MUNI_CANNOT_UNLOCK)
		code = SQLITE_AUTH;
	else if (e->code == MUNI_LIMIT)
		code = SQLITE_FULL;
	else if (e->code == MUNI_USAGE)
		code = PAGEVFS_UNLISTED;
	return pagevfs_refuse(code, "%s", e->text);
}

struct pagevfs_file *pagevfs_file_of(struct sqlite3_file *f)
{
	return (struct pagevfs_file *)f;
}

static struct sqlite3_vfs *parent_of(struct sqlite3_vfs *vfs)
{
	return vfs->pAppData;
}

/* ---- opening -------------------------------------------------------------- */

/* The descriptor that a path leads through says nothing to anybody. */
static const char *shown(const char *name)
{
	const char *slash = strrchr(name, '/');

	return text_printable(slash ? slash + 1 : name);
}

/* Finds the file's id: its own, or a fresh one where the file is to be made. */
static int identify(struct pagevfs_file *f, const char *name,
		    uint8_t id[PAGEVFS_FILE_ID_SIZE])
{
	uint8_t head[PAGEVFS_HEAD_SIZE];
	sqlite3_int64 size = 0;
	struct err e = ERR_NONE;
	int rc = f->real->pMethods->xFileSize(f->real, &size);

	if (rc != SQLITE_OK)
		return rc;
	if (f->is_new && size != 0)
		return pagevfs_refuse(SQLITE_CANTOPEN, "%s is to be made, but stands there "
				      "already", shown(name));
	if (f->is_new)
		return random_bytes(id, PAGEVFS_FILE_ID_SIZE, &e) < 0 ?
		       pagevfs_refuse_err(&e) : SQLITE_OK;
	if (size < PAGEVFS_PAGE_SIZE)
		return pagevfs_refuse(SQLITE_NOTADB, "%s is cut short: it ends at byte %lld, "
				      "inside its first page", shown(name),
				      (long long)size);
	rc = f->real->pMethods->xRead(f->real, head, sizeof head, 0);
	if (rc == SQLITE_OK && !pagevfs_cipher_parse_head(head, id))
		rc = pagevfs_refuse(SQLITE_NOTADB, "the first bytes of %s are not those of a "
				    "catalogue, or damaged", shown(name));
	return rc;
}

/* SQLite would pass over a WAL in silence. */
static int refuse_immutable_with_wal(struct sqlite3_vfs *vfs, const char *name)
{
	int is_there = 0;
	int rc;

	if (!sqlite3_uri_boolean(name, "immutable", 0))
		return SQLITE_OK;
	rc = parent_of(vfs)->xAccess(parent_of(vfs), sqlite3_filename_wal(name),
				     SQLITE_ACCESS_EXISTS, &is_there);
	if (rc == SQLITE_OK && is_there)
		rc = pagevfs_refuse(SQLITE_CANTOPEN, "%s was left with commits in its WAL; open "
				    "it once where it can be written", shown(name));
	return rc;
}

static int open_main(struct sqlite3_vfs *vfs, const char *name, struct pagevfs_file *f,
		     int flags, int *out_flags)
{
	uint8_t id[PAGEVFS_FILE_ID_SIZE];
	struct err e = ERR_NONE;

	f->key_id = (unsigned)sqlite3_uri_int64(name, "key_id", 0);
	f->is_new = sqlite3_uri_boolean(name, "new", 0);
	int rc = refuse_immutable_with_wal(vfs, name);
	if (rc != SQLITE_OK)
		return rc;
	rc = parent_of(vfs)->xOpen(parent_of(vfs), name, f->real, flags, out_flags);
	if (rc != SQLITE_OK)
		return rc;
	rc = identify(f, name, id);
	if (rc == SQLITE_OK && pagevfs_keys_cipher(f->key_id, id, &f->cipher, &e) < 0)
		rc = pagevfs_refuse_err(&e);
	if (rc == SQLITE_OK && !(f->dirty = pagevfs_dirty_hold(id)))
		rc = SQLITE_NOMEM;
	if (rc != SQLITE_OK) {
		pagevfs_cipher_free(f->cipher);
		f->real->pMethods->xClose(f->real);
		return rc;
	}
	f->base.pMethods = &pagevfs_main_methods;
	f->name = name;
	return SQLITE_OK;
}

int pagevfs_why_not_made(const char *name)
{
	struct err e = ERR_NONE;
	int fd = file_open(AT_FDCWD, name, O_RDWR | O_CREAT, 0600, &e);

	if (fd >= 0) {
		file_close(&fd);
		return SQLITE_OK;
	}
	if (e.code == MUNI_NO_SPACE)
		return SQLITE_FULL;
	if (e.code == MUNI_NO_MEMORY && e.sys == ENOMEM)
		return SQLITE_NOMEM;
	return pagevfs_refuse(SQLITE_CANTOPEN, "%s: %s", shown(name), e.sys ? strerror(e.sys) : e.text);
}

static struct pagevfs_file *database_of(const char *name)
{
	struct sqlite3_file *file = sqlite3_database_file_object(name);

	return file && file->pMethods == &pagevfs_main_methods ? pagevfs_file_of(file) : NULL;
}

static int open_wal(struct sqlite3_vfs *vfs, const char *name, struct pagevfs_file *f,
		    int flags, int *out_flags)
{
	f->database = database_of(name);
	f->last_frame_read = -1;
	if (!f->database)
		return pagevfs_refuse(SQLITE_CANTOPEN, "a WAL without its catalogue");
	int rc = parent_of(vfs)->xOpen(parent_of(vfs), name, f->real, flags, out_flags);
	if ((rc & 0xff) == SQLITE_CANTOPEN && (flags & SQLITE_OPEN_CREATE) != 0) {
		rc = pagevfs_why_not_made(name);
		if (rc == SQLITE_OK)
			rc = parent_of(vfs)->xOpen(parent_of(vfs), name, f->real, flags, out_flags);
	}
	if (rc != SQLITE_OK)
		return rc;
	f->base.pMethods = &pagevfs_wal_methods;
	f->database->is_new = false;	/* what has a WAL has been made */
	return SQLITE_OK;
}

/* While a file is being made nothing in it is worth a rollback. */
static int open_journal(const char *name, struct pagevfs_file *f, int flags, int *out_flags)
{
	const struct pagevfs_file *database = database_of(name);

	if (!database || !database->is_new)
		return pagevfs_refuse(SQLITE_CANTOPEN, "a catalogue has no rollback journal; "
				      "%s was not made by muniment: move it away", shown(name));
	f->base.pMethods = &pagevfs_null_methods;
	if (out_flags)
		*out_flags = flags;
	return SQLITE_OK;
}

static int vfs_open(struct sqlite3_vfs *vfs, const char *name, struct sqlite3_file *sf,
		    int flags, int *out_flags)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);

	memset(f, 0, sizeof *f);
	f->real = (struct sqlite3_file *)(f + 1);
	memset(f->real, 0, (size_t)parent_of(vfs)->szOsFile);
	if (name && (flags & OPEN_KINDS) == SQLITE_OPEN_MAIN_DB)
		return open_main(vfs, name, f, flags, out_flags);
	if (name && (flags & OPEN_KINDS) == SQLITE_OPEN_WAL)
		return open_wal(vfs, name, f, flags, out_flags);
	if (name && (flags & OPEN_KINDS) == SQLITE_OPEN_MAIN_JOURNAL)
		return open_journal(name, f, flags, out_flags);
	return pagevfs_refuse(SQLITE_CANTOPEN, "SQLite asked for a temporary file or a journal, "
			      "which a catalogue never has; set temp_store=MEMORY");
}

/* ---- the folder, the clock ---------------------------------------------------- */

/* The null journal is deleted at commit, and was never there. */
static int vfs_delete(struct sqlite3_vfs *vfs, const char *name, int sync_dir)
{
	static const char suffix[] = "-journal";
	size_t size = strlen(name);
	int rc = parent_of(vfs)->xDelete(parent_of(vfs), name, sync_dir);

	if (rc == SQLITE_IOERR_DELETE_NOENT && size >= sizeof suffix - 1 &&
	    strcmp(name + size - (sizeof suffix - 1), suffix) == 0)
		return SQLITE_OK;
	return rc;
}

static int vfs_access(struct sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	return parent_of(vfs)->xAccess(parent_of(vfs), name, flags, out);
}

/* A path through a descriptor stays as it is: resolved it may be longer than
 * SQLite takes, and the folder may be renamed while it is open. */
static int vfs_full_path(struct sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	static const char through[] = "/proc/self/fd/";
	size_t length = strlen(name);

	if (strncmp(name, through, sizeof through - 1) == 0 && length < (size_t)size) {
		memcpy(out, name, length + 1);
		return SQLITE_OK;
	}
	return parent_of(vfs)->xFullPathname(parent_of(vfs), name, size, out);
}

static int vfs_randomness(struct sqlite3_vfs *vfs, int size, char *out)
{
	return parent_of(vfs)->xRandomness(parent_of(vfs), size, out);
}

static int vfs_sleep(struct sqlite3_vfs *vfs, int us)
{
	return parent_of(vfs)->xSleep(parent_of(vfs), us);
}

static int vfs_time(struct sqlite3_vfs *vfs, double *out)
{
	return parent_of(vfs)->xCurrentTime(parent_of(vfs), out);
}

static int vfs_time_ms(struct sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	return parent_of(vfs)->xCurrentTimeInt64(parent_of(vfs), out);
}

static int vfs_last_error(struct sqlite3_vfs *vfs, int size, char *out)
{
	return parent_of(vfs)->xGetLastError(parent_of(vfs), size, out);
}

/* No xDlOpen: a catalogue's process loads no code. */
static struct sqlite3_vfs muniment_vfs = {
	.iVersion = 2,
	.zName = PAGEVFS_NAME,
	.xOpen = vfs_open,
	.xDelete = vfs_delete,
	.xAccess = vfs_access,
	.xFullPathname = vfs_full_path,
	.xRandomness = vfs_randomness,
	.xSleep = vfs_sleep,
	.xCurrentTime = vfs_time,
	.xCurrentTimeInt64 = vfs_time_ms,
	.xGetLastError = vfs_last_error,
};

/* ---- registration ------------------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct err once_error;

static void register_once(void)
{
	/* Without its statistics SQLite needs no lock of its own around ours. */
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, arena_methods()) != SQLITE_OK ||
	    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK) {
		err_set(&once_error, MUNI_USAGE, "SQLite was used before its memory could be "
			"kept out of dumps");
		return;
	}
	struct sqlite3_vfs *unix_vfs = sqlite3_vfs_find("unix");
	if (!unix_vfs) {
		err_set(&once_error, MUNI_UNSUPPORTED, "this SQLite has no VFS named unix");
		return;
	}
	muniment_vfs.pAppData = unix_vfs;
	muniment_vfs.szOsFile = (int)sizeof(struct pagevfs_file) + unix_vfs->szOsFile;
	muniment_vfs.mxPathname = unix_vfs->mxPathname;
	if (sqlite3_vfs_register(&muniment_vfs, 0) != SQLITE_OK)
		err_set(&once_error, MUNI_NO_MEMORY, "SQLite takes no further VFS");
}

int pagevfs_register(struct err *e)
{
	pthread_once(&once, register_once);
	if (once_error.code != MUNI_OK)
		*e = once_error;
	return once_error.code == MUNI_OK ? 0 : -1;
}
