/*
 * Between GMime's streams and ours, in both directions.
 */
#ifndef FS_CONTENT_EXTRACT_MAIL_STREAM_H
#define FS_CONTENT_EXTRACT_MAIL_STREAM_H

#include <gmime/gmime.h>
#include <stdbool.h>

struct err;
struct input;

/* in and failure: borrowed until the last reference is gone.  can_seek: in is
 * seekable; then GMime goes back for the bodies, and holds none in memory. */
GMimeStream *mail_stream_new(struct input *in, bool can_seek, struct err *failure);

/* The content of a part with its transfer encoding undone; NULL: it has none.
 * raw: as it stands.  g_object_unref() it. */
GMimeStream *mail_content(GMimePart *part, bool raw);
/* The same as UTF-8 out of a charset, for input_of_stream(). */
struct mail_text;
int mail_text_new(GMimeStream *content, const char *charset, struct mail_text **out,
		  struct err *e);
void mail_text_free(struct mail_text *t);	/* NULL is allowed */
ssize_t mail_text_read(void *text, void *out, size_t size, struct err *e);
/* And without any charset; arg is a GMimeStream. */
ssize_t mail_bytes_read(void *stream, void *out, size_t size, struct err *e);

#endif
