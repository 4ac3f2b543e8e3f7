#include "policy/detect/beside.h"

#include <string.h>
#include <strings.h>

#include "policy/detect/written.h"

#define NEAR 64		/* bytes before a span in which a name is looked for */
#define FAR 256		/* and a "://" */

static bool is_word(char c)
{
	return written_is_digit(c) || written_is_letter(c);
}

static size_t room_left(const struct candidate *c, size_t most)
{
	size_t room = (size_t)(c->text - c->before);

	return room < most ? room : most;
}

static size_t room_right(const struct candidate *c, size_t most)
{
	size_t room = (size_t)(c->after - (c->text + c->size));

	return room < most ? room : most;
}

/* U+FF10..U+FF19 */
static bool is_wide_digit(const char *at, size_t room)
{
	return room >= 3 && memcmp(at, "\xef\xbc", 2) == 0 && (unsigned char)at[2] >= 0x90 &&
	       (unsigned char)at[2] <= 0x99;
}

/* ---- a piece of something longer -------------------------------------------------- */

/* Whether the chain of letters, digits, '-' and '_' that touches the span here
 * holds a digit; step: -1 to the left, 1 to the right. */
static bool chain_has_digit(const char *at, size_t room, int step)
{
	for (; room > 0; room--, at += step) {
		if (written_is_digit(*at))
			return true;
		if (!written_is_letter(*at) && *at != '-' && *at != '_')
			return false;
	}
	return false;
}

static size_t digits_run(const char *at, size_t room, int step)
{
	size_t count = 0;

	for (; count < room && written_is_digit(*at); at += step)
		count++;
	return count;
}

/* "2023/123456789" is no list of two numbers; "13800138000/13900139000" is one. */
static bool is_slashed(const char *at, size_t room, int step)
{
	size_t digits = room > 0 ? digits_run(at + step, room - 1, step) : 0;

	return digits > 0 && digits < 6;
}

static bool is_clear_left(const struct candidate *c)
{
	size_t room = room_left(c, FAR);
	const char *at = c->text - 1;

	if (room == 0)
		return true;
	if (is_word(*at))	/* "\n" of a string in source or in a log */
		return room >= 2 && at[-1] == '\\' && strchr("nrt", *at) != NULL;
	if (*at == '-' || *at == '_')
		return !chain_has_digit(at, room, -1);
	if (*at == '.')
		return room < 2 || !written_is_digit(at[-1]);
	if (*at == '/')
		return !is_slashed(at, room, -1);
	if (room >= 3 && is_wide_digit(at - 2, 3))
		return false;
	return *at != '+' && *at != '@';
}

static bool is_clear_right(const struct candidate *c)
{
	size_t room = room_right(c, FAR);
	const char *at = c->text + c->size;

	if (room == 0)
		return true;
	if (is_word(*at))
		return false;
	if (*at == '-' || *at == '_')
		return !chain_has_digit(at, room, 1);
	if (*at == '.')
		return room < 2 || !written_is_digit(at[1]);
	if (*at == '/')
		return !is_slashed(at, room, 1);
	if (is_wide_digit(at, room))
		return false;
	return *at != '@' && *at != '%';
}

/* The word at `at` (step: which way it goes) is a group like those of the span: as
 * long, and with a digit ("3456", "4F0B"). */
static bool is_group(const char *at, size_t room, int step, size_t size)
{
	size_t count = 0;
	bool has_digit = false;

	for (; count < room && is_word(*at); at += step) {
		has_digit = has_digit || written_is_digit(*at);
		count++;
	}
	return has_digit && count == size;
}

/* "1234 5678 9012" in "1234 5678 9012 3456", "901 820 123" in "+49 30 901 820 123":
 * a group of the same size goes on, or a country code stands before. */
static bool is_run_on(const struct candidate *c)
{
	const char *end = c->text + c->size;
	size_t first = digits_run(c->text, c->size, 1), last;
	size_t left = room_left(c, FAR), right = room_right(c, FAR);
	size_t i = 2;

	if (first == c->size || first == 0 || c->text[first] != ' ')
		return false;
	last = digits_run(end - 1, c->size, -1);
	if (right >= 2 && *end == ' ' && is_group(end + 1, right - 1, 1, last))
		return true;
	if (left < 2 || c->text[-1] != ' ')
		return false;
	if (is_group(c->text - 2, left - 1, -1, first))
		return true;
	while (i < left && i < 10 &&
	       (written_is_digit(c->text[-(long)i]) || c->text[-(long)i] == ' '))
		i++;
	return c->text[-(long)i] == '+';
}

bool beside_is_clear(const struct candidate *c)
{
	return c->size > 0 && is_clear_left(c) && is_clear_right(c) && !is_run_on(c);
}

/* ---- addresses, amounts ------------------------------------------------------------ */

bool beside_is_in_url(const struct candidate *c)
{
	size_t room = room_left(c, FAR);
	const char *at = c->text;

	if (room >= 2 && at[-1] == '/' && !written_is_digit(at[-2]))
		return true;
	for (size_t i = 1; i <= room; i++) {
		char ch = at[-(long)i];

		if ((unsigned char)ch <= ' ' || strchr("\"'<>()[]{}", ch) != NULL ||
		    (unsigned char)ch >= 0x80)
			return false;
		if (ch == ':' && i >= 3 && at[-(long)i + 1] == '/' && at[-(long)i + 2] == '/')
			return true;
		if (ch == 'w' && i >= 4 && memcmp(at - i, "www.", 4) == 0)
			return true;
	}
	return false;
}

