/*
 * Tokens that begin with a word of their issuer's.
 *
 * Lengths are the issuers'.  GitHub's tokens end in a checksum (CRC-32 in base 62); it
 * is not asked for, since a token whose last characters were changed before it was
 * passed on is a token to whoever looks at the rest of it, and the prefix with the
 * exact length is nobody else's.
 */
#include <string.h>

#include "policy/detect/around.h"
#include "policy/detect/check_secret.h"
#include "policy/detect/randomness.h"

enum { FILLER_BITS = 2 };	/* less than so many bits a character was typed, not drawn */

struct shape {
	const char *prefix;
	const char *also;	/* characters besides letters and digits */
	size_t least, most;	/* behind the prefix */
};

static bool is_of(char c, const char *also)
{
	return around_is_alnum(c) || (c != '\0' && strchr(also, c) != NULL);
}

static struct span body(const struct candidate *c, const char *p, const char *also)
{
	struct span s = { p, p };

	while (s.end < c->after && is_of(*s.end, also))
		s.end++;
	return s;
}

/* The shape whose prefix stands at the match, the token's span in *out. */
static const struct shape *find(const struct candidate *c, const struct shape *shapes,
				size_t count, struct span *out)
{
	if (around_is_alnum(around_left(c, c->text, 1)))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const struct shape *s = &shapes[i];
		size_t prefix = strlen(s->prefix), size;
		struct span b;

		if ((size_t)(c->after - c->text) < prefix ||
		    memcmp(c->text, s->prefix, prefix) != 0)
			continue;
		b = body(c, c->text + prefix, s->also);
		while (b.end > b.from && (b.end[-1] == '.' || b.end[-1] == '-'))
			b.end--;	/* the end of a sentence */
		size = (size_t)(b.end - b.from);
		if (size < s->least || size > s->most || around_right(c, b.end, 0) == '_')
			continue;
		if (randomness_is_filler(b) || randomness_entropy(b) < FILLER_BITS)
			continue;
		*out = (struct span){ c->text, b.end };
		return s;
	}
	return NULL;
}

static void tell(bool is_found, struct span s, const char **start, size_t *size)
{
	if (is_found) {
		*start = s.from;
		*size = (size_t)(s.end - s.from);
	}
}

#define COUNT(shapes) (sizeof(shapes) / sizeof((shapes)[0]))

/* ---- GitHub ---------------------------------------------------------------------------- */

static const struct shape github[] = {
	{ "ghp_", "", 36, 36 }, { "gho_", "", 36, 36 }, { "ghu_", "", 36, 36 },
	{ "ghs_", "", 36, 36 }, { "ghr_", "", 36, 36 }, { "ghr_", "", 76, 76 },
	{ "github_pat_", "_", 82, 82 },
};

enum verdict github_check(const struct candidate *c)
{
	struct span s;

	return find(c, github, COUNT(github), &s) != NULL ? VERDICT_VALID : VERDICT_NO;
}

void github_value(const struct candidate *c, const char **start, size_t *size)
{
	struct span s = { NULL, NULL };

	tell(find(c, github, COUNT(github), &s) != NULL, s, start, size);
}

/* ---- GitLab ---------------------------------------------------------------------------- */

static const struct shape gitlab[] = {
	{ "glpat-", "_-", 20, 20 },
	{ "glpat-", "_-.", 38, 310 },	/* routable: payload.version and checksum */
	{ "gldt-", "_-", 20, 20 }, { "glrt-", "_-.", 20, 310 }, { "glft-", "_-", 20, 64 },
	{ "glcbt-", "_-", 20, 64 }, { "glptt-", "", 40, 40 }, { "glimt-", "_-", 25, 25 },
	{ "glagent-", "_-", 50, 50 }, { "gloas-", "_-", 64, 64 }, { "glsoat-", "_-", 20, 20 },
	{ "glffct-", "_-", 20, 20 }, { "GR1348941", "_-", 20, 20 },
};

enum verdict gitlab_check(const struct candidate *c)
{
	struct span s;

	return find(c, gitlab, COUNT(gitlab), &s) != NULL ? VERDICT_VALID : VERDICT_NO;
}

void gitlab_value(const struct candidate *c, const char **start, size_t *size)
{
	struct span s = { NULL, NULL };

	tell(find(c, gitlab, COUNT(gitlab), &s) != NULL, s, start, size);
}

/* ---- Slack ----------------------------------------------------------------------------- */

static const struct shape slack[] = {
	{ "xoxb-", "-", 20, 200 }, { "xoxp-", "-", 20, 200 }, { "xoxa-", "-", 10, 200 },
	{ "xoxr-", "-", 10, 200 }, { "xoxo-", "-", 20, 200 }, { "xoxs-", "-", 20, 200 },
	{ "xoxc-", "-", 20, 200 }, { "xoxd-", "-%+/=", 20, 400 },
	{ "xoxe.xox", "-", 20, 300 }, { "xoxe-", "-", 20, 300 }, { "xapp-", "-", 24, 200 },
};

/* T…/B…/… behind "hooks.slack.com/": a team, a hook, what only its owner knows. */
static bool find_hook(const struct candidate *c, struct span *out)
{
	static const char *const kinds[] = { "services/", "workflows/", "triggers/" };
	const char *p = c->text + c->size;
	struct span path;
	size_t slashes = 0;

	if (*c->text != 'h')
		return false;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (around_begins((struct span){ p, c->after }, kinds[i])) {
			path = body(c, p + strlen(kinds[i]), "/");
			for (const char *q = path.from; q < path.end; q++)
				slashes += *q == '/' ? 1 : 0;
			*out = (struct span){ c->text, path.end };
			return slashes >= 2 && path.end - path.from >= 40 &&
			       (*path.from == 'T' || *path.from == 'E') &&
			       !randomness_is_filler((struct span){ path.end - 16, path.end });
		}
	}
	return false;
}

static bool find_slack(const struct candidate *c, struct span *out)
{
	if (find_hook(c, out))
		return true;
	return find(c, slack, COUNT(slack), out) != NULL &&
	       around_count_digits(*out) >= 4;
}

enum verdict slack_check(const struct candidate *c)
{
	struct span s;

	return find_slack(c, &s) ? VERDICT_VALID : VERDICT_NO;
}

void slack_value(const struct candidate *c, const char **start, size_t *size)
{
	struct span s = { NULL, NULL };

	tell(find_slack(c, &s), s, start, size);
}

/* ---- Stripe ---------------------------------------------------------------------------- */

/* A publishable key (pk_) is meant to stand in every page's source: no secret. */
static const struct shape stripe[] = {
	{ "sk_live_", "", 16, 247 }, { "sk_test_", "", 16, 247 }, { "sk_prod_", "", 16, 247 },
	{ "rk_live_", "", 16, 247 }, { "rk_test_", "", 16, 247 }, { "rk_prod_", "", 16, 247 },
	{ "whsec_", "+/=", 24, 128 },
};

enum verdict stripe_check(const struct candidate *c)
{
	struct span s;

	return find(c, stripe, COUNT(stripe), &s) != NULL ? VERDICT_VALID : VERDICT_NO;
}

void stripe_value(const struct candidate *c, const char **start, size_t *size)
{
	struct span s = { NULL, NULL };

	tell(find(c, stripe, COUNT(stripe), &s) != NULL, s, start, size);
}
