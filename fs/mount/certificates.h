/*
 * /.muniment/certificates: the plain files of ARCHIVE/certificates.  A node id
 * holds a hash of the name; the folder is small, and searched.
 */
#ifndef FS_MOUNT_CERTIFICATES_H
#define FS_MOUNT_CERTIFICATES_H

#include <stdint.h>
#include <time.h>

struct err;
struct found;
struct mount;

/* When one came or went; left alone where there is no folder. */
void certificates_changed(const struct mount *m, struct timespec *out);

int64_t certificates_id(const char *name);
/* row() returns non-zero to stop. */
void certificates_each(const struct mount *m, int (*row)(void *arg, const char *name),
		       void *arg);
int certificates_at(const struct mount *m, uint64_t ino, int64_t id, struct found *out,
		    struct err *e);
/* A descriptor, the caller's. */
int certificates_open(const struct mount *m, int64_t id, struct err *e);

#endif
