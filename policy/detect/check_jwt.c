/*
 * JSON Web Tokens (RFC 7519): three parts of base64url, of which the first is a JSON
 * object that names an algorithm, the second an object too (or, in five parts, RFC 7516,
 * an encrypted key).
 */
#include <jansson.h>
#include <string.h>

#include "policy/detect/around.h"
#include "policy/detect/check_secret.h"

/* CUT_LEAST: the detector shows so much behind a match, unless the text ends. */
enum { HEAD_MAX = 1024, SIGNATURE_LEAST = 16, CUT_LEAST = 4000 };

static int sextet(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 :
	       around_is_digit(c) ? c - '0' + 52 : c == '-' || c == '+' ? 62 :
	       c == '_' || c == '/' ? 63 : -1;
}

static struct span part(const struct candidate *c, const char *p)
{
	struct span s = { p, p };

	while (s.end < c->after && sextet(*s.end) >= 0 && *s.end != '+' && *s.end != '/')
		s.end++;
	return s;
}

/* The bytes that whole characters of s hold; at most room. */
static size_t decode(struct span s, char *out, size_t room)
{
	unsigned bits = 0, held = 0;
	size_t size = 0;

	for (const char *p = s.from; p < s.end && size < room; p++) {
		bits = bits << 6 | (unsigned)sextet(*p);
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[size++] = (char)(bits >> held & 0xff);
		}
	}
	return size;
}

/* The algorithm that the header names: 0 none, 1 "none", 2 another. */
static int algorithm(struct span header)
{
	char text[HEAD_MAX];
	size_t size = decode(header, text, sizeof text);
	json_t *root = json_loadb(text, size, 0, NULL);
	const char *name = json_string_value(json_object_get(root, "alg"));
	int kind = name == NULL || *name == '\0' ? 0 : strcmp(name, "none") == 0 ? 1 : 2;

	json_decref(root);
	return kind;
}

static bool is_object(struct span payload)
{
	char text[4];
	size_t size = decode(payload, text, sizeof text), i = 0;

	while (i < size && (text[i] == ' ' || text[i] == '\n' || text[i] == '\r'))
		i++;
	return i < size && text[i] == '{';
}

/* Its end, or NULL. */
static const char *token_end(const struct candidate *c)
{
	char left = around_left(c, c->text, 1);
	struct span header, payload, signature;
	int kind;

	if (around_is_alnum(left) || left == '_' || left == '-')
		return NULL;
	header = part(c, c->text);
	if (around_right(c, header.end, 0) != '.' || header.end - header.from < 12)
		return NULL;
	payload = part(c, header.end + 1);
	kind = algorithm(header);
	if (kind == 0)
		return NULL;
	/* What the scanner holds may end inside a long payload. */
	if (payload.end == c->after)
		return is_object(payload) && c->after - c->text > CUT_LEAST ?
		       payload.end : NULL;
	if (*payload.end != '.')
		return NULL;
	signature = part(c, payload.end + 1);
	if (around_right(c, signature.end, 0) == '.') {	/* encrypted: five parts */
		struct span text = part(c, signature.end + 1);

		if (around_right(c, text.end, 0) == '.')
			return part(c, text.end + 1).end;
	}
	if (!is_object(payload))
		return NULL;
	return kind == 1 || signature.end - signature.from >= SIGNATURE_LEAST ||
	       signature.end == c->after ? signature.end : NULL;
}

enum verdict jwt_check(const struct candidate *c)
{
	return token_end(c) != NULL ? VERDICT_VALID : VERDICT_NO;
}

void jwt_value(const struct candidate *c, const char **start, size_t *size)
{
	const char *end = token_end(c);

	*start = c->text;
	*size = end != NULL ? (size_t)(end - c->text) : c->size;
}
