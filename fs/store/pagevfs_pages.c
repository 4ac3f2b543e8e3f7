/*
 * The pages of an open catalogue as they lie on disk: digest, copies, check.
 * Everything goes through SQLite's own descriptor: to close another one of the
 * same file would drop the process's locks.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/store/pagevfs.h"
#include "fs/store/pagevfs_dirty.h"
#include "fs/store/pagevfs_file.h"

#define PATIENCE 4
#define WARM_STEP (256u * 1024)
#define PATIENT_FAULTS 64	/* after that many bad pages nobody waits for torn ones */

static int file_of(struct sqlite3 *db, struct pagevfs_file **out, struct err *e)
{
	struct sqlite3_file *file = NULL;

	*out = NULL;
	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
	    !file || file->pMethods != &pagevfs_main_methods)
		return err_set(e, MUNI_USAGE, "this database is not an encrypted catalogue");
	*out = pagevfs_file_of(file);
	return 0;
}

static int size_of(struct pagevfs_file *f, uint64_t *out, struct err *e)
{
	sqlite3_int64 size = 0;

	*out = 0;
	if (f->real->pMethods->xFileSize(f->real, &size) != SQLITE_OK)
		return err_set(e, MUNI_IO, "reading the size of the catalogue failed");
	*out = (uint64_t)size;
	return 0;
}

/* By the database's own count, which is sealed; what follows in the file is not its own,
 * but for what a shrinking leaves until the next checkpoint.  UINT32_MAX: it cannot say. */
