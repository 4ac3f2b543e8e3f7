#include "policy/load_yaml.h"

#include <string.h>

#include <yaml.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/memory.h"
#include "policy/policy.h"

struct reading {
	struct memory *memory;
	const char *name;	/* of the file */
	yaml_parser_t *parser;
	size_t nodes;
	/* The nodes that are open, outermost first, and where their next child goes. */
	struct tree *open[TREE_DEPTH_MAX];
	struct tree **place[TREE_DEPTH_MAX + 1];
	unsigned depth;
	struct tree *root;
};

static int refuse(const struct reading *r, size_t line, const char *what, struct err *e)
{
	return err_set(e, MUNI_USAGE, "%s:%zu: YAML: %s", text_printable(r->name), line, what);
}

/* ---- before the parser ----------------------------------------------------------------- */

/* libyaml would take UTF-16 and Latin-1 has no sign of its own: only UTF-8 is read,
 * and a tab in an indentation is named as what it is. */
static int check_lines(const struct reading *r, const char *text, size_t size, struct err *e)
{
	size_t line = 1, at = 0;

	while (at < size) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t length = end == NULL ? size - at : (size_t)(end - text) - at;
		size_t blank = 0;

		if (!text_is_utf8(text + at, length))
			return refuse(r, line, "bytes that are no UTF-8; expected the file to "
				      "be saved as UTF-8", e);
		if (memchr(text + at, '\0', length) != NULL)
			return refuse(r, line, "a NUL byte; expected text", e);
		while (blank < length && (text[at + blank] == ' ' || text[at + blank] == '\t'))
			blank++;
		if (memchr(text + at, '\t', blank) != NULL && blank < length &&
		    text[at + blank] != '#' && text[at + blank] != '\r')
			return refuse(r, line, "a tab before the text; expected blanks: YAML "
				      "does not indent by tabs", e);
		at += length + 1;
		line++;
	}
	return 0;
}

/* ---- events to nodes -------------------------------------------------------------------- */

static struct tree *add(struct reading *r, enum tree_kind kind, const yaml_event_t *event,
			struct err *e)
{
	struct tree *t;

	if (++r->nodes > TREE_NODES_MAX) {
		refuse(r, event->start_mark.line + 1, "too many fields and items; expected at "
		       "most 200,000", e);
		return NULL;
	}
	t = memory_new(r->memory, 1, sizeof *t);
	if (t == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the policy");
		return NULL;
	}
	t->kind = kind;
	t->line = (unsigned)event->start_mark.line + 1;
	*r->place[r->depth] = t;
	r->place[r->depth] = &t->next;
	if (r->depth > 0)
		r->open[r->depth - 1]->count++;
	return t;
}

/* Keys are every other child of a map, and scalars: what else stands there is
 * refused before it is added. */
static bool is_key(const struct reading *r)
{
	return r->depth > 0 && r->open[r->depth - 1]->kind == TREE_MAP &&
	       r->open[r->depth - 1]->count % 2 == 0;
}

static int add_scalar(struct reading *r, const yaml_event_t *event, struct err *e)
{
	struct tree *t = add(r, TREE_SCALAR, event, e);
	const char *text = (const char *)event->data.scalar.value;

	if (t == NULL)
		return -1;
	if (memchr(text, '\0', event->data.scalar.length) != NULL)
		return refuse(r, t->line, "a NUL character (\"\\0\"); expected text", e);
	t->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	t->text = memory_text(r->memory, text, event->data.scalar.length);
	if (t->text == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the policy");
	return 0;
}

static int open_node(struct reading *r, enum tree_kind kind, const yaml_event_t *event,
		     struct err *e)
{
	struct tree *t;

	if (is_key(r))
		return refuse(r, event->start_mark.line + 1, "a map or list as the name of a "
			      "field; expected a word", e);
	if (r->depth == TREE_DEPTH_MAX)
		return refuse(r, event->start_mark.line + 1, "nested too deeply; expected at "
			      "most 24 levels", e);
	t = add(r, kind, event, e);
	if (t == NULL)
		return -1;
	r->open[r->depth++] = t;
	r->place[r->depth] = &t->first;
	return 0;
}

static int refuse_extras(const struct reading *r, const yaml_event_t *event, struct err *e)
{
	size_t line = event->start_mark.line + 1;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return refuse(r, line, "an alias (\"*name\"); expected the text itself, in "
			      "quotes where it begins with \"*\"", e);
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor != NULL)
		return refuse(r, line, "an anchor (\"&name\"); expected the text itself, in "
			      "quotes where it begins with \"&\"", e);
	if (tag != NULL)
		return refuse(r, line, "a tag (\"!name\"); expected the text itself, in quotes "
			      "where it begins with \"!\"", e);
	return 0;
}

