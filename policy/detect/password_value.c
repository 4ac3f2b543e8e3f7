#include "policy/detect/password_value.h"

#include <string.h>

#include "policy/detect/assignment.h"
#include "policy/detect/randomness.h"
#include "policy/detect/recogniser.h"

enum { LEAST = 4, MOST = 128, WORD_MAX = 40 };

/* Whole values, lower case, that are no password, or are one in every manual.  Weak
 * ones that people do use ("letmein", "admin", "123456") are not among them. */
static const char *const no_values[] = {
	"null", "nullptr", "none", "nil", "undefined", "true", "false", "yes", "no", "on", "off", "empty",
	"blank", "void", "string", "str", "text", "char", "varchar", "int", "integer", "boolean",
	"bool", "bytes", "object", "any", "unknown", "required", "optional", "hidden", "masked",
	"redacted", "removed", "secret", "password", "passwd", "passphrase", "pwd", "pass",
	"mypassword", "my_password", "my-password", "yourpassword", "your_password",
	"your-password", "yourpass", "userpassword", "thepassword", "newpassword", "changeme",
	"change_me", "change-me", "changeit", "placeholder", "example", "sample", "dummy",
	"todo", "tbd", "fixme", "xxx", "input", "prompt", "default", "forgot", "incorrect",
	"invalid", "wrong", "correct", "encrypted", "hashed", "value", "self", "this", "new",
	"return", "function", "await", "async", "enter", "type", "field", "basic", "bearer",
	"confirm", "reset", "must", "should", "cannot", "will", "the", "and", "not", "has", "your",
	"asdf", "foo", "bar", "foobar", "baz", "n/a", "not set", "unset", "secretstr", "optional",
	"min", "max", "length", "bcrypt", "argon", "scrypt", "sha", "md5", "plaintext", NULL,
};

/* Anywhere in it. */
static const char *const placeholder_parts[] = {
	"changeme", "change_me", "change-me", "changethis", "change_this", "your_", "your-",
	"yourpass", "yoursecret", "_here", "-here", "placeholder", "redacted", "example_pass",
	"insert_", "replace_", "replaceme", "replace-me", "todo", "dummy", "xxxx", "****",
	"••••", "●●●", "...", "<password", "example.com", NULL,
};

static void lower_of(struct span s, char *out, size_t room)
{
	size_t size = (size_t)(s.end - s.from);

	if (size >= room)
		size = room - 1;
	for (size_t i = 0; i < size; i++)
		out[i] = around_lower(s.from[i]);
	out[size] = '\0';
}

struct letters {
	size_t size, digits, upper, lower, symbols, other;
};

static struct letters count(struct span s)
{
	struct letters n = { .size = (size_t)(s.end - s.from) };

	for (const char *p = s.from; p < s.end; p++) {
		if (around_is_digit(*p))
			n.digits++;
		else if (*p >= 'A' && *p <= 'Z')
			n.upper++;
		else if (around_is_letter(*p))
			n.lower++;
		else if ((unsigned char)*p >= 0x80)
			n.other++;
		else
			n.symbols++;
	}
	return n;
}

static size_t count_of(struct span s, char wanted)
{
	size_t found = 0;

	for (const char *p = s.from; p < s.end; p++)
		found += *p == wanted ? 1 : 0;
	return found;
}

/* ---- what stands in its place ---------------------------------------------------------- */

/* $1$..., $2b$12$..., $argon2id$...: a password's hash, which is as good as one. */
static bool is_crypt(struct span s)
{
	const char *second = s.from + 1 < s.end ?
			     memchr(s.from + 1, '$', (size_t)(s.end - s.from - 1)) : NULL;

	return *s.from == '$' && second != NULL && second > s.from + 1 &&
	       second - s.from <= 12 && s.end - second >= 12;
}

/* $DB_PASS, $row['pw'], $user->pw, $x::y): a name that ends where names do; not the
 * password "$ecret123". */
static bool is_named_variable(struct span s)
{
	const char *p = s.from + 1;
	bool has_digit = false, has_lower = false;

	if (p == s.end || (!around_is_letter(*p) && *p != '_'))
		return false;
	for (; p < s.end && (around_is_alnum(*p) || *p == '_'); p++) {
		has_digit = has_digit || around_is_digit(*p);
		has_lower = has_lower || (*p >= 'a' && *p <= 'z');
	}
	if (p < s.end)
		return strchr("-:.[{(),;/\\'\"}>", *p) != NULL;
	return !has_digit || !has_lower;
}

