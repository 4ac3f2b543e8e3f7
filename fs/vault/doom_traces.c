/*
 * Traces for the adversarial check: keys of blocks and salts of records that go, evenly
 * over all of them, and as controls some that stay.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/doom_inside.h"
#include "fs/vault/traces.h"

#define CONTROLS_MAX 4
#define TRACES_EARLIER_MAX (12 * TRACES_MAX)

struct gather {
	struct doom *d;
	struct traces traces;
	size_t dead, step;	/* of blocks that go: seen; every step-th is taken */
	unsigned controls;
	struct err *e;
};

static size_t step_for(size_t count)
{
	return count > TRACES_MAX ? (count + TRACES_MAX - 1) / TRACES_MAX : 1;
}

static int take_block(struct gather *g, const struct block *b, const uint8_t segment[16])
{
	struct trace_block t = { .offset = b->offset, .stored = b->stored };

	memcpy(t.uid, b->uid, sizeof t.uid);
	memcpy(t.segment, segment, sizeof t.segment);
	return traces_add(&g->traces, TRACE_KEY, b->key, sizeof b->key, g->e) < 0 ||
	       traces_add_block(&g->traces, &t, g->e) < 0 ? -1 : 0;
}

static int on_block(void *arg, const struct block *b, const uint8_t segment[16])
{
	struct gather *g = arg;

	if (!bits_has(&g->d->blocks, b->id))
		return g->dead++ % g->step == 0 ? take_block(g, b, segment) : 0;
	if (g->controls == CONTROLS_MAX)
		return 0;
	g->controls++;
	return traces_add(&g->traces, TRACE_CONTROL, b->key, sizeof b->key, g->e);
}

static int take_salt(struct gather *g, int64_t directory, size_t name, uint16_t name_size,
		     int64_t first, struct err *e)
{
	const struct doom *d = g->d;
	struct entry entry;

	if (catalogue_lookup(d->catalogue, first, directory, d->names.data + name, name_size,
			     &entry, e) < 0)
		return -1;
	return traces_add(&g->traces, TRACE_SALT, entry.salt, sizeof entry.salt, e);
}

static int take_salts(struct gather *g, struct err *e)
{
	const struct doom *d = g->d;
	size_t step = step_for(d->record_count);

	for (size_t i = 0; i < d->record_count; i += step) {
		const struct doomed *r = &d->records[i];

		if (r->kind != NODE_DIRECTORY &&
		    take_salt(g, r->directory, r->name, r->name_size, r->first, e) < 0)
			return -1;
	}
	return 0;
}

/* Of directories that go with what stood in them. */
static int take_folders(struct gather *g, struct err *e)
{
	const struct doom *d = g->d;
	size_t step = step_for(d->edge_count);

	for (size_t i = 0; i < d->edge_count; i += step) {
		const struct edge *x = &d->edges[i];

		if (!x->is_kept &&
		    take_salt(g, x->parent, x->name, x->name_size, x->first, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- destructions that have no certificate yet ----------------------------------------- */

static int is_uncertified(void *arg, const struct disposition_row *row)
{
	*(bool *)arg = row->state == DISPOSITION_GONE;
	return *(bool *)arg;
}

/* Their check is still to come: what it looks for stays.  Not their controls, for those
 * may be what goes now. */
static int take_up_earlier(struct gather *g, struct err *e)
{
	struct traces *t = &g->traces;
	bool is_needed = false;
	uint8_t *data = NULL;
	size_t size, count = 0;
	int rc;

	if (catalogue_dispositions(g->d->catalogue, is_uncertified, &is_needed, e) < 0)
		return -1;
	if (!is_needed)
		return 0;
	rc = catalogue_traces_get(g->d->catalogue, &data, &size, e);
	if (rc == 0 && data)
		rc = traces_unpack(data, size, t, e);
	free(data);
	for (size_t i = 0; i < t->count; i++)
		if (t->list[i].kind != TRACE_CONTROL)
			t->list[count++] = t->list[i];
	t->count = count;
	if (rc == 0 && count > TRACES_EARLIER_MAX)
		return err_set(e, MUNI_REFUSED, "certificate: too many destructions wait for "
			       "theirs; `muni dispose execute` again makes it");
	return rc;
}

int doom_put_traces(struct doom *d, struct catalogue *next, struct err *e)
{
	struct gather g = { .d = d, .step = step_for(d->uid_count), .e = e };
	uint8_t *data = NULL;
	size_t size;
	int rc = 0;

	if (!doom_takes(d))
		return 0;	/* those that there are were copied */
	if (take_up_earlier(&g, e) < 0 || catalogue_blocks(d->catalogue, on_block, &g, e) < 0 ||
	    take_salts(&g, e) < 0 || take_folders(&g, e) < 0)
		rc = -1;
	if (rc == 0)
		rc = traces_pack(&g.traces, &data, &size, e);
	if (rc == 0)
		rc = catalogue_traces_put(next, data, size, e);
	free(data);
	traces_clear(&g.traces);
	return rc;
}
