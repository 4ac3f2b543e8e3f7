/*
 * Credentials of AWS, Google Cloud and Azure, by the forms that their issuers document.
 */
#include <string.h>

#include "policy/detect/assignment.h"
#include "policy/detect/check_secret.h"
#include "policy/detect/randomness.h"

static struct span run(const struct candidate *c, const char *p, const char *also)
{
	struct span s = { p, p };

	while (s.end < c->after && *s.end != '\0' &&
	       (around_is_alnum(*s.end) || strchr(also, *s.end) != NULL))
		s.end++;
	return s;
}

static size_t size_of(struct span s)
{
	return (size_t)(s.end - s.from);
}

static bool is_hex(struct span s)
{
	for (const char *p = s.from; p < s.end; p++) {
		if (!around_is_hex(*p))
			return false;
	}
	return true;
}

static void tell(bool is_found, struct span s, const char **start, size_t *size)
{
	if (is_found) {
		*start = s.from;
		*size = size_of(s);
	}
}

/* ---- AWS -------------------------------------------------------------------------------- */

enum { AWS_ID = 20, AWS_SECRET = 40 };

/* AKIA, ASIA, ... and sixteen capitals and digits */
static bool find_aws_id(const struct candidate *c, struct span *out)
{
	*out = run(c, c->text, "");
	if (around_is_alnum(around_left(c, c->text, 1)) || size_of(*out) != AWS_ID)
		return false;
	for (const char *p = out->from; p < out->end; p++) {
		if (*p >= 'a' && *p <= 'z')
			return false;
	}
	return !randomness_is_filler((struct span){ out->from + 4, out->end }) &&
	       randomness_entropy(*out) >= 2.5;
}

static bool is_aws_secret(struct span s)
{
	if (size_of(s) != AWS_SECRET || is_hex(s) || randomness_is_filler(s) ||
	    randomness_entropy(s) < 3.5)
		return false;
	for (const char *p = s.from; p < s.end; p++) {
		if (!around_is_alnum(*p) && *p != '/' && *p != '+')
			return false;
	}
	return true;
}

/* Right behind an id, or under a name that says so; near an id "secret" is enough. */
static bool find_aws_secret(const struct candidate *c, struct span *out)
{
	static const char *const near[] = { "aws", "amazon", "akia", "asia", "s3", NULL };
	struct assignment a;
	enum named kind;

	if (!assignment_find(c, &a) || !is_aws_secret(a.value))
		return false;
	*out = a.value;
	kind = named_kind(a.name);
	return kind == NAMED_AWS ||
	       (kind != NAMED_NOTHING && kind != NAMED_PASSWORD &&
		(around_has_word(around_before(c, 160, false), near) ||
		 memmem(c->before, (size_t)(c->text - c->before), "AKIA", 4) != NULL));
}

/* "AKIA...,wJal...": the pattern holds both, the second is the value. */
static bool find_aws_pair(const struct candidate *c, struct span *out)
{
	*out = (struct span){ c->text + c->size - AWS_SECRET, c->text + c->size };
	return !around_is_alnum(around_right(c, out->end, 0)) && is_aws_secret(*out);
}

static bool find_aws(const struct candidate *c, struct span *out)
{
	if (!c->is_cell && *c->text == 'A')
		return c->size > AWS_SECRET ? find_aws_pair(c, out) : find_aws_id(c, out);
	return find_aws_secret(c, out);
}

enum verdict aws_check(const struct candidate *c)
{
	struct span s;

	return find_aws(c, &s) ? VERDICT_VALID : VERDICT_NO;
}

void aws_value(const struct candidate *c, const char **start, size_t *size)
{
	struct span s = { NULL, NULL };

	tell(find_aws(c, &s), s, start, size);
}

/* ---- Google Cloud ------------------------------------------------------------------------- */

