/*
 * The tables that poppler needs for Chinese, Japanese and Korean text whose fonts
 * are not in the file.  It looks for them on disk when it meets such a font; behind
 * a filter that opens nothing it would not find them, so they are loaded before, and
 * held as long as this is open.
 *
 * The commonest are: what needs others is said to be opaque.  A PDF may crowd some
 * of them out; then the process is worn (look_wears()), for what is found in a file
 * must not depend on the files before it.
 */
#ifndef FS_CONTENT_EXTRACT_PDF_H
#define FS_CONTENT_EXTRACT_PDF_H

#include <stdbool.h>

struct err;
struct pdf_tables;

/* Where there are no tables on this system, nothing is loaded: no error. */
int pdf_tables_open(struct pdf_tables **out, struct err *e);
void pdf_tables_close(struct pdf_tables *t);	/* NULL is allowed */
/* Uses each of them, in the same order each time: behind it they are as they were
 * before the first PDF.  False: some are gone. */
bool pdf_tables_touch(void);

#endif
