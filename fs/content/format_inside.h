/*
 * The parts of format.c: each answers a MIME type from a constant string, or NULL
 * where it cannot tell.
 */
#ifndef FS_CONTENT_FORMAT_INSIDE_H
#define FS_CONTENT_FORMAT_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input;

/* The head of an item; text is its UTF-8 where it is text, else NULL. */
struct format_head {
	const uint8_t *data;
	size_t size;
	bool is_all;
	const char *text;
	size_t text_size;
	bool text_is_all;
	const char *extension;	/* lower case; "" without */
	struct input *in;	/* what lies further in; NULL: not to be had */
	bool *no_memory;	/* set where something could not be asked for want of it */
};

/* format.c: `size` bytes from anywhere; false: they are not to be had. */
bool format_read(const struct format_head *h, uint64_t offset, void *out, size_t size);

/* format_signature.c: by bytes at fixed places. */
const char *format_of_signature(const struct format_head *h);
/* ... that libmagic has no MIME type for: asked after it. */
const char *format_of_rare_signature(const struct format_head *h);

/* format_zip.c, format_ole.c: by the names inside. */
const char *format_of_zip(const struct format_head *h);
const char *format_of_ole(const struct format_head *h);

/* format_text.c: by how the text is built. */
const char *format_of_text(const struct format_head *h);
/* format_json.c, format_table.c, format_markup.c, format_lines.c */
const char *format_of_json(const struct format_head *h);
const char *format_of_table(const struct format_head *h);
const char *format_of_markup(const struct format_head *h);
const char *format_of_mail(const struct format_head *h);
const char *format_of_sql(const struct format_head *h);
const char *format_of_settings(const struct format_head *h);
/* format_sources.c: NULL: it is for libmagic to say. */
const char *format_of_source(const struct format_head *h);

/* format_names.c: does the extension stand for plain text? */
bool format_is_called_plain(const char *extension);

/* The extension of a name, lower case; "" without one. */
#define FORMAT_EXTENSION_MAX 16
void format_extension(const char *name, char out[FORMAT_EXTENSION_MAX]);

#endif
