/*
 * Marks: how a record that was destroyed is known again in an older copy of the archive,
 * by that copy alone (docs/decisions/0126).  A mark is the first 16 bytes of SHA-256 over
 * the salt of the record's leaf, which is random and went with it.
 *
 * As a file: a line of 32 lower case hex digits each, ascending, none twice.
 */
#ifndef FS_VAULT_MARKS_H
#define FS_VAULT_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define MARK_SIZE 16

struct marks {			/* zeroed: none; marks_clear() */
	uint8_t (*list)[MARK_SIZE];	/* owned */
	size_t count, capacity;
};

void mark_of_salt(const uint8_t salt[16], uint8_t mark[MARK_SIZE]);
int marks_add(struct marks *m, const uint8_t mark[MARK_SIZE], struct err *e);
/* Ascending, none twice: before marks_has() and marks_text(). */
void marks_sort(struct marks *m);
bool marks_has(const struct marks *m, const uint8_t mark[MARK_SIZE]);
void marks_clear(struct marks *m);

/* malloc'ed. */
int marks_text(const struct marks *m, char **out, size_t *size, struct err *e);
/* Adds those of a file.  MUNI_DAMAGED: not as above. */
int marks_parse(struct marks *m, const void *data, size_t size, struct err *e);

#endif
