#include "fs/vault/foreign_entry.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static void set_problem(struct entry_scratch *scratch, struct wire_entry *w, const char *what)
{
	if (w->f.problem)
		return;
	snprintf(scratch->problem, sizeof scratch->problem, "%s", what);
	w->f.problem = scratch->problem;
}

static void set_remark(struct entry_scratch *scratch, struct wire_entry *w, const char *what)
{
	if (w->f.remark)
		return;
	snprintf(scratch->remark, sizeof scratch->remark, "%s", what);
	w->f.remark = scratch->remark;
}

static enum node_kind kind_of(struct archive_entry *ae, bool *is_known)
{
	*is_known = true;
	switch (archive_entry_filetype(ae)) {
	case AE_IFREG:
		return NODE_FILE;
	case AE_IFDIR:
		return NODE_DIRECTORY;
	case AE_IFLNK:
		return NODE_SYMLINK;
	case AE_IFIFO:
		return NODE_FIFO;
	case AE_IFSOCK:
		return NODE_SOCKET;
	case AE_IFCHR:
		return NODE_CHAR;
	case AE_IFBLK:
		return NODE_BLOCK;
	case 0:		/* ar, and old tars: a kind was never written down */
		return NODE_FILE;
	default:
		*is_known = archive_entry_hardlink(ae) != NULL;
		return NODE_FILE;
	}
}

/* Formats without owners, or where they are an extra, read as 0:0. */
static bool says_owner(struct archive_entry *ae, int format)
{
	switch (format) {
	case ARCHIVE_FORMAT_7ZIP:
	case ARCHIVE_FORMAT_CAB:
	case ARCHIVE_FORMAT_WARC:
	case ARCHIVE_FORMAT_RAW:
		return false;
	case ARCHIVE_FORMAT_ZIP:
	case ARCHIVE_FORMAT_LHA:
	case ARCHIVE_FORMAT_ISO9660:
	case ARCHIVE_FORMAT_RAR:
	case ARCHIVE_FORMAT_RAR_V5:
		return archive_entry_uid(ae) != 0 || archive_entry_gid(ae) != 0;
	default:
		return true;
	}
}

static void set_owner(struct archive_entry *ae, int format, struct entry_scratch *scratch,
		      struct wire_entry *w)
{
	const char *uname = archive_entry_uname(ae), *gname = archive_entry_gname(ae);
	int64_t uid = archive_entry_uid(ae), gid = archive_entry_gid(ae);

	if (!says_owner(ae, format))
		uid = gid = -1;
	if (uid > UINT32_MAX || gid > UINT32_MAX || uid < -1 || gid < -1) {
		set_remark(scratch, w, "its owner's number is out of range and was left out");
		uid = gid = -1;
	}
	w->f.uid = uid;
	w->f.gid = gid;
	if (uname && *uname && strlen(uname) <= 255)
		w->f.uname = uname;
	if (gname && *gname && strlen(gname) <= 255)
		w->f.gname = gname;
}

static bool take_stamp(bool is_set, int64_t seconds, long ns, struct stamp *out)
{
	if (is_set)
		*out = (struct stamp){ seconds, ns < 0 || ns > 999999999 ? 0 : (uint32_t)ns };
	return is_set;
}

static void set_stamps(struct archive_entry *ae, struct foreign_entry *f)
{
	f->has_mtime = take_stamp(archive_entry_mtime_is_set(ae), archive_entry_mtime(ae),
				  archive_entry_mtime_nsec(ae), &f->mtime);
	f->has_atime = take_stamp(archive_entry_atime_is_set(ae), archive_entry_atime(ae),
				  archive_entry_atime_nsec(ae), &f->atime);
	f->has_ctime = take_stamp(archive_entry_ctime_is_set(ae), archive_entry_ctime(ae),
				  archive_entry_ctime_nsec(ae), &f->ctime);
	f->has_btime = take_stamp(archive_entry_birthtime_is_set(ae),
				  archive_entry_birthtime(ae),
				  archive_entry_birthtime_nsec(ae), &f->btime);
}

