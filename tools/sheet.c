#include "tools/sheet.h"

#include <csv.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* ---- out -------------------------------------------------------------------------- */

static bool would_run(char c)
{
	return c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r';
}

/* H2: also what begins with our own mark, so that it can be taken away again. */
static bool needs_mark(const char *text, size_t size)
{
	size_t at = 0;

	while (at < size && text[at] == '\'')
		at++;
	return at < size && would_run(text[at]);
}

void sheet_mark(struct sheet_out *s)
{
	fputs(BYTE_ORDER_MARK, s->to);
}

static void write_cell(struct sheet_out *s, const char *text)
{
	if (s->cells++ > 0)
		putc(',', s->to);
	if (*text == '\0')
		return;
	/* Also what a program of another country takes for the end of a cell, as ";" is. */
	if (!strpbrk(text, ",;\t|\"\r\n") && !needs_mark(text, strlen(text)) && *text != ' ' &&
	    text[strlen(text) - 1] != ' ') {
		fputs(text, s->to);
		return;
	}
	putc('"', s->to);
	if (needs_mark(text, strlen(text)))
		putc('\'', s->to);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', s->to);
		putc(*text, s->to);
	}
	putc('"', s->to);
}

void sheet_cell(struct sheet_out *s, const char *text)
{
	write_cell(s, text ? text : "");
}

void sheet_number(struct sheet_out *s, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, n);
	write_cell(s, text);
}

/* What a terminal would obey, and programs for sheets drop; line ends and tabs they keep. */
static bool has_control(const char *text)
{
	uint32_t c;
	size_t size;

	for (; (text = text_unsafe(text, &size, &c)) != NULL; text += size)
		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7f && c <= 0x9f))
			return true;
	return false;
}

void sheet_bytes(struct sheet_out *s, const void *bytes, size_t size)
{
	bool is_text = text_is_utf8(bytes, size) && !memchr(bytes, 0, size);
	char *copy = is_text ? strndup(bytes, size) : NULL;

	s->is_lost |= is_text && !copy;
	if (copy && !has_control(copy)) {
		write_cell(s, copy);
		write_cell(s, "");
		free(copy);
		return;
	}
	free(copy);
	char *base64 = text_base64(bytes, size);
	write_cell(s, "");
	write_cell(s, base64 ? base64 : "");
	s->is_lost |= !base64;
	free(base64);
}

void sheet_end_row(struct sheet_out *s)
{
	fputs("\r\n", s->to);
	s->cells = 0;
}

int sheet_end(const struct sheet_out *s, struct err *e)
{
	return s->is_lost ? err_set(e, MUNI_NO_MEMORY, "no memory for a table") : 0;
}

/* ---- in ------------------------------------------------------------------------------ */

struct row {
	uint32_t first;		/* of its cells */
	unsigned line;
};

/* All within a few times the file's size, whatever stands in it: texts in one piece, cells
 * as offsets into it, and what a short row lacks is not stored. */
struct sheet {
	struct buffer text;	/* each with its NUL; [0] is the empty one */
	uint32_t *cells;	/* owned; offsets in text, row after row, the head's first */
	size_t count, capacity;
	struct row *rows;	/* owned; the head's first */
	size_t row_count, row_capacity;
	unsigned columns;
	/* While it is read: */
	unsigned line;
	unsigned in_row;
	unsigned breaks;	/* within this row's cells */
	struct err *e;
	bool has_failed;
};

static void fail(struct sheet *s, enum muni_code code, const char *what)
{
	if (s->has_failed)
		return;
	s->has_failed = true;
	err_set(s->e, code, "line %u: %s", s->line, what);
}

static bool grow(void **list, size_t *capacity, size_t count, size_t size)
{
	if (count < *capacity)
		return true;
	size_t more = *capacity ? *capacity * 2 : 256;
	void *now = realloc(*list, more * size);

	if (!now)
		return false;
	*list = now;
	*capacity = more;
	return true;
}

/* H2; data ends with its size, not with a NUL.  false without memory. */
static bool keep(struct sheet *s, const char *data, size_t size, uint32_t *at)
{
	if (size > 1 && data[0] == '\'' && needs_mark(data + 1, size - 1)) {
		data++;
		size--;
	}
	*at = 0;
	if (size == 0)
		return true;
	*at = (uint32_t)s->text.size;
	buffer_append(&s->text, data, size);
	buffer_u8(&s->text, 0);
	return !s->text.failed;
}

static void on_cell(void *data, size_t size, void *arg)
{
	struct sheet *s = arg;

	if (s->has_failed)
		return;
	for (size_t i = 0; i < size; i++)
		s->breaks += ((char *)data)[i] == '\n';
	if (!text_is_utf8(data, size) || (size > 0 && memchr(data, 0, size))) {
		fail(s, MUNI_USAGE, "a cell is not UTF-8; save the sheet as \"CSV UTF-8\"");
		return;
	}
	if (s->in_row++ >= SHEET_COLUMNS_MAX) {
		fail(s, MUNI_LIMIT, "it has more columns than are read");
		return;
	}
	if (!grow((void **)&s->cells, &s->capacity, s->count, sizeof *s->cells) ||
	    !keep(s, data, size, &s->cells[s->count])) {
		fail(s, MUNI_NO_MEMORY, "no memory for the sheet");
		return;
	}
	s->count++;
}

