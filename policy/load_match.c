/*
 * Conditions that match texts: paths, names, types, accounts.
 */
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/glob.h"
#include "policy/load_condition.h"
#include "policy/memory.h"
#include "policy/regex.h"

/* ---- globs --------------------------------------------------------------------------------------- */

static int take_globs(struct load *l, const struct where *w, const struct tree *t,
		      const char *expected, unsigned flags, struct condition *c)
{
	struct err e = ERR_NONE;
	char **texts;

	if (load_texts(l, w, t, expected, &texts, &c->count) < 0)
		return -1;
	c->globs = memory_new(l->memory, c->count, sizeof *c->globs);
	if (c->globs == NULL)
		return load_no_memory(l);
	for (size_t i = 0; i < c->count; i++)
		if (glob_new(l->memory, texts[i], flags, &c->globs[i], &e) < 0)
			return load_refuse(l, w, t, expected, "%s", e.text);
	return 0;
}

/* A path that begins or ends with "/", or has "." or ".." in it, matches nothing:
 * paths of items never do. */
static int check_paths(struct load *l, const struct where *w, const struct tree *t,
		       const struct condition *c)
{
	for (size_t i = 0; i < c->count; i++) {
		const char *text = glob_text(c->globs[i]);
		size_t size = strlen(text);

		if (text[0] == '/' || strncmp(text, "./", 2) == 0 ||
		    strncmp(text, "../", 3) == 0)
			return load_refuse(l, w, t, "a path below the source, as in \"payroll/**\"",
					   "\"%s\" would match nothing", text_printable(text));
		if (text[size - 1] == '/')
			return load_refuse(l, w, t, "\"/**\" at the end to mean all below a folder",
					   "\"%s\" would match nothing", text_printable(text));
		if (strstr(text, "//") != NULL)
			return load_refuse(l, w, t, "single slashes", "\"%s\" would match nothing",
					   text_printable(text));
	}
	return 0;
}

int load_path_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	struct condition *c = filling_next(out, CONDITION_PATH, t);

	if (take_globs(l, w, t, "a glob on the path, as in \"payroll/**\", or a list of them", 0,
		       c) < 0)
		return -1;
	return check_paths(l, w, t, c);
}

int load_name_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const char expected[] = "a glob on the name without folders, as in \"*.tmp\", or a "
				       "list of them";
	struct condition *c = filling_next(out, CONDITION_NAME, t);

	if (take_globs(l, w, t, expected, GLOB_FLAT, c) < 0)
		return -1;
	for (size_t i = 0; i < c->count; i++)
		if (strchr(glob_text(c->globs[i]), '/') != NULL)
			return load_refuse(l, w, t, expected, "\"%s\" has a \"/\": names have none",
					   text_printable(glob_text(c->globs[i])));
	return 0;
}

int load_format_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_globs(l, w, t, "a MIME type, as in text/csv or image/*, or a list of them",
			  GLOB_ANY_CASE | GLOB_FLAT, filling_next(out, CONDITION_FORMAT, t));
}

int load_claimed_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_globs(l, w, t, "the MIME type that the extension stands for, as in "
			  "application/pdf or image/*, or a list of them",
			  GLOB_ANY_CASE | GLOB_FLAT, filling_next(out, CONDITION_CLAIMED, t));
}

int load_encoding_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_globs(l, w, t, "the name of an encoding, as in utf-8, gb18030, \"utf-16*\", "
			  "or a list of them", GLOB_ANY_CASE | GLOB_FLAT,
			  filling_next(out, CONDITION_ENCODING, t));
}

int load_script_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_globs(l, w, t, "the code of a script, as in Latn, Hani, Cyrl, or a list of "
			  "them", GLOB_ANY_CASE | GLOB_FLAT, filling_next(out, CONDITION_SCRIPT, t));
}

int load_duplicate_of_condition(struct load *l, const struct where *w, const struct tree *t,
			     void *out)
{
	struct condition *c = filling_next(out, CONDITION_DUPLICATE_OF, t);

	if (take_globs(l, w, t, "a glob on the original's path, as in \"archive/**\", or a list "
		       "of them", 0, c) < 0)
		return -1;
	return check_paths(l, w, t, c);
}

/* ---- names ---------------------------------------------------------------------------------------- */

int load_name_regex_condition(struct load *l, const struct where *w, const struct tree *t,
			   void *out)
{
	static const char expected[] = "a regular expression of PCRE2 on the name, as in "
				       "'^[0-9]{8}\\.dat$'";
	struct condition *c = filling_next(out, CONDITION_NAME_REGEX, t);
	struct err e = ERR_NONE;
	char *text;

	if (load_text(l, w, t, REGEX_TEXT_MAX, expected, &text) < 0)
		return -1;
	if (regex_new(l->memory, text, &c->regex, &e) < 0)
		return load_refuse(l, w, t, expected, "%s", e.text);
	return 0;
}

int load_extension_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	static const char expected[] = "an extension without its point, as in tmp or tar.gz, or a "
				       "list of them (either case matches)";
	struct condition *c = filling_next(out, CONDITION_EXTENSION, t);

	if (load_texts(l, w, t, expected, &c->texts, &c->count) < 0)
		return -1;
	for (size_t i = 0; i < c->count; i++) {
		if (c->texts[i][0] == '.' || strpbrk(c->texts[i], "/*?[") != NULL)
			return load_refuse(l, w, t, expected, "\"%s\" stands here",
					   text_printable(c->texts[i]));
		for (char *p = c->texts[i]; *p != '\0'; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p | 0x20);
	}
	return 0;
}

static int take_accounts(struct load *l, const struct where *w, const struct tree *t,
			 struct condition *c)
{
	static const char expected[] = "a name (a glob) or a number, as in hr-robot or 1000, or a "
				       "list of them";
	struct err e = ERR_NONE;
	char **texts;

	if (load_texts(l, w, t, expected, &texts, &c->count) < 0)
		return -1;
	c->accounts = memory_new(l->memory, c->count, sizeof *c->accounts);
	if (c->accounts == NULL)
		return load_no_memory(l);
	for (size_t i = 0; i < c->count; i++) {
		struct account *a = &c->accounts[i];
		uint64_t number = 0;

		a->text = texts[i];
		if (texts[i][strspn(texts[i], "0123456789")] != '\0') {
			if (glob_new(l->memory, texts[i], GLOB_FLAT, &a->name, &e) < 0)
				return load_refuse(l, w, t, expected, "%s", e.text);
			continue;
		}
		for (const char *p = texts[i]; *p != '\0' && number <= UINT32_MAX; p++)
			number = 10 * number + (uint64_t)(*p - '0');
		if (number > UINT32_MAX)
			return load_refuse(l, w, t, expected, "\"%s\" is too large",
					   text_printable(texts[i]));
		a->number = (uint32_t)number;
	}
	return 0;
}

int load_owner_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_accounts(l, w, t, filling_next(out, CONDITION_OWNER, t));
}

int load_group_condition(struct load *l, const struct where *w, const struct tree *t, void *out)
{
	return take_accounts(l, w, t, filling_next(out, CONDITION_GROUP, t));
}