static int take(struct reading *r, const yaml_event_t *event, struct err *e)
{
	if (refuse_extras(r, event, e) < 0)
		return -1;
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (r->root != NULL)
			return refuse(r, event->start_mark.line + 1, "a second document "
				      "(\"---\"); expected one", e);
		return 0;
	case YAML_SCALAR_EVENT:
		return add_scalar(r, event, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(r, TREE_LIST, event, e);
	case YAML_MAPPING_START_EVENT:
		return open_node(r, TREE_MAP, event, e);
	case YAML_MAPPING_END_EVENT:
		r->open[r->depth - 1]->count /= 2;
		r->depth--;
		return 0;
	case YAML_SEQUENCE_END_EVENT:
		r->depth--;
		return 0;
	default:
		return 0;
	}
}

/* What libyaml says, with the line it means. */
static int refuse_syntax(const struct reading *r, struct err *e)
{
	const yaml_parser_t *p = r->parser;
	size_t line = p->problem_mark.line + 1;

	if (p->error == YAML_MEMORY_ERROR)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the policy");
	if (p->error == YAML_READER_ERROR)	/* has no mark of its own */
		line = p->mark.line + 1;
	return err_set(e, MUNI_USAGE, "%s:%zu: YAML: %s%s%s; expected YAML as in "
		       "muni-policy(5): look at the indentation, brackets and quotes here "
		       "and on the line before", text_printable(r->name), line,
		       p->context != NULL ? text_printable(p->context) : "",
		       p->context != NULL ? ", " : "",
		       p->problem != NULL ? text_printable(p->problem) : "it cannot be read");
}

int tree_read(struct memory *m, const void *bytes, size_t size, const char *name,
	      struct tree **out, struct err *e)
{
	const char *text = bytes;
	yaml_parser_t parser;
	struct reading r = { .memory = m, .name = name, .parser = &parser };
	bool is_over = false;
	int rc = -1;

	*out = NULL;
	r.place[0] = &r.root;
	if (size > POLICY_TEXT_MAX)
		return refuse(&r, 1, "the file is too large; expected at most 4 MiB", e);
	/* Editors put a byte order mark in front, which libyaml takes for a letter. */
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		size -= 3;
	}
	if (check_lines(&r, text, size, e) < 0)
		return -1;
	if (!yaml_parser_initialize(&parser))
		return err_set(e, MUNI_NO_MEMORY, "no memory for the policy");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	while (!is_over) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			rc = refuse_syntax(&r, e);
			goto out;
		}
		is_over = event.type == YAML_STREAM_END_EVENT;
		rc = take(&r, &event, e);
		yaml_event_delete(&event);
		if (rc < 0)
			goto out;
	}
	rc = 0;
	if (r.root == NULL)
		rc = refuse(&r, 1, "the file is empty; expected a policy", e);
	*out = rc == 0 ? r.root : NULL;
out:
	yaml_parser_delete(&parser);
	return rc;
}

const char *tree_kind_name(const struct tree *t)
{
	return t->kind == TREE_MAP ? "a map" : t->kind == TREE_LIST ? "a list" : "a text";
}
