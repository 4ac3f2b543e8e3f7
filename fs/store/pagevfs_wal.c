/*
 * The methods of a catalogue's write-ahead log.  A frame on disk is 24 bytes of
 * enciphered header and a sealed page, in SQLite's sizes and at its offsets.
 *
 * SQLite's checksums cover the plain page with zeros in the reserved bytes, and
 * recovery recomputes them over what is read here: it must be exactly that, or
 * committed frames are dropped without a word.
 */
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/secret.h"
#include "fs/store/pagevfs_file.h"

static uint32_t big_endian(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int unlisted(const char *act, int size, sqlite3_int64 offset)
{
	return pagevfs_refuse(PAGEVFS_UNLISTED, "SQLite %s %s %d bytes at %lld of the "
			      "catalogue's WAL, which no known version does",
			      sqlite3_libversion(), act, size, (long long)offset);
}

static int real_read(struct pagevfs_file *f, void *out, int size, sqlite3_int64 offset)
{
	return f->real->pMethods->xRead(f->real, out, size, offset);
}

static int real_write(struct pagevfs_file *f, const void *data, int size,
		      sqlite3_int64 offset)
{
	f->last_frame_read = -1;
	return f->real->pMethods->xWrite(f->real, data, size, offset);
}

/* head[size] (24 or 32) is plain; it is enciphered in place and written. */
static int write_head(struct pagevfs_file *f, uint8_t *head, int size, sqlite3_int64 offset)
{
	pagevfs_cipher_hide(f->database->cipher, (uint64_t)offset, head, (size_t)size);
	return real_write(f, head, size, offset);
}

/* A held header whose page did not follow: SQLite means it to be on disk. */
static int flush_held(struct pagevfs_file *f)
{
	if (!f->is_held)
		return SQLITE_OK;
	f->is_held = false;
	return write_head(f, f->held, PAGEVFS_FRAME_HEAD, f->held_at);
}

/* ---- reading -------------------------------------------------------------- */

/* A header that is not ours, or damaged, is garbage: to SQLite, an empty WAL. */
static int read_wal_head(struct pagevfs_file *f, uint8_t out[PAGEVFS_WAL_HEAD])
{
	int rc = real_read(f, out, PAGEVFS_WAL_HEAD, 0);

	if (rc == SQLITE_OK)
		pagevfs_cipher_show(f->database->cipher, 0, out, PAGEVFS_WAL_HEAD);
	if (rc == SQLITE_OK && big_endian(out + 8) != PAGEVFS_PAGE_SIZE)
		memset(out, 0, PAGEVFS_WAL_HEAD);
	return rc;
}

/* head and plain may be NULL, sealed not. */
static int read_frame(struct pagevfs_file *f, sqlite3_int64 start, uint8_t *head,
		      uint8_t sealed[PAGEVFS_PAGE_SIZE], uint8_t plain[PAGEVFS_PAGE_SIZE],
		      uint32_t *page, struct err *e)
{
	uint8_t frame[PAGEVFS_FRAME];
	int rc = real_read(f, frame, PAGEVFS_FRAME, start);

	if (rc != SQLITE_OK)
		return rc;
	pagevfs_cipher_show(f->database->cipher, (uint64_t)start, frame, PAGEVFS_FRAME_HEAD);
	*page = big_endian(frame);
	memcpy(sealed, frame + PAGEVFS_FRAME_HEAD, PAGEVFS_PAGE_SIZE);
	if (pagevfs_cipher_open(f->database->cipher, *page, sealed, plain, e) < 0)
		return pagevfs_refuse_err(e);
	if (head)
		memcpy(head, frame, PAGEVFS_FRAME_HEAD);
	return SQLITE_OK;
}

/*
 * Recovery reads whole frames.  A bad one is no error but zeros, so that it ends
 * there, at the last whole commit: a torn tail is what a crash leaves.  When the
 * checksums of a spilled transaction are being made it is damage.
 */
static int read_whole_frame(struct pagevfs_file *f, sqlite3_int64 start, uint8_t *out)
{
	uint8_t sealed[PAGEVFS_PAGE_SIZE];
	struct err e = ERR_NONE;
	uint32_t page;
	int rc = read_frame(f, start, out, sealed, out + PAGEVFS_FRAME_HEAD, &page, &e);

	f->last_frame_read = rc == SQLITE_OK ? start : -1;
	if (rc == SQLITE_OK)
		return rc;
	memset(out, 0, PAGEVFS_FRAME);
	if (rc == SQLITE_IOERR_DATA && !f->is_rechecksumming)
		return SQLITE_OK;
	return rc;
}

static int read_frame_page(struct pagevfs_file *f, sqlite3_int64 start, uint8_t *out)
{
	struct pagevfs_passing *passing = f->database->passing;
	uint8_t sealed[PAGEVFS_PAGE_SIZE];
	struct err e = ERR_NONE;
	uint32_t page;
	int rc = read_frame(f, start, NULL, sealed, out, &page, &e);

	if (rc != SQLITE_OK)
		memset(out, 0, PAGEVFS_PAGE_SIZE);
	if (rc == SQLITE_OK && passing) {
		passing->page = page;
		memcpy(passing->plain, out, PAGEVFS_PAGE_SIZE);
		memcpy(passing->sealed, sealed, PAGEVFS_PAGE_SIZE);
	}
	return rc;
}

/* The last 8 bytes of a header: where checksums are taken up again. */
static int read_checksum(struct pagevfs_file *f, sqlite3_int64 start, int size, uint8_t out[8])
{
	uint8_t head[PAGEVFS_WAL_HEAD];
	int rc = real_read(f, head, size, start);

	memset(out, 0, 8);
	if (rc != SQLITE_OK)
		return rc;
	pagevfs_cipher_show(f->database->cipher, (uint64_t)start, head, (size_t)size);
	memcpy(out, head + size - 8, 8);
	f->is_rechecksumming = true;
	return SQLITE_OK;
}

static int wal_read(struct sqlite3_file *sf, void *out, int size, sqlite3_int64 offset)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	sqlite3_int64 within = offset < PAGEVFS_WAL_HEAD ? -1 :
			       (offset - PAGEVFS_WAL_HEAD) % PAGEVFS_FRAME;
	int rc = flush_held(f);

	if (rc != SQLITE_OK)
		return rc;
	if (offset == 0 && size == PAGEVFS_WAL_HEAD) {
		f->is_rechecksumming = false;
		return read_wal_head(f, out);
	}
	if (offset == PAGEVFS_WAL_HEAD - 8 && size == 8)
		return read_checksum(f, 0, PAGEVFS_WAL_HEAD, out);
	if (within == PAGEVFS_FRAME_HEAD - 8 && size == 8)
		return read_checksum(f, offset - within, PAGEVFS_FRAME_HEAD, out);
	if (within == 0 && size == PAGEVFS_FRAME)
		return read_whole_frame(f, offset, out);
	if (within == PAGEVFS_FRAME_HEAD && size == PAGEVFS_PAGE_SIZE)
		return read_frame_page(f, offset - within, out);
	return unlisted("read", size, offset);
}

