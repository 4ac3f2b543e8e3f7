/*
 * What the source says of an item: numbers, names of accounts, link target,
 * extended attributes (ACLs and capabilities are among them).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/text.h"
#include "fs/store/xattrs.h"
#include "fs/vault/walk.h"

#define XATTR_LIST_ROOM (64u * 1024)	/* the kernel's own limits */
#define XATTR_VALUE_ROOM (64u * 1024)
#define XATTRS_MOST 8192	/* names of two bytes in such a list are not more */
#define PROC_PATH_ROOM (32 + CATALOGUE_NAME_MAX + 1)

struct capture {
	char names[XATTR_LIST_ROOM];
	uint8_t value[XATTR_VALUE_ROOM];
	struct buffer values;		/* of all attributes of the item */
	size_t at[XATTRS_MOST];		/* where each begins in values */
	struct xattr list[XATTRS_MOST];
};

struct capture *capture_new(void)
{
	return calloc(1, sizeof(struct capture));
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	buffer_free(&c->values);
	free(c);
}

uint64_t walk_device(const struct statx *sx)
{
	return makedev(sx->stx_dev_major, sx->stx_dev_minor);
}

uint64_t walk_held(const struct statx *sx)
{
	uint64_t blocks = sx->stx_blocks * 512;

	return blocks < sx->stx_size ? blocks : sx->stx_size;
}

static struct stamp stamp_of(const struct statx_timestamp *t)
{
	return (struct stamp){ t->tv_sec, t->tv_nsec };
}

static enum node_kind kind_of(unsigned mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR: return NODE_DIRECTORY;
	case S_IFLNK: return NODE_SYMLINK;
	case S_IFIFO: return NODE_FIFO;
	case S_IFSOCK: return NODE_SOCKET;
	case S_IFCHR: return NODE_CHAR;
	case S_IFBLK: return NODE_BLOCK;
	default: return NODE_FILE;
	}
}

void walk_numbers(const struct statx *sx, struct meta *out)
{
	out->kind = kind_of(sx->stx_mode);
	out->mode = sx->stx_mode & 07777u;
	out->uid = sx->stx_uid;
	out->gid = sx->stx_gid;
	out->links = sx->stx_nlink;
	out->size = sx->stx_size;
	out->held = walk_held(sx);
	if (out->kind == NODE_CHAR || out->kind == NODE_BLOCK) {
		out->rdev_major = sx->stx_rdev_major;
		out->rdev_minor = sx->stx_rdev_minor;
	}
	out->mtime = stamp_of(&sx->stx_mtime);
	out->ctime = stamp_of(&sx->stx_ctime);
	out->atime = stamp_of(&sx->stx_atime);
	out->has_mtime = out->has_ctime = out->has_source = true;
	out->has_btime = (sx->stx_mask & STATX_BTIME) != 0;
	if (out->has_btime)
		out->btime = stamp_of(&sx->stx_btime);
	out->device = walk_device(sx);
	out->inode = sx->stx_ino;
}

/* On a network's file system a signal may cut it off. */
static int open_retrying(int dirfd, const char *name, int flags)
{
	int fd;

	do
		fd = openat(dirfd, name, flags);
	while (fd < 0 && errno == EINTR);
	return fd;
}

int walk_open(int dirfd, const char *name, int flags)
{
	flags |= O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd = open_retrying(dirfd, name, flags | O_NOATIME);

	/* Only an owner may ask for O_NOATIME. */
	if (fd < 0 && errno == EPERM)
		fd = open_retrying(dirfd, name, flags);
	return fd;
}

/* ---- link targets ------------------------------------------------------------ */

int walk_target(int dirfd, const char *name, struct meta *out)
{
	/* The size that stat gives may be 0 (/proc) or old: ask with room to spare. */
	for (size_t room = 256; room <= 128 * 1024; room *= 4) {
		char *target = malloc(room);
		ssize_t got = target ? readlinkat(dirfd, name, target, room) : -1;

		if (got >= 0 && (size_t)got < room) {
			target[got] = 0;
			out->target = target;
			out->size = (uint64_t)got;
			return 0;
		}
		free(target);
		if (got < 0)
			return -1;
	}
	errno = ENAMETOOLONG;
	return -1;
}

/* ---- extended attributes -------------------------------------------------------- */

struct place {			/* by descriptor, or by a path through /proc */
	int fd;
	char path[PROC_PATH_ROOM];	/* "" for the descriptor itself */
};

