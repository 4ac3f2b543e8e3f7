/*
 * Conditions in words: what was wanted, and what the item has.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "policy/condition.h"
#include "policy/glob.h"
#include "policy/policy.h"
#include "policy/regex.h"

static const char *const stamp_names[] = { "modified", "created", "changed", "accessed" };
static const char *const kind_names[] = { "file", "directory", "symlink", "other" };

/* A text that grows until it is full, then ends in "...". */
struct writing {
	char *out;
	size_t used;
};

static void write_text(struct writing *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void write_text(struct writing *t, const char *format, ...)
{
	size_t room = CONDITION_TEXT_MAX - t->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->out + t->used, room, format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= room) {
		memcpy(t->out + CONDITION_TEXT_MAX - 4, "...", 4);
		t->used = CONDITION_TEXT_MAX - 1;
	} else {
		t->used += (size_t)n;
	}
}

/* ---- what was wanted --------------------------------------------------------------------- */

static void write_globs(struct writing *t, const struct condition *c)
{
	for (size_t i = 0; i < c->count; i++)
		write_text(t, "%s\"%s\"", i == 0 ? "" : " or ",
			   text_printable(glob_text(c->globs[i])));
}

static void write_texts(struct writing *t, const struct condition *c)
{
	for (size_t i = 0; i < c->count; i++)
		write_text(t, "%s%s", i == 0 ? "" : " or ", text_printable(c->texts[i]));
}

static void write_accounts(struct writing *t, const struct condition *c)
{
	for (size_t i = 0; i < c->count; i++)
		write_text(t, "%s%s", i == 0 ? "" : " or ",
			   text_printable(c->accounts[i].text));
}

static const char *amount(const struct condition *c, uint64_t n, char out[TEXT_COUNT_MAX])
{
	if (c->kind == CONDITION_SIZE)
		return text_size(n, out);
	return text_count(n, out);
}

static void write_bounds(struct writing *t, const struct condition *c, const char *what)
{
	char least[TEXT_COUNT_MAX], most[TEXT_COUNT_MAX];

	amount(c, c->min, least);
	amount(c, c->max, most);
	if (c->min == c->max)
		write_text(t, "%s of exactly %s", what, least);
	else if (c->max == UINT64_MAX)
		write_text(t, "%s of at least %s", what, least);
	else if (c->min == 0)
		write_text(t, "%s of at most %s", what, most);
	else
		write_text(t, "%s from %s to %s", what, least, most);
}

static void write_detect(struct writing *t, const struct condition *c)
{
	char count[TEXT_COUNT_MAX];

	write_text(t, "at least %s of ", text_count(c->min, count));
	if (c->count == 0)
		write_text(t, "any sensitive data");
	else
		write_texts(t, c);
	if (c->confidence > 0)
		write_text(t, ", each at least %u %% sure", c->confidence);
}

static void write_age(struct writing *t, const struct condition *c)
{
	char period[32];

	period_text(&c->period, period);
	write_text(t, "%s %s %s ago", stamp_names[c->stamp],
		   c->is_older ? "at least" : "less than", period);
}

static void write_kinds(struct writing *t, const struct condition *c)
{
	const char *between = "kind ";

	for (unsigned i = 0; i < 4; i++)
		if ((c->bits >> i & 1) != 0) {
			write_text(t, "%s%s", between, kind_names[i]);
			between = " or ";
		}
}

static void write_flag(struct writing *t, const struct condition *c, const char *is,
		       const char *is_not)
{
	write_text(t, "%s", c->is_wanted ? is : is_not);
}

static void write_matching(struct writing *t, const struct condition *c, const char *what)
{
	write_text(t, "%s ", what);
	write_globs(t, c);
}

void condition_describe(const struct condition *c, char out[CONDITION_TEXT_MAX])
{
	struct writing t = { .out = out };

	out[0] = '\0';
	switch (c->kind) {
	case CONDITION_ALL:
		write_text(&t, "all of:");
		return;
	case CONDITION_ANY:
		write_text(&t, "any of:");
		return;
	case CONDITION_NOT:
		write_text(&t, "not:");
		return;
	case CONDITION_PATH:
		write_matching(&t, c, "path");
		return;
	case CONDITION_NAME:
		write_matching(&t, c, "name");
		return;
	case CONDITION_NAME_REGEX:
		write_text(&t, "name with /%s/ in it", text_printable(regex_text(c->regex)));
		return;
	case CONDITION_EXTENSION:
		write_text(&t, "extension ");
		write_texts(&t, c);
		return;
	case CONDITION_FORMAT:
		write_matching(&t, c, "format");
		return;
	case CONDITION_CLAIMED:
		write_matching(&t, c, "extension that lies and stands for");
		return;
	case CONDITION_EXTENSION_LIES:
		write_flag(&t, c, "an extension that lies", "an extension that does not lie");
		return;
	case CONDITION_SIZE:
		write_bounds(&t, c, "a file");
		return;
	case CONDITION_EMPTY:
		write_flag(&t, c, "empty", "not empty");
		return;
	case CONDITION_DEPTH:
		write_bounds(&t, c, "a depth");
		return;
	case CONDITION_AGE:
		write_age(&t, c);
		return;
	case CONDITION_OWNER:
		write_text(&t, "owner ");
		write_accounts(&t, c);
		return;
	case CONDITION_GROUP:
		write_text(&t, "group ");
		write_accounts(&t, c);
		return;
	case CONDITION_MODE:
		write_text(&t, "any of the mode bits %04o", c->bits);
		return;
	case CONDITION_DUPLICATE:
		write_flag(&t, c, "a copy of an earlier item", "no copy of an earlier item");
		return;
	case CONDITION_DUPLICATE_OF:
		write_matching(&t, c, "a copy of an item whose path is");
		return;
	case CONDITION_DETECT:
		write_detect(&t, c);
		return;
	case CONDITION_SENSITIVITY:
		write_text(&t, "sensitive data, at least %s", sensitivity_name(c->sensitivity));
		return;
	case CONDITION_ENCODING:
		write_matching(&t, c, "encoding");
		return;
	case CONDITION_SCRIPT:
		write_matching(&t, c, "script");
		return;
	case CONDITION_OPAQUE:
		write_flag(&t, c, "not looked into wholly", "looked into wholly");
		return;
	case CONDITION_KIND:
		write_kinds(&t, c);
		return;
	}
}

