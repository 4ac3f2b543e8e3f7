#include "fs/vault/live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"

/* ---- is it what the inventory has? --------------------------------------------------- */

static mode_t type_of(enum node_kind kind)
{
	static const mode_t types[] = {
		[NODE_FILE] = S_IFREG, [NODE_DIRECTORY] = S_IFDIR, [NODE_SYMLINK] = S_IFLNK,
		[NODE_FIFO] = S_IFIFO, [NODE_SOCKET] = S_IFSOCK, [NODE_CHAR] = S_IFCHR,
		[NODE_BLOCK] = S_IFBLK,
	};

	return kind >= NODE_FILE && kind <= NODE_BLOCK ? types[kind] : 0;
}

static bool is_item(const struct stat *st, const struct item_row *item)
{
	if (item->device == 0 || st->st_dev != item->device || st->st_ino != item->inode ||
	    (st->st_mode & S_IFMT) != type_of(item->kind))
		return false;
	if (item->kind == NODE_DIRECTORY)
		return true;	/* its time changes with what goes out of it */
	if (st->st_mtim.tv_sec != item->mtime.seconds ||
	    (uint32_t)st->st_mtim.tv_nsec != item->mtime.ns)
		return false;
	return item->kind != NODE_FILE || (uint64_t)st->st_size == item->size;
}

static bool is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

int live_look(int root, const struct item_row *item, enum live_check *out, struct err *e)
{
	struct err way = ERR_NONE;
	const char *name;
	struct stat st;
	int dir = live_open_parent(root, item->path, item->path_size, &name, &way);

	*out = LIVE_CHANGED;
	if (dir < 0) {
		if (way.code == MUNI_NO_MEMORY) {
			*e = way;
			return -1;
		}
		*out = is_absent(way.sys) ? LIVE_ABSENT : LIVE_CHANGED;
		return 0;
	}
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		*out = is_absent(errno) ? LIVE_ABSENT : LIVE_CHANGED;
	else
		*out = is_item(&st, item) ? LIVE_SAME : LIVE_CHANGED;
	close(dir);
	return 0;
}

static int failed(struct live_outcome *out, const char *why)
{
	out->outcome = OUTCOME_FAILED;
	snprintf(out->why, sizeof out->why, "%s", why);
	return 0;
}

static int failed_errno(struct live_outcome *out, const char *what)
{
	out->outcome = OUTCOME_FAILED;
	snprintf(out->why, sizeof out->why, "%s: %s", what, strerror(errno));
	return 0;
}

/* ---- the name ----------------------------------------------------------------------------- */

/* V1 once more, so near to the act as can be; then V3. */
static int remove_name(int dir, const char *name, const struct item_row *item,
		       struct live_outcome *out)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed_errno(out, "it could not be looked at before it was removed");
	if (!is_item(&st, item))
		return failed(out, "another thing took its place while it was being destroyed");
	if (unlinkat(dir, name, item->kind == NODE_DIRECTORY ? AT_REMOVEDIR : 0) < 0)
		return failed_errno(out, "it could not be removed");
	if (fsync(dir) < 0)
		return failed_errno(out, "its removal could not be brought to the disk");
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || !is_absent(errno))
		return failed(out, "a thing of its name stands there after it was removed");
	out->outcome = OUTCOME_GONE;
	return 0;
}

static void say_gone(struct live_outcome *out, const char *how, const char *file_system)
{
	if (out->outcome != OUTCOME_FAILED)
		snprintf(out->why, sizeof out->why, "%s; removed, synced, looked for and not "
			 "found (%s)", how, file_system);
}

/* ---- a file --------------------------------------------------------------------------------- */

/*
 * A file is overwritten under a name of ours: cut off, the next run finds it there and
 * knows whose work a changed content is, and that nobody put another file in its place.
 */
static int take_aside(int dir, const char *name, const char *aside, int fd,
		      struct live_outcome *out)
{
	struct stat mine, st;

