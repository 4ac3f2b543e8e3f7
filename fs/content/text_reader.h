/*
 * The text of an input as UTF-8, piece by piece, whatever encoding it is stored
 * in: what is UTF-8 already is not copied.
 *
 * The head told the encoding; where later bytes contradict it (the first character
 * beyond ASCII may come after megabytes, two programs may have written one log)
 * it is told again, from there on.
 *
 *   T1  Nothing is left out: what is invalid becomes U+FFFD, or stays as it is in
 *       what is UTF-8 else.
 *   T2  Offsets of the text lead back to the bytes as stored, and to lines, for the
 *       piece that was given last and for the 64 KiB before it; while
 *       text_reader_reaches_far(), for DETECT_SHARED before it that it did so for.
 */
#ifndef FS_CONTENT_TEXT_READER_H
#define FS_CONTENT_TEXT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct input;
struct text_reader;

/* in: borrowed.  encoding: as encoding_detect() told it; "" is read as us-ascii. */
int text_reader_new(struct input *in, const char *encoding, struct text_reader **out,
		    struct err *e);
void text_reader_free(struct text_reader *r);	/* NULL is allowed */

/* The next bytes; 0 at the end, -1 with e.  A byte order mark is left out; a piece
 * may end inside a character.  Borrowed: the 64 KiB before the newest piece stay. */
ssize_t text_reader_next(struct text_reader *r, const uint8_t **utf8, struct err *e);

/* The input reads ahead, and the piece that was given last stands in it as it is. */
bool text_reader_reaches_far(const struct text_reader *r);

/* offset: in the text given so far (T2). */
uint64_t text_reader_told(struct text_reader *r, uint64_t offset);
uint64_t text_reader_line(struct text_reader *r, uint64_t offset);	/* from 1 */

/* As it turned out: us-ascii until a byte beyond it came; the first of several. */
const char *text_reader_encoding(const struct text_reader *r);
/* Much of it is not valid in the encoding: it may be something else. */
bool text_reader_is_doubtful(const struct text_reader *r);

#endif
