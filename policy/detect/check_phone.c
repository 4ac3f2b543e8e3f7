/*
 * Telephone numbers: international (ITU-T E.123, E.164), and the usual national
 * writings.
 *
 * A writing that is used for nothing else counts by itself: "+44 20 7946 0958",
 * "(212) 555-0123", "01 23 45 67 89", "0755-86012345".  Anything that could be an order
 * number too ("512 345 678", a plain run of digits) counts only right behind a word such
 * as "tel", or in a column that bears one.  Chinese mobile numbers are cn-mobile's.
 */
#include <string.h>

#include "policy/detect/around.h"
#include "policy/detect/check_contact.h"
#include "policy/detect/checksum.h"
#include "policy/detect/phone_parts.h"

const char *const phone_words[] = {
	"phone", "phones", "telephone", "tel", "mobile", "mob", "cell", "cellphone",
	"cellular", "fax", "call", "dial", "whatsapp", "contact", "contact no", "sms",
	"hotline", "helpline", "msisdn", "ph", "telno", "phone number", "phonenumber",
	"mobilephone", "homephone", "workphone", "landline", "pager", "extension",
	"telefon", "telefonnummer", "handy", "handynummer", "rufnummer", "durchwahl",
	"téléphone", "telephone", "portable", "mobil", "móvil", "movil", "teléfono",
	"telefono", "celular", "cellulare", "telefone", "telefoon", "puhelin", "mobiltelefon",
	"电话", "电话号码", "手机", "手机号", "联系方式", "座机", "固话", "传真", "热线", "致电",
	"電話", "携帯", "手機", "傳真", "전화", "휴대폰", "телефон", "тел", NULL,
};

enum { NATIONAL_LEAST = 7, NATIONAL_MOST = 15 };

/* ---- is it written as one ------------------------------------------------------------- */

static bool has_groups(const struct phone *n, size_t from, const char *sizes)
{
	size_t count = strlen(sizes);

	if (n->count != from + count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (n->groups[from + i].size != (size_t)(sizes[i] - '0'))
			return false;
	}
	return true;
}

/* The same separator throughout, from group `from` on; 0 where they differ. */
static char separator(const struct phone *n, size_t from)
{
	for (size_t i = from + 1; i + 1 < n->count; i++) {
		if (n->groups[i].then != n->groups[from].then)
			return '\0';
	}
	return n->groups[from].then;
}

static enum verdict north_american(const char *digits, bool is_spaced)
{
	if (!phone_is_north_american(digits))
		return VERDICT_NO;
	return is_spaced ? VERDICT_WEAK : VERDICT_VALID;
}

/* (area) and the rest */
static enum verdict with_brackets(const struct phone *n)
{
	size_t size = n->digit_count, area = n->groups[0].size;

	if (n->digits[0] == '0')
		return area >= 2 && area <= 5 && size >= 9 && size <= 12 ? VERDICT_VALID :
									   VERDICT_NO;
	if (has_groups(n, 0, "334"))
		return north_american(n->digits, false);
	if (area == 3 && n->count == 3 && n->groups[1].size == 3)
		return VERDICT_NO;	/* a digit too many or too few */
	if (has_groups(n, 0, "37") && phone_is_north_american(n->digits))
		return VERDICT_VALID;
	if ((has_groups(n, 0, "254") && n->digits[2] == '9') || has_groups(n, 0, "244"))
		return n->digits[0] != '0' && n->digits[1] != '0' ? VERDICT_VALID : VERDICT_NO;
	return VERDICT_WEAK;
}

/* 1-212-555-0123; 8 (495) 123-45-67 */
static enum verdict with_trunk_digit(const struct phone *n)
{
	if (n->digits[0] == '1' && (has_groups(n, 1, "334") || has_groups(n, 1, "37")))
		return north_american(n->digits + 1, separator(n, 0) == ' ');
	if (n->digits[0] == '8' && (has_groups(n, 1, "3322") || has_groups(n, 1, "334")) &&
	    (n->digits[1] == '9' || n->digits[1] == '4' || n->digits[1] == '8' ||
	     n->digits[1] == '3'))
		return separator(n, 0) == ' ' ? VERDICT_WEAK : VERDICT_VALID;
	return VERDICT_NO;
}

