/*
 * What the sheets of a workbook refer to: SpreadsheetML (ECMA-376, part 1, 18).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/extract_office.h"
#include "fs/content/extract_office_format.h"
#include "fs/content/extract_sax.h"
#include "fs/content/look.h"

#define SHEETS_MAX 4096
#define TEXTS_SIZE_MAX (64u << 20)	/* of all shared texts that are held */
#define STYLES_MAX 65536u
#define FORMATS_MAX 4096

struct sheet {
	char name[96];
	char id[32];		/* of the relation that leads to its part */
	char part[96];		/* the end of the part's name */
};

struct text_at {
	uint32_t start, size;
};

struct number_format {
	unsigned id;
	struct office_format format;
};

struct book {
	struct look *look;
	struct sheet *sheets;		/* SHEETS_MAX */
	size_t sheet_count;
	bool is_1904;
	struct buffer texts;		/* one after the other */
	struct buffer texts_at;		/* of struct text_at */
	struct buffer used;		/* a byte a text */
	struct cells *overflow;		/* texts that could not be held */
	struct buffer one;		/* the text under way */
	bool is_in_text, is_phonetic;
	struct number_format *formats;	/* FORMATS_MAX */
	size_t format_count;
	struct buffer styles;		/* of uint32_t: a number format's id */
	bool is_in_cell_styles;
};

struct book *book_new(struct look *l)
{
	struct book *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->look = l;
	b->sheets = calloc(SHEETS_MAX, sizeof *b->sheets);
	b->formats = calloc(FORMATS_MAX, sizeof *b->formats);
	if (!b->sheets || !b->formats) {
		book_free(b);
		return NULL;
	}
	return b;
}

static void wipe(struct buffer *b)
{
	if (b->data)	/* values stood in it */
		explicit_bzero(b->data, b->capacity);
	buffer_free(b);
}

void book_free(struct book *b)
{
	if (!b)
		return;
	wipe(&b->texts);
	wipe(&b->one);
	buffer_free(&b->texts_at);
	buffer_free(&b->used);
	buffer_free(&b->styles);
	cells_free(b->overflow);
	free(b->sheets);
	free(b->formats);
	free(b);
}

/* ---- workbook.xml and its relations ---------------------------------------------------------- */

static int on_workbook(void *arg, const struct sax_tag *tag, struct err *e)
{
	struct book *b = arg;
	const struct sax_attribute *a;

	(void)e;
	if (!strcmp(tag->name, "workbookPr")) {
		a = sax_attribute(tag, "date1904");
		b->is_1904 = a && a->size > 0 && (*a->value == '1' || *a->value == 't');
	}
	if (!strcmp(tag->name, "sheet") && b->sheet_count < SHEETS_MAX) {
		struct sheet *s = &b->sheets[b->sheet_count++];

		(void)sax_value(tag, "name", s->name, sizeof s->name);
		(void)sax_value(tag, "id", s->id, sizeof s->id);
	}
	return 0;
}

int book_read_workbook(struct book *b, struct input *in, bool *is_whole, struct err *e)
{
	static const struct sax_handler handler = { .start = on_workbook };

	return sax_parse(b->look, in, &handler, b, is_whole, e);
}

/* Relations may be read before or after the sheets' names: kept as sheets of which
 * only the id and the part are known. */
static int on_relation(void *arg, const struct sax_tag *tag, struct err *e)
{
	struct book *b = arg;
	char id[32], target[512];
	size_t size;

	(void)e;
	if (strcmp(tag->name, "Relationship") != 0 || b->sheet_count == SHEETS_MAX ||
	    !sax_value(tag, "Id", id, sizeof id) ||
	    !sax_value(tag, "Target", target, sizeof target))
		return 0;
	size = strlen(target);
	if (size < sizeof b->sheets->part) {
		struct sheet *s = &b->sheets[b->sheet_count++];

		memcpy(s->id, id, sizeof id);
		memcpy(s->part, target, size + 1);
	}
	return 0;
}

int book_read_relations(struct book *b, struct input *in, bool *is_whole, struct err *e)
{
	static const struct sax_handler handler = { .start = on_relation };

	return sax_parse(b->look, in, &handler, b, is_whole, e);
}

/* "worksheets/sheet1.xml" and "/xl/worksheets/sheet1.xml" are "xl/worksheets/sheet1.xml". */
static bool leads_to(const char *target, const char *part)
{
	size_t tail = strlen(target), size = strlen(part);

	while (*target == '/') {
		target++;
		tail--;
	}
	return tail > 0 && size >= tail && !strcmp(part + size - tail, target) &&
	       (size == tail || part[size - tail - 1] == '/');
}

const char *book_sheet_name(const struct book *b, const char *part)
{
	const char *slash = strrchr(part, '/');

	for (size_t i = 0; i < b->sheet_count; i++) {
		if (!leads_to(b->sheets[i].part, part))
			continue;
		for (size_t k = 0; k < b->sheet_count; k++)
			if (*b->sheets[k].name && !strcmp(b->sheets[k].id, b->sheets[i].id))
				return b->sheets[k].name;
	}
	return slash ? slash + 1 : part;
}

/* ---- sharedStrings.xml -------------------------------------------------------------------------- */

