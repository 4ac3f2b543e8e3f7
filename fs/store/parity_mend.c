/*
 * Writing the damaged objects of one group anew.
 */
#include <string.h>

#include "fs/store/parity_exam.h"

static int open_writers(struct group_exam *g, struct err *e)
{
	for (unsigned i = 0; i < g->count; i++) {
		struct shard *shard = &g->shards[i];
		int rc;

		if (!shard->is_damaged)
			continue;
		if (i < g->group->count)
			rc = objects_writer_open(g->exam->objects,
						 &g->pass.sources[i].name, &shard->writer,
						 e);
		else
			rc = parity_output_open(g->exam->objects, g->exam->archive_id,
						g->group, i - g->group->count,
						&shard->output, e);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* P3: do the rebuilt members match what stood in the parity? */
static int members_match(const struct group_exam *g, unsigned k, bool *out, struct err *e)
{
	uint64_t c = g->pass.first + k;

	*out = true;
	for (unsigned i = 0; i < g->group->count && *out; i++) {
		const struct parity_source *s = &g->pass.sources[i];
		uint64_t at = c * PARITY_COLUMN;
		uint8_t sum[PARITY_SUM];
		size_t size;

		if (!group_exam_is_bad(g, i, k))
			continue;
		size = s->size - at < PARITY_COLUMN ? (size_t)(s->size - at) : PARITY_COLUMN;
		if (parity_column_sum(g->pass.sums[i],
				      g->pass.shards[i] + (size_t)k * PARITY_COLUMN, size,
				      sum, e) < 0)
			return -1;
		*out = memcmp(sum, s->sums + c * PARITY_SUM, sizeof sum) == 0;
	}
	return 0;
}

/* Rebuilds what is bad of column k in place; *out false: it could not be. */
static int rebuild_column(struct group_exam *g, unsigned k, bool *out, struct err *e)
{
	const struct parity_group *group = g->group;
	struct err ignored = ERR_NONE;

	for (unsigned p = 0; p < group->data + group->parity; p++) {
		/* Places of the code: members, free ones, parity. */
		unsigned i = p < group->data ? p : p - group->data + group->count;
		bool is_free = p < group->data && p >= group->count;

		g->columns[p] = is_free ? g->zeros
					: g->pass.shards[i] + (size_t)k * PARITY_COLUMN;
		g->is_missing[p] = !is_free && group_exam_is_bad(g, i, k);
	}
	*out = false;
	if (rs_rebuild(g->rs, g->columns, g->is_missing, PARITY_COLUMN, &ignored) < 0)
		return 0;
	return members_match(g, k, out, e);
}

static int mend_column(struct group_exam *g, unsigned k, struct err *e)
{
	unsigned bad = group_exam_count_bad(g, k);
	bool is_mended = false;

	if (bad > 0 && bad <= g->group->parity && rebuild_column(g, k, &is_mended, e) < 0)
		return -1;
	for (unsigned i = 0; i < g->count && bad > 0; i++) {
		struct shard *shard = &g->shards[i];

		if (!group_exam_is_bad(g, i, k))
			continue;
		shard->is_kept = shard->is_kept ||
				 (!is_mended && parity_pass_is_unread(&g->pass, i, k));
		if (group_exam_note(g, i, k, is_mended && !shard->is_kept &&
				    !(g->is_barred && i >= g->group->count), e) < 0)
			return -1;
	}
	return 0;
}

static int write_stripe(struct group_exam *g, struct err *e)
{
	for (unsigned i = 0; i < g->count; i++) {
		struct shard *shard = &g->shards[i];
		const struct parity_source *s = &g->pass.sources[i];
		uint64_t at = g->pass.first * PARITY_COLUMN;
		uint64_t size = (uint64_t)g->pass.here * PARITY_COLUMN;
		int rc = 0;

		if (shard->writer != NULL && at < s->size) {
			if (size > s->size - at)
				size = s->size - at;
			rc = objects_writer_append(shard->writer, g->pass.shards[i],
						   (size_t)size, e);
		} else if (shard->output.writer != NULL) {
			rc = parity_output_columns(&shard->output, g->pass.first,
						   g->pass.shards[i], g->pass.here, e);
		}
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* A member gets what could be mended, but where zeros would take the place of what another
 * day's disk may yet read; parity only if it comes out whole. */
static int commit_all(struct group_exam *g, struct err *e)
{
	bool any_lost = g->is_barred;

	for (unsigned i = 0; i < g->group->count; i++) {
		struct shard *shard = &g->shards[i];
		struct objects_writer *w = shard->writer;

		any_lost = any_lost || shard->is_lost;
		shard->writer = NULL;
		if (w != NULL && (shard->is_kept || (shard->is_missing && shard->is_lost)))
			objects_writer_abort(w);	/* not from nothing to a torso */
		else if (w != NULL && objects_writer_commit(w, true, e) < 0)
			return -1;
	}
	for (unsigned i = g->group->count; i < g->count; i++) {
		struct shard *shard = &g->shards[i];

		if (shard->output.writer == NULL)
			continue;
		if (any_lost || shard->is_lost) {
			parity_output_abort(&shard->output);
			shard->is_lost = true;
		} else if (parity_output_commit(&shard->output, g->group, true, e) < 0) {
			return -1;
		}
	}
	return 0;
}

int group_exam_mend(struct group_exam *g, struct err *e)
{
	if (open_writers(g, e) < 0)
		return -1;
	for (uint64_t first = 0; first < g->group->columns; first += g->pass.width) {
		if (parity_pass_read(&g->pass, first, g->group->columns, e) < 0 ||
		    parity_exam_advance(g->exam, g->pass.bytes, e) < 0)
			return -1;
		for (unsigned k = 0; k < g->pass.here; k++)
			if (mend_column(g, k, e) < 0)
				return -1;
		if (write_stripe(g, e) < 0)
			return -1;
	}
	if (commit_all(g, e) < 0)
		return -1;
	for (unsigned i = 0; i < g->count; i++)
		if (group_exam_flush(g, i, !g->shards[i].is_lost, e) < 0)
			return -1;
	return 0;
}
