#include "fs/vault/ingest_copies.h"

#include <stdlib.h>
#include <string.h>

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for the archive's hard links");
}

int copies_add(struct copies *c, struct tree_node *node, struct inode *first,
	       struct inode *again, struct err *e)
{
	if (c->count == c->capacity) {
		size_t more = c->capacity ? c->capacity * 2 : 64;
		struct copy *list = realloc(c->list, more * sizeof *list);

		if (!list)
			return no_memory(e);
		c->list = list;
		c->capacity = more;
	}
	c->list[c->count++] = (struct copy){ node, first, again };
	return 0;
}

/* Below the top, as an inventory has it.  malloc'ed. */
static char *path_of(const struct tree_node *n, size_t *size)
{
	size_t end = 0;
	char *path;

	for (const struct tree_node *at = n; at->parent; at = at->parent)
		end += at->name_size + 1u;
	path = malloc(end + 1);
	if (!path)
		return NULL;
	*size = end ? end - 1 : 0;
	path[*size] = '\0';
	for (const struct tree_node *at = n; at->parent; at = at->parent) {
		end -= at->name_size + 1u;
		memcpy(path + end, at->name, at->name_size);
		if (at != n)
			path[end + at->name_size] = '/';
	}
	return path;
}

bool copies_agree(const struct meta *a, const struct meta *b)
{
	bool is_time_known = a->has_mtime && b->has_mtime;

	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
	       (!is_time_known || (a->mtime.seconds == b->mtime.seconds &&
				   a->mtime.ns == b->mtime.ns));
}

/* In what they differ.  NULL: in nothing. */
static const char *difference(const struct body *a, const struct body *b)
{
	if (a->meta.size != b->meta.size ||
	    memcmp(a->digest.bytes, b->digest.bytes, DIGEST_SIZE) != 0)
		return "data";
	return copies_agree(&a->meta, &b->meta) ? NULL : "attributes";
}

static int part(struct ingest *g, const struct copy *c, const char *what, struct err *e)
{
	size_t size;
	char *path = path_of(c->node, &size);

	if (!path)
		return no_memory(e);
	c->first->links--;
	c->again->links++;
	c->node->inode = c->again;
	ingest_problem_at(g, path, size, "that it is a hard link, for its %s differ from those of the "
			  "file that it is another name of; the archive is damaged, or the file was "
			  "written to while it was packed. It was taken in as a file of its own: "
			  "compare the two", what);
	free(path);
	return 0;
}

int copies_settle(struct copies *c, struct ingest *g, struct err *e)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct copy *at = &c->list[i];
		struct body *first = inode_body(at->first), *again = inode_body(at->again);
		const char *what = first && again ? difference(first, again) : NULL;
		bool is_short = !first || !again;
		int rc = 0;

		/* A later entry of the same name stands in its place. */
		if (what && at->node->inode == at->first)
			rc = part(g, at, what, e);
		body_unref(first);
		body_unref(again);
		if (is_short)
			return no_memory(e);
		if (rc < 0)
			return -1;
	}
	return 0;
}

void copies_clear(struct copies *c)
{
	free(c->list);
	*c = (struct copies){ .list = NULL };
}
