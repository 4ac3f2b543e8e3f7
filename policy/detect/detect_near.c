#include "policy/detect/detect_near.h"

#include <stdlib.h>
#include <string.h>

#include "policy/detect/detect.h"

#define BEFORE 100
#define AFTER 50
#define AFTER_PENALTY 30
#define LABEL_DISTANCE 4
#define LABEL_MAX 256
/* Gathered at once beyond what is asked for: a search has a price of its own. */
#define AHEAD 512

void detect_around_reset(struct detect_around *a)
{
	a->hits.count = 0;
	a->hits.no_memory = false;
	a->from = a->to = 0;
}

void detect_around_free(struct detect_around *a)
{
	detect_hits_free(&a->hits);
	detect_hits_free(&a->label_hits);
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
	wanted = least(size, to + AHEAD);
	if (from < a->from || from > a->to) {
		a->hits.count = 0;
		a->from = a->to = from;
	}
	detect_words_find(a->words, a->scratch, text, size, a->to, wanted, &a->hits);
	a->to = wanted;
}

/* The first hit that ends behind `at`. */
static size_t first_behind(const struct detect_hits *hits, size_t at)
{
	size_t low = 0, high = hits->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (hits->rows[middle].end > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void bring_near(const struct detect_around *a, unsigned word, size_t distance,
		       struct detect_near *near)
{
	size_t count;
	const uint16_t *owners = detect_words_owners(a->words, word, &count);
	uint8_t bytes = (uint8_t)least(distance, DETECT_FAR - 1);

	for (size_t i = 0; i < count; i++)
		if (bytes < near->distance[owners[i]])
			near->distance[owners[i]] = bytes;
}

static void read_label(struct detect_around *a, const char *label, struct detect_near *near)
{
	size_t size = strnlen(label, LABEL_MAX);

	a->label_hits.count = 0;
	detect_words_find(a->words, a->scratch, label, size, 0, size, &a->label_hits);
	for (size_t i = 0; i < a->label_hits.count; i++)
		bring_near(a, a->label_hits.rows[i].word, LABEL_DISTANCE, near);
}

void detect_around_value(struct detect_around *a, const char *text, size_t size, size_t start,
			 size_t end, const char *label, struct detect_near *near)
{
	size_t from = context_begin(text, start), to = context_end(text, size, end);

	memset(near->distance, DETECT_FAR, sizeof near->distance);
	gather(a, text, size, from, to);
	for (size_t i = first_behind(&a->hits, from); i < a->hits.count; i++) {
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
	if (label)
		read_label(a, label, near);
}