/* 0 and an area, then the rest: most of the world. */
static enum verdict with_trunk_zero(const struct phone *n)
{
	char sep = separator(n, 0);
	size_t size = n->digit_count, area = n->groups[0].size;
	bool is_lined = sep == '-' || sep == '/';

	for (size_t i = 1; i < n->count; i++) {
		if (n->groups[i].size < 2 || n->groups[i].size > 8)
			return VERDICT_WEAK;
	}
	if (area < 2 || area > 5 || size < 8 || size > 13)
		return VERDICT_NO;
	if (sep == '\0')	/* 070-123 45 67, 0171/123 45 67 */
		return n->count >= 3 && size >= 9 && size <= 11 && separator(n, 1) == ' ' ?
		       VERDICT_VALID : VERDICT_WEAK;
	if (size == 9)
		return sep == '-' && (has_groups(n, 0, "234") || has_groups(n, 0, "225")) ?
		       VERDICT_VALID : VERDICT_WEAK;
	if (size == 12)
		return sep == '-' && has_groups(n, 0, "48") ? VERDICT_VALID : VERDICT_WEAK;
	if (size != 10 && size != 11)
		return VERDICT_WEAK;
	if (n->count == 2 && !is_lined)	/* two columns of a table look alike */
		return has_groups(n, 0, "56") && (n->digits[1] == '1' || n->digits[1] == '7') ?
		       VERDICT_VALID :
		       has_groups(n, 0, "47") && n->digits[1] == '1' ? VERDICT_VALID :
								       VERDICT_WEAK;
	if (has_groups(n, 0, "334") && sep == ' ')
		return VERDICT_WEAK;	/* as the NHS writes its numbers */
	return VERDICT_VALID;
}

/* Three groups of three and four, and what else is used without a leading zero. */
static enum verdict without_trunk(const struct phone *n)
{
	char sep = separator(n, 0);
	bool is_service = strncmp(n->digits, "400", 3) == 0 ||
			  strncmp(n->digits, "800", 3) == 0;

	if (has_groups(n, 0, "343") && is_service && sep == '-')
		return VERDICT_VALID;
	if (strncmp(n->digits, "86", 2) == 0 && sep == '-' &&
	    (has_groups(n, 0, "228") || has_groups(n, 0, "237") || has_groups(n, 0, "238")))
		return VERDICT_VALID;
	if (has_groups(n, 0, "433") && (strncmp(n->digits, "1300", 4) == 0 ||
					strncmp(n->digits, "1800", 4) == 0))
		return VERDICT_VALID;
	if (has_groups(n, 0, "334")) {
		bool is_mixed = n->groups[0].then == '/' && n->groups[1].then == '-';

		if (is_service && !phone_is_north_american(n->digits))
			return VERDICT_WEAK;
		if (sep != '\0' || is_mixed)
			return north_american(n->digits, sep == ' ');
	}
	if (has_groups(n, 0, "335") || has_groups(n, 0, "324"))
		return VERDICT_NO;	/* a digit too many; a social security number */
	if (has_groups(n, 0, "422") || has_groups(n, 0, "224"))
		return VERDICT_NO;	/* a date */
	return VERDICT_WEAK;
}

/* 0049 30 123456.  Fours alone are the columns of a table, too. */
static enum verdict with_exit_code(const struct phone *n)
{
	if ((n->groups[0].then != ' ' && n->groups[0].then != '-') ||
	    !phone_is_e164(n->digits + 2, n->digit_count - 2))
		return VERDICT_NO;
	return has_groups(n, 0, "444") ? VERDICT_WEAK : VERDICT_VALID;
}

