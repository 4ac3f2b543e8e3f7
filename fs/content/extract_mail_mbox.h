/*
 * An mbox (RFC 4155) as messages, one after the other: parted here, because a line
 * of a letter that begins with "From " must not cost what stands behind it.
 */
#ifndef FS_CONTENT_EXTRACT_MAIL_MBOX_H
#define FS_CONTENT_EXTRACT_MAIL_MBOX_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct input;
struct look;

struct mbox_message {
	unsigned long number;	/* from 1 */
	const char *envelope;	/* the "From " line, without its end; "" without one */
	size_t envelope_size;
	uint64_t start, end;	/* in the input: of the message itself */
	const void *data;	/* the same bytes, where the input is not seekable; else NULL */
	size_t size;
};

/* Reads in to its end, in order.  each: -1 to stop.  -1: its, memory, or reading. */
int mbox_read(struct look *l, struct input *in, int can_seek,
	      int (*each)(void *arg, const struct mbox_message *message, struct err *e),
	      void *arg, struct err *e);

#endif
