#include "policy/detect/assignment.h"

#include <string.h>

#include "policy/detect/recogniser.h"

enum { NAME_MAX_SIZE = 96, VALUE_MAX_SIZE = 200, GAP = 24 };

static bool is_name_char(char c)
{
	return around_is_alnum(c) || c == '_' || c == '-' || c == '.';
}

static struct span name_around(const struct candidate *c)
{
	struct span s = { c->text, c->text + c->size };

	/* A trigger may end in what follows the name ("pw="). */
	while (s.end > s.from && (unsigned char)s.end[-1] < 0x80 && !is_name_char(s.end[-1]))
		s.end--;
	while (s.from > c->before && is_name_char(s.from[-1]) &&
	       s.end - s.from < NAME_MAX_SIZE)
		s.from--;
	while (s.end < c->after && is_name_char(*s.end) && s.end - s.from < NAME_MAX_SIZE)
		s.end++;
	while (s.end > c->text + 1 && (s.end[-1] == '.' || s.end[-1] == '-'))
		s.end--;
	return s;
}

/* /etc/passwd */
static bool is_path(const struct candidate *c, struct span name)
{
	const char *p = name.from;

	while (p > c->before && (is_name_char(p[-1]) || p[-1] == '/'))
		p--;
	return p < name.from && *p == '/';
}

static bool stands(const char *p, const char *end, const char *text)
{
	size_t size = strlen(text);

	return (size_t)(end - p) >= size && memcmp(p, text, size) == 0;
}