/* A row that says nothing, its cells taken back: some programs end a sheet so. */
static bool is_blank(struct sheet *s)
{
	for (size_t i = s->count - s->in_row; i < s->count; i++)
		if (s->cells[i] != 0)
			return false;
	s->count -= s->in_row;
	return true;
}

static void on_row(int end, void *arg)
{
	struct sheet *s = arg;
	unsigned line = s->line;

	(void)end;
	if (s->has_failed)
		return;
	s->line += 1 + s->breaks;
	s->breaks = 0;
	if (s->in_row == 0 || is_blank(s)) {
		s->in_row = 0;
		return;
	}
	if (s->row_count == 0)
		s->columns = s->in_row;
	if (s->in_row > s->columns) {
		s->line = line;
		fail(s, MUNI_USAGE, "the row has more cells than the head has columns");
		return;
	}
	if (!grow((void **)&s->rows, &s->row_capacity, s->row_count, sizeof *s->rows)) {
		fail(s, MUNI_NO_MEMORY, "no memory for the sheet");
		return;
	}
	s->rows[s->row_count++] = (struct row){ (uint32_t)(s->count - s->in_row), line };
	s->in_row = 0;
}

static int feed(struct sheet *s, struct csv_parser *parser, FILE *from, struct err *e)
{
	char *buffer = malloc(65536);
	uint64_t total = 0;
	size_t got;
	int rc = -1;

	if (!buffer)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the sheet");
	while ((got = fread(buffer, 1, 65536, from)) > 0 && !s->has_failed) {
		size_t skip = total == 0 && got >= 3 && !memcmp(buffer, BYTE_ORDER_MARK, 3) ?
			3 : 0;

		total += got;
		if (total > SHEET_MAX)
			fail(s, MUNI_LIMIT, "the sheet is larger than 256 MiB");
		else if (csv_parse(parser, buffer + skip, got - skip, on_cell, on_row, s) !=
			 got - skip)
			fail(s, csv_error(parser) == CSV_ENOMEM ? MUNI_NO_MEMORY : MUNI_USAGE,
			     "a quotation mark stands where none may; cells with one are "
			     "written \"like \"\"this\"\"\"");
	}
	if (!s->has_failed && ferror(from))
		err_errno(e, "reading it");
	else if (!s->has_failed && csv_fini(parser, on_cell, on_row, s) != 0)
		fail(s, MUNI_USAGE, "the last cell has no closing quotation mark");
	if (!s->has_failed && !ferror(from))
		rc = 0;
	free(buffer);
	return s->has_failed ? -1 : rc;
}

int sheet_read(const char *path, struct sheet **out, struct err *e)
{
	struct sheet *s = calloc(1, sizeof *s);
	bool is_input = strcmp(path, "-") == 0;
	FILE *from = is_input ? stdin : fopen(path, "re");
	struct csv_parser parser;
	int rc = -1;

	*out = NULL;
	if (!s) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the sheet");
	} else if (!from) {
		err_errno(e, "opening it");
	} else if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the sheet");
	} else {
		s->line = 1;
		s->e = e;
		buffer_u8(&s->text, 0);
		rc = feed(s, &parser, from, e);
		csv_free(&parser);
		if (rc == 0 && s->row_count == 0)
			rc = err_set(e, MUNI_USAGE, "it is empty; its first line must name the "
				     "columns");
	}
	if (from && !is_input)
		fclose(from);
	if (rc < 0) {
		sheet_free(s);
		return err_wrap(e, "the sheet %s", text_printable(path));
	}
	*out = s;
	return 0;
}

void sheet_free(struct sheet *s)
{
	if (!s)
		return;
	buffer_free(&s->text);
	free(s->cells);
	free(s->rows);
	free(s);
}

size_t sheet_rows(const struct sheet *s)
{
	return s->row_count - 1;
}

/* "" where the row ends before. */
static const char *cell(const struct sheet *s, size_t row, size_t column)
{
	size_t at = s->rows[row].first + column;
	size_t end = row + 1 < s->row_count ? s->rows[row + 1].first : s->count;

	return (const char *)s->text.data + (at < end ? s->cells[at] : 0);
}

int sheet_column(const struct sheet *s, const char *name)
{
	for (unsigned i = 0; i < s->columns; i++)
		if (strcasecmp(cell(s, 0, i), name) == 0)
			return (int)i;
	return -1;
}

const char *sheet_at(const struct sheet *s, size_t row, int column)
{
	return column < 0 ? "" : cell(s, row + 1, (size_t)column);
}

unsigned sheet_line(const struct sheet *s, size_t row)
{
	return s->rows[row + 1].line;
}
