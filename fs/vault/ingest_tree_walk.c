/*
 * The tree of an archive against the version before: what walk_dir.c does for
 * live directories, with everything read already.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/vault/ingest_tree.h"
#include "fs/vault/walk.h"

#define PRIOR_CACHE (16u * 1024 * 1024)

struct branch {			/* a directory on the way down */
	struct dir *dir;
	struct tree_node **children;	/* owned; sorted */
	struct prior *priors;	/* owned; of those that are directories */
	size_t count, next;
};

struct descent {
	struct ingest *g;
	struct catalogue *catalogue;	/* NULL: there is no version before */
	struct prior_list *list;
	struct branch *branches;
	size_t depth, capacity;
	struct run *run;
};

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for the archive's tree");
}

/* ---- runs ----------------------------------------------------------------------- */

static void send_run(struct descent *s, struct dir *d)
{
	if (!s->run)
		return;
	d->run_total++;
	run_release(s->g, s->run);
	s->run = NULL;
}

static struct run *open_run(struct descent *s, struct dir *d)
{
	if (s->run && s->run->item_count + s->run->removal_count >= RUN_ITEMS)
		send_run(s, d);
	if (!s->run)
		s->run = run_new(s->g, d);
	return s->run;
}

static struct prior prior_of(const struct entry *entry)
{
	return (struct prior){ .is_there = true, .kind = entry->kind,
			       .first = entry->first, .node = entry->node,
			       .directory = entry->directory };
}

static int remove_prior(struct descent *s, struct dir *d, const struct entry *entry,
			struct err *e)
{
	struct run *r = open_run(s, d);
	struct prior prior = prior_of(entry);

	if (!r || !run_remove(r, entry->name, entry->name_size, &prior))
		return no_memory(e);
	return 0;
}

/* The body that all names of the inode share; a reference for the caller. */
static struct body *take_body(struct inode *i)
{
	struct body *b = i->body ? i->body : inode_body(i);

	if (!b)
		return NULL;
	if (!i->body)
		b->meta.links = i->links;
	i->given++;
	if (i->links > 1 && !i->body) {
		b->is_shared = b->is_ready = true;
		i->body = b;
	}
	if (i->body && i->given < i->links) {
		atomic_fetch_add(&b->refs, 1);
		return b;
	}
	/* The last name takes the tree's reference; the packed form has served. */
	i->body = NULL;
	free(i->meta);
	free(i->content);
	i->meta = i->content = NULL;
	return b;
}

static int take_item(struct descent *s, struct dir *d, struct tree_node *n,
		     const struct prior *prior, struct err *e)
{
	struct run *r = open_run(s, d);
	struct body *b = r ? take_body(n->inode) : NULL;
	struct item *item = b ? run_add(r, n->name, n->name_size, prior, b) : NULL;

	if (!item)
		return no_memory(e);
	item->class_id = n->class_id;
	return 0;
}

/* ---- directories ------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct tree_node *x = *(struct tree_node *const *)a;
	const struct tree_node *y = *(struct tree_node *const *)b;

	return strcmp(x->name, y->name);
}

static int sort_children(const struct tree_node *n, struct branch *b, struct err *e)
{
	b->children = calloc(n->child_count + 1, sizeof(struct tree_node *));
	b->priors = calloc(n->child_count + 1, sizeof *b->priors);
	if (!b->children || !b->priors)
		return no_memory(e);
	for (struct tree_node *c = n->children; c; c = c->next)
		b->children[b->count++] = c;
	if (b->count > 1)
		qsort(b->children, b->count, sizeof(struct tree_node *), by_name);
	return 0;
}

static int take_child(struct descent *s, struct branch *b, size_t i,
		      const struct entry *entry, struct err *e)
{
	struct tree_node *n = b->children[i];
	struct prior prior = { .is_there = false };

	if (entry && (entry->kind == NODE_DIRECTORY) != n->is_directory) {
		if (remove_prior(s, b->dir, entry, e) < 0)
			return -1;
	} else if (entry) {
		prior = prior_of(entry);
	}
	if (!n->is_directory)
		return take_item(s, b->dir, n, &prior, e);
	b->priors[i] = prior;
	b->dir->child_total++;
	return 0;
}

static int merge(struct descent *s, struct branch *b, struct err *e)
{
	const struct entry *entry;
	const struct node *node;
	size_t i = 0;

	prior_list_start(s->list, s->catalogue, s->g->version.previous,
			 s->catalogue ? b->dir->prior_id : 0, "");
	for (;;) {
		int order;

		if (ingest_is_stopped(s->g))
			return err_set(e, MUNI_CANCELLED, "stopped");
		if (prior_list_peek(s->list, &entry, &node, e) < 0)
			return -1;
		if (i == b->count && !entry)
			return 0;
		order = i == b->count ? 1 : !entry ? -1
				: strcmp(b->children[i]->name, entry->name);
		if (order > 0 && remove_prior(s, b->dir, entry, e) < 0)
			return -1;
		if (order <= 0 && take_child(s, b, i, order == 0 ? entry : NULL, e) < 0)
			return -1;
		if (order >= 0)
			prior_list_next(s->list);
		i += order <= 0;
	}
}

/* A directory that only paths speak of: as neutral as can be, and the same
 * whenever the archive is read. */
