/* The entry frame: both directions side by side, so that they stay alike. */
#include "fs/vault/foreign_wire.h"

#include <stdlib.h>
#include <string.h>

enum {				/* bits of the presence word */
	HAS_SIZE = 1 << 0,
	HAS_MTIME = 1 << 1,
	HAS_ATIME = 1 << 2,
	HAS_CTIME = 1 << 3,
	HAS_BTIME = 1 << 4,
	HAS_DATA = 1 << 5,
	HAS_UNAME = 1 << 6,
	HAS_GNAME = 1 << 7,
	HAS_SYMLINK = 1 << 8,
	HAS_HARDLINK = 1 << 9,
	HAS_PROBLEM = 1 << 10,
	HAS_REMARK = 1 << 11,
	HAS_ALL = (1 << 12) - 1,
};

/* Texts end with a NUL on the wire, so that they can be used in place. */
static void put_text(struct buffer *b, const char *text, size_t size)
{
	buffer_u32(b, (uint32_t)size);
	buffer_append(b, text, size);
	buffer_u8(b, 0);
}

static void put_stamp(struct buffer *b, const struct stamp *s)
{
	buffer_u64(b, (uint64_t)s->seconds);
	buffer_u32(b, s->ns);
}

static unsigned presence(const struct foreign_entry *f)
{
	return (f->has_size ? HAS_SIZE : 0u) | (f->has_mtime ? HAS_MTIME : 0u) |
	       (f->has_atime ? HAS_ATIME : 0u) | (f->has_ctime ? HAS_CTIME : 0u) |
	       (f->has_btime ? HAS_BTIME : 0u) | (f->has_data ? HAS_DATA : 0u) |
	       (f->uname ? HAS_UNAME : 0u) | (f->gname ? HAS_GNAME : 0u) |
	       (f->symlink ? HAS_SYMLINK : 0u) | (f->hardlink ? HAS_HARDLINK : 0u) |
	       (f->problem ? HAS_PROBLEM : 0u) | (f->remark ? HAS_REMARK : 0u);
}

void wire_put_entry(struct buffer *b, const struct wire_entry *w)
{
	const struct foreign_entry *f = &w->f;

	buffer_u32(b, presence(f));
	buffer_u8(b, (uint8_t)f->kind);
	buffer_u32(b, f->mode);
	buffer_u64(b, (uint64_t)f->uid);
	buffer_u64(b, (uint64_t)f->gid);
	buffer_u64(b, f->size);
	put_stamp(b, &f->mtime);
	put_stamp(b, &f->atime);
	put_stamp(b, &f->ctime);
	put_stamp(b, &f->btime);
	buffer_u32(b, f->rdev_major);
	buffer_u32(b, f->rdev_minor);
	put_text(b, f->path, f->path_size);
	if (f->uname)
		put_text(b, f->uname, strlen(f->uname));
	if (f->gname)
		put_text(b, f->gname, strlen(f->gname));
	if (f->symlink)
		put_text(b, f->symlink, f->symlink_size);
	if (f->hardlink)
		put_text(b, f->hardlink, f->hardlink_size);
	if (f->problem)
		put_text(b, f->problem, strlen(f->problem));
	if (f->remark)
		put_text(b, f->remark, strlen(f->remark));
	buffer_u32(b, (uint32_t)w->xattr_count);
	for (size_t i = 0; i < w->xattr_count; i++) {
		put_text(b, w->xattrs[i].name, strlen(w->xattrs[i].name));
		buffer_u32(b, w->xattrs[i].size);
		buffer_append(b, w->xattrs[i].value, w->xattrs[i].size);
	}
	buffer_u32(b, (uint32_t)w->acl_count);
	for (size_t i = 0; i < w->acl_count; i++) {
		const struct wire_acl *a = &w->acls[i];
		const char *name = a->name ? a->name : "";

		buffer_u8(b, a->is_default);
		buffer_u8(b, a->tag);
		buffer_u8(b, a->perm);
		buffer_u64(b, (uint64_t)a->id);
		put_text(b, name, strlen(name));
	}
}

/* A text of at most max bytes without a NUL inside; else underflow is set. */
static const char *get_text(struct reader *r, size_t max, size_t *size)
{
	uint32_t n = reader_u32(r);
	const uint8_t *text = NULL;

	if (n > max)
		r->underflow = true;
	if (!r->underflow)
		text = reader_view(r, (size_t)n + 1);
	if (text && (text[n] != 0 || memchr(text, 0, n)))
		r->underflow = true;
	if (r->underflow)
		return NULL;
	if (size)
		*size = n;
	return (const char *)text;
}

static void get_stamp(struct reader *r, struct stamp *out)
{
	out->seconds = (int64_t)reader_u64(r);
	out->ns = reader_u32(r);
	if (out->ns >= 1000000000)
		r->underflow = true;
}

