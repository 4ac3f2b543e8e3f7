/*
 * What stands behind an archive's end, or in front of its beginning, and is read by nobody.
 *
 *   R1  Rubbish is a notice.  Where another archive begins the version is not whole: who joined
 *       the two (cat, >>, a tool that appends) takes them for one, and half would be missing
 *       without a word.
 *   R2  Nothing is taken for an archive that does not begin like one.
 */
#ifndef FS_VAULT_FOREIGN_REST_H
#define FS_VAULT_FOREIGN_REST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REST_HEAD 512	/* bytes that are looked at: a tar's header */

struct child;

struct rest {
	uint64_t at;			/* the first byte that is not zero */
	uint8_t head[REST_HEAD];	/* from there on */
	size_t size;
};

/* Does an archive, or a packed one, begin here? */
bool rest_is_archive(const uint8_t *head, size_t size);
/* Behind the end of a tar or cpio, which may come as a stream: before that is read to its
 * end.  False: nothing but zeros. */
bool rest_look(struct child *c, struct rest *r);
/* R1 of what was found (NULL: nothing), or, in a file, of the other formats. */
void rest_check(struct child *c, const struct rest *found);

#endif
