/*
 * Finding what is bad in one group.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/store/parity_exam.h"

int parity_exam_tell(struct exam *x, const struct parity_damage *d, struct err *e)
{
	if (x->found(x->arg, d) < 0)
		return err_set(e, MUNI_CANCELLED, "stopped");
	return 0;
}

int parity_exam_advance(struct exam *x, uint64_t bytes, struct err *e)
{
	if (x->progress != NULL && !x->progress(x->arg, bytes))
		return err_set(e, MUNI_CANCELLED, "stopped");
	return 0;
}

void group_exam_free(struct group_exam *g)
{
	for (unsigned i = 0; i < g->count && g->shards != NULL; i++) {
		objects_writer_abort(g->shards[i].writer);
		parity_output_abort(&g->shards[i].output);
	}
	parity_pass_free(&g->pass);
	free(g->shards);
	free(g->columns);
	free(g->is_missing);
	free(g->zeros);
	rs_free(g->rs);
	parity_group_free(g->group);
}

static int look_at_file(struct group_exam *g, unsigned i, struct err *e)
{
	const struct parity_source *s = &g->pass.sources[i];
	struct shard *shard = &g->shards[i];

	if (objects_size(g->exam->objects, &s->name, &shard->file_size, e) == 0) {
		if (i < g->group->count && shard->file_size > s->size)
			shard->is_odd = true;
		return 0;
	}
	if (e->code == MUNI_NO_MEMORY)
		return -1;
	shard->is_missing = e->code == MUNI_NOT_FOUND;
	*e = ERR_NONE;
	return 0;
}

static int set_shards(struct group_exam *g, struct err *e)
{
	struct parity_group *group = g->group;

	for (unsigned i = 0; i < g->count; i++) {
		struct parity_source *s = &g->pass.sources[i];

		s->mode = PARITY_CHECK;
		if (i < group->count) {
			struct parity_member *m = &group->members[i];

			s->name.kind = OBJECTS_SEGMENT;
			memcpy(s->name.uid, m->uid, sizeof m->uid);
			s->size = m->size;
			s->sums = m->sums;
		} else {
			struct parity_object *object = &group->objects[i - group->count];

			s->name = parity_object_name(group->uid, group->generation,
						     i - group->count);
			s->base = PARITY_HEAD;
			s->size = group->columns * PARITY_COLUMN;
			s->sums = object->sums;
			if (object->sums == NULL)
				s->mode = PARITY_ZERO;	/* and bad, see group_exam_is_bad() */
			g->shards[i].is_odd = object->is_present && !object->is_whole;
		}
		if (look_at_file(g, i, e) < 0)
			return -1;
		g->shards[i].is_damaged = g->shards[i].is_missing || g->shards[i].is_odd;
	}
	return 0;
}

int group_exam_new(struct exam *x, struct parity_group *group,
			  struct group_exam *g, struct err *e)
{
	unsigned places = group->data + group->parity;

	*g = (struct group_exam){ .exam = x, .group = group,
				  .count = group->count + group->parity };
	g->shards = calloc(g->count, sizeof *g->shards);
	g->columns = calloc(places, sizeof *g->columns);
	g->is_missing = calloc(places, sizeof *g->is_missing);
	g->zeros = calloc(1, PARITY_COLUMN);
	if (g->shards == NULL || g->columns == NULL || g->is_missing == NULL ||
	    g->zeros == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to check parity");
	if (rs_new(group->data, group->parity, &g->rs, e) < 0 ||
	    parity_pass_new(x->objects, group->format, g->count, &g->pass, e) < 0)
		return -1;
	return set_shards(g, e);
}

bool group_exam_is_bad(const struct group_exam *g, unsigned i, unsigned k)
{
	return g->pass.sources[i].mode == PARITY_ZERO || parity_pass_is_bad(&g->pass, i, k);
}

unsigned group_exam_count_bad(const struct group_exam *g, unsigned k)
{
	unsigned n = 0;

	for (unsigned i = 0; i < g->count; i++)
		n += group_exam_is_bad(g, i, k);
	return n;
}

static int flush_run(struct group_exam *g, unsigned i, struct err *e)
{
	struct parity_damage d = g->shards[i].run;

	g->shards[i].run.size = 0;
	return d.size == 0 ? 0 : parity_exam_tell(g->exam, &d, e);
}

int group_exam_note(struct group_exam *g, unsigned i, unsigned k, bool can_mend,
		    struct err *e)
{
	const struct parity_source *s = &g->pass.sources[i];
	struct parity_damage *run = &g->shards[i].run;
	uint64_t from = (g->pass.first + k) * PARITY_COLUMN;
	uint64_t size = s->size - from < PARITY_COLUMN ? s->size - from : PARITY_COLUMN;

	g->shards[i].is_damaged = true;
	if (!can_mend)
		g->shards[i].is_lost = true;
	if (run->size > 0 && run->can_mend == can_mend &&
	    run->offset + run->size == s->base + from) {
		run->size += size;
		return 0;
	}
	if (flush_run(g, i, e) < 0)
		return -1;
	*run = (struct parity_damage){ .is_parity = i >= g->group->count,
				       .offset = s->base + from, .size = size,
				       .is_missing = g->shards[i].is_missing,
				       .can_mend = can_mend };
	memcpy(run->uid, s->name.uid, sizeof run->uid);
	return 0;
}

/* What no column shows: bytes past the end, a parity object's head or trailer. */
static int tell_odd(struct group_exam *g, unsigned i, bool can_mend, struct err *e)
{
	const struct parity_source *s = &g->pass.sources[i];
	const struct shard *shard = &g->shards[i];
	struct parity_damage d = { .is_parity = i >= g->group->count,
				   .offset = s->base + s->size, .can_mend = can_mend };

	if (!shard->is_odd || (d.is_parity && s->mode == PARITY_ZERO))
		return 0;	/* its columns were told as bad already */
	if (shard->file_size > d.offset)
		d.size = shard->file_size - d.offset;
	memcpy(d.uid, s->name.uid, sizeof d.uid);
	return parity_exam_tell(g->exam, &d, e);
}

int group_exam_flush(struct group_exam *g, unsigned i, bool can_mend_rest,
		     struct err *e)
{
	return flush_run(g, i, e) < 0 ? -1 : tell_odd(g, i, can_mend_rest, e);
}

static void find_bad(struct group_exam *g, unsigned k)
{
	bool can_mend = group_exam_count_bad(g, k) <= g->group->parity;

	for (unsigned i = 0; i < g->count; i++) {
		if (!group_exam_is_bad(g, i, k))
			continue;
		g->shards[i].is_damaged = true;
		if (!can_mend && parity_pass_is_unread(&g->pass, i, k))
			g->shards[i].is_kept = true;
	}
}

int group_exam_find(struct group_exam *g, struct err *e)
{
	for (uint64_t first = 0; first < g->group->columns; first += g->pass.width) {
		if (parity_pass_read(&g->pass, first, g->group->columns, e) < 0 ||
		    parity_exam_advance(g->exam, g->pass.bytes, e) < 0)
			return -1;
		for (unsigned k = 0; k < g->pass.here; k++)
			find_bad(g, k);
	}
	return 0;
}