static bool is_variable(struct span s)
{
	char first = *s.from, last = s.end[-1];
	char next = s.from + 1 < s.end ? s.from[1] : '\0';
	struct letters n = count((struct span){ s.from + 1, s.end });

	if (first == '$' && !is_crypt(s))
		return next == '{' || next == '(' || next == '[' || is_named_variable(s);
	if ((first == '%' && last == '%') || (first == '%' && next == '(') ||
	    (first == '{' && (last == '}' || next == '{')) || (first == '<' && last == '>') ||
	    (first == '[' && last == ']') || (first == '#' && next == '{') ||
	    (first == '@' && (next == '{' || next == '@')) ||
	    (first == '_' && next == '_' && last == '_') ||
	    (first == '%' && around_is_letter(next) &&
	     (s.end - s.from == 2 || !around_is_alnum(s.from[2]))))
		return true;
	/* A name bound in SQL, or of a template: ":password", "@Model.Password". */
	if ((first == ':' || first == '@') && n.size > 0 && n.digits == 0 &&
	    n.lower + n.upper + count_of(s, '.') + count_of(s, '_') == n.size)
		return true;
	/* "password=" + value + "..." */
	if ((first == '+' && last == '+') || (first == ' ' && next == '+'))
		return true;
	return around_begins(s, "enc(") || around_begins(s, "vault:") ||
	       around_begins(s, "env:") || around_begins(s, "arn:") ||
	       around_begins(s, "!vault") || around_begins(s, "secretref:") ||
	       around_begins(s, "ref:") || around_begins(s, "process.env") ||
	       around_begins(s, "os.") || around_begins(s, "(getenv");
}

/* xxxx, ----, ####; but 1111 is a password that people have. */
static bool is_masked(struct span s)
{
	for (const char *p = s.from + 1; p < s.end; p++) {
		if (*p != *s.from)
			return false;
	}
	return !around_is_digit(*s.from);
}

bool password_value_is_placeholder(struct span s)
{
	char lower[WORD_MAX + 1];

	if (s.from == s.end || is_variable(s) || is_masked(s))
		return true;
	lower_of(s, lower, sizeof lower);
	for (size_t i = 0; no_values[i] != NULL; i++) {
		if (strcmp(lower, no_values[i]) == 0)
			return true;
	}
	for (size_t i = 0; placeholder_parts[i] != NULL; i++) {
		if (strstr(lower, placeholder_parts[i]) != NULL)
			return true;
	}
	return false;
}

static bool is_chinese_prose(struct span s)
{
	size_t wide = 0;

	for (const char *p = s.from; p < s.end; p++)
		wide += (unsigned char)*p >= 0xe3 && (unsigned char)*p <= 0xe9 ? 1 : 0;
	return wide * 3 * 2 > (size_t)(s.end - s.from);
}

static bool is_path_or_url(struct span s)
{
	size_t slashes = 0;

	for (const char *p = s.from; p < s.end; p++)
		slashes += *p == '/' || *p == '\\' ? 1 : 0;
	if (around_begins(s, "http://") || around_begins(s, "https://") ||
	    around_begins(s, "file:") || around_begins(s, "./") || around_begins(s, "~/") ||
	    around_begins(s, "../"))
		return true;
	return (*s.from == '/' && slashes >= 2) ||
	       (s.end - s.from > 3 && s.from[1] == ':' && s.from[2] == '\\');
}

/* ---- code ------------------------------------------------------------------------------- */

/* user.password, getpass(), args[0], a->b, A::b, a + b */
static bool is_expression(const struct candidate *c, struct span s)
{
	bool is_dotted = false;

	if (memchr(s.from, '(', (size_t)(s.end - s.from)) != NULL ||
	    memchr(s.from, '[', (size_t)(s.end - s.from)) != NULL ||
	    around_right(c, s.end, 0) == '(' || around_right(c, s.end, 0) == '[' ||
	    around_right(c, s.end, 0) == '<' ||
	    (around_right(c, s.end, 0) == '>' && s.end[-1] == '-') || around_begins(s, "0x"))
		return true;
	if (*s.from == '&' || *s.from == '*' || *s.from == '/' || *s.from == '\\')
		return s.end - s.from < 3 || *s.from == '/';
	for (const char *p = s.from; p < s.end; p++) {
		if (p + 1 < s.end && ((p[0] == '-' && p[1] == '>') || (p[0] == ':' && p[1] == ':')))
			return true;
		if (!around_is_alnum(*p) && *p != '_' && *p != '.' && *p != '?')
			return false;
		is_dotted = is_dotted || (*p == '.' && p > s.from && p + 1 < s.end &&
					  around_is_letter(p[1]) && !around_is_digit(p[-1]));
	}
	return is_dotted;
}