static bool is_chinese_mobile(const struct phone *n)
{
	const char *d = n->digits;
	size_t size = n->digit_count;

	if (size >= 13 && strncmp(d, "0086", 4) == 0)
		d += 4, size -= 4;
	else if (size >= 13 && strncmp(d, "86", 2) == 0)
		d += 2, size -= 2;
	else if (n->has_plus || n->groups[0].size == 1)	/* +1 ..., 1-212-... */
		return false;
	return size == 11 && d[0] == '1' && d[1] >= '3';
}

static bool is_all_same(const struct phone *n)
{
	for (size_t i = 2; i < n->digit_count; i++) {
		if (n->digits[i] != n->digits[n->digit_count - 1])
			return false;
	}
	return true;
}

/* A run of digits behind "tel", as it is dialled somewhere: with a trunk zero, with a
 * calling code of two digits or three, without an area, or as North America writes ten. */
static bool is_plain_number(const char *digits, size_t count)
{
	if (digits[0] == '0')
		return digits[1] != '0' ? count >= 9 && count <= 12 :
					  phone_is_e164(digits + 2, count - 2);
	if (digits[0] == '1')	/* a mobile number of China that was mistyped, as likely */
		return false;
	if (count > 10)
		return phone_is_e164(digits, count);
	return count != 10 || digits[0] != '2' || digits[3] >= '2';
}

static enum verdict as_written(const struct phone *n)
{
	if (is_chinese_mobile(n) || is_all_same(n))
		return VERDICT_NO;
	if (n->has_plus) {
		if (!phone_is_e164(n->digits, n->digit_count))
			return VERDICT_NO;
		/* "+1.2345678901" is a number of another kind too. */
		return n->count == 2 && n->groups[0].then == '.' ? VERDICT_WEAK :
								    VERDICT_VALID;
	}
	if (n->digit_count < NATIONAL_LEAST || n->digit_count > NATIONAL_MOST)
		return VERDICT_NO;
	if (n->count == 1)
		return is_plain_number(n->digits, n->digit_count) ? VERDICT_WEAK : VERDICT_NO;
	if (strncmp(n->digits, "00", 2) == 0)
		return with_exit_code(n);
	if (n->groups[0].size == 1)
		return with_trunk_digit(n);
	if (n->has_brackets)
		return with_brackets(n);
	return n->digits[0] == '0' ? with_trunk_zero(n) : without_trunk(n);
}

/* ---- may it stand there --------------------------------------------------------------- */

/* A piece of what began with "+": that is whole, or no number at all. */
static bool is_behind_plus(const struct candidate *c, const char *p)
{
	const char *start = p;

	while (p > c->before && start - p < 24 &&
	       (around_is_digit(p[-1]) || strchr(" -./()", p[-1]) != NULL))
		p--;
	return p > c->before && p[-1] == '+' && p < start && around_is_digit(*p);
}

/* Pairs among other pairs of a hexadecimal dump: "7b 06 12 34 56 78 9a". */
static bool is_in_dump(const struct candidate *c, const struct phone *n)
{
	const char *end = n->end;

	for (size_t i = 0; i < n->count; i++) {
		if (n->groups[i].size != 2)
			return false;
	}
	return (around_left(c, n->start, 1) == ' ' && around_is_hex(around_left(c, n->start, 2)) &&
		around_is_hex(around_left(c, n->start, 3)) &&
		!around_is_alnum(around_left(c, n->start, 4))) ||
	       (around_right(c, end, 0) == ' ' && around_is_hex(around_right(c, end, 1)) &&
		around_is_hex(around_right(c, end, 2)) &&
		!around_is_alnum(around_right(c, end, 3)));
}

