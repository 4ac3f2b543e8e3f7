#include "fs/mount/hidden.h"

#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/base/total.h"
#include "fs/mount/view.h"
#include "fs/store/catalogue_gone.h"

#define DEPTH_MAX 4096		/* of a path; more is a circle */

/* ---- sets ------------------------------------------------------------------------ */

void node_set_free(struct node_set *s)
{
	free(s->ids);
	*s = (struct node_set){ .ids = NULL };
}

static bool add(struct node_set *s, int64_t id)
{
	if ((s->count & (s->count - 1)) == 0) {	/* 0, 1, 2, 4 ...: full */
		size_t room = s->count ? 2 * s->count : 1;
		int64_t *more = realloc(s->ids, room * sizeof *more);
		if (!more)
			return false;
		s->ids = more;
	}
	s->ids[s->count++] = id;
	return true;
}

static int no_room(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the list of what is not shown");
}

int node_set_add(struct node_set *s, int64_t id, struct err *e)
{
	return add(s, id) ? 0 : no_room(e);
}

struct adding {
	struct node_set *set;
	bool failed;
};

static int on_node(void *arg, int64_t node)
{
	struct adding *a = arg;

	a->failed = !add(a->set, node);
	return a->failed;
}

static int id_order(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void node_set_settle(struct node_set *s)
{
	size_t kept = 0;

	if (s->count > 1)
		qsort(s->ids, s->count, sizeof *s->ids, id_order);
	for (size_t i = 0; i < s->count; i++)
		if (kept == 0 || s->ids[kept - 1] != s->ids[i])
			s->ids[kept++] = s->ids[i];
	s->count = kept;
}

int node_set_of_classes(struct node_set *out, struct catalogue *c, const int64_t *classes,
			size_t count, struct err *e)
{
	struct adding a = { .set = out };

	for (size_t i = 0; i < count; i++) {
		if (catalogue_class_nodes(c, classes[i], on_node, &a, e) < 0)
			return -1;
		if (a.failed)
			return no_room(e);
	}
	node_set_settle(out);
	return 0;
}

int node_set_add_beside(struct node_set *out, struct catalogue *c, int64_t class_id,
			struct err *e)
{
	struct adding a = { .set = out };

	if (catalogue_class_nodes_beside(c, class_id, on_node, &a, e) < 0)
		return -1;
	if (a.failed)
		return no_room(e);
	node_set_settle(out);
	return 0;
}

bool node_set_has(const struct node_set *s, int64_t id)
{
	return s->count > 0 && bsearch(&id, s->ids, s->count, sizeof id, id_order);
}

int node_set_add_difference(struct node_set *out, const struct node_set *a,
			    const struct node_set *b, struct err *e)
{
	size_t i = 0, k = 0;

	while (i < a->count || k < b->count) {
		bool has_both = i < a->count && k < b->count;
		if (has_both && a->ids[i] == b->ids[k]) {
			i++;
			k++;
			continue;
		}
		bool is_a = k == b->count || (has_both && a->ids[i] < b->ids[k]);
		if (!add(out, is_a ? a->ids[i++] : b->ids[k++]))
			return no_room(e);
	}
	return 0;
}

/* ---- where they stand ------------------------------------------------------------------- */

/* An entry of a set's node, whatever its kind: the catalogue tells directories apart. */
struct standing {
	const struct node_set *set;
	bool with_directories;
	int (*row)(void *arg, int64_t folder, enum node_kind kind, int64_t node, int64_t first,
		   int64_t last);
	void *arg;
};

static int on_entry(void *arg, const struct gone_entry *r)
{
	struct standing *s = arg;

	return s->row(s->arg, r->directory, r->kind, r->target, r->first, r->last);
}

static int on_directory(void *arg, const struct directory *d)
{
	struct standing *s = arg;

	if (d->parent == 0 || !node_set_has(s->set, d->node))
		return 0;
	return s->row(s->arg, d->parent, NODE_DIRECTORY, d->node, d->first, d->last);
}

static int each_standing(struct catalogue *c, struct standing *s, struct err *e)
{
	if (s->set->count == 0)
		return 0;
	if (catalogue_entries_of_nodes(c, s->set->ids, s->set->count, on_entry, s, e) < 0)
		return -1;
	return s->with_directories ? catalogue_directories(c, on_directory, s, e) : 0;
}

static int on_folder(void *arg, int64_t folder, enum node_kind kind, int64_t node, int64_t first,
		     int64_t last)
{
	struct adding *a = arg;

	(void)kind; (void)node; (void)first; (void)last;
	if (a->set->count > 0 && a->set->ids[a->set->count - 1] == folder)
		return 0;
	a->failed = !add(a->set, folder);
	return a->failed;
}

int node_set_add_folders(struct node_set *out, struct catalogue *c, const struct node_set *s,
			 struct err *e)
{
	struct adding a = { .set = out };
	struct standing standing = { s, true, on_folder, &a };

	if (each_standing(c, &standing, e) < 0)
		return -1;
	if (a.failed)
		return no_room(e);
	node_set_settle(out);
	return 0;
}

/* ---- counting ----------------------------------------------------------------------------- */

struct linked {			/* a file of several names, in one version */
	int64_t node;
	size_t version;		/* index */
	uint64_t size;
};

struct tally {
	struct catalogue *c;
	const struct view_version *versions;
	size_t version_count;
	struct hidden_counts *counts;	/* one a version */
	int64_t directory, root;	/* of the entry before: its directory, and the top that
					 * stands above it */
	struct linked *linked;	/* owned: bytes still to be counted, once each */
	size_t linked_count;
	struct err *e;
};

/* The top above a directory, by which its system is known. */
static int find_root(struct tally *t, int64_t directory, int64_t version)
{
	struct directory d;

	t->directory = directory;
	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		if (catalogue_directory(t->c, version, directory, &d, t->e) < 0)
			return -1;
		if (d.parent == 0) {
			t->root = directory;
			return 0;
		}
		directory = d.parent;
	}
	return err_set(t->e, MUNI_DAMAGED, "a path of more than %d directories; run muni verify",
		       DEPTH_MAX);
}

