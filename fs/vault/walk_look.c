/*
 * Looking at one directory: its names and numbers against the version before.
 * What is unchanged is counted and forgotten; the rest is what the walker acts on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/total.h"
#include "fs/vault/walk_inside.h"

#define PRIOR_CACHE (4u * 1024 * 1024)
#define LOOK_SOON 256

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory while walking the source");
}

int looker_open(struct looker *l, const struct vantage *v, struct err *e)
{
	*l = (struct looker){ .vantage = v, .priors = prior_list_new(),
			      .seen = malloc(LOOK_ENTRIES * sizeof *l->seen) };
	if (!l->priors || !l->seen)
		return no_memory(e);
	return v->g->version.previous == 0 ? 0 :
		vault_connect(v->g->vault, PRIOR_CACHE, &l->catalogue, e);
}

void looker_close(struct looker *l)
{
	prior_list_free(l->priors);
	free(l->seen);
	if (l->catalogue)
		catalogue_close_beside(l->catalogue);
	*l = (struct looker){ 0 };
}

/* ---- what is believed ------------------------------------------------------------- */

/* A file that changed in the very second in which the version before began may
 * have changed again behind the same times: its content is looked at. */
bool walk_is_racy(const struct ingest *g, const struct stamp *ctime)
{
	return ctime->seconds >= g->prior_ingested;
}

bool walk_is_device(const struct vantage *v, uint64_t before, uint64_t now)
{
	if (before == now)
		return true;
	for (size_t i = 0; now == v->top_device && i < v->former_count; i++)
		if (v->former[i] == before)
			return true;
	return false;
}

static bool is_unchanged(const struct vantage *v, const struct node *n, const struct meta *m)
{
	return !v->g->options->reread && n->kind == m->kind && !n->is_unstable &&
	       n->source_inode != 0 && n->source_inode == m->inode &&
	       walk_is_device(v, n->source_device, m->device) && n->mode == m->mode &&
	       n->uid == m->uid && n->gid == m->gid && n->links == m->links &&
	       (m->kind != NODE_FILE || n->size == m->size) &&
	       stamp_equal(&n->mtime, &m->mtime) && stamp_equal(&n->ctime, &m->ctime) &&
	       !walk_is_racy(v->g, &m->ctime);
}

/* ---- what is seen ------------------------------------------------------------------- */

static struct sight *add_sight(struct look *k, enum sight_kind kind, const char *name,
			       size_t name_size)
{
	struct sight *s;

	if (k->sight_count == k->sight_capacity) {
		size_t more = k->sight_capacity ? k->sight_capacity * 2 : 64;
		struct sight *list = realloc(k->sights, more * sizeof *list);

		if (!list)
			return NULL;
		k->sights = list;
		k->sight_capacity = more;
	}
	s = &k->sights[k->sight_count];
	s->kind = kind;
	s->name_at = (uint32_t)k->text.size;
	s->name_size = (uint16_t)name_size;
	s->is_same = false;
	s->why = 0;
	s->prior = (struct prior){ .is_there = false };
	s->class_id = s->keeps = 0;
	buffer_append(&k->text, name, name_size);
	buffer_u8(&k->text, 0);
	if (k->text.failed)
		return NULL;
	k->sight_count++;
	return s;
}

static struct prior prior_of(const struct entry *entry)
{
	return (struct prior){ .is_there = true, .kind = entry->kind,
			       .first = entry->first, .node = entry->node,
			       .directory = entry->directory };
}

static int see_gone(struct look *k, const struct entry *entry, struct err *e)
{
	struct sight *s = add_sight(k, SIGHT_GONE, entry->name, entry->name_size);

	if (!s)
		return no_memory(e);
	s->prior = prior_of(entry);
	return 0;
}

static int see_directory(struct look *k, const char *name, const struct entry *entry,
			 const struct node *node, struct err *e)
{
	size_t size = strlen(name);
	struct child *c = calloc(1, sizeof *c + size + 1);

	if (c && k->child_count == k->child_capacity) {
		size_t more = k->child_capacity ? k->child_capacity * 2 : 8;
		struct child **list = realloc(k->children, more * sizeof *list);

		if (!list) {
			free(c);
			return no_memory(e);
		}
		k->children = list;
		k->child_capacity = more;
	}
	if (!c)
		return no_memory(e);
	c->name_size = size;
	memcpy(c->name, name, size);
	if (entry)
		c->prior = prior_of(entry);
	if (node) {
		c->device = node->source_device;
		c->inode = node->source_inode;
		c->mtime = node->mtime;
		c->ctime = node->ctime;
	}
	k->children[k->child_count++] = c;
	return 0;
}

