/*
 * Metadata and extents of an archive's entry, packed: varints, for most of it
 * is small or near to what came before.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/vault/ingest_tree.h"

/* Small in either direction is small as a varint. */
static uint64_t zigzag(int64_t n)
{
	return ((uint64_t)n << 1) ^ (uint64_t)(n >> 63);
}

static int64_t unzigzag(uint64_t n)
{
	return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

/* A copy of just the size, behind it the size itself. */
static int keep(struct buffer *b, uint8_t **out, struct err *e)
{
	uint8_t *copy = b->failed ? NULL : malloc(sizeof(uint32_t) + b->size);
	uint32_t size = (uint32_t)b->size;

	if (copy) {
		memcpy(copy, &size, sizeof size);
		memcpy(copy + sizeof size, b->data, b->size);
		free(*out);
		*out = copy;
	}
	buffer_free(b);
	return copy ? 0 : err_set(e, MUNI_NO_MEMORY, "out of memory for the archive's tree");
}

static struct reader open_kept(const uint8_t *kept)
{
	uint32_t size;

	memcpy(&size, kept, sizeof size);
	return reader_over(kept + sizeof size, size);
}

/* ---- metadata ------------------------------------------------------------------ */

static void put_stamp(struct buffer *b, const struct stamp *t)
{
	buffer_varint(b, zigzag(t->seconds));
	buffer_u32(b, t->ns);
}

static struct stamp get_stamp(struct reader *r)
{
	struct stamp t;

	t.seconds = unzigzag(reader_varint(r));
	t.ns = reader_u32(r);
	return t;
}

enum {
	HAS_MTIME = 1, HAS_CTIME = 2, HAS_ATIME = 4, HAS_BTIME = 8, HAS_XATTRS = 16,
	HAS_TARGET = 32, HAS_RDEV = 64, LENT_MTIME = 128,
};

int inode_set_meta(struct inode *i, const struct meta *m, struct err *e)
{
	bool has_atime = m->atime.seconds != 0 || m->atime.ns != 0;
	bool is_lent = !m->has_mtime && (m->mtime.seconds != 0 || m->mtime.ns != 0);
	struct buffer b = { 0 };

	buffer_u8(&b, (uint8_t)m->kind);
	buffer_u8(&b, (uint8_t)(HAS_MTIME * m->has_mtime | HAS_CTIME * m->has_ctime |
				HAS_ATIME * has_atime | HAS_BTIME * m->has_btime |
				HAS_XATTRS * (m->xattrs != NULL) |
				HAS_TARGET * (m->target != NULL) |
				HAS_RDEV * (m->rdev_major || m->rdev_minor) |
				LENT_MTIME * is_lent));
	buffer_varint(&b, m->mode);
	buffer_varint(&b, m->uid);
	buffer_varint(&b, m->gid);
	buffer_varint(&b, m->size);
	buffer_append(&b, &m->owner, sizeof m->owner);
	buffer_append(&b, &m->group, sizeof m->group);
	if (m->has_mtime || is_lent)
		put_stamp(&b, &m->mtime);
	if (m->has_ctime)
		put_stamp(&b, &m->ctime);
	if (has_atime)
		put_stamp(&b, &m->atime);
	if (m->has_btime)
		put_stamp(&b, &m->btime);
	if (m->rdev_major || m->rdev_minor) {
		buffer_u32(&b, m->rdev_major);
		buffer_u32(&b, m->rdev_minor);
	}
	if (m->xattrs) {
		buffer_varint(&b, m->xattrs_size);
		buffer_append(&b, m->xattrs, m->xattrs_size);
	}
	if (m->target)
		buffer_append(&b, m->target, m->size);
	return keep(&b, &i->meta, e);
}

/* A copy with a NUL behind it. */
static void *copy_out(struct reader *r, size_t size, bool *is_failed)
{
	const uint8_t *view = reader_view(r, size);
	uint8_t *copy = view ? malloc(size + 1) : NULL;

	if (copy) {
		memcpy(copy, view, size);
		copy[size] = 0;
	} else {
		*is_failed = true;
	}
	return copy;
}

void inode_meta(const struct inode *i, struct meta *out, bool *is_failed)
{
	struct reader r = open_kept(i->meta);
	unsigned flags;

	*out = (struct meta){ .kind = (enum node_kind)reader_u8(&r) };
	*is_failed = false;
	flags = reader_u8(&r);
	out->mode = (uint32_t)reader_varint(&r);
	out->uid = (uint32_t)reader_varint(&r);
	out->gid = (uint32_t)reader_varint(&r);
	out->size = reader_varint(&r);
	reader_bytes(&r, &out->owner, sizeof out->owner);
	reader_bytes(&r, &out->group, sizeof out->group);
	out->has_mtime = flags & HAS_MTIME;
	out->has_ctime = flags & HAS_CTIME;
	out->has_btime = flags & HAS_BTIME;
	if (flags & (HAS_MTIME | LENT_MTIME))
		out->mtime = get_stamp(&r);
	/* What the archive does not say is taken to be as old as the content. */
	out->ctime = flags & HAS_CTIME ? get_stamp(&r) : out->mtime;
	out->atime = flags & HAS_ATIME ? get_stamp(&r) : out->mtime;
	if (flags & HAS_BTIME)
		out->btime = get_stamp(&r);
	if (flags & HAS_RDEV) {
		out->rdev_major = reader_u32(&r);
		out->rdev_minor = reader_u32(&r);
	}
	if (flags & HAS_XATTRS) {
		out->xattrs_size = (size_t)reader_varint(&r);
		out->xattrs = copy_out(&r, out->xattrs_size, is_failed);
	}
	if (flags & HAS_TARGET)
		out->target = copy_out(&r, (size_t)out->size, is_failed);
}

/* ---- content -------------------------------------------------------------------- */

int inode_set_content(struct inode *i, const struct body *body, struct err *e)
{
	struct buffer b = { 0 };
	uint64_t end = 0;

	buffer_append(&b, body->digest.bytes, DIGEST_SIZE);
	buffer_varint(&b, body->extent_count);
	for (size_t k = 0; k < body->extent_count; k++) {
		const struct extent *x = &body->extents[k];

		buffer_varint(&b, x->offset - end);
		buffer_varint(&b, x->size);
		buffer_varint(&b, (uint64_t)x->block);
		buffer_varint(&b, x->at);
		end = x->offset + x->size;
	}
	return keep(&b, &i->content, e);
}

static bool load_content(const struct inode *i, struct body *b)
{
	struct reader r = open_kept(i->content);
	uint64_t end = 0, count;

	reader_bytes(&r, b->digest.bytes, DIGEST_SIZE);
	count = reader_varint(&r);
	for (uint64_t k = 0; k < count; k++) {
		uint64_t offset = end + reader_varint(&r);
		struct chunk_place p;

		p.size = (uint32_t)reader_varint(&r);
		p.block = (int64_t)reader_varint(&r);
		p.at = (uint32_t)reader_varint(&r);
		if (!body_extend(b, offset, &p))
			return false;
		end = offset + p.size;
	}
	return true;
}

struct body *inode_body(const struct inode *i)
{
	struct body *b = body_new();
	bool is_failed;

	if (!b)
		return NULL;
	b->class_id = i->class_id;
	b->is_failed = i->is_failed;
	inode_meta(i, &b->meta, &is_failed);
	if (i->content)
		is_failed = !load_content(i, b) || is_failed;
	else if (b->meta.kind == NODE_FILE)
		b->digest = digest_of("", 0);
	if (is_failed) {
		body_unref(b);
		return NULL;
	}
	return b;
}
