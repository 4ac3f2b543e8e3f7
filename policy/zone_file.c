/*
 * TZif, the format of the tz database (RFC 9636), big-endian unlike all that is ours.
 *
 * What the file leaves to its footer (a rule for all later years) is written out for
 * a little over 400 years; after that the calendar, weekdays and all, repeats.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/calendar.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/zone_inside.h"
#include "policy/zone_rule.h"

#define TRANSITIONS_MAX 20000	/* the longest zone has some 240 */
#define CYCLE_YEARS 400

struct input {
	const uint8_t *data;
	size_t size, used;
	bool is_short;
};

static const uint8_t *take(struct input *in, size_t size)
{
	if (in->size - in->used < size) {
		in->is_short = true;
		in->used = in->size;
		return NULL;
	}
	in->used += size;
	return in->data + in->used - size;
}

static int64_t number_at(const uint8_t *p, size_t size)
{
	uint64_t v = 0;

	for (size_t i = 0; i < size; i++)
		v = v << 8 | p[i];
	return size == 4 ? (int32_t)v : (int64_t)v;
}

struct head {
	char version;
	size_t utc_count, standard_count, leap_count, time_count, type_count, char_count;
};

#define HEAD_SIZE 44	/* 4 magic + 1 version + 15 reserved + 6 * 4 counts */

static int take_head(struct input *in, struct head *h, struct err *e)
{
	const uint8_t *p = take(in, HEAD_SIZE);
	size_t counts[6];

	if (p == NULL || memcmp(p, "TZif", 4) != 0)
		return err_set(e, MUNI_DAMAGED, "it does not begin as a TZif file does");
	for (size_t i = 0; i < 6; i++) {
		counts[i] = (uint32_t)number_at(p + 20 + 4 * i, 4);
		if (counts[i] > TRANSITIONS_MAX)
			return err_set(e, MUNI_DAMAGED, "a count in its head is too large");
	}
	*h = (struct head){ (char)p[4], counts[0], counts[1], counts[2], counts[3], counts[4],
			    counts[5] };
	return 0;
}

static size_t block_size(const struct head *h, size_t time_size)
{
	return h->time_count * (time_size + 1) + h->type_count * 6 + h->char_count +
	       h->leap_count * (time_size + 4) + h->standard_count + h->utc_count;
}

static int add(struct zone *z, int64_t at, int32_t offset, struct err *e)
{
	if (z->count == z->capacity) {
		size_t capacity = z->capacity == 0 ? 256 : 2 * z->capacity;
		struct transition *more = realloc(z->transitions, capacity * sizeof *more);

		if (more == NULL)
			return err_set(e, MUNI_NO_MEMORY, "no memory for a time zone");
		z->transitions = more;
		z->capacity = capacity;
	}
	z->transitions[z->count++] = (struct transition){ at, offset };
	return 0;
}

static int take_block(struct zone *z, struct input *in, const struct head *h,
		      size_t time_size, struct err *e)
{
	const uint8_t *times = take(in, h->time_count * time_size);
	const uint8_t *indexes = take(in, h->time_count);
	const uint8_t *types = take(in, h->type_count * 6);
	int64_t last = INT64_MIN;

	take(in, h->char_count + h->leap_count * (time_size + 4) + h->standard_count +
		     h->utc_count);
	if (in->is_short || h->type_count == 0)
		return err_set(e, MUNI_DAMAGED, "it is shorter than its head says");
	if (h->leap_count > 0)
		return err_set(e, MUNI_USAGE, "it counts leap seconds, which the times of "
			       "files do not; expected the zone without \"right/\"");
	z->before = (int32_t)number_at(types, 4);
	for (size_t i = 0; i < h->time_count; i++) {
		int64_t at = number_at(times + i * time_size, time_size);
		int64_t offset;

		if (indexes[i] >= h->type_count || (i > 0 && at <= last))
			return err_set(e, MUNI_DAMAGED, "its transitions are not in order");
		offset = number_at(types + 6 * (size_t)indexes[i], 4);
		if (offset < -ZONE_OFFSET_MAX || offset > ZONE_OFFSET_MAX)
			return err_set(e, MUNI_DAMAGED, "an offset in it is too large");
		last = at;
		if (add(z, at, (int32_t)offset, e) < 0)
			return -1;
	}
	if (z->before < -ZONE_OFFSET_MAX || z->before > ZONE_OFFSET_MAX)
		return err_set(e, MUNI_DAMAGED, "an offset in it is too large");
	return 0;
}

