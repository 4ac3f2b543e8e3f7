/*
 * Dumps of databases: INSERT and COPY row by row, each value under its column; all
 * else as the text that it is.
 *
 * Strings are known so that what stands in them parts nothing; in them an escape of
 * one character becomes it, a blank before it: as long as it was.  Whether a
 * backslash escapes depends on who wrote the dump.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/look.h"
#include "fs/content/sql_names.h"
#include "fs/content/table_rows.h"
#include "policy/detect/detect.h"

#define HEAD_MAX (64u << 10)	/* of a statement that is kept to be understood */
#define WORD_MAX 8u
#define TAG_MAX 32u
#define SOURCES_FIRST 1024u
/* What lies further back than this is asked for by nobody. */
#define SOURCES_REACH (DETECT_SHARED + TABLE_SLICE)
#define PROBE (64u << 10)

enum mode { CODE, STRING, QUOTED, LINE_REMARK, BLOCK_REMARK, DOLLAR_TAG, DOLLAR, COPY };

struct source {			/* from here on, rows of ... */
	uint64_t from;
	const struct sql_columns *columns;	/* NULL: no rows */
};

struct sql {
	struct look *look;
	struct text_reader *reader;
	struct table_rows *rows;
	struct sql_names *names;
	bool escapes;		/* a backslash does, in every string */
	enum mode mode;
	char quote;		/* STRING, QUOTED: what ends it */
	bool has_escapes, is_escaped, is_at_quote;
	char last;		/* of code; in COPY: of the line, 0 at its start */
	unsigned depth;		/* of brackets */
	bool is_values;		/* rows in brackets */
	bool copies;		/* the next line begins rows of COPY */
	bool may_end;		/* COPY: the line is "\." so far */
	char word[WORD_MAX + 1];	/* upper case; cut */
	size_t word_size;
	char tag[TAG_MAX];	/* of $tag$ */
	size_t tag_size, tag_matched;
	struct buffer head;
	struct source *sources;	/* in order; owned */
	size_t source_count, source_room;
	bool no_memory;
};

/* ---- names ------------------------------------------------------------------------------ */

static const struct sql_columns *columns_at(const struct sql *s, uint64_t offset)
{
	size_t low = 0, high = s->source_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->sources[middle].from <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? NULL : s->sources[low - 1].columns;
}

static const char *label(void *arg, uint64_t offset, uint64_t column)
{
	const struct sql_columns *c = columns_at(arg, offset);

	return c != NULL && column < c->count ? c->names[column] : NULL;
}

static void place(void *arg, uint64_t offset, uint64_t column, uint64_t line,
		  char out[SAMPLE_WHERE_MAX])
{
	const struct sql *s = arg;
	const struct sql_columns *c = columns_at(s, offset);
	unsigned long long number = line;

	if (c == NULL)
		look_place(s->look, out, "line %llu", number);
	else if (column < c->count)
		look_place(s->look, out, "%s.%s, line %llu", text_printable(c->table),
			   text_printable(c->names[column]), number);
	else
		look_place(s->look, out, "%s, column %llu, line %llu", text_printable(c->table),
			   (unsigned long long)column + 1, number);
}

/* Forgets what is far behind; where that is little there shall be more room. */
static bool make_room(struct sql *s, uint64_t at)
{
	size_t old = 0, room = s->source_room > 0 ? 2 * s->source_room : SOURCES_FIRST;
	struct source *grown;

	while (old + 1 < s->source_count && s->sources[old + 1].from + SOURCES_REACH < at)
		old++;
	if (old > s->source_room / 2) {
		s->source_count -= old;
		memmove(s->sources, s->sources + old, s->source_count * sizeof s->sources[0]);
		return true;
	}
	grown = realloc(s->sources, room * sizeof *grown);
	if (grown == NULL)
		return false;
	s->sources = grown;
	s->source_room = room;
	return true;
}

