/*
 * A head is a row of words over rows of data.  The first row that has as many
 * cells as most may be one: titles and blank lines stand in front of some.
 */
#include "fs/content/table_head.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fs/content/table_rows.h"

#define ROWS_MAX 24u
#define NAME_MAX_BYTES 80u
#define CELL_KEPT 128u
#define QUOTED_MAX 4096

struct cell {
	char text[CELL_KEPT];	/* unquoted, trimmed, cut */
	bool is_long;		/* it was cut */
};

struct row {
	struct cell *cells;	/* owned */
	size_t count;
	uint64_t end;
};

static void trim(struct cell *cell, size_t size)
{
	size_t start = 0;

	while (size > 0 && isspace((unsigned char)cell->text[size - 1]))
		size--;
	while (start < size && isspace((unsigned char)cell->text[start]))
		start++;
	memmove(cell->text, cell->text + start, size - start);
	cell->text[size - start] = '\0';
}

/* One cell from p on; returns where it ends (at the delimiter, line end or end). */
static const char *read_cell(const char *p, const char *end, char delimiter, struct cell *cell)
{
	const char *start = p, *blank = p;
	bool is_quoted;
	size_t size = 0;

	while (blank < end && *blank == ' ')
		blank++;
	is_quoted = blank < end && *blank == '"';
	cell->is_long = false;
	for (p = is_quoted ? blank + 1 : p; p < end; p++) {
		if (is_quoted && p - start > QUOTED_MAX) {
			/* Never closed: a quote like any other character. */
			is_quoted = false;
			p = start - 1;
			size = 0;
			continue;
		}
		if (is_quoted && *p == '"') {
			if (p + 1 == end || p[1] != '"') {
				is_quoted = false;
				continue;
			}
			p++;
		} else if (!is_quoted && (*p == delimiter || *p == '\n')) {
			break;
		}
		if (size + 1 < sizeof cell->text)
			cell->text[size++] = *p;
		else
			cell->is_long = true;
	}
	trim(cell, size);
	return p;
}

/* The next row: 1; 0: none that is whole; -1: no memory.  row is the caller's in each case. */
static int read_row(const char *text, size_t size, bool is_all, char delimiter, size_t *at,
		    struct row *row)
{
	const char *p = text + *at, *end = text + size;

	row->count = 0;
	row->cells = NULL;
	if (p == end)
		return 0;
	for (;;) {
		struct cell *more = row->cells;

		if (row->count % 64 == 0)
			more = realloc(row->cells, (row->count + 64) * sizeof *more);
		if (more == NULL)
			return -1;
		row->cells = more;
		p = read_cell(p, end, delimiter, &row->cells[row->count++]);
		if (p == end || *p == '\n' || row->count == TABLE_COLUMNS_MAX)
			break;
		p++;
	}
	while (p < end && *p != '\n')	/* beyond the columns that are named */
		p++;
	if (p == end && !is_all)
		return 0;
	*at = (size_t)(p - text) + (p < end);
	row->end = *at;
	return 1;
}

/* ---- what a cell looks like ------------------------------------------------------------- */

static unsigned count_digits(const char *s)
{
	unsigned digits = 0;

	for (; *s != '\0'; s++)
		digits += isdigit((unsigned char)*s) != 0;
	return digits;
}

/* Letters, few digits, little else. */
static bool is_word(const struct cell *cell)
{
	unsigned letters = 0;

	if (cell->is_long || strlen(cell->text) > NAME_MAX_BYTES || count_digits(cell->text) > 3)
		return false;
	for (const char *p = cell->text; *p != '\0'; p++) {
		if (isalpha((unsigned char)*p) || (*p & 0x80) != 0)
			letters++;
		else if (!isdigit((unsigned char)*p) && strchr(" _-,./()#%&:[]*?'\n\r", *p) == NULL)
			return false;
	}
	return letters > 0;
}

/* A number at the end ("address2") or none. */
static bool has_no_inner_digits(const struct cell *cell)
{
	size_t size = strlen(cell->text);

	while (size > 0 && isdigit((unsigned char)cell->text[size - 1]))
		size--;
	for (size_t i = 0; i < size; i++)
		if (isdigit((unsigned char)cell->text[i]))
			return false;
	return true;
}

static bool is_data(const struct cell *cell)
{
	unsigned digits = count_digits(cell->text);

	return digits >= 4 || strchr(cell->text, '@') != NULL ||
	       (digits > 0 && digits * 2 >= strlen(cell->text));
}

