/*
 * XML as events, over libxml2's push parser.
 *
 *   A1  Nothing outside the bytes is looked for: no DTD, no external entity.
 *   A2  Entities declared inside are put in where they are used, within bounds:
 *       what grows without end is stopped, and said.
 *   A3  Where the bytes stop being XML the events stop, and `rest` is given what
 *       follows the last event, as it stands.  Nothing is lost.
 *   A4  All text handed out is UTF-8; the declared or detected encoding is decoded
 *       before libxml2 sees it.
 */
#ifndef FS_CONTENT_EXTRACT_SAX_H
#define FS_CONTENT_EXTRACT_SAX_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct input;
struct look;

struct sax_attribute {
	const char *name;	/* local */
	const char *value;	/* not ended by NUL */
	size_t size;
};

struct sax_tag {
	const char *name;	/* local */
	const char *prefix;	/* "" without one */
	const struct sax_attribute *attributes;
	size_t attribute_count;
};

/* Each may be NULL, and returns -1 to stop. */
struct sax_handler {
	int (*start)(void *arg, const struct sax_tag *tag, struct err *e);
	int (*end)(void *arg, const char *name, struct err *e);
	int (*text)(void *arg, const char *text, size_t size, struct err *e);
	int (*aside)(void *arg, const char *text, size_t size, struct err *e);	/* comments, instructions */
	int (*rest)(void *arg, const char *text, size_t size, struct err *e);
};

/* -1: a handler's, memory, or reading failed.  *is_whole: the bytes were XML to
 * their end. */
int sax_parse(struct look *l, struct input *in, const struct sax_handler *h, void *arg,
	      bool *is_whole, struct err *e);

/* NULL: it has none.  Copied to out (cut at room), NUL ended. */
const char *sax_value(const struct sax_tag *tag, const char *name, char *out, size_t room);
const struct sax_attribute *sax_attribute(const struct sax_tag *tag, const char *name);

/* The encoding of XML that begins so; seen: what the bytes looked like, or "". */
#define SAX_ENCODING_MAX 32
void sax_encoding(const void *head, size_t size, const char *seen,
		  char out[SAX_ENCODING_MAX]);

#endif
