/*
 * Where tar and zip go: NAME.partial, or standard output.
 *
 * What an earlier run left is compared with what comes again, byte for byte,
 * and kept as far as it is the same; from there on it is written.  Writing and
 * hashing are a thread of their own.  At the end all is read back from the
 * disk and its SHA-256 compared with that of what was written.
 */
#ifndef FS_VAULT_EXPORT_SINK_H
#define FS_VAULT_EXPORT_SINK_H

#include "fs/vault/export_inside.h"

struct sink;

/* fd: borrowed.  is_stream: written on, neither compared nor read back. */
int sink_open(int fd, bool is_stream, struct sink **out, struct err *e);
int sink_write(struct sink *s, const void *data, size_t size, struct err *e);
int sink_zeros(struct sink *s, uint64_t size, struct err *e);
uint64_t sink_size(const struct sink *s);	/* bytes given so far */
/* Bytes that an earlier run had already written; complete after sink_finish(). */
uint64_t sink_kept(const struct sink *s);
/* Waits for the thread, cuts off what is beyond, syncs. */
int sink_finish(struct sink *s, struct err *e);
/* Reads back; step (NULL: none) is called now and then and may stop it. */
int sink_verify(struct sink *s, int (*step)(void *arg, uint64_t bytes, struct err *e),
		void *arg, struct err *e);
void sink_close(struct sink *s);	/* NULL is allowed */

#endif
