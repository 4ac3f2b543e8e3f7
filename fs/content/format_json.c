/*
 * JSON by parsing it: one value is JSON, one a line is JSON lines.
 */
#include <string.h>
#include <yajl/yajl_parse.h>

#include "fs/content/format_inside.h"

#define PROBE_MAX (64u << 10)

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Parses one value; *used: where it ends.  1: whole; 0: cut off; -1: none. */
static int parse(const struct format_head *h, const char *text, size_t size, bool is_all,
		 size_t *used)
{
	yajl_handle y = yajl_alloc(NULL, NULL, NULL);
	yajl_status status;
	int rc = -1;

	if (y == NULL) {
		*h->no_memory = true;
		return -1;
	}
	yajl_config(y, yajl_allow_trailing_garbage, 1);
	yajl_config(y, yajl_dont_validate_strings, 1);
	status = yajl_parse(y, (const unsigned char *)text, size);
	*used = yajl_get_bytes_consumed(y);
	if (status == yajl_status_ok) {
		/* Whole only if nothing is open. */
		rc = yajl_complete_parse(y) == yajl_status_ok ? 1 : is_all ? -1 : 0;
	}
	yajl_free(y);
	return rc;
}

const char *format_of_json(const struct format_head *h)
{
	const char *p = h->text, *end = p + (h->text_size < PROBE_MAX ? h->text_size : PROBE_MAX);
	bool is_all = h->text_is_all && end == p + h->text_size;
	const char *line;
	size_t used;
	int first;

	while (p < end && is_blank(*p))
		p++;
	if (p == end || (*p != '{' && *p != '['))
		return NULL;
	/* JSON lines: a value ends with its line, and another begins on the next. */
	first = parse(h, p, (size_t)(end - p), is_all, &used);
	if (first < 0)
		return NULL;
	if (first == 0)
		return "application/json";
	for (line = p + used; line < end && is_blank(*line); line++)
		;
	if (line == end)
		return "application/json";
	if (*line != '{' && *line != '[')
		return NULL;
	return parse(h, line, (size_t)(end - line), is_all, &used) >= 0 ?
		"application/x-ndjson" : NULL;
}
