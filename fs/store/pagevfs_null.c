/*
 * The journal that goes nowhere: while a file is made there is no page yet that
 * a journal could hold, but VACUUM INTO opens one whatever it is told.
 */
#include <string.h>

#include "fs/store/pagevfs_file.h"

static int null_close(struct sqlite3_file *sf)
{
	sf->pMethods = NULL;
	return SQLITE_OK;
}

static int null_read(struct sqlite3_file *sf, void *out, int size, sqlite3_int64 offset)
{
	(void)sf;
	(void)offset;
	memset(out, 0, (size_t)size);
	return SQLITE_IOERR_SHORT_READ;
}

static int null_write(struct sqlite3_file *sf, const void *data, int size,
		      sqlite3_int64 offset)
{
	(void)sf;
	(void)data;
	(void)size;
	(void)offset;
	return SQLITE_OK;
}

static int null_truncate(struct sqlite3_file *sf, sqlite3_int64 size)
{
	(void)sf;
	(void)size;
	return SQLITE_OK;
}

static int null_number(struct sqlite3_file *sf, int number)	/* sync, lock, unlock */
{
	(void)sf;
	(void)number;
	return SQLITE_OK;
}

static int null_size(struct sqlite3_file *sf, sqlite3_int64 *size)
{
	(void)sf;
	*size = 0;
	return SQLITE_OK;
}

static int null_check_lock(struct sqlite3_file *sf, int *is_locked)
{
	(void)sf;
	*is_locked = 0;
	return SQLITE_OK;
}

static int null_control(struct sqlite3_file *sf, int op, void *arg)
{
	(void)sf;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int null_sector_size(struct sqlite3_file *sf)
{
	(void)sf;
	return 4096;
}

static int null_characteristics(struct sqlite3_file *sf)
{
	(void)sf;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

const struct sqlite3_io_methods pagevfs_null_methods = {
	.iVersion = 1,
	.xClose = null_close,
	.xRead = null_read,
	.xWrite = null_write,
	.xTruncate = null_truncate,
	.xSync = null_number,
	.xFileSize = null_size,
	.xLock = null_number,
	.xUnlock = null_number,
	.xCheckReservedLock = null_check_lock,
	.xFileControl = null_control,
	.xSectorSize = null_sector_size,
	.xDeviceCharacteristics = null_characteristics,
};