static bool is_known_word(const char *text)
{
	static const char *const words[] = { "id", "name", "first", "last", "surname", "email",
		"mail", "phone", "tel", "mobile", "address", "city", "street", "country", "state",
		"zip", "postcode", "date", "birth", "gender", "sex", "age", "title", "type",
		"status", "amount", "price", "total", "number", "no", "code", "account", "user",
		"username", "login", "password", "passwd", "pwd", "secret", "token", "key",
		"value", "description", "comment", "note", "notes", "department", "position",
		"company", "customer", "employee", "order", "product", "currency", "card", "iban",
		"bic", "swift", "ssn", "tax", "vat", "host", "ip", "url", "path", "file", "size",
		"nom", "prenom", "vorname", "nachname", "nombre", "apellido", "cognome", NULL };
	static const char *const parts[] = { "姓名", "号", "號", "名", "日期", "地址", "电话",
		"電話", "邮", "郵", "性别", "性別", "部门", "部門", "职", "職", "金额", "金額",
		"密码", "密碼", "账", "帳", "类", "類", "备注", "備註", "状态", "住所", "番号",
		"生年月日", "이름", "번호", "주소", NULL };
	const char *p = text;

	for (size_t i = 0; parts[i] != NULL; i++)
		if (strstr(text, parts[i]) != NULL)
			return true;
	while (*p != '\0') {
		size_t size = 0;

		while (isalpha((unsigned char)p[size]))
			size++;
		for (size_t i = 0; size > 0 && words[i] != NULL; i++)
			if (strlen(words[i]) == size && strncasecmp(words[i], p, size) == 0)
				return true;
		p += size + (p[size] != '\0');
	}
	return false;
}

/* ---- is the row a head -------------------------------------------------------------------- */

static bool is_head(const struct row *rows, size_t count, size_t head)
{
	const struct row *row = &rows[head];
	size_t filled = 0, below = 0;
	bool is_over_data = false, is_known = false, is_plain = true;

	for (size_t c = 0; c < row->count; c++) {
		const struct cell *name = &row->cells[c];
		size_t data = 0, same = 0, like = 0;

		if (name->text[0] == '\0')
			continue;
		if (!is_word(name) || is_data(name))
			return false;
		filled++;
		is_known = is_known || is_known_word(name->text);
		is_plain = is_plain && has_no_inner_digits(name);
		for (size_t i = 0; i < c; i++)
			if (strcmp(row->cells[i].text, name->text) == 0)
				is_plain = false;
		for (size_t i = head + 1; i < count; i++) {
			if (rows[i].count != row->count)
				continue;
			like++;
			data += is_data(&rows[i].cells[c]);
			same += strcmp(rows[i].cells[c].text, name->text) == 0;
		}
		below = like;
		if (same > 0)
			return false;
		is_over_data = is_over_data || (like > 0 && data * 2 > like);
	}
	return below > 0 && filled * 2 >= row->count &&
	       (is_over_data || (is_known && is_plain));
}

/* The number of cells that most rows have. */
static size_t usual_count(const struct row *rows, size_t count)
{
	size_t best = 0, best_votes = 0;

	for (size_t i = 0; i < count; i++) {
		size_t votes = 0;

		for (size_t k = 0; k < count; k++)
			votes += rows[k].count == rows[i].count;
		if (votes > best_votes || (votes == best_votes && rows[i].count > best)) {
			best_votes = votes;
			best = rows[i].count;
		}
	}
	return best;
}

static int take_names(const struct row *row, struct table_head *out)
{
	out->names = calloc(row->count, sizeof *out->names);
	if (out->names == NULL)
		return -1;
	out->count = row->count;
	out->end = row->end;
	for (size_t i = 0; i < row->count; i++) {
		if (row->cells[i].text[0] == '\0')
			continue;
		out->names[i] = strdup(row->cells[i].text);
		if (out->names[i] == NULL)
			return -1;
	}
	return 0;
}

int table_head_find(const char *text, size_t size, bool is_all, char delimiter,
		    struct table_head *out, struct err *e)
{
	struct row rows[ROWS_MAX];
	size_t count = 0, at = 0, usual;
	int rc = 0;

	*out = (struct table_head){ .names = NULL };
	while (count < ROWS_MAX && (rc = read_row(text, size, is_all, delimiter, &at,
						  &rows[count])) > 0)
		count++;
	if (count < ROWS_MAX)
		free(rows[count].cells);
	usual = usual_count(rows, count);
	for (size_t i = 0; rc >= 0 && i < count; i++) {
		if (rows[i].count != usual)
			continue;
		if (is_head(rows, count, i))
			rc = take_names(&rows[i], out);
		break;
	}
	for (size_t i = 0; i < count; i++)
		free(rows[i].cells);
	if (rc >= 0)
		return 0;
	table_head_clear(out);
	return err_set(e, MUNI_NO_MEMORY, "no memory for the names of a table's columns");
}

void table_head_clear(struct table_head *h)
{
	for (size_t i = 0; i < h->count; i++)
		free(h->names[i]);
	free(h->names);
	*h = (struct table_head){ .names = NULL };
}
