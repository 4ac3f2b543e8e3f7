#include "fs/content/extract_mail_stream.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/content/encoding.h"
#include "fs/content/input.h"

#define STORED_SIZE (16u << 10)

/* ---- our bytes as a stream of GMime's ---------------------------------------------------------- */

struct mail_stream {
	GMimeStream parent;
	struct input *in;
	bool can_seek, is_at_end;
	struct err *failure;
};

struct mail_stream_class {
	GMimeStreamClass parent;
};

typedef struct mail_stream MailStream;			/* GObject's macros want these */
typedef struct mail_stream_class MailStreamClass;

GType mail_stream_get_type(void);
G_DEFINE_TYPE(MailStream, mail_stream, GMIME_TYPE_STREAM)

static struct mail_stream *of(GMimeStream *stream)
{
	return (struct mail_stream *)stream;
}

static ssize_t on_read(GMimeStream *stream, char *out, size_t size)
{
	struct mail_stream *m = of(stream);
	ssize_t n;

	if (stream->bound_end != -1) {
		if (stream->position >= stream->bound_end)
			return 0;
		if ((gint64)size > stream->bound_end - stream->position)
			size = (size_t)(stream->bound_end - stream->position);
	}
	n = m->can_seek ? input_at(m->in, (uint64_t)stream->position, out, size, m->failure)
			: input_read(m->in, out, size, m->failure);
	if (n > 0)
		stream->position += n;
	m->is_at_end = n <= 0;
	return n;
}

static gboolean on_eos(GMimeStream *stream)
{
	return of(stream)->is_at_end ||
	       (stream->bound_end != -1 && stream->position >= stream->bound_end);
}

static int on_reset(GMimeStream *stream)
{
	if (!of(stream)->can_seek && stream->position != stream->bound_start)
		return -1;
	of(stream)->is_at_end = false;
	stream->position = stream->bound_start;
	return 0;
}

static gint64 on_length(GMimeStream *stream)
{
	uint64_t size;

	if (stream->bound_end != -1)
		return stream->bound_end - stream->bound_start;
	return input_size(of(stream)->in, &size) ? (gint64)size - stream->bound_start : -1;
}

static gint64 on_seek(GMimeStream *stream, gint64 offset, GMimeSeekWhence whence)
{
	gint64 end = stream->bound_start + on_length(stream);
	gint64 to = whence == GMIME_STREAM_SEEK_SET ? offset
		  : whence == GMIME_STREAM_SEEK_CUR ? stream->position + offset : end + offset;

	if (!of(stream)->can_seek || to < stream->bound_start ||
	    (stream->bound_end != -1 && to > stream->bound_end))
		return -1;
	of(stream)->is_at_end = false;
	stream->position = to;
	return to;
}

static gint64 on_tell(GMimeStream *stream)
{
	return stream->position;
}

static int on_close(GMimeStream *stream)
{
	(void)stream;
	return 0;
}

static GMimeStream *on_substream(GMimeStream *stream, gint64 start, gint64 end)
{
	struct mail_stream *part = g_object_new(mail_stream_get_type(), NULL);

	g_mime_stream_construct(&part->parent, start, end);
	part->in = of(stream)->in;
	part->can_seek = of(stream)->can_seek;
	part->failure = of(stream)->failure;
	return &part->parent;
}

static void mail_stream_class_init(MailStreamClass *class)
{
	class->parent.read = on_read;
	class->parent.eos = on_eos;
	class->parent.reset = on_reset;
	class->parent.seek = on_seek;
	class->parent.tell = on_tell;
	class->parent.length = on_length;
	class->parent.close = on_close;
	class->parent.flush = on_close;
	class->parent.substream = on_substream;
}

static void mail_stream_init(MailStream *stream)
{
	(void)stream;
}

GMimeStream *mail_stream_new(struct input *in, bool can_seek, struct err *failure)
{
	struct mail_stream *m = g_object_new(mail_stream_get_type(), NULL);

	g_mime_stream_construct(&m->parent, 0, -1);
	m->in = in;
	m->can_seek = can_seek;
	m->failure = failure;
	return &m->parent;
}

/* ---- a part's content as bytes of ours ------------------------------------------------------------ */

GMimeStream *mail_content(GMimePart *part, bool raw)
{
	GMimeDataWrapper *wrapper = g_mime_part_get_content(part);
	GMimeStream *stream = wrapper ? g_mime_data_wrapper_get_stream(wrapper) : NULL;
	GMimeStream *decoded;
	GMimeFilter *filter;

	if (!stream || g_mime_stream_reset(stream) < 0)
		return NULL;
	if (raw) {
		g_object_ref(stream);
		return stream;
	}
	decoded = g_mime_stream_filter_new(stream);
	filter = g_mime_filter_basic_new(g_mime_data_wrapper_get_encoding(wrapper), FALSE);
	g_mime_stream_filter_add(GMIME_STREAM_FILTER(decoded), filter);
	g_object_unref(filter);
	return decoded;
}

ssize_t mail_bytes_read(void *stream, void *out, size_t size, struct err *e)
{
	ssize_t n = g_mime_stream_read(stream, out, size);

	if (n < 0 && e->code == MUNI_OK)
		return err_set(e, MUNI_DAMAGED, "a part of the message could not be read");
	return n;
}

struct mail_text {
	GMimeStream *content;	/* owned */
	struct decoder *decoder;
	size_t start, end;	/* of what is not decoded yet */
	bool is_at_end, is_over;
	uint8_t stored[STORED_SIZE];
};

int mail_text_new(GMimeStream *content, const char *charset, struct mail_text **out,
		  struct err *e)
{
	struct mail_text *t = calloc(1, sizeof *t);

	*out = NULL;
	if (!t)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a message");
	if (decoder_new(charset, &t->decoder, e) < 0) {
		free(t);
		return -1;
	}
	t->content = content;
	g_object_ref(content);
	*out = t;
	return 0;
}

void mail_text_free(struct mail_text *t)
{
	if (!t)
		return;
	g_object_unref(t->content);
	decoder_free(t->decoder);
	explicit_bzero(t->stored, sizeof t->stored);
	free(t);
}

ssize_t mail_text_read(void *arg, void *out, size_t size, struct err *e)
{
	struct mail_text *t = arg;
	size_t used = 0, made = 0;

	while (!t->is_over && made == 0) {
		if (t->start == t->end && !t->is_at_end) {
			ssize_t n = mail_bytes_read(t->content, t->stored, sizeof t->stored, e);

			if (n < 0)
				return -1;
			t->start = 0;
			t->end = (size_t)n;
			t->is_at_end = n == 0;
		}
		decoder_run(t->decoder, t->stored + t->start, t->end - t->start, t->is_at_end, out,
			    size, &used, &made);
		t->start += used;
		t->is_over = t->is_at_end && made == 0;
	}
	return (ssize_t)made;
}
