/*
 * libarchive's reader: which formats it may know, and what to call them.
 */
#include <archive.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/foreign_child_inside.h"
#include "fs/vault/foreign_short.h"

static la_ssize_t read_plain(struct archive *a, void *arg, const void **block)
{
	struct source *s = arg;
	ssize_t n = source_read(s, block);

	if (n < 0)
		archive_set_error(a, EIO, "%s", s->failure.text);
	return n;
}

static la_int64_t seek_plain(struct archive *a, void *arg, la_int64_t offset, int whence)
{
	int64_t at = source_seek(arg, offset, whence);

	if (at < 0)
		archive_set_error(a, EINVAL, "it points outside itself");
	return at < 0 ? ARCHIVE_FATAL : at;
}

/* Each by name: "all" would bring mtree, which opens files of the host. */
struct archive *child_new_reader(const struct foreign_options *o)
{
	struct archive *a = archive_read_new();

	if (!a)
		return NULL;
	if (archive_read_support_format_tar(a) < ARCHIVE_WARN ||
	    archive_read_support_format_zip_streamable(a) < ARCHIVE_WARN ||
	    archive_read_support_format_zip_seekable(a) < ARCHIVE_WARN ||
	    archive_read_support_format_7zip(a) < ARCHIVE_WARN ||
	    archive_read_support_format_iso9660(a) < ARCHIVE_WARN ||
	    archive_read_support_format_cpio(a) < ARCHIVE_WARN ||
	    archive_read_support_format_ar(a) < ARCHIVE_WARN ||
	    archive_read_support_format_cab(a) < ARCHIVE_WARN ||
	    archive_read_support_format_lha(a) < ARCHIVE_WARN ||
	    archive_read_support_format_xar(a) < ARCHIVE_WARN ||
	    archive_read_support_format_warc(a) < ARCHIVE_WARN ||
	    archive_read_support_format_raw(a) < ARCHIVE_WARN ||
	    (o->allow_rar && (archive_read_support_format_rar(a) < ARCHIVE_WARN ||
			      archive_read_support_format_rar5(a) < ARCHIVE_WARN)) ||
	    (o->name_encoding && archive_read_set_option(a, NULL, "hdrcharset",
							 o->name_encoding) < ARCHIVE_WARN)) {
		archive_read_free(a);
		return NULL;
	}
	return a;
}

int child_open_reader(struct child *c)
{
	archive_read_set_read_callback(c->a, read_plain);
	if (c->source.is_direct)
		archive_read_set_seek_callback(c->a, seek_plain);
	archive_read_set_callback_data(c->a, &c->source);
	return archive_read_open1(c->a);
}

const char *child_why(struct child *c)
{
	const char *text = archive_error_string(c->a);

	if (c->source.failure.code != MUNI_OK)
		return c->source.failure.text;
	if (source_lacks_memory(c->a))
		return text ? text : "no memory to read it";
	if (short_why() == SHORTAGE_LIMIT)
		return "it needs more memory than reading it may take";
	if (short_why() == SHORTAGE_MACHINE)
		return "this machine had no memory left to read it, which says nothing of it";
	if (!text)
		return "it was cut off, or something in its headers was not understood";
	snprintf(c->why, sizeof c->why, "%.*s", (int)text_said_size(text), text);
	return c->why;
}

enum muni_code child_code(struct child *c)
{
	enum muni_code code = c->source.failure.code;

	if (code == MUNI_OK)
		code = source_lacks_memory(c->a) || short_why() != SHORTAGE_NONE ? MUNI_NO_MEMORY :
		       MUNI_DAMAGED;
	/* libarchive says so of its own limits, too. */
	return code == MUNI_NO_MEMORY && short_why() != SHORTAGE_MACHINE ? MUNI_LIMIT : code;
}

_Noreturn void child_broken(struct child *c, enum muni_code code, const char *text)
{
	if (code == MUNI_NO_MEMORY && short_why() == SHORTAGE_LIMIT) {
		code = MUNI_LIMIT;
		text = "reading it needs more memory than the process that reads it may have";
	}
	voice_failure(&c->voice, WIRE_BROKEN, code, text);
	child_leave(c, 1);
}

int child_format(struct child *c)
{
	return archive_format(c->a) & ARCHIVE_FORMAT_BASE_MASK;
}

/* ---- kinds -------------------------------------------------------------------- */

static const char *format_name(int format)
{
	switch (format) {
	case ARCHIVE_FORMAT_TAR:
		return "tar";
	case ARCHIVE_FORMAT_ZIP:
		return "zip";
	case ARCHIVE_FORMAT_7ZIP:
		return "7z";
	case ARCHIVE_FORMAT_ISO9660:
		return "iso9660";
	case ARCHIVE_FORMAT_CPIO:
		return "cpio";
	case ARCHIVE_FORMAT_AR:
		return "ar";
	case ARCHIVE_FORMAT_CAB:
		return "cab";
	case ARCHIVE_FORMAT_LHA:
		return "lha";
	case ARCHIVE_FORMAT_XAR:
		return "xar";
	case ARCHIVE_FORMAT_WARC:
		return "warc";
	case ARCHIVE_FORMAT_RAR:
	case ARCHIVE_FORMAT_RAR_V5:
		return "rar";
	default:
		return "raw";
	}
}

static _Noreturn void refuse_unknown(struct child *c)
{
	const uint8_t *at = c->source.raw;
	char text[WIRE_TEXT_MAX];

	if (!c->options->allow_rar && c->source.consumed >= 6 && !memcmp(at, "Rar!\x1a\x07", 6))
		child_broken(c, MUNI_FORMAT, "it is a RAR archive, which is read only when "
			     "asked for (--rar)");
	if (*c->source.packing)
		snprintf(text, sizeof text, "it is packed (%s), but what is inside is not an "
			 "archive; with --raw it is taken in as a single file.  Archives that "
			 "are read: %s", c->source.packing, FOREIGN_FORMATS);
	else
		snprintf(text, sizeof text, "it is not an archive of a kind that is read: %s",
			 FOREIGN_FORMATS);
	child_broken(c, MUNI_FORMAT, text);
}

void child_say_kind(struct child *c)
{
	char text[128];
	int format = child_format(c);

	if (c->said_kind)
		return;
	if (format == ARCHIVE_FORMAT_RAW && (!c->options->allow_raw || !*c->source.packing))
		refuse_unknown(c);
	c->source.is_remembering = format == ARCHIVE_FORMAT_TAR ||
				   format == ARCHIVE_FORMAT_CPIO ||
				   format == ARCHIVE_FORMAT_ZIP;
	snprintf(text, sizeof text, "%s%s%s", format_name(format), *c->source.packing ? "+" : "",
		 c->source.packing);
	voice_text(&c->voice, WIRE_KIND, text);
	c->said_kind = true;
}
