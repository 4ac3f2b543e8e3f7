/*
 * A node's attributes as few bytes: this row exists once a file, so each byte
 * here is a megabyte a million files.  docs/format.md, "Attributes".
 */
#include "fs/store/catalogue_inside.h"

/* The head, 16 bits.  On disk: never renumber, never reuse. */
enum {
	HEAD_KIND = 0x0007,
	HEAD_MTIME_NS = 0x0008,
	HEAD_CTIME_SHIFT = 4,	/* two bits each: enum stamp_form */
	HEAD_ATIME_SHIFT = 6,
	HEAD_BTIME_SHIFT = 8,	/* two bits: enum btime_form */
	HEAD_ACCOUNTS = 0x0400,
	HEAD_SOURCE = 0x0800,
	HEAD_LINKS = 0x1000,	/* else 1 */
	HEAD_ALLOCATED = 0x2000,	/* else size for files, 0 for the rest */
	HEAD_XATTRS = 0x4000,
	HEAD_UNSTABLE = 0x8000,
};

/* How a time is told, given the one before it. */
enum stamp_form {
	STAMP_SAME = 0,
	STAMP_SECONDS = 1,	/* difference in seconds; no nanoseconds */
	STAMP_FULL = 2,		/* difference in seconds; nanoseconds */
	STAMP_NEAR = 3,		/* difference in nanoseconds */
};

enum btime_form { BTIME_NONE = 0, BTIME_SAME = 1, BTIME_FULL = 2, BTIME_NEAR = 3 };

#define NS_A_SECOND 1000000000
/* From here on STAMP_NEAR takes as many bytes as STAMP_FULL. */
#define NEAR_LIMIT (1 << 27)

static bool is_same(struct stamp a, struct stamp b)
{
	return a.seconds == b.seconds && a.ns == b.ns;
}

static bool near_distance(struct stamp t, struct stamp before, int64_t *out)
{
	int64_t seconds;

	if (__builtin_sub_overflow(t.seconds, before.seconds, &seconds) ||
	    seconds < -1 || seconds > 1)
		return false;
	*out = seconds * NS_A_SECOND + (int64_t)t.ns - (int64_t)before.ns;
	return *out > -NEAR_LIMIT && *out < NEAR_LIMIT;
}

/* Modulo 2^64, so that every pair of times has a difference. */
static void put_seconds(struct writer *w, struct stamp t, struct stamp before)
{
	writer_varint(w, zigzag((int64_t)((uint64_t)t.seconds - (uint64_t)before.seconds)));
}

static enum stamp_form put_stamp(struct writer *w, struct stamp t, struct stamp before)
{
	int64_t distance;

	if (is_same(t, before))
		return STAMP_SAME;
	if (t.ns == 0) {
		put_seconds(w, t, before);
		return STAMP_SECONDS;
	}
	if (near_distance(t, before, &distance)) {
		writer_varint(w, zigzag(distance));
		return STAMP_NEAR;
	}
	put_seconds(w, t, before);
	writer_u32(w, t.ns);
	return STAMP_FULL;
}

static enum btime_form put_btime(struct writer *w, struct stamp t, struct stamp before)
{
	int64_t distance;

	if (is_same(t, before))
		return BTIME_SAME;
	if (near_distance(t, before, &distance)) {
		writer_varint(w, zigzag(distance));
		return BTIME_NEAR;
	}
	put_seconds(w, t, before);
	writer_u32(w, t.ns);
	return BTIME_FULL;
}

static bool is_in_range(const struct node *n)
{
	return n->kind >= NODE_FILE && n->kind <= NODE_BLOCK && n->mode <= 07777 &&
		n->owner >= 0 && n->owner < INT64_MAX && n->group >= 0 && n->group < INT64_MAX &&
		n->xattrs >= 0 && n->xattrs < INT64_MAX && n->size <= INT64_MAX &&
		n->allocated <= INT64_MAX && n->mtime.ns < NS_A_SECOND &&
		n->ctime.ns < NS_A_SECOND && n->atime.ns < NS_A_SECOND &&
		(!n->has_btime || n->btime.ns < NS_A_SECOND);
}

static uint64_t usual_allocated(const struct node *n)
{
	return n->kind == NODE_FILE ? n->size : 0;
}

static unsigned put_owner_and_size(struct writer *w, const struct node *n)
{
	unsigned head = n->kind;

	writer_varint(w, n->mode);
	writer_varint(w, n->uid);
	writer_varint(w, n->gid);
	if (n->owner || n->group) {
		head |= HEAD_ACCOUNTS;
		writer_varint(w, (uint64_t)n->owner);
		writer_varint(w, (uint64_t)n->group);
	}
	writer_varint(w, n->size);
	if (n->allocated != usual_allocated(n)) {
		head |= HEAD_ALLOCATED;
		writer_varint(w, n->allocated);
	}
	if (n->links != 1) {
		head |= HEAD_LINKS;
		writer_varint(w, n->links);
	}
	if (n->kind == NODE_CHAR || n->kind == NODE_BLOCK) {
		writer_varint(w, n->rdev_major);
		writer_varint(w, n->rdev_minor);
	}
	return head;
}

static unsigned put_times(struct writer *w, const struct node *n)
{
	unsigned head = 0;

	put_seconds(w, n->mtime, (struct stamp){ 0 });
	if (n->mtime.ns) {
		head |= HEAD_MTIME_NS;
		writer_u32(w, n->mtime.ns);
	}
	head |= (unsigned)put_stamp(w, n->ctime, n->mtime) << HEAD_CTIME_SHIFT;
	head |= (unsigned)put_stamp(w, n->atime, n->ctime) << HEAD_ATIME_SHIFT;
	if (n->has_btime)
		head |= (unsigned)put_btime(w, n->btime, n->ctime) << HEAD_BTIME_SHIFT;
	return head;
}