static bool find_gcp(const struct candidate *c, struct span *out)
{
	char left = around_left(c, c->text, 1);
	struct span text = { c->text, c->text + c->size };
	struct assignment a;

	*out = run(c, c->text, "_-");
	if (around_begins(text, "aiza"))
		return !around_is_alnum(left) && left != '_' && size_of(*out) == 39 &&
		       randomness_entropy(*out) >= 3;
	if (around_begins(text, "gocspx-"))
		return !around_is_alnum(left) && size_of(*out) == 35;
	if (around_begins(text, "ya29.")) {
		*out = run(c, c->text, "_-.");
		return !around_is_alnum(left) && size_of(*out) >= 30 &&
		       randomness_entropy(*out) >= 3;
	}
	if (!assignment_find(c, &a) || named_kind(a.name) != NAMED_GCP)
		return false;
	*out = a.value;
	return size_of(a.value) == 40 && is_hex(a.value) && !randomness_is_filler(a.value);
}

enum verdict gcp_check(const struct candidate *c)
{
	struct span s;

	return find_gcp(c, &s) ? VERDICT_VALID : VERDICT_NO;
}

void gcp_value(const struct candidate *c, const char **start, size_t *size)
{
	struct span s = { NULL, NULL };

	tell(find_gcp(c, &s), s, start, size);
}

/* ---- Azure -------------------------------------------------------------------------------- */

enum { STORAGE_KEY = 88, SHARED_KEY = 44 };

/* Base64 of 64 or 32 bytes. */
static bool is_azure_key(struct span s)
{
	size_t size = size_of(s), padding = 0;

	while (padding < 2 && padding < size && s.end[-1 - (ptrdiff_t)padding] == '=')
		padding++;
	if (!((size == STORAGE_KEY && padding == 2) || (size == SHARED_KEY && padding == 1)))
		return false;
	for (const char *p = s.from; p < s.end - padding; p++) {
		if (!around_is_alnum(*p) && *p != '+' && *p != '/')
			return false;
	}
	return randomness_entropy(s) >= 3.5;
}

/* The signature of a shared access: behind "sig=", in a query with a version or an
 * expiry. */
static bool find_signature(const struct candidate *c, struct span *out)
{
	static const char *const query[] = { "sv=", "se=", "sp=", "sr=", "st=", NULL };
	char left = around_left(c, c->text, 1);

	*out = run(c, c->text + c->size, "%+/=");
	if ((left != '&' && left != '?' && left != ' ' && left != ';') || size_of(*out) < 43 ||
	    size_of(*out) > 100 || randomness_entropy(*out) < 3.5)
		return false;
	for (size_t i = 0; query[i] != NULL; i++) {
		if (memmem(c->before, (size_t)(c->after - c->before), query[i], 3) != NULL)
			return true;
	}
	return false;
}

/* A client secret of Entra: three characters, a digit, "Q~", and 31 to 34 more. */
static bool find_client_secret(const struct candidate *c, struct span *out)
{
	const char *start = c->text + c->size - 2;

	*out = run(c, start, "_~.-");
	while (out->end > start && out->end[-1] == '.')
		out->end--;
	while (out->from > c->before && start - out->from < 5 &&
	       (around_is_alnum(out->from[-1]) || strchr("_~.-", out->from[-1]) != NULL))
		out->from--;
	if (start - out->from > 4 || start - out->from < 4 || !around_is_digit(start[-1]))
		return false;
	return out->end - start >= 33 && out->end - start <= 36 &&
	       randomness_entropy(*out) >= 3.5;
}

static bool find_azure_named(const struct candidate *c, struct span *out)
{
	struct assignment a;

	if (!assignment_find(c, &a) || named_kind(a.name) != NAMED_AZURE)
		return false;
	*out = a.value;
	if (is_azure_key(a.value))
		return true;
	/* Keys of the cognitive services, of API management, and older client secrets. */
	return (size_of(a.value) == 32 || size_of(a.value) == 34 || size_of(a.value) == 52 ||
		size_of(a.value) == 84) && randomness_is_key(a.value);
}

static bool find_azure(const struct candidate *c, struct span *out)
{
	struct span text = { c->text, c->text + c->size };

	if (around_begins(text, "sig="))
		return find_signature(c, out);
	if (c->size == 3 && c->text[1] == 'Q')
		return find_client_secret(c, out);
	return find_azure_named(c, out);
}

enum verdict azure_check(const struct candidate *c)
{
	struct span s;

	return find_azure(c, &s) ? VERDICT_VALID : VERDICT_NO;
}

void azure_value(const struct candidate *c, const char **start, size_t *size)
{
	struct span s = { NULL, NULL };

	tell(find_azure(c, &s), s, start, size);
}