	if (renameat2(dir, name, dir, aside, RENAME_NOREPLACE) < 0)
		return failed_errno(out, "it could not be set aside for overwriting");
	if (fstat(fd, &mine) == 0 && fstatat(dir, aside, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == mine.st_dev && st.st_ino == mine.st_ino && fsync(dir) == 0)
		return 0;
	renameat2(dir, aside, dir, name, RENAME_NOREPLACE);
	return failed(out, "another thing took its place while it was being destroyed");
}

static int overwrite_aside(int dir, const char *aside, int fd, const struct item_row *item,
			   uint8_t *piece, struct live_outcome *out)
{
	struct item_row now = *item;
	struct stat st;

	out->is_half = true;
	if (live_overwrite(fd, item, piece) < 0)
		return failed(out, "it could not be overwritten, or did not read back as "
			      "written: it stands beside its place, under a name that begins "
			      "with \".muniment-\"");
	out->is_overwritten = true;
	if (fstat(fd, &st) < 0)
		return failed_errno(out, "it could not be looked at before it was removed");
	now.mtime.seconds = st.st_mtim.tv_sec;
	now.mtime.ns = (uint32_t)st.st_mtim.tv_nsec;
	remove_name(dir, aside, &now, out);
	out->is_half = out->outcome == OUTCOME_FAILED;
	return 0;
}

static int destroy_last_name(int dir, const char *name, const char *aside, int fd,
			     const struct item_row *item, uint8_t *piece,
			     struct live_outcome *out)
{
	struct live_media media;
	const char *how = "overwritten once with random bytes, synced and read back";

	live_media_of(fd, &media);
	out->bytes = item->size;
	out->outcome = OUTCOME_GONE;
	if (item->size == 0)
		how = "empty";
	else if (!media.is_in_place)
		how = "not overwritten, since that would not reach the old blocks";
	else if (live_is_shared(fd))
		how = "not overwritten: its blocks are shared with another file (a reflink)";
	else if (take_aside(dir, name, aside, fd, out), out->outcome == OUTCOME_GONE) {
		overwrite_aside(dir, aside, fd, item, piece, out);
		say_gone(out, how, media.name);
		return 0;
	}
	if (out->outcome == OUTCOME_GONE)
		remove_name(dir, name, item, out);
	say_gone(out, how, media.name);
	return 0;
}

static int destroy_file(int dir, const char *name, const char *aside,
			const struct item_row *item, const struct live_binding *binding,
			uint64_t names_in_list, uint8_t *piece, struct live_outcome *out)
{
	int fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct live_media media;
	struct stat st;
	char how[160];
	int same;

	if (fd < 0)
		return failed_errno(out, "it could not be opened for overwriting");
	live_media_of(fd, &media);
	if (fstat(fd, &st) < 0 || !is_item(&st, item)) {
		failed(out, "it is not what the inventory has: it was changed or replaced");
	} else if (item->has_sha256 && (same = live_compare(fd, item, binding, piece)) != 1) {
		failed(out, same < 0 ? "it could not be read"
				     : "its content is not what the inventory has");
	} else if (st.st_nlink > names_in_list) {
		snprintf(how, sizeof how, "its bytes stay: the file has %llu more names that are "
			 "not in this list", (unsigned long long)(st.st_nlink - names_in_list));
		remove_name(dir, name, item, out);
		if (out->outcome == OUTCOME_GONE)
			out->outcome = OUTCOME_BYTES_STAY;
		say_gone(out, how, media.name);
	} else if (st.st_nlink > 1) {
		remove_name(dir, name, item, out);
		say_gone(out, "one of several names that all go; its bytes go with the last",
			 media.name);
	} else {
		destroy_last_name(dir, name, aside, fd, item, piece, out);
	}
	close(fd);
	return 0;
}

/* What an earlier run had set aside: 1 it was there and *out says how it went, 0 not. */
static int go_on_aside(int root, const char *aside, const struct item_row *item,
		       uint8_t *piece, struct live_outcome *out)
{
	struct err way = ERR_NONE;
	struct live_media media;
	const char *name;
	struct stat st;
	int dir = live_open_parent(root, item->path, item->path_size, &name, &way);
	int fd, found = 0;

	if (dir < 0)
		return 0;
	fd = openat(dir, aside, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_dev == item->device && st.st_ino == item->inode) {
		found = 1;
		live_media_of(fd, &media);
		out->bytes = item->size;
		overwrite_aside(dir, aside, fd, item, piece, out);
		say_gone(out, "overwritten once with random bytes, synced and read back, after an "
			 "interruption", media.name);
	}
	file_close(&fd);
	close(dir);
	return found;
}

/* ---- anything ----------------------------------------------------------------------------------- */

static int destroy_other(int dir, const char *name, const struct item_row *item,
			 struct live_outcome *out)
{
	struct live_media media;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !is_item(&st, item))
		return failed(out, "it is not what the inventory has: it was changed or replaced");
	if (item->kind == NODE_SYMLINK) {
		char target[4096];
		ssize_t n = readlinkat(dir, name, target, sizeof target);

		/* A link cannot be changed, only replaced: where its target is not known
		 * its inode and time have told. */
		if (n < 0 || (item->target && ((uint64_t)n != item->size ||
					       memcmp(target, item->target, (size_t)n) != 0)))
			return failed(out, "it points elsewhere than the inventory has it");
	}
	live_media_of(dir, &media);
	remove_name(dir, name, item, out);
	say_gone(out, "no content of its own", media.name);
	return 0;
}

