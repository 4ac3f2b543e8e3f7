/*
 * Conditions in words: what was wanted, and what the item has.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/text.h"
#include "policy/condition.h"
#include "policy/glob.h"
#include "policy/policy.h"
#include "policy/regex.h"

static const char *const stamp_names[] = { "modified", "created", "changed", "accessed" };
static const char *const kind_names[] = { "file", "directory", "symlink", "other" };

static void write_text(struct buffer *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void write_text(struct buffer *out, const char *format, ...)
{
	char piece[5000];	/* text_printable() gives 4 KiB at most */
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(piece, sizeof piece, format, args);
	va_end(args);
	if (n > 0)
		buffer_append(out, piece, (size_t)n < sizeof piece ? (size_t)n : sizeof piece - 1);
}

/* ---- what was wanted --------------------------------------------------------------------- */

static void write_globs(struct buffer *out, const struct condition *c)
{
	for (size_t i = 0; i < c->count; i++)
		write_text(out, "%s\"%s\"", i == 0 ? "" : " or ",
			   text_printable(glob_text(c->globs[i])));
}

static void write_texts(struct buffer *out, const struct condition *c)
{
	for (size_t i = 0; i < c->count; i++)
		write_text(out, "%s%s", i == 0 ? "" : " or ", text_printable(c->texts[i]));
}

static void write_accounts(struct buffer *out, const struct condition *c)
{
	for (size_t i = 0; i < c->count; i++)
		write_text(out, "%s%s", i == 0 ? "" : " or ",
			   text_printable(c->accounts[i].text));
}

/* How many times it can be halved ten times: the larger, the rounder. */
static unsigned roundness(const struct condition *c, uint64_t n)
{
	unsigned r = 0;

	while (c->kind == CONDITION_SIZE && n != 0 && n % 1024 == 0) {
		n /= 1024;
		r++;
	}
	return r;
}

static void write_amount(struct buffer *out, const struct condition *c, const char *sign,
			 uint64_t n)
{
	static const char *const units[] = { " bytes", " KiB", " MiB", " GiB", " TiB", " PiB",
					     " EiB" };
	unsigned r = roundness(c, n);
	char count[TEXT_COUNT_MAX];

	text_count(n >> 10 * r, count);
	write_text(out, "%s%s%s", sign, count, c->kind == CONDITION_SIZE ? units[r] : "");
}

/* Exactly, as "over 10 MiB" rather than "at least 10,485,761 bytes". */
static void write_bounds(struct buffer *out, const struct condition *c)
{
	if (c->min == c->max) {
		write_amount(out, c, " of exactly ", c->min);
		return;
	}
	if (c->min > 0 && roundness(c, c->min - 1) > roundness(c, c->min))
		write_amount(out, c, " over ", c->min - 1);
	else if (c->min > 0)
		write_amount(out, c, " of at least ", c->min);
	if (c->min > 0 && c->max < UINT64_MAX)
		write_text(out, " and");
	if (c->max < UINT64_MAX && roundness(c, c->max + 1) > roundness(c, c->max))
		write_amount(out, c, " under ", c->max + 1);
	else if (c->max < UINT64_MAX)
		write_amount(out, c, " of at most ", c->max);
}

static void write_detect(struct buffer *out, const struct condition *c)
{
	char count[TEXT_COUNT_MAX];

	write_text(out, "at least %s of ", text_count(c->min, count));
	if (c->count == 0)
		write_text(out, "any sensitive data");
	else
		write_texts(out, c);
	if (c->confidence > 0)
		write_text(out, ", each at least %u %% sure", c->confidence);
}

static void write_age(struct buffer *out, const struct condition *c)
{
	char period[32];

	period_text(&c->period, period);
	write_text(out, "%s %s %s ago", stamp_names[c->stamp],
		   c->is_older ? "at least" : "less than", period);
}

static void write_kinds(struct buffer *out, const struct condition *c)
{
	const char *between = "kind ";

	for (unsigned i = 0; i < 4; i++)
		if ((c->bits >> i & 1) != 0) {
			write_text(out, "%s%s", between, kind_names[i]);
			between = " or ";
		}
}

