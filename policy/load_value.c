#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/load.h"
#include "policy/memory.h"
#include "policy/words.h"

/* ---- refusing ------------------------------------------------------------------------- */

#define WHERE_MAX 300

/* Appends "rules[3].when" and returns what is used. */
static size_t write_where(const struct where *w, char out[WHERE_MAX], size_t used)
{
	int n;

	if (w == NULL)
		return used;
	used = write_where(w->up, out, used);
	if (used >= WHERE_MAX)
		return used;
	if (w->field == NULL)
		n = snprintf(out + used, WHERE_MAX - used, "[%zu]", w->index);
	else
		n = snprintf(out + used, WHERE_MAX - used, "%s%s", used > 0 ? "." : "",
			     text_printable(w->field));
	return used + (n < 0 ? 0 : (size_t)n);
}

int load_refuse(struct load *l, const struct where *w, const struct tree *t,
		const char *expected, const char *format, ...)
{
	char wrong[500], where[WHERE_MAX] = "";
	va_list args;

	va_start(args, format);
	vsnprintf(wrong, sizeof wrong, format, args);
	va_end(args);
	if (write_where(w, where, 0) == 0)
		snprintf(where, sizeof where, "the policy");
	return err_set(l->e, MUNI_USAGE, "%s:%u: %s: %s; expected %s", text_printable(l->name),
		       t->line, where, wrong, expected);
}

int load_no_memory(struct load *l)
{
	return err_set(l->e, MUNI_NO_MEMORY, "no memory for the policy");
}

/* ---- maps and lists ----------------------------------------------------------------------- */

#define FIELDS_MAX 64

static int refuse_unknown(struct load *l, const struct where *w, const struct tree *key,
			  const struct field *fields, size_t count, const char *what)
{
	const struct where here = { w, key->text, 0 };
	const char *names[FIELDS_MAX], *near;
	char list[WORDS_TEXT_MAX];

	for (size_t i = 0; i < count; i++)
		names[i] = fields[i].name;
	near = words_nearest(names, count, key->text);
	if (near != NULL)
		return load_refuse(l, &here, key, words_list(names, count, list),
				   "%s has no such field; did you mean \"%s\"?", what, near);
	return load_refuse(l, &here, key, words_list(names, count, list),
			   "%s has no such field", what);
}

int load_map(struct load *l, const struct where *w, const struct tree *t,
	     const struct field *fields, size_t count, const char *what, void *out)
{
	uint64_t seen = 0;
	char expected[100];

	snprintf(expected, sizeof expected, "%s as a map (\"name: value\")", what);
	if (t->kind != TREE_MAP)
		return load_refuse(l, w, t, expected, "%s stands here", tree_kind_name(t));
	for (const struct tree *key = t->first; key != NULL; key = key->next->next) {
		const struct where here = { w, key->text, 0 };
		size_t i = 0;

		while (i < count && strcmp(fields[i].name, key->text) != 0)
			i++;
		if (i == count)
			return refuse_unknown(l, w, key, fields, count, what);
		if ((seen >> i & 1) != 0)
			return load_refuse(l, &here, key, "each field once",
					   "it is given twice");
		seen |= 1ull << i;
		if (fields[i].take(l, &here, key->next, out) < 0)
			return -1;
	}
	for (size_t i = 0; i < count; i++)
		if (fields[i].is_required && (seen >> i & 1) == 0) {
			snprintf(expected, sizeof expected, "it in %s", what);
			return load_refuse(l, &(struct where){ w, fields[i].name, 0 }, t,
					   expected, "it is missing");
		}
	return 0;
}

int load_check_list(struct load *l, const struct where *w, const struct tree *t, size_t max,
		    const char *expected)
{
	if (t->kind != TREE_LIST)
		return load_refuse(l, w, t, expected, "%s stands here", tree_kind_name(t));
	if (t->count == 0)
		return load_refuse(l, w, t, expected, "the list is empty");
	if (t->count > max)
		return load_refuse(l, w, t, expected, "%zu items are too many (at most %zu)",
				   t->count, max);
	return 0;
}

/* ---- texts --------------------------------------------------------------------------------- */

/* A scalar that says something; YAML's words for nothing are none. */
static int check_scalar(struct load *l, const struct where *w, const struct tree *t,
			const char *expected)
{
	if (t->kind != TREE_SCALAR)
		return load_refuse(l, w, t, expected, "%s stands here", tree_kind_name(t));
	if (t->text[0] == '\0' ||
	    (!t->is_quoted && (strcmp(t->text, "~") == 0 || strcmp(t->text, "null") == 0)))
		return load_refuse(l, w, t, expected, "it is empty");
	return 0;
}

