/*
 * The methods of a catalogue's main file.  The accesses that SQLite 3.40 makes
 * (docs/format.md has the table), and nothing else, are served.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/crypt/secret.h"
#include "fs/store/pagevfs_dirty.h"
#include "fs/store/pagevfs_file.h"
#include "fs/store/pagevfs_keys.h"

#define PATIENCE 4

static int main_close(struct sqlite3_file *sf)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	int rc = f->real->pMethods->xClose(f->real);

	pagevfs_cipher_free(f->cipher);
	pagevfs_dirty_release(f->dirty);
	sqlite3_free(f->passing);
	f->base.pMethods = NULL;
	return rc;
}

/* ---- reading ----------------------------------------------------------- */

/*
 * The kernel may show half of a write that is going on (pread against pwrite of
 * one page is not atomic), and not every read is under SQLite's locks.  So bytes
 * that change between reads were torn; bytes that stay are damaged.
 */
int pagevfs_file_read_page(struct pagevfs_file *f, uint32_t page, unsigned patience,
			   uint8_t *sealed_out, uint8_t *plain_out)
{
	uint8_t sealed[PAGEVFS_PAGE_SIZE], before[PAGEVFS_PAGE_SIZE];
	uint8_t scratch[PAGEVFS_PAGE_SIZE];
	uint8_t *plain = plain_out ? plain_out : scratch;
	unsigned same = 0;
	struct err e = ERR_NONE;
	int rc = SQLITE_OK;

	for (unsigned round = 0; round < 1000; round++) {
		rc = f->real->pMethods->xRead(f->real, sealed, sizeof sealed,
					      (sqlite3_int64)(page - 1) * PAGEVFS_PAGE_SIZE);
		if (rc != SQLITE_OK)
			goto out;
		e = ERR_NONE;
		if (pagevfs_cipher_open(f->cipher, page, sealed, plain, &e) == 0) {
			if (sealed_out)
				memcpy(sealed_out, sealed, sizeof sealed);
			goto out;
		}
		if (e.code != MUNI_DAMAGED)
			break;
		same = round > 0 && memcmp(before, sealed, sizeof sealed) == 0 ? same + 1 : 0;
		if (same >= patience)
			break;
		memcpy(before, sealed, sizeof sealed);
		usleep(200u << (same < 4 ? same : 4));
	}
	rc = pagevfs_refuse_err(&e);
out:
	if (!plain_out)
		secret_wipe(scratch, sizeof scratch);
	return rc;
}

/* A page beyond the end is nothing yet only where a file is being made; else
 * zeros would pass for what was cut off. */
static int read_page(struct pagevfs_file *f, uint32_t page, uint8_t *out)
{
	int rc = pagevfs_file_read_page(f, page, PATIENCE, NULL, out);

	if (rc != SQLITE_IOERR_SHORT_READ)
		return rc;
	memset(out, 0, PAGEVFS_PAGE_SIZE);
	if (f->is_new)
		return rc;
	return pagevfs_refuse(SQLITE_IOERR_DATA, "page %u lies beyond the end of the "
			      "catalogue, which was cut short", page);
}

/*
 * When it opens a file SQLite asks for 100 bytes without a lock, for page size,
 * reserve and auto-vacuum (off by our rule): what is in the clear and never
 * changes answers that, and no checkpoint can be caught in the middle.
 */
static int read_file_header(struct pagevfs_file *f, uint8_t out[100])
{
	uint8_t head[PAGEVFS_HEAD_SIZE], id[PAGEVFS_FILE_ID_SIZE];
	int rc = f->real->pMethods->xRead(f->real, head, sizeof head, 0);

	memset(out, 0, 100);
	if (rc != SQLITE_OK)
		return rc;
	if (!pagevfs_cipher_parse_head(head, id))
		return pagevfs_refuse(SQLITE_IOERR_DATA, "the catalogue's first bytes are "
				      "damaged");
	pagevfs_cipher_plain_head(head, out);
	return SQLITE_OK;
}

static int read_change_counter(struct pagevfs_file *f, uint8_t out[16])
{
	uint8_t plain[PAGEVFS_PAGE_SIZE];
	int rc = pagevfs_file_read_page(f, 1, PATIENCE, NULL, plain);

	memset(out, 0, 16);
	if (rc == SQLITE_OK)
		memcpy(out, plain + 24, 16);
	secret_wipe(plain, sizeof plain);
	return rc;
}

