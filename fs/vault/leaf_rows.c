/*
 * Leaves and roots from the catalogue's rows: for directories that changed in
 * part, and for verify.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/leaf.h"

#define ROWS_AT_ONCE 256

/* What a leaf borrows, loaded from rows. */
struct parts {
	char owner[256], group[256];
	uint8_t *xattrs;
	char *target;
	struct digest digest;
};

static int load_parts(struct catalogue *c, int64_t version, int64_t directory,
		      struct node *n, struct parts *p, struct leaf *l, struct err *e)
{
	struct directory d;

	l->node = n;
	if (n->owner != 0) {
		if (catalogue_account(c, n->owner, p->owner, e) < 0)
			return -1;
		l->owner = p->owner;
	}
	if (n->group != 0) {
		if (catalogue_account(c, n->group, p->group, e) < 0)
			return -1;
		l->group = p->group;
	}
	if (n->xattrs != 0) {
		if (catalogue_xattrs(c, n->xattrs, &p->xattrs, &l->xattrs_size, e) < 0)
			return -1;
		l->xattrs = p->xattrs;
	}
	switch (n->kind) {
	case NODE_SYMLINK:
		if (catalogue_symlink(c, n->id, &p->target, &l->target_size, e) < 0)
			return -1;
		l->target = p->target;
		return 0;
	case NODE_DIRECTORY:
		if (catalogue_directory(c, version, directory, &d, e) < 0)
			return -1;
		p->digest = d.root;
		break;
	case NODE_FILE:
		if (!n->has_sha256)
			return err_set(e, MUNI_DAMAGED, "the catalogue has no digest "
				       "for node %lld", (long long)n->id);
		p->digest = n->sha256;
		break;
	default:
		break;
	}
	l->content = &p->digest;
	return 0;
}

/* Either the hash or, where `bytes` is not NULL, what is hashed. */
static int finish(const struct leaf *l, struct digest *hash, uint8_t **bytes, size_t *size,
		  struct err *e)
{
	if (bytes)
		return leaf_bytes(l, bytes, size, e);
	*hash = leaf_hash(l);
	return 0;
}

static int entry_leaf(struct catalogue *c, int64_t version, const struct entry *entry,
		      struct digest *hash, uint8_t **bytes, size_t *size, struct err *e)
{
	struct leaf l = { .salt = entry->salt, .name = entry->name,
			  .name_size = entry->name_size };
	struct parts p = { .xattrs = NULL };
	struct node n;
	int rc = -1;

	if (catalogue_node(c, entry->node, true, &n, e) < 0 ||
	    load_parts(c, version, entry->directory, &n, &p, &l, e) < 0)
		err_wrap(e, "the leaf of \"%s\"",
			 text_printable_n(entry->name, entry->name_size));
	else
		rc = finish(&l, hash, bytes, size, e);
	free(p.xattrs);
	free(p.target);
	return rc;
}

int leaf_of_entry(struct catalogue *c, int64_t version, const struct entry *entry,
		  struct digest *out, struct err *e)
{
	return entry_leaf(c, version, entry, out, NULL, NULL, e);
}

int leaf_bytes_of_entry(struct catalogue *c, int64_t version, const struct entry *entry,
			uint8_t **out, size_t *size, struct err *e)
{
	return entry_leaf(c, version, entry, NULL, out, size, e);
}

static int version_leaf(struct catalogue *c, int64_t version, int64_t root,
			struct digest *hash, uint8_t **bytes, size_t *size, struct err *e)
{
	static const uint8_t no_salt[16];
	struct leaf l = { .salt = no_salt, .name = "" };
	struct parts p = { .xattrs = NULL };
	struct directory d;
	struct node n;
	int rc = -1;

	if (catalogue_directory(c, version, root, &d, e) < 0 ||
	    catalogue_node(c, d.node, true, &n, e) < 0 ||
	    load_parts(c, version, root, &n, &p, &l, e) < 0)
		err_wrap(e, "the root of version %lld", (long long)version);
	else
		rc = finish(&l, hash, bytes, size, e);
	free(p.xattrs);
	free(p.target);
	return rc;
}

