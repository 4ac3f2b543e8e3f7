/*
 * A target that is there and is no file: a pipe, a device, /dev/stdout.  There is no old content
 * to keep, and a file in its place would be the end of it: it is written into, and stays.
 */
#ifndef TOOLS_USER_STREAM_H
#define TOOLS_USER_STREAM_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/* Links are files, to be replaced, but for those to this process's own streams. */
bool user_stream_is(const char *path);
/*
 * path is name in the folder dirfd.  Never waits for a reader: MUNI_IO where nobody reads the pipe,
 * MUNI_EXISTS where others may have put it there, MUNI_USAGE for disks and sockets.
 */
int user_stream_write(int dirfd, const char *name, const char *path, const void *data, size_t size,
		      struct err *e);

#endif
