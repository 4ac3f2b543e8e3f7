/*
 * Mail: one message (RFC 5322, MIME), or an mbox, message after message.
 *
 * Header fields are cells; the texts of a message are prose; what is attached is
 * looked into as a file of its own.
 */
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/encoding.h"
#include "fs/content/extract_html.h"
#include "fs/content/extract_mail_mbox.h"
#include "fs/content/extract_mail_stream.h"
#include "fs/content/extract_prose.h"
#include "fs/content/look.h"

#define NESTING_MAX 64
#define PIECE_SIZE (32u << 10)
#define NAME_MAX_HERE 200

struct mail {
	struct look *look;
	struct input *in;
	struct prose *prose;
	struct cells *cells;
	bool is_mbox;
	unsigned long number;	/* of the message */
	struct err failure;	/* of the input */
	struct buffer left_out;	/* lines of headers that are none */
};

/* ---- places --------------------------------------------------------------------------------------- */

/* "message 7, body" in an mbox, "body" in a message. */
static void place_of(const struct mail *m, const char *what, char out[NAME_MAX_HERE])
{
	if (m->is_mbox)
		snprintf(out, NAME_MAX_HERE, "message %lu, %s", m->number, what);
	else
		snprintf(out, NAME_MAX_HERE, "%s", what);
}

static int give_headers(struct mail *m, GMimeObject *object, struct err *e)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	int count = g_mime_header_list_get_count(list);
	char place[NAME_MAX_HERE];

	place_of(m, "header", place);
	for (int i = 0; i < count; i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
		const char *name = g_mime_header_get_name(header);
		const char *value = g_mime_header_get_value(header);

		if (value && *value && cells_add(m->cells, name, place, value, strlen(value), e) < 0)
			return -1;
	}
	return cells_row(m->cells, e);
}

/* ---- texts ------------------------------------------------------------------------------------------ */

/* What a text says of itself: a letter in a letter. */
static void note_sealed(struct mail *m, const char *text, size_t size, const char *place)
{
	const char *begin = memmem(text, size, "\nbegin 6", 8);

	if (memmem(text, size, "-----BEGIN PGP MESSAGE-----", 27))
		look_opaque(m->look, "%s: encrypted (PGP)", place);
	if (begin && begin + 12 < text + size && begin[10] == ' ')
		look_opaque(m->look, "%s: holds a uuencoded file that was not decoded", place);
}

static int give_plain(struct mail *m, struct input *in, const char *what, struct err *e)
{
	char place[NAME_MAX_HERE];
	char piece[PIECE_SIZE];
	ssize_t n;

	place_of(m, what, place);
	while ((n = input_read(in, piece, sizeof piece, e)) > 0) {
		note_sealed(m, piece, (size_t)n, place);
		if (prose_add_piece(m->prose, place, piece, (size_t)n, e) < 0)
			return -1;
	}
	if (n < 0)
		return -1;
	return prose_end(m->prose, e);
}

static int give_words(struct mail *m, const char *words, const char *what, struct err *e)
{
	char place[NAME_MAX_HERE];

	if (!words || !*words)
		return 0;
	place_of(m, what, place);
	if (prose_add(m->prose, place, words, strlen(words), e) < 0)
		return -1;
	return prose_end(m->prose, e);
}

/* The charset that is declared and known, else what the bytes look like. */
static int charset_of(GMimePart *part, char out[ENCODING_NAME_MAX], struct err *e)
{
	const char *declared = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part),
									"charset");
	const char *known;
	GMimeStream *content;
	char head[8192];
	ssize_t n;
	int rc = 0;

	known = declared ? encoding_by_label(declared) : NULL;
	if (known && strcmp(known, "us-ascii") != 0 && g_ascii_strcasecmp(declared, "ascii") != 0) {
		snprintf(out, ENCODING_NAME_MAX, "%s", known);
		return 0;
	}
	out[0] = '\0';
	content = mail_content(part, false);
	n = content ? g_mime_stream_read(content, head, sizeof head) : 0;
	if (n > 0)
		rc = encoding_detect(head, (size_t)n, (size_t)n < sizeof head, out, e);
	if (!*out)
		snprintf(out, ENCODING_NAME_MAX, "windows-1252");
	if (content)
		g_object_unref(content);
	return rc;
}

/* Said to be base64, and is not: some of it is lost in decoding. */
static bool is_mislabelled(GMimePart *part)
{
	GMimeStream *raw;
	char head[4096];
	ssize_t n;
	unsigned strange = 0;

	if (g_mime_part_get_content_encoding(part) != GMIME_CONTENT_ENCODING_BASE64)
		return false;
	raw = mail_content(part, true);
	n = raw ? g_mime_stream_read(raw, head, sizeof head) : 0;
	for (ssize_t i = 0; i < n; i++)
		if (!g_ascii_isalnum(head[i]) && !strchr("+/=\r\n", head[i]))
			strange++;
	if (raw)
		g_object_unref(raw);
	return n > 0 && strange > (unsigned)n / 50;
}

