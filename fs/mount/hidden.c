#include "fs/mount/hidden.h"

#include <stdlib.h>

#include "fs/base/err.h"
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
	return err_set(e, MUNI_NO_MEMORY, "no memory for the list of restricted records");
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

/* ---- totals --------------------------------------------------------------------------- */

struct tally {
	struct catalogue *c;
	const struct node_set *set;
	const struct view_version *versions;
	size_t version_count;
	int64_t directory, root;	/* of the entry before: its directory, and the top that
					 * stands above it */
	bool *has_bytes;	/* of set: its bytes were counted, under another name */
	uint64_t entries, bytes;
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

static uint64_t versions_between(const struct tally *t, int64_t first, int64_t last)
{
	uint64_t count = 0;

	for (size_t i = 0; i < t->version_count; i++)
		count += t->versions[i].root == t->root && t->versions[i].id >= first &&
			 t->versions[i].id <= last;
	return count;
}

static int on_hidden(void *arg, const struct gone_entry *r)
{
	struct tally *t = arg;
	const int64_t *at = bsearch(&r->target, t->set->ids, t->set->count, sizeof *at, id_order);
	struct node n;

	if (t->directory != r->directory && find_root(t, r->directory, r->first) < 0)
		return -1;
	uint64_t count = versions_between(t, r->first, r->last);
	t->entries += count;
	if (!at || t->has_bytes[at - t->set->ids] || r->kind != NODE_FILE)
		return 0;
	if (catalogue_node(t->c, r->target, false, &n, t->e) < 0)
		return -1;
	t->has_bytes[at - t->set->ids] = true;
	t->bytes += n.size * count;
	return 0;
}

int hidden_totals(const struct node_set *s, struct catalogue *c,
		  const struct view_version *versions, size_t version_count,
		  uint64_t *entries, uint64_t *bytes, struct err *e)
{
	struct tally t = { .c = c, .set = s, .versions = versions,
			   .version_count = version_count, .e = e };
	int rc;

	*entries = *bytes = 0;
	if (s->count == 0)
		return 0;
	t.has_bytes = calloc(s->count, sizeof *t.has_bytes);
	if (!t.has_bytes)
		return no_room(e);
	rc = catalogue_entries_of_nodes(c, s->ids, s->count, on_hidden, &t, e);
	free(t.has_bytes);
	*entries = t.entries;
	*bytes = t.bytes;
	return rc;
}