static void get_numbers(struct reader *r, unsigned has, struct foreign_entry *f)
{
	uint8_t kind = reader_u8(r);

	f->kind = (enum node_kind)kind;
	f->mode = reader_u32(r);
	f->uid = (int64_t)reader_u64(r);
	f->gid = (int64_t)reader_u64(r);
	f->size = reader_u64(r);
	get_stamp(r, &f->mtime);
	get_stamp(r, &f->atime);
	get_stamp(r, &f->ctime);
	get_stamp(r, &f->btime);
	f->rdev_major = reader_u32(r);
	f->rdev_minor = reader_u32(r);
	f->has_size = has & HAS_SIZE;
	f->has_mtime = has & HAS_MTIME;
	f->has_atime = has & HAS_ATIME;
	f->has_ctime = has & HAS_CTIME;
	f->has_btime = has & HAS_BTIME;
	f->has_data = has & HAS_DATA;
	if (kind < NODE_FILE || kind > NODE_BLOCK || f->mode > 07777 ||
	    f->uid < -1 || f->uid > UINT32_MAX || f->gid < -1 || f->gid > UINT32_MAX ||
	    f->size > INT64_MAX)
		r->underflow = true;
}

static void get_texts(struct reader *r, unsigned has, struct foreign_entry *f)
{
	f->path = get_text(r, FOREIGN_PATH_MAX, &f->path_size);
	if (has & HAS_UNAME)
		f->uname = get_text(r, WIRE_TEXT_MAX, NULL);
	if (has & HAS_GNAME)
		f->gname = get_text(r, WIRE_TEXT_MAX, NULL);
	if (has & HAS_SYMLINK)
		f->symlink = get_text(r, FOREIGN_PATH_MAX, &f->symlink_size);
	if (has & HAS_HARDLINK)
		f->hardlink = get_text(r, FOREIGN_PATH_MAX, &f->hardlink_size);
	if (has & HAS_PROBLEM)
		f->problem = get_text(r, WIRE_TEXT_MAX, NULL);
	if (has & HAS_REMARK)
		f->remark = get_text(r, WIRE_TEXT_MAX, NULL);
}

static int get_xattrs(struct reader *r, struct wire_entry *out)
{
	uint32_t count = reader_u32(r);

	/* Each takes nine bytes at the least: no array larger than its frame. */
	if (r->underflow || count > reader_left(r) / 9)
		return -1;
	if (count == 0)
		return 0;
	out->xattrs = calloc(count, sizeof *out->xattrs);
	if (!out->xattrs)
		return -1;
	for (; out->xattr_count < count; out->xattr_count++) {
		struct wire_xattr *x = &out->xattrs[out->xattr_count];

		x->name = get_text(r, 255, NULL);
		x->size = reader_u32(r);
		x->value = reader_view(r, x->size);
		if (r->underflow || !*x->name)
			return -1;
	}
	return 0;
}

static int get_acls(struct reader *r, struct wire_entry *out)
{
	uint32_t count = reader_u32(r);

	if (r->underflow || count > WIRE_ACL_MAX)
		return -1;
	if (count == 0)
		return 0;
	out->acls = calloc(count, sizeof *out->acls);
	if (!out->acls)
		return -1;
	for (; out->acl_count < count; out->acl_count++) {
		struct wire_acl *a = &out->acls[out->acl_count];

		a->is_default = reader_u8(r) != 0;
		a->tag = reader_u8(r);
		a->perm = reader_u8(r);
		a->id = (int64_t)reader_u64(r);
		a->name = get_text(r, WIRE_TEXT_MAX, NULL);
		if (r->underflow || a->perm > 7 || a->id < -1 || a->id >= UINT32_MAX ||
		    (a->tag & (a->tag - 1)) || a->tag < WIRE_ACL_USER_OBJ ||
		    a->tag > WIRE_ACL_OTHER)
			return -1;
	}
	return 0;
}

int wire_get_entry(const void *data, size_t size, struct wire_entry *out)
{
	struct reader r = reader_over(data, size);
	unsigned has = reader_u32(&r);
	struct foreign_entry *f = &out->f;

	*out = (struct wire_entry){ .xattrs = NULL };
	get_numbers(&r, has, f);
	if (!r.underflow)
		get_texts(&r, has, f);
	if (r.underflow || (has & ~(unsigned)HAS_ALL) || f->path_size == 0)
		goto bad;
	if ((f->kind == NODE_SYMLINK && !f->hardlink && !f->problem && !f->symlink) ||
	    (f->has_data && (f->problem || f->kind != NODE_FILE)))
		goto bad;
	if (get_xattrs(&r, out) < 0 || get_acls(&r, out) < 0 || r.underflow ||
	    reader_left(&r) != 0)
		goto bad;
	return 0;
bad:
	wire_entry_free(out);
	return -1;
}

void wire_entry_free(struct wire_entry *w)
{
	free(w->xattrs);
	free(w->acls);
	*w = (struct wire_entry){ .xattrs = NULL };
}
