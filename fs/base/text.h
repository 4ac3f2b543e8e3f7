/*
 * Text for people and for machines.  text_printable() is the one door through
 * which a name from an archive reaches a terminal, a message or a log.
 */
#ifndef FS_BASE_TEXT_H
#define FS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* Valid UTF-8 as RFC 3629 has it (no surrogates, no overlong forms). */
bool text_is_utf8(const void *data, size_t size);

/*
 * A printable copy: control characters, bidirectional overrides, invalid UTF-8
 * and backslash as \n, \t, \xHH.  _n for names that are bytes; both return one
 * of 16 rotating thread-local buffers of 4 KiB (longer text ends in "..."), so
 * that several fit one printf.  text_printable_dup() is whole; free() it.
 */
const char *text_printable(const char *name);
const char *text_printable_n(const void *name, size_t size);
char *text_printable_dup(const void *name, size_t size);

/* How long a library's sentence is without the line end that some have. */
size_t text_said_size(const char *said);
/* It printable: as text_printable_n(). */
const char *text_said(const char *said);

/* The first character that text_printable() would not let through (backslash aside): where
 * it stands, how many bytes it takes, its number.  NULL: none.  Bytes that are no UTF-8 are
 * passed over. */
const char *text_unsafe(const char *text, size_t *size, uint32_t *point);

/* out holds 2 * size + 1 bytes; lower case. */
void text_hex(const void *data, size_t size, char *out);
/* -1 unless text is exactly 2 * size hex digits. */
int text_unhex(const char *text, void *out, size_t size);
/* RFC 4648 with padding; malloc'ed, NULL without memory. */
char *text_base64(const void *data, size_t size);
/* The bytes as a NUL-ended text, malloc'ed; NULL unless it is RFC 4648 with padding
 * and has no NUL in it. */
char *text_unbase64(const char *text);
/* Any bytes; a NUL follows them.  NULL: errno is ENOMEM, or EINVAL where it is no base64. */
uint8_t *text_unbase64_bytes(const char *text, size_t *size);

/* "1.5 GiB", "312 B"; out holds TEXT_SIZE_MAX. */
#define TEXT_SIZE_MAX 24
const char *text_size(uint64_t bytes, char out[TEXT_SIZE_MAX]);
/* 1234567 -> "1,234,567"; out holds TEXT_COUNT_MAX. */
#define TEXT_COUNT_MAX 32
const char *text_count(uint64_t n, char out[TEXT_COUNT_MAX]);

/* RFC 3339 in UTC: "2021-06-30T12:00:00Z", with nine digits when ns != 0.
 * Years outside 0000..9999 are written with a sign.  out: TEXT_TIME_MAX. */
#define TEXT_TIME_MAX 48
const char *text_time(int64_t seconds, uint32_t ns, char out[TEXT_TIME_MAX]);
/* "2021-06-30" (that day's last second if is_end_of_day, else its first),
 * "2021-06-30T12:00:00[.5][Z|+08:00]", or "@SECONDS".  -1 if it is none. */
int text_parse_time(const char *text, bool is_end_of_day, int64_t *seconds);

/* "64", "64k", "64M", "1.5G" (powers of 1024).  -1 if it is none. */
int text_parse_size(const char *text, uint64_t *out);

/* As open_memstream(); text_stream_end() closes it.  0, or -1 where *text would lack something
 * for want of memory, which stdio itself does not tell: then it is freed and NULL. */
FILE *text_stream(char **text, size_t *size);
int text_stream_end(FILE *stream, char **text);

#endif
