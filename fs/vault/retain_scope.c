/*
 * Scopes of holds, extensions and restrictions.  Cheap questions come first; only a
 * query needs the inventory.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/retain_inside.h"

/* ---- paths -------------------------------------------------------------------------- */

int path_scope_open(struct path_scope *p, struct memory *m, const char *text, struct err *e)
{
	size_t size = strlen(text);
	struct glob *glob;

	*p = (struct path_scope){ .glob = NULL };
	while (size > 1 && text[size - 1] == '/')
		size--;
	char *name = memory_text(m, text, size);
	if (!name)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a path");
	if (glob_new(m, name, 0, &glob, e) < 0)
		return -1;
	p->glob = glob;
	if (!strpbrk(name, "*?[\\")) {
		p->name = name;
		p->name_size = size;
	}
	return 0;
}

bool path_scope_covers(const struct path_scope *p, const char *path, size_t size)
{
	if (!p->name)
		return !p->glob || glob_match(p->glob, path, size);
	return size >= p->name_size && memcmp(path, p->name, p->name_size) == 0 &&
	       (size == p->name_size || path[p->name_size] == '/');
}

/* ---- scopes ------------------------------------------------------------------------- */

int scope_open(struct scope *s, struct memory *m, const struct scope_row *row,
	       const char *what, struct err *e)
{
	*s = (struct scope){ .system = row->system, .upto = row->upto };
	if (row->path && path_scope_open(&s->path, m, row->path, e) < 0)
		return err_wrap(e, "the path of %s", what);
	if (row->class_code && !(s->class_code = strdup(row->class_code)))
		return err_set(e, MUNI_NO_MEMORY, "no memory for %s", what);
	return row->query ? when_load(row->query, what, &s->query, e) : 0;
}

void scope_close(struct scope *s)
{
	free(s->class_code);
	when_free(s->query);
	*s = (struct scope){ .system = 0 };
}

/* ---- what a query asks of a record --------------------------------------------------- */

void scope_facts_begin(struct scope_facts *f, const struct record *r)
{
	f->record = r;
	f->is_filled = false;
}

void scope_facts_close(struct scope_facts *f)
{
	item_facts_free(&f->facts);
	if (f->has_item)
		item_row_clear(&f->item);
	f->has_item = false;
}

static int find_item(struct scope_facts *f, struct err *e)
{
	const struct record *r = f->record;
	struct err missing = ERR_NONE;

	if (f->has_item)
		item_row_clear(&f->item);
	f->has_item = catalogue_item_find(f->c, r->system, r->path, r->path_size, true,
					  &f->item, &missing) == 0;
	if (!f->has_item && missing.code != MUNI_NOT_FOUND) {
		*e = missing;
		return -1;
	}
	return 0;
}

bool retain_is_as_scanned(const struct item_row *item, const struct node *n)
{
	return item->kind == n->kind && item->mtime.seconds == n->mtime.seconds &&
	       item->mtime.ns == n->mtime.ns && (n->kind != NODE_FILE || item->size == n->size);
}

/* Where the inventory says nothing of the file as it was archived, nothing about its
 * content is sure. */
static int fill(struct scope_facts *f, struct err *e)
{
	static const char unseen[] = "it was not looked into as it was archived";
	const struct node *n = f->record->node;
	struct facts *to = &f->facts.facts;

	if (find_item(f, e) < 0)
		return -1;
	struct item_row bare = { .path = (char *)f->record->path, .kind = n->kind };
	if (item_facts_fill(&f->facts, f->has_item ? &f->item : &bare, NULL, 0, e) < 0)
		return -1;
	if (!f->has_item || !retain_is_as_scanned(&f->item, n))
		to->opaque = unseen;
	to->path = f->record->path;
	to->size = n->size;
	to->modified = n->mtime.seconds;
	to->changed = n->ctime.seconds;
	to->accessed = n->atime.seconds;
	to->has_created = n->has_btime;
	to->created = n->btime.seconds;
	to->uid = n->uid;
	to->gid = n->gid;
	to->mode = n->mode;
	to->owner = to->group = NULL;
	if (n->owner != 0 && catalogue_account(f->c, n->owner, f->owner, e) == 0)
		to->owner = f->owner;
	else if (n->owner != 0)
		return -1;
	if (n->group != 0 && catalogue_account(f->c, n->group, f->group, e) == 0)
		to->group = f->group;
	else if (n->group != 0)
		return -1;
	f->is_filled = true;
	return 0;
}

static int matches_query(const struct scope *s, struct scope_facts *f, bool is_strict,
			 bool *out, struct err *e)
{
	bool is_sure;

	if (!f->is_filled && fill(f, e) < 0)
		return -1;
	bool holds = when_holds(s->query, &f->facts.facts, f->now, &is_sure);
	*out = is_strict ? holds && is_sure : holds || !is_sure;
	/* Its path may be asked for, and each that it ever had counts. */
	for (size_t i = 0; !*out && i < f->record->other_count; i++) {
		f->facts.facts.path = f->record->other_paths[i];
		holds = when_holds(s->query, &f->facts.facts, f->now, &is_sure);
		*out = is_strict ? holds && is_sure : holds || !is_sure;
	}
	f->facts.facts.path = f->record->path;
	return 0;
}

/* ---- covering ----------------------------------------------------------------------- */

static bool has_class(const struct scope *s, const char *const *classes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(s->class_code, classes[i]) == 0)
			return true;
	return false;
}

static bool has_path(const struct scope *s, const struct record *r)
{
	if (path_scope_covers(&s->path, r->path, r->path_size))
		return true;
	for (size_t i = 0; i < r->other_count; i++)
		if (path_scope_covers(&s->path, r->other_paths[i], strlen(r->other_paths[i])))
			return true;
	return false;
}

int scope_covers(const struct scope *s, const struct record *r, const char *const *classes,
		 size_t class_count, struct scope_facts *f, bool is_strict, bool *out,
		 struct err *e)
{
	*out = (s->system == 0 || s->system == r->system) &&
	       (s->upto == 0 || r->key.first <= s->upto) &&
	       (!s->class_code || has_class(s, classes, class_count)) &&
	       (!s->path.glob || has_path(s, r));
	if (!*out || !s->query)
		return 0;
	return matches_query(s, f, is_strict, out, e);
}
