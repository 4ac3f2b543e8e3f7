/*
 * The text of a document in the order it flows: paragraphs, and tables between
 * them, nested as they may be (a text box in a paragraph in a cell of a table).
 *
 * Whoever reads a format calls begin and end as the document does; what is not
 * balanced is set right at flow_end().
 */
#ifndef FS_CONTENT_EXTRACT_FLOW_H
#define FS_CONTENT_EXTRACT_FLOW_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct flow;
struct look;

struct flow *flow_new(struct look *l);	/* NULL without memory */
void flow_free(struct flow *f);		/* NULL is allowed */

/* The place of what follows ("slide 3", "header"); "": paragraphs are counted. */
void flow_part(struct flow *f, const char *part);

/* A paragraph.  Its text is one run, however many pieces it comes in. */
int flow_begin(struct flow *f, struct err *e);
int flow_text(struct flow *f, const char *text, size_t size, struct err *e);
int flow_end_paragraph(struct flow *f, struct err *e);
/* True between the two. */
bool flow_is_in_paragraph(const struct flow *f);

/* name: "" for none; is_sheet: a spreadsheet's, whose places read "NAME!B7". */
int flow_table(struct flow *f, const char *name, bool is_sheet, struct err *e);
int flow_row(struct flow *f, struct err *e);
int flow_cell(struct flow *f, struct err *e);
/* span: columns that it takes; repeated: it stands there so many times. */
int flow_end_cell(struct flow *f, bool is_text, unsigned span, unsigned repeated,
		  struct err *e);
int flow_end_row(struct flow *f, unsigned repeated, struct err *e);
int flow_end_table(struct flow *f, struct err *e);

/* A text that stands beside the flow (an attribute), with its own label. */
int flow_aside(struct flow *f, const char *label, const char *text, size_t size,
	       struct err *e);

int flow_end(struct flow *f, struct err *e);

#endif