size_t attrs_pack(const struct node *n, uint8_t out[ATTRS_MAX])
{
	struct writer w = writer_over(out, ATTRS_MAX);

	if (!is_in_range(n))
		return 0;
	writer_u16(&w, 0);
	unsigned head = put_owner_and_size(&w, n) | put_times(&w, n);
	if (n->source_device || n->source_inode) {
		head |= HEAD_SOURCE;
		writer_varint(&w, n->source_device);
		writer_varint(&w, n->source_inode);
	}
	if (n->xattrs) {
		head |= HEAD_XATTRS;
		writer_varint(&w, (uint64_t)n->xattrs);
	}
	if (n->is_unstable)
		head |= HEAD_UNSTABLE;
	out[0] = (uint8_t)head;
	out[1] = (uint8_t)(head >> 8);
	return w.overflow ? 0 : w.used;
}

/* ---- reading --------------------------------------------------------------- */

static uint32_t get_u32(struct reader *r, uint64_t max)
{
	uint64_t v = reader_varint(r);

	if (v <= max)
		return (uint32_t)v;
	r->underflow = true;
	return 0;
}

static int64_t get_id(struct reader *r)
{
	uint64_t v = reader_varint(r);

	if (v < INT64_MAX)
		return (int64_t)v;
	r->underflow = true;
	return 0;
}

static uint64_t get_size(struct reader *r)
{
	uint64_t v = reader_varint(r);

	if (v <= INT64_MAX)
		return v;
	r->underflow = true;
	return 0;
}

static int64_t get_seconds(struct reader *r, struct stamp before)
{
	return (int64_t)((uint64_t)before.seconds + (uint64_t)unzigzag(reader_varint(r)));
}

static uint32_t get_ns(struct reader *r)
{
	uint32_t ns = reader_u32(r);

	if (ns < NS_A_SECOND)
		return ns;
	r->underflow = true;
	return 0;
}

static struct stamp get_near(struct reader *r, struct stamp before)
{
	int64_t distance = unzigzag(reader_varint(r));
	struct stamp t = before;

	if (distance <= -NEAR_LIMIT || distance >= NEAR_LIMIT) {
		r->underflow = true;
		return t;
	}
	int64_t ns = (int64_t)before.ns + distance;
	int64_t carry = ns < 0 ? -1 : ns >= NS_A_SECOND ? 1 : 0;

	if (__builtin_add_overflow(t.seconds, carry, &t.seconds))
		r->underflow = true;
	t.ns = (uint32_t)(ns - carry * NS_A_SECOND);
	return t;
}

static struct stamp get_stamp(struct reader *r, enum stamp_form form, struct stamp before)
{
	struct stamp t = before;

	if (form == STAMP_NEAR)
		return get_near(r, before);
	if (form == STAMP_SECONDS || form == STAMP_FULL) {
		t.seconds = get_seconds(r, before);
		t.ns = form == STAMP_FULL ? get_ns(r) : 0;
	}
	return t;
}

static void get_owner_and_size(struct reader *r, unsigned head, struct node *n)
{
	n->mode = get_u32(r, 07777);
	n->uid = get_u32(r, UINT32_MAX);
	n->gid = get_u32(r, UINT32_MAX);
	if (head & HEAD_ACCOUNTS) {
		n->owner = get_id(r);
		n->group = get_id(r);
	}
	n->size = get_size(r);
	n->allocated = head & HEAD_ALLOCATED ? get_size(r) : usual_allocated(n);
	n->links = head & HEAD_LINKS ? get_u32(r, UINT32_MAX) : 1;
	if (n->kind == NODE_CHAR || n->kind == NODE_BLOCK) {
		n->rdev_major = get_u32(r, UINT32_MAX);
		n->rdev_minor = get_u32(r, UINT32_MAX);
	}
}

static void get_times(struct reader *r, unsigned head, struct node *n)
{
	enum btime_form btime = head >> HEAD_BTIME_SHIFT & 3;

	n->mtime.seconds = get_seconds(r, (struct stamp){ 0 });
	if (head & HEAD_MTIME_NS)
		n->mtime.ns = get_ns(r);
	n->ctime = get_stamp(r, head >> HEAD_CTIME_SHIFT & 3, n->mtime);
	n->atime = get_stamp(r, head >> HEAD_ATIME_SHIFT & 3, n->ctime);
	if (btime == BTIME_NONE)
		return;
	n->has_btime = true;
	n->btime = get_stamp(r, btime == BTIME_SAME ? STAMP_SAME :
			     btime == BTIME_FULL ? STAMP_FULL : STAMP_NEAR, n->ctime);
}

bool attrs_parse(const uint8_t *data, size_t size, struct node *n, const uint8_t **target)
{
	struct reader r = reader_over(data, size);
	unsigned head = reader_u16(&r);

	*target = NULL;
	n->kind = head & HEAD_KIND;
	if (n->kind < NODE_FILE || n->kind > NODE_BLOCK)
		return false;
	n->is_unstable = head & HEAD_UNSTABLE;
	get_owner_and_size(&r, head, n);
	get_times(&r, head, n);
	if (head & HEAD_SOURCE) {
		n->source_device = reader_varint(&r);
		n->source_inode = reader_varint(&r);
	}
	if (head & HEAD_XATTRS)
		n->xattrs = get_id(&r);
	if (n->kind == NODE_SYMLINK) {
		if (n->size < 1 || n->size > SYMLINK_MAX)
			return false;
		*target = reader_view(&r, (size_t)n->size);
	}
	return !r.underflow && reader_left(&r) == 0;
}