int load_text(struct load *l, const struct where *w, const struct tree *t, size_t max,
	      const char *expected, char **out)
{
	size_t size;

	if (check_scalar(l, w, t, expected) < 0)
		return -1;
	size = strlen(t->text);
	if (size > max)
		return load_refuse(l, w, t, expected, "%zu bytes are too long (at most %zu)",
				   size, max);
	for (const char *p = t->text; *p != '\0'; p++)
		if (((unsigned char)*p < 0x20 && *p != '\n') || *p == 0x7f)
			return load_refuse(l, w, t, expected, "a control character (\"%s\")",
					   text_printable_n(p, 1));
	*out = t->text;		/* lives in the policy's memory */
	return 0;
}

static bool is_id_byte(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '-' || c == '_' || c == '.' || c >= 0x80;
}

int load_id(struct load *l, const struct where *w, const struct tree *t, char **out)
{
	static const char expected[] = "letters, digits, \"-\", \"_\", \".\", at most 64 bytes, "
				       "beginning with a letter or digit";
	char *text;

	if (load_text(l, w, t, POLICY_ID_MAX, expected, &text) < 0)
		return -1;
	for (const char *p = text; *p != '\0'; p++)
		if (!is_id_byte((unsigned char)*p))
			return load_refuse(l, w, t, expected, "\"%s\" may not stand in it",
					   text_printable_n(p, 1));
	if (text[0] == '-' || text[0] == '_' || text[0] == '.')
		return load_refuse(l, w, t, expected, "it begins with \"%c\"", text[0]);
	/* What would not be seen, or turns the writing round, makes two ids look alike. */
	if (strcmp(text_printable(text), text) != 0)
		return load_refuse(l, w, t, expected, "\"%s\" has characters that are not seen",
				   text_printable(text));
	*out = text;
	return 0;
}

#define TEXTS_MAX 1000

int load_texts(struct load *l, const struct where *w, const struct tree *t,
	       const char *expected, char ***out, size_t *count)
{
	const struct tree *item = t->kind == TREE_LIST ? t->first : t;
	size_t n = t->kind == TREE_LIST ? t->count : 1;

	if (t->kind == TREE_LIST && load_check_list(l, w, t, TEXTS_MAX, expected) < 0)
		return -1;
	*out = memory_new(l->memory, n + 1, sizeof **out);
	if (*out == NULL)
		return load_no_memory(l);
	for (size_t i = 0; i < n; i++, item = item->next) {
		const struct where inside = { w, NULL, i + 1 };

		if (load_text(l, t->kind == TREE_LIST ? &inside : w, item, LOAD_TEXT_MAX,
			      expected, &(*out)[i]) < 0)
			return -1;
	}
	*count = n;
	return 0;
}

/* ---- other scalars ------------------------------------------------------------------------- */

int load_bool(struct load *l, const struct where *w, const struct tree *t, bool *out)
{
	static const char expected[] = "true or false";

	if (check_scalar(l, w, t, expected) < 0)
		return -1;
	*out = strcmp(t->text, "true") == 0;
	if (!*out && strcmp(t->text, "false") != 0)
		return load_refuse(l, w, t, expected, "\"%s\" stands here",
				   text_printable(t->text));
	return 0;
}

int load_number(struct load *l, const struct where *w, const struct tree *t, uint64_t min,
		uint64_t max, uint64_t *out)
{
	char expected[100];
	uint64_t v = 0;

	snprintf(expected, sizeof expected, "a whole number from %llu to %llu",
		 (unsigned long long)min, (unsigned long long)max);
	if (check_scalar(l, w, t, expected) < 0)
		return -1;
	for (const char *p = t->text; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || v > max)
			return load_refuse(l, w, t, expected, "\"%s\" stands here",
					   text_printable(t->text));
		v = 10 * v + (uint64_t)(*p - '0');
	}
	if (v < min || v > max)
		return load_refuse(l, w, t, expected, "\"%s\" stands here",
				   text_printable(t->text));
	*out = v;
	return 0;
}

int load_word(struct load *l, const struct where *w, const struct tree *t,
	      const char *const *words, size_t count, unsigned *out)
{
	char list[WORDS_TEXT_MAX];
	const char *near;
	int i;

	words_list(words, count, list);
	if (check_scalar(l, w, t, list) < 0)
		return -1;
	i = words_find(words, count, t->text);
	if (i >= 0) {
		*out = (unsigned)i;
		return 0;
	}
	near = words_nearest(words, count, t->text);
	if (near != NULL)
		return load_refuse(l, w, t, list, "\"%s\" stands here; did you mean \"%s\"?",
				   text_printable(t->text), near);
	return load_refuse(l, w, t, list, "\"%s\" stands here", text_printable(t->text));
}

int load_period(struct load *l, const struct where *w, const struct tree *t,
		struct period *out)
{
	static const char expected[] = "years, months, weeks, days in that order, as in P30Y, "
				       "P6M, P2W, P1Y6M, P10D, or \"forever\"";
	struct err e = ERR_NONE;

	if (check_scalar(l, w, t, expected) < 0)
		return -1;
	if (period_parse(t->text, out, &e) < 0)
		return load_refuse(l, w, t, expected, "\"%s\" is no period",
				   text_printable(t->text));
	return 0;
}
