/*
 * Who is asked, in order: signatures at fixed places, the names inside zip and
 * compound files, our own reading of text; and libmagic, whose word stands where
 * none of these knows better.
 */
#include "fs/content/format.h"

#include <errno.h>
#include <ctype.h>
#include <magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/content/encoding.h"
#include "fs/content/format_inside.h"
#include "fs/content/input.h"

#define TEXT_MAX (64u << 10)	/* of text that is looked at */
/* Of text that libmagic sees: its own searches go no further than 8 KiB, but it
 * takes a third of a microsecond for each byte more. */
#define MAGIC_TEXT_MAX (16u << 10)

struct formats {
	magic_t magic;
	char text[TEXT_MAX];	/* of text in another encoding, as UTF-8 */
	bool no_memory;		/* for the item at hand */
};

int formats_open(struct formats **out, struct err *e)
{
	struct formats *f = calloc(1, sizeof *f);

	*out = NULL;
	if (f == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to tell formats apart");
	/* Tables and JSON are ours to know. */
	f->magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_CSV |
			      MAGIC_NO_CHECK_JSON);
	if (f->magic == NULL) {
		free(f);
		return err_set(e, MUNI_NO_MEMORY, "no memory to tell formats apart");
	}
	if (magic_load(f->magic, NULL) < 0) {
		err_set(e, MUNI_UNSUPPORTED, "the database of file formats cannot be loaded "
			"(%s): install libmagic with its data (Debian: libmagic-mgc)",
			magic_error(f->magic));
		formats_close(f);
		return -1;
	}
	*out = f;
	return 0;
}

void formats_close(struct formats *f)
{
	if (f == NULL)
		return;
	magic_close(f->magic);
	free(f);
}

/* The text of the head as UTF-8: as it is, or decoded into f->text. */
static int take_text(struct formats *f, const char *encoding, struct format_head *h,
		     struct err *e)
{
	struct decoder *d = NULL;
	struct err unknown = ERR_NONE;
	size_t used, made;

	if (encoding_is_utf8(encoding)) {
		size_t mark = h->size >= 3 && memcmp(h->data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

		h->text = (const char *)h->data + mark;
		h->text_size = h->size - mark;
		h->text_is_all = h->is_all;
		return 0;
	}
	if (decoder_new(encoding, &d, &unknown) < 0) {
		if (unknown.code != MUNI_NO_MEMORY)
			return 0;	/* no text to look at: libmagic sees the bytes */
		*e = unknown;
		return -1;
	}
	decoder_run(d, h->data, h->size, h->is_all, f->text, sizeof f->text, &used, &made);
	decoder_free(d);
	h->text = f->text;
	h->text_size = made;
	h->text_is_all = h->is_all && used == h->size;
	return 0;
}

const char *format_of_text(const struct format_head *h)
{
	static const char *(*const kinds[])(const struct format_head *) = {
		format_of_json, format_of_markup, format_of_mail, format_of_sql,
		format_of_settings, format_of_table, format_of_source,
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		const char *format = kinds[i](h);

		if (format != NULL)
			return format;
	}
	return NULL;
}

/* libmagic's word, as far as it is one. */
static const char *ask_magic(struct formats *f, const struct format_head *h)
{
	size_t size = h->text_size < MAGIC_TEXT_MAX ? h->text_size : MAGIC_TEXT_MAX;
	const char *said = h->text != NULL ? magic_buffer(f->magic, h->text, size)
					   : magic_buffer(f->magic, h->data, h->size);

	if (said == NULL && magic_errno(f->magic) == ENOMEM)
		*h->no_memory = true;
	if (said == NULL || strchr(said, '/') == NULL)
		said = "application/octet-stream";
	if (h->text != NULL && strcmp(said, "application/octet-stream") == 0)
		said = "text/plain";
	return said;
}

bool format_read(const struct format_head *h, uint64_t offset, void *out, size_t size)
{
	struct err ignored = ERR_NONE;
	size_t made = 0;

	if (offset <= h->size && size <= h->size - offset) {
		memcpy(out, h->data + offset, size);
		return true;
	}
	while (h->in != NULL && made < size) {
		ssize_t n = input_at(h->in, offset + made, (uint8_t *)out + made, size - made,
				     &ignored);

		if (n <= 0)
			return false;
		made += (size_t)n;
	}
	return h->in != NULL;
}

static const char *name_of(struct formats *f, struct format_head *h, struct err *e)
{
	char encoding[ENCODING_NAME_MAX];
	const char *found = format_of_signature(h);

	if (found == NULL)
		found = format_of_zip(h);
	if (found == NULL)
		found = format_of_ole(h);
	if (found != NULL)
		return found;
	if (encoding_detect(h->data, h->size, h->is_all, encoding, e) < 0 ||
	    (encoding[0] != '\0' && take_text(f, encoding, h, e) < 0))
		return NULL;
	if (h->text != NULL)
		found = format_of_text(h);
	if (found == NULL)
		found = ask_magic(f, h);
	if (strcmp(found, "application/octet-stream") == 0 && format_of_rare_signature(h) != NULL)
		found = format_of_rare_signature(h);
	return found;
}

static int identify(struct formats *f, struct format_head *h, const char *name,
		    char format[128], struct err *e)
{
	char extension[FORMAT_EXTENSION_MAX];
	const char *found = "inode/x-empty";

	format_extension(name, extension);
	h->extension = extension;
	f->no_memory = false;
	h->no_memory = &f->no_memory;
	if (h->size > 0)
		found = name_of(f, h, e);
	if (found == NULL)
		return -1;
	if (f->no_memory)
		return err_set(e, MUNI_NO_MEMORY, "no memory to tell formats apart");
	snprintf(format, 128, "%s", found);
	return 0;
}

int formats_identify(struct formats *f, const void *head, size_t size, bool is_all,
		     const char *name, char format[128], struct err *e)
{
	struct format_head h = { .data = head, .size = size, .is_all = is_all };

	return identify(f, &h, name, format, e);
}

int formats_identify_input(struct formats *f, struct input *in, const char *name,
			   char format[128], struct err *e)
{
	struct format_head h = { .in = NULL };
	const void *head;
	uint64_t size;

	if (input_head(in, &head, &h.size, e) < 0)
		return -1;
	h.data = head;
	h.is_all = h.size < INPUT_HEAD_SIZE;
	if (!h.is_all && input_size(in, &size))
		h.in = in;
	return identify(f, &h, name, format, e);
}
