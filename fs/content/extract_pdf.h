/*
 * The tables that poppler needs for Chinese, Japanese and Korean text whose fonts
 * are not in the file.  It looks for them on disk when it meets such a font; behind
 * a filter that opens nothing it would not find them, so they are loaded before, and
 * held as long as this is open.
 *
 * The commonest are: what needs others is said to be opaque.  Each PDF may crowd some
 * of them out, so a process that has read one is worn (look_wears()): what is found
 * in a file must not depend on the files before it.
 */
#ifndef FS_CONTENT_EXTRACT_PDF_H
#define FS_CONTENT_EXTRACT_PDF_H

struct err;
struct pdf_tables;

/* Where there are no tables on this system, nothing is loaded: no error. */
int pdf_tables_open(struct pdf_tables **out, struct err *e);
void pdf_tables_close(struct pdf_tables *t);	/* NULL is allowed */

#endif
