/*
 * Choosing among encodings of bytes above 0x7f that are no UTF-8.
 */
#ifndef FS_CONTENT_ENCODING_GUESS_H
#define FS_CONTENT_ENCODING_GUESS_H

#include <stdbool.h>
#include <stddef.h>

#include "fs/content/encoding.h"

struct err;

/* As encoding_detect(), for bytes without NUL that are no UTF-8.  *points: those of
 * encoding_score.h that it got. */
int encoding_guess(const void *data, size_t size, bool is_all,
		   char encoding[ENCODING_NAME_MAX], double *points, struct err *e);
/* The same for UTF-16 of East Asia, where hardly a byte is NUL; *name: NULL if it is
 * none. */
int encoding_guess_wide(const void *data, size_t size, const char **name, double *points,
			struct err *e);
#define GUESS_SURE 2.2		/* points of what is text, whatever else it may be */

/* encoding_names.c: what iconv calls it, NULL: unknown to us.  The widest of its
 * family: CP949 for euc-kr, CP932 for shift_jis. */
const char *encoding_iconv_name(const char *encoding);
/* All that we know, NULL past the last. */
const char *encoding_known(size_t index);

#endif