/* A text of the message itself, decoded. */
static int give_text(struct mail *m, GMimePart *part, bool raw, bool is_html, struct err *e)
{
	char charset[ENCODING_NAME_MAX], place[NAME_MAX_HERE];
	struct mail_text *text = NULL;
	struct input *in = NULL;
	GMimeStream *content;
	int rc = -1;

	/* Before: all streams of a part are one, and each begins it anew. */
	if (charset_of(part, charset, e) < 0)
		return -1;
	content = mail_content(part, raw);
	if (!content)
		return 0;
	if (mail_text_new(content, charset, &text, e) < 0)
		goto out;
	in = input_of_stream(mail_text_read, text);
	if (!in) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read a message");
		goto out;
	}
	place_of(m, "body", place);
	rc = is_html ? html_flow(m->look, in, place, "utf-8", e) : give_plain(m, in, "body", e);
out:
	input_free(in);
	mail_text_free(text);
	g_object_unref(content);
	return rc;
}

/* ---- attachments --------------------------------------------------------------------------------------- */

static int give_file(struct mail *m, GMimePart *part, struct err *e)
{
	const char *name = g_mime_part_get_filename(part);
	GMimeStream *content = mail_content(part, false);
	char full[NAME_MAX_HERE + 64];
	struct input *in;
	int rc;

	if (!content)
		return 0;
	if (m->is_mbox)
		snprintf(full, sizeof full, "message %lu, %.180s", m->number,
			 name && *name ? name : "attachment");
	else
		snprintf(full, sizeof full, "%.180s", name && *name ? name : "attachment");
	in = input_of_stream(mail_bytes_read, content);
	if (!in) {
		g_object_unref(content);
		return err_set(e, MUNI_NO_MEMORY, "no memory to read an attachment");
	}
	rc = look_into(m->look, in, full, e);
	input_free(in);
	g_object_unref(content);
	return rc;
}

static bool is_type(GMimeObject *object, const char *type, const char *subtype)
{
	return g_mime_content_type_is_type(g_mime_object_get_content_type(object), type, subtype);
}

/* A seal or a signature: the first is said, the second has nothing to be read. */
static bool is_crypto(struct mail *m, GMimeObject *object)
{
	const char *kind;

	if (is_type(object, "application", "pgp-signature") ||
	    is_type(object, "application", "pkcs7-signature") ||
	    is_type(object, "application", "x-pkcs7-signature"))
		return true;
	if (!is_type(object, "application", "pkcs7-mime") &&
	    !is_type(object, "application", "x-pkcs7-mime"))
		return false;
	kind = g_mime_object_get_content_type_parameter(object, "smime-type");
	if (kind && !g_ascii_strcasecmp(kind, "signed-data"))
		look_opaque(m->look, "a message that is wrapped into its S/MIME signature");
	else
		look_opaque(m->look, "encrypted (S/MIME)");
	return true;
}

static int give_part(struct mail *m, GMimePart *part, struct err *e)
{
	GMimeObject *object = GMIME_OBJECT(part);
	const char *disposition = g_mime_object_get_disposition(object);
	bool is_attached = (disposition && !g_ascii_strcasecmp(disposition, "attachment")) ||
			   g_mime_part_get_filename(part);
	bool is_plain = is_type(object, "text", "plain"), is_html = is_type(object, "text", "html");

	if (is_crypto(m, object))
		return 0;
	if (is_attached || (!is_plain && !is_html))
		return give_file(m, part, e);
	if (is_mislabelled(part) && give_text(m, part, true, false, e) < 0)
		return -1;
	return give_text(m, part, false, is_html, e);
}

/* ---- the tree ------------------------------------------------------------------------------------------- */

static int give_object(struct mail *m, GMimeObject *object, unsigned depth, struct err *e);

static int give_multipart(struct mail *m, GMimeMultipart *multipart, unsigned depth,
			  struct err *e)
{
	int count = g_mime_multipart_get_count(multipart);

	if (is_type(GMIME_OBJECT(multipart), "multipart", "encrypted")) {
		look_opaque(m->look, "encrypted (PGP)");
		return 0;
	}
	if (give_words(m, g_mime_multipart_get_prologue(multipart), "before its parts", e) < 0)
		return -1;
	for (int i = 0; i < count; i++)
		if (give_object(m, g_mime_multipart_get_part(multipart, i), depth + 1, e) < 0)
			return -1;
	return give_words(m, g_mime_multipart_get_epilogue(multipart), "behind its parts", e);
}

static int give_message(struct mail *m, GMimeMessage *message, unsigned depth, struct err *e)
{
	GMimeObject *body = g_mime_message_get_mime_part(message);

	if (give_headers(m, GMIME_OBJECT(message), e) < 0)
		return -1;
	return body ? give_object(m, body, depth + 1, e) : 0;
}

