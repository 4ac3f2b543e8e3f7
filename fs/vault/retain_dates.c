/*
 * Dates of items that need not be archived yet, as those of records are told.
 */
#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/vault/retain_inside.h"
#include "fs/vault/tree.h"

struct retain_dates {
	struct catalogue *c;
	struct retain_moments moments;
	struct retain_moment moment;	/* of the item at hand */
	struct version newest;	/* id 0: nothing was taken in yet */
	int64_t now;
};

int retain_dates_open(struct catalogue *c, int64_t system, int64_t now,
		      struct retain_dates **out, struct err *e)
{
	struct retain_dates *d = calloc(1, sizeof *d);
	const struct retain_system *s;

	*out = NULL;
	if (!d)
		return err_set(e, MUNI_NO_MEMORY, "no memory for dates");
	d->c = c;
	d->now = now;
	if (retain_moments_open(&d->moments, c, e) < 0)
		goto fail;
	s = retain_system_of(&d->moments, system);
	if (s && s->newest != 0 && catalogue_version_get(c, s->newest, &d->newest, e) < 0)
		goto fail;
	d->moment = (struct retain_moment){ .all = &d->moments, .system = system,
					    .retired = s && s->newest ? s->ingested : now };
	*out = d;
	return 0;
fail:
	retain_dates_close(d);
	return -1;
}

void retain_dates_close(struct retain_dates *d)
{
	if (!d)
		return;
	retain_moments_close(&d->moments);
	free(d);
}

/* When the record that the item is was taken in; now where it is none yet. */
static int find_ingested(struct retain_dates *d, const struct item_row *item, int64_t *out,
			 struct err *e)
{
	const struct retain_version *v;
	struct err missing = ERR_NONE;
	struct entry entry;
	struct node n;

	*out = d->now;
	if (d->newest.id == 0)
		return 0;
	if (tree_find(d->c, &d->newest, item->path, item->path_size, &entry, &n,
		      &missing) < 0) {
		if (missing.code == MUNI_NOT_FOUND)
			return 0;
		*e = missing;
		return -1;
	}
	v = retain_version_of(&d->moments, entry.first);
	if (v && retain_is_as_scanned(item, &n))
		*out = v->ingested;
	return 0;
}

int retain_dates_of(struct retain_dates *d, const struct item_row *item, struct err *e)
{
	d->moment.modified = item->mtime.seconds;
	d->moment.created = item->btime.seconds;
	d->moment.has_created = item->has_btime;
	return find_ingested(d, item, &d->moment.ingested, e);
}

void retain_dates_zone(struct retain_dates *d, const struct zone *z)
{
	d->moment.zone = z;
}

bool retain_dates_moment(void *arg, const char *word, int64_t *seconds)
{
	struct retain_dates *d = arg;

	return retain_moment(&d->moment, word, seconds);
}
