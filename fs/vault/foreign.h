/*
 * Archives that others made (tar, zip, 7z ...), read through libarchive in a
 * child process that can open nothing: a bug in a parser reaches the bytes of
 * that one archive and a pipe to us, no more.
 *
 * Calling sequence:
 *
 *	foreign_open(fd, name, &options, &f, e);
 *	while (foreign_next(f, &entry, &is_end, e) == 0 && !is_end)
 *		if (entry.has_data)
 *			while (foreign_data(f, &run, &is_end, e) == 0 && !is_end)
 *				... run.offset, run.data, run.size ...
 *	foreign_close(f);
 *
 *   F1  The child is closed (seccomp allow-list, no descriptor but the input
 *       and the pipe, limited memory) before it looks at the first byte.
 *   F2  What the child says is hostile until checked: every field is bounded,
 *       runs ascend, nothing lies past the declared size.
 *   F3  An entry is whole only if foreign_data() came to is_end without -1.
 *       What failed half-way is never to be stored as if it were whole.
 *   F4  foreign_next() says is_end only for an archive that was read to its
 *       end, every checksum on the way (the gzip trailer's too) right.  Cut off
 *       or damaged is -1, and foreign_is_over() is then true.
 *   F5  Nothing is interpreted: absolute names, "..", duplicates are handed
 *       through as bytes for the caller to judge.
 *
 * foreign_open() starts muni-unpack, a program of its own, which has nothing of our
 * memory.  A handle belongs to one thread.
 */
#ifndef FS_VAULT_FOREIGN_H
#define FS_VAULT_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/catalogue.h"

struct err;
struct foreign;

/* The formats read, for messages and the manual. */
#define FOREIGN_FORMATS "tar, zip, 7z, iso9660, cpio, ar, cab, lha, xar and warc, " \
	"plain or packed with gzip, bzip2, xz, lzma, zstd, lz4 or compress"

#define FOREIGN_PATH_MAX (128u << 10)	/* bytes of a path, of the target of a hard link */
#define FOREIGN_TARGET_MAX 65535u	/* bytes of a symbolic link that are kept */
#define FOREIGN_DEPTH_MAX 4096u		/* components of a path */
#define FOREIGN_ENTRIES_MAX (1u << 26)	/* of an archive */
/* Without a limit of the caller's: what comes out may not be over both. */
#define FOREIGN_BOMB_FREE (10ull << 30)	/* bytes ... */
#define FOREIGN_BOMB_RATIO 1000u	/* ... and times the bytes that went in */

struct foreign_options {
	bool allow_rar;		/* RAR and RAR 5 too */
	bool allow_raw;		/* a packed file that is no archive: one entry */
	const char *name_encoding;	/* of names not marked as UTF-8; NULL: as they are */
	uint64_t bomb_limit;	/* bytes that may come out; 0: see above */
	uint64_t memory;	/* of the child, over what it starts with; 0: 1 GiB */
	/* Asked a few times a second while waiting; true: MUNI_CANCELLED.  NULL: never. */
	bool (*is_cancelled)(void *arg);
	void *arg;
};

struct foreign_entry {		/* borrowed until the next foreign_next() */
	const char *path;	/* bytes, NUL ended; never empty */
	size_t path_size;
	enum node_kind kind;	/* of no meaning for a hard link */
	uint32_t mode;		/* permission bits, setuid, setgid, sticky */
	int64_t uid, gid;	/* 0..2^32-1; -1: the archive does not say */
	const char *uname, *gname;	/* NULL: the archive does not say */
	bool has_size;		/* else the size is known when the data has ended */
	uint64_t size;		/* files: bytes, holes included */
	bool has_mtime, has_atime, has_ctime, has_btime;
	/* Without has_mtime mtime is the archive's own: nothing is to look older than it
	 * can be shown to be, and be due for it. */
	struct stamp mtime, atime, ctime, btime;
	const char *symlink;	/* target; kind NODE_SYMLINK only */
	size_t symlink_size;
	/* Path of an earlier entry that this is another name of; NULL: none.  With
	 * has_data (cpio, pax) the data is that of the whole group. */
	const char *hardlink;
	size_t hardlink_size;
	uint32_t rdev_major, rdev_minor;
	/* As fs/store/xattrs.h packs it: ACLs in the kernel's bytes.  NULL: none. */
	const uint8_t *xattrs;
	size_t xattrs_size;
	bool has_data;		/* foreign_data() will give it (maybe no run at all) */
	/* Why this entry cannot be taken in (encrypted, no name, over a limit); then
	 * has_data is false.  NULL: it can. */
	const char *problem;
	/* What of it could not be taken over exactly (an ACL entry without a number);
	 * a sentence; NULL: nothing. */
	const char *remark;
};

struct foreign_run {		/* borrowed until the next call */
	uint64_t offset;	/* ascending; gaps are holes.  At is_end: the file's size */
	const void *data;
	size_t size;
};

/*
 * fd: borrowed, at its start; a regular file, a device, a pipe.  name: where
 * the entry of a packed file (allow_raw) takes its own from; messages leave it
 * to the caller.  Returns once the format is known.
 * MUNI_FORMAT: not an archive that is read; MUNI_USAGE: no such encoding;
 * MUNI_DAMAGED: recognised, but its beginning is broken.
 */
int foreign_open(int fd, const char *name, const struct foreign_options *o,
		 struct foreign **out, struct err *e);
void foreign_close(struct foreign *f);	/* ends the child; NULL is allowed */

/* "tar", "zip", "7z", "iso9660", "cpio", "ar", "cab", "lha", "xar", "warc",
 * "rar", "raw"; with its packing: "tar+gzip". */
const char *foreign_kind(const struct foreign *f);

/*
 * Goes to the next entry; data of the one before that nobody fetched is
 * skipped (and checked all the same).  -1: MUNI_DAMAGED (cut off, checksum),
 * MUNI_LIMIT (a bomb, too many entries), MUNI_CANCELLED, MUNI_IO.
 */
int foreign_next(struct foreign *f, struct foreign_entry *entry, bool *is_end,
		 struct err *e);
/* -1: this entry failed; unless foreign_is_over(), foreign_next() goes on. */
int foreign_data(struct foreign *f, struct foreign_run *run, bool *is_end, struct err *e);

/* Nothing more will come: the end, or a failure that concerns all the rest. */
bool foreign_is_over(const struct foreign *f);
/* Bytes of the input read so far, for progress. */
uint64_t foreign_consumed(const struct foreign *f);
/* Sentences about the whole archive ("12 bytes follow the end of the archive");
 * complete when foreign_is_over().  NULL when index is past the last. */
const char *foreign_notice(const struct foreign *f, unsigned index);

#endif
