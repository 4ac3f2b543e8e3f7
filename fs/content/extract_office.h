/*
 * What the readers of office documents share: a package is a zip of XML parts,
 * each known by its root element.
 */
#ifndef FS_CONTENT_EXTRACT_OFFICE_H
#define FS_CONTENT_EXTRACT_OFFICE_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct input;
struct look;

/* A workbook's names of sheets, texts and number formats, which stand in parts of
 * their own and must be known before a sheet is read. */
struct book;
struct book *book_new(struct look *l);	/* NULL without memory */
void book_free(struct book *b);		/* NULL is allowed */
/* Each part may be missing.  *is_whole as in sax_parse(). */
int book_read_workbook(struct book *b, struct input *in, bool *is_whole, struct err *e);
int book_read_relations(struct book *b, struct input *in, bool *is_whole, struct err *e);
int book_read_texts(struct book *b, struct input *in, bool *is_whole, struct err *e);
int book_read_styles(struct book *b, struct input *in, bool *is_whole, struct err *e);
/* The name of the sheet in this part; the part's own name where none is known. */
const char *book_sheet_name(const struct book *b, const char *part);
/* NULL: no such text.  Marks it as used. */
const char *book_text(struct book *b, size_t index, size_t *size);
/* Looks at the texts that no sheet uses: they are in the file all the same. */
int book_unused_texts(struct book *b, struct err *e);
/* How a number shows: out holds 64 bytes.  False: as it stands. */
bool book_number(const struct book *b, size_t style, const char *value, char out[64]);

/* The local name of the first element in these first bytes of XML; "" without one. */
#define OFFICE_ROOT_MAX 40
void office_root(const char *head, size_t size, char out[OFFICE_ROOT_MAX]);

/* extract_office_sheet.c: a worksheet of a workbook. */
int office_sheet(struct look *l, struct input *in, struct book *b, const char *part,
		 bool *is_whole, struct err *e);
/* extract_office_words.c: anything with paragraphs: a document's text, headers,
 * notes, comments, slides, drawings.  part: its place; "" counts paragraphs. */
int office_words(struct look *l, struct input *in, const char *part, bool *is_whole,
		 struct err *e);
/* extract_office_odf.c: content.xml and styles.xml of OpenDocument. */
int office_odf(struct look *l, struct input *in, const char *part, bool *is_whole,
	       struct err *e);

#endif
