/*
 * OpenDocument (ISO/IEC 26300): content.xml and styles.xml of text documents,
 * sheets and presentations.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/content/extract_flow.h"
#include "fs/content/extract_grid.h"
#include "fs/content/extract_office.h"
#include "fs/content/extract_sax.h"
#include "fs/content/look.h"

#define SPACES_MAX 256

struct odf {
	struct flow *flow;
	const char *part;
	unsigned slide;
	/* The present cell: what it shows is left out where its value is given. */
	char value[64];
	bool is_number, has_date, is_sheet;
	unsigned span, repeated, row_repeated;
	char shown[64];		/* the first digits of what it shows */
	size_t shown_size;
	unsigned in_annotation;
	char element[48];	/* the one begun last */
	unsigned skipped;	/* depth within pictures that are written out */
};

static unsigned count_of(const struct sax_tag *tag, const char *name, unsigned max)
{
	char word[16];
	unsigned long n;

	if (!sax_value(tag, name, word, sizeof word))
		return 1;
	n = strtoul(word, NULL, 10);
	return n > max ? max : n < 1 ? 1 : (unsigned)n;
}

static int give_attributes(struct odf *o, const struct sax_tag *tag, struct err *e)
{
	static const char *const telling[] = {
		"href", "string-value", "current-value", "label", "title", "formula",
	};

	for (size_t i = 0; i < sizeof telling / sizeof *telling; i++) {
		const struct sax_attribute *a = sax_attribute(tag, telling[i]);

		if (!a || a->size == 0)
			continue;
		/* Of a formula only its texts matter; of a link, what leads outside. */
		if (!strcmp(a->name, "formula") && !memchr(a->value, '"', a->size))
			continue;
		/* What a cell shows says the same. */
		if (!strcmp(a->name, "string-value") && !strcmp(tag->name, "table-cell"))
			continue;
		if (!strcmp(a->name, "href") && !memchr(a->value, ':', a->size))
			continue;
		if (flow_aside(o->flow, a->name, a->value, a->size, e) < 0)
			return -1;
	}
	return 0;
}