/* An identifier that says itself what it holds: newPassword, DB_PASS, my-secret. */
static bool is_named_like_one(struct span s)
{
	struct letters n = count(s);
	enum named kind;

	for (const char *p = s.from; p < s.end; p++) {
		if (!around_is_letter(*p) && *p != '_' && *p != '-')
			return false;
	}
	kind = named_kind(s);
	return n.digits == 0 && (kind == NAMED_PASSWORD || kind == NAMED_SECRET);
}

/* The rest of the line goes on as a sentence or as code would. */
static bool is_followed_by_words(const struct candidate *c, struct span s)
{
	const char *p = s.end;

	if (around_right(c, p, 0) != ' ')
		return false;
	while (around_right(c, p, 0) == ' ')
		p++;
	return around_is_alnum(around_right(c, p, 0)) ||
	       (unsigned char)around_right(c, p, 0) >= 0xe3;
}

/* "pass" and "pw" alone, or at the end of a name, are said of much else. */
static bool is_short_name(struct span name)
{
	size_t size = (size_t)(name.end - name.from);

	return (size >= 4 && around_begins((struct span){ name.end - 4, name.end }, "pass")) ||
	       (size >= 2 && around_begins((struct span){ name.end - 2, name.end }, "pw"));
}

static bool is_raw_real(const struct candidate *c, const struct assignment *a,
			const struct letters *n)
{
	struct span s = a->value;
	bool is_plain_word = n->digits == 0 && n->symbols == 0 && n->other == 0;

	if (is_expression(c, s) || is_named_like_one(s))
		return false;
	if (is_short_name(a->name) && !a->is_tight && n->digits == 0)
		return false;
	if (a->is_prose && (n->size < 6 || n->digits + n->symbols == 0))
		return false;
	if (!is_plain_word && !(n->digits == 0 && n->symbols == 1 && s.end[-1] == '-'))
		return n->digits + n->symbols + n->other < n->size ||
		       n->digits == n->size || n->size >= 8;
	if (a->is_tight && n->upper >= 3 && n->lower >= 3)	/* drawn letters */
		return true;
	/* "password: must be ...", "pass: ok" */
	return n->size >= (a->is_tight ? 4 : 5) && !is_followed_by_words(c, s);
}

static bool is_quoted_real(const struct assignment *a, const struct letters *n)
{
	struct span s = a->value;
	bool has_blank = memchr(s.from, ' ', (size_t)(s.end - s.from)) != NULL;

	if (!has_blank)
		return !is_named_like_one(s) || n->upper + n->lower == 0;
	if (s.end[-1] == '.')
		return false;
	/* Words for people, unless it is a passphrase. */
	return around_has_word(a->name, (const char *const[]){ "passphrase", "pass phrase",
								"口令", NULL }) ||
	       (n->digits > 0 && count_of(s, ' ') == 1 && n->symbols > 1 && !a->is_call);
}

/* "pass: 12" of a test's report, "PWD=/home/x" of an environment. */
static bool is_other_sense(const struct assignment *a, const struct letters *n)
{
	size_t size = (size_t)(a->name.end - a->name.from);

	if (size == 4 && around_begins(a->name, "pass") && n->digits == n->size)
		return n->size < 6;
	return (around_begins(a->name, "pwd") || around_begins(a->name, "oldpwd")) &&
	       *a->value.from == '/';
}

bool password_value_is_real(const struct candidate *c, const struct assignment *a)
{
	struct span s = a->value;
	struct letters n = count(s);

	if (n.size < LEAST || n.size > MOST || password_value_is_placeholder(s) ||
	    is_path_or_url(s) || is_chinese_prose(s) || is_other_sense(a, &n))
		return false;
	if (n.digits + n.lower + n.upper + n.other == 0)
		return n.size >= 8;
	if (a->is_call && (n.digits == 0 || n.size < 6))
		return false;
	return a->is_quoted ? is_quoted_real(a, &n) : is_raw_real(c, a, &n);
}