static int main_read(struct sqlite3_file *sf, void *out, int size, sqlite3_int64 offset)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);

	if (offset == 0 && size == 100)
		return read_file_header(f, out);
	if (offset == 24 && size == 16)
		return read_change_counter(f, out);
	if (size == PAGEVFS_PAGE_SIZE && offset % PAGEVFS_PAGE_SIZE == 0 &&
	    offset / PAGEVFS_PAGE_SIZE < UINT32_MAX)
		return read_page(f, (uint32_t)(offset / PAGEVFS_PAGE_SIZE + 1), out);
	return pagevfs_refuse(PAGEVFS_UNLISTED, "SQLite %s read %d bytes at %lld of the "
			      "catalogue, which no known version does", sqlite3_libversion(),
			      size, (long long)offset);
}

/* ---- writing ----------------------------------------------------------- */

int pagevfs_file_seal(struct pagevfs_file *database, uint32_t page, const uint8_t *plain,
		      uint8_t *sealed)
{
	struct err e = ERR_NONE;

	if (pagevfs_keys_count_seal(database->key_id, &e) < 0 ||
	    pagevfs_cipher_seal(database->cipher, page, plain, sealed, &e) < 0)
		return pagevfs_refuse_err(&e);
	return SQLITE_OK;
}

static int main_write(struct sqlite3_file *sf, const void *data, int size,
		      sqlite3_int64 offset)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	uint8_t scratch[PAGEVFS_PAGE_SIZE];
	const uint8_t *sealed = scratch;

	if (size != PAGEVFS_PAGE_SIZE || offset % PAGEVFS_PAGE_SIZE != 0 ||
	    offset / PAGEVFS_PAGE_SIZE >= UINT32_MAX)
		return pagevfs_refuse(PAGEVFS_UNLISTED, "SQLite %s wrote %d bytes at %lld of the "
				      "catalogue, which is not one page of %d bytes",
				      sqlite3_libversion(), size, (long long)offset,
				      PAGEVFS_PAGE_SIZE);
	uint32_t page = (uint32_t)(offset / PAGEVFS_PAGE_SIZE + 1);

	if (f->passing && f->passing->page == page &&
	    memcmp(f->passing->plain, data, PAGEVFS_PAGE_SIZE) == 0) {
		sealed = f->passing->sealed;
	} else {
		int rc = pagevfs_file_seal(f, page, data, scratch);
		if (rc != SQLITE_OK)
			return rc;
	}
	if (!pagevfs_dirty_mark(f->dirty, page))
		return SQLITE_IOERR_NOMEM;
	return f->real->pMethods->xWrite(f->real, sealed, size, offset);
}

static int main_truncate(struct sqlite3_file *sf, sqlite3_int64 size)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);

	if (size % PAGEVFS_PAGE_SIZE != 0)
		return pagevfs_refuse(PAGEVFS_UNLISTED, "SQLite %s cut the catalogue to %lld "
				      "bytes, inside a page", sqlite3_libversion(),
				      (long long)size);
	return f->real->pMethods->xTruncate(f->real, size);
}

/* ---- control ------------------------------------------------------------ */

/* The page size is fixed when the file is made. */
static int control_pragma(char **argv)
{
	if (sqlite3_stricmp(argv[1], "page_size") != 0 || !argv[2] ||
	    strtol(argv[2], NULL, 10) == PAGEVFS_PAGE_SIZE)
		return SQLITE_NOTFOUND;
	argv[0] = sqlite3_mprintf("a catalogue has pages of %d bytes", PAGEVFS_PAGE_SIZE);
	return SQLITE_ERROR;
}

static int checkpoint_starts(struct pagevfs_file *f)
{
	if (!f->passing)
		f->passing = sqlite3_malloc(sizeof *f->passing);
	if (!f->passing)
		return SQLITE_NOMEM;
	f->passing->page = 0;
	return SQLITE_OK;
}

static void checkpoint_ends(struct pagevfs_file *f)
{
	if (f->passing)
		secret_wipe(f->passing, sizeof *f->passing);
	sqlite3_free(f->passing);
	f->passing = NULL;
}

static int name_vfs(struct pagevfs_file *f, char **name)
{
	int rc = f->real->pMethods->xFileControl(f->real, SQLITE_FCNTL_VFSNAME, name);

	if (rc == SQLITE_OK)
		*name = sqlite3_mprintf(PAGEVFS_NAME "/%z", *name);
	return rc;
}