static bool any_ends(const char *end, size_t room, const char *const *words)
{
	for (; *words != NULL; words++) {
		size_t size = strlen(*words);

		if (size <= room && memcmp(end - size, *words, size) == 0)
			return true;
	}
	return false;
}

static bool any_begins(const char *at, size_t room, const char *const *words)
{
	for (; *words != NULL; words++) {
		size_t size = strlen(*words);

		/* "m" is a unit, the "m" of "may" is none. */
		if (size <= room && strncasecmp(at, *words, size) == 0 &&
		    (!is_word(**words) || size == room || !is_word(at[size])))
			return true;
	}
	return false;
}

bool beside_is_amount(const struct candidate *c)
{
	static const char *const before[] = { "$", "€", "£", "¥", "￥", "₹", "₩", "USD", "EUR",
		"GBP", "CNY", "RMB", "JPY", "R$", "#", NULL };
	static const char *const after[] = { "元", "万", "亿", "美元", "円", "원", "€", "%", "usd",
		"eur", "gbp", "cny", "rmb", "jpy", "pln", "sek", "kr", "bytes", "kb", "mb",
		"ms", "ns", "us", "km", "kg", "字节", "毫秒", "次", "条", "件", NULL };
	size_t left = room_left(c, NEAR), right = room_right(c, NEAR);
	const char *end = c->text + c->size;

	if (left > 0 && c->text[-1] == ' ' &&
	    any_ends(c->text - 1, left - 1, before))
		return true;
	if (right > 0 && *end == ' ' && any_begins(end + 1, right - 1, after))
		return true;
	return any_ends(c->text, left, before) || any_begins(end, right, after);
}

/* ---- names -------------------------------------------------------------------------- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Letters of one word on both sides of this place: "ln" of "col|number", not "rN" of
 * "orderNo". */
static bool goes_on(char left, char right)
{
	return written_is_letter(left) && written_is_letter(right) &&
	       !(left >= 'a' && right <= 'Z');
}

/* The bytes of text that word takes up at `at`, or 0.  Its spaces also stand for
 * "_", "-" and a change of case ("account_no", "accountNo"). */
static size_t word_span(const char *text, size_t size, size_t at, const char *word)
{
	size_t end = at;

	for (; *word != '\0'; word++) {
		char ch = end < size ? text[end] : '\0';

		if (*word == ' ' && ch >= 'A' && ch <= 'Z' && !goes_on(text[end - 1], ch))
			continue;
		if (ch == '_' || ch == '-')
			ch = ' ';
		if (lower(ch) != *word)
			return 0;
		end++;
	}
	return end < size && goes_on(text[end - 1], text[end]) ? 0 : end - at;
}

struct nearest {
	const struct beside_name *name;
	size_t end, size;
};

/* The first name that begins with this byte or a later one. */
static const struct beside_name *names_from(unsigned char first)
{
	size_t low = 0, high = beside_name_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((unsigned char)beside_names[middle].word[0] < first)
			low = middle + 1;
		else
			high = middle;
	}
	return beside_names + low;
}

/* The name that ends last; of those that end together the longest ("香港身份证" is
 * another card than "身份证"). */
static struct nearest nearest_name(const char *text, size_t size)
{
	struct nearest best = { .name = NULL };

	for (size_t at = 0; at < size; at++) {
		char first = lower(text[at]);

		if (((unsigned char)first & 0xc0) == 0x80 || (unsigned char)first <= '9' ||
		    (at > 0 && goes_on(text[at - 1], text[at])))
			continue;
		for (const struct beside_name *n = names_from((unsigned char)first);
		     n < beside_names + beside_name_count && n->word[0] == first; n++) {
			size_t span = word_span(text, size, at, n->word);

			if (span > 0 && (at + span > best.end ||
					 (at + span == best.end && span > best.size)))
				best = (struct nearest){ n, at + span, span };
		}
	}
	return best;
}

static enum naming naming_of(const struct nearest *n, const char *id)
{
	if (n->name == NULL)
		return NAMING_NONE;
	return n->name->id != NULL && strcmp(n->name->id, id) == 0 ? NAMING_SELF : NAMING_OTHER;
}

enum naming beside_naming(const struct candidate *c, const char *id)
{
	size_t room = room_left(c, NEAR);
	struct nearest n = { .name = NULL };
	const char *from;

	if (c->label != NULL) {
		n = nearest_name(c->label, strlen(c->label));
		if (n.name != NULL)
			return naming_of(&n, id);
	}
	for (from = c->text; room > 0 && from[-1] != '\n'; room--)
		from--;
	n = nearest_name(from, (size_t)(c->text - from));
	return naming_of(&n, id);
}

enum verdict beside_judge(const struct candidate *c, const char *id, enum verdict form)
{
	enum naming naming;

	if (form == VERDICT_NO || c->is_first_look)
		return form;
	naming = beside_naming(c, id);
	if (naming == NAMING_OTHER || beside_is_amount(c))
		return form == VERDICT_VALID ? VERDICT_WEAK : VERDICT_NO;
	if (form == VERDICT_VALID && naming != NAMING_SELF && beside_is_in_url(c))
		return VERDICT_WEAK;
	return form;
}
