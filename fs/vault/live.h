/*
 * Destroying in a live source: one name at a time, by what the inventory says that it
 * is, never through a symbolic link.
 *
 *   V1  What stands at the name is the item of the inventory, or it is left alone: device,
 *       inode, kind, size, time of modification and, of a file, the SHA-256 read anew.
 *   V2  A file is overwritten only where the file system makes that meaningful, and only
 *       when its last name goes: another name that is not in the list keeps its bytes.
 *   V3  Gone means: unlinked, the folder synced, and looked for again without finding it.
 */
#ifndef FS_VAULT_LIVE_H
#define FS_VAULT_LIVE_H

#include "fs/store/catalogue_items.h"
#include "fs/store/catalogue_dispositions.h"

struct err;
struct vault;

/* ---- the way there (live_walk.c) ----------------------------------------------------- */

/* The folder at an absolute path in which no component is a link.  -1, or a descriptor. */
int live_open_root(const char *path, struct err *e);
/* The folder that holds `path` below root, and the name in it (borrowed from path). */
int live_open_parent(int root, const char *path, size_t size, const char **name,
		     struct err *e);

/* MUNI_REFUSED: the source and the archive, or its keyring, lie in one another. */
int live_check_apart(const struct vault *v, int root, struct err *e);

/* ---- the file system (live_media.c) ----------------------------------------------------- */

struct live_media {
	const char *name;	/* "ext4" */
	bool is_in_place;	/* overwriting reaches the blocks that the file had */
	const char *why;	/* why it does, with what it does not reach; or why not */
};
void live_media_of(int fd, struct live_media *out);
/* Are blocks of this file shared with another (reflinks)?  Then overwriting goes elsewhere.
 * Where it cannot be told: false. */
bool live_is_shared(int fd);

/* ---- the content (live_content.c) --------------------------------------------------------- */

#define LIVE_PIECE (1u << 20)	/* bytes of the buffer that both take */

/* How an item of a list holds its digest: HMAC-SHA-256 under the list's key, which goes
 * with the list's end, over digest and salt of the item.  Whoever reads the annex of a
 * certificate cannot guess content from it. */
struct live_binding {
	const uint8_t *key;	/* NULL: a list of an older format, the bare digest */
	uint8_t salt[16];
};
struct digest live_bind(const uint8_t key[LIST_KEY_SIZE], const struct digest *sha256,
			const uint8_t salt[16]);
/* Against the approved digest: 1 it is the same, 0 it is not, -1 it could not be read. */
int live_compare(int fd, const struct item_row *item, const struct live_binding *binding,
		 uint8_t *piece);
/* Once over all data (holes stay holes), synced, read back from the device as far as the
 * kernel lets us. */
int live_overwrite(int fd, const struct item_row *item, uint8_t *piece);

/* ---- one item (live_destroy.c) ----------------------------------------------------------- */

enum live_check { LIVE_SAME, LIVE_ABSENT, LIVE_CHANGED };
/* Does the item stand at its name, as far as can be told without reading it? */
int live_look(int root, const struct item_row *item, enum live_check *out, struct err *e);

struct live_outcome {
	enum item_outcome outcome;
	bool is_overwritten;
	bool is_half;		/* failed after it was set aside: it has to be gone on with */
	uint64_t bytes;		/* of the file that is gone */
	char why[300];		/* a sentence without names */
};
/*
 * leaf: the item's in the list, by which what is set aside is found again.
 * names_in_list: names of its inode that are still to go, this one among them.  was_begun:
 * an earlier run was cut off: what is absent may have been destroyed by it.  -1 only for
 * what concerns all items (no memory); else *out says how it went.
 */
int live_destroy(int root, const struct item_row *item, const struct live_binding *binding,
		 const struct digest *leaf, uint64_t names_in_list, bool was_begun,
		 struct live_outcome *out, struct err *e);

#endif
