#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "fs/mount/mount.h"
#include "fs/mount/attr.h"
#include "fs/mount/place.h"

#define ROOT_GUARDED 0550
#define NS_PER_SECOND 1000000000LL

mode_t attr_type(int node_kind)
{
	switch (node_kind) {
	case NODE_FILE:		return S_IFREG;
	case NODE_DIRECTORY:	return S_IFDIR;
	case NODE_SYMLINK:	return S_IFLNK;
	case NODE_FIFO:		return S_IFIFO;
	case NODE_SOCKET:	return S_IFSOCK;
	case NODE_CHAR:		return S_IFCHR;
	case NODE_BLOCK:	return S_IFBLK;
	default:		return 0;
	}
}

/* An entry of a foreign archive says nothing about links: then one, which for a
 * directory means "not counted" to those who would count by it. */
static nlink_t links_of(const struct node *n)
{
	return n->links > 0 ? n->links : 1;
}

/* The door of a mount that names its audience: nobody else comes in, whatever the top of
 * a version would allow, and whatever gid= says. */
static void guard(const struct mount *m, struct stat *st)
{
	if (st->st_ino != PLACE_ROOT || !attr_is_guarded(m))
		return;
	st->st_mode = S_IFDIR | ROOT_GUARDED;
	st->st_uid = m->owner_uid;
	st->st_gid = m->owner_gid;
}

/* Of all folders alike: which of them lost something is not told.  The time of change
 * of content stays the source's. */
static void change_since(const struct mount *m, struct stat *st)
{
	long long ns = atomic_load(&m->shown_since);
	struct timespec since = { (time_t)(ns / NS_PER_SECOND), (long)(ns % NS_PER_SECOND) };

	if (ns != 0 && S_ISDIR(st->st_mode) &&
	    (st->st_ctim.tv_sec < since.tv_sec || (st->st_ctim.tv_sec == since.tv_sec &&
						   st->st_ctim.tv_nsec < since.tv_nsec)))
		st->st_ctim = since;
}

void attr_note_change(struct mount *m)
{
	long long before = atomic_load(&m->shown_since), now;
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	now = (long long)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
	/* One thread follows the archive, and a clock may be set back. */
	atomic_store(&m->shown_since, now > before ? now : before + 1);
}

void attr_of_node(const struct mount *m, const struct node *n, uint64_t ino,
		  struct stat *out)
{
	memset(out, 0, sizeof *out);
	out->st_ino = ino;
	out->st_mode = attr_type((int)n->kind) | (n->mode & 07777);
	if (m->o.has_umask && n->kind != NODE_SYMLINK)
		out->st_mode &= ~(m->o.umask & 07777);
	out->st_nlink = links_of(n);
	out->st_uid = m->o.has_uid ? m->o.uid : n->uid;
	out->st_gid = m->o.has_gid ? m->o.gid : n->gid;
	if (n->kind == NODE_CHAR || n->kind == NODE_BLOCK)
		out->st_rdev = makedev(n->rdev_major, n->rdev_minor);
	if (n->kind == NODE_FILE || n->kind == NODE_SYMLINK || n->kind == NODE_DIRECTORY)
		out->st_size = (off_t)n->size;
	if (n->kind == NODE_FILE)
		out->st_blocks = (blkcnt_t)(n->allocated / 512 + (n->allocated % 512 != 0));
	out->st_atim = (struct timespec){ n->atime.seconds, (long)n->atime.ns };
	out->st_mtim = (struct timespec){ n->mtime.seconds, (long)n->mtime.ns };
	out->st_ctim = (struct timespec){ n->ctime.seconds, (long)n->ctime.ns };
	change_since(m, out);
	guard(m, out);
}

void attr_of_ours(const struct mount *m, uint64_t ino, mode_t type_and_mode,
		  int64_t seconds, long ns, struct stat *out)
{
	memset(out, 0, sizeof *out);
	out->st_ino = ino;
	out->st_mode = type_and_mode;
	out->st_nlink = S_ISDIR(type_and_mode) ? 2 : 1;
	out->st_uid = m->o.has_uid ? m->o.uid : m->owner_uid;
	out->st_gid = m->o.has_gid ? m->o.gid : m->owner_gid;
	out->st_mtim = out->st_ctim = out->st_atim = (struct timespec){ seconds, ns };
	change_since(m, out);
	guard(m, out);
}

bool attr_is_guarded(const struct mount *m)
{
	return m->o.allow_other && m->o.audience;
}

bool attr_has_acls(const struct mount *m, uint64_t ino)
{
	return !m->o.has_uid && !m->o.has_gid && !m->o.has_umask &&
	       !(ino == PLACE_ROOT && attr_is_guarded(m));
}