static void set_source(struct sql *s, uint64_t from, const struct sql_columns *columns)
{
	if (s->source_count == s->source_room && !make_room(s, from)) {
		s->no_memory = true;
		return;
	}
	s->sources[s->source_count++] = (struct source){ from, columns };
	if (columns != NULL && columns->names_secrets)
		table_rows_name_secrets(s->rows);
}

/* ---- statements --------------------------------------------------------------------------- */

static const char *head_text(const struct sql *s)
{
	return s->head.data == NULL ? "" : (const char *)s->head.data;
}

static void forget_head(struct sql *s)
{
	s->no_memory = s->no_memory || s->head.failed;
	buffer_reset(&s->head);
}

static void add_to_head(struct sql *s, char c)
{
	if (s->head.size < HEAD_MAX && !s->is_values &&
	    !(s->head.size == 0 && isspace((unsigned char)c)))
		buffer_u8(&s->head, (uint8_t)c);
}

static void end_statement(struct sql *s, uint64_t at)
{
	if (sql_is_create(head_text(s), s->head.size))
		sql_names_create(s->names, head_text(s), s->head.size);
	s->copies = sql_is_copy(head_text(s), s->head.size);
	if (s->copies)
		return;		/* its head is still to be read */
	if (s->is_values)
		set_source(s, at, NULL);
	s->is_values = false;
	s->depth = 0;
	forget_head(s);
}

/* A word of code has ended before `at`. */
static void end_word(struct sql *s, uint64_t at)
{
	bool is_values = strcmp(s->word, "VALUES") == 0 || strcmp(s->word, "VALUE") == 0;

	if (s->word_size == 0)
		return;
	if (s->depth == 0 && strcmp(s->word, "GO") == 0) {
		end_statement(s, at);	/* between batches of SQL Server's */
	} else if (s->depth == 0 && s->is_values) {
		/* Not every dump ends its statements: another one begins. */
		set_source(s, at, NULL);
		s->is_values = false;
		forget_head(s);
		buffer_append(&s->head, s->word, strlen(s->word));
	} else if (s->depth == 0 && is_values && sql_is_insert(head_text(s), s->head.size)) {
		set_source(s, at, sql_names_of(s->names, head_text(s), s->head.size));
		s->is_values = true;
	}
	s->word_size = 0;
	s->word[0] = '\0';
}

static void add_to_word(struct sql *s, char c)
{
	if (s->word_size < WORD_MAX) {
		s->word[s->word_size] = (char)toupper((unsigned char)c);
		s->word[s->word_size + 1] = '\0';
	}
	s->word_size++;
}

/* ---- code ----------------------------------------------------------------------------------- */

static void begin_string(struct sql *s, char quote)
{
	bool is_prefixed = s->word_size == 1 && s->word[0] == 'E';

	s->mode = quote == '\'' ? STRING : QUOTED;
	s->quote = quote;
	s->has_escapes = quote != '`' && (s->escapes || is_prefixed);
	s->is_escaped = s->is_at_quote = false;
	s->word_size = 0;
	s->word[0] = '\0';
	add_to_head(s, quote);
}

/* first: what may stand in the head already. */
static void begin_remark(struct sql *s, enum mode mode, char first)
{
	s->mode = mode;
	s->last = 0;
	if (s->head.size > 0 && s->head.data[s->head.size - 1] == (uint8_t)first)
		s->head.size--;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (c & 0x80) != 0;
}

/* Brackets and commas part rows and values. */
static char parted(struct sql *s, char c)
{
	switch (c) {
	case '(':
		return ++s->depth == 1 && s->is_values ? DETECT_ROW_END : c;
	case ')':
		if (s->depth > 0 && --s->depth == 0 && s->is_values)
			return DETECT_ROW_END;
		return c;
	case ',':
		return s->depth == 1 && s->is_values ? DETECT_CELL_END : c;
	default:
		return c;
	}
}

