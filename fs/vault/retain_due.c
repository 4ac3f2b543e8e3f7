/*
 * The walk over all records, each judged.
 */
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/retain_inside.h"

struct due {
	struct retainer *r;
	struct memory memory;
	struct path_scope path;
	const char *class_code;	/* NULL: any */
	int64_t version;	/* 0: any */
	int (*row)(void *arg, const struct record_state *s);
	void *arg;
	struct err *e;
};

/* Does it stand in no version of its system but this one? */
static bool is_of_version(const struct due *d, const struct record *r)
{
	const struct retain_system *s = retain_system_of(&d->r->moments, r->system);

	return r->key.first == d->version &&
	       (r->last == d->version || (s && s->newest == d->version));
}

static bool has_class(const struct due *d, const struct record_state *s)
{
	for (size_t i = 0; i < s->class_count; i++)
		if (strcmp(s->classes[i], d->class_code) == 0)
			return true;
	return false;
}

static int on_record(void *arg, const struct record *r)
{
	struct due *d = arg;
	struct record_state s;

	if ((d->version != 0 && !is_of_version(d, r)) ||
	    !path_scope_covers(&d->path, r->path, r->path_size))
		return 0;
	if (retainer_judge(d->r, r, &s, d->e) < 0)
		return err_wrap(d->e, "the record %s", text_printable_n(r->path, r->path_size));
	if (d->class_code && !has_class(d, &s))
		return 0;
	return d->row(d->arg, &s);
}

int vault_due(struct catalogue *c, const struct record_filter *f, int64_t asof,
	      int (*row)(void *arg, const struct record_state *s), void *arg, struct err *e)
{
	struct due d = { .row = row, .arg = arg, .e = e };
	struct system system = { .id = 0 };
	int rc = -1;

	if (f && f->system && catalogue_system_find(c, f->system, &system, e) < 0)
		return -1;
	if (f && f->path && path_scope_open(&d.path, &d.memory, f->path, e) < 0)
		goto out;
	if (f) {
		d.class_code = f->class_code;
		d.version = f->version;
	}
	if (retainer_open(c, asof, &d.r, e) < 0)
		goto out;
	if (f && f->day)
		retainer_set_day(d.r, *f->day);
	rc = catalogue_records(c, system.id, on_record, &d, e);
	retainer_close(d.r);
out:
	memory_clear(&d.memory);
	return rc;
}