/* A name of ours or NULL; too long is a problem, and cut. */
static const char *take_name(const char *name, struct entry_scratch *scratch,
			     struct wire_entry *w, size_t *size)
{
	if (!name)
		return NULL;
	*size = strlen(name);
	if (*size <= FOREIGN_PATH_MAX)
		return name;
	set_problem(scratch, w, "its name or link target is too long");
	memcpy(scratch->cut, name, sizeof scratch->cut - 1);
	scratch->cut[sizeof scratch->cut - 1] = 0;
	*size = sizeof scratch->cut - 1;
	return scratch->cut;
}

static void set_names(struct archive_entry *ae, const char *warning,
		      struct entry_scratch *scratch, struct wire_entry *w)
{
	struct foreign_entry *f = &w->f;
	const char *symlink = archive_entry_symlink(ae);

	f->path = take_name(archive_entry_pathname(ae), scratch, w, &f->path_size);
	if (!f->path || f->path_size == 0) {
		f->path = "(no name)";
		f->path_size = strlen(f->path);
		set_problem(scratch, w, warning ? warning : "it has no name");
	}
	f->hardlink = take_name(archive_entry_hardlink(ae), scratch, w, &f->hardlink_size);
	if (f->kind == NODE_SYMLINK && !f->hardlink) {
		f->symlink = take_name(symlink, scratch, w, &f->symlink_size);
		if (!f->symlink || f->symlink_size == 0)
			set_problem(scratch, w, "it is a symbolic link without a target");
		else if (f->symlink_size > FOREIGN_TARGET_MAX)
			set_problem(scratch, w, "it is a symbolic link with a target of more "
				    "than 65535 bytes");
	}
}

static void set_xattrs(struct archive_entry *ae, struct entry_scratch *scratch,
		       struct wire_entry *w)
{
	int count = archive_entry_xattr_reset(ae);
	size_t total = 0;
	const char *name;
	const void *value;
	size_t size;

	if (count <= 0)
		return;
	if ((size_t)count > scratch->xattr_room) {
		free(scratch->xattrs);
		scratch->xattrs = calloc((size_t)count, sizeof *scratch->xattrs);
		scratch->xattr_room = scratch->xattrs ? (size_t)count : 0;
	}
	w->xattrs = scratch->xattrs;
	while (w->xattr_count < scratch->xattr_room &&
	       archive_entry_xattr_next(ae, &name, &value, &size) == ARCHIVE_OK) {
		size_t name_size = name ? strlen(name) : 0;

		total += name_size + size + 64;
		if (name_size == 0 || name_size > 255 || size > 64u << 10 ||
		    total > WIRE_XATTRS_MAX / 2) {
			set_remark(scratch, w, "an extended attribute over the limits (255 bytes "
				   "of name, 64 KiB of value, 8 MiB in all) was left out");
			continue;
		}
		w->xattrs[w->xattr_count++] =
			(struct wire_xattr){ name, value, (uint32_t)size };
	}
}

static uint8_t tag_of(int tag)
{
	switch (tag) {
	case ARCHIVE_ENTRY_ACL_USER_OBJ:
		return WIRE_ACL_USER_OBJ;
	case ARCHIVE_ENTRY_ACL_USER:
		return WIRE_ACL_USER;
	case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
		return WIRE_ACL_GROUP_OBJ;
	case ARCHIVE_ENTRY_ACL_GROUP:
		return WIRE_ACL_GROUP;
	case ARCHIVE_ENTRY_ACL_MASK:
		return WIRE_ACL_MASK;
	case ARCHIVE_ENTRY_ACL_OTHER:
		return WIRE_ACL_OTHER;
	default:
		return 0;
	}
}

static void add_acl(struct archive_entry *ae, int which, struct entry_scratch *scratch,
		    struct wire_entry *w)
{
	int type, perm, tag, id;
	const char *name;

