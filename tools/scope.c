#include "tools/scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/jsonl.h"

bool scope_option(struct scope_request *s, int o, const char *value)
{
	switch (o) {
	case SCOPE_SYSTEM:
		s->system = value;
		return true;
	case SCOPE_PATH:
		s->path = value;
		return true;
	case SCOPE_CLASS:
		s->class_code = value;
		return true;
	case SCOPE_QUERY:
		s->query = value;
		return true;
	case SCOPE_STANDING:
		s->is_standing = true;
		return true;
	default:
		return false;
	}
}

/* The system's name; it may have been destroyed since. */
static int system_name(struct catalogue *c, int64_t id, char out[132], struct err *e)
{
	struct system s;

	out[0] = '\0';
	if (id == 0)
		return 0;
	if (catalogue_system_get(c, id, &s, e) == 0) {
		snprintf(out, 132, "%s", s.name);
		return 0;
	}
	if (e->code != MUNI_NOT_FOUND)
		return -1;
	*e = ERR_NONE;
	snprintf(out, 132, "(a system that is gone)");
	return 0;
}

char *scope_words(struct catalogue *c, const struct scope_row *s, struct err *e)
{
	char *text = NULL, system[132];
	size_t size;
	FILE *to;

	if (system_name(c, s->system, system, e) < 0)
		return NULL;
	to = text_stream(&text, &size);
	if (!to) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a sentence");
		return NULL;
	}
	const char *comma = "";
	if (s->system != 0) {
		fprintf(to, "%s", text_printable(system));
		comma = ", ";
	}
	if (s->path) {
		fprintf(to, "%s%s", comma, text_printable(s->path));
		comma = ", ";
	}
	if (s->class_code) {
		fprintf(to, "%sclass %s", comma, text_printable(s->class_code));
		comma = ", ";
	}
	if (s->query) {
		fprintf(to, "%swhen %s", comma, text_printable(s->query));
		comma = ", ";
	}
	if (!*comma)
		fputs("everything", to);
	if (s->upto == 0)
		fputs(", standing", to);
	if (text_stream_end(to, &text) < 0)
		err_set(e, MUNI_NO_MEMORY, "no memory for a sentence");
	return text;
}

int scope_json(json_t *o, struct catalogue *c, const struct scope_row *s, struct err *e)
{
	char system[132];

	if (system_name(c, s->system, system, e) < 0)
		return -1;
	jsonl_text(o, "system", s->system ? system : NULL);
	if (s->path)
		jsonl_bytes(o, "path", s->path, strlen(s->path));
	else
		jsonl_text(o, "path", NULL);
	jsonl_text(o, "class", s->class_code);
	jsonl_text(o, "query", s->query);
	jsonl_bool(o, "standing", s->upto == 0);
	return 0;
}

int scope_id(const char *text, char letter, const char *what, int64_t *out, struct err *e)
{
	const char *digits = text[0] == letter ? text + 1 : text;
	uint64_t n;

	if (cli_number(what, digits, 1, INT64_MAX - 1, &n, e) < 0)
		return err_set(e, MUNI_USAGE, "\"%s\" is no id; %s is written %c1", text_printable(text),
			       what, letter);
	*out = (int64_t)n;
	return 0;
}
