/*
 * The walk keeps the path and, per level, which directory it is in; the name
 * that it stands on is the path's last part.  A directory is listed in runs:
 * files up to TREE_RUN, or up to the first directory, which ends a run, is
 * entered, and left again by listing on after its name.  So memory is one run
 * and the path, however deep and wide the tree is, and no listing is open
 * while row() works.
 */
#include "fs/vault/tree.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/barred.h"

#define TREE_RUN 256
/* A loop in a forged catalogue ends here, not in memory. */
#define TREE_PATH_MAX ((size_t)16 << 20)

/* ---- one path --------------------------------------------------------------- */

static int find_root(struct catalogue *c, const struct version *v, struct entry *entry,
		     struct err *e)
{
	struct directory root;

	if (catalogue_directory(c, v->id, v->root, &root, e) < 0)
		return -1;
	*entry = (struct entry){
		.kind = NODE_DIRECTORY,
		.first = root.first,
		.last = root.last,
		.directory = root.id,
		.node = root.node,
	};
	return 0;
}

static int find_failed(const struct version *v, const char *path, size_t size,
		       struct err *e)
{
	if (e->code != MUNI_NOT_FOUND)
		return err_wrap(e, "looking for %s", text_printable_n(path, size));
	return err_set(e, MUNI_NOT_FOUND, "there is no %s in %s@%s",
		       text_printable_n(path, size), text_printable(v->system_name),
		       text_printable(v->label));
}

/* MUNI_NOT_FOUND where the entry is barred. */
static int look_behind(struct catalogue *c, const struct barred *barred,
		       const struct entry *entry, struct err *e)
{
	struct node n;

	if (!barred || barred->count == 0)
		return 0;
	if (catalogue_node(c, entry->node, false, &n, e) < 0)
		return -1;
	return barred_has(barred, &n) ? err_set(e, MUNI_NOT_FOUND, "restricted") : 0;
}

int tree_find(struct catalogue *c, const struct version *v, const void *path,
	      size_t path_size, struct entry *entry, struct node *node, struct err *e)
{
	return tree_find_shown(c, v, path, path_size, NULL, entry, node, e);
}

int tree_find_shown(struct catalogue *c, const struct version *v, const void *path,
		    size_t path_size, const struct barred *barred, struct entry *entry,
		    struct node *node, struct err *e)
{
	const char *p = path;
	size_t at = 0;

	if (find_root(c, v, entry, e) < 0)
		return -1;
	while (at < path_size) {
		const char *slash = memchr(p + at, '/', path_size - at);
		size_t end = slash != NULL ? (size_t)(slash - p) : path_size;
		int64_t directory = entry->directory;

		if (entry->kind != NODE_DIRECTORY)
			return err_set(e, MUNI_NOT_FOUND, "%s in %s@%s is not a directory",
				       text_printable_n(p, at - 1),
				       text_printable(v->system_name),
				       text_printable(v->label));
		if (end - at > CATALOGUE_NAME_MAX)
			return err_set(e, MUNI_NOT_FOUND, "there is no %s: no name is that long",
				       text_printable_n(p, end));
		if (catalogue_lookup(c, v->id, directory, p + at, end - at, entry, e) < 0 ||
		    look_behind(c, barred, entry, e) < 0)
			return find_failed(v, p, end, e);
		at = end + 1;
	}
	return catalogue_node(c, entry->node, true, node, e);
}

/* ---- the walk --------------------------------------------------------------- */

struct level {
	int64_t directory;
	size_t base;		/* of the path: where names of this directory begin */
};

struct run {
	struct entry entries[TREE_RUN];
	struct node nodes[TREE_RUN];
	size_t count;
	bool is_last;		/* nothing follows it in its directory */
	struct err failed;	/* code MUNI_OK: none */
};

struct walk {
	struct catalogue *c;
	const struct version *version;
	struct run *run;	/* owned */
	struct level *levels;	/* owned */
	size_t depth, levels_size;
	struct buffer path;	/* NUL ended, the NUL not counted */
};

/* C4: what would lead out of its directory is not a name. */
static bool is_name(const struct entry *n)
{
	return n->name_size > 0 && n->name_size <= CATALOGUE_NAME_MAX &&
	       memchr(n->name, '/', n->name_size) == NULL &&
	       memchr(n->name, '\0', n->name_size) == NULL &&
	       strcmp(n->name, ".") != 0 && strcmp(n->name, "..") != 0;
}

