#include "fs/mount/drop.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/mount/cursors.h"
#include "fs/mount/device.h"
#include "fs/mount/hidden.h"
#include "fs/mount/look.h"
#include "fs/mount/mount.h"
#include "fs/mount/ops.h"
#include "fs/mount/view.h"
#include "fs/store/catalogue_gone.h"

/* ---- one thing --------------------------------------------------------------------- */

void drop_entry(struct mount *m, uint64_t parent, const char *name)
{
	/* ENOENT: the kernel does not have it, which is what we want. */
	fuse_lowlevel_notify_inval_entry(m->session, parent, name, strlen(name));
}

/* Attributes and all pages: of a directory its listing, of a link its target. */
static void drop_place(struct mount *m, const struct place *p)
{
	uint64_t ino;

	if (look_ino(m, p, &ino))
		fuse_lowlevel_notify_inval_inode(m->session, ino, 0, 0);
}

void drop_top(struct mount *m)
{
	const struct place certificates = { .kind = PLACE_FIXED, .id = PLACE_CERTIFICATES };

	fuse_lowlevel_notify_inval_inode(m->session, PLACE_ROOT, 0, 0);
	drop_place(m, &certificates);
}

void drop_way_to(struct mount *m, const struct view_version *v, const char *label)
{
	const struct place versions = { .kind = PLACE_VERSIONS, .id = v->system };
	const struct place system = { .kind = PLACE_SYSTEM, .id = v->system };
	uint64_t ino;

	drop_place(m, &versions);
	drop_place(m, &system);
	if (look_ino(m, &system, &ino))
		drop_entry(m, ino, "latest");
	if (label && look_ino(m, &versions, &ino))
		drop_entry(m, ino, label);
}

/* ---- versions ------------------------------------------------------------------------- */

struct known {			/* versions that the kernel may have been told of */
	struct view_version *list;	/* owned; by id */
	size_t count;
	bool failed;
};

static int on_version(void *arg, const struct version *v)
{
	struct known *k = arg;

	if (k->count % 64 == 0) {
		struct view_version *more = realloc(k->list, (k->count + 64) * sizeof *more);
		k->failed = !more;
		if (!more)
			return 1;
		k->list = more;
	}
	k->list[k->count++] = (struct view_version){ v->id, v->system, v->root, v->ingested };
	return 0;
}

static int read_known(struct known *k, struct catalogue *c, struct err *e)
{
	if (catalogue_versions(c, 0, on_version, k, e) < 0)
		return -1;
	return k->failed ? err_set(e, MUNI_NO_MEMORY, "no memory for the list of versions") : 0;
}

struct dropping {
	struct mount *m;
	struct catalogue *c;	/* that rows come from */
	struct known known;
	const struct node_set *nodes;
	int64_t directory;	/* of the entry before; 0: none */
	int64_t first, last;	/* versions in which it lost something */
	struct err *e;
};

/* The directory in each known version from first to last. */
static void drop_directory(struct dropping *d, int64_t directory, int64_t first, int64_t last)
{
	cursors_note_lost(d->m->cursors, directory);
	for (size_t i = 0; i < d->known.count; i++) {
		const struct place p = { .kind = PLACE_DIRECTORY, .id = directory,
					 .version = d->known.list[i].id };
		if (p.version >= first && p.version <= last)
			drop_place(d->m, &p);
	}
}

/* ---- entries --------------------------------------------------------------------------- */

/* Listings are dropped once a directory, not once an entry. */
static void end_directory(struct dropping *d)
{
	if (d->directory != 0)
		drop_directory(d, d->directory, d->first, d->last);
	d->directory = 0;
}

static void drop_target(struct dropping *d, const struct gone_entry *r, int64_t version)
{
	struct place p = { .kind = PLACE_NODE, .id = r->target,
			   .version = d->m->o.audit ? version : 0 };

	if (r->kind == NODE_DIRECTORY) {
		p.kind = PLACE_DIRECTORY;
		p.version = version;
	}
	drop_place(d->m, &p);
}

static int on_entry(void *arg, const struct gone_entry *r)
{
	struct dropping *d = arg;
	struct place parent = { .kind = PLACE_DIRECTORY, .id = r->directory };
	uint64_t ino;

	if (d->directory != r->directory) {
		end_directory(d);
		d->directory = r->directory;
		d->first = r->first;
		d->last = r->last;
	}
	d->first = r->first < d->first ? r->first : d->first;
	d->last = r->last > d->last ? r->last : d->last;
	for (size_t i = 0; i < d->known.count; i++) {
		parent.version = d->known.list[i].id;
		if (parent.version < r->first || parent.version > r->last)
			continue;
		if (look_ino(d->m, &parent, &ino))
			drop_entry(d->m, ino, r->name);
		if (d->m->o.audit || r->kind == NODE_DIRECTORY)
			drop_target(d, r, parent.version);
	}
	/* After its names: who looks one up anew finds nothing to put pages into. */
	if (!d->m->o.audit && r->kind != NODE_DIRECTORY)
		drop_target(d, r, 0);
	return 0;
}

