/*
 * Reading the columns of many objects side by side, a stripe at a time: memory
 * is bounded whatever the size of segments.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/team.h"
#include "fs/store/parity_inside.h"

static unsigned width_for(unsigned count)
{
	uint64_t width = PARITY_STRIPE_BYTES / PARITY_COLUMN / count;

	if (width < 1)
		return 1;
	return width > 16 ? 16 : (unsigned)width;
}

int parity_pass_new(struct objects *o, unsigned format, unsigned count,
		    struct parity_pass *out, struct err *e)
{
	struct parity_pass p = { .objects = o, .count = count, .width = width_for(count) };

	p.sources = calloc(count, sizeof *p.sources);
	p.shards = calloc(count, sizeof *p.shards);
	p.bad = calloc((size_t)count * p.width, sizeof *p.bad);
	p.unread = calloc((size_t)count * p.width, sizeof *p.unread);
	p.errors = calloc(count, sizeof *p.errors);
	p.sums = calloc(count, sizeof *p.sums);
	*out = p;
	if (p.sources == NULL || p.shards == NULL || p.bad == NULL || p.unread == NULL ||
	    p.errors == NULL || p.sums == NULL)
		goto fail;
	for (unsigned i = 0; i < count; i++) {
		p.shards[i] = calloc(p.width, PARITY_COLUMN);
		if (p.shards[i] == NULL)
			goto fail;
		if (parity_column_sums_new(format, &p.sums[i], e) < 0) {
			parity_pass_free(out);
			return -1;
		}
	}
	return 0;
fail:
	parity_pass_free(out);
	return err_set(e, MUNI_NO_MEMORY, "no memory for parity over %u objects", count);
}

void parity_pass_free(struct parity_pass *p)
{
	for (unsigned i = 0; i < p->count && p->shards != NULL; i++)
		free(p->shards[i]);
	for (unsigned i = 0; i < p->count && p->sums != NULL; i++)
		keyed_hash_free(p->sums[i]);
	free(p->sums);
	free(p->sources);
	free(p->shards);
	free(p->bad);
	free(p->unread);
	free(p->errors);
	*p = (struct parity_pass){ .count = 0 };
}

bool parity_pass_is_bad(const struct parity_pass *p, unsigned source, unsigned column)
{
	return p->bad[(size_t)source * p->width + column];
}

bool parity_pass_is_unread(const struct parity_pass *p, unsigned source, unsigned column)
{
	return p->unread[(size_t)source * p->width + column];
}

/* Bytes of column c of a source; 0 past its end. */
static size_t column_size(const struct parity_source *s, uint64_t c)
{
	uint64_t at = c * PARITY_COLUMN;

	if (at >= s->size)
		return 0;
	return s->size - at < PARITY_COLUMN ? (size_t)(s->size - at) : PARITY_COLUMN;
}

static int check_column(struct parity_pass *p, unsigned i, unsigned k, bool is_read)
{
	struct parity_source *s = &p->sources[i];
	uint64_t c = p->first + k;
	size_t size = column_size(s, c);
	uint8_t *data = p->shards[i] + (size_t)k * PARITY_COLUMN;
	uint8_t sum[PARITY_SUM];

	if (size == 0)
		return 0;
	if (is_read && parity_column_sum(p->sums[i], data, size, sum, &p->errors[i]) < 0)
		return -1;
	if (s->mode == PARITY_LEARN)
		memcpy(s->sums + c * PARITY_SUM, sum, sizeof sum);
	else
		p->bad[(size_t)i * p->width + k] =
			!is_read || memcmp(s->sums + c * PARITY_SUM, sum, sizeof sum) != 0;
	return 0;
}

/* One source of the stripe, on some thread. */
static void read_source(void *arg, size_t index)
{
	struct parity_pass *p = arg;
	unsigned i = (unsigned)index;
	struct parity_source *s = &p->sources[i];
	struct err *e = &p->errors[i];
	size_t total = 0;
	bool is_read;

	for (unsigned k = 0; k < p->here; k++)
		total += column_size(s, p->first + k);
	memset(p->bad + (size_t)i * p->width, 0, p->width * sizeof *p->bad);
	memset(p->unread + (size_t)i * p->width, 0, p->width * sizeof *p->unread);
	if (s->mode == PARITY_ZERO)
		return;		/* never written to: still zeros */
	/* What lies past the end counts as zeros. */
	memset(p->shards[i] + total, 0, (size_t)p->here * PARITY_COLUMN - total);
	if (total == 0)
		return;
	*e = ERR_NONE;
	is_read = objects_get(p->objects, &s->name, s->base + p->first * PARITY_COLUMN,
			      p->shards[i], total, e) == 0;
	if (!is_read && s->mode == PARITY_LEARN)
		return;
	for (unsigned k = 0; k < p->here; k++) {
		size_t size = column_size(s, p->first + k);
		uint8_t *data = p->shards[i] + (size_t)k * PARITY_COLUMN;
		bool is_here = is_read;

		/* A truncated file or a bad sector: save what can be read. */
		if (!is_read && size > 0) {
			struct err why = ERR_NONE;

			is_here = objects_get(p->objects, &s->name,
					      s->base + (p->first + k) * PARITY_COLUMN,
					      data, size, &why) == 0;
			if (!is_here)
				memset(data, 0, size);
			p->unread[(size_t)i * p->width + k] =
				!is_here && parity_is_refused(&why);
		}
		if (check_column(p, i, k, is_here) < 0)
			return;
	}
	if (s->mode == PARITY_CHECK)
		*e = ERR_NONE;
}

int parity_pass_read(struct parity_pass *p, uint64_t first, uint64_t columns,
		     struct err *e)
{
	uint64_t left = columns - first;

	p->first = first;
	p->here = left < p->width ? (unsigned)left : p->width;
	p->bytes = 0;
	for (unsigned i = 0; i < p->count; i++)
		for (unsigned k = 0; k < p->here && p->sources[i].mode != PARITY_ZERO; k++)
			p->bytes += column_size(&p->sources[i], first + k);
	team_run(team_processors(), p->count, read_source, p);
	for (unsigned i = 0; i < p->count; i++) {
		if (p->errors[i].code == MUNI_OK)
			continue;
		*e = p->errors[i];
		return -1;
	}
	return 0;
}
