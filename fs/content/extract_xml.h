/*
 * XML of any kind as cells: also for the parts of other formats.
 */
#ifndef FS_CONTENT_EXTRACT_XML_H
#define FS_CONTENT_EXTRACT_XML_H

#include <stdbool.h>

struct err;
struct input;
struct look;

struct xml_manner {
	const char *place;	/* put before the path of each cell; "" for none */
	bool with_attributes;
	const char *const *left_out;	/* elements whose text is; ended by NULL, or NULL */
};

/* *is_whole: it was XML to its end; what follows where it stops being XML is looked
 * at as text. */
int xml_cells(struct look *l, struct input *in, const struct xml_manner *manner,
	      bool *is_whole, struct err *e);

#endif
