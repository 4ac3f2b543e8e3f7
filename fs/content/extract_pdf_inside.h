/*
 * What the parts of the PDF reader share.
 */
#ifndef FS_CONTENT_EXTRACT_PDF_INSIDE_H
#define FS_CONTENT_EXTRACT_PDF_INSIDE_H

#include <poppler.h>
#include <stdbool.h>

struct buffer;
struct err;
struct input;
struct look;

/* extract_pdf_stream.c: a seekable input as poppler reads it; both borrowed until
 * the last reference is gone. */
GInputStream *pdf_stream_new(struct input *in, struct err *failure);

/*
 * extract_pdf_voice.c: what poppler says of a file while it reads it: whether text
 * was lost shows there alone.  It goes through GLib's log, one thread's.
 */
struct pdf_voice {
	unsigned handler;
	char table[64];		/* a table of characters that is missing; "" none */
	bool is_damaged;	/* something of the file could not be read */
};
void pdf_voice_begin(struct pdf_voice *v);
void pdf_voice_end(struct pdf_voice *v);
/* Forgets what was said. */
void pdf_voice_reset(struct pdf_voice *v);

/* extract_pdf_text.c: appends the text of a page. */
int pdf_page_text(PopplerPage *page, struct buffer *out, struct err *e);

/* extract_pdf_parts.c: what stands beside the pages' text. */
int pdf_information(struct look *l, PopplerDocument *document, struct err *e);
/* place: "page 3". */
int pdf_page_parts(struct look *l, PopplerPage *page, const char *place, struct err *e);
int pdf_attachments(struct look *l, PopplerDocument *document, struct err *e);

#endif