static int absent(const struct item_row *item, bool was_begun, struct live_outcome *out)
{
	if (!was_begun)
		return failed(out, "it is not there any more: moved or removed by others, and "
			      "nothing is claimed of it");
	out->outcome = OUTCOME_GONE;
	out->bytes = item->kind == NODE_FILE ? item->size : 0;
	snprintf(out->why, sizeof out->why, "not there when the destruction went on after an "
		 "interruption: removed by the run that was cut off, or by others; no "
		 "overwriting is claimed");
	return 0;
}

static int destroy_found(int root, const char *aside, const struct item_row *item,
			 const struct live_binding *binding, uint64_t names_in_list, uint8_t *piece, struct live_outcome *out,
			 struct err *e)
{
	const char *name;
	int dir = live_open_parent(root, item->path, item->path_size, &name, e), rc;

	if (dir < 0)
		return -1;
	rc = item->kind == NODE_FILE ?
		destroy_file(dir, name, aside, item, binding, names_in_list, piece, out) :
		destroy_other(dir, name, item, out);
	close(dir);
	return rc;
}

int live_destroy(int root, const struct item_row *item, const struct live_binding *binding,
		 const struct digest *leaf, uint64_t names_in_list, bool was_begun,
		 struct live_outcome *out, struct err *e)
{
	char hex[DIGEST_HEX_SIZE], aside[64];
	uint8_t *piece = malloc(LIVE_PIECE);
	enum live_check check;
	int rc = -1;

	*out = (struct live_outcome){ .outcome = OUTCOME_FAILED };
	digest_hex(leaf, hex);
	snprintf(aside, sizeof aside, ".muniment-%.32s", hex);
	if (!piece)
		return err_set(e, MUNI_NO_MEMORY, "no memory to overwrite a file");
	if (live_look(root, item, &check, e) < 0)
		goto out;
	if (check == LIVE_SAME)
		rc = destroy_found(root, aside, item, binding, names_in_list, piece, out, e);
	else if (check == LIVE_CHANGED)
		rc = failed(out, "it is not what the inventory has: it was changed or replaced");
	else if (was_begun && go_on_aside(root, aside, item, piece, out))
		rc = 0;
	else
		rc = absent(item, was_begun, out);
out:
	free(piece);
	return rc;
}
