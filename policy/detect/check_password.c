/*
 * Passwords: what a name such as "password" is given in configuration, code, documents
 * and tables; what stands between ":" and "@" of a URL; what command lines and SQL take.
 */
#include <string.h>

#include "policy/detect/assignment.h"
#include "policy/detect/check_secret.h"
#include "policy/detect/password_value.h"
#include "policy/detect/randomness.h"

/* ---- scheme://user:password@host -------------------------------------------------------- */

static bool is_url_char(char c)
{
	return (unsigned char)c > ' ' && strchr("\"'<>`|\\", c) == NULL;
}

static bool find_in_url(const struct candidate *c, struct span *out)
{
	const char *user = c->text + c->size, *p = user, *at = NULL, *colon;

	if (!around_is_letter(around_left(c, c->text, 1)))
		return false;
	while (p < c->after && p - user < 200 && is_url_char(*p) && *p != '/' && *p != '?') {
		if (*p == '@')
			at = p;
		p++;
	}
	if (at == NULL || !(around_is_alnum(around_right(c, at, 1)) ||
			    around_right(c, at, 1) == '[' || around_right(c, at, 1) == '('))
		return false;
	colon = memchr(user, ':', (size_t)(at - user));
	if (colon == NULL)
		return false;
	*out = (struct span){ colon + 1, at };
	return at - colon > 3 && !password_value_is_placeholder(*out);
}

/* ---- command lines, SQL, HTTP ---------------------------------------------------------- */

static struct span word_at(const struct candidate *c, const char *p)
{
	struct span s = { p, p };
	char quote = around_right(c, p, 0);

	if (quote == '\'' || quote == '"') {
		s.from++;
		for (s.end = s.from; s.end < c->after && *s.end != quote && *s.end != '\n';)
			s.end++;
		return s;
	}
	while (s.end < c->after && (unsigned char)*s.end > ' ' &&
	       strchr("\"'`;|&<>", *s.end) == NULL)
		s.end++;
	return s;
}

static const char *skip_blanks(const struct candidate *c, const char *p)
{
	while (around_right(c, p, 0) == ' ' || around_right(c, p, 0) == '\t')
		p++;
	return p;
}

/* The word behind an option (" -u") in the rest of the line; its own first letters where
 * it is written without a space. */
static bool option(const struct candidate *c, const char *const *names, bool is_joined,
		   struct span *out)
{
	struct span line = around_after(c, 200, true);

	for (const char *p = line.from; p < line.end; p++) {
		p = memchr(p, ' ', (size_t)(line.end - p));
		if (p == NULL)
			break;
		for (size_t i = 0; names[i] != NULL; i++) {
			size_t size = strlen(names[i]);

			if ((size_t)(line.end - p) <= size || memcmp(p, names[i], size) != 0)
				continue;
			if (is_joined == (p[size] == ' '))
				continue;
			*out = word_at(c, skip_blanks(c, p + size));
			return out->end > out->from;
		}
	}
	return false;
}

static bool is_real_word(struct span s)
{
	return s.end - s.from >= 4 && !password_value_is_placeholder(s) &&
	       *s.from != '-' && memchr(s.from, ' ', (size_t)(s.end - s.from)) == NULL;
}

/* curl -u user:password */
static bool find_in_curl(const struct candidate *c, struct span *out)
{
	static const char *const names[] = { " -u", " --user", " --proxy-user", NULL };
	const char *colon;

	if (!option(c, names, false, out))
		return false;
	colon = memchr(out->from, ':', (size_t)(out->end - out->from));
	if (colon == NULL)
		return false;
	out->from = colon + 1;
	return is_real_word(*out);
}

/* mysql -psecret; sshpass -p secret */
static bool find_in_command(const struct candidate *c, struct span *out)
{
	static const char *const names[] = { " -p", NULL };

	if (around_begins((struct span){ c->text, c->after }, "sshpass"))
		return (option(c, names, false, out) || option(c, names, true, out)) &&
		       is_real_word(*out);
	/* mysql, mysqldump, mysqladmin, ... as a command */
	return around_left(c, c->text, 1) != '-' && option(c, names, true, out) &&
	       is_real_word(*out);
}

/* IDENTIFIED BY 'secret' */
static bool find_in_sql(const struct candidate *c, struct span *out)
{
	const char *p = skip_blanks(c, c->text + c->size);

	if (around_begins((struct span){ p, c->after }, "password"))
		p = skip_blanks(c, p + 8);
	*out = word_at(c, p);
	return p > c->text + c->size && out->from > p && is_real_word(*out);
}

/* Authorization: Basic dXNlcjpwYXNzd29yZA== */
static bool find_in_basic(const struct candidate *c, struct span *out)
{
	struct span before = around_before(c, 24, true);
	const char *p = skip_blanks(c, c->text + c->size);

	*out = (struct span){ p, p };
	while (out->end < c->after && (around_is_alnum(*out->end) || *out->end == '+' ||
				       *out->end == '/' || *out->end == '='))
		out->end++;
	return out->end - out->from >= 12 && (out->end - out->from) % 4 == 0 &&
	       around_has_word(before, (const char *const[]){ "authorization", NULL }) &&
	       !randomness_is_filler(*out);
}

/* ---- name = value ------------------------------------------------------------------------ */

static bool find_assigned(const struct candidate *c, struct span *out)
{
	struct assignment a;
	enum named kind;

	if (!assignment_find(c, &a))
		return false;
	*out = a.value;
	kind = named_kind(a.name);
	if (kind == NAMED_SECRET)	/* drawn ones are high-entropy's */
		return !a.is_prose && !randomness_is_key(a.value) &&
		       password_value_is_real(c, &a);
	return kind == NAMED_PASSWORD && password_value_is_real(c, &a);
}

static bool find(const struct candidate *c, struct span *out)
{
	static const struct {
		const char *begins;	/* lower case */
		bool (*find)(const struct candidate *c, struct span *out);
	} elsewhere[] = {
		{ "://", find_in_url }, { "curl", find_in_curl }, { "sshpass", find_in_command },
		{ "mysql", find_in_command }, { "identified", find_in_sql },
		{ "basic", find_in_basic },
	};

	for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
		if (around_begins((struct span){ c->text, c->text + c->size },
				  elsewhere[i].begins))
			return elsewhere[i].find(c, out);
	}
	return find_assigned(c, out);
}

enum verdict password_check(const struct candidate *c)
{
	struct span s;

	return find(c, &s) ? VERDICT_VALID : VERDICT_NO;
}

void password_value(const struct candidate *c, const char **start, size_t *size)
{
	struct span s;

	if (find(c, &s)) {
		*start = s.from;
		*size = (size_t)(s.end - s.from);
	}
}