static void write_regex(struct buffer *out, const struct condition *c)
{
	write_text(out, "/%s/ in it", text_printable(regex_text(c->regex)));
}

static void write_mode(struct buffer *out, const struct condition *c)
{
	write_text(out, "%04o", c->bits);
}

static void write_level(struct buffer *out, const struct condition *c)
{
	write_text(out, "%s", sensitivity_name(c->sensitivity));
}

static const struct phrase {
	const char *text;
	const char *otherwise;	/* where `false` is wanted */
	void (*write)(struct buffer *out, const struct condition *c);	/* behind the text */
} phrases[] = {
	[CONDITION_ALL] = { "all of", NULL, NULL },
	[CONDITION_ANY] = { "any of", NULL, NULL },
	[CONDITION_NOT] = { "not", NULL, NULL },
	[CONDITION_PATH] = { "path ", NULL, write_globs },
	[CONDITION_NAME] = { "name ", NULL, write_globs },
	[CONDITION_NAME_REGEX] = { "name with ", NULL, write_regex },
	[CONDITION_EXTENSION] = { "extension ", NULL, write_texts },
	[CONDITION_FORMAT] = { "format ", NULL, write_globs },
	[CONDITION_CLAIMED] = { "extension that lies and stands for ", NULL, write_globs },
	[CONDITION_EXTENSION_LIES] = { "an extension that lies",
				       "an extension that does not lie", NULL },
	[CONDITION_SIZE] = { "a file", NULL, write_bounds },
	[CONDITION_EMPTY] = { "empty", "not empty", NULL },
	[CONDITION_DEPTH] = { "a depth", NULL, write_bounds },
	[CONDITION_AGE] = { "", NULL, write_age },
	[CONDITION_OWNER] = { "owner ", NULL, write_accounts },
	[CONDITION_GROUP] = { "group ", NULL, write_accounts },
	[CONDITION_MODE] = { "any of the mode bits ", NULL, write_mode },
	[CONDITION_DUPLICATE] = { "a copy of an earlier item", "no copy of an earlier item",
				  NULL },
	[CONDITION_DUPLICATE_OF] = { "a copy of an item whose path is ", NULL, write_globs },
	[CONDITION_DETECT] = { "", NULL, write_detect },
	[CONDITION_SENSITIVITY] = { "sensitive data, at least ", NULL, write_level },
	[CONDITION_ENCODING] = { "encoding ", NULL, write_globs },
	[CONDITION_SCRIPT] = { "script ", NULL, write_globs },
	[CONDITION_OPAQUE] = { "not looked into wholly", "looked into wholly", NULL },
	[CONDITION_KIND] = { "", NULL, write_kinds },
};

void condition_describe(const struct condition *c, struct buffer *out)
{
	const struct phrase *p = &phrases[c->kind];

	write_text(out, "%s", p->otherwise != NULL && !c->is_wanted ? p->otherwise : p->text);
	if (p->write != NULL)
		p->write(out, c);
}

/* ---- what the item has -------------------------------------------------------------------- */

static void observe_word(struct buffer *out, const struct facts *f, const char *what,
			 const char *word)
{
	if (word != NULL)
		write_text(out, "its %s is %s", what, text_printable(word));
	else if (f->opaque != NULL)
		write_text(out, "its %s is not known: %s", what, text_printable(f->opaque));
	else
		write_text(out, "it has no %s", what);
}

static void observe_account(struct buffer *out, const char *what, const char *name,
			    uint32_t number)
{
	if (name != NULL)
		write_text(out, "its %s is %s (%" PRIu32 ")", what, text_printable(name), number);
	else
		write_text(out, "its %s is number %" PRIu32 ", without a name", what, number);
}