static char take_code(struct sql *s, char c, uint64_t at)
{
	char last = s->last;

	s->last = c;
	if (is_word_char(c)) {
		add_to_word(s, c);
		add_to_head(s, c);
		return c;
	}
	if (c == '$' && s->word_size == 0) {
		s->mode = DOLLAR_TAG;
		s->tag_size = 0;
		return c;
	}
	if (c == '\'' || c == '"' || c == '`') {
		begin_string(s, c);
		return c;
	}
	end_word(s, at);
	if ((c == '-' && last == '-') || (c == '#' && s->escapes)) {
		begin_remark(s, LINE_REMARK, '-');
	} else if (c == '*' && last == '/') {
		begin_remark(s, BLOCK_REMARK, '/');
	} else if (c == ';') {
		end_statement(s, at);
	} else if (c == '\n' && s->copies) {
		set_source(s, at + 1, sql_names_of(s->names, head_text(s), s->head.size));
		s->copies = false;
		s->mode = COPY;
		s->last = 0;
		s->may_end = s->is_escaped = false;
		forget_head(s);
		return DETECT_ROW_END;
	} else {
		add_to_head(s, c);
	}
	return parted(s, c);
}

/* ---- strings, remarks -------------------------------------------------------------------- */

static char escaped(char c)
{
	return c != '\0' && strchr("ntrbfv0Z", c) != NULL ? ' ' : c;
}

/* False: it has ended before this character. */
static bool take_string(struct sql *s, char c, char *out)
{
	*out = c;
	if (s->is_escaped) {
		s->is_escaped = false;
		*out = escaped(c);
		return true;
	}
	if (s->is_at_quote) {
		s->is_at_quote = false;
		if (c == s->quote)
			return true;	/* doubled */
		s->mode = CODE;
		s->last = s->quote;
		add_to_head(s, s->quote);
		return false;
	}
	if (c == s->quote) {
		s->is_at_quote = true;
	} else if (c == '\\' && s->has_escapes) {
		s->is_escaped = true;
		*out = ' ';
	} else if (s->mode == QUOTED) {
		add_to_head(s, c);
	}
	return true;
}

static void take_tag(struct sql *s, char c)
{
	if (c == '$') {
		s->mode = DOLLAR;
		s->tag_matched = 0;
	} else if (is_word_char(c) && s->tag_size < sizeof s->tag) {
		s->tag[s->tag_size++] = c;
	} else {
		s->mode = CODE;		/* a parameter, or money */
	}
}

/* To "$tag$". */
static void take_dollar(struct sql *s, char c)
{
	size_t at = s->tag_matched;
	char want = at == 0 || at == s->tag_size + 1 ? '$' : s->tag[at - 1];

	if (c == want)
		s->tag_matched++;
	else
		s->tag_matched = c == '$';
	if (s->tag_matched == s->tag_size + 2) {
		s->mode = CODE;
		s->last = '$';
	}
}

static void take_remark(struct sql *s, char c)
{
	if (s->mode == LINE_REMARK ? c == '\n' : c == '/' && s->last == '*')
		s->mode = CODE;
	s->last = s->mode == CODE ? '\n' : c;
}

/* Rows of COPY: tabs between, a line each, "\." at the end. */
static char take_copied(struct sql *s, char c, uint64_t at)
{
	bool is_first = s->last == 0;

	if (c == '\n') {
		if (s->may_end && !s->is_escaped) {
			s->mode = CODE;
			set_source(s, at, NULL);
		}
		s->last = 0;
		s->may_end = s->is_escaped = false;
		return DETECT_ROW_END;
	}
	s->last = c;
	if (s->is_escaped) {
		s->is_escaped = false;
		s->may_end = s->may_end && c == '.';
		return c == 'N' ? ' ' : escaped(c);
	}
	s->is_escaped = c == '\\';
	s->may_end = (is_first && c == '\\') || (s->may_end && c == '\r');
	return c == '\\' ? ' ' : c == '\t' ? DETECT_CELL_END : c;
}

