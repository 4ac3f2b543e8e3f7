/* Tables of a report's page. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tools/report.h"
#include "tools/xml.h"

static void cell(struct xml *x, const char *name, bool is_number, const char *text)
{
	xml_open(x, name);
	if (is_number)
		xml_attribute(x, "class", "n");
	xml_text(x, text);
	xml_close(x);
}

void report_table(struct xml *x, const char *align, const char *const *heads)
{
	xml_open(x, "table");
	xml_open(x, "thead");
	xml_open(x, "tr");
	for (size_t i = 0; align[i]; i++)
		cell(x, "th", align[i] == 'r', heads[i]);
	xml_close(x);
	xml_close(x);
	xml_open(x, "tbody");
}

void report_row(struct xml *x)
{
	xml_open(x, "tr");
}

void report_cell(struct xml *x, bool is_number, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	cell(x, "td", is_number, text);
	free(text);
}

void report_row_end(struct xml *x)
{
	xml_close(x);
}

void report_table_end(struct xml *x)
{
	xml_close(x);
	xml_close(x);
}
