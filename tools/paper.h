/*
 * Pages of A4: text, tables, rules, a QR code, into a PDF.
 *
 *   P1  The same words and the same date give the same bytes: nothing of the clock or the
 *       machine but the fonts goes in.
 *   P2  No character is drawn as an empty box: where no font has it, it is
 *       MUNI_UNSUPPORTED, and the message names the package that has one.
 *
 * What is drawn is drawn twice by one function: once to count the pages, once to keep.
 */
#ifndef TOOLS_PAPER_H
#define TOOLS_PAPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct paper;

enum paper_style { PAPER_TITLE, PAPER_HEADING, PAPER_BODY, PAPER_BOLD, PAPER_LABEL, PAPER_SMALL,
		   PAPER_MONO, PAPER_STYLES };

struct paper_about {
	const char *title, *subject, *author;	/* metadata */
	const char *made;	/* RFC 3339: its date */
	const char *foot;	/* left at the foot of every page */
	bool is_chinese;
};

/* draw() draws all of it; called twice.  *out: malloc'ed PDF. */
int paper_make(const struct paper_about *about, void (*draw)(struct paper *p, void *arg),
	       void *arg, uint8_t **out, size_t *size, struct err *e);

void paper_title(struct paper *p, const char *text, const char *below);
void paper_heading(struct paper *p, const char *text);
void paper_text(struct paper *p, enum paper_style style, const char *text);
/* A label and what it says; "" is skipped. */
void paper_pair(struct paper *p, const char *label, const char *text);
void paper_pair_mono(struct paper *p, const char *label, const char *text);
void paper_space(struct paper *p, double points);

struct paper_column {
	const char *head;
	double width;		/* share of the page's width; all together 1 */
	bool is_right;		/* numbers */
};
/* Rows follow; heads are repeated on a new page, a row is never torn. */
void paper_caption(struct paper *p, const char *text);	/* stays with the table below it */
void paper_table(struct paper *p, const struct paper_column *columns, size_t count);
void paper_row(struct paper *p, const char *const *cells);
void paper_table_end(struct paper *p);

/* A digest in groups, and as a QR code at its right. */
void paper_digest(struct paper *p, const char *label, const char *hex, const char *qr);
/* Lines for names to be signed, two beside each other. */
void paper_signatures(struct paper *p, const char *const *captions, size_t count,
		      const char *date_word);

#endif
