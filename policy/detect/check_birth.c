/*
 * Dates of birth: any date is one if the words say so, right before it, right behind
 * it, or over its column.  Nothing else tells it from the other dates of a system.
 */
#include <string.h>

#include "policy/detect/around.h"
#include "policy/detect/check_contact.h"
#include "policy/detect/date_written.h"

static const char *const birth_words[] = { BIRTH_WORDS, NULL };

/* Dates of something else: one of these nearer to the date takes it. */
static const char *const other_words[] = {
	"issued", "issue", "expiry", "expires", "expired", "expiration", "valid", "hired",
	"hire", "joined", "start", "started", "admitted", "admission", "died", "death",
	"created", "updated", "registered", "registration", "since", "married", "discharged",
	"visit", "invoice", "order", "due", "signed", "employed", "enrolled", "seen", "gest",
	"入职", "签发", "有效期", "登记", "注册", "办理", "死亡", "去世", "入院", "就诊", "到期",
	NULL,
};

/* NUMBERED: digits that may stand between word and date, as of a footnote. */
enum { REACH = 56, START_BACK = 32, NUMBERED = 2 };

/* A date that holds the trigger: month names begin before it, years end behind it. */
static bool find(const struct candidate *c, struct span *out)
{
	const char *first = c->text;

	while (first > c->before && c->text - first < START_BACK && first[-1] != '\n')
		first--;
	for (const char *p = first; p <= c->text; p++) {
		char left = p == c->before ? '\0' : p[-1];
		const char *end;

		if (((unsigned char)*p & 0xc0) == 0x80)
			continue;
		if (around_is_alnum(*p) && around_is_alnum(left))
			continue;
		end = date_written(p, c->after);
		if (end == NULL || end <= c->text)
			continue;
		/* More of the same: 1.12.03.1984, 12/03/1984/7; a time of day may follow. */
		if (left != '\0' && strchr("-/.", left) != NULL && p - 1 > c->before &&
		    around_is_digit(p[-2]))
			continue;
		if (end < c->after && (around_is_digit(*end) ||
				       (around_is_letter(*end) && *end != 'T')))
			continue;
		if (end + 1 < c->after && strchr("-/.", *end) != NULL &&
		    around_is_digit(end[1]))
			continue;
		*out = (struct span){ p, end };
		return true;
	}
	return false;
}

static bool is_named_before(const struct candidate *c, struct span date)
{
	struct span before = around_words_before(c, date.from, REACH + 16, NUMBERED), birth;
	struct span other;

	if (!around_last_word(before, birth_words, &birth) ||
	    before.end - birth.end > REACH)
		return false;
	return !around_last_word(before, other_words, &other) || other.from < birth.from;
}

/* 1984年3月12日出生, 1984-03-12 (date of birth) */
static bool is_named_behind(const struct candidate *c, struct span date)
{
	struct span after = { date.end, date.end }, found;

	while (after.end < c->after && after.end - after.from < 24 && *after.end != '\n' &&
	       !around_is_digit(*after.end) && *after.end != ',' && *after.end != ';')
		after.end++;
	if (around_begins(after, "生"))
		return !around_begins(after, "生效") && !around_begins(after, "生产") &&
		       !around_begins(after, "生成");
	return around_first_word(after, birth_words, &found) && found.from - after.from <= 3 &&
	       ((unsigned char)*found.from >= 0x80 ||
		memchr(after.from, '(', (size_t)(found.from - after.from)) != NULL);
}

/* Eight digits: seldom a date. */
static bool is_number(const struct candidate *c)
{
	return c->size == 8 &&
	       around_count_digits((struct span){ c->text, c->text + 8 }) == 8 &&
	       !date_is_compact(c->text, c->text + 8);
}

/* Most dates are none of birth, and reading one costs more than looking for a word. */
static bool may_be_named(const struct candidate *c)
{
	/* A date of which the match is a part has at most seven digits before that. */
	struct span near = { around_words_before(c, c->text, REACH + START_BACK,
						 NUMBERED + 7).from,
			     around_after(c, START_BACK, true).end };

	return around_label_has(c, birth_words) || around_has_word(near, birth_words) ||
	       memmem(near.from, (size_t)(near.end - near.from), "生", 3) != NULL;
}

/* 2024-05-01 12:34, 2024-05-01T12:34, 01/May/2024:12:34: nobody's hour of birth is kept;
 * but a date that is kept as a time is midnight. */
static bool is_moment(const struct candidate *c)
{
	const char *end = c->text + c->size;
	char text[6];

	if (c->size == 16 && c->text[13] == ':')
		return memcmp(c->text + 11, "00:00", 5) != 0;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = around_right(c, end, i);
	return c->size >= 8 && (text[0] == ' ' || text[0] == 'T' || text[0] == ':') &&
	       around_is_digit(text[1]) && around_is_digit(text[2]) && text[3] == ':' &&
	       around_is_digit(text[4]) && memcmp(text + 1, "00:00", 5) != 0;
}

enum verdict birth_check(const struct candidate *c)
{
	struct span date;

	if (!c->has_context || is_number(c) || is_moment(c))
		return VERDICT_NO;
	if (c->is_first_look)
		return VERDICT_VALID;
	if (!may_be_named(c) || !find(c, &date))
		return VERDICT_NO;
	if (around_label_has(c, birth_words) || is_named_before(c, date) ||
	    is_named_behind(c, date))
		return VERDICT_VALID;
	return VERDICT_NO;
}

void birth_value(const struct candidate *c, const char **start, size_t *size)
{
	struct span date;

	if (find(c, &date)) {
		*start = date.from;
		*size = (size_t)(date.end - date.from);
	}
}
