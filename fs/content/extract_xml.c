/*
 * Any XML: each element's text and each attribute is a cell.  Its label is the end
 * of its path, with what the element calls itself (<field name="phone">), for that
 * is where data is said to be what it is.
 *
 * Text with elements in it (<p>call <b>me</b> now</p>) is one cell.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/extract_office.h"
#include "fs/content/extract_sax.h"
#include "fs/content/extract_xml.h"
#include "fs/content/look.h"

#define DEPTH_MAX 600		/* libxml2 stops at 256, and as many again in entities */
#define LABEL_MAX 200
#define PATH_MAX_SHOWN 200
#define TEXT_MAX (256u << 10)	/* of one cell; what is longer is parted at a blank */

struct frame {
	size_t path_size;	/* of the path without this element */
	char own[96];		/* its name, and what it calls itself */
	bool is_inline;		/* within a text */
	bool has_children;
};

struct tree {
	struct cells *cells;
	bool is_in_rest;
	const struct xml_manner *manner;
	struct frame *frames;	/* DEPTH_MAX */
	size_t depth, lost;	/* lost: elements deeper than that */
	char path[1024];
	size_t path_size;
	struct buffer text;
	bool has_letters;	/* the text is not only blanks */
};

/* ---- names -------------------------------------------------------------------------------- */

static void place_of(const struct tree *t, const char *attribute, char out[512])
{
	/* The end of a path says most. */
	size_t skip = t->path_size > PATH_MAX_SHOWN ? t->path_size - PATH_MAX_SHOWN : 0;

	while (skip > 0 && skip < t->path_size && t->path[skip] != '/')
		skip++;
	snprintf(out, 512, "%s%s%s%.*s%s%s", t->manner->place, *t->manner->place ? ": " : "",
		 skip ? "..." : "", (int)(t->path_size - skip), t->path + skip,
		 attribute ? "/@" : "", attribute ? text_printable(attribute) : "");
}

static void label_of(const struct tree *t, const char *attribute, char out[LABEL_MAX])
{
	const struct frame *f = t->depth > 0 ? &t->frames[t->depth - 1] : NULL;

	if (attribute)
		snprintf(out, LABEL_MAX, "%s %s", f ? f->own : "", attribute);
	else if (t->depth > 1)
		snprintf(out, LABEL_MAX, "%s %s", t->frames[t->depth - 2].own, f->own);
	else
		snprintf(out, LABEL_MAX, "%s", f ? f->own : "");
}

/* <field name="phone">, <item key="ssn">, <xs:element id="dob">: the attribute says
 * what the element is. */
static void name_element(struct frame *f, const struct sax_tag *tag)
{
	static const char *const telling[] = { "name", "key", "label", "id", "column", "type" };
	size_t used = (size_t)snprintf(f->own, sizeof f->own, "%.60s", tag->name);

	for (size_t i = 0; i < sizeof telling / sizeof *telling; i++) {
		const struct sax_attribute *a = sax_attribute(tag, telling[i]);

		if (a && a->size > 0 && a->size < 32 && used + a->size + 2 < sizeof f->own) {
			snprintf(f->own + used, sizeof f->own - used, " %.*s", (int)a->size,
				 a->value);
			return;
		}
	}
}

static void push_path(struct tree *t, const char *name)
{
	int n = snprintf(t->path + t->path_size, sizeof t->path - t->path_size, "%s%s",
			 t->path_size ? "/" : "", text_printable(name));

	if (n > 0 && (size_t)n < sizeof t->path - t->path_size)
		t->path_size += (size_t)n;
}

/* ---- cells --------------------------------------------------------------------------------- */

static int add(struct tree *t, const char *attribute, const char *text, size_t size,
	       struct err *e)
{
	char place[512], label[LABEL_MAX];

