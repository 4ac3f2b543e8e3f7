/*
 * Paragraphs and tables of WordprocessingML and DrawingML (ECMA-376, part 1, 17
 * and 21), and the older forms of both: their elements bear the same names.
 *
 * A word processor splits a paragraph into runs wherever it likes, within a number
 * too: only the paragraph is text.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/content/extract_flow.h"
#include "fs/content/extract_office.h"
#include "fs/content/extract_sax.h"
#include "fs/content/look.h"

struct words {
	struct flow *flow;
	unsigned in_text;	/* elements whose characters are text, in one another */
	unsigned in_run;
	unsigned skipped;	/* depth within an element that is left out */
	unsigned span;		/* of the present cell */
};

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

/* instrText: the code of a field, a link for one. */
static const char *const text_elements[] = { "t", "delText", "instrText", "delInstrText",
					     NULL };
/* Text that stands in no paragraph: a comment, a value that a chart shows. */
static const char *const lone_texts[] = { "text", "v", NULL };

/* Of attributes that hold somebody's words: those of pictures, fields, links. */
static int give_attributes(struct words *w, const struct sax_tag *tag, struct err *e)
{
	static const char *const telling[] = {
		"descr", "title", "tooltip", "string", "instr", "alt", "Target", "author", NULL,
	};
	static const char *const holders[] = { "default", "result", "listEntry", "docVar",
					       "alias", "tag", NULL };

	for (size_t i = 0; i < tag->attribute_count; i++) {
		const struct sax_attribute *a = &tag->attributes[i];

		if (!strcmp(a->name, "Target") && !memchr(a->value, ':', a->size))
			continue;	/* another part */
		if (a->size > 0 &&
		    (is_one_of(a->name, telling) ||
		     (!strcmp(a->name, "val") && is_one_of(tag->name, holders))) &&
		    flow_aside(w->flow, a->name, a->value, a->size, e) < 0)
			return -1;
	}
	return 0;
}

static int begin_table_part(struct words *w, const struct sax_tag *tag, struct err *e)
{
	if (!strcmp(tag->name, "tbl"))
		return flow_table(w->flow, "", false, e);
	if (!strcmp(tag->name, "tr"))
		return flow_row(w->flow, e);
	if (!strcmp(tag->name, "tc")) {
		char span[16];

		w->span = 1;
		if (sax_value(tag, "gridSpan", span, sizeof span))
			w->span = (unsigned)strtoul(span, NULL, 10);
		return flow_cell(w->flow, e);
	}
	if (!strcmp(tag->name, "gridSpan")) {
		char span[16];

		if (sax_value(tag, "val", span, sizeof span))
			w->span = (unsigned)strtoul(span, NULL, 10);
	}
	return 0;
}

static int on_start(void *arg, const struct sax_tag *tag, struct err *e)
{
	struct words *w = arg;
	const char *name = tag->name;

	/* What an older reader shows in place of what came before. */
	if (w->skipped > 0 || !strcmp(name, "Fallback")) {
		w->skipped++;
		return 0;
	}
	if (give_attributes(w, tag, e) < 0)
		return -1;
	if (!strcmp(name, "p"))
		return flow_begin(w->flow, e);
	if (is_one_of(name, lone_texts)) {
		w->in_text++;
		return flow_begin(w->flow, e);
	}
	if (is_one_of(name, text_elements)) {
		w->in_text++;
		/* The code of a field is no part of the word before it. */
		return strstr(name, "nstrText") ? flow_text(w->flow, " ", 1, e) : 0;
	}
	if (!strcmp(name, "r"))
		w->in_run++;
	else if (!strcmp(name, "br") || !strcmp(name, "cr"))
		return flow_text(w->flow, "\n", 1, e);
	else if (!strcmp(name, "tab") && w->in_run > 0)
		return flow_text(w->flow, "\t", 1, e);
	else if (!strcmp(name, "noBreakHyphen"))
		return flow_text(w->flow, "-", 1, e);
	return begin_table_part(w, tag, e);
}

static int on_end(void *arg, const char *name, struct err *e)
{
	struct words *w = arg;

	if (w->skipped > 0) {
		w->skipped--;
		return 0;
	}
	if (!strcmp(name, "p"))
		return flow_end_paragraph(w->flow, e);
	if (is_one_of(name, lone_texts)) {
		w->in_text -= w->in_text > 0;
		return flow_end_paragraph(w->flow, e);
	}
	if (is_one_of(name, text_elements)) {
		w->in_text -= w->in_text > 0;
		return strstr(name, "nstrText") ? flow_text(w->flow, " ", 1, e) : 0;
	}
	if (!strcmp(name, "r"))
		w->in_run -= w->in_run > 0;
	else if (!strcmp(name, "tc"))
		return flow_end_cell(w->flow, true, w->span, 1, e);
	else if (!strcmp(name, "tr"))
		return flow_end_row(w->flow, 1, e);
	else if (!strcmp(name, "tbl"))
		return flow_end_table(w->flow, e);
	return 0;
}

static int on_text(void *arg, const char *text, size_t size, struct err *e)
{
	struct words *w = arg;

	return w->in_text > 0 && w->skipped == 0 ? flow_text(w->flow, text, size, e) : 0;
}

/* What is no XML any more is text all the same. */
static int on_rest(void *arg, const char *text, size_t size, struct err *e)
{
	struct words *w = arg;

	return flow_text(w->flow, text, size, e);
}

int office_words(struct look *l, struct input *in, const char *part, bool *is_whole,
		 struct err *e)
{
	static const struct sax_handler handler = { .start = on_start, .end = on_end,
						    .text = on_text, .rest = on_rest };
	struct words w = { .flow = flow_new(l), .span = 1 };
	int rc = -1;

	if (!w.flow)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a document");
	flow_part(w.flow, part);
	if (sax_parse(l, in, &handler, &w, is_whole, e) == 0)
		rc = flow_end(w.flow, e);
	flow_free(w.flow);
	return rc;
}
