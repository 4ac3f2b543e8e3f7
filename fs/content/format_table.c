/*
 * Tables in text: CSV (comma, semicolon, bar) and TSV, known by rows that agree on
 * the number of their cells, not by the extension; where the extension says so, a
 * little less is asked.
 */
#include <ctype.h>
#include <string.h>

#include "fs/content/format_table.h"

#define PROBE_MAX (64u << 10)
#define ROWS_MAX 200

#define TITLES_MAX 5		/* lines of one cell in front of a table */

struct shape {
	unsigned rows, columns;		/* columns of the first row */
	unsigned agreeing;		/* rows with as many */
	unsigned titles;		/* lines of one cell in front of it */
	unsigned spaced;		/* delimiters with a blank behind, outside quotes */
	unsigned delimiters;
	unsigned quoted;		/* cells in quotes */
	unsigned blank_first;		/* rows whose first cell is empty */
	unsigned long_cells;		/* that read like prose */
	bool is_broken;			/* a quote in the middle of a cell, or never closed */
};

static void measure(const char *p, const char *end, bool is_all, char delimiter,
		    struct shape *s)
{
	memset(s, 0, sizeof *s);
	while (p < end && s->rows < ROWS_MAX) {
		unsigned cells = 1;
		const char *row = p, *cell = p;
		bool is_ended = false;

		while (p < end) {
			if (*p == '"' && p == cell) {
				s->quoted++;
				for (p++; p < end; p++) {
					if (*p != '"')
						continue;
					if (p + 1 < end && p[1] == '"')
						p++;
					else
						break;
				}
				if (p == end)
					break;
				p++;
				if (p < end && *p != delimiter && *p != '\n' && *p != '\r')
					s->is_broken = true;
				continue;
			}
			if (*p == delimiter) {
				s->long_cells += p - cell > 120;
				cells++;
				s->delimiters++;
				cell = p + 1;
				s->spaced += cell < end && *cell == ' ';
			} else if (*p == '\n') {
				is_ended = true;
				break;
			}
			p++;
		}
		if (!is_ended && !is_all)
			return;		/* a row cut off says nothing */
		if (!is_ended && p == end && cell < end && *cell == '"' && end[-1] != '"')
			s->is_broken = true;
		if (p > row && !(p == row + 1 && *row == '\r')) {	/* blank lines part nothing */
			if (cells == 1 && s->rows == 0 && s->titles < TITLES_MAX) {
				s->titles++;
				p++;
				continue;
			}
			if (s->rows == 0)
				s->columns = cells;
			s->rows++;
			s->agreeing += cells == s->columns;
			s->blank_first += *row == delimiter;
		}
		p++;
	}
}

static bool is_table(const struct shape *s, char delimiter, bool is_claimed)
{
	if (s->columns < 2 || s->rows < 1 || s->is_broken)
		return false;
	if (is_claimed)
		return s->agreeing * 10 >= s->rows * 9;
	if (s->titles > 0)
		return false;
	if (s->rows < 2 || s->agreeing != s->rows)
		return false;
	/* Indented code, aligned lists. */
	if (delimiter == '\t')
		return s->blank_first * 2 < s->rows;
	/* Prose and code have a blank behind a comma. */
	if (s->spaced * 4 > s->delimiters * 3 && s->quoted == 0)
		return false;
	if (delimiter == '|' && (s->blank_first * 2 > s->rows || s->columns < 3))
		return false;
	if (s->long_cells * 4 > s->rows * s->columns)
		return false;
	if (delimiter == ';')		/* lines of code end so */
		return s->columns >= 3 || s->rows >= 4;
	return s->columns >= 3 ? s->rows >= 2 : s->rows >= 4;
}

/* Lines that end in a semicolon have as many: the last cell must not be empty in
 * all of them. */
static bool ends_lines(const char *p, const char *end, char delimiter)
{
	unsigned lines = 0, ended = 0;

	while (p < end && lines < 50) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		const char *last = stop == NULL ? end : stop;

		if (last > p && last[-1] == '\r')
			last--;
		lines += last > p;
		ended += last > p && last[-1] == delimiter;
		p = stop == NULL ? end : stop + 1;
	}
	return lines > 0 && ended == lines;
}

char format_table_delimiter(const char *text, size_t size, bool is_all, const char *extension)
{
	static const char delimiters[] = { ',', '\t', ';', '|' };
	const char *end = text + (size < PROBE_MAX ? size : PROBE_MAX);
	bool is_claimed = strcmp(extension, "csv") == 0 || strcmp(extension, "tsv") == 0 ||
			  strcmp(extension, "tab") == 0 || strcmp(extension, "psv") == 0;
	unsigned best = 0;
	char chosen = '\0';

	is_all = is_all && end == text + size;
	for (size_t i = 0; i < sizeof delimiters; i++) {
		struct shape s;
		unsigned score;

		measure(text, end, is_all, delimiters[i], &s);
		if (!is_table(&s, delimiters[i], is_claimed))
			continue;
		if (!is_claimed && (delimiters[i] == ';' || delimiters[i] == ',') &&
		    s.columns == 2 && ends_lines(text, end, delimiters[i]))
			continue;
		score = s.agreeing * 100 / s.rows * 100 + (s.columns < 99 ? s.columns : 99);
		if (score > best) {
			best = score;
			chosen = delimiters[i];
		}
	}
	return chosen;
}

const char *format_of_table(const struct format_head *h)
{
	char delimiter = format_table_delimiter(h->text, h->text_size, h->text_is_all,
						h->extension);

	return delimiter == '\0' ? NULL :
	       delimiter == '\t' ? "text/tab-separated-values" : "text/csv";
}
