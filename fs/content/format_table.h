/*
 * What parts the cells of a table in text.
 */
#ifndef FS_CONTENT_FORMAT_TABLE_H
#define FS_CONTENT_FORMAT_TABLE_H

#include "fs/content/format_inside.h"

/* ',' ';' '|' or a tab; '\0': no table.  extension: lower case, "" without. */
char format_table_delimiter(const char *utf8, size_t size, bool is_all,
			    const char *extension);

#endif