static int keep_text(struct book *b, struct err *e)
{
	struct text_at at = { .start = (uint32_t)b->texts.size, .size = (uint32_t)b->one.size };

	if (b->one.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the texts of a workbook");
	if (b->texts.size + b->one.size > TEXTS_SIZE_MAX) {
		/* Looked at now, without the place where it is used. */
		if (!b->overflow)
			b->overflow = cells_new(b->look);
		if (!b->overflow)
			return err_set(e, MUNI_NO_MEMORY, "no memory for a workbook");
		if (cells_add(b->overflow, NULL, "shared texts", b->one.data, b->one.size, e) < 0)
			return -1;
		at.size = 0;
	} else if (b->one.size > 0) {
		buffer_append(&b->texts, b->one.data, b->one.size);
	}
	buffer_append(&b->texts_at, &at, sizeof at);
	buffer_u8(&b->used, 0);
	buffer_reset(&b->one);
	if (b->texts.failed || b->texts_at.failed || b->used.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the texts of a workbook");
	return 0;
}

static int on_text_start(void *arg, const struct sax_tag *tag, struct err *e)
{
	struct book *b = arg;

	(void)e;
	if (!strcmp(tag->name, "si"))
		buffer_reset(&b->one);
	/* A phonetic run repeats what it stands beside, in kana. */
	else if (!strcmp(tag->name, "rPh"))
		b->is_phonetic = true;
	else if (!strcmp(tag->name, "t"))
		b->is_in_text = !b->is_phonetic;
	return 0;
}

static int on_text_end(void *arg, const char *name, struct err *e)
{
	struct book *b = arg;

	if (!strcmp(name, "t"))
		b->is_in_text = false;
	if (!strcmp(name, "rPh"))
		b->is_phonetic = false;
	return !strcmp(name, "si") ? keep_text(b, e) : 0;
}

static int on_text(void *arg, const char *text, size_t size, struct err *e)
{
	struct book *b = arg;

	(void)e;
	if (b->is_in_text)
		buffer_append(&b->one, text, size);
	return 0;
}

int book_read_texts(struct book *b, struct input *in, bool *is_whole, struct err *e)
{
	static const struct sax_handler handler = { .start = on_text_start, .end = on_text_end,
						    .text = on_text };
	int rc = sax_parse(b->look, in, &handler, b, is_whole, e);

	if (rc == 0 && !*is_whole && b->one.size > 0)
		rc = keep_text(b, e);	/* what there was of the last one */
	if (rc == 0 && b->overflow)
		rc = cells_end(b->overflow, e);
	return rc;
}

const char *book_text(struct book *b, size_t index, size_t *size)
{
	struct text_at at;

	if (index >= b->texts_at.size / sizeof at)
		return NULL;
	memcpy(&at, b->texts_at.data + index * sizeof at, sizeof at);
	b->used.data[index] = 1;
	*size = at.size;
	return at.size > 0 ? (const char *)b->texts.data + at.start : "";
}

int book_unused_texts(struct book *b, struct err *e)
{
	struct cells *cells = NULL;
	int rc = 0;

	for (size_t i = 0; i < b->used.size && rc == 0; i++) {
		const char *text;
		size_t size = 0;

		if (b->used.data[i])
			continue;
		if (!cells)
			cells = cells_new(b->look);
		if (!cells)
			return err_set(e, MUNI_NO_MEMORY, "no memory for a workbook");
		text = book_text(b, i, &size);
		rc = cells_add(cells, NULL, "texts that no cell shows", text, size, e);
	}
	if (rc == 0 && cells)
		rc = cells_end(cells, e);
	cells_free(cells);
	return rc;
}

/* ---- styles.xml ------------------------------------------------------------------------------------ */

static int on_style(void *arg, const struct sax_tag *tag, struct err *e)
{
	struct book *b = arg;
	char code[256], number[16];

	if (!strcmp(tag->name, "cellXfs"))
		b->is_in_cell_styles = true;
	if (!strcmp(tag->name, "numFmt") && b->format_count < FORMATS_MAX &&
	    sax_value(tag, "numFmtId", number, sizeof number) &&
	    sax_value(tag, "formatCode", code, sizeof code)) {
		struct number_format *f = &b->formats[b->format_count++];

		f->id = (unsigned)strtoul(number, NULL, 10);
		office_format_parse(code, &f->format);
	}
	if (!strcmp(tag->name, "xf") && b->is_in_cell_styles &&
	    b->styles.size < STYLES_MAX * sizeof(uint32_t)) {
		uint32_t id = 0;

		if (sax_value(tag, "numFmtId", number, sizeof number))
			id = (uint32_t)strtoul(number, NULL, 10);
		buffer_append(&b->styles, &id, sizeof id);
	}
	return b->styles.failed ? err_set(e, MUNI_NO_MEMORY, "no memory for a workbook") : 0;
}

static int on_style_end(void *arg, const char *name, struct err *e)
{
	struct book *b = arg;

	(void)e;
	if (!strcmp(name, "cellXfs"))
		b->is_in_cell_styles = false;
	return 0;
}

int book_read_styles(struct book *b, struct input *in, bool *is_whole, struct err *e)
{
	static const struct sax_handler handler = { .start = on_style, .end = on_style_end };

	return sax_parse(b->look, in, &handler, b, is_whole, e);
}

bool book_number(const struct book *b, size_t style, const char *value, char out[64])
{
	static const struct office_format plain = { .kind = OFFICE_FORMAT_PLAIN };
	const struct office_format *format = &plain;
	struct office_format builtin;
	uint32_t id = 0;

	if (style < b->styles.size / sizeof id)
		memcpy(&id, b->styles.data + style * sizeof id, sizeof id);
	if (office_format_builtin(id, &builtin))
		format = &builtin;
	for (size_t i = 0; i < b->format_count; i++)
		if (b->formats[i].id == id)
			format = &b->formats[i].format;
	return office_format_show(format, value, b->is_1904, out);
}
