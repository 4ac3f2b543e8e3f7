#include <string.h>

#include "fs/base/err.h"
#include "fs/mount/access_log.h"
#include "fs/mount/attr.h"
#include "fs/mount/cursors.h"
#include "fs/mount/look.h"
#include "fs/mount/mount.h"
#include "fs/mount/recent.h"
#include "fs/mount/view.h"

#define SIZE_BLOCK 4096		/* in which most file systems count a directory's size */
#define DOTS 2			/* offsets 1 and 2 are "." and ".." */

static int too_big(struct err *e)
{
	return err_set(e, MUNI_LIMIT, "a version or node number past what node ids hold");
}

static struct place place_of(const struct mount *m, const struct entry *entry, int64_t version)
{
	if (entry->kind == NODE_DIRECTORY)
		return (struct place){ .kind = PLACE_DIRECTORY, .id = entry->directory,
				       .version = version };
	return (struct place){ .kind = PLACE_NODE, .id = entry->node,
			       .version = m->o.audit ? version : 0 };
}

void within_note(struct mount *m, uint64_t ino, const struct node *n,
		 struct recent_node *out)
{
	struct recent_node note = {
		.ino = ino,
		.content = n->content,
		.size = n->size,
		.allocated = n->allocated,
		.xattrs = n->xattrs,
		.node = n->id,
		.kind = (uint8_t)n->kind,
	};

	recent_put(m->recent, &note);
	if (out)
		*out = note;
}

struct shares {			/* of a directory's entries, in one version */
	struct view *view;
	uint64_t all, shown;
	uint64_t hidden_folders;
};

static int count_share(void *arg, const struct entry *entry, const struct node *node)
{
	struct shares *s = arg;
	bool is_shown = view_shows(s->view, node);

	s->all++;
	s->shown += is_shown;
	s->hidden_folders += !is_shown && entry->kind == NODE_DIRECTORY;
	return 0;
}

/*
 * The source counted what is not shown in the links and the size of the directory.  Size:
 * in proportion, "." and ".." counted, which is exact where a file system counts
 * entries, and up to full blocks where it counts those.
 */
static int tell_no_more(struct mount *m, struct catalogue *c, const struct place *p,
			struct stat *st, struct err *e)
{
	struct shares s = { .view = m->view };
	uint64_t size = (uint64_t)st->st_size, block = size % SIZE_BLOCK == 0 ? SIZE_BLOCK : 1;

	if (catalogue_list(c, p->version, p->id, NULL, 0, true, count_share, &s, e) < 0)
		return -1;
	if (s.shown == s.all)
		return 0;
	if (st->st_nlink >= 2 + s.hidden_folders)
		st->st_nlink -= s.hidden_folders;
	size = size / (s.all + 2) * (s.shown + 2) +
	       size % (s.all + 2) * (s.shown + 2) / (s.all + 2);
	st->st_size = (off_t)((size + block - 1) / block * block);
	return 0;
}

static int fill(struct mount *m, struct catalogue *c, const struct place *p, uint64_t ino,
		const struct node *n, struct found *out, struct err *e)
{
	out->ino = ino;
	out->entry_timeout = out->attr_timeout = LOOK_FOREVER;
	attr_of_node(m, n, ino, &out->st);
	if (p->kind == PLACE_DIRECTORY && view_hides_in(m->view, p->id) &&
	    tell_no_more(m, c, p, &out->st, e) < 0)
		return -1;
	within_note(m, ino, n, NULL);
	return 0;
}

int within_node(struct mount *m, struct catalogue *c, const struct place *p,
		struct node *out, struct err *e)
{
	struct directory d;
	int64_t id = p->id;

	if (p->kind == PLACE_DIRECTORY) {
		if (catalogue_directory(c, p->version, p->id, &d, e) < 0)
			return -1;
		id = d.node;
	}
	if (catalogue_node(c, id, false, out, e) < 0)
		return -1;
	if ((out->kind == NODE_DIRECTORY) != (p->kind == PLACE_DIRECTORY))
		return err_set(e, MUNI_DAMAGED, "node %lld is not of the kind that its entry "
			       "says; run muni verify", (long long)id);
	/* The top of a version stands whatever its class: its name is no record. */
	if (!view_shows(m->view, out) &&
	    !(p->kind == PLACE_DIRECTORY && d.parent == 0))
		return err_set(e, MUNI_NOT_FOUND, "not shown on this mount");
	return 0;
}

int within_at(struct mount *m, struct catalogue *c, const struct place *p,
	      struct found *out, struct err *e)
{
	struct node n;
	uint64_t ino;

	if (within_node(m, c, p, &n, e) < 0)
		return -1;
	if (!look_ino(m, p, &ino))
		return too_big(e);
	return fill(m, c, p, ino, &n, out, e);
}

int within_up(struct mount *m, struct catalogue *c, const struct place *parent,
	      const char *name, struct found *out, struct err *e)
{
	struct entry entry;
	struct node n;
	uint64_t ino;

	if (parent->kind != PLACE_DIRECTORY)
		return err_set(e, MUNI_NOT_FOUND, "not a directory");
	*out = (struct found){ .ino = 0, .entry_timeout = LOOK_FOREVER };
	if (catalogue_lookup_node(c, parent->version, parent->id, name, strlen(name), &entry, &n,
				  e) < 0)
		return e->code == MUNI_NOT_FOUND ? 0 : -1;
	if (!view_shows(m->view, &n))
		return 0;
	struct place p = place_of(m, &entry, parent->version);
	if (!look_ino(m, &p, &ino))
		return too_big(e);
	if (fill(m, c, &p, ino, &n, out, e) < 0)
		return -1;
	/* An open is told by its node alone: look each time, to know the name. */
	if (m->access_log && n.kind != NODE_DIRECTORY) {
		out->entry_timeout = 0;
		access_log_note(m->access_log, ino, parent, name);
	}
	return 0;
}

