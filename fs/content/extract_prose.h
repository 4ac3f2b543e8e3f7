/*
 * Prose: the paragraphs of a document as one stretch of text, so that a word in
 * one gives context to the next, each with its own place.
 */
#ifndef FS_CONTENT_EXTRACT_PROSE_H
#define FS_CONTENT_EXTRACT_PROSE_H

#include <stddef.h>

struct err;
struct look;
struct prose;

struct prose *prose_new(struct look *l);	/* NULL without memory */
void prose_free(struct prose *p);		/* NULL is allowed */
/* A paragraph: a newline follows it.  place: copied. */
int prose_add(struct prose *p, const char *place, const void *text, size_t size,
	      struct err *e);
/* A piece of a paragraph that goes on. */
int prose_add_piece(struct prose *p, const char *place, const void *text, size_t size,
		    struct err *e);
/* Ends the stretch; the next paragraph begins another.  To be called before cells
 * are ended or anything is looked into. */
int prose_end(struct prose *p, struct err *e);

#endif
