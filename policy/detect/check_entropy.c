/*
 * Keys and tokens of no known form: drawn characters that a name calls a key, token,
 * secret or credential.  Without such a name a random string is anything: a digest, an
 * id, a picture.  A few issuers' prefixes say it as well as a name does.
 */
#include <string.h>

#include "policy/detect/assignment.h"
#include "policy/detect/check_secret.h"
#include "policy/detect/password_value.h"
#include "policy/detect/randomness.h"

/* A digest, an address or a picture, whatever the name says. */
static const char *const digest_words[] = {
	"sha", "sha1", "sha256", "sha384", "sha512", "md5", "crc32", "checksum", "digest", "hash",
	"etag", "commit", "fingerprint", "integrity", "thumbprint", "校验", "摘要", "哈希", NULL,
};

static const struct issuer {
	const char *prefix, *also;
	size_t least, most;
} issuers[] = {
	{ "npm_", "", 36, 36 },
	{ "pypi-AgE", "_-", 50, 512 },
	{ "sk-ant-", "_-", 80, 128 },
	{ "sk-proj-", "_-", 40, 256 },
	{ "sk-", "", 48, 48 },
	{ "SG.", "_-.", 66, 66 },
	{ "dop_v1_", "", 64, 64 },
	{ "hf_", "", 34, 37 },
	{ "shpat_", "", 32, 32 },
	{ "hvs.", "_-", 24, 200 },
	{ "NRAK-", "", 27, 27 },
	{ "dapi", "", 32, 32 },
};

static bool find_issued(const struct candidate *c, struct span *out)
{
	if (around_is_alnum(around_left(c, c->text, 1)) || around_left(c, c->text, 1) == '_')
		return false;
	for (size_t i = 0; i < sizeof issuers / sizeof issuers[0]; i++) {
		size_t prefix = strlen(issuers[i].prefix), size;
		struct span s = { c->text, c->text + prefix };

		if ((size_t)(c->after - c->text) < prefix ||
		    memcmp(c->text, issuers[i].prefix, prefix) != 0)
			continue;
		while (s.end < c->after && *s.end != '\0' &&
		       (around_is_alnum(*s.end) || strchr(issuers[i].also, *s.end) != NULL))
			s.end++;
		size = (size_t)(s.end - s.from) - prefix;
		*out = (struct span){ c->text + prefix, s.end };
		if (size >= issuers[i].least && size <= issuers[i].most &&
		    randomness_entropy(*out) >= 3) {
			*out = s;
			return true;
		}
	}
	return false;
}

/* Authorization: Bearer x */
static bool find_bearer(const struct candidate *c, struct span *out)
{
	const char *p = c->text + c->size;

	while (around_right(c, p, 0) == ' ')
		p++;
	*out = (struct span){ p, p };
	while (out->end < c->after && *out->end != '\0' &&
	       (around_is_alnum(*out->end) || strchr("-_.~+/=", *out->end) != NULL))
		out->end++;
	return randomness_is_key(*out);
}

/* "123456789:AA..." of a bot: its number is no secret. */
static size_t numbered_prefix(struct span s)
{
	size_t digits = 0;

	while (digits < (size_t)(s.end - s.from) && around_is_digit(s.from[digits]))
		digits++;
	return digits >= 6 && s.from + digits < s.end && s.from[digits] == ':' ? digits + 1 : 0;
}

static bool find_assigned(const struct candidate *c, struct span *out)
{
	struct assignment a;
	enum named kind;

	if (!assignment_find(c, &a) || a.is_prose)
		return false;
	*out = a.value;
	kind = named_kind(a.name);
	if (kind != NAMED_KEY && kind != NAMED_SECRET && kind != NAMED_AZURE &&
	    kind != NAMED_AWS)
		return false;
	/* "Token abc", "Bearer abc", as a header has it. */
	if (around_begins(a.value, "bearer ") || around_begins(a.value, "token "))
		out->from = (const char *)memchr(a.value.from, ' ', 7) + 1;
	if (around_begins(*out, "base64:"))
		out->from += 7;
	out->from += numbered_prefix(*out);
	while (out->end > out->from && strchr(".,;:)", out->end[-1]) != NULL)
		out->end--;
	/* ed25519.Ed25519PrivateKey: a type or a variable, not its value */
	return randomness_is_key(*out) && !password_value_is_placeholder(*out) &&
	       named_kind(*out) == NAMED_NOTHING;
}

/* "sha256: ...", "commit ...", before the name or in it. */
static bool is_digest(const struct candidate *c)
{
	return around_has_word(around_before(c, 24, true), digest_words);
}

/* Three parts of base64url are a JSON web token, whether or not it is a good one. */
static bool is_web_token(struct span s)
{
	size_t dots = 0;

	for (const char *p = s.from; p < s.end; p++)
		dots += *p == '.' ? 1 : 0;
	return dots == 2 && around_begins(s, "eyj");
}

static bool find(const struct candidate *c, struct span *out)
{
	struct span text = { c->text, c->text + c->size };
	bool is_name = c->is_cell || around_begins(text, "key") ||
		       around_begins(text, "token") || around_begins(text, "secret") ||
		       around_begins(text, "auth") || around_begins(text, "cred") ||
		       around_begins(text, "api") || (unsigned char)*c->text >= 0x80;
	bool is_found = around_begins(text, "bearer") ? find_bearer(c, out) :
			is_name ? !is_digest(c) && find_assigned(c, out) :
				  find_issued(c, out);

	return is_found && !is_web_token(*out);
}

enum verdict entropy_check(const struct candidate *c)
{
	struct span s;

	return find(c, &s) ? VERDICT_VALID : VERDICT_NO;
}

void entropy_value(const struct candidate *c, const char **start, size_t *size)
{
	struct span s;

	if (find(c, &s)) {
		*start = s.from;
		*size = (size_t)(s.end - s.from);
	}
}
