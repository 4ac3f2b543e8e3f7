/*
 * Which encoding text is in, its way to UTF-8, and the script it is written in.
 *
 *   C1  encoding_detect() never calls text what it cannot decode.
 *   C2  A decoder gives the same text in whatever pieces it was fed.
 *   C3  Nothing is dropped: a byte that is invalid becomes U+FFFD.
 */
#ifndef FS_CONTENT_ENCODING_H
#define FS_CONTENT_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define ENCODING_NAME_MAX 32

/*
 * By byte order mark, validity, and frequency (uchardet where that leaves a
 * choice).  Lower-case IANA names: "us-ascii", "utf-8", "utf-16le", "utf-16be",
 * "utf-32le", "utf-32be", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr",
 * "iso-2022-jp", "iso-8859-1", "windows-1252", "windows-1251", ...; "" when it is
 * no text.  A sample that ends inside a character is not held against it unless
 * is_all.  The head decides for what it shows only: text_reader (text_reader.h)
 * looks again when later bytes contradict it.  MUNI_NO_MEMORY.
 */
int encoding_detect(const void *head, size_t size, bool is_all,
		    char encoding[ENCODING_NAME_MAX], struct err *e);

/* To be called once, before the process may open nothing more: loads the tables
 * of every encoding that is ever asked for, and keeps them. */
int encoding_preload(struct err *e);

/* True where the bytes are UTF-8 already (us-ascii, utf-8): no copy is needed. */
bool encoding_is_utf8(const char *encoding);
/* What we call an encoding that a document names (mail, HTML, XML): "gb2312" and
 * "cp936" are our "gb18030", "latin1" is "windows-1252".  NULL: unknown to us. */
const char *encoding_by_label(const char *label);
/* How many bytes from the start are valid UTF-8: size, or the offset of the first
 * character that is not, or is not finished. */
size_t encoding_utf8_prefix(const void *data, size_t size);
/* The same for 7-bit bytes. */
size_t encoding_ascii_prefix(const void *data, size_t size);
/* An unfinished, so far valid character of UTF-8 (at the end of a piece). */
bool encoding_is_utf8_start(const void *data, size_t size);

/* To UTF-8, in pieces.  A byte order mark is dropped.  MUNI_UNSUPPORTED: an
 * encoding that this system does not know. */
struct decoder;
int decoder_new(const char *encoding, struct decoder **out, struct err *e);
void decoder_free(struct decoder *d);	/* NULL is allowed */
/*
 * Converts until out is full or in is used up: *used and *made say how far.  An
 * unfinished character is kept inside for the next call; is_end: no more will
 * come, it is invalid.  room: at least 16.
 */
void decoder_run(struct decoder *d, const void *in, size_t size, bool is_end, void *out,
		 size_t room, size_t *used, size_t *made);
uint64_t decoder_invalid(const struct decoder *d);
size_t decoder_carried(const struct decoder *d);	/* bytes of an unfinished character */

/* How many bytes UTF-8 takes in this encoding; -1 where it cannot be said. */
int64_t encoding_stored_size(const char *encoding, const void *utf8, size_t size);

/* The script of most letters in a stretch of UTF-8, ISO 15924; "" without letters.
 * Han with kana is "Jpan", with Hangul "Kore", else "Hani". */
void script_detect(const void *utf8, size_t size, char script[32]);

#endif