static int begin_cell(struct odf *o, const struct sax_tag *tag, struct err *e)
{
	char type[16] = "", date[64];

	o->value[0] = '\0';
	o->shown_size = 0;
	o->has_date = false;
	(void)sax_value(tag, "value-type", type, sizeof type);
	o->is_number = *type && strcmp(type, "string") != 0;
	(void)sax_value(tag, "value", o->value, sizeof o->value);
	o->repeated = count_of(tag, "number-columns-repeated", GRID_COLUMNS);
	o->span = o->repeated;
	if (o->repeated > GRID_REPEATS)
		o->repeated = GRID_REPEATS;
	if (flow_cell(o->flow, e) < 0)
		return -1;
	if (!strcmp(type, "date") && sax_value(tag, "date-value", date, sizeof date)) {
		o->has_date = true;	/* and not how a locale writes it */
		return flow_text(o->flow, date, strlen(date), e);
	}
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A long number may be shown as "4.11E+15": then its value is given too. */
static int end_cell(struct odf *o, struct err *e)
{
	char digits[64];
	size_t n = 0;

	for (const char *at = o->value; *at && is_digit(*at); at++)
		digits[n++] = *at;
	if (o->is_number && n >= 5 && o->value[n] == '\0' && !o->has_date &&
	    !memmem(o->shown, o->shown_size, digits, n)) {
		if (flow_text(o->flow, " ", 1, e) < 0 || flow_text(o->flow, digits, n, e) < 0)
			return -1;
	}
	o->value[0] = '\0';
	o->has_date = false;
	return flow_end_cell(o->flow, !o->is_number, o->span, o->repeated, e);
}

static int begin_table(struct odf *o, const struct sax_tag *tag, struct err *e)
{
	char name[96] = "";

	(void)sax_value(tag, "name", name, sizeof name);
	return flow_table(o->flow, name, *name != '\0', e);
}

static int on_start(void *arg, const struct sax_tag *tag, struct err *e)
{
	struct odf *o = arg;
	const char *name = tag->name;

	/* Pictures, how a program was set, how numbers look. */
	if (o->skipped > 0 || !strcmp(name, "binary-data") || !strcmp(name, "settings") ||
	    !strcmp(tag->prefix, "number")) {
		o->skipped++;
		return 0;
	}
	if (give_attributes(o, tag, e) < 0)
		return -1;
	snprintf(o->element, sizeof o->element, "%s", name);
	if (!strcmp(name, "annotation"))
		o->in_annotation++;
	if (!strcmp(name, "p") || !strcmp(name, "h"))
		return flow_begin(o->flow, e);
	if (!strcmp(name, "s") && !strcmp(tag->prefix, "text")) {
		char spaces[SPACES_MAX];
		unsigned n = count_of(tag, "c", SPACES_MAX);

		memset(spaces, ' ', n);
		return flow_text(o->flow, spaces, n, e);
	}
	if (!strcmp(name, "tab"))
		return flow_text(o->flow, "\t", 1, e);
	if (!strcmp(name, "line-break"))
		return flow_text(o->flow, "\n", 1, e);
	if (!strcmp(name, "page") && !strcmp(tag->prefix, "draw")) {
		char part[32];

		snprintf(part, sizeof part, "slide %u", ++o->slide);
		flow_part(o->flow, part);
		return 0;
	}
	if (!strcmp(name, "table") && !strcmp(tag->prefix, "table"))
		return begin_table(o, tag, e);
	if (!strcmp(name, "table-row")) {
		o->row_repeated = count_of(tag, "number-rows-repeated", 1u << 20);
		return flow_row(o->flow, e);
	}
	if (!strcmp(name, "table-cell") || !strcmp(name, "covered-table-cell"))
		return begin_cell(o, tag, e);
	return 0;
}

static int on_end(void *arg, const char *name, struct err *e)
{
	struct odf *o = arg;

	if (o->skipped > 0) {
		o->skipped--;
		return 0;
	}
	if (!strcmp(name, "annotation"))
		o->in_annotation -= o->in_annotation > 0;
	if (!strcmp(name, "p") || !strcmp(name, "h"))
		return flow_end_paragraph(o->flow, e);
	if (!strcmp(name, "table-cell") || !strcmp(name, "covered-table-cell"))
		return end_cell(o, e);
	if (!strcmp(name, "table-row"))
		return flow_end_row(o->flow, o->row_repeated, e);
	if (!strcmp(name, "table"))
		return flow_end_table(o->flow, e);
	if (!strcmp(name, "page"))
		flow_part(o->flow, o->part);
	return 0;
}

static void note_digits(struct odf *o, const char *text, size_t size)
{
	for (size_t i = 0; i < size && o->shown_size < sizeof o->shown; i++)
		if (is_digit(text[i]))
			o->shown[o->shown_size++] = text[i];
}

static int on_text(void *arg, const char *text, size_t size, struct err *e)
{
	struct odf *o = arg;

	if (o->skipped > 0)
		return 0;
	/* Outside of paragraphs: the document's properties; else blanks. */
	if (!flow_is_in_paragraph(o->flow) && !strcmp(o->element, "generator"))
		return 0;	/* a program, whose version looks like data */
	if (!flow_is_in_paragraph(o->flow))
		return strspn(text, " \t\r\n") < size
			? flow_aside(o->flow, o->element, text, size, e) : 0;
	if (o->has_date && o->in_annotation == 0)
		return 0;
	note_digits(o, text, size);
	return flow_text(o->flow, text, size, e);
}

/* What is no XML any more is text all the same. */
static int on_rest(void *arg, const char *text, size_t size, struct err *e)
{
	struct odf *o = arg;

	return flow_text(o->flow, text, size, e);
}

int office_odf(struct look *l, struct input *in, const char *part, bool *is_whole,
	       struct err *e)
{
	static const struct sax_handler handler = { .start = on_start, .end = on_end,
						    .text = on_text, .rest = on_rest };
	struct odf o = { .flow = flow_new(l), .part = part, .span = 1, .repeated = 1,
			 .row_repeated = 1 };
	int rc = -1;

	if (!o.flow)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a document");
	flow_part(o.flow, part);
	if (sax_parse(l, in, &handler, &o, is_whole, e) == 0)
		rc = flow_end(o.flow, e);
	flow_free(o.flow);
	return rc;
}