static const char *skip_blanks(const char *p, const char *end, size_t most)
{
	const char *start = p;

	while (p < end && (size_t)(p - start) < most && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}

/* Behind what closes the name: "password", ['password'], \"password\". */
static const char *skip_closing(const char *p, const char *end)
{
	for (unsigned i = 0; i < 4 && p < end; i++) {
		if (is_quote(*p) || *p == ']' || *p == '*')
			p++;
		else if (*p == '\\' && p + 1 < end && is_quote(p[1]))
			p += 2;
		else
			break;
	}
	return p;
}

/* ---- the value -------------------------------------------------------------------------- */

static bool take_quoted(const char *p, const char *end, struct assignment *out)
{
	bool is_escaped = *p == '\\';
	char quote;
	const char *stop;

	if (is_escaped)
		p++;
	quote = *p++;
	for (stop = p; stop < end && *stop != '\n' && stop - p <= VALUE_MAX_SIZE; stop++) {
		if (is_escaped && *stop == '\\' && stop + 1 < end && stop[1] == quote)
			break;
		if (!is_escaped && *stop == '\\' && stop + 1 < end)
			stop++;
		else if (*stop == quote)
			break;
	}
	if (stop >= end || *stop == '\n' || stop - p > VALUE_MAX_SIZE)
		return false;
	out->value = (struct span){ p, stop };
	out->is_quoted = true;
	out->quote = quote;
	return stop > p;
}

static bool take_wide_quoted(const char *p, const char *end, struct assignment *out)
{
	const char *stop = p + 3;

	while (stop < end && *stop != '\n' && !stands(stop, end, "”"))
		stop++;
	out->value = (struct span){ p + 3, stop };
	out->is_quoted = true;
	return stop > p + 3 && stop < end && *stop != '\n';
}

static bool take_raw(const char *p, const char *end, struct assignment *out)
{
	const char *stop = p;

	while (stop < end && (unsigned char)*stop > ' ' && strchr("\"'`<>;,&|", *stop) == NULL &&
	       !stands(stop, end, "，") && !stands(stop, end, "。") && !stands(stop, end, "；") &&
	       !stands(stop, end, "、") && !stands(stop, end, "）"))
		stop++;
	while (stop > p && strchr(")}].:", stop[-1]) != NULL &&
	       memchr(p, '(', (size_t)(stop - p)) == NULL)
		stop--;
	out->value = (struct span){ p, stop };
	return stop > p && stop - p <= VALUE_MAX_SIZE;
}

/* "Password:</b> x", "password:</td><td>x": a closing tag, then any. */
static const char *skip_tags(const char *p, const char *end)
{
	for (unsigned tags = 0; tags < 3 && p + 1 < end && *p == '<'; tags++) {
		const char *close = memchr(p, '>', (size_t)(end - p));

		if (close == NULL || (tags == 0 && p[1] != '/'))
			break;
		p = skip_blanks(close + 1, end, GAP);
	}
	return p;
}

static bool take_value(const char *p, const char *end, struct assignment *out)
{
	p = skip_tags(skip_blanks(p, end, GAP), end);
	if (p + 1 < end && strchr("bBrRuUfFL@N", *p) != NULL && is_quote(p[1]))
		p++;	/* a string of Python, C#, C, SQL Server */
	if (p == end)
		return false;
	if (is_quote(*p) || (*p == '\\' && p + 1 < end && is_quote(p[1])))
		return take_quoted(p, end, out);
	if (stands(p, end, "“"))
		return take_wide_quoted(p, end, out);
	return take_raw(p, end, out);
}

/* <password>value</password>, <password><![CDATA[value]]></password> */
static bool take_element(const char *p, const char *end, struct assignment *out)
{
	const char *stop;

	if (stands(p, end, "<![CDATA["))
		p += 9;
	p = skip_blanks(p, end, GAP);
	stop = p;
	while (stop < end && *stop != '<' && *stop != '\n' && !stands(stop, end, "]]>"))
		stop++;
	while (stop > p && stop[-1] == ' ')
		stop--;
	out->value = (struct span){ p, stop };
	out->is_quoted = true;
	return stop > p && stop < end && stop - p <= VALUE_MAX_SIZE;
}

/* ---- between name and value ------------------------------------------------------------- */

/* "name: X_PASSWORD", then "value: x" in the next line; or name="x" value="y". */
static const char *value_of_pair(const char *p, const char *end)
{
	struct span rest = { p, end };

	while (rest.from < end && (*rest.from == ' ' || *rest.from == '\t' ||
				   *rest.from == '\r' || *rest.from == '\n' || *rest.from == ',' ||
				   *rest.from == '"' || *rest.from == '-'))
		rest.from++;
	if (rest.from == p || !around_begins(rest, "value"))
		return NULL;
	p = skip_closing(rest.from + 5, end);
	p = skip_blanks(p, end, 4);
	return p < end && (*p == ':' || *p == '=') ? p + 1 : NULL;
}

/* Is what stands at p a type ("str = ", "String = "), with the value behind? */
static const char *skip_type(const char *p, const char *end)
{
	const char *q = skip_blanks(p, end, 4);
	const char *word = q;

	while (q < end && (around_is_alnum(*q) || *q == '_' || *q == '[' || *q == ']' ||
			   *q == '?' || *q == '|' || *q == '*'))
		q++;
	if (q == word)
		return p;
	q = skip_blanks(q, end, 4);
	return q + 1 < end && *q == '=' && q[1] == ' ' ? q + 1 : p;
}

static const char *wide_operator(const char *p, const char *end, bool *is_prose)
{
	static const char *const signs[] = { "：", "＝", "为：", "是：", "为:", "是:" };
	static const char *const verbs[] = { "为", "是", "is ", "was ", "设为", "改为" };

	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
		if (stands(p, end, signs[i]))
			return p + strlen(signs[i]);
	}
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (stands(p, end, verbs[i])) {
			*is_prose = true;
			p += strlen(verbs[i]);
			return p < end && *p == ':' ? p + 1 : p;
		}
	}
	return NULL;
}

/* Behind the operator; NULL: there is none. */
static const char *skip_operator(const char *p, const char *end, bool *is_prose)
{
	if (p == end)
		return NULL;
	if (stands(p, end, "!=") || stands(p, end, "=~") || stands(p, end, "::"))
		return NULL;
	if (stands(p, end, "===") || stands(p, end, "=="))
		return NULL;
	if (stands(p, end, "=>") || stands(p, end, ":=") || stands(p, end, "?="))
		return p + 2;
	if (*p == ':')
		return skip_type(p + 1, end);
	if (*p == '=')
		return p + 1;
	return wide_operator(p, end, is_prose);
}

