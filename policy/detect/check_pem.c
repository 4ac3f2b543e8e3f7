/*
 * Private keys in armour: PEM (RFC 7468 and older: RSA, EC, DSA, OPENSSH, ENCRYPTED,
 * PKCS#8), OpenPGP (RFC 9580), SSH2 (RFC 4716), PuTTY's files, age.  A head with no
 * key behind it is none.
 */
#include <string.h>

#include "policy/detect/around.h"
#include "policy/detect/check_secret.h"

enum { BODY_LEAST = 40, REACH = 1024 };

static bool is_base64(char c)
{
	return around_is_alnum(c) || c == '+' || c == '/' || c == '=';
}

/* A line of a head inside the armour ("Proc-Type: 4,ENCRYPTED"): its end, or NULL. */
static const char *head_line(const char *p, const char *end)
{
	const char *colon = p;

	while (colon < end && (around_is_alnum(*colon) || *colon == '-'))
		colon++;
	if (colon == p || colon == end || *colon != ':')
		return NULL;
	while (colon < end && *colon != '\n' &&
	       !(*colon == '\\' && colon + 1 < end && colon[1] == 'n'))
		colon++;
	return colon;
}

/* What parts lines, in a file, a string of a program, a quoted reply, or a shell. */
static const char *skip_line_end(const char *p, const char *end)
{
	while (p < end) {
		if (*p == '\\' && p + 1 < end && strchr("nrt\\", p[1]) != NULL)
			p += 2;
		else if (*p != '\0' && strchr(" \t\r\n\"'+,>|;&#", *p) != NULL)
			p++;
		else
			break;
	}
	return p;
}

/* Enough base64 behind the head, over lines and their heads. */
static bool has_body(const char *p, const char *end)
{
	size_t count = 0;
	const char *start = p;

	while (p < end && p - start < REACH && count < BODY_LEAST) {
		const char *line = skip_line_end(p, end), *stop;

		stop = count == 0 ? head_line(line, end) : NULL;
		if (stop != NULL) {
			p = stop;
			continue;
		}
		for (p = line; p < end && is_base64(*p); p++)
			count++;
		if (p == line)
			break;
		/* "...", "-----END": no more of it. */
	}
	return count >= BODY_LEAST;
}

enum verdict pem_check(const struct candidate *c)
{
	const char *p = c->text + c->size;

	if (around_begins((struct span){ c->text, p }, "age-secret-key-1")) {
		size_t size = 0;

		while (around_is_alnum(around_right(c, p, size)))
			size++;
		return size == 58 ? VERDICT_VALID : VERDICT_NO;
	}
	if (*c->text == 'P') {	/* PuTTY: "Private-Lines: 14" */
		while (p < c->after && (*p == ' ' || around_is_digit(*p)))
			p++;
	}
	return has_body(p, c->after) ? VERDICT_VALID : VERDICT_NO;
}