/* ---- writing --------------------------------------------------------------- */

static int write_wal_head(struct pagevfs_file *f, const uint8_t *data)
{
	uint8_t head[PAGEVFS_WAL_HEAD];

	if (big_endian(data + 8) != PAGEVFS_PAGE_SIZE)
		return pagevfs_refuse(PAGEVFS_UNLISTED, "SQLite began a WAL with pages of %u "
				      "bytes", big_endian(data + 8));
	memcpy(head, data, sizeof head);
	return write_head(f, head, sizeof head, 0);
}

/*
 * A frame is written as header, then page: held back, both go out in one call.
 * Of a frame that was just read whole only the header changes (its checksum).
 */
static int write_frame_head(struct pagevfs_file *f, const uint8_t *data, sqlite3_int64 start)
{
	uint8_t head[PAGEVFS_FRAME_HEAD];

	if (f->is_rechecksumming && f->last_frame_read == start) {
		memcpy(head, data, sizeof head);
		return write_head(f, head, sizeof head, start);
	}
	memcpy(f->held, data, sizeof f->held);
	f->held_at = start;
	f->is_held = true;
	return SQLITE_OK;
}

static int write_held_frame(struct pagevfs_file *f, const uint8_t *data)
{
	uint8_t frame[PAGEVFS_FRAME];
	int rc = pagevfs_file_seal(f->database, big_endian(f->held), data,
				   frame + PAGEVFS_FRAME_HEAD);

	if (rc != SQLITE_OK)
		return rc;
	memcpy(frame, f->held, PAGEVFS_FRAME_HEAD);
	pagevfs_cipher_hide(f->database->cipher, (uint64_t)f->held_at, frame,
			    PAGEVFS_FRAME_HEAD);
	rc = real_write(f, frame, PAGEVFS_FRAME, f->held_at);
	f->is_held = false;
	return rc;
}