/* "secret 0 x", "password 7 x" of routers: how it is enciphered. */
static const char *skip_level(const char *p, const char *end)
{
	return end - p > 2 && around_is_digit(p[0]) && p[1] == ' ' ? p + 2 : p;
}

/* --password VALUE; requirepass VALUE; machine ... login ... password VALUE */
static bool takes_next_word(const struct candidate *c, struct span name)
{
	static const char *const words[] = { "machine", "login", NULL };
	struct span before = { name.from, name.from };

	if (*name.from == '-' && name.end - name.from > 3)
		return true;
	while (before.from > c->before && before.from[-1] != '\n')
		before.from--;
	if (skip_level(name.end + 1, c->after) > name.end + 1)
		return true;
	return around_begins(name, "requirepass") || around_begins(name, "masterauth") ||
	       (around_has_word(before, words) && name.end - name.from == 8);
}

/* x ? "pass" : "fail" */
static bool is_ternary(const struct candidate *c, struct span name)
{
	const char *p = name.from;

	while (p > c->before && (is_quote(p[-1]) || p[-1] == ' '))
		p--;
	return p < name.from && p > c->before && p[-1] == '?' && is_quote(name.from[-1]);
}

static bool find_cell(const struct candidate *c, struct assignment *out)
{
	const char *p = c->text, *end = c->text + c->size;

	if (c->label == NULL)
		return false;
	while (p < end && (unsigned char)*p <= ' ')
		p++;
	while (end > p && (unsigned char)end[-1] <= ' ')
		end--;
	if (end - p >= 2 && is_quote(*p) && end[-1] == *p) {	/* of a table's file */
		p++;
		end--;
	}
	out->name = (struct span){ c->label, c->label + strlen(c->label) };
	out->value = (struct span){ p, end };
	out->is_quoted = out->is_cell = true;
	return end > p && end - p <= VALUE_MAX_SIZE;
}

bool assignment_find(const struct candidate *c, struct assignment *out)
{
	const char *p, *q;

	*out = (struct assignment){ .is_quoted = false };
	if (c->is_cell)
		return find_cell(c, out);
	out->name = name_around(c);
	p = out->name.end;
	if (is_path(c, out->name) || around_left(c, out->name.from, 1) == ':')
		return false;	/* /etc/passwd; AWS::SecretsManager::Secret */
	if (around_right(c, p, 0) == '>' && around_left(c, out->name.from, 1) == '<' &&
	    around_left(c, out->name.from, 3) != '?' && around_left(c, out->name.from, 2) != '?')
		return take_element(p + 1, c->after, out);
	if (around_right(c, p, 0) == '(' && is_quote(around_right(c, p, 1))) {
		out->is_call = true;
		return take_quoted(p + 1, c->after, out) && out->value.end + 1 < c->after &&
		       out->value.end[1] == ')';
	}
	p = skip_closing(p, c->after);
	q = value_of_pair(p, c->after);
	if (q != NULL)
		return take_value(q, c->after, out);
	q = skip_blanks(p, c->after, GAP);
	if (q > p && p == out->name.end && is_quote(around_right(c, q, 0))) {
		out->is_call = true;	/* CREATE ROLE x PASSWORD 'y'; #define PASSWORD "y" */
		return take_quoted(q, c->after, out);
	}
	if (q > p && takes_next_word(c, out->name))
		return around_right(c, q, 0) != '-' &&
		       take_value(skip_level(q, c->after), c->after, out);
	if (q == p + 1 && *p == '\t' && around_right(c, q, 0) != '=') {	/* a form's two columns */
		out->is_prose = true;
		return take_value(q, c->after, out);
	}
	p = skip_operator(q, c->after, &out->is_prose);
	if (p != NULL && is_ternary(c, out->name))
		return false;
	out->is_tight = p != NULL && p[-1] == '=' && around_right(c, p, 0) != ' ';
	return p != NULL && take_value(p, c->after, out);
}
