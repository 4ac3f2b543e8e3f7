#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/extract_pdf_inside.h"
#include "fs/content/look.h"

/* Takes ownership of text. */
static int give(struct cells *cells, const char *label, const char *place, char *text,
		struct err *e)
{
	int rc = 0;

	if (text && *text)
		rc = cells_add(cells, label, place, text, strlen(text), e);
	g_free(text);
	return rc;
}

/* Not the programs that made it: their versions look like data. */
int pdf_information(struct look *l, PopplerDocument *document, struct err *e)
{
	static const struct {
		const char *label;
		char *(*get)(PopplerDocument *document);
	} fields[] = {
		{ "title", poppler_document_get_title },
		{ "author", poppler_document_get_author },
		{ "subject", poppler_document_get_subject },
		{ "keywords", poppler_document_get_keywords },
		{ "metadata", poppler_document_get_metadata },
	};
	struct cells *cells = cells_new(l);
	int rc = 0;

	if (!cells)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a PDF");
	for (size_t i = 0; i < sizeof fields / sizeof *fields && rc == 0; i++)
		rc = give(cells, fields[i].label, "document information",
			  fields[i].get(document), e);
	if (rc == 0)
		rc = cells_end(cells, e);
	cells_free(cells);
	return rc;
}

/* ---- attachments ------------------------------------------------------------------------------- */

struct collected {
	struct look *look;
	struct buffer bytes;
	struct err failure;
	bool is_too_large;
};

static gboolean on_piece(const gchar *piece, gsize size, gpointer arg, GError **error)
{
	struct collected *c = arg;

	if (look_expanded(c->look, size, &c->failure) == 0 &&
	    c->bytes.size + size <= INPUT_WHOLE_MAX) {
		buffer_append(&c->bytes, piece, size);
		if (!c->bytes.failed)
			return TRUE;
	}
	c->is_too_large = c->failure.code == MUNI_OK;
	g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "enough");
	return FALSE;
}

static int look_at_attachment(struct look *l, PopplerAttachment *attachment, struct err *e)
{
	const char *own = poppler_attachment_get_name(attachment);
	const char *name = own && *own ? own : "attachment";
	struct collected c = { .look = l };
	GError *error = NULL;
	struct input *in;
	int rc = 0;

	if (!poppler_attachment_save_to_callback(attachment, on_piece, &c, &error)) {
		if (c.failure.code != MUNI_OK) {
			*e = c.failure;
			rc = -1;
		} else if (c.is_too_large) {
			look_opaque(l, "its attachment %s is too large to be held in memory",
				    text_printable(name));
		} else {
			look_opaque(l, "its attachment %s is damaged", text_printable(name));
		}
	}
	g_clear_error(&error);
	in = rc == 0 && c.bytes.size > 0 ? input_of_memory(c.bytes.data, c.bytes.size) : NULL;
	if (in)
		rc = look_into(l, in, name, e);
	input_free(in);
	if (c.bytes.data)	/* a file stood in it */
		explicit_bzero(c.bytes.data, c.bytes.capacity);
	buffer_free(&c.bytes);
	return rc;
}

int pdf_attachments(struct look *l, PopplerDocument *document, struct err *e)
{
	GList *list = poppler_document_get_attachments(document);
	int rc = 0;

	for (GList *at = list; at && rc == 0; at = at->next)
		rc = look_at_attachment(l, at->data, e);
	g_list_free_full(list, g_object_unref);
	return rc;
}

/* ---- on a page ---------------------------------------------------------------------------------- */

static int give_links(struct cells *cells, PopplerPage *page, const char *place, struct err *e)
{
	GList *list = poppler_page_get_link_mapping(page);
	int rc = 0;

	for (GList *at = list; at && rc == 0; at = at->next) {
		PopplerAction *action = ((PopplerLinkMapping *)at->data)->action;

		if (action && action->type == POPPLER_ACTION_URI)
			rc = give(cells, "link", place, g_strdup(action->uri.uri), e);
	}
	poppler_page_free_link_mapping(list);
	return rc;
}

static int give_annotation(struct look *l, struct cells *cells, PopplerAnnot *annotation,
			   const char *place, struct err *e)
{
	if (give(cells, "annotation", place, poppler_annot_get_contents(annotation), e) < 0)
		return -1;
	if (POPPLER_IS_ANNOT_MARKUP(annotation)) {
		PopplerAnnotMarkup *markup = POPPLER_ANNOT_MARKUP(annotation);

		if (give(cells, "author", place, poppler_annot_markup_get_label(markup), e) < 0 ||
		    give(cells, "subject", place, poppler_annot_markup_get_subject(markup), e) < 0)
			return -1;
	}
	if (POPPLER_IS_ANNOT_FILE_ATTACHMENT(annotation)) {
		PopplerAttachment *attachment = poppler_annot_file_attachment_get_attachment(
			POPPLER_ANNOT_FILE_ATTACHMENT(annotation));
		int rc = attachment ? look_at_attachment(l, attachment, e) : 0;

		if (attachment)
			g_object_unref(attachment);
		return rc;
	}
	return 0;
}

static int give_annotations(struct look *l, struct cells *cells, PopplerPage *page,
			    const char *place, struct err *e)
{
	GList *list = poppler_page_get_annot_mapping(page);
	int rc = 0;

	for (GList *at = list; at && rc == 0; at = at->next)
		rc = give_annotation(l, cells, ((PopplerAnnotMapping *)at->data)->annot, place, e);
	poppler_page_free_annot_mapping(list);
	return rc;
}

/* Its name says what it is for: "ssn", "Date of birth". */
static int give_field(struct cells *cells, PopplerFormField *field, const char *place,
		      struct err *e)
{
	char *name = poppler_form_field_get_name(field);
	char *shown = poppler_form_field_get_alternate_ui_name(field);
	char *label = g_strdup_printf("%s %s", name ? name : "", shown ? shown : "");
	int rc = 0;

	if (poppler_form_field_get_field_type(field) == POPPLER_FORM_FIELD_TEXT)
		rc = give(cells, label, place, poppler_form_field_text_get_text(field), e);
	else if (poppler_form_field_get_field_type(field) == POPPLER_FORM_FIELD_CHOICE)
		for (int i = 0; i < poppler_form_field_choice_get_n_items(field) && rc == 0; i++)
			rc = give(cells, label, place, poppler_form_field_choice_get_item(field, i),
				  e);
	g_free(label);
	g_free(shown);
	g_free(name);
	return rc;
}

static int give_fields(struct cells *cells, PopplerPage *page, const char *place,
		       struct err *e)
{
	GList *list = poppler_page_get_form_field_mapping(page);
	int rc = 0;

	for (GList *at = list; at && rc == 0; at = at->next)
		rc = give_field(cells, ((PopplerFormFieldMapping *)at->data)->field, place, e);
	poppler_page_free_form_field_mapping(list);
	return rc;
}

int pdf_page_parts(struct look *l, PopplerPage *page, const char *place, struct err *e)
{
	struct cells *cells = cells_new(l);
	int rc = -1;

	if (!cells)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a PDF");
	if (give_links(cells, page, place, e) == 0 &&
	    give_annotations(l, cells, page, place, e) == 0 &&
	    give_fields(cells, page, place, e) == 0)
		rc = cells_end(cells, e);
	cells_free(cells);
	return rc;
}
