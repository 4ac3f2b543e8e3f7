#include "fs/content/extract_pdf_inside.h"

#include <stdint.h>

#include "fs/base/err.h"
#include "fs/content/input.h"

struct pdf_stream {
	GInputStream parent;
	struct input *in;
	struct err *failure;
	goffset position, size;
};

struct pdf_stream_class {
	GInputStreamClass parent;
};

typedef struct pdf_stream PdfStream;			/* GObject's macros want these */
typedef struct pdf_stream_class PdfStreamClass;

static void seekable_init(GSeekableIface *iface);

GType pdf_stream_get_type(void);
G_DEFINE_TYPE_WITH_CODE(PdfStream, pdf_stream, G_TYPE_INPUT_STREAM,
			G_IMPLEMENT_INTERFACE(G_TYPE_SEEKABLE, seekable_init))

static struct pdf_stream *of(void *object)
{
	return object;
}

static gssize on_read(GInputStream *stream, void *out, gsize size, GCancellable *cancellable,
		      GError **error)
{
	struct pdf_stream *s = of(stream);
	ssize_t n = input_at(s->in, (uint64_t)s->position, out, size, s->failure);

	(void)cancellable;
	if (n < 0)
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, s->failure->text);
	else
		s->position += n;
	return n;
}

static gboolean on_close(GInputStream *stream, GCancellable *cancellable, GError **error)
{
	(void)stream;
	(void)cancellable;
	(void)error;
	return TRUE;
}

static goffset on_tell(GSeekable *seekable)
{
	return of(seekable)->position;
}

static gboolean on_can_seek(GSeekable *seekable)
{
	(void)seekable;
	return TRUE;
}

static gboolean on_seek(GSeekable *seekable, goffset offset, GSeekType type,
			GCancellable *cancellable, GError **error)
{
	struct pdf_stream *s = of(seekable);
	goffset base = type == G_SEEK_SET ? 0 : type == G_SEEK_CUR ? s->position : s->size;

	(void)cancellable;
	if ((offset > 0 && base > INT64_MAX - offset) || base + offset < 0) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
				    "it points outside itself");
		return FALSE;
	}
	s->position = base + offset;
	return TRUE;
}

static gboolean on_can_truncate(GSeekable *seekable)
{
	(void)seekable;
	return FALSE;
}

static gboolean on_truncate(GSeekable *seekable, goffset size, GCancellable *cancellable,
			    GError **error)
{
	(void)seekable;
	(void)size;
	(void)cancellable;
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "it is read only");
	return FALSE;
}

static void seekable_init(GSeekableIface *iface)
{
	iface->tell = on_tell;
	iface->can_seek = on_can_seek;
	iface->seek = on_seek;
	iface->can_truncate = on_can_truncate;
	iface->truncate_fn = on_truncate;
}

static void pdf_stream_class_init(PdfStreamClass *class)
{
	class->parent.read_fn = on_read;
	class->parent.close_fn = on_close;
}

static void pdf_stream_init(PdfStream *stream)
{
	(void)stream;
}

GInputStream *pdf_stream_new(struct input *in, struct err *failure)
{
	struct pdf_stream *s = g_object_new(pdf_stream_get_type(), NULL);
	uint64_t size = 0;

	(void)input_size(in, &size);
	s->in = in;
	s->failure = failure;
	s->size = (goffset)size;
	return &s->parent;
}
