/*
 * Nodes: equal to the one before, or new; with accounts, attributes, content.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/vault/graft_inside.h"

#define IDS_AT_ONCE 1024

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for the catalogue's rows");
}

int graft_id(struct graft *t, enum catalogue_sequence s, int64_t *out, struct err *e)
{
	struct id_pool *pool = &t->ids[s];
	/* One at a time where few are wanted: ids are never given back. */
	uint64_t count = s == SEQUENCE_NODE || s == SEQUENCE_CONTENT ? IDS_AT_ONCE : 1;

	if (pool->next == pool->end) {
		if (t->is_dry) {
			pool->end = INT64_MAX;
			pool->next = INT64_MAX / 2;	/* no row has it */
		} else {
			if (catalogue_reserve(t->c, s, count, &pool->next, e) < 0)
				return -1;
			pool->end = pool->next + (int64_t)count;
		}
	}
	*out = pool->next++;
	return 0;
}

/* ---- accounts ------------------------------------------------------------------- */

static int account_name(struct graft *t, int64_t id, const char **out, struct err *e)
{
	char name[256];

	*out = (const char *)(uintptr_t)map_get(&t->account_names, (uint64_t)id, 0);
	if (*out)
		return 0;
	if (catalogue_account(t->c, id, name, e) < 0)
		return -1;
	*out = ingest_accounts_intern(&t->g->accounts, name);
	if (!*out || !map_put(&t->account_names, (uint64_t)id, 0, (uintptr_t)*out))
		return no_memory(e);
	return 0;
}

static int account_id(struct graft *t, const char *name, int64_t *out, struct err *e)
{
	*out = 0;
	if (!name || t->is_dry)
		return 0;
	*out = (int64_t)map_get(&t->account_ids, (uintptr_t)name, 0);
	if (*out != 0)
		return 0;
	if (catalogue_account_intern(t->c, name, out, e) < 0)
		return -1;
	return map_put(&t->account_ids, (uintptr_t)name, 0, (uint64_t)*out) ? 0
									   : no_memory(e);
}

/* A source that knows no name says nothing against the one that is stored. */
static int is_same_account(struct graft *t, int64_t id, const char *name, bool *out,
			   struct err *e)
{
	const char *stored;

	*out = true;
	if (!name)
		return 0;
	*out = false;
	if (id == 0)
		return 0;
	if (account_name(t, id, &stored, e) < 0)
		return -1;
	*out = strcmp(stored, name) == 0;
	return 0;
}

/* ---- extended attributes ------------------------------------------------------------ */

static void set_key(const struct meta *m, uint64_t key[2])
{
	struct digest d = digest_of(m->xattrs, m->xattrs_size);

	memcpy(key, d.bytes, 2 * sizeof key[0]);
}

static int xattrs_id(struct graft *t, const struct meta *m, int64_t *out, struct err *e)
{
	uint64_t key[2];

	*out = 0;
	if (!m->xattrs)
		return 0;
	set_key(m, key);
	*out = (int64_t)map_get(&t->xattrs, key[0], key[1]);
	if (*out != 0)
		return 0;
	if (graft_id(t, SEQUENCE_XATTRS, out, e) < 0 ||
	    (!t->is_dry &&
	     catalogue_xattrs_add(t->c, *out, m->xattrs, m->xattrs_size, e) < 0))
		return -1;
	return map_put(&t->xattrs, key[0], key[1], (uint64_t)*out) ? 0 : no_memory(e);
}

static int is_same_xattrs(struct graft *t, int64_t id, const struct meta *m, bool *out,
			  struct err *e)
{
	uint8_t *stored = NULL;
	size_t size;
	uint64_t key[2];

	*out = (id != 0) == (m->xattrs != NULL);
	if (!*out || id == 0)
		return 0;
	set_key(m, key);
	if ((int64_t)map_get(&t->xattrs, key[0], key[1]) == id)
		return 0;
	if (catalogue_xattrs(t->c, id, &stored, &size, e) < 0)
		return -1;
	*out = size == m->xattrs_size && memcmp(stored, m->xattrs, size) == 0;
	free(stored);
	if (*out && !map_put(&t->xattrs, key[0], key[1], (uint64_t)id))
		return no_memory(e);
	return 0;
}

/* ---- content ------------------------------------------------------------------------ */

/* Next run of data at or after `offset` among b's extents; false: none. */
static bool body_run(const struct body *b, size_t *at, uint64_t *begin, uint64_t *end)
{
	if (*at == b->extent_count)
		return false;
	*begin = b->extents[*at].offset;
	*end = *begin;
	while (*at < b->extent_count && b->extents[*at].offset == *end)
		*end += b->extents[(*at)++].size;
	return true;
}

struct map_check {		/* the stored runs against the body's */
	const struct body *body;
	size_t at;		/* of the body's extents */
	uint64_t begin, end;	/* the body's present run */
	uint64_t reached;	/* of it, by stored extents */
	bool is_same;
};

static void check_extent(struct map_check *c, const struct extent *x)
{
	if (c->reached == c->end) {
		c->is_same = c->is_same && body_run(c->body, &c->at, &c->begin, &c->end);
		c->reached = c->begin;
	}
	if (x->offset != c->reached || x->size > c->end - c->reached)
		c->is_same = false;
	else
		c->reached += x->size;
}

/* Equal bytes with other holes are another file to whoever asks for holes. */
static int is_same_map(struct graft *t, int64_t content, const struct body *b, bool *out,
		       struct err *e)
{
	struct extent_page *page = malloc(sizeof *page);
	struct map_check c = { .body = b, .is_same = true };
	uint64_t offset = 0;
	int rc = 0;