/* What is not named here must not shine through from the VFS below. */
static int main_control(struct sqlite3_file *sf, int op, void *arg)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);

	switch (op) {
	case SQLITE_FCNTL_PRAGMA:
		return control_pragma(arg);
	case SQLITE_FCNTL_CKPT_START:
		return checkpoint_starts(f);
	case SQLITE_FCNTL_CKPT_DONE:
		checkpoint_ends(f);
		return SQLITE_OK;
	case SQLITE_FCNTL_VFSNAME:
		return name_vfs(f, arg);
	case SQLITE_FCNTL_MMAP_SIZE:
		*(sqlite3_int64 *)arg = 0;
		return SQLITE_OK;
	case SQLITE_FCNTL_POWERSAFE_OVERWRITE:
		*(int *)arg = 1;
		return SQLITE_OK;
	case SQLITE_FCNTL_SIZE_HINT:	/* it would grow the file behind our back */
		return SQLITE_OK;
	case SQLITE_FCNTL_CHUNK_SIZE:
		return pagevfs_refuse(SQLITE_ERROR, "a catalogue does not grow by chunks");
	case SQLITE_FCNTL_LOCKSTATE:
	case SQLITE_FCNTL_LAST_ERRNO:
	case SQLITE_FCNTL_PERSIST_WAL:
	case SQLITE_FCNTL_OVERWRITE:
	case SQLITE_FCNTL_SYNC_OMITTED:
	case SQLITE_FCNTL_SYNC:
	case SQLITE_FCNTL_COMMIT_PHASETWO:
	case SQLITE_FCNTL_HAS_MOVED:
	case SQLITE_FCNTL_WAL_BLOCK:
	case SQLITE_FCNTL_EXTERNAL_READER:
	case SQLITE_FCNTL_LOCK_TIMEOUT:
		return f->real->pMethods->xFileControl(f->real, op, arg);
	default:
		return SQLITE_NOTFOUND;
	}
}

/* POWERSAFE_OVERWRITE only: without it SQLite pads and cuts WAL frames; with
 * atomic writes or sub-page reads it would make accesses not in the table. */
static int main_characteristics(struct sqlite3_file *sf)
{
	(void)sf;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- passed through ------------------------------------------------------ */

static int main_sync(struct sqlite3_file *sf, int flags)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	return f->real->pMethods->xSync(f->real, flags);
}

static int main_size(struct sqlite3_file *sf, sqlite3_int64 *size)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	return f->real->pMethods->xFileSize(f->real, size);
}

static int main_lock(struct sqlite3_file *sf, int level)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	return f->real->pMethods->xLock(f->real, level);
}

static int main_unlock(struct sqlite3_file *sf, int level)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	return f->real->pMethods->xUnlock(f->real, level);
}

static int main_check_lock(struct sqlite3_file *sf, int *is_locked)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	return f->real->pMethods->xCheckReservedLock(f->real, is_locked);
}

static int main_sector_size(struct sqlite3_file *sf)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	return f->real->pMethods->xSectorSize(f->real);
}

static int main_shm_map(struct sqlite3_file *sf, int page, int size, int extend,
			void volatile **out)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	int rc = f->real->pMethods->xShmMap(f->real, page, size, extend, out);
	char name[PATH_MAX];

	if ((rc & 0xff) != SQLITE_CANTOPEN || !f->name ||
	    snprintf(name, sizeof name, "%s-shm", f->name) >= (int)sizeof name)
		return rc;
	rc = pagevfs_why_not_made(name);
	return rc == SQLITE_OK ? f->real->pMethods->xShmMap(f->real, page, size, extend, out) : rc;
}

static int main_shm_lock(struct sqlite3_file *sf, int offset, int n, int flags)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	return f->real->pMethods->xShmLock(f->real, offset, n, flags);
}

static void main_shm_barrier(struct sqlite3_file *sf)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	f->real->pMethods->xShmBarrier(f->real);
}

static int main_shm_unmap(struct sqlite3_file *sf, int is_last)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	return f->real->pMethods->xShmUnmap(f->real, is_last);
}

/* Version 2: shared memory for the WAL index, and no xFetch (no mmap). */
const struct sqlite3_io_methods pagevfs_main_methods = {
	.iVersion = 2,
	.xClose = main_close,
	.xRead = main_read,
	.xWrite = main_write,
	.xTruncate = main_truncate,
	.xSync = main_sync,
	.xFileSize = main_size,
	.xLock = main_lock,
	.xUnlock = main_unlock,
	.xCheckReservedLock = main_check_lock,
	.xFileControl = main_control,
	.xSectorSize = main_sector_size,
	.xDeviceCharacteristics = main_characteristics,
	.xShmMap = main_shm_map,
	.xShmLock = main_shm_lock,
	.xShmBarrier = main_shm_barrier,
	.xShmUnmap = main_shm_unmap,
};
