/*
 * What a zip says of itself at its end (APPNOTE.TXT 4.3.14 to 4.3.16): libarchive reads its
 * directory up to the first record that it does not know, and takes that for the end.
 */
#ifndef FS_BASE_ZIP_END_H
#define FS_BASE_ZIP_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZIP_END_TAIL (22 + 65535)	/* the last bytes of a file that are of interest */

struct zip_end {
	uint64_t at;		/* in the tail: the record's first byte ... */
	uint64_t size;		/* ... and its length, the comment included */
	uint64_t directory;	/* bytes of the directory, and of all before it */
	uint64_t entries;
	bool is_large;		/* zip64: `directory` is not known */
	bool is_counted;	/* entries is whole; else its lowest 16 bits */
};

/* The last record in tail[0, size) whose comment fits.  False: there is none. */
bool zip_end_find(const uint8_t *tail, size_t size, struct zip_end *out);
/* Are there fewer members than it says?  Then a part of the directory could not be read. */
bool zip_end_misses(const struct zip_end *z, uint64_t members);

#endif
