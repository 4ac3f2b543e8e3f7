/*
 * The names of a table's columns, where its first rows have them: never a value
 * (they are shown in evidence).
 */
#ifndef FS_CONTENT_TABLE_HEAD_H
#define FS_CONTENT_TABLE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/base/err.h"

struct table_head {
	char **names;		/* owned; count of them */
	size_t count;
	uint64_t end;		/* offset behind the row that they stand in */
};

/* text: the first rows, UTF-8; is_all: there are no more.  Without a head count is 0. */
int table_head_find(const char *text, size_t size, bool is_all, char delimiter,
		    struct table_head *out, struct err *e);
void table_head_clear(struct table_head *h);

#endif