static void observe_findings(struct buffer *out, const struct condition *c,
			     const struct facts *f)
{
	const char *between = "it has ";

	for (size_t i = 0; i < f->finding_count; i++) {
		const struct facts_finding *g = &f->findings[i];
		bool is_asked = c->kind == CONDITION_SENSITIVITY || c->count == 0;
		char count[TEXT_COUNT_MAX];

		for (size_t k = 0; !is_asked && k < c->count; k++)
			is_asked = strcmp(c->texts[k], g->id) == 0;
		if (!is_asked)
			continue;
		write_text(out, "%s%s of %s (%u %%, %s)", between, text_count(g->count, count),
			   text_printable(g->id), g->confidence,
			   sensitivity_name(g->sensitivity));
		between = ", ";
	}
	if (between[0] != ',')
		write_text(out, "none was found");
	if (f->opaque != NULL)
		write_text(out, "; not all of it could be looked into: %s",
			   text_printable(f->opaque));
}

static void observe_date(struct buffer *out, const struct condition *c, struct evaluation *v)
{
	struct civil date;
	char text[16], today[16];

	civil_text(v->today, today);
	if (!evaluation_date(v, c->stamp, &date)) {
		write_text(out, "when it was %s is not known", stamp_names[c->stamp]);
		return;
	}
	civil_text(date, text);
	write_text(out, "it was %s on %s, today is %s", stamp_names[c->stamp], text, today);
}

static void observe_duplicate(struct buffer *out, const struct facts *f)
{
	if (f->duplicate_of != NULL)
		write_text(out, "it is a copy of %s", text_printable(f->duplicate_of));
	else if (f->copies > 1)
		write_text(out, "it is the first of %" PRIu64 " items with this content",
			   f->copies);
	else
		write_text(out, "no other item has this content");
}

static void observe_size(struct buffer *out, const struct facts *f)
{
	char size[TEXT_SIZE_MAX];

	if (f->kind == FACTS_FILE)
		write_text(out, "the file has %s", text_size(f->size, size));
	else
		write_text(out, "it is a %s", kind_names[f->kind]);
}

static void observe_claim(struct buffer *out, const struct facts *f)
{
	if (f->claimed != NULL)
		write_text(out, "its extension stands for %s", text_printable(f->claimed));
	else
		write_text(out, "its extension does not lie");
}

static void observe_inside(const struct condition *c, const struct facts *f,
			   struct buffer *out)
{
	switch (c->kind) {
	case CONDITION_FORMAT:
		observe_word(out, f, "format", f->format);
		return;
	case CONDITION_ENCODING:
		observe_word(out, f, "encoding", f->encoding);
		return;
	case CONDITION_SCRIPT:
		observe_word(out, f, "script", f->script);
		return;
	case CONDITION_CLAIMED:
	case CONDITION_EXTENSION_LIES:
		observe_claim(out, f);
		return;
	case CONDITION_DETECT:
	case CONDITION_SENSITIVITY:
		observe_findings(out, c, f);
		return;
	default:
		if (f->opaque != NULL)
			write_text(out, "%s", text_printable(f->opaque));
		else
			write_text(out, "all of it was looked into");
	}
}

void condition_observe(const struct condition *c, struct evaluation *v, struct buffer *out)
{
	const struct facts *f = v->facts;

	switch (c->kind) {
	case CONDITION_ALL:
	case CONDITION_ANY:
	case CONDITION_NOT:
		return;
	case CONDITION_PATH:
	case CONDITION_DEPTH:
		write_text(out, "its path is %s", text_printable(f->path));
		return;
	case CONDITION_NAME:
	case CONDITION_NAME_REGEX:
	case CONDITION_EXTENSION:
		write_text(out, "its name is %s", text_printable(v->name));
		return;
	case CONDITION_SIZE:
	case CONDITION_EMPTY:
		observe_size(out, f);
		return;
	case CONDITION_AGE:
		observe_date(out, c, v);
		return;
	case CONDITION_OWNER:
		observe_account(out, "owner", f->owner, f->uid);
		return;
	case CONDITION_GROUP:
		observe_account(out, "group", f->group, f->gid);
		return;
	case CONDITION_MODE:
		write_text(out, "its mode is %04o", f->mode & 07777);
		return;
	case CONDITION_DUPLICATE:
	case CONDITION_DUPLICATE_OF:
		observe_duplicate(out, f);
		return;
	case CONDITION_KIND:
		write_text(out, "it is a %s", f->kind == FACTS_OTHER ? "special file"
								     : kind_names[f->kind]);
		return;
	default:
		observe_inside(c, f, out);
	}
}