	if (!page)
		return no_memory(e);
	do {
		rc = catalogue_extents(t->c, content, offset, page, e);
		if (rc < 0)
			break;
		for (unsigned i = 0; i < page->count && c.is_same; i++)
			check_extent(&c, &page->extents[i]);
		offset = page->end;
	} while (c.is_same && page->end != UINT64_MAX);
	free(page);
	*out = c.is_same && c.reached == c.end && c.at == b->extent_count;
	return rc;
}

static int is_same_content(struct graft *t, const struct node *n, const struct body *b,
			   bool *out, struct err *e)
{
	*out = n->size == b->meta.size && n->allocated == b->allocated &&
	       n->has_sha256 && digest_equal(&n->sha256, &b->digest);
	if (*out && n->size != n->allocated && n->content != 0)
		return is_same_map(t, n->content, b, out, e);
	return 0;
}

static int content_id(struct graft *t, const struct body *b, int64_t prior, int64_t *out,
		      struct err *e)
{
	struct node n;
	bool is_same;

	*out = 0;
	if (b->meta.size == 0)
		return 0;
	if (prior != 0) {
		if (catalogue_node(t->c, prior, true, &n, e) < 0)
			return -1;
		if (n.kind == NODE_FILE && n.content != 0) {
			is_same = b->keeps != 0;
			if (!is_same && is_same_content(t, &n, b, &is_same, e) < 0)
				return -1;
			if (is_same) {
				*out = n.content;
				return 0;
			}
		}
	}
	if (graft_id(t, SEQUENCE_CONTENT, out, e) < 0)
		return -1;
	t->rows++;
	return t->is_dry ? 0 : catalogue_content_add(t->c, *out, &b->digest, b->extents,
						     b->extent_count, e);
}

/* ---- the node --------------------------------------------------------------------------- */

static bool stamp_equal(const struct stamp *a, const struct stamp *b)
{
	return a->seconds == b->seconds && a->ns == b->ns;
}

/* Access times do not count: reading would change what is archived. */
static bool is_same_numbers(const struct node *n, const struct meta *m)
{
	/* How large a directory is, and how often linked, no archive says. */
	bool is_told = m->has_source || m->kind != NODE_DIRECTORY;

	return n->kind == m->kind && n->mode == m->mode && n->uid == m->uid &&
	       n->gid == m->gid &&
	       (!is_told || (n->links == m->links && n->size == m->size)) &&
	       n->rdev_major == m->rdev_major && n->rdev_minor == m->rdev_minor &&
	       (!m->has_mtime || stamp_equal(&n->mtime, &m->mtime)) &&
	       (!m->has_ctime || stamp_equal(&n->ctime, &m->ctime)) &&
	       (!m->has_btime || (n->has_btime && stamp_equal(&n->btime, &m->btime)));
}

static int is_same_target(struct graft *t, int64_t node, const struct meta *m, bool *out,
			  struct err *e)
{
	char *target = NULL;
	size_t size;

	if (catalogue_symlink(t->c, node, &target, &size, e) < 0)
		return -1;
	*out = size == m->size && memcmp(target, m->target, size) == 0;
	free(target);
	return 0;
}

int graft_is_same(struct graft *t, int64_t node, const struct meta *m,
		  const struct body *body, bool *out, struct err *e)
{
	struct node n;

	*out = false;
	if (catalogue_node(t->c, node, m->kind == NODE_FILE, &n, e) < 0)
		return -1;
	if ((body && ingest_class_base(t->g, n.class_id) != body->class_id) ||
	    !is_same_numbers(&n, m) ||
	    n.is_unstable != (body && body->is_unstable))
		return 0;
	if (is_same_account(t, n.owner, m->owner, out, e) < 0)
		return -1;
	if (*out && is_same_account(t, n.group, m->group, out, e) < 0)
		return -1;
	if (*out && is_same_xattrs(t, n.xattrs, m, out, e) < 0)
		return -1;
	if (*out && m->kind == NODE_SYMLINK && is_same_target(t, node, m, out, e) < 0)
		return -1;
	if (*out && m->kind == NODE_FILE && is_same_content(t, &n, body, out, e) < 0)
		return -1;
	return 0;
}

void graft_node_of(const struct meta *m, const struct body *body, struct node *out)
{
	*out = (struct node){
		.kind = m->kind, .mode = m->mode, .uid = m->uid, .gid = m->gid,
		.size = m->size, .links = m->links,
		.rdev_major = m->rdev_major, .rdev_minor = m->rdev_minor,
		.mtime = m->mtime, .ctime = m->ctime, .atime = m->atime,
		.btime = m->btime, .has_btime = m->has_btime,
		.class_id = body ? body->class_id : 1,
	};
	/* Without these nobody takes it for unchanged before he has looked again. */
	if (!m->is_partial) {
		out->source_device = m->device;
		out->source_inode = m->inode;
	}
	if (m->kind == NODE_FILE) {
		out->allocated = body->allocated;
		out->is_unstable = body->is_unstable;
		out->sha256 = body->digest;
		out->has_sha256 = true;
	}
}

int graft_add_node(struct graft *t, const struct meta *m, const struct body *body,
		   int64_t prior, struct node *out, struct err *e)
{
	graft_node_of(m, body, out);
	if (graft_id(t, SEQUENCE_NODE, &out->id, e) < 0 ||
	    account_id(t, m->owner, &out->owner, e) < 0 ||
	    account_id(t, m->group, &out->group, e) < 0 ||
	    xattrs_id(t, m, &out->xattrs, e) < 0)
		return -1;
	if (m->kind == NODE_FILE && content_id(t, body, prior, &out->content, e) < 0)
		return -1;
	t->rows++;
	return t->is_dry ? 0 : catalogue_node_add(t->c, out, m->target, e);
}