static uint64_t own_pages(struct sqlite3 *db)
{
	sqlite3_stmt *stmt = NULL;
	uint64_t pages = UINT32_MAX;

	if (sqlite3_prepare_v2(db, "PRAGMA page_count", -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		pages = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return pages;
}

static int read_raw(struct pagevfs_file *f, void *out, int size, uint64_t offset,
		    struct err *e)
{
	int rc = f->real->pMethods->xRead(f->real, out, size, (sqlite3_int64)offset);

	if (rc == SQLITE_IOERR_SHORT_READ)
		return err_set(e, MUNI_DAMAGED, "the catalogue ends before byte %llu",
			       (unsigned long long)(offset + (unsigned)size));
	if (rc != SQLITE_OK)
		return err_set(e, MUNI_IO, "reading the catalogue at byte %llu failed",
			       (unsigned long long)offset);
	return 0;
}

int pagevfs_format(struct sqlite3 *db, struct err *e)
{
	struct pagevfs_file *f;
	int reserve = PAGEVFS_RESERVE;
	char *text = NULL;

	if (file_of(db, &f, e) < 0)
		return -1;
	if (!f->is_new)
		return err_set(e, MUNI_USAGE, "only a new catalogue can be set up");
	int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA page_size=8192; PRAGMA auto_vacuum=NONE;"
				  "PRAGMA journal_mode=MEMORY", NULL, NULL, &text);
	if (rc != SQLITE_OK)
		err_set(e, MUNI_IO, "setting up the catalogue: %s",
			text ? text : sqlite3_errstr(rc));
	sqlite3_free(text);
	_Static_assert(PAGEVFS_PAGE_SIZE == 8192, "the pragma above says it too");
	return rc == SQLITE_OK ? 0 : -1;
}

static int digest_tags(struct pagevfs_file *f, uint64_t pages, struct hasher *h,
		       struct err *e)
{
	uint8_t head[PAGEVFS_HEAD_SIZE], tag[16];

	if (pages > 0) {
		if (read_raw(f, head, sizeof head, 0, e) < 0)
			return -1;
		hasher_update(h, head, sizeof head);
	}
	for (uint64_t page = 1; page <= pages; page++) {
		if (page == PAGEVFS_PENDING_PAGE)
			continue;
		if (read_raw(f, tag, sizeof tag,
			     (page - 1) * PAGEVFS_PAGE_SIZE + PAGEVFS_TAG_AT, e) < 0)
			return -1;
		hasher_update(h, tag, sizeof tag);
	}
	return 0;
}

/* A file that somebody made to seem as long as he liked is not read to its end. */
static int check_tail(struct pagevfs_file *f, uint64_t own, uint64_t pages, struct err *e)
{
	if (pages <= own || own + 1 == PAGEVFS_PENDING_PAGE)
		return 0;
	if (pages < UINT32_MAX &&
	    pagevfs_file_read_page(f, (uint32_t)(own + 1), PATIENCE, NULL, NULL) == SQLITE_OK)
		return 0;
	return err_set(e, MUNI_DAMAGED, "the catalogue goes on after its last page %llu",
		       (unsigned long long)own);
}

int pagevfs_digest(struct sqlite3 *db, struct digest *out, uint64_t *pages, struct err *e)
{
	struct pagevfs_file *f;
	uint64_t size;

	*out = (struct digest){ 0 };
	*pages = 0;
	if (file_of(db, &f, e) < 0 || size_of(f, &size, e) < 0)
		return -1;
	if (size % PAGEVFS_PAGE_SIZE != 0)
		return err_set(e, MUNI_DAMAGED, "the catalogue ends inside page %llu",
			       (unsigned long long)(size / PAGEVFS_PAGE_SIZE + 1));
	if (check_tail(f, own_pages(db), size / PAGEVFS_PAGE_SIZE, e) < 0)
		return -1;

	struct hasher *h = hasher_new();
	if (!h)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a digest");
	int rc = digest_tags(f, size / PAGEVFS_PAGE_SIZE, h, e);
	if (rc == 0) {
		*out = hasher_finish(h);
		*pages = size / PAGEVFS_PAGE_SIZE;
	}
	hasher_free(h);
	return rc;
}

int pagevfs_key_of(struct sqlite3 *db, unsigned *key_id, struct err *e)
{
	struct pagevfs_file *f;

	*key_id = 0;
	if (file_of(db, &f, e) < 0)
		return -1;
	*key_id = f->key_id;
	return 0;
}

/* No content: what little SQLite or a file system left there is not ours to keep. */
static int read_pending(struct pagevfs_file *f, uint8_t *out, uint8_t *plain, struct err *e)
{
	if (plain)
		memset(plain, 0, PAGEVFS_PAGE_SIZE);
	return read_raw(f, out, PAGEVFS_PAGE_SIZE,
			(uint64_t)(PAGEVFS_PENDING_PAGE - 1) * PAGEVFS_PAGE_SIZE, e);
}

void pagevfs_warm(struct sqlite3 *db, uint64_t most)
{
	struct pagevfs_file *f;
	struct err ignored = ERR_NONE;
	uint64_t size;
	uint8_t *scratch = malloc(WARM_STEP);

	if (scratch && file_of(db, &f, &ignored) == 0 && size_of(f, &size, &ignored) == 0)
		for (uint64_t at = 0; at < size && at < most; at += WARM_STEP) {
			uint64_t step = size - at < WARM_STEP ? size - at : WARM_STEP;
			if (read_raw(f, scratch, (int)step, at, &ignored) < 0)
				break;
		}
	free(scratch);
}

int pagevfs_read_sealed(struct sqlite3 *db, uint64_t page, uint8_t out[PAGEVFS_PAGE_SIZE],
			uint8_t *plain, struct err *e)
{
	struct pagevfs_file *f;

	if (file_of(db, &f, e) < 0)
		return -1;
	if (page == 0 || page >= UINT32_MAX)
		return err_set(e, MUNI_USAGE, "there is no catalogue page %llu",
			       (unsigned long long)page);
	if (page == PAGEVFS_PENDING_PAGE)
		return read_pending(f, out, plain, e);
	int rc = pagevfs_file_read_page(f, (uint32_t)page, PATIENCE, out, plain);
	if (rc == SQLITE_OK)
		return 0;
	bool is_damage = rc == SQLITE_IOERR_DATA || rc == SQLITE_IOERR_SHORT_READ;
	return err_set(e, is_damage ? MUNI_DAMAGED : MUNI_IO, "page %llu of the catalogue %s",
		       (unsigned long long)page,
		       is_damage ? "is damaged" : "could not be read");
}

int pagevfs_dirty(struct sqlite3 *db, bool clear, uint64_t **pages, uint64_t *count,
		  struct err *e)
{
	struct pagevfs_file *f;

	*pages = NULL;
	*count = 0;
	if (file_of(db, &f, e) < 0)
		return -1;
	if (!pagevfs_dirty_take(f->dirty, clear, pages, count))
		return err_set(e, MUNI_NO_MEMORY, "no memory for the list of written pages");
	return 0;
}

/* 1 bad, 0 good, -1 e is set. */
static int try_page(struct pagevfs_file *f, uint32_t page, unsigned patience, struct err *e)
{
	int rc = SQLITE_OK;

	if (page == PAGEVFS_PENDING_PAGE) {
		uint8_t raw[PAGEVFS_PAGE_SIZE];
		uint8_t any = 0;
		rc = f->real->pMethods->xRead(f->real, raw, sizeof raw,
					      (sqlite3_int64)(page - 1) * PAGEVFS_PAGE_SIZE);
		for (size_t i = 0; rc == SQLITE_OK && i < sizeof raw; i++)
			any |= raw[i];
		if (rc == SQLITE_OK)
			return any != 0;
	} else {
		rc = pagevfs_file_read_page(f, page, patience, NULL, NULL);
	}
	if (rc == SQLITE_OK)
		return 0;
	if (rc == SQLITE_IOERR_NOMEM)
		return err_set(e, MUNI_NO_MEMORY, "no memory to check the catalogue");
	return 1;	/* a page that the disk cannot read is as bad as a changed one */
}

int pagevfs_check(struct sqlite3 *db, int (*bad)(void *arg, uint64_t page), void *arg,
		  struct err *e)
{
	struct pagevfs_file *f;
	uint64_t size, faults = 0;

	if (file_of(db, &f, e) < 0 || size_of(f, &size, e) < 0)
		return -1;
	uint64_t pages = (size + PAGEVFS_PAGE_SIZE - 1) / PAGEVFS_PAGE_SIZE;
	uint64_t own = own_pages(db);
	if (pages >= UINT32_MAX)
		return err_set(e, MUNI_DAMAGED, "the catalogue has more pages than any can have");
	for (uint64_t page = 1; page <= pages; page++) {
		int is_bad = try_page(f, (uint32_t)page,
				      faults < PATIENT_FAULTS ? PATIENCE : 1, e);
		if (is_bad < 0)
			return -1;
		faults += (unsigned)is_bad;
		if (is_bad && (bad(arg, page) != 0 || page > own))
			return 0;
	}
	return 0;
}
