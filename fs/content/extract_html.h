/*
 * HTML as text that flows: also for mail and books.
 */
#ifndef FS_CONTENT_EXTRACT_HTML_H
#define FS_CONTENT_EXTRACT_HTML_H

struct err;
struct input;
struct look;

/* part: the place of what is found; "": paragraphs are counted.  encoding: "" where
 * the page itself or its bytes say it. */
int html_flow(struct look *l, struct input *in, const char *part, const char *encoding,
	      struct err *e);

#endif
