/*
 * The members of an archive (zip, tar, 7z, cpio, iso, cab, lha, rar, xar, ar,
 * warc) over a struct input, one after the other.
 *
 *   M1  What cannot be read is said with look_opaque(), member by member where
 *       that is possible; what comes before the damage is given all the same.
 *   M2  Nothing is opened: no file, no program, no table.
 *   M3  Every byte that comes out of a member is counted by look_expanded().
 *
 * Formats whose directory stands at the end are read from anywhere where the
 * input allows that, else as they come.
 */
#ifndef FS_CONTENT_EXTRACT_MEMBERS_H
#define FS_CONTENT_EXTRACT_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct input;
struct look;
struct members;

/* in: borrowed until members_close().  -1: memory, or reading failed. */
int members_open(struct look *l, struct input *in, struct members **out, struct err *e);
void members_close(struct members *m);	/* NULL is allowed */

/*
 * The next member that has bytes and can be read: 1, with its name as stored
 * (bytes, until the next call); 0 at the end, also at one that damage made.
 * -1: to stop altogether.
 */
int members_next(struct members *m, const char **name, struct err *e);
/* Hands the present member to look_into(). */
int members_look(struct members *m, struct err *e);
/* The bytes of the present member: read it to the end (or not), free it, then
 * call members_check(), which says whether they were damaged. */
struct input *members_input(struct members *m);	/* NULL without memory */
void members_check(struct members *m);

/* True where these first bytes begin a tar or cpio: what is packed as a whole. */
bool members_is_stream(const void *head, size_t size);

#endif
