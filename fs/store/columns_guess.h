/*
 * How a column is best told, guessed from what is in it: a few sums, and counts of bytes in
 * its first values.  A wrong guess costs bytes, nothing else.
 */
#ifndef FS_STORE_COLUMNS_GUESS_H
#define FS_STORE_COLUMNS_GUESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct columns_counts;

struct columns_guess {
	bool has_first, is_counted;
	uint64_t first;
	uint64_t plain, differences;	/* bits */
	struct columns_counts *counts;	/* owned; of the arena */
};

/* folded: its difference to the value before, without a sign. */
void columns_guess_int(struct columns_guess *g, uint64_t value, uint64_t folded);
void columns_guess_bytes(struct columns_guess *g, const uint8_t *bytes, uint32_t size);
/* COLUMN_IS_... */
unsigned columns_guess_end(const struct columns_guess *g);
void columns_guess_free(struct columns_guess *g);

#endif
