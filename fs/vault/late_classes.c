/*
 * Records come in the order of their paths, so do the rows that say something of paths: a
 * page of those is kept, and asked anew where a path lies outside it.
 */
#include "fs/vault/late_classes.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/store/catalogue_retention.h"
#include "fs/vault/empties.h"

#define PAGE_ROWS 256

struct said {			/* of one path */
	size_t at, size;	/* of the page's text */
	bool is_wanted;
};

struct page {
	enum path_class_by by;
	int64_t system;		/* 0: nothing was read yet */
	struct buffer from;	/* the path that it begins at; no row lies between it and the first */
	struct buffer text;
	struct said rows[PAGE_ROWS];
	size_t count;
	bool is_last;		/* no row follows */
};

struct search {
	struct catalogue *c;
	struct page officers, policy;
	struct empties empties;	/* whose paths are wanted */
	bool (*is_wanted)(void *arg, const char *code);
	int (*row)(void *arg, int64_t node);
	void *arg;
	struct err *e;
};

static int order(const void *a, size_t a_size, const void *b, size_t b_size)
{
	size_t shorter = a_size < b_size ? a_size : b_size;
	int by = shorter > 0 ? memcmp(a, b, shorter) : 0;

	return by != 0 ? by : (a_size > b_size) - (a_size < b_size);
}

static int order_at(const struct page *p, size_t i, const struct record *r)
{
	return order(r->path, r->path_size, p->text.data + p->rows[i].at, p->rows[i].size);
}

struct loading {
	struct search *s;
	struct page *page;
};

static int on_path(void *arg, const void *path, size_t size, const char *code)
{
	struct loading *l = arg;
	struct page *p = l->page;

	p->rows[p->count++] = (struct said){ p->text.size, size,
					     l->s->is_wanted(l->s->arg, code) };
	buffer_append(&p->text, path, size);
	return p->text.failed ? err_set(l->s->e, MUNI_NO_MEMORY, "no memory for the classes of "
					"paths") : 0;
}

static int load(struct search *s, struct page *p, int64_t system, const void *path, size_t size)
{
	struct loading l = { s, p };

	p->from.size = p->text.size = p->count = 0;
	buffer_append(&p->from, path, size);
	if (p->from.failed)
		return err_set(s->e, MUNI_NO_MEMORY, "no memory for the classes of paths");
	p->system = 0;
	if (catalogue_path_classes(s->c, system, p->by, path, size, PAGE_ROWS, on_path, &l,
				   s->e) < 0)
		return -1;
	p->system = system;
	p->is_last = p->count < PAGE_ROWS;
	return 0;
}

/* NULL: nothing was said of it. */
static int find(struct search *s, struct page *p, const struct record *r,
		const struct said **out)
{
	size_t low = 0, high;

	*out = NULL;
	bool is_within = p->system == r->system &&
			 order(r->path, r->path_size, p->from.data, p->from.size) >= 0 &&
			 (p->is_last || order_at(p, p->count - 1, r) <= 0);
	if (!is_within && load(s, p, r->system, r->path, r->path_size) < 0)
		return -1;
	for (high = p->count; low < high;) {
		size_t middle = low + (high - low) / 2;
		int by = order_at(p, middle, r);

		if (by == 0) {
			*out = &p->rows[middle];
			return 0;
		}
		if (by < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return 0;
}

static int on_record(void *arg, const struct record *r)
{
	struct search *s = arg;
	const struct said *said;

	if (find(s, &s->officers, r, &said) < 0 ||
	    (!said && find(s, &s->policy, r, &said) < 0))
		return -1;
	if (!said || !said->is_wanted)
		return 0;
	return r->node->kind == NODE_DIRECTORY ? empties_add(&s->empties, s->c, r, s->e) :
	       s->row(s->arg, r->node->id);
}

static int on_system(void *arg, const struct system *system)
{
	struct search *s = arg;

	if (load(s, &s->officers, system->id, "", 0) < 0 ||
	    load(s, &s->policy, system->id, "", 0) < 0)
		return -1;
	if (s->officers.count == 0 && s->policy.count == 0)
		return 0;
	return catalogue_records(s->c, system->id, on_record, s, s->e);
}

int late_classes_nodes(struct catalogue *c, bool (*is_wanted)(void *arg, const char *code),
		       int (*row)(void *arg, int64_t node), void *arg, struct err *e)
{
	struct search *s = calloc(1, sizeof *s);
	int rc;

	if (!s)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the classes of paths");
	*s = (struct search){ .c = c, .officers.by = BY_OFFICER, .policy.by = BY_POLICY,
			      .is_wanted = is_wanted, .row = row, .arg = arg, .e = e };
	rc = catalogue_systems(c, on_system, s, e);
	if (rc == 0)
		rc = empties_nodes(&s->empties, c, row, arg, e);
	empties_free(&s->empties);
	buffer_free(&s->officers.from);
	buffer_free(&s->officers.text);
	buffer_free(&s->policy.from);
	buffer_free(&s->policy.text);
	free(s);
	return rc;
}