static int take_entry(void *arg, const struct entry *entry, const struct node *node)
{
	struct run *run = arg;

	if (run->count == TREE_RUN) {
		run->is_last = false;
		return 1;
	}
	if (!is_name(entry))
		return err_set(&run->failed, MUNI_DAMAGED, "the catalogue holds the name \"%s\"",
			       text_printable_n(entry->name, entry->name_size));
	run->entries[run->count] = *entry;
	run->nodes[run->count] = *node;
	run->count++;
	if (entry->kind != NODE_DIRECTORY)
		return 0;
	run->is_last = false;
	return 1;
}

/* The path becomes its first `base` bytes and the name; 0-ended. */
static int set_name(struct walk *w, size_t base, const char *name, size_t size,
		    struct err *e)
{
	w->path.size = base;
	buffer_append(&w->path, name, size);
	buffer_u8(&w->path, '\0');
	if (w->path.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a path");
	w->path.size--;
	if (w->path.size > TREE_PATH_MAX)
		return err_set(e, MUNI_DAMAGED, "a path is longer than %zu bytes: the catalogue "
			       "loops", TREE_PATH_MAX);
	return 0;
}

static int enter(struct walk *w, int64_t directory, size_t base, struct err *e)
{
	if (w->depth == w->levels_size) {
		size_t more = w->levels_size > 0 ? 2 * w->levels_size : 64;
		struct level *grown = realloc(w->levels, more * sizeof *grown);

		if (grown == NULL)
			return err_set(e, MUNI_NO_MEMORY, "no memory for a path");
		w->levels = grown;
		w->levels_size = more;
	}
	w->levels[w->depth++] = (struct level){ directory, base };
	return 0;
}

static int enter_named(struct walk *w, int64_t directory, struct err *e)
{
	size_t size = w->path.size;

	if (set_name(w, size, "/", 1, e) < 0 || enter(w, directory, size + 1, e) < 0)
		return -1;
	return 0;
}

/* Lists on after the name that the path ends in (none: from the first). */
static int fill_run(struct walk *w, struct err *e)
{
	const struct level *level = &w->levels[w->depth - 1];
	const char *after = (const char *)w->path.data + level->base;
	size_t after_size = w->path.size - level->base;

	w->run->count = 0;
	w->run->is_last = true;
	w->run->failed.code = MUNI_OK;
	if (catalogue_list(w->c, w->version->id, level->directory,
			   after_size > 0 ? after : NULL, after_size, true, take_entry, w->run,
			   e) == 0)
		return 0;
	if (w->run->failed.code != MUNI_OK)
		*e = w->run->failed;
	return -1;
}

/* One run: 1 stop, -1 failed, 0 go on (perhaps a level deeper). */
static int walk_run(struct walk *w, int (*row)(void *arg, const struct tree_item *item),
		    void *arg, struct err *e)
{
	size_t base = w->levels[w->depth - 1].base;
	struct run *run = w->run;

	if (fill_run(w, e) < 0)
		return -1;
	for (size_t i = 0; i < run->count; i++) {
		const struct entry *entry = &run->entries[i];
		struct tree_item item = { .entry = entry, .node = &run->nodes[i] };
		int rc;

		if (set_name(w, base, entry->name, entry->name_size, e) < 0)
			return -1;
		item.path = (const char *)w->path.data;
		item.path_size = w->path.size;
		rc = row(arg, &item);
		if (rc == 1 || rc < 0)
			return rc;
		if (entry->kind == NODE_DIRECTORY && rc != 2)
			return enter_named(w, entry->directory, e);
	}
	if (run->is_last) {
		/* Up: what is left of the path is this directory's own name. */
		w->depth--;
		w->path.size = base > 0 ? base - 1 : 0;
	}
	return 0;
}

int tree_walk(struct catalogue *c, const struct version *v, int64_t directory,
	      const char *prefix, int (*row)(void *arg, const struct tree_item *item),
	      void *arg, struct err *e)
{
	struct walk w = { .c = c, .version = v };
	int rc = -1;

	w.run = malloc(sizeof *w.run);
	if (w.run == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory to walk a tree");
		goto out;
	}
	if (set_name(&w, 0, prefix, strlen(prefix), e) < 0)
		goto out;
	rc = *prefix != '\0' ? enter_named(&w, directory, e) : enter(&w, directory, 0, e);
	while (rc == 0 && w.depth > 0)
		rc = walk_run(&w, row, arg, e);
	if (rc > 0)
		rc = 0;
out:
	free(w.run);
	free(w.levels);
	buffer_free(&w.path);
	return rc;
}
