/*
 * Electronic mail addresses, as RFC 5321 and RFC 6531 are used in practice.
 *
 * Found from the "@": the domain to its right, the local part to its left.  What
 * only looks like one: an account in a URL or before a path (user@host:/path, git@host:),
 * a message's id, a file name ("icon@2x.png"), a package with its version.  An account
 * on a machine is no address of a person, even where both are spelled alike.
 */
#include <string.h>

#include "policy/detect/around.h"
#include "policy/detect/check_contact.h"

#define LOCAL_MAX 64
#define LABEL_MAX 63
#define DOMAIN_MAX 253

static const char *const message_id_words[] = {
	"message id", "references", "in reply to", "content id", "resent message id", "cid",
	NULL,
};

static const char *const remote_commands[] = {
	"ssh", "scp", "sftp", "rsync", "mosh", "ssh copy id", "sshfs", NULL,
};

/* The character at p, decoded; its size, 0 for what is no UTF-8. */
static size_t decode(const char *p, const char *end, unsigned *out)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t size = u[0] < 0x80 ? 1 : u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 :
		      u[0] < 0xf5 ? 4 : 0;

	if (size == 0 || (size_t)(end - p) < size)
		return 0;
	*out = size == 1 ? u[0] : u[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		*out = *out << 6 | (u[i] & 0x3fu);
	}
	return size;
}

/* Letters that stand in names of domains; not the punctuation of other scripts. */
static bool is_foreign_letter(unsigned u)
{
	return u >= 0xc0 && u != 0xd7 && u != 0xf7 && !(u >= 0x2000 && u <= 0x2bff) &&
	       !(u >= 0x3000 && u <= 0x3004) && !(u >= 0x3008 && u <= 0x3020) &&
	       !(u >= 0xe000 && u <= 0xf8ff) && !(u >= 0xfe00 && u < 0x20000);
}

/* Alphabets, whose words are parted by spaces as ours are. */
static bool is_alphabet(unsigned u)
{
	return is_foreign_letter(u) && u < 0x0600;
}

/* One label of a domain; NULL where none begins.  *ascii: where its first run of ASCII
 * ends. */
static const char *label_end(const char *p, const char *end, const char **ascii)
{
	const char *start = p, *last = p;

	*ascii = NULL;
	while (p < end) {
		unsigned u;
		size_t size = decode(p, end, &u);

		if (size == 0 || (u < 0x80 && !around_is_alnum(*p) && *p != '-') ||
		    (u >= 0x80 && !is_foreign_letter(u)))
			break;
		if (u >= 0x80 && *ascii == NULL)
			*ascii = p;
		last = p;
		p += size;
	}
	if (p == start || *start == '-' || *last == '-' || p - start > LABEL_MAX)
		return NULL;
	if (*ascii == NULL)
		*ascii = p;
	return p;
}

static bool is_all_digits(struct span s)
{
	return around_count_digits(s) == (size_t)(s.end - s.from);
}

/* "@2x.png", and versions: "core@7.0.dev". */
static bool is_file_or_version(const struct span *labels, size_t count)
{
	struct span first = labels[0];

	if (first.end - first.from == 2 && around_is_digit(first.from[0]) &&
	    first.from[1] == 'x')
		return true;
	return count >= 3 && is_all_digits(labels[0]) && is_all_digits(labels[1]);
}

static bool is_tld(struct span s)
{
	return (unsigned char)*s.from >= 0x80 || tld_is_known(s.from, (size_t)(s.end - s.from));
}

/* The domain that begins at p: its end, or NULL. */
static const char *domain_end(const struct candidate *c, const char *p)
{
	struct span labels[DOMAIN_MAX / 2 + 1];
	const char *start = p, *ascii = NULL;
	size_t count = 0;

	for (;;) {
		const char *end = label_end(p, c->after, &ascii);

		if (end == NULL || end - start > DOMAIN_MAX)
			return NULL;
		labels[count++] = (struct span){ p, end };
		/* "bob@example.com请回复": prose goes on without a space. */
		if (count > 1 && ascii > p && ascii < end &&
		    tld_is_known(p, (size_t)(ascii - p))) {
			labels[count - 1].end = ascii;
			break;
		}
		if (around_right(c, end, 0) != '.' ||
		    label_end(end + 1, c->after, &ascii) == NULL)
			break;
		p = end + 1;
	}
	/* "... to bob@example.com.Then": a sentence that was not parted. */
	if (count > 2 && !is_tld(labels[count - 1]) && is_tld(labels[count - 2]) &&
	    labels[count - 1].from[0] >= 'A' && labels[count - 1].from[0] <= 'Z')
		count--;
	if (count < 2 || !is_tld(labels[count - 1]) || is_file_or_version(labels, count))
		return NULL;
	return labels[count - 1].end;
}

