/*
 * Paths of what goes: inventory, overrides and problems stand by path.  Kept as hashes
 * of (system, path), sorted: 32 bytes each, however long the path.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/doom_inside.h"

#define PATH_MAX_BYTES (1u << 20)

static struct digest path_digest(int64_t system, const void *path, size_t size,
				 struct buffer *scratch)
{
	struct digest out = { { 0 } };

	buffer_reset(scratch);
	buffer_u64(scratch, (uint64_t)system);
	buffer_append(scratch, path, size);
	if (!scratch->failed)
		out = digest_of(scratch->data, scratch->size);
	return out;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SIZE);
}

static bool has(const struct doom *d, int64_t system, const void *path, size_t size)
{
	uint8_t room[512];
	struct digest key;

	if (d->path_count == 0)
		return false;
	if (size <= sizeof room - 8) {
		struct writer w = writer_over(room, sizeof room);

		writer_u64(&w, (uint64_t)system);
		writer_bytes(&w, path, size);
		key = digest_of(room, w.used);
	} else {
		struct buffer b = { 0 };

		key = path_digest(system, path, size, &b);
		buffer_free(&b);
	}
	return bsearch(&key, d->paths, d->path_count, sizeof key, by_bytes) != NULL;
}

bool doom_path_is_gone(const struct doom *d, int64_t system, const void *path, size_t size)
{
	return bits_has(&d->systems_gone, system) || has(d, system, path, size);
}

bool doom_path_is_below_gone(const struct doom *d, int64_t system, const void *path,
			     size_t size)
{
	const char *p = path;

	if (doom_path_is_gone(d, system, path, size))
		return true;
	for (size_t i = 1; i < size && d->path_count > 0; i++)
		if (p[i] == '/' && has(d, system, path, i))
			return true;
	return false;
}

/* ---- climbing ------------------------------------------------------------------------ */

struct step {			/* on the way up: the path below `directory` in these versions */
	int64_t directory, first, last;
	size_t below;		/* in text: from here to its end, backwards */
	size_t size;
};

struct climb {
	struct doom *d;
	int (*row)(void *arg, int64_t system, const void *path, size_t size);
	void *arg;
	struct step *todo;
	size_t count, capacity;
	struct buffer text;	/* of all steps; each step's own bytes, whole */
};

static int push(struct climb *c, int64_t directory, const void *name, size_t name_size,
		const struct step *from, int64_t first, int64_t last, struct err *e)
{
	struct step *list = doom_room(c->todo, c->count, &c->capacity, sizeof *list, e);
	size_t size = name_size + (from ? 1 + from->size : 0);
	size_t at = c->text.size;

	if (!list)
		return -1;
	c->todo = list;
	if (size > PATH_MAX_BYTES)
		return err_set(e, MUNI_DAMAGED, "the catalogue is damaged: a directory stands "
			       "within itself; run `muni verify`");
	buffer_append(&c->text, name, name_size);
	if (from) {
		struct buffer below = { 0 };

		/* The buffer may move while it grows, with what is copied. */
		buffer_append(&below, c->text.data + from->below, from->size);
		buffer_u8(&c->text, '/');
		buffer_append(&c->text, below.data, below.size);
		c->text.failed = c->text.failed || below.failed;
		buffer_free(&below);
	}
	if (c->text.failed)
		return doom_no_memory(e);
	list[c->count++] = (struct step){ directory, first, last, at, size };
	return 0;
}

static int climb_one(struct climb *c, const struct step *from, struct err *e)
{
	const struct doom *d = c->d;

	for (size_t i = doom_edges_of(d, from->directory);
	     i < d->edge_count && d->edges[i].child == from->directory; i++) {
		const struct edge *x = &d->edges[i];
		int64_t first = x->first > from->first ? x->first : from->first;
		int64_t last = x->last < from->last ? x->last : from->last;

		if (first <= last && push(c, x->parent, d->names.data + x->name, x->name_size,
					  from, first, last, e) < 0)
			return -1;
	}
	return 0;
}

static int64_t system_of_root(const struct doom *d, int64_t directory)
{
	const struct folder *f = doom_folder(d, directory);

	if (!f || f->system == 0)
		return 0;
	for (size_t i = 0; i < d->root_count; i++)
		if (d->roots[i].id == f->system)
			return d->roots[i].directory == directory ? f->system : 0;
	return 0;
}

