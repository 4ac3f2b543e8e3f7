/*
 * How much a stretch of decoded text looks like text that people wrote: the means
 * by which encoding_detect() chooses among encodings in which the same bytes are
 * valid.  Pure functions over constant tables.
 */
#ifndef FS_CONTENT_ENCODING_SCORE_H
#define FS_CONTENT_ENCODING_SCORE_H

#include <stddef.h>

enum writing {
	WRITING_HANS,		/* Chinese, simplified */
	WRITING_HANT,		/* Chinese, traditional */
	WRITING_JPAN,
	WRITING_KORE,
	WRITING_LATN,
	WRITING_CYRL,
	WRITING_GREK,
	WRITING_HEBR,
	WRITING_ARAB,
	WRITING_THAI,
};

/*
 * Points for a character that is not ASCII, on average: 3 and more for ordinary
 * text of this writing, about 0 for characters by chance, less for what nobody
 * writes.  0 where there is none.  U+FFFD (what could not be decoded) counts
 * heavily against it.
 */
double encoding_score(const void *utf8, size_t size, enum writing writing);

/* encoding_common.c: sorted, three bytes a character. */
extern const char encoding_hans_first[], encoding_hans_second[];
extern const char encoding_hant_first[], encoding_hant_second[];
extern const char encoding_jpan_first[], encoding_jpan_second[];
extern const char encoding_hang_first[], encoding_hang_second[];

#endif
