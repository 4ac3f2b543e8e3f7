#include "fs/vault/leaf.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/merkle.h"

static void put_stamp(struct buffer *b, const struct stamp *t)
{
	buffer_u64(b, (uint64_t)t->seconds);
	buffer_u32(b, t->ns);
}

static void put_text(struct buffer *b, const void *text, size_t size)
{
	buffer_u32(b, (uint32_t)size);
	buffer_append(b, text, size);
}

static void put_metadata(struct buffer *b, const struct leaf *l)
{
	const struct node *n = l->node;
	struct digest xattrs = { { 0 } };
	struct stamp none = { 0, 0 };

	if (l->xattrs)
		xattrs = digest_of(l->xattrs, l->xattrs_size);
	buffer_u32(b, n->mode);
	buffer_u32(b, n->uid);
	buffer_u32(b, n->gid);
	put_text(b, l->owner, l->owner ? strlen(l->owner) : 0);
	put_text(b, l->group, l->group ? strlen(l->group) : 0);
	buffer_u64(b, n->size);
	buffer_u64(b, n->allocated);
	buffer_u32(b, n->links);
	buffer_u32(b, n->rdev_major);
	buffer_u32(b, n->rdev_minor);
	put_stamp(b, &n->mtime);
	put_stamp(b, &n->ctime);
	put_stamp(b, &n->atime);
	buffer_u8(b, n->has_btime);
	put_stamp(b, n->has_btime ? &n->btime : &none);
	buffer_u8(b, n->is_unstable);
	buffer_u64(b, n->source_device);
	buffer_u64(b, n->source_inode);
	buffer_append(b, xattrs.bytes, sizeof xattrs.bytes);
}

static void put_leaf(struct buffer *b, const struct leaf *l)
{
	buffer_append(b, l->salt, 16);
	buffer_u8(b, (uint8_t)l->node->kind);
	put_text(b, l->name, l->name_size);
	put_metadata(b, l);
	if (l->node->kind == NODE_SYMLINK)
		put_text(b, l->target, l->target_size);
	if (l->node->kind == NODE_FILE || l->node->kind == NODE_DIRECTORY)
		buffer_append(b, l->content->bytes, DIGEST_SIZE);
}

struct digest leaf_hash(const struct leaf *l)
{
	struct buffer b = { 0 };
	struct digest out;

	put_leaf(&b, l);
	/* Without memory for some hundred bytes there is no right answer, and a
	 * wrong one would be signed. */
	if (b.failed)
		abort();
	out = merkle_leaf(b.data, b.size);	/* puts the 0x00 in front */
	buffer_free(&b);
	return out;
}

int leaf_bytes(const struct leaf *l, uint8_t **out, size_t *size, struct err *e)
{
	struct buffer b = { 0 };

	put_leaf(&b, l);
	if (b.failed) {
		buffer_free(&b);
		return err_set(e, MUNI_NO_MEMORY, "no memory for a leaf");
	}
	*out = b.data;
	*size = b.size;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SIZE);
}

void leaf_sort(struct digest *leaves, size_t count)
{
	if (count > 1)
		qsort(leaves, count, sizeof leaves[0], by_bytes);
}

struct digest leaf_root(struct digest *leaves, size_t count)
{
	leaf_sort(leaves, count);
	return merkle_root(leaves, count);
}

bool leaf_digest_is_plain(const struct node *node)
{
	return node->size < node->allocated ||
	       node->size - node->allocated <= LEAF_HOLE_MAX;
}
