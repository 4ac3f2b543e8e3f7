/*
 * Writing a group's parity objects.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/store/parity_inside.h"

int parity_output_open(struct objects *o, const uint8_t archive_id[16],
		       const struct parity_group *g, unsigned index,
		       struct parity_output *out, struct err *e)
{
	struct object_name name = parity_object_name(g->uid, g->generation, index);
	struct parity_head h = { .generation = g->generation, .format = g->format, .data = g->data,
				 .parity = g->parity, .index = index,
				 .members = g->count, .columns = g->columns };

	*out = (struct parity_output){ .writer = NULL };
	memcpy(h.group, g->uid, sizeof h.group);
	memcpy(h.uid, name.uid, sizeof h.uid);
	parity_head_write(archive_id, &h, out->head);
	out->sums = malloc((size_t)g->columns * PARITY_SUM);
	if (out->sums == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to write parity");
	if (parity_column_sums_new(g->format, &out->column_sums, e) < 0 ||
	    objects_writer_open(o, &name, &out->writer, e) < 0 ||
	    objects_writer_append(out->writer, out->head, PARITY_HEAD, e) < 0) {
		parity_output_abort(out);
		return -1;
	}
	return 0;
}

int parity_output_columns(struct parity_output *out, uint64_t first, const uint8_t *data,
			  unsigned count, struct err *e)
{
	for (unsigned k = 0; k < count; k++)
		if (parity_column_sum(out->column_sums, data + (size_t)k * PARITY_COLUMN,
				      PARITY_COLUMN, out->sums + (first + k) * PARITY_SUM,
				      e) < 0)
			return -1;
	return objects_writer_append(out->writer, data, (size_t)count * PARITY_COLUMN, e);
}

int parity_output_commit(struct parity_output *out, const struct parity_group *g,
			 bool may_replace, struct err *e)
{
	size_t size = (size_t)parity_trailer_size(g);
	uint8_t *trailer = malloc(size);
	struct objects_writer *w;
	int rc = -1;

	if (trailer == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory to write parity");
		goto out;
	}
	if (parity_trailer_write(g, out->head, out->sums, trailer, e) < 0 ||
	    objects_writer_append(out->writer, trailer, size, e) < 0 ||
	    objects_writer_append(out->writer, trailer, size, e) < 0 ||
	    objects_writer_append(out->writer, out->head, PARITY_HEAD, e) < 0)
		goto out;
	w = out->writer;
	out->writer = NULL;
	rc = objects_writer_commit(w, may_replace, e);
out:
	free(trailer);
	parity_output_abort(out);
	return rc;
}

void parity_output_abort(struct parity_output *out)
{
	objects_writer_abort(out->writer);
	free(out->sums);
	keyed_hash_free(out->column_sums);
	*out = (struct parity_output){ .writer = NULL };
}

/* ---- a new generation ------------------------------------------------------ */

struct generation {
	struct parity_group *group;		/* borrowed */
	const struct parity_group *old;		/* borrowed; NULL: all is read */
	struct rs *rs;
	struct parity_pass pass;		/* members; then old's parity */
	const uint8_t **data;			/* group->data pointers */
	uint8_t *zeros;				/* a stripe of them, for free places */
	uint8_t *parity[PARITY_PARITY_MAX];	/* stripes */
	struct parity_output outputs[PARITY_PARITY_MAX];
};

static void set_member(struct parity_source *s, struct parity_member *m, bool is_carried,
		       bool is_known)
{
	s->mode = is_carried ? PARITY_ZERO : is_known ? PARITY_CHECK : PARITY_LEARN;
	s->name.kind = OBJECTS_SEGMENT;
	memcpy(s->name.uid, m->uid, sizeof m->uid);
	s->size = m->size;
	s->sums = m->sums;
}

static int set_sources(struct generation *w, struct err *e)
{
	struct parity_group *g = w->group;

	for (unsigned i = 0; i < g->count; i++) {
		struct parity_member *m = &g->members[i];
		bool is_known = m->sums != NULL;

		if (!is_known)
			m->sums = calloc((size_t)m->columns, PARITY_SUM);
		if (m->sums == NULL)
			return err_set(e, MUNI_NO_MEMORY, "no memory for parity");
		set_member(&w->pass.sources[i], m, w->old != NULL && i < w->old->count,
			   is_known);
	}
	for (unsigned j = 0; w->old != NULL && j < g->parity; j++) {
		struct parity_source *s = &w->pass.sources[g->count + j];

		s->mode = PARITY_CHECK;
		s->name = parity_object_name(w->old->uid, w->old->generation, j);
		s->base = PARITY_HEAD;
		s->size = w->old->columns * PARITY_COLUMN;
		s->sums = w->old->objects[j].sums;
	}
	return 0;
}