void look_count(struct look *k, const struct meta *m)
{
	k->unchanged++;
	if (m->kind == NODE_FILE) {
		k->kept.files++;
		total_add(&k->kept.bytes, m->size);
		k->kept_held += m->held;
	} else {
		k->kept.others++;
	}
}

static int see_item(const struct vantage *v, struct look *k, const char *name,
		    const struct statx *sx, const struct entry *entry,
		    const struct node *node, int64_t class_id, struct err *e)
{
	const struct ingest *g = v->g;
	struct meta m = { .kind = 0 };
	bool is_same, is_moved;
	struct sight *s;

	walk_numbers(sx, &m);
	is_same = node && is_unchanged(v, node, &m);
	/* Re-classified (a decision gave the class): another node, the same content. */
	is_moved = is_same && g->selection && ingest_class_base(g, node->class_id) != class_id;
	if (is_same && !is_moved && m.links < 2) {
		look_count(k, &m);
		return 0;
	}
	s = add_sight(k, SIGHT_ITEM, name, strlen(name));
	if (!s)
		return no_memory(e);
	s->sx = *sx;
	s->is_same = is_same && !is_moved;
	s->keeps = is_moved ? node->id : 0;
	s->class_id = class_id;
	if (entry)
		s->prior = prior_of(entry);
	return 0;
}

/* ---- which names are wanted ------------------------------------------------------------ */

/* Is it taken in, by its path, and as what? */
static int choose(const struct vantage *v, struct look *k, const char *name,
		  const struct statx *sx, bool *is_wanted, int64_t *class_id, struct err *e)
{
	const struct ingest *g = v->g;
	bool is_directory = S_ISDIR(sx->stx_mode);
	struct selected s;
	struct meta m;
	char *path;

	*is_wanted = true;
	*class_id = g->class_id;
	if (!k->path)
		return 0;
	if (asprintf(&path, "%s%s%s", k->path, *k->path ? "/" : "", name) < 0)
		return no_memory(e);
	*is_wanted = !walk_is_excluded(g->options, path, name, is_directory);
	if (*is_wanted && g->selection && !is_directory) {
		m = (struct meta){ .kind = 0 };
		walk_numbers(sx, &m);
		s = ingest_select(g, path, strlen(path), &m, true, &k->left_out);
		*class_id = s.class_id;
		*is_wanted = s.decision == DECISION_ARCHIVE;
	}
	free(path);
	return 0;
}

/* Not to be taken in: sights say why where somebody is to be told. */
static int pass_over(struct look *k, const char *name, enum sight_kind kind, int why,
		     const struct entry *entry, struct err *e)
{
	struct sight *s;

	if (kind != SIGHT_ITEM) {
		s = add_sight(k, kind, name, strlen(name));
		if (!s)
			return no_memory(e);
		s->why = why;
	}
	return entry ? see_gone(k, entry, e) : 0;
}

static int see_name(const struct vantage *v, struct look *k, const char *name,
		    const struct seen *seen, const struct entry *entry,
		    const struct node *node, struct err *e)
{
	const struct statx *sx = &seen->sx;
	bool is_directory, is_wanted;
	int64_t class_id;

	if (seen->why == ENAMETOOLONG)
		return pass_over(k, name, SIGHT_LONG_NAME, 0, entry, e);
	if (seen->why != 0)
		return pass_over(k, name, SIGHT_UNREADABLE, seen->why, entry, e);
	is_directory = S_ISDIR(sx->stx_mode);
	if (is_directory && sx->stx_ino == v->archive_inode &&
	    walk_device(sx) == v->archive_device)
		return pass_over(k, name, SIGHT_ARCHIVE, 0, entry, e);
	if (choose(v, k, name, sx, &is_wanted, &class_id, e) < 0)
		return -1;
	if (!is_wanted)
		return pass_over(k, name, SIGHT_ITEM, 0, entry, e);
	/* A directory and another kind under one name: one goes, the other comes. */
	if (entry && (entry->kind == NODE_DIRECTORY) != is_directory) {
		if (see_gone(k, entry, e) < 0)
			return -1;
		entry = NULL;
		node = NULL;
	}
	return is_directory ? see_directory(k, name, entry, node, e)
			    : see_item(v, k, name, sx, entry, node, class_id, e);
}

