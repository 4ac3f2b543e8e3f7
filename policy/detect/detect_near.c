#include "policy/detect/detect_near.h"

#include <stdlib.h>
#include <string.h>

#include "policy/detect/detect.h"

#define BEFORE 100
#define AFTER 50
#define AFTER_PENALTY 30
#define LABEL_DISTANCE 4
/* Gathered beyond what is asked for.  A search for words has a price of its own: where
 * values stand close together more is gathered each time. */
#define AHEAD_LEAST 512
#define AHEAD_MOST 8192

void detect_around_reset(struct detect_around *a)
{
	a->hits.count = 0;
	a->from = a->to = a->first = 0;
	a->ahead = AHEAD_LEAST;
}

void detect_around_free(struct detect_around *a)
{
	detect_hits_free(&a->hits);
	detect_hits_free(&a->label_hits);
	free(a->labels);
	a->labels = NULL;
}

bool detect_around_failed(const struct detect_around *a)
{
	return a->no_memory || a->hits.no_memory || a->label_hits.no_memory;
}

/* ---- how far ---------------------------------------------------------------------- */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Behind the last `c` in from..end; `from` if there is none. */
static size_t behind_last(const char *text, size_t from, size_t end, char c)
{
	const char *at = memrchr(text + from, c, end - from);

	return at ? (size_t)(at - text) + 1 : from;
}

/* Is the line that ends before `end` (behind its "\n") blank? */
static bool is_blank(const char *text, size_t from, size_t end)
{
	size_t at = end - 1;

	while (at > from && (text[at - 1] == '\r' || text[at - 1] == ' '))
		at--;
	return at == from || text[at - 1] == '\n';
}

/* Back over this line and the one before it. */
static size_t context_begin(const char *text, size_t start)
{
	size_t from = start > BEFORE ? start - BEFORE : 0;
	size_t line, row = behind_last(text, from, start, DETECT_ROW_END);

	line = behind_last(text, row, start, '\n');
	if (line == row || is_blank(text, row, line))
		return line;
	return behind_last(text, row, line - 1, '\n');
}

static size_t context_end(const char *text, size_t size, size_t end)
{
	size_t most = least(AFTER, size - end);
	const char *at = memchr(text + end, '\n', most);

	if (at)
		most = (size_t)(at - (text + end));
	at = memchr(text + end, DETECT_ROW_END, most);
	return at ? (size_t)(at - text) : end + most;
}

/* ---- gathering -------------------------------------------------------------------- */

static void gather(struct detect_around *a, const char *text, size_t size, size_t from, size_t to)
{
	size_t wanted;

	if (from >= a->from && to <= a->to)
		return;
	if (from < a->from || from > a->to) {
		a->hits.count = a->first = 0;
		a->from = a->to = from;
		a->ahead = AHEAD_LEAST;
	} else {
		a->ahead = least(2 * a->ahead, AHEAD_MOST);
	}
	wanted = least(size, to + a->ahead);
	detect_words_find(a->words, a->scratch, text, size, a->to, wanted, &a->hits);
	a->to = wanted;
}

/* The first hit that ends behind `at`; values come nearly in order. */
static size_t first_behind(struct detect_around *a, size_t at)
{
	const struct detect_hit *rows = a->hits.rows;
	size_t first = a->first;

	while (first > 0 && rows[first - 1].end > at)
		first--;
	while (first < a->hits.count && rows[first].end <= at)
		first++;
	a->first = first;
	return first;
}

/* ---- what is near ----------------------------------------------------------------- */

static void bring_owner_near(unsigned owner, size_t distance, struct detect_near *near)
{
	uint8_t bytes = (uint8_t)least(distance, DETECT_FAR - 1);

	if (!near->has_any)
		memset(near->distance, DETECT_FAR, sizeof near->distance);
	near->has_any = true;
	if (bytes < near->distance[owner])
		near->distance[owner] = bytes;
}

static void bring_near(const struct detect_around *a, unsigned word, size_t distance,
		       struct detect_near *near)
{
	size_t count;
	const uint16_t *owners = detect_words_owners(a->words, word, &count);

	for (size_t i = 0; i < count; i++)
		bring_owner_near(owners[i], distance, near);
}

static void bring_words_near(struct detect_around *a, const char *text, size_t size,
			     size_t start, size_t end, struct detect_near *near)
{
	size_t i = first_behind(a, start > BEFORE ? start - BEFORE : 0), from, to;

	/* Mostly there is none, however the lines are. */
	if (i == a->hits.count || a->hits.rows[i].end > end + AFTER)
		return;
	from = context_begin(text, start);
	to = context_end(text, size, end);
	for (; i < a->hits.count; i++) {
		const struct detect_hit *hit = &a->hits.rows[i];

		if (hit->end > to)
			break;
		if (hit->start < from)
			continue;
		if (hit->end <= start)
			bring_near(a, hit->word, start - hit->end, near);
		else if (hit->start >= end)
			bring_near(a, hit->word, hit->start - end + AFTER_PENALTY, near);
	}
}

/* ---- labels ----------------------------------------------------------------------- */

static void read_label(struct detect_around *a, struct detect_label *l)
{
	size_t size = strlen(l->text), count;
	bool seen[DETECT_RECOGNISERS_MAX] = { false };

	l->count = 0;
	a->label_hits.count = 0;
	detect_words_find(a->words, a->scratch, l->text, size, 0, size, &a->label_hits);
	for (size_t i = 0; i < a->label_hits.count; i++) {
		const uint16_t *owners =
			detect_words_owners(a->words, a->label_hits.rows[i].word, &count);

		for (size_t k = 0; k < count; k++) {
			if (!seen[owners[k]])
				l->owners[l->count++] = (uint8_t)owners[k];
			seen[owners[k]] = true;
		}
	}
}

static const struct detect_label *label_of(struct detect_around *a, const char *label)
{
	size_t size = strnlen(label, DETECT_LABEL_MAX);
	uint64_t hash = 14695981039346656037u;
	struct detect_label *l;

	if (!a->labels)
		a->labels = calloc(DETECT_LABELS, sizeof *a->labels);
	if (!a->labels) {
		a->no_memory = true;
		return NULL;
	}
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)label[i]) * 1099511628211u;	/* FNV-1a */
	l = &a->labels[(hash ^ hash >> 32) % DETECT_LABELS];
	if (!l->is_set || strncmp(l->text, label, size) != 0 || l->text[size] != '\0') {
		memcpy(l->text, label, size);
		l->text[size] = '\0';
		l->is_set = true;
		read_label(a, l);
	}
	return l;
}

void detect_around_value(struct detect_around *a, const char *text, size_t size, size_t start,
			 size_t end, const char *label, struct detect_near *near)
{
	const struct detect_label *l = label ? label_of(a, label) : NULL;

	near->has_any = false;
	gather(a, text, size, start > BEFORE ? start - BEFORE : 0, end + least(AFTER, size - end));
	bring_words_near(a, text, size, start, end, near);
	for (size_t i = 0; l && i < l->count; i++)
		bring_owner_near(l->owners[i], LABEL_DISTANCE, near);
}