	if (archive_entry_acl_reset(ae, which) <= 0)
		return;
	while (archive_entry_acl_next(ae, which, &type, &perm, &tag, &id, &name) == ARCHIVE_OK) {
		struct wire_acl *a;

		if (w->acl_count == WIRE_ACL_MAX) {
			set_remark(scratch, w, "its access list is too long and was left out");
			w->acl_count = 0;
			return;
		}
		a = &w->acls[w->acl_count];
		a->is_default = which == ARCHIVE_ENTRY_ACL_TYPE_DEFAULT;
		a->tag = tag_of(tag);
		a->perm = (uint8_t)(perm & 7);
		a->id = id < 0 ? -1 : id;
		a->name = name && strlen(name) <= 255 ? name : "";
		if (a->tag)
			w->acl_count++;
	}
}

static void set_acls(struct archive_entry *ae, struct entry_scratch *scratch,
		     struct wire_entry *w)
{
	int types = archive_entry_acl_types(ae);

	if (types & ARCHIVE_ENTRY_ACL_TYPE_NFS4)
		set_remark(scratch, w, "its NFSv4 access list has no equal here and was left "
			   "out");
	if (!(types & ARCHIVE_ENTRY_ACL_TYPE_POSIX1E))
		return;
	w->acls = scratch->acls;
	if (types & ARCHIVE_ENTRY_ACL_TYPE_ACCESS)
		add_acl(ae, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, scratch, w);
	if (types & ARCHIVE_ENTRY_ACL_TYPE_DEFAULT)
		add_acl(ae, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, scratch, w);
}

static void set_data(struct archive_entry *ae, int format, struct entry_scratch *scratch,
		     struct wire_entry *w)
{
	struct foreign_entry *f = &w->f;
	int64_t size = archive_entry_size(ae);

	/* libarchive does not give it. */
	if (format == ARCHIVE_FORMAT_ZIP && f->kind != NODE_FILE && f->kind != NODE_SYMLINK &&
	    archive_entry_size_is_set(ae) && size > 0)
		set_problem(scratch, w, "it has data, but is said to be a directory, a pipe or a "
			    "device; the data cannot be read");

	f->has_size = f->kind == NODE_FILE && archive_entry_size_is_set(ae);
	if (f->has_size && size < 0)
		set_problem(scratch, w, "its size is out of range");
	else if (f->has_size)
		f->size = (uint64_t)size;
	if (archive_entry_is_data_encrypted(ae) || archive_entry_is_metadata_encrypted(ae))
		set_problem(scratch, w, "it is encrypted; decrypt the archive first");
	f->has_data = !f->problem && f->kind == NODE_FILE &&
		      (!f->hardlink || (f->has_size && f->size > 0));
}

void entry_convert(struct archive_entry *ae, int format, const char *warning,
		   struct entry_scratch *scratch, struct wire_entry *w)
{
	struct foreign_entry *f = &w->f;
	bool is_known;

	*w = (struct wire_entry){ .xattrs = NULL };
	f->kind = kind_of(ae, &is_known);
	f->mode = archive_entry_perm(ae) & 07777;
	set_names(ae, warning, scratch, w);
	if (!is_known)
		set_problem(scratch, w, "it is of a kind that is not known here");
	if (f->hardlink)
		f->kind = NODE_FILE;
	if (warning)
		set_remark(scratch, w, warning);
	set_owner(ae, format, scratch, w);
	set_stamps(ae, f);
	if (f->kind == NODE_CHAR || f->kind == NODE_BLOCK) {
		f->rdev_major = (uint32_t)archive_entry_rdevmajor(ae);
		f->rdev_minor = (uint32_t)archive_entry_rdevminor(ae);
	}
	set_xattrs(ae, scratch, w);
	set_acls(ae, scratch, w);
	set_data(ae, format, scratch, w);
}