int leaf_of_version(struct catalogue *c, int64_t version, int64_t root,
		    struct digest *out, struct err *e)
{
	return version_leaf(c, version, root, out, NULL, NULL, e);
}

int leaf_bytes_of_version(struct catalogue *c, int64_t version, int64_t root, uint8_t **out,
			  size_t *size, struct err *e)
{
	return version_leaf(c, version, root, NULL, out, size, e);
}

/* Rows are copied first: looking further while a listing is open would hold
 * its statement, and its snapshot, for as long. */
struct rows {
	struct entry list[ROWS_AT_ONCE];
	size_t count;
};

static int keep_row(void *arg, const struct entry *entry, const struct node *node)
{
	struct rows *rows = arg;

	(void)node;
	rows->list[rows->count++] = *entry;
	return rows->count == ROWS_AT_ONCE;
}

int leaf_each_row(struct catalogue *c, int64_t version, int64_t directory,
		  int (*row)(void *arg, const struct entry *entry, struct err *e),
		  void *arg, struct err *e)
{
	struct rows *rows = malloc(sizeof *rows);
	char after[CATALOGUE_NAME_MAX + 1];
	size_t after_size = 0;
	int rc = -1;

	if (!rows)
		return err_set(e, MUNI_NO_MEMORY, "listing a directory: out of memory");
	do {
		rows->count = 0;
		if (catalogue_list(c, version, directory, after_size ? after : NULL,
				   after_size, false, keep_row, rows, e) < 0)
			goto out;
		for (size_t i = 0; i < rows->count; i++)
			if (row(arg, &rows->list[i], e) < 0)
				goto out;
		if (rows->count > 0) {
			const struct entry *last = &rows->list[rows->count - 1];

			after_size = last->name_size;
			memcpy(after, last->name, after_size);
		}
	} while (rows->count == ROWS_AT_ONCE);
	rc = 0;
out:
	free(rows);
	return rc;
}

struct gather {
	struct catalogue *catalogue;
	int64_t version;
	struct digest *leaves;
	size_t count, capacity;
	struct err *e;
};

static int make_room(struct gather *g, struct err *e)
{
	if (g->count == g->capacity) {
		size_t more = g->capacity ? g->capacity * 2 : 64;
		struct digest *p = realloc(g->leaves, more * sizeof *p);

		if (!p)
			return err_set(e, MUNI_NO_MEMORY, "out of memory for %zu leaves",
				       more);
		g->leaves = p;
		g->capacity = more;
	}
	return 0;
}

static int gather_leaf(void *arg, const struct entry *entry, struct err *e)
{
	struct gather *g = arg;

	return make_room(g, e) < 0 ? -1 :
		leaf_of_entry(g->catalogue, g->version, entry, &g->leaves[g->count++], e);
}

static int gather_stub(void *arg, const struct digest *leaf)
{
	struct gather *g = arg;

	if (make_room(g, g->e) < 0)
		return -1;
	g->leaves[g->count++] = *leaf;
	return 0;
}

int leaf_leaves(struct catalogue *c, int64_t version, int64_t directory, struct digest **out,
		size_t *count, struct err *e)
{
	struct gather g = { .catalogue = c, .version = version, .e = e };

	if (leaf_each_row(c, version, directory, gather_leaf, &g, e) < 0 ||
	    catalogue_stubs(c, version, directory, gather_stub, &g, e) < 0) {
		free(g.leaves);
		return -1;
	}
	leaf_sort(g.leaves, g.count);
	*out = g.leaves;
	*count = g.count;
	return 0;
}

int leaf_root_of_directory(struct catalogue *c, int64_t version, int64_t directory,
			   struct digest *out, struct err *e)
{
	struct digest *leaves = NULL;
	size_t count;

	if (leaf_leaves(c, version, directory, &leaves, &count, e) < 0)
		return -1;
	*out = leaf_root(leaves, count);
	free(leaves);
	return 0;
}
