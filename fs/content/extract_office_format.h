/*
 * How a spreadsheet shows a number, as far as it matters to whoever looks for
 * data: a date is a count of days, and an id with zeros in front is shown by
 * its format alone.
 */
#ifndef FS_CONTENT_EXTRACT_OFFICE_FORMAT_H
#define FS_CONTENT_EXTRACT_OFFICE_FORMAT_H

#include <stdbool.h>

enum office_format_kind {
	OFFICE_FORMAT_PLAIN,
	OFFICE_FORMAT_DATE,
	OFFICE_FORMAT_DIGITS,	/* "000\-00\-0000" */
};

struct office_format {
	enum office_format_kind kind;
	char digits[40];	/* '0' a digit, all else as it stands */
};

/* A format code as of ECMA-376, part 1, 18.8.31. */
void office_format_parse(const char *code, struct office_format *out);
/* Of the numbered ones (18.8.30); false: it is no date. */
bool office_format_builtin(unsigned id, struct office_format *out);
/* False: value may stand as it is. */
bool office_format_show(const struct office_format *format, const char *value, bool is_1904,
			char out[64]);

#endif
