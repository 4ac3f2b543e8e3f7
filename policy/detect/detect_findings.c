/* What is counted, and the first samples of it, masked before they are kept (D3). */
#include <stdlib.h>
#include <string.h>

#include "policy/detect/detect_inside.h"
#include "policy/detect/detect_mask.h"

#define SEPARATOR "; "
#define MORE "..."

/* Is `place` one of those in `where`? */
static bool stands_in(const char *where, const char *place)
{
	size_t size = strlen(place);

	for (const char *at = where; (at = strstr(at, place)) != NULL; at++)
		if ((at == where || at[-1] == ' ') &&
		    (at[size] == '\0' || strncmp(at + size, SEPARATOR, strlen(SEPARATOR)) == 0))
			return true;
	return false;
}

static bool is_full(const char *where)
{
	size_t size = strlen(where);

	return size >= strlen(MORE) && strcmp(where + size - strlen(MORE), MORE) == 0;
}

static void add_place(struct finding *f, const char *place)
{
	size_t used = strlen(f->where), size = strlen(place);
	size_t room = FINDING_WHERE_MAX - strlen(SEPARATOR MORE) - 1;

	if (size == 0 || stands_in(f->where, place))
		return;
	if (used + strlen(SEPARATOR) + size > room) {
		memcpy(f->where + used, used ? SEPARATOR MORE : MORE,
		       strlen(used ? SEPARATOR MORE : MORE) + 1);
		return;
	}
	if (used > 0) {
		memcpy(f->where + used, SEPARATOR, strlen(SEPARATOR));
		used += strlen(SEPARATOR);
	}
	memcpy(f->where + used, place, size + 1);
}

void detect_record(struct detector *d, const struct window *w, const struct claim *c)
{
	struct finding *f = &d->findings[c->owner];
	const struct recogniser *r = d->set->rows[c->owner];
	const struct passage *passage = d->passage;
	uint64_t offset = w->base + c->start;
	char place[SAMPLE_WHERE_MAX] = "";
	bool is_first = f->sample_count < SAMPLES_MAX;

	f->count++;
	if (c->confidence > f->confidence)
		f->confidence = c->confidence;
	if (!is_first && is_full(f->where))
		return;
	if (passage && passage->place)
		passage->place(passage->arg, offset, place);
	place[sizeof place - 1] = '\0';
	add_place(f, place);
	if (is_first) {
		struct sample *sample = &f->samples[f->sample_count++];

		detect_mask(r, w->text + c->start, c->end - c->start, sample->text);
		memcpy(sample->where, place, sizeof sample->where);
		sample->offset = passage && passage->told ? passage->told(passage->arg, offset) : offset;
	}
}

const struct finding *detector_findings(const struct detector *d, size_t *count)
{
	size_t n = 0;

	for (size_t i = 0; i < d->set->count; i++)
		if (d->findings[i].count > 0)
			d->told[n++] = d->findings[i];
	*count = n;
	return d->told;
}
