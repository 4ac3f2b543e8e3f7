/*
 * What jansson does not say: that it found no memory.
 *
 * A member that could not be added is missing from the document, a text that could not be kept
 * is cut short, and each is told to a caller who hardly ever listens.  So its memory is watched:
 * once some was lacking, no document is believed that is read or made from then on.
 */
#ifndef FS_BASE_JSON_MEMORY_H
#define FS_BASE_JSON_MEMORY_H

#include <stdbool.h>

#include "fs/base/err.h"

/* For programs that end soon: before any other use of jansson, once. */
void json_memory_begin(void);
bool json_memory_lacked(void);
/* p, a text that is to go into a document: NULL counts as memory that was lacking, for jansson
 * leaves out a member of no value, or of none that it knows of. */
void *json_needs(void *p);

/* As err_set() where a document is not as it must be: MUNI_NO_MEMORY where some was lacking. */
int json_memory_refused(struct err *e, enum muni_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