/* A page that this transaction had spilled already: which one it is says the
 * header on disk, believed only if its frame is whole. */
static int rewrite_page(struct pagevfs_file *f, const uint8_t *data, sqlite3_int64 start)
{
	uint8_t sealed[PAGEVFS_PAGE_SIZE], plain[PAGEVFS_PAGE_SIZE];
	struct err e = ERR_NONE;
	uint32_t page;
	int rc = read_frame(f, start, NULL, sealed, plain, &page, &e);

	secret_wipe(plain, sizeof plain);
	if (rc == SQLITE_OK)
		rc = pagevfs_file_seal(f->database, page, data, sealed);
	if (rc == SQLITE_OK)
		rc = real_write(f, sealed, PAGEVFS_PAGE_SIZE, start + PAGEVFS_FRAME_HEAD);
	return rc;
}

static int wal_write(struct sqlite3_file *sf, const void *data, int size,
		     sqlite3_int64 offset)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	sqlite3_int64 within = offset < PAGEVFS_WAL_HEAD ? -1 :
			       (offset - PAGEVFS_WAL_HEAD) % PAGEVFS_FRAME;

	if (within == PAGEVFS_FRAME_HEAD && size == PAGEVFS_PAGE_SIZE && f->is_held &&
	    f->held_at == offset - within)
		return write_held_frame(f, data);

	int rc = flush_held(f);
	if (rc != SQLITE_OK)
		return rc;
	if (offset == 0 && size == PAGEVFS_WAL_HEAD)
		return write_wal_head(f, data);
	if (within == 0 && size == PAGEVFS_FRAME_HEAD)
		return write_frame_head(f, data, offset);
	if (within == PAGEVFS_FRAME_HEAD && size == PAGEVFS_PAGE_SIZE)
		return rewrite_page(f, data, offset - within);
	return unlisted("wrote", size, offset);
}

/* ---- the rest ---------------------------------------------------------------- */

static int wal_close(struct sqlite3_file *sf)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	int flushed = flush_held(f);
	int rc = f->real->pMethods->xClose(f->real);

	f->base.pMethods = NULL;
	return flushed != SQLITE_OK ? flushed : rc;
}

static int wal_truncate(struct sqlite3_file *sf, sqlite3_int64 size)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	int rc = flush_held(f);

	f->last_frame_read = -1;
	return rc != SQLITE_OK ? rc : f->real->pMethods->xTruncate(f->real, size);
}

static int wal_sync(struct sqlite3_file *sf, int flags)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	int rc = flush_held(f);

	return rc != SQLITE_OK ? rc : f->real->pMethods->xSync(f->real, flags);
}

static int wal_size(struct sqlite3_file *sf, sqlite3_int64 *size)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	int rc = flush_held(f);

	return rc != SQLITE_OK ? rc : f->real->pMethods->xFileSize(f->real, size);
}

/* The database's lock stands for the WAL's. */
static int wal_lock(struct sqlite3_file *sf, int level)
{
	(void)sf;
	(void)level;
	return SQLITE_OK;
}

static int wal_check_lock(struct sqlite3_file *sf, int *is_locked)
{
	(void)sf;
	*is_locked = 0;
	return SQLITE_OK;
}

static int wal_control(struct sqlite3_file *sf, int op, void *arg)
{
	(void)sf;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int wal_sector_size(struct sqlite3_file *sf)
{
	struct pagevfs_file *f = pagevfs_file_of(sf);
	return f->real->pMethods->xSectorSize(f->real);
}

static int wal_characteristics(struct sqlite3_file *sf)
{
	(void)sf;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

const struct sqlite3_io_methods pagevfs_wal_methods = {
	.iVersion = 1,
	.xClose = wal_close,
	.xRead = wal_read,
	.xWrite = wal_write,
	.xTruncate = wal_truncate,
	.xSync = wal_sync,
	.xFileSize = wal_size,
	.xLock = wal_lock,
	.xUnlock = wal_lock,
	.xCheckReservedLock = wal_check_lock,
	.xFileControl = wal_control,
	.xSectorSize = wal_sector_size,
	.xDeviceCharacteristics = wal_characteristics,
};