/* ---- names against the version before ------------------------------------------------- */

static void forget_sights(struct look *k)
{
	k->sight_count = k->child_count = 0;
	buffer_reset(&k->text);
	k->unchanged = k->kept_held = 0;
	k->kept = (struct tally){ 0 };
	k->left_out = (struct left_out){ 0 };
}

static void see_numbers(struct looker *l, const struct look *k)
{
	size_t left = k->names.count - k->next;

	bool has_directory = false;
	size_t i;

	/* Where there is something below, others want to hear of it soon. */
	for (i = 0; i < left && i < LOOK_ENTRIES && !(has_directory && i >= LOOK_SOON); i++) {
		const char *name = k->names.list[k->next + i];
		struct seen *s = &l->seen[i];

		s->why = 0;
		if (strlen(name) > CATALOGUE_NAME_MAX)	/* some file systems have them */
			s->why = ENAMETOOLONG;
		else if (statx(k->handle->fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
			       WALK_STATX_MASK, &s->sx) < 0)
			s->why = errno;
		has_directory = has_directory || (s->why == 0 && S_ISDIR(s->sx.stx_mode));
	}
	l->seen_count = i;
}

int look_on(struct looker *l, struct look *k, struct err *e)
{
	const struct entry *entry;
	const struct node *node;
	size_t seen = 0;

	forget_sights(k);
	see_numbers(l, k);
	if (look_numbers(l, k, e) < 0)
		return -1;
	if (k->is_end)
		return 0;
	prior_list_start(l->priors, l->catalogue, l->vantage->g->version.previous,
			 k->directory, k->after);
	for (unsigned i = 0; i < LOOK_ENTRIES; i++) {
		const char *name = k->next < k->names.count ? k->names.list[k->next] : NULL;
		int order;

		if (name && seen == l->seen_count)
			return 0;
		if (prior_list_peek(l->priors, &entry, &node, e) < 0)
			return -1;
		k->is_end = !name && !entry;
		if (k->is_end)
			return 0;
		order = !name ? 1 : !entry ? -1 : strcmp(name, entry->name);
		if (order > 0 ? see_gone(k, entry, e) < 0 :
		    see_name(l->vantage, k, name, &l->seen[seen++],
			     order == 0 ? entry : NULL, order == 0 ? node : NULL, e) < 0)
			return -1;
		/* Where to go on.  No row has a name that is too long for one. */
		if (i + 1 == LOOK_ENTRIES || seen == l->seen_count)
			snprintf(k->after, sizeof k->after, "%s",
				 order > 0 ? entry->name : name);
		if (order >= 0)
			prior_list_next(l->priors);
		k->next += order <= 0;
	}
	return 0;
}

/* ---- a directory ------------------------------------------------------------------------- */

static bool is_same_moment(const struct statx *a, const struct statx *b)
{
	return memcmp(&a->stx_mtime, &b->stx_mtime, sizeof a->stx_mtime) == 0 &&
	       memcmp(&a->stx_ctime, &b->stx_ctime, sizeof a->stx_ctime) == 0;
}

/* The names as they stood at one moment, as far as the directory's times tell. */
static void read_names(struct look *k)
{
	struct statx before = k->self, after;
	int fd = k->handle->fd;

	for (unsigned i = 0; i < READ_TRIES; i++) {
		if (names_read(fd, &k->names) < 0 ||
		    statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &after) < 0) {
			k->names_why = errno;
			return;
		}
		if (is_same_moment(&before, &after))
			return;
		before = after;
	}
	k->is_restless = true;
}

struct look *look_new(struct looker *l, struct handle *handle, const struct statx *self,
		      int64_t directory, char *path, struct err *e)
{
	struct look *k = calloc(1, sizeof *k);

	if (!k) {
		free(path);
		no_memory(e);
		return NULL;
	}
	k->handle = handle ? handle_ref(handle) : NULL;
	k->self = *self;
	k->directory = l->catalogue ? directory : 0;
	k->path = path;
	if (k->handle)
		read_names(k);
	if (look_on(l, k, e) < 0) {
		look_free(k);
		return NULL;
	}
	return k;
}

void look_free(struct look *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->child_count; i++)
		free(k->children[i]);
	free(k->children);
	handle_unref(k->handle);
	names_free(&k->names);
	buffer_free(&k->text);
	free(k->sights);
	free(k->path);
	free(k);
}