static int give_object(struct mail *m, GMimeObject *object, unsigned depth, struct err *e)
{
	if (!object)
		return 0;
	if (depth > NESTING_MAX) {
		look_opaque(m->look, "its parts are nested deeper than %u", NESTING_MAX);
		return 0;
	}
	if (give_headers(m, object, e) < 0)
		return -1;
	if (GMIME_IS_MULTIPART(object))
		return give_multipart(m, GMIME_MULTIPART(object), depth, e);
	if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));

		return inner ? give_message(m, inner, depth + 1, e) : 0;
	}
	if (GMIME_IS_MESSAGE_PARTIAL(object))
		look_opaque(m->look, "a piece of a message that was sent in pieces");
	return GMIME_IS_PART(object) ? give_part(m, GMIME_PART(object), e) : 0;
}

/* ---- the whole -------------------------------------------------------------------------------------------- */

/* What is no field of a header, among them: GMime leaves it out. */
static void on_complaint(gint64 offset, GMimeParserWarning code, const char *item, void *arg)
{
	struct mail *m = arg;

	(void)offset;
	if (code == GMIME_CRIT_NESTING_OVERFLOW)
		look_opaque(m->look, "its parts are nested without end");
	if (item && code == GMIME_CRIT_INVALID_HEADER_NAME) {
		buffer_append(&m->left_out, item, strlen(item));
		buffer_u8(&m->left_out, '\n');
	}
}

static int give_left_out(struct mail *m, struct err *e)
{
	char place[NAME_MAX_HERE];
	int rc;

	if (m->left_out.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a message");
	if (m->left_out.size == 0)
		return 0;
	place_of(m, "header", place);
	rc = cells_add(m->cells, NULL, place, m->left_out.data, m->left_out.size, e);
	buffer_reset(&m->left_out);
	return rc;
}

static int read_message(struct mail *m, GMimeStream *stream, bool can_seek, struct err *e)
{
	static const char *charsets[] = { "utf-8", "gb18030", "windows-1252", NULL };
	GMimeParserOptions *options = g_mime_parser_options_new();
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message;
	int rc = 0;

	/* Encoded words are decoded also where a standard would not have them. */
	g_mime_parser_options_set_rfc2047_compliance_mode(options, GMIME_RFC_COMPLIANCE_LOOSE);
	g_mime_parser_options_set_fallback_charsets(options, charsets);
	g_mime_parser_options_set_warning_callback(options, on_complaint, m);
	g_mime_parser_set_persist_stream(parser, can_seek);
	message = g_mime_parser_construct_message(parser, options);
	if (message)
		rc = give_message(m, message, 0, e);
	else
		look_opaque(m->look, "damaged: no message could be made out in it");
	if (rc == 0)
		rc = give_left_out(m, e);
	if (rc == 0 && m->failure.code != MUNI_OK) {
		*e = m->failure;
		rc = -1;
	}
	if (message)
		g_object_unref(message);
	g_object_unref(parser);
	g_mime_parser_options_free(options);
	return rc;
}

static int on_message(void *arg, const struct mbox_message *message, struct err *e)
{
	struct mail *m = arg;
	struct input *in = message->data ? input_of_memory(message->data, message->size) : NULL;
	GMimeStream *whole, *stream;
	int rc;

	if (message->data && !in)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a message");
	m->number = message->number;
	if (cells_add(m->cells, "From", "envelope", message->envelope, message->envelope_size,
		      e) < 0) {
		input_free(in);
		return -1;
	}
	whole = mail_stream_new(in ? in : m->in, true, &m->failure);
	stream = in ? whole : g_mime_stream_substream(whole, (gint64)message->start,
						      (gint64)message->end);
	rc = read_message(m, stream, true, e);
	if (stream != whole)
		g_object_unref(stream);
	g_object_unref(whole);
	input_free(in);
	return rc;
}

static int read_single(struct mail *m, bool can_seek, struct err *e)
{
	GMimeStream *stream = mail_stream_new(m->in, can_seek, &m->failure);
	int rc = read_message(m, stream, can_seek, e);

	g_object_unref(stream);
	return rc;
}

int extract_mail(struct look *l, struct input *in, struct err *e)
{
	struct mail m = { .look = l, .in = in, .prose = prose_new(l), .cells = cells_new(l) };
	struct err why = ERR_NONE;
	bool can_seek;
	int rc = -1;

	if (!m.prose || !m.cells) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read mail");
		goto out;
	}
	can_seek = input_seekable(in, &why) == 0;
	if (!can_seek && why.code != MUNI_LIMIT) {
		*e = why;
		goto out;
	}
	g_mime_init();
	m.is_mbox = !strcmp(look_format(l), "application/mbox");
	rc = m.is_mbox ? mbox_read(l, in, can_seek, on_message, &m, e)
		       : read_single(&m, can_seek, e);
	if (rc == 0)
		rc = cells_end(m.cells, e);
out:
	buffer_free(&m.left_out);
	prose_free(m.prose);
	cells_free(m.cells);
	return rc;
}
