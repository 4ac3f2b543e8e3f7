#include "fs/vault/foreign_short.h"

#include <errno.h>
#include <unistd.h>

#include "fs/vault/foreign_wire.h"

/* An allocator has no argument to pass a state in; the child has one thread. */
static int told_to = -1;
static enum shortage why;
static bool was_early;

bool short_begin(int output)
{
	told_to = output;
	why = SHORTAGE_NONE;
	return !was_early;
}

void short_note(size_t size)
{
	enum shortage now = told_to >= 0 ? shortage_of(size) : SHORTAGE_NONE;
	/* A frame of one byte, whole, and never within another: the voice writes whole ones,
	 * and allocates nothing meanwhile. */
	const uint8_t frame[WIRE_HEAD_SIZE + 1] = { WIRE_SHORT, 1, 0, 0, 0, (uint8_t)now };
	int error = errno;

	was_early |= told_to < 0;
	if (now == SHORTAGE_NONE)
		return;
	/* Each kind once for each entry: a decoder may try a thousand sizes. */
	if (now != why && write(told_to, frame, sizeof frame) != (ssize_t)sizeof frame)
		_exit(FOREIGN_EXIT_UNHEARD);
	why = now;
	errno = error;
}

enum shortage short_why(void)
{
	return why;
}

void short_forget(void)
{
	why = SHORTAGE_NONE;
}