static bool is_clear_left(const struct candidate *c, const struct phone *n)
{
	char left = around_left(c, n->start, 1), left2 = around_left(c, n->start, 2);

	if (around_is_alnum(left) || left == '_' || left == '+')
		return false;
	if (n->has_plus)
		return true;
	if (is_behind_plus(c, n->start))
		return false;
	if (left != '\0' && strchr("$#%\\~^", left) != NULL)
		return false;
	if (left == '-' || left == '/')
		return left2 == ' ' || left2 == '\n' || left2 == '\0' || left2 == ':';
	if ((left == '.' || left == ',' || left == ':') && around_is_digit(left2))
		return false;
	/* "12 01 23 45 67 89": more of the same run. */
	return !(left == ' ' && around_is_digit(left2) && n->groups[0].then == ' ' &&
		 !n->has_brackets && !c->has_context);
}

static bool is_clear_right(const struct candidate *c, const char *end)
{
	char right = around_right(c, end, 0), right2 = around_right(c, end, 1);

	if (right == 'x' || right == 'X' || right == 'e' || right == 'E')	/* ext. 12 */
		return right2 == ' ' || right2 == '.' || around_lower(right2) == 'x' ||
		       around_is_digit(right2);
	if (around_is_alnum(right) || right == '_' || right == '%' || right == '@')
		return false;
	return !((right == '-' || right == '.' || right == ':' || right == '/') &&
		 around_is_alnum(right2) && right2 != 'x');
}

/* Is the word that makes it one right before it, without another number between, or
 * over the cell? */
static bool is_named(const struct candidate *c)
{
	struct span before = around_words_before(c, c->text, 48, 3), found;

	return around_label_has(c, phone_words) ||
	       (around_last_word(before, phone_words, &found) && before.end - found.end <= 32);
}

/* Digits that are a date are no number behind "call", unless the column says so. */
static bool is_date(const struct phone *n)
{
	const char *d = n->digits;

	if (n->digit_count != 8)
		return false;
	return checksum_is_date((d[0] - '0') * 1000 + (d[1] - '0') * 100 + (d[2] - '0') * 10 +
				(d[3] - '0'), (d[4] - '0') * 10 + (d[5] - '0'),
				(d[6] - '0') * 10 + (d[7] - '0'));
}

/* The longest run of whole groups that is a number. */
static enum verdict find(const struct candidate *c, struct phone *n)
{
	struct phone whole;

	if (!phone_parse(c, &whole))
		return VERDICT_NO;
	for (size_t count = whole.count; count > 0; count--) {
		enum verdict v;
		char then = whole.groups[count - 1].then;

		phone_cut(&whole, count, n);
		if (count < whole.count && then != ' ' && then != '/')
			continue;
		/* What goes on in the same manner is a longer number of another kind. */
		if (count < whole.count && !n->has_plus && !c->has_context &&
		    (n->count == 1 || n->groups[0].then == ' '))
			continue;
		v = as_written(n);
		if (v == VERDICT_NO || !is_clear_left(c, n) || !is_clear_right(c, n->end) ||
		    is_in_dump(c, n))
			continue;
		if (v == VERDICT_VALID)
			return v;
		if (c->is_first_look || (c->has_context && is_named(c) &&
		    (!is_date(n) || around_label_has(c, phone_words))))
			return v;
	}
	return VERDICT_NO;
}

/* Plain digits, of which logs and tables are full: most are put aside unread. */
static bool is_plain(const struct candidate *c)
{
	for (size_t i = 0; i < c->size; i++) {
		if (!around_is_digit(c->text[i]))
			return false;
	}
	return c->size >= NATIONAL_LEAST;
}

enum verdict phone_check(const struct candidate *c)
{
	struct phone n;

	/* No calling code begins so, and many zones of time do. */
	if (c->size > 1 && c->text[0] == '+' && c->text[1] == '0')
		return VERDICT_NO;
	if (c->is_first_look && is_plain(c))
		return is_plain_number(c->text, c->size) ? VERDICT_WEAK : VERDICT_NO;
	return find(c, &n);
}

void phone_value(const struct candidate *c, const char **start, size_t *size)
{
	struct phone n;

	if (find(c, &n) != VERDICT_NO) {
		*start = n.start;
		*size = (size_t)(n.end - n.start);
	}
}
