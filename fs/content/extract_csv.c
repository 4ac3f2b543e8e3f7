/*
 * CSV and TSV (RFC 4180, and what people make of it): another delimiter, blanks
 * before a quote, a quote in the middle of a cell.
 *
 * A quote that is never closed would make one cell of all that follows: past
 * QUOTED_MAX a cell ends with its line.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/format_table.h"
#include "fs/content/table_rows.h"
#include "fs/content/look.h"
#include "fs/content/table_head.h"
#include "policy/detect/detect.h"

#define QUOTED_MAX (32u << 10)

struct csv {
	struct look *look;
	struct text_reader *reader;
	struct table_head head;
	char delimiter;		/* '\0': rows of one cell */
	bool is_quoted;		/* inside quotes */
	bool is_at_quote;	/* ... and the last byte was one: the end, or the first of two */
	bool is_fresh;		/* nothing but blanks in this cell so far */
	size_t quoted;		/* bytes since the quote */
};

/* ---- names --------------------------------------------------------------------------- */

static const char *label(void *arg, uint64_t offset, uint64_t column)
{
	const struct csv *c = arg;

	if (offset < c->head.end || column >= c->head.count)
		return NULL;
	return c->head.names[column];
}

static void place(void *arg, uint64_t offset, uint64_t column, uint64_t line,
		  char out[SAMPLE_WHERE_MAX])
{
	const char *name = label(arg, offset, column);
	const struct csv *c = arg;

	if (name != NULL)
		look_place(c->look, out, "column %s, line %llu", text_printable(name),
			   (unsigned long long)line);
	else if (c->delimiter == '\0')
		look_place(c->look, out, "line %llu", (unsigned long long)line);
	else
		look_place(c->look, out, "column %llu, line %llu",
			   (unsigned long long)column + 1, (unsigned long long)line);
}

/* ---- parting --------------------------------------------------------------------------- */

#define RUN 64u			/* bytes of a fixed loop, which compilers make wide */

/* What would be taken for an end is none. */
static inline uint8_t inside(uint8_t c)
{
	return c == DETECT_CELL_END || c == DETECT_ROW_END ? ' ' : c;
}

static inline uint8_t parted(uint8_t c, uint8_t delimiter)
{
	c = inside(c);
	c = c == delimiter ? DETECT_CELL_END : c;
	return c == '\n' ? DETECT_ROW_END : c;
}

static void copy_inside(const uint8_t *restrict in, size_t size, uint8_t *restrict out)
{
	for (; size >= RUN; in += RUN, out += RUN, size -= RUN)
		for (unsigned i = 0; i < RUN; i++)
			out[i] = inside(in[i]);
	for (size_t i = 0; i < size; i++)
		out[i] = inside(in[i]);
}

static void copy_parted(const uint8_t *restrict in, size_t size, uint8_t delimiter,
			uint8_t *restrict out)
{
	for (; size >= RUN; in += RUN, out += RUN, size -= RUN)
		for (unsigned i = 0; i < RUN; i++)
			out[i] = parted(in[i], delimiter);
	for (size_t i = 0; i < size; i++)
		out[i] = parted(in[i], delimiter);
}

/* Whether a quote here begins a cell. */
static bool is_fresh_at(const struct csv *c, const uint8_t *in, const uint8_t *at)
{
	while (at > in && at[-1] == ' ')
		at--;
	if (at == in)
		return c->is_fresh;
	return at[-1] == (uint8_t)c->delimiter || at[-1] == '\n';
}

/* From inside quotes to behind the quote that ends them. */
static const uint8_t *pass_quoted(struct csv *c, const uint8_t *in, const uint8_t *end,
				  uint8_t *out)
{
	const uint8_t *p = in, *stop;

	while (p < end) {
		if (c->is_at_quote) {
			c->is_at_quote = false;
			if (*p != '"') {
				c->is_quoted = false;
				break;
			}
			p++;
			continue;
		}
		stop = memchr(p, '"', (size_t)(end - p));
		if (c->quoted + (size_t)(p - in) > QUOTED_MAX) {
			const uint8_t *line = memchr(p, '\n', (size_t)(end - p));

			if (line != NULL && (stop == NULL || line < stop)) {
				c->is_quoted = false;
				p = line;
				break;
			}
		}
		p = stop == NULL ? end : stop + 1;
		c->is_at_quote = stop != NULL;
	}
	copy_inside(in, (size_t)(p - in), out);
	c->quoted += (size_t)(p - in);
	return p;
}