/* ---- what the item has -------------------------------------------------------------------- */

static void observe_word(struct writing *t, const struct facts *f, const char *what,
			 const char *word)
{
	if (word != NULL)
		write_text(t, "its %s is %s", what, text_printable(word));
	else if (f->opaque != NULL)
		write_text(t, "its %s is not known: %s", what, text_printable(f->opaque));
	else
		write_text(t, "it has no %s", what);
}

static void observe_account(struct writing *t, const char *what, const char *name,
			    uint32_t number)
{
	if (name != NULL)
		write_text(t, "its %s is %s (%" PRIu32 ")", what, text_printable(name), number);
	else
		write_text(t, "its %s is number %" PRIu32 ", without a name", what, number);
}

static void observe_findings(struct writing *t, const struct condition *c,
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
		write_text(t, "%s%s of %s (%u %%, %s)", between, text_count(g->count, count),
			   text_printable(g->id), g->confidence,
			   sensitivity_name(g->sensitivity));
		between = ", ";
	}
	if (between[0] != ',')
		write_text(t, "none was found");
	if (f->opaque != NULL)
		write_text(t, "; not all of it could be looked into: %s",
			   text_printable(f->opaque));
}

static void observe_date(struct writing *t, const struct condition *c, struct evaluation *v)
{
	struct civil date;
	char text[16], today[16];

	civil_text(v->today, today);
	if (!evaluation_date(v, c->stamp, &date)) {
		write_text(t, "when it was %s is not known", stamp_names[c->stamp]);
		return;
	}
	civil_text(date, text);
	write_text(t, "it was %s on %s, today is %s", stamp_names[c->stamp], text, today);
}

static void observe_duplicate(struct writing *t, const struct facts *f)
{
	if (f->duplicate_of != NULL)
		write_text(t, "it is a copy of %s", text_printable(f->duplicate_of));
	else if (f->copies > 1)
		write_text(t, "it is the first of %" PRIu64 " items with this content",
			   f->copies);
	else
		write_text(t, "no other item has this content");
}

static void observe_size(struct writing *t, const struct facts *f)
{
	char size[TEXT_SIZE_MAX];

	if (f->kind == FACTS_FILE)
		write_text(t, "the file has %s", text_size(f->size, size));
	else
		write_text(t, "it is a %s", kind_names[f->kind]);
}

void condition_observe(const struct condition *c, struct evaluation *v,
		       char out[CONDITION_TEXT_MAX])
{
	const struct facts *f = v->facts;
	struct writing t = { .out = out };

	out[0] = '\0';
	switch (c->kind) {
	case CONDITION_ALL:
	case CONDITION_ANY:
	case CONDITION_NOT:
		return;
	case CONDITION_PATH:
	case CONDITION_DEPTH:
		write_text(&t, "its path is %s", text_printable(f->path));
		return;
	case CONDITION_NAME:
	case CONDITION_NAME_REGEX:
	case CONDITION_EXTENSION:
		write_text(&t, "its name is %s", text_printable(v->name));
		return;
	case CONDITION_FORMAT:
		observe_word(&t, f, "format", f->format);
		return;
	case CONDITION_CLAIMED:
	case CONDITION_EXTENSION_LIES:
		if (f->claimed != NULL)
			write_text(&t, "its extension stands for %s", text_printable(f->claimed));
		else
			write_text(&t, "its extension does not lie");
		return;
	case CONDITION_SIZE:
	case CONDITION_EMPTY:
		observe_size(&t, f);
		return;
	case CONDITION_AGE:
		observe_date(&t, c, v);
		return;
	case CONDITION_OWNER:
		observe_account(&t, "owner", f->owner, f->uid);
		return;
	case CONDITION_GROUP:
		observe_account(&t, "group", f->group, f->gid);
		return;
	case CONDITION_MODE:
		write_text(&t, "its mode is %04o", f->mode & 07777);
		return;
	case CONDITION_DUPLICATE:
	case CONDITION_DUPLICATE_OF:
		observe_duplicate(&t, f);
		return;
	case CONDITION_DETECT:
	case CONDITION_SENSITIVITY:
		observe_findings(&t, c, f);
		return;
	case CONDITION_ENCODING:
		observe_word(&t, f, "encoding", f->encoding);
		return;
	case CONDITION_SCRIPT:
		observe_word(&t, f, "script", f->script);
		return;
	case CONDITION_OPAQUE:
		if (f->opaque != NULL)
			write_text(&t, "%s", text_printable(f->opaque));
		else
			write_text(&t, "all of it was looked into");
		return;
	case CONDITION_KIND:
		write_text(&t, "it is a %s", f->kind == FACTS_OTHER ? "special file"
								    : kind_names[f->kind]);
		return;
	}
}