/* ---- the footer ------------------------------------------------------------------- */

static int64_t year_of(int64_t seconds)
{
	int64_t year;
	unsigned month, date;

	calendar_date(calendar_floor_divide(seconds, CALENDAR_DAY), &year, &month, &date);
	return year;
}

/*
 * Where an end meets the next begin (summer all year) zone_offset() takes the later
 * one in the array: begin must stay behind end.  The run is short and nearly sorted,
 * so an insertion does it, and is stable.
 */
static void sort_from(struct zone *z, size_t first)
{
	for (size_t i = first + 1; i < z->count; i++) {
		struct transition t = z->transitions[i];
		size_t j = i;

		for (; j > first && z->transitions[j - 1].at > t.at; j--)
			z->transitions[j] = z->transitions[j - 1];
		z->transitions[j] = t;
	}
}

/* Writes the rule out for the years in which it is in force. */
static int extend(struct zone *z, const struct zone_rule *r, struct err *e)
{
	int64_t last = z->count == 0 ? INT64_MIN : z->transitions[z->count - 1].at;
	int64_t year = z->count == 0 ? 1970 : year_of(last);
	size_t first = z->count;

	if (z->count > 0 && (last < -ZONE_SECONDS_MAX || last > ZONE_SECONDS_MAX))
		return err_set(e, MUNI_DAMAGED, "its last transition is out of reach");
	if (!r->has_summer) {
		if (z->count == 0)
			z->before = r->standard;
		else if (z->transitions[z->count - 1].offset != r->standard)
			return add(z, last + 1, r->standard, e);
		return 0;
	}
	for (int64_t y = year; y <= year + CYCLE_YEARS + 2; y++) {
		int64_t begin = zone_rule_second(&r->begin, y) - r->standard;
		int64_t end = zone_rule_second(&r->end, y) - r->summer;

		if (end > last && add(z, end, r->standard, e) < 0)
			return -1;
		if (begin > last && add(z, begin, r->summer, e) < 0)
			return -1;
	}
	sort_from(z, first);
	z->is_cyclic = true;
	z->cycle = calendar_day(year + 1, 1, 1) * CALENDAR_DAY;
	return 0;
}

static int take_footer(struct zone *z, struct input *in, struct err *e)
{
	char text[128];
	struct zone_rule rule;
	const uint8_t *newline = take(in, 1), *end;
	size_t size;

	if (newline == NULL || *newline != '\n')
		return err_set(e, MUNI_DAMAGED, "its footer is missing");
	end = memchr(newline + 1, '\n', in->size - in->used);
	size = end == NULL ? sizeof text : (size_t)(end - newline - 1);
	if (size >= sizeof text)
		return err_set(e, MUNI_DAMAGED, "its footer does not end");
	if (size == 0)
		return 0;	/* nothing is known of later years: the last offset stays */
	memcpy(text, newline + 1, size);
	text[size] = '\0';
	if (zone_rule_parse(text, &rule) < 0)
		return err_set(e, MUNI_DAMAGED, "its footer \"%s\" is no rule",
			       text_printable(text));
	return extend(z, &rule, e);
}

/* ---- all of it ------------------------------------------------------------------- */

static int read_blocks(struct zone *z, struct input *in, struct err *e)
{
	struct head h;

	if (take_head(in, &h, e) < 0)
		return -1;
	if (h.version < '2')
		return take_block(z, in, &h, 4, e);
	/* Version 2 and later: the block for old readers is skipped. */
	if (take(in, block_size(&h, 4)) == NULL)
		return err_set(e, MUNI_DAMAGED, "it is shorter than its head says");
	if (take_head(in, &h, e) < 0 || take_block(z, in, &h, 8, e) < 0)
		return -1;
	return take_footer(z, in, e);
}

int zone_read(struct zone *z, const void *tzif, size_t size, struct err *e)
{
	struct input in = { .data = tzif, .size = size };

	return read_blocks(z, &in, e);
}