static void part(struct csv *c, const uint8_t *in, size_t size, uint8_t *out)
{
	const uint8_t *start = in, *p = in, *end = in + size, *from = in;

	while (p < end) {
		const uint8_t *quote;

		if (c->is_quoted) {
			p = pass_quoted(c, p, end, out + (p - start));
			from = p;
			if (!c->is_quoted)
				c->is_fresh = false;
			continue;
		}
		quote = memchr(p, '"', (size_t)(end - p));
		while (quote != NULL && !is_fresh_at(c, from, quote)) {
			/* In the middle of a cell: to the next one. */
			quote++;
			quote = memchr(quote, '"', (size_t)(end - quote));
		}
		if (quote == NULL)
			quote = end;
		copy_parted(p, (size_t)(quote - p), (uint8_t)c->delimiter, out + (p - start));
		if (quote == end) {
			c->is_fresh = is_fresh_at(c, from, end);
			return;
		}
		out[quote - start] = '"';
		p = quote + 1;
		c->is_quoted = true;
		c->is_at_quote = false;
		c->quoted = 0;
	}
}

/* ---- all together ------------------------------------------------------------------------- */

static int feed(struct csv *c, struct table_rows *g, const uint8_t *utf8, size_t size, struct err *e)
{
	while (size > 0) {
		size_t n = size < TABLE_SLICE ? size : TABLE_SLICE;
		uint8_t *out = table_rows_room(g);

		if (c->delimiter == '\0')
			copy_inside(utf8, n, out);
		else
			part(c, utf8, n, out);
		if (table_rows_feed(g, n, e) < 0)
			return -1;
		utf8 += n;
		size -= n;
	}
	return 0;
}

int extract_csv(struct look *l, struct input *in, struct err *e)
{
	struct csv c = { .look = l, .is_fresh = true };
	const struct table_names names = { .label = label, .place = place, .arg = &c };
	struct err ignored = ERR_NONE;
	struct table_rows *g = NULL;
	const uint8_t *utf8;
	int rc = -1;
	ssize_t n;

	if (text_reader_new(in, look_encoding(l), &c.reader, e) < 0)
		return -1;
	if (table_rows_new(l, c.reader, &names, &g, e) < 0)
		goto out;
	n = text_reader_next(c.reader, &utf8, e);
	if (n > 0) {
		c.delimiter = format_table_delimiter((const char *)utf8, (size_t)n, false, "csv");
		if (c.delimiter == '\0')
			c.delimiter = format_table_delimiter((const char *)utf8, (size_t)n, true,
							     "csv");
		if (c.delimiter != '\0' &&
		    table_head_find((const char *)utf8, (size_t)n, n < (64 << 10),
				    c.delimiter, &c.head, e) < 0)
			goto out;
		for (size_t i = 0; i < c.head.count; i++)
			if (c.head.names[i] != NULL && detect_names_secret(c.head.names[i]))
				table_rows_name_secrets(g);
	}
	rc = 0;
	for (; n > 0 && rc == 0; n = text_reader_next(c.reader, &utf8, e)) {
		rc = feed(&c, g, utf8, (size_t)n, e);
		if (rc < 0)
			break;
	}
	if (n < 0)
		rc = -1;
	/* What came before a failure counts. */
	if (table_rows_end(g, rc == 0 ? e : &ignored) < 0)
		rc = -1;
	look_text_ends(l, c.reader);
out:
	table_rows_free(g);
	text_reader_free(c.reader);
	table_head_clear(&c.head);
	return rc;
}