static int on_node(void *arg, int64_t node)
{
	struct dropping *d = arg;
	const struct place p = { .kind = PLACE_NODE, .id = node };

	drop_place(d->m, &p);
	return 0;
}

static int on_directory(void *arg, int64_t id, int64_t first, int64_t last)
{
	drop_directory(arg, id, first, last);
	return 0;
}

/* ---- versions and systems that went -------------------------------------------------------- */

static const struct view_version *find(const struct known *k, int64_t id)
{
	for (size_t i = 0; i < k->count; i++)
		if (k->list[i].id == id)
			return &k->list[i];
	return NULL;
}

/* Directories that stand on in other versions: for who has one open in this one. */
static int on_any_directory(void *arg, const struct directory *row)
{
	struct dropping *d = arg;

	drop_directory(d, row->id, row->first, row->last);
	return 0;
}

static int drop_versions(struct dropping *d, struct catalogue *now, struct err *e)
{
	struct known left = { .list = NULL };
	struct dropping went = *d;
	int rc = -1;

	went.known = (struct known){ .list = NULL };
	if (now && read_known(&left, now, e) < 0)
		goto out;
	for (size_t i = 0; i < d->known.count; i++) {
		const struct view_version *v = &d->known.list[i];
		struct version row;
		if (find(&left, v->id))
			continue;
		if (catalogue_version_get(d->c, v->id, &row, e) < 0)
			goto out;
		drop_way_to(d->m, v, row.label);
		drop_entry(d->m, PLACE_ROOT, row.system_name);
		if (on_version(&went.known, &row) != 0) {
			err_set(e, MUNI_NO_MEMORY, "no memory for the list of versions");
			goto out;
		}
	}
	rc = went.known.count == 0 ? 0 : catalogue_directories(d->c, on_any_directory, &went, e);
out:
	free(went.known.list);
	free(left.list);
	return rc;
}

/* Nothing may be certified as gone while the kernel could still show it. */
static int all_told(struct mount *m, unsigned long before, struct err *e)
{
	if (device_untold(m) == before)
		return 0;
	return err_set(e, MUNI_IO, "the kernel did not take back all that it was told to: unmount, "
		       "or ask again");
}

int drop_gone(struct mount *m, struct catalogue *old, struct catalogue *now, struct err *e)
{
	struct dropping d = { .m = m, .c = old, .e = e };
	unsigned long untold = device_untold(m);
	int rc = -1;

	if (read_known(&d.known, old, e) < 0 || drop_versions(&d, now, e) < 0 ||
	    catalogue_gone_entries(old, now, on_entry, &d, e) < 0)
		goto out;
	end_directory(&d);
	if (catalogue_gone_directories(old, now, on_directory, &d, e) < 0)
		goto out;
	/* On an audited mount the numbers of nodes tell the version: by entries, above. */
	if (!m->o.audit && catalogue_gone_nodes(old, now, on_node, &d, e) < 0)
		goto out;
	drop_top(m);
	rc = all_told(m, untold, e);
out:
	free(d.known.list);
	return rc;
}

/* ---- nodes that are shown otherwise --------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* A directory whose own node is among them. */
static int on_node_of_directory(void *arg, const struct directory *row)
{
	struct dropping *d = arg;
	struct err ignored = ERR_NONE;
	struct entry name;
	uint64_t ino;

	if (!bsearch(&row->node, d->nodes->ids, d->nodes->count, sizeof row->node, by_id))
		return 0;
	drop_directory(d, row->id, row->first, row->last);
	drop_directory(d, row->parent, row->first, row->last);
	for (size_t i = 0; i < d->known.count; i++) {
		struct place up = { .kind = PLACE_DIRECTORY, .id = row->parent,
				    .version = d->known.list[i].id };
		if (up.version >= row->first && up.version <= row->last && up.id != 0 &&
		    look_ino(d->m, &up, &ino) &&
		    catalogue_directory_name(d->c, up.version, row->id, &name, &ignored) == 0)
			drop_entry(d->m, ino, name.name);
	}
	return 0;
}

int drop_nodes(struct mount *m, struct catalogue *c, const struct node_set *nodes,
	       struct err *e)
{
	struct dropping d = { .m = m, .c = c, .nodes = nodes, .e = e };
	unsigned long untold = device_untold(m);
	int rc = -1;

	if (nodes->count == 0)
		return 0;
	if (read_known(&d.known, c, e) < 0 ||
	    catalogue_entries_of_nodes(c, nodes->ids, nodes->count, on_entry, &d, e) < 0)
		goto out;
	end_directory(&d);
	rc = catalogue_directories(c, on_node_of_directory, &d, e);
	if (rc == 0)
		rc = all_told(m, untold, e);
out:
	free(d.known.list);
	return rc;
}
