/*
 * A database file as SQLite sees it: read only, alone, over a struct input.
 */
#ifndef FS_CONTENT_EXTRACT_SQLITE_FILE_H
#define FS_CONTENT_EXTRACT_SQLITE_FILE_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct input;
struct look;
struct sqlite3;
struct sqlite_file;

/*
 * Opens the database: no other file is looked for or made, nothing in its schema
 * is run, nothing can be written.  in: borrowed, seekable.  lenient: what of the
 * schema can be parsed is used, errors in the rest are passed over, and pages that
 * were cut off are empty.
 * -1: MUNI_DAMAGED, or reading failed.
 */
int sqlite_file_open(struct input *in, uint64_t size, bool lenient, struct sqlite_file **out,
		     struct err *e);
void sqlite_file_close(struct sqlite_file *f);	/* NULL is allowed */
struct sqlite3 *sqlite_file_db(struct sqlite_file *f);
/* That reading the bytes failed (and not what stands in them): -1 with e. */
int sqlite_file_failed(const struct sqlite_file *f, struct err *e);

/* How long the file should be, as its header counts pages (file format, 1.3.8). */
uint64_t sqlite_told_size(struct input *in, uint64_t size);

/* The text that is left in pages that hold nothing any more. */
int sqlite_free_pages(struct look *l, struct input *in, uint64_t size, struct err *e);
/* The text of all pages, for a database of which nothing else can be made. */
int sqlite_all_pages(struct look *l, struct input *in, uint64_t size, struct err *e);

#endif