static char take(struct sql *s, char c, uint64_t at)
{
	char out = c;

	switch (s->mode) {
	case STRING:
	case QUOTED:
		return take_string(s, c, &out) ? out : take_code(s, c, at);
	case LINE_REMARK:
	case BLOCK_REMARK:
		take_remark(s, c);
		return c;
	case DOLLAR_TAG:
		take_tag(s, c);
		return s->mode == CODE ? take_code(s, c, at) : c;
	case DOLLAR:
		take_dollar(s, c);
		return c;
	case COPY:
		return take_copied(s, c, at);
	default:
		return take_code(s, c, at);
	}
}

/* ---- all together ------------------------------------------------------------------------- */

/* Long strings hold little that matters here. */
static size_t plain_run(const struct sql *s, const uint8_t *in, size_t size)
{
	size_t n = 0;

	if (s->mode != STRING || s->is_escaped || s->is_at_quote)
		return 0;
	while (n < size && in[n] != (uint8_t)s->quote && in[n] != '\\' && in[n] >= 0x20)
		n++;
	return n;
}

static int feed(struct sql *s, const uint8_t *utf8, size_t size, struct err *e)
{
	while (size > 0) {
		size_t n = size < TABLE_SLICE ? size : TABLE_SLICE;
		uint8_t *out = table_rows_room(s->rows);
		uint64_t start = table_rows_position(s->rows);

		for (size_t i = 0; i < n; i++) {
			size_t plain = plain_run(s, utf8 + i, n - i);
			uint8_t c;

			memcpy(out + i, utf8 + i, plain);
			i += plain;
			if (i == n)
				break;
			c = utf8[i];
			if (c == DETECT_CELL_END || c == DETECT_ROW_END)
				c = ' ';
			out[i] = (uint8_t)take(s, (char)c, start + i);
		}
		if (s->no_memory || s->head.failed || sql_names_failed(s->names))
			return err_set(e, MUNI_NO_MEMORY, "no memory to read a dump");
		if (table_rows_feed(s->rows, n, e) < 0)
			return -1;
		utf8 += n;
		size -= n;
	}
	return 0;
}

static bool has(const uint8_t *text, size_t size, const char *what)
{
	return memmem(text, size, what, strlen(what)) != NULL;
}

/* MySQL's do, the standard's do not: who wrote it? */
static bool uses_escapes(const uint8_t *text, size_t size)
{
	if (size > PROBE)
		size = PROBE;
	if (has(text, size, "PostgreSQL") || has(text, size, "standard_conforming_strings") ||
	    has(text, size, "sqlite_") || has(text, size, "PRAGMA "))
		return false;
	return has(text, size, "MySQL") || has(text, size, "MariaDB") || has(text, size, "`") ||
	       has(text, size, "ENGINE=") || has(text, size, "\\'");
}

static int run(struct sql *s, struct err *e)
{
	struct err ignored = ERR_NONE;
	const uint8_t *utf8;
	bool is_first = true;
	int rc = 0;
	ssize_t n;

	while ((n = text_reader_next(s->reader, &utf8, e)) > 0) {
		if (is_first)
			s->escapes = uses_escapes(utf8, (size_t)n);
		is_first = false;
		rc = feed(s, utf8, (size_t)n, e);
		if (rc < 0)
			break;
	}
	if (n < 0)
		rc = -1;
	/* What came before a failure counts. */
	if (table_rows_end(s->rows, rc == 0 ? e : &ignored) < 0)
		rc = -1;
	return rc;
}

int extract_sql(struct look *l, struct input *in, struct err *e)
{
	struct sql *s = calloc(1, sizeof *s);
	const struct table_names names = { .label = label, .place = place, .arg = s };
	int rc = -1;

	if (s == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a dump");
	s->look = l;
	s->names = sql_names_new();
	if (s->names == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read a dump");
		goto out;
	}
	if (text_reader_new(in, look_encoding(l), &s->reader, e) < 0 ||
	    table_rows_new(l, s->reader, &names, &s->rows, e) < 0)
		goto out;
	rc = run(s, e);
	look_text_ends(l, s->reader);
out:
	table_rows_free(s->rows);
	text_reader_free(s->reader);
	sql_names_free(s->names);
	buffer_free(&s->head);
	free(s->sources);
	free(s);
	return rc;
}
