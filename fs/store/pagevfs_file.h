/*
 * What the parts of the encrypting VFS share: an open file of it.  A file is its
 * connection's alone, so one thread at a time; a WAL uses its database's cipher.
 */
#ifndef FS_STORE_PAGEVFS_FILE_H
#define FS_STORE_PAGEVFS_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "fs/store/pagevfs_cipher.h"

struct err;
struct pagevfs_dirty;

#define PAGEVFS_WAL_HEAD 32
#define PAGEVFS_FRAME_HEAD 24
#define PAGEVFS_FRAME (PAGEVFS_FRAME_HEAD + PAGEVFS_PAGE_SIZE)
/* The page with SQLite's lock bytes: never read, never written, zeros or a hole. */
#define PAGEVFS_PENDING_PAGE (0x40000000 / PAGEVFS_PAGE_SIZE + 1)

/* A page on its way from the WAL to the database, so that it is not sealed
 * a second time. */
struct pagevfs_passing {
	uint32_t page;		/* 0: none */
	uint8_t plain[PAGEVFS_PAGE_SIZE];
	uint8_t sealed[PAGEVFS_PAGE_SIZE];
};

struct pagevfs_file {
	struct sqlite3_file base;	/* first: what SQLite sees */
	struct sqlite3_file *real;	/* of the unix VFS; in the same allocation */

	/* a database */
	const char *name;		/* SQLite's; stays until the file is closed */
	unsigned key_id;
	bool is_new;			/* opened with new=1 */
	struct pagevfs_cipher *cipher;	/* owned */
	struct pagevfs_dirty *dirty;	/* held */
	struct pagevfs_passing *passing;	/* owned; only while a checkpoint runs */

	/* a WAL */
	struct pagevfs_file *database;	/* borrowed; SQLite closes the WAL first */
	bool is_held;			/* a frame's header waits for its page */
	int64_t held_at;
	uint8_t held[PAGEVFS_FRAME_HEAD];	/* plain */
	int64_t last_frame_read;	/* whole; -1: none since the last write */
	bool is_rechecksumming;		/* a spilled transaction gets its checksums */
};

extern const struct sqlite3_io_methods pagevfs_main_methods;
extern const struct sqlite3_io_methods pagevfs_wal_methods;
extern const struct sqlite3_io_methods pagevfs_null_methods;	/* a journal that goes nowhere */

struct pagevfs_file *pagevfs_file_of(struct sqlite3_file *f);
/*
 * What SQLite cannot make it tries to open for reading, and tells why that failed.  This
 * tries again to make it: SQLITE_OK where it went well now, else the true reason.
 */
int pagevfs_why_not_made(const char *name);
/* Seals and counts. */
int pagevfs_file_seal(struct pagevfs_file *database, uint32_t page, const uint8_t *plain,
		      uint8_t *sealed);
/* Reads page `page` (1-based) of the main file into sealed and plain; both may
 * be NULL.  A page that fails is read again while it changes, and is damaged
 * (SQLITE_IOERR_DATA) once it came the same `patience` times more. */
int pagevfs_file_read_page(struct pagevfs_file *database, uint32_t page, unsigned patience,
			   uint8_t *sealed, uint8_t *plain);

/* Keep the reason for pagevfs_reason(); return the code. */
int pagevfs_refuse(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
int pagevfs_refuse_err(const struct err *e);

#endif
