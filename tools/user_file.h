/*
 * Files that the user names: read whole, written whole.
 */
#ifndef TOOLS_USER_FILE_H
#define TOOLS_USER_FILE_H

#include <stddef.h>
#include <stdint.h>

struct err;

/* At most max bytes (MUNI_LIMIT); *out is malloc'ed, one NUL follows the data.  "-": standard
 * input. */
int user_file_load(const char *path, size_t max, uint8_t **out, size_t *size, struct err *e);
/* The old content or the new, never a mix; synced.  "-": standard output.  What is there and is no
 * file is written into (user_stream.h). */
int user_file_save(const char *path, const void *data, size_t size, struct err *e);

#endif
