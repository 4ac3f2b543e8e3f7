#include "tools/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "fs/base/json_memory.h"

#define COLUMNS_MAX 16
#define ROWS_PENDING 400

struct table {
	FILE *to;		/* borrowed */
	const char *align;	/* borrowed */
	size_t columns;
	size_t widths[COLUMNS_MAX];
	char *cells[ROWS_PENDING * COLUMNS_MAX];	/* owned */
	size_t count;
	int rc;
};

static size_t width_of(const char *text)
{
	size_t width = 0, left = strlen(text);
	mbstate_t state = { 0 };

	while (left > 0 && (*text & 0x80) == 0) {	/* printable ASCII: one column */
		text++;
		left--;
		width++;
	}
	while (left > 0) {
		wchar_t c;
		size_t n = mbrtowc(&c, text, left, &state);
		int w;

		if (n == 0 || n > left)	/* -1, -2: not of this locale */
			return width + left;
		w = wcwidth(c);
		width += w > 0 ? (size_t)w : 0;
		text += n;
		left -= n;
	}
	return width;
}

static void put_spaces(FILE *to, size_t n)
{
	fprintf(to, "%*s", (int)n, "");
}

static void print_row(struct table *t, char **row)
{
	size_t columns = t->columns;

	while (columns > 1 && row[columns - 1] != NULL && *row[columns - 1] == '\0')
		columns--;	/* no blanks at the end of a line */
	for (size_t i = 0; i < columns; i++) {
		const char *text = row[i] != NULL ? row[i] : "?";
		size_t gap = t->widths[i] - width_of(text);

		if (t->align[i] == 'r')
			put_spaces(t->to, gap);
		fputs(text, t->to);
		if (i + 1 == columns)
			break;
		if (t->align[i] == 'l')
			put_spaces(t->to, gap);
		fputs("  ", t->to);
	}
	fputc('\n', t->to);
}

static void print_pending(struct table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		size_t width = width_of(t->cells[i] != NULL ? t->cells[i] : "?");

		if (width > t->widths[i % t->columns])
			t->widths[i % t->columns] = width;
	}
	for (size_t i = 0; i + t->columns <= t->count; i += t->columns)
		print_row(t, t->cells + i);
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i]);
	t->count = 0;
}

struct table *table_new(FILE *to, const char *align, const char *const *heads)
{
	struct table *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->to = to;
	t->align = align;
	t->columns = strlen(align) < COLUMNS_MAX ? strlen(align) : COLUMNS_MAX;
	for (size_t i = 0; heads != NULL && i < t->columns; i++)
		table_cell(t, "%s", heads[i]);
	return t;
}

void table_cell(struct table *t, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	if (t == NULL)
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0) {
		text = NULL;
		t->rc = -1;
	}
	va_end(args);
	t->cells[t->count++] = text;
	if (t->count == ROWS_PENDING * t->columns)
		print_pending(t);
}

int table_end(struct table *t)
{
	int rc;

	if (t == NULL)
		return -1;
	print_pending(t);
	/* Cells are made from documents, too. */
	rc = json_memory_lacked() ? -1 : t->rc;
	free(t);
	return rc;
}