static ssize_t list_names(const struct place *p, char *out, size_t size)
{
	return *p->path ? llistxattr(p->path, out, size) : flistxattr(p->fd, out, size);
}

static ssize_t get_value(const struct place *p, const char *name, void *out, size_t size)
{
	return *p->path ? lgetxattr(p->path, name, out, size)
			: fgetxattr(p->fd, name, out, size);
}

static bool is_fleeting(const char *name)
{
	/* What the kernel makes up anew for each mount or each moment. */
	return strcmp(name, "system.sockprotoname") == 0;
}

static void tell(const struct capture_ear *ear, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void tell(const struct capture_ear *ear, const char *format, ...)
{
	char *what = NULL;
	struct err e = ERR_NONE;
	va_list args;

	va_start(args, format);
	if (vasprintf(&what, format, args) < 0)
		what = NULL;
	va_end(args);
	if (what) {
		ear->problem(ear->arg, what);
	} else {
		err_set(&e, MUNI_NO_MEMORY, "out of memory for attributes");
		ear->fail(ear->arg, &e);
	}
	free(what);
}

/* For want of memory or descriptors nothing is left out: the act ends. */
static void tell_refused(const struct capture_ear *ear, const char *what, int why)
{
	struct err e = ERR_NONE;

	if (!err_is_want(why)) {
		tell(ear, "%s: %s", what, strerror(why));
		return;
	}
	err_want(&e, why, "%s", what);
	ear->fail(ear->arg, &e);
}

static size_t read_values(const struct capture_ear *ear, struct capture *c,
			  const struct place *p, size_t names_size, struct meta *out)
{
	size_t count = 0;

	buffer_reset(&c->values);
	for (const char *name = c->names; name < c->names + names_size;
	     name += strlen(name) + 1) {
		char what[300];
		ssize_t got;
		int why;

		if (is_fleeting(name) || count == XATTRS_MOST)
			continue;
		got = get_value(p, name, c->value, sizeof c->value);
		if (got < 0) {
			if (errno == ENODATA)
				continue;	/* it went meanwhile */
			why = errno;
			snprintf(what, sizeof what, "its attribute %.200s cannot be read",
				 text_printable(name));
			tell_refused(ear, what, why);
			out->is_partial = true;
			continue;
		}
		c->at[count] = c->values.size;
		buffer_append(&c->values, c->value, (size_t)got);
		c->list[count].name = name;
		c->list[count].size = (uint32_t)got;
		count++;
	}
	for (size_t i = 0; i < count; i++)
		c->list[i].value = c->values.size ? c->values.data + c->at[i]
						  : (const uint8_t *)"";
	return count;
}

static int read_xattrs(const struct capture_ear *ear, struct capture *c,
		       const struct place *p, struct meta *out)
{
	ssize_t size = list_names(p, c->names, sizeof c->names - 1);
	struct err e = ERR_NONE;
	size_t count;

	if (size < 0) {
		if (errno == ENOTSUP)
			return 0;
		if (errno == ENOENT || errno == ESTALE)
			return -1;
		tell_refused(ear, "its attributes cannot be listed", errno);
		out->is_partial = true;
		return 0;
	}
	if (size == 0)
		return 0;
	c->names[size] = 0;
	count = read_values(ear, c, p, (size_t)size, out);
	if (c->values.failed) {
		err_set(&e, MUNI_NO_MEMORY, "out of memory for attributes");
		ear->fail(ear->arg, &e);
		return 0;
	}
	if (count > 0 && xattrs_pack(c->list, count, &out->xattrs, &out->xattrs_size,
				     &e) < 0) {
		out->is_partial = true;
		if (e.code == MUNI_NO_MEMORY)
			ear->fail(ear->arg, &e);
		else
			tell(ear, "its attributes cannot be kept: %s", e.text);
	}
	return 0;
}

int capture_item(struct capture *c, struct ingest_accounts *accounts,
		 const struct capture_ear *ear, int fd, const char *name,
		 const struct statx *sx, struct meta *out)
{
	struct place place = { .fd = fd };
	struct err e = ERR_NONE;

	walk_numbers(sx, out);
	if (out->kind != NODE_DIRECTORY && out->kind != NODE_FILE)
		out->size = 0;
	if (ingest_accounts_name(accounts, out, &e) < 0)
		ear->fail(ear->arg, &e);
	if (out->kind == NODE_SYMLINK && walk_target(fd, name, out) < 0)
		return -1;
	if (name)
		snprintf(place.path, sizeof place.path, "/proc/self/fd/%d/%s", fd, name);
	return read_xattrs(ear, c, &place, out);
}