static int note_linked(struct tally *t, int64_t node, size_t version, uint64_t size)
{
	if ((t->linked_count & (t->linked_count - 1)) == 0) {	/* full */
		size_t room = t->linked_count ? 2 * t->linked_count : 1;
		struct linked *more = realloc(t->linked, room * sizeof *more);
		if (!more)
			return no_room(t->e);
		t->linked = more;
	}
	t->linked[t->linked_count++] = (struct linked){ node, version, size };
	return 0;
}

static int on_hidden(void *arg, int64_t folder, enum node_kind kind, int64_t node, int64_t first,
		     int64_t last)
{
	struct tally *t = arg;
	struct node n = { .size = 0 };

	if (t->directory != folder && find_root(t, folder, first) < 0)
		return -1;
	if (kind == NODE_FILE && catalogue_node(t->c, node, false, &n, t->e) < 0)
		return -1;
	for (size_t i = 0; i < t->version_count; i++) {
		const struct view_version *v = &t->versions[i];
		if (v->root != t->root || v->id < first || v->id > last)
			continue;
		t->counts[i].nodes++;
		t->counts[i].directories += kind == NODE_DIRECTORY;
		t->counts[i].files += kind == NODE_FILE;
		if (n.links <= 1)
			total_add(&t->counts[i].bytes, n.size);
		else if (note_linked(t, node, i, n.size) < 0)
			return -1;
	}
	return 0;
}

static int by_version(const void *a, const void *b)
{
	const struct linked *x = a, *y = b;

	if (x->version != y->version)
		return x->version < y->version ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

static void count_linked(struct tally *t)
{
	if (t->linked_count > 1)
		qsort(t->linked, t->linked_count, sizeof *t->linked, by_version);
	for (size_t i = 0; i < t->linked_count; i++)
		if (i == 0 || by_version(&t->linked[i - 1], &t->linked[i]) != 0)
			total_add(&t->counts[t->linked[i].version].bytes, t->linked[i].size);
}

int hidden_count(const struct node_set *s, bool with_directories, struct catalogue *c,
		 const struct view_version *versions, size_t version_count,
		 struct hidden_counts *out, struct err *e)
{
	struct err told = ERR_NONE;	/* a row's: the walk leaves its own e */
	struct tally t = { .c = c, .versions = versions, .version_count = version_count,
			   .counts = out, .e = &told };
	struct standing standing = { s, with_directories, on_hidden, &t };
	int rc = each_standing(c, &standing, e);

	if (rc < 0 && told.code != MUNI_OK)
		*e = told;
	if (rc == 0)
		count_linked(&t);
	free(t.linked);
	return rc;
}