int doom_each_path(struct doom *d, int64_t directory, const void *name, size_t name_size,
		   int64_t first, int64_t last,
		   int (*row)(void *arg, int64_t system, const void *path, size_t size),
		   void *arg, struct err *e)
{
	struct climb c = { .d = d, .row = row, .arg = arg };
	int rc = push(&c, directory, name, name_size, NULL, first, last, e);

	while (rc == 0 && c.count > 0) {
		const struct step at = c.todo[--c.count];
		int64_t system = system_of_root(d, at.directory);

		rc = system ? row(arg, system, c.text.data + at.below, at.size) :
			climb_one(&c, &at, e);
	}
	free(c.todo);
	buffer_free(&c.text);
	return rc;
}

/* ---- the set --------------------------------------------------------------------------- */

struct noting {
	struct doom *d;
	struct err *e;
	struct buffer scratch;
	int64_t last;		/* version that the record stood in last */
};

/* The system's newest version; 0: none that is shown. */
static int64_t newest_of(const struct doom *d, int64_t system)
{
	int64_t newest = 0;

	for (size_t i = 0; i < d->version_count; i++)
		if (d->versions[i].system == system && d->versions[i].id > newest &&
		    !bits_has(&d->versions_gone, d->versions[i].id))
			newest = d->versions[i].id;
	return newest;
}

/* Another record stands under that path now, in another directory of that name: what is
 * said of the path is said of it. */
static bool stands_anew(struct noting *n, int64_t system, const char *path, size_t size)
{
	struct doom *d = n->d;
	int64_t version = newest_of(d, system), directory = 0;
	struct err none = ERR_NONE;
	struct entry entry = { .kind = NODE_DIRECTORY };

	if (n->last >= version)
		return false;
	for (size_t i = 0; i < d->root_count; i++)
		if (d->roots[i].id == system)
			directory = d->roots[i].directory;
	while (size > 0) {
		const char *slash = memchr(path, '/', size);
		size_t name = slash ? (size_t)(slash - path) : size;

		if (entry.kind != NODE_DIRECTORY ||
		    catalogue_lookup(d->catalogue, version, directory, path, name, &entry,
				     &none) < 0)
			return false;
		if (!slash)
			break;
		directory = entry.directory;
		path += name + 1;
		size -= name + 1;
	}
	return entry.kind != NODE_DIRECTORY && bits_has(&d->directories, directory) &&
	       !doom_record(d, directory, entry.name, entry.name_size, entry.first);
}

static int add_path(struct noting *n, int64_t system, const void *path, size_t size)
{
	struct doom *d = n->d;
	struct digest *list = doom_room(d->paths, d->path_count, &d->path_capacity,
					sizeof *list, n->e);

	if (!list)
		return -1;
	d->paths = list;
	list[d->path_count] = path_digest(system, path, size, &n->scratch);
	if (n->scratch.failed)
		return doom_no_memory(n->e);
	d->path_count++;
	return 0;
}

/* Also as it is shown to people: so it stands in what the log says. */
static int note(void *arg, int64_t system, const void *path, size_t size)
{
	struct noting *n = arg;
	char *shown;
	int rc;

	if (bits_has(&n->d->systems_gone, system) || stands_anew(n, system, path, size))
		return 0;
	shown = text_printable_dup(path, size);
	if (!shown)
		return doom_no_memory(n->e);
	rc = add_path(n, system, path, size);
	if (rc == 0 && (strlen(shown) != size || memcmp(shown, path, size) != 0))
		rc = add_path(n, system, shown, strlen(shown));
	free(shown);
	return rc;
}

int doom_mark_paths(struct doom *d, struct err *e)
{
	struct noting n = { .d = d, .e = e };
	int rc = 0;

	for (size_t i = 0; i < d->record_count && rc == 0; i++) {
		const struct doomed *r = &d->records[i];

		const struct folder *f = doom_folder(d, r->directory);

		if (f && !bits_add(&d->systems_touched, f->system))
			rc = doom_no_memory(e);
		n.last = r->last;
		if (r->is_superseded || rc < 0)
			continue;
		rc = doom_each_path(d, r->directory, d->names.data + r->name, r->name_size,
				    r->first, r->last, note, &n, e);
	}
	for (size_t i = 0; i < d->edge_count && rc == 0; i++) {
		const struct edge *x = &d->edges[i];

		n.last = x->last;
		if (x->is_kept)
			continue;
		rc = doom_each_path(d, x->parent, d->names.data + x->name, x->name_size,
				    x->first, x->last, note, &n, e);
	}
	buffer_free(&n.scratch);
	if (rc == 0 && d->path_count > 1)
		qsort(d->paths, d->path_count, sizeof *d->paths, by_bytes);
	return rc;
}
