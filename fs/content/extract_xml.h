/*
 * XML of any kind as cells: also for the parts of other formats.
 */
#ifndef FS_CONTENT_EXTRACT_XML_H
#define FS_CONTENT_EXTRACT_XML_H

#include <stdbool.h>

struct err;
struct input;
struct look;

/* place: put before the path of each cell; "" for none.  *is_whole: it was XML to
 * its end; what follows where it stops being XML is looked at as text. */
int xml_cells(struct look *l, struct input *in, const char *place, bool with_attributes,
	      bool *is_whole, struct err *e);

#endif