static const char *quoted_start(const struct candidate *c, const char *at)
{
	bool has_letter = false;

	for (const char *p = at - 2; p >= c->before && at - p <= LOCAL_MAX; p--) {
		if (*p == '"')
			return has_letter ? p : NULL;
		if (*p == '\n' || *p == '@')
			return NULL;
		has_letter = has_letter || around_is_alnum(*p);
	}
	return NULL;
}

/* Where the letter before p begins that may stand in a local part, or p. */
static const char *local_step(const struct candidate *c, const char *p, bool all_scripts)
{
	const char *back = p;
	unsigned u;

	if (p == c->before)
		return p;
	if (around_is_alnum(p[-1]) || (p[-1] != '\0' && strchr("._%+'~-", p[-1]) != NULL))
		return p - 1;
	do
		back--;
	while (back > c->before && p - back < 4 && ((unsigned char)*back & 0xc0) == 0x80);
	if (decode(back, p, &u) == (size_t)(p - back) &&
	    (all_scripts ? is_foreign_letter(u) : is_alphabet(u)))
		return back;
	return p;
}

/* The local part that ends at the "@": its start, or NULL. */
static const char *local_start(const struct candidate *c, const char *at, bool all_scripts)
{
	const char *p = at, *step;

	if (at > c->before && at[-1] == '"')
		return quoted_start(c, at);
	while ((step = local_step(c, p, all_scripts)) != p)
		p = step;
	while (p < at && (*p == '\'' || *p == '-' || *p == '%' || *p == '~'))
		p++;
	/* "Kontakt.....bob@example.com": dots that lead there are no part of it. */
	for (const char *q = p; at - q > 3; q++) {
		if (q[0] == '.' && q[1] == '.' && q[2] == '.')
			p = q + 3;
	}
	if (p == at || at - p > LOCAL_MAX || *p == '.' || at[-1] == '.')
		return NULL;
	for (const char *q = p; q + 1 < at; q++) {
		if (q[0] == '.' && q[1] == '.')
			return NULL;
	}
	return p;
}

/* user@host of a URL, or of a data source ("jdbc:oracle:thin:scott/tiger@host"). */
static bool is_in_url(const struct candidate *c, const char *start)
{
	const char *p = start;

	while (p > c->before && (unsigned char)p[-1] > ' ' &&
	       strchr("\"'<>()?#,", p[-1]) == NULL) {
		p--;
		if (start - p >= 3 && memcmp(p, "://", 3) == 0) {
			bool is_mail = p - c->before >= 6 && memcmp(p - 6, "mailto", 6) == 0;

			return !is_mail && memchr(p + 3, '/', (size_t)(start - p - 3)) == NULL;
		}
		if (start - p >= 5 && memcmp(p, "jdbc:", 5) == 0)
			return true;
	}
	return false;
}

/* An account on another machine: git@host:project, alice@host:/path, ssh alice@host. */
static bool is_account(const struct candidate *c, const char *start, const char *at,
		       const char *end)
{
	struct span before = { start, start };
	char next = around_right(c, end, 0), then = around_right(c, end, 1);
	size_t size = (size_t)(at - start);

	if (next == ':' && (then == '/' || then == '~'))
		return true;
	if (next == ':' && ((size == 3 && memcmp(start, "git", 3) == 0) ||
			    (size == 2 && memcmp(start, "hg", 2) == 0)))
		return true;
	while (before.from > c->before && before.from[-1] != '\n' &&
	       before.end - before.from < 24)
		before.from--;
	return around_has_word(before, remote_commands);
}

/* <20240101.abc@mail.example.com> in the head of a mail, folded lines included. */
static bool is_message_id(const struct candidate *c)
{
	struct span before = around_before(c, 256, false), found;

	if (around_label_has(c, message_id_words))
		return true;
	if (!around_last_word(before, message_id_words, &found))
		return false;
	if (found.end == before.end || *found.end != ':')
		return false;
	for (const char *p = found.end; p + 1 < before.end; p++) {
		if (*p == '\n' && p[1] != ' ' && p[1] != '\t')
			return false;
	}
	return true;
}

static bool find(const struct candidate *c, const char **start, const char **end)
{
	const char *at = c->text;	/* "@", or "%40" of a URL */
	bool is_idn = false;

	*end = domain_end(c, at + c->size);
	if (*end == NULL)
		return false;
	for (const char *p = at; p < *end; p++)
		is_idn = is_idn || (unsigned char)*p >= 0x80;
	*start = local_start(c, at, is_idn);
	return *start != NULL;
}

enum verdict email_check(const struct candidate *c)
{
	const char *start, *end;

	if (!find(c, &start, &end))
		return VERDICT_NO;
	if (around_left(c, start, 1) == '@' || around_right(c, end, 0) == '@')
		return VERDICT_NO;
	if (is_in_url(c, start) || is_account(c, start, c->text, end) || is_message_id(c))
		return VERDICT_NO;
	return VERDICT_VALID;
}

void email_value(const struct candidate *c, const char **start, size_t *size)
{
	const char *end = NULL;

	if (find(c, start, &end))
		*size = (size_t)(end - *start);
}
