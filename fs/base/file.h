/*
 * File I/O: whole, checked, synced.  All of muniment's own disk access but
 * SQLite's goes through here.
 *
 *   F1  Every open adds O_CLOEXEC and O_NOFOLLOW: a link put where we read or
 *       write is never followed.  What is opened is a regular file (or the folder
 *       that was asked for), and a fifo in its place makes nobody wait: all else
 *       is MUNI_DAMAGED.  So is, opened for writing, a file that has a second name:
 *       somebody linked it here from elsewhere, or it is shared with a copy made of links.
 *   F2  Reads and writes are whole or fail; EINTR is retried; a short read is
 *       MUNI_DAMAGED ("ends at byte N").
 *   F3  file_replace_synced() leaves the old or the new content, never a mix,
 *       and only returns 0 once the new one is on stable storage.
 *
 * `name` in these functions is one path component or a relative path below
 * dirfd made by us; for messages it is printed through text_printable().
 */
#ifndef FS_BASE_FILE_H
#define FS_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct err;

/*
 * For the first line of a program.  A standard stream that is closed would be taken by the
 * next file that is opened, and messages would be written into it.  0 is opened so that
 * reading fails, 1 and 2 so that writing does: what cannot be said is no success.
 */
void file_fill_standard_streams(void);

/* Returns a descriptor (owned by the caller) or -1.  ENOENT is MUNI_NOT_FOUND,
 * EEXIST is MUNI_EXISTS. mode is applied exactly, whatever the umask. */
int file_open(int dirfd, const char *name, int flags, mode_t mode, struct err *e);
/* As file_open() for a path that the user gave: links in it are followed. */
int file_open_user(const char *path, int flags, mode_t mode, struct err *e);
int file_open_dir(int dirfd, const char *name, struct err *e);
/* mkdir; an existing directory is fine.  mode exactly. */
int file_make_dir(int dirfd, const char *name, mode_t mode, struct err *e);

/*
 * What stood there before we came may be somebody else's trap where others can write
 * into its folder.  MUNI_EXISTS where `parent` is such a folder and fd, opened in it under
 * `name`, is not ours alone (another's, of other names, writable by others).
 */
int file_require_ours(int parent, int fd, const char *name, struct err *e);

int file_size(int fd, uint64_t *out, struct err *e);
/* Asks the disk for these bytes, which will be read soon; waits for nothing, never fails. */
void file_expect(int fd, uint64_t offset, uint64_t size);
/* The same for a small file that the user gave.  What is no file is left alone: to open a pipe
 * would take its writer's bytes from who is meant to read them. */
void file_expect_user(const char *path);
int file_read_at(int fd, uint64_t offset, void *out, size_t size, struct err *e);
/* From where fd stands to its end, of a pipe too, but at most `room` bytes: *size says how
 * many.  For what a user named: whoever gives more room than is allowed sees that there is more. */
int file_read_rest(int fd, void *out, size_t room, size_t *size, struct err *e);
int file_write_at(int fd, uint64_t offset, const void *data, size_t size,
		  struct err *e);
int file_write_vec(int fd, struct iovec *parts, size_t count, struct err *e);
int file_sync(int fd, struct err *e);
int file_sync_dir(int dirfd, struct err *e);
int file_write_synced(int fd, uint64_t offset, const void *data, size_t size,
		      struct err *e);

/* Write name.tmp, sync, rename over name, sync the folder. */
int file_replace_synced(int dirfd, const char *name, const void *data, size_t size,
			mode_t mode, struct err *e);
/* The whole file, at most max bytes (else MUNI_LIMIT); *out is malloc'ed, one
 * NUL follows the data. */
int file_load(int dirfd, const char *name, size_t max, uint8_t **out, size_t *size,
	      struct err *e);
/* Absent is fine. */
int file_remove(int dirfd, const char *name, struct err *e);

/* An open-file-description lock on the whole file.  wait_ms 0: MUNI_BUSY at
 * once; -1: for ever. */
int file_lock(int fd, bool is_exclusive, int wait_ms, struct err *e);
void file_unlock(int fd);
/* The same of bytes, which need not be there; size 0: up to any end. */
int file_lock_range(int fd, uint64_t from, uint64_t size, bool is_exclusive, int wait_ms,
		    struct err *e);
void file_unlock_range(int fd, uint64_t from, uint64_t size);

void file_close(int *fd);	/* closes if >= 0, sets -1; keeps errno */

#endif
