/*
 * What a file is, by its bytes: libmagic's word, made finer where we know better
 * (office formats in zip, JSON, CSV, SQL dumps, mail), and what its extension
 * claims.
 */
#ifndef FS_CONTENT_FORMAT_H
#define FS_CONTENT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct formats;			/* libmagic's data, loaded once; one thread */

int formats_open(struct formats **out, struct err *e);
void formats_close(struct formats *f);	/* NULL is allowed */

/* head: the first bytes (up to INPUT_HEAD_SIZE), is_all: there are no more.  name
 * may be NULL.  format: MIME without parameters. */
int formats_identify(struct formats *f, const void *head, size_t size, bool is_all,
		     const char *name, char format[128], struct err *e);
/* The same of an input, which is asked for what lies further in where the head does
 * not say (a zip's list of members, a compound file's directory): of files and
 * memory; a stream is not held back for it.  Nothing is read in order. */
struct input;
int formats_identify_input(struct formats *f, struct input *in, const char *name,
			   char format[128], struct err *e);
/*
 * What the extension of `name` stands for, where that is something else than
 * `format` (aliases and families count as the same: text/plain for .log, .md;
 * application/zip for .docx does not); "" where it does not lie or says nothing.
 */
void format_claimed(const char *name, const char *format, char claimed[128]);

bool format_is_text(const char *format);	/* to be read as text */
/* Images, sound, video, fonts, programs: nothing to extract, and not opaque. */
bool format_is_textless(const char *format);

#endif
