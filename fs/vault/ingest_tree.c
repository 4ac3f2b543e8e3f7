#include "fs/vault/ingest_tree.h"

#include <stdlib.h>
#include <string.h>

#define INODES_A_SLAB 1024

struct slab {
	struct slab *next;
	size_t used;
	struct inode inodes[INODES_A_SLAB];
};

struct ingest_tree {
	struct tree_node *top;
	struct tree_node **slots;	/* by parent and name; NULL: free */
	size_t count, capacity;
	struct slab *slabs;
};

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for the archive's tree");
}

/* ---- nodes by parent and name ---------------------------------------------------- */

static size_t hash_of(const struct tree_node *parent, const char *name, size_t size)
{
	uint64_t h = 0xcbf29ce484222325u ^ (uintptr_t)parent;	/* FNV-1a */

	for (size_t i = 0; i < size; i++)
		h = (h ^ (uint8_t)name[i]) * 0x100000001b3u;
	return (size_t)(h ^ (h >> 32));
}

static size_t slot_of(const struct ingest_tree *t, const struct tree_node *parent,
		      const char *name, size_t size)
{
	size_t i = hash_of(parent, name, size) & (t->capacity - 1);

	for (;; i = (i + 1) & (t->capacity - 1)) {
		const struct tree_node *n = t->slots[i];

		if (!n || (n->parent == parent && n->name_size == size &&
			   memcmp(n->name, name, size) == 0))
			return i;
	}
}

static bool grow(struct ingest_tree *t)
{
	struct tree_node **old = t->slots;
	size_t count = t->capacity;
	struct tree_node **slots = calloc(count ? count * 2 : 256, sizeof(struct tree_node *));

	if (!slots)
		return false;
	t->slots = slots;
	t->capacity = count ? count * 2 : 256;
	for (size_t i = 0; i < count; i++)
		if (old[i])
			slots[slot_of(t, old[i]->parent, old[i]->name,
				      old[i]->name_size)] = old[i];
	free(old);
	return true;
}

static struct tree_node *node_new(struct tree_node *parent, const char *name, size_t size)
{
	struct tree_node *n = calloc(1, sizeof *n + size + 1);

	if (!n)
		return NULL;
	n->parent = parent;
	n->newest = INT64_MIN;
	n->name_size = (uint16_t)size;
	memcpy(n->name, name, size);
	return n;
}

static struct tree_node *lookup(struct ingest_tree *t, const struct tree_node *parent,
				const char *name, size_t size)
{
	return t->capacity ? t->slots[slot_of(t, parent, name, size)] : NULL;
}

/* NULL without memory. */
static struct tree_node *add(struct ingest_tree *t, struct tree_node *parent,
			     const char *name, size_t size)
{
	struct tree_node *n;

	if (t->count + 1 > t->capacity / 4 * 3 && !grow(t))
		return NULL;
	n = node_new(parent, name, size);
	if (!n)
		return NULL;
	t->slots[slot_of(t, parent, name, size)] = n;
	t->count++;
	n->next = parent->children;
	parent->children = n;
	parent->child_count++;
	return n;
}

/* ---- paths ------------------------------------------------------------------------- */

/* The next component; false at the end.  Empty ones and "." are no components. */
static bool next_part(const char **at, const char *end, const char **part, size_t *size)
{
	while (*at < end) {
		const char *begin = *at, *stop = begin;

		while (stop < end && *stop != '/')
			stop++;
		*at = stop < end ? stop + 1 : end;
		*part = begin;
		*size = (size_t)(stop - begin);
		if (*size > 0 && !(*size == 1 && *begin == '.'))
			return true;
	}
	return false;
}