int within_parent(struct mount *m, struct catalogue *c, const struct place *p,
		  struct place *out, struct err *e)
{
	struct view_version v;
	struct directory d;

	if (catalogue_directory(c, p->version, p->id, &d, e) < 0)
		return -1;
	if (d.parent != 0) {
		*out = (struct place){ .kind = PLACE_DIRECTORY, .id = d.parent,
				       .version = p->version };
		return 0;
	}
	if (!view_version(m->view, c, p->version, &v))
		return err_set(e, MUNI_NOT_FOUND, "the version is gone");
	*out = (struct place){ .kind = PLACE_VERSIONS, .id = v.system };
	return 0;
}

/* ---- listing ------------------------------------------------------------------ */

struct listing {
	struct mount *m;
	struct catalogue *c;
	const struct place *dir;
	struct cursor at;	/* the last entry that was taken or skipped */
	uint64_t skip;		/* entries still to be passed over */
	struct cursor behind;	/* pass over all up to this name; name_size 0: none */
	enum look_depth depth;
	bool by_name;		/* nodes did not come along: nothing is hidden */
	int (*row)(void *arg, const struct look_row *r);
	void *arg;
	struct err *e;
};

static int too_far(struct listing *l)
{
	return too_big(l->e);
}

/* Whether a listing that began in an earlier generation had this one already. */
static bool is_passed(const struct listing *l, const struct entry *entry)
{
	const struct cursor *b = &l->behind;
	size_t shorter = entry->name_size < b->name_size ? entry->name_size : b->name_size;
	int by = memcmp(entry->name, b->name, shorter);

	return b->name_size > 0 && (by < 0 || (by == 0 && entry->name_size <= b->name_size));
}

static void keep_place(struct listing *l, const struct entry *entry)
{
	l->at.name_size = entry->name_size;
	memcpy(l->at.name, entry->name, entry->name_size);
}

/* node: NULL where nodes did not come along. */
static int describe(struct listing *l, const struct entry *entry, const struct node *node,
		    const struct place *p, struct look_row *row, struct found *found)
{
	struct node own;

	row->is_bare = !node && entry->kind == NODE_DIRECTORY &&
		       row->next > LOOK_DIRECTORIES + DOTS;
	if (l->depth == LOOK_NAMES || row->is_bare)
		return 0;
	if (!node) {
		if (within_node(l->m, l->c, p, &own, l->e) < 0)
			return -1;
		node = &own;
	}
	if (fill(l->m, l->c, p, row->ino, node, found, l->e) < 0)
		return -1;
	if (l->m->access_log && entry->kind != NODE_DIRECTORY)
		found->entry_timeout = 0;
	row->found = found;
	return 0;
}

static int on_entry(void *arg, const struct entry *entry, const struct node *node)
{
	struct listing *l = arg;
	struct place p = place_of(l->m, entry, l->dir->version);
	struct look_row row = { .name = entry->name, .next = l->at.count + 1 + DOTS,
				.type = attr_type((int)entry->kind) };
	struct found found;

	/* What is not shown has no number: a gap between two would tell of it. */
	if (node && !view_shows(l->m->view, node)) {
		keep_place(l, entry);
		return 0;
	}
	if (l->skip > 0) {
		l->skip--;
	} else if (!is_passed(l, entry)) {
		if (!look_ino(l->m, &p, &row.ino))
			return too_far(l);
		if (describe(l, entry, node, &p, &row, &found) < 0)
			return -1;
		if (l->row(l->arg, &row) != 0)
			return 1;
	}
	l->at.count++;
	keep_place(l, entry);
	return 0;
}

int within_list(struct mount *m, struct catalogue *c, const struct place *p, uint64_t offset,
		enum look_depth depth, int (*row)(void *arg, const struct look_row *r), void *arg,
		struct err *e)
{
	struct listing l = { .m = m, .c = c, .dir = p, .depth = depth, .row = row,
			     .arg = arg, .e = e };
	uint64_t ino, count = offset - DOTS;

	if (p->kind != PLACE_DIRECTORY)
		return err_set(e, MUNI_NOT_FOUND, "not a directory");
	if (!look_ino(m, p, &ino))
		return too_big(e);
	uint64_t first = cursors_first(m->cursors);
	if (count == 0)
		count = first;	/* the dots' offsets know no generation */
	else
		count = cursors_now(m->cursors, p->id, count);
	if (count >= first) {
		cursors_get(m->cursors, ino, count, &l.at);
		l.skip = count - l.at.count;
	} else {
		cursors_get(m->cursors, ino, count, &l.behind);
		l.at = (struct cursor){ .ino = ino, .count = first };
	}
	/* Nodes are asked for even where only names are: classes stand there. */
	if (depth == LOOK_GLANCE && view_hides_nothing(m, c, &l.by_name, e) < 0)
		return -1;
	if (catalogue_list(c, p->version, p->id, l.at.name_size ? l.at.name : NULL,
			   l.at.name_size, !l.by_name, on_entry, &l, e) < 0)
		return -1;
	if (l.at.name_size > 0)
		cursors_put(m->cursors, &l.at);
	return 0;
}