	place_of(t, attribute, place);
	label_of(t, attribute, label);
	return cells_add(t->cells, label, place, text, size, e);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static int flush(struct tree *t, struct err *e)
{
	int rc = 0;

	if (t->text.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the text of an element");
	if (t->has_letters)
		rc = add(t, NULL, (const char *)t->text.data, t->text.size, e);
	buffer_reset(&t->text);
	t->has_letters = false;
	return rc;
}

/* A text without end goes in parts, cut at a blank where there is one near. */
static int flush_part(struct tree *t, struct err *e)
{
	size_t cut = t->text.size, left;

	while (cut > t->text.size - 4096 && !is_blank((char)t->text.data[cut - 1]))
		cut--;
	if (cut == t->text.size - 4096)
		cut = t->text.size;
	left = t->text.size - cut;
	if (add(t, NULL, (const char *)t->text.data, cut, e) < 0)
		return -1;
	memmove(t->text.data, t->text.data + cut, left);
	t->text.size = left;
	return 0;
}

static int on_text(void *arg, const char *text, size_t size, struct err *e)
{
	struct tree *t = arg;

	for (size_t i = 0; i < size && !t->has_letters; i++)
		t->has_letters = !is_blank(text[i]);
	buffer_append(&t->text, text, size);
	if (t->text.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the text of an element");
	return t->text.size > TEXT_MAX ? flush_part(t, e) : 0;
}

static int on_start(void *arg, const struct sax_tag *tag, struct err *e)
{
	struct tree *t = arg;
	struct frame *f;
	bool is_inline = t->has_letters;

	if (t->depth == DEPTH_MAX) {
		t->lost++;
		return 0;
	}
	if (is_inline)
		buffer_u8(&t->text, ' ');
	else
		buffer_reset(&t->text);
	if (t->depth > 0)
		t->frames[t->depth - 1].has_children = true;
	f = &t->frames[t->depth++];
	f->path_size = t->path_size;
	f->is_inline = is_inline;
	f->has_children = false;
	name_element(f, tag);
	push_path(t, tag->name);
	for (size_t i = 0; t->manner->with_attributes && i < tag->attribute_count; i++) {
		const struct sax_attribute *a = &tag->attributes[i];

		if (a->size > 0 && add(t, a->name, a->value, a->size, e) < 0)
			return -1;
	}
	return 0;
}

static bool is_left_out(const struct tree *t, const char *name)
{
	const char *const *words = t->manner->left_out;

	for (; words && *words; words++)
		if (!strcmp(name, *words))
			return true;
	return false;
}

static int on_end(void *arg, const char *name, struct err *e)
{
	struct tree *t = arg;
	struct frame *f;

	if (t->lost > 0) {
		t->lost--;
		return 0;
	}
	if (t->depth == 0)
		return 0;
	f = &t->frames[t->depth - 1];
	if (is_left_out(t, name)) {
		buffer_reset(&t->text);
		t->has_letters = false;
	}
	if (f->is_inline)
		buffer_u8(&t->text, ' ');
	else if (flush(t, e) < 0)
		return -1;
	t->path_size = f->path_size;
	t->depth--;
	return f->has_children ? cells_row(t->cells, e) : 0;
}

static int on_aside(void *arg, const char *text, size_t size, struct err *e)
{
	struct tree *t = arg;
	char place[512];

	place_of(t, NULL, place);
	return cells_add(t->cells, NULL, place, text, size, e);
}

/* What is no XML (any more) is text all the same. */
static int on_rest(void *arg, const char *text, size_t size, struct err *e)
{
	struct tree *t = arg;

	if (!t->is_in_rest) {
		if (flush(t, e) < 0)
			return -1;
		t->is_in_rest = true;
		t->depth = t->lost = 0;
		t->path_size = (size_t)snprintf(t->path, sizeof t->path,
						"(where it is no longer XML)");
	}
	return on_text(t, text, size, e);
}

/* ---- the whole ------------------------------------------------------------------------------ */

int xml_cells(struct look *l, struct input *in, const struct xml_manner *manner,
	      bool *is_whole, struct err *e)
{
	static const struct sax_handler handler = {
		.start = on_start, .end = on_end, .text = on_text, .aside = on_aside,
		.rest = on_rest,
	};
	struct tree t = { .manner = manner };
	int rc = -1;

	t.frames = calloc(DEPTH_MAX, sizeof *t.frames);
	t.cells = cells_new(l);
	if (!t.frames || !t.cells) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read XML");
		goto out;
	}
	if (sax_parse(l, in, &handler, &t, is_whole, e) == 0 && flush(&t, e) == 0 &&
	    cells_end(t.cells, e) == 0)
		rc = 0;
out:
	if (t.text.data)
		explicit_bzero(t.text.data, t.text.capacity);
	buffer_free(&t.text);
	cells_free(t.cells);
	free(t.frames);
	return rc;
}

/* Office documents in a single XML file: Flat OPC, Word 2003, flat OpenDocument. */
static int (*single_file(const char *root))(struct look *l, struct input *in, const char *part,
					    bool *is_whole, struct err *e)
{
	if (!strcmp(root, "wordDocument") || !strcmp(root, "package"))
		return office_words;
	return !strcmp(root, "document") ? office_odf : NULL;
}

int extract_xml(struct look *l, struct input *in, struct err *e)
{
	int (*office)(struct look *l, struct input *in, const char *part, bool *is_whole,
		      struct err *e);
	static const struct xml_manner any = { .place = "", .with_attributes = true };
	char root[OFFICE_ROOT_MAX];
	const void *head;
	bool is_whole;
	size_t size;

	if (input_head(in, &head, &size, e) < 0)
		return -1;
	office_root(head, size, root);
	office = memmem(head, size, "office", 6) ? single_file(root) : NULL;
	if (!office)
		return xml_cells(l, in, &any, &is_whole, e);
	if (office(l, in, "", &is_whole, e) < 0)
		return -1;
	if (!is_whole)
		look_opaque(l, "damaged: it is not XML to its end");
	return 0;
}