static int describe(const struct tree_node *n, struct meta *m, struct err *e)
{
	bool is_failed = false;

	if (n->inode)
		inode_meta(n->inode, m, &is_failed);
	else
		*m = (struct meta){ .kind = NODE_DIRECTORY, .mode = 0755,
				    .has_mtime = n->newest != INT64_MIN };
	if (!n->inode && m->has_mtime)
		m->mtime.seconds = m->ctime.seconds = m->atime.seconds = n->newest;
	m->size = 0;
	m->links = 2;
	for (const struct tree_node *c = n->children; c; c = c->next)
		m->links += c->is_directory;
	return is_failed ? no_memory(e) : 0;
}

static int enter(struct descent *s, const struct tree_node *n, struct dir *parent,
		 const struct prior *prior, struct err *e)
{
	struct dir *d = dir_new(s->g, parent, n->name, n->name_size);
	struct branch *b;
	bool is_first = false;

	if (!d)
		return no_memory(e);
	if (s->depth == s->capacity) {
		size_t more = s->capacity ? s->capacity * 2 : 32;
		struct branch *list = realloc(s->branches, more * sizeof *list);

		if (!list)
			return no_memory(e);
		s->branches = list;
		s->capacity = more;
	}
	b = &s->branches[s->depth++];
	*b = (struct branch){ .dir = d };
	d->prior = *prior;
	if (prior->is_there && ingest_claim(s->g, prior->directory, &is_first, e) < 0)
		return -1;
	if (is_first)
		d->prior_id = prior->directory;
	if (!parent)
		d->id = s->g->version.root;
	if (describe(n, &d->meta, e) < 0 || sort_children(n, b, e) < 0 || merge(s, b, e) < 0)
		return -1;
	send_run(s, d);
	events_push(s->g->events, (struct event){ EVENT_LISTED, .dir = d });
	return 0;
}

static void leave(struct descent *s)
{
	struct branch *b = &s->branches[--s->depth];

	free(b->children);
	free(b->priors);
}

static int descend(struct descent *s, struct ingest_tree *t, struct err *e)
{
	const struct version *v = &s->g->version;
	struct prior top = { .is_there = v->previous != 0, .kind = NODE_DIRECTORY,
			     .directory = v->root };

	if (enter(s, ingest_tree_top(t), NULL, &top, e) < 0)
		return -1;
	while (s->depth > 0) {
		struct branch *b = &s->branches[s->depth - 1];

		while (b->next < b->count && !b->children[b->next]->is_directory)
			b->next++;
		if (b->next == b->count) {
			leave(s);
			continue;
		}
		size_t i = b->next++;

		if (enter(s, b->children[i], b->dir, &b->priors[i], e) < 0)
			return -1;
	}
	return 0;
}

int ingest_tree_walk(struct ingest *g, struct ingest_tree *t, struct err *e)
{
	struct descent s = { .g = g, .list = prior_list_new() };
	int rc = -1;

	if (!s.list)
		return no_memory(e);
	if (g->version.previous == 0 ||
	    vault_connect(g->vault, PRIOR_CACHE, &s.catalogue, e) == 0)
		rc = descend(&s, t, e);
	while (s.depth > 0)
		leave(&s);
	free(s.branches);
	prior_list_free(s.list);
	if (s.catalogue)
		catalogue_close(s.catalogue);
	return rc;
}