int ingest_tree_way(struct ingest_tree *t, const char *path, size_t size,
		    struct tree_node **parent, const char **name, size_t *name_size,
		    const char **refusal, struct err *e)
{
	struct tree_node *n = t->top;
	const char *at = path, *end = path + size, *part = NULL;
	size_t part_size = 0;

	*refusal = NULL;
	*name = "";
	*name_size = 0;
	while (next_part(&at, end, &part, &part_size)) {
		if (part_size == 2 && memcmp(part, "..", 2) == 0) {
			*refusal = "its path leads out of the archive through \"..\"";
			return 0;
		}
		if (part_size > CATALOGUE_NAME_MAX) {
			*refusal = "a name in its path is longer than 255 bytes";
			return 0;
		}
		if (*name_size > 0) {	/* the part before is a directory on the way */
			struct tree_node *next = lookup(t, n, *name, *name_size);

			if (!next) {
				next = add(t, n, *name, *name_size);
				if (!next)
					return no_memory(e);
				next->is_directory = true;
			}
			if (!next->is_directory) {
				*refusal = "a part of its path is no directory but a file "
					   "or link of the same archive";
				return 0;
			}
			n = next;
		}
		*name = part;
		*name_size = part_size;
	}
	*parent = n;
	return 0;
}

struct tree_node *ingest_tree_find(struct ingest_tree *t, const char *path, size_t size)
{
	struct tree_node *n = t->top;
	const char *at = path, *end = path + size, *part;
	size_t part_size;

	while (n && next_part(&at, end, &part, &part_size))
		n = lookup(t, n, part, part_size);
	return n;
}

/* ---- putting ------------------------------------------------------------------------- */

static void tell_parents(struct tree_node *n, int64_t mtime)
{
	for (; n && !n->inode && n->newest < mtime; n = n->parent)
		n->newest = mtime;
}

int ingest_tree_put(struct ingest_tree *t, struct tree_node *parent, const char *name,
		    size_t name_size, struct inode *inode, bool is_directory,
		    int64_t mtime, bool *is_again, const char **refusal, struct err *e)
{
	struct tree_node *n = name_size ? lookup(t, parent, name, name_size) : t->top;

	*refusal = NULL;
	*is_again = n && n->inode && !(n->is_directory && is_directory);
	if (n && n->is_directory && !is_directory && (n->children || n == t->top)) {
		*refusal = "a directory with entries has the same name in this archive";
		return 0;
	}
	if (!n)
		n = add(t, parent, name, name_size);
	if (!n)
		return no_memory(e);
	if (n->inode == inode)
		return 0;
	if (n->inode)
		n->inode->links--;
	n->inode = inode;
	n->is_directory = is_directory;
	inode->links++;
	tell_parents(n->parent, mtime);
	return 0;
}

/* ---- the whole ---------------------------------------------------------------------------- */

struct inode *inode_new(struct ingest_tree *t, const struct meta *m)
{
	struct err ignored = ERR_NONE;
	struct inode *i;

	if (!t->slabs || t->slabs->used == INODES_A_SLAB) {
		struct slab *s = calloc(1, sizeof *s);

		if (!s)
			return NULL;
		s->next = t->slabs;
		t->slabs = s;
	}
	i = &t->slabs->inodes[t->slabs->used++];
	return inode_set_meta(i, m, &ignored) < 0 ? NULL : i;
}

struct ingest_tree *ingest_tree_new(void)
{
	struct ingest_tree *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->top = node_new(NULL, "", 0);
	if (!t->top) {
		free(t);
		return NULL;
	}
	t->top->is_directory = true;
	return t;
}

void ingest_tree_free(struct ingest_tree *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->capacity; i++)
		free(t->slots[i]);
	free(t->slots);
	free(t->top);
	for (struct slab *s = t->slabs, *next; s; s = next) {
		next = s->next;
		for (size_t i = 0; i < s->used; i++) {
			free(s->inodes[i].meta);
			free(s->inodes[i].content);
			body_unref(s->inodes[i].body);
		}
		free(s);
	}
	free(t);
}

struct tree_node *ingest_tree_top(struct ingest_tree *t)
{
	return t->top;
}
