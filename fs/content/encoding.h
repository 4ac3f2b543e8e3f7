/*
 * Which encoding text is in, its way to UTF-8, and the script it is written in.
 */
#ifndef FS_CONTENT_ENCODING_H
#define FS_CONTENT_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * By byte order mark, validity, and frequency (uchardet where that leaves a
 * choice).  Lower-case IANA names: "us-ascii", "utf-8", "utf-16le", "utf-16be",
 * "utf-32le", "utf-32be", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr",
 * "iso-8859-1", "windows-1252", "windows-1251", ...; "" when it is no text.
 * A sample that ends inside a character is not held against it unless is_all.
 */
void encoding_detect(const void *head, size_t size, bool is_all, char encoding[32]);

/* To UTF-8, in pieces.  What is invalid becomes U+FFFD and is counted. */
struct decoder;
int decoder_new(const char *encoding, struct decoder **out, struct err *e);
void decoder_free(struct decoder *d);
/*
 * Converts until out is full or in is used up: *used and *made say how far.
 * is_end: no more will come, an unfinished character is invalid.
 */
void decoder_run(struct decoder *d, const void *in, size_t size, bool is_end, void *out,
		 size_t room, size_t *used, size_t *made);
uint64_t decoder_invalid(const struct decoder *d);
/* True where the bytes are UTF-8 already (us-ascii, utf-8): no copy is needed. */
bool encoding_is_utf8(const char *encoding);

/* The script of most letters in a stretch of UTF-8, ISO 15924; "" without letters.
 * Han with kana is "Jpan", with Hangul "Kore", else "Hani". */
void script_detect(const void *utf8, size_t size, char script[32]);

#endif
