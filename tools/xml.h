/*
 * Documents of XML and HTML on a stream, by libxml2's writer: what is open, and escaping, is its.
 *
 * The first failure stays, every later call does nothing, and xml_end() tells it.
 */
#ifndef TOOLS_XML_H
#define TOOLS_XML_H

#include <stdio.h>

struct err;
struct xml;

enum xml_kind {
	XML_DOCUMENT,		/* indented; an element without content is written as <a/> */
	XML_HTML,		/* HTML 5 that is XML, too: no element but void ones ends by itself */
};

/* what: "PREMIS document", for messages; borrowed, as `to` is.  NULL without memory, which
 * every call below takes and xml_end() tells. */
struct xml *xml_new(FILE *to, enum xml_kind kind, const char *what);
void xml_open(struct xml *x, const char *name);
/* Right behind xml_open(). */
void xml_attribute(struct xml *x, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* UTF-8; what XML 1.0 has no way to say (control characters) as JSON says it.  NULL: there was
 * no memory for it. */
void xml_text(struct xml *x, const char *text);
void xml_close(struct xml *x);
/* HTML: of an element that is void (<meta/>). */
void xml_close_void(struct xml *x);
/* All of an element. */
void xml_element(struct xml *x, const char *name, const char *text);
void xml_element_f(struct xml *x, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Ends the document; frees x. */
int xml_end(struct xml *x, struct err *e);

#endif