static int prepare(struct generation *w, struct objects *o, const uint8_t archive_id[16],
		   struct err *e)
{
	struct parity_group *g = w->group;
	size_t stripe;

	if (rs_new(g->data, g->parity, &w->rs, e) < 0 ||
	    parity_pass_new(o, g->format, g->count + (w->old != NULL ? g->parity : 0), &w->pass,
			    e) < 0 ||
	    set_sources(w, e) < 0)
		return -1;
	stripe = (size_t)w->pass.width * PARITY_COLUMN;
	w->zeros = calloc(1, stripe);
	w->data = calloc(g->data, sizeof *w->data);
	if (w->zeros == NULL || w->data == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for parity");
	for (unsigned i = 0; i < g->data; i++)
		w->data[i] = i < g->count ? w->pass.shards[i] : w->zeros;
	for (unsigned j = 0; j < g->parity; j++) {
		w->parity[j] = malloc(stripe);
		if (w->parity[j] == NULL)
			return err_set(e, MUNI_NO_MEMORY, "no memory for parity");
		if (parity_output_open(o, archive_id, g, j, &w->outputs[j], e) < 0)
			return -1;
	}
	return 0;
}

static int refuse_bad(const struct generation *w, struct err *e)
{
	const struct parity_pass *p = &w->pass;

	for (unsigned i = 0; i < p->count; i++) {
		for (unsigned k = 0; k < p->here; k++) {
			char text[OBJECT_TEXT_MAX];

			if (!parity_pass_is_bad(p, i, k))
				continue;
			return err_set(e, MUNI_DAMAGED, "%s is damaged at byte %llu: run "
				       "\"muni repair\" first",
				       object_text(&p->sources[i].name, text),
				       (unsigned long long)(p->sources[i].base +
				       (p->first + k) * PARITY_COLUMN));
		}
	}
	return 0;
}

/* The code is linear: old parity and the newcomers' add up. */
static void add_into(uint8_t *restrict to, const uint8_t *restrict from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] ^= from[i];
}

static int write_stripe(struct generation *w, uint64_t first, struct err *e)
{
	struct parity_group *g = w->group;
	size_t size;

	if (parity_pass_read(&w->pass, first, g->columns, e) < 0 || refuse_bad(w, e) < 0)
		return -1;
	size = (size_t)w->pass.here * PARITY_COLUMN;
	rs_encode(w->rs, w->data, w->parity, size);
	for (unsigned j = 0; j < g->parity; j++) {
		if (w->old != NULL)
			add_into(w->parity[j], w->pass.shards[g->count + j], size);
		if (parity_output_columns(&w->outputs[j], first, w->parity[j],
					  w->pass.here, e) < 0)
			return -1;
	}
	return 0;
}

int parity_next_generation(struct objects *o, struct parity_group *g, struct err *e)
{
	bool is_free;

	do {
		is_free = true;
		g->generation++;
		for (unsigned j = 0; j < g->parity && is_free; j++) {
			struct object_name name = parity_object_name(g->uid, g->generation, j);
			uint64_t size;

			is_free = objects_size(o, &name, &size, e) < 0;
			if (is_free && e->code != MUNI_NOT_FOUND)
				return -1;
			*e = ERR_NONE;
		}
	} while (!is_free);
	return 0;
}

int parity_group_write(struct objects *o, const uint8_t archive_id[16],
		       struct parity_group *g, const struct parity_group *old,
		       struct err *e)
{
	struct generation w = { .group = g, .old = old };
	int rc = -1;

	assert(g->count >= 1 && g->columns >= 1);
	if (parity_next_generation(o, g, e) < 0 || prepare(&w, o, archive_id, e) < 0)
		goto out;
	for (uint64_t first = 0; first < g->columns; first += w.pass.width)
		if (write_stripe(&w, first, e) < 0)
			goto out;
	for (unsigned j = 0; j < g->parity; j++)
		if (parity_output_commit(&w.outputs[j], g, false, e) < 0)
			goto out;
	rc = 0;
out:
	for (unsigned j = 0; j < g->parity; j++) {
		parity_output_abort(&w.outputs[j]);
		free(w.parity[j]);
	}
	parity_pass_free(&w.pass);
	rs_free(w.rs);
	free(w.zeros);
	free(w.data);
	if (rc < 0)
		return err_wrap(e, "writing parity");
	return 0;
}
