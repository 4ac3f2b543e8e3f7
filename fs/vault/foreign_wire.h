/*
 * What the reading child says to us over its pipe.
 *
 * A frame is a type (1 byte), a size (4 bytes, little-endian) and as many
 * bytes.  Numbers inside are little-endian; texts carry their size in front.
 * The child's side writes what it likes; ours believes nothing (F2).
 */
#ifndef FS_VAULT_FOREIGN_WIRE_H
#define FS_VAULT_FOREIGN_WIRE_H

#include "fs/base/bytes.h"
#include "fs/vault/foreign.h"

enum wire_type {
	WIRE_KIND = 1,		/* text: "tar", "zip+gzip"; once, before any entry */
	WIRE_ENTRY = 2,
	WIRE_DATA = 3,		/* u64 offset, bytes */
	WIRE_DONE = 4,		/* u64 size of the file: its data has ended well */
	WIRE_FAILED = 5,	/* u8 code, text: this entry only */
	WIRE_NOTICE = 6,	/* text */
	WIRE_PULSE = 7,		/* u64: bytes of the input read so far */
	WIRE_END = 8,		/* nothing more, and all of it whole */
	WIRE_BROKEN = 9,	/* u8 code, text: nothing more will come */
	WIRE_SHORT = 10,	/* u8 enum shortage: memory was refused; may overtake others */
};

#define FOREIGN_EXIT_UNHEARD 3	/* the child had no memory to speak, or no listener */
#define WIRE_HEAD_SIZE 5
#define WIRE_DATA_MAX (256u << 10)
#define WIRE_TEXT_MAX 900u
#define WIRE_XATTRS_MAX (17u << 20)	/* of one entry, names included */
#define WIRE_ENTRY_MAX (WIRE_XATTRS_MAX + 4 * FOREIGN_PATH_MAX)
#define WIRE_ACL_MAX 4096u		/* entries of both ACLs of a file */

enum wire_acl_tag {		/* the kernel's numbers (posix_acl.h) */
	WIRE_ACL_USER_OBJ = 0x01,
	WIRE_ACL_USER = 0x02,
	WIRE_ACL_GROUP_OBJ = 0x04,
	WIRE_ACL_GROUP = 0x08,
	WIRE_ACL_MASK = 0x10,
	WIRE_ACL_OTHER = 0x20,
};

struct wire_acl {
	bool is_default;
	uint8_t tag;		/* enum wire_acl_tag */
	uint8_t perm;		/* 0..7 */
	int64_t id;		/* -1: only the name is known */
	const char *name;	/* NUL ended; may be empty */
};

struct wire_xattr {
	const char *name;
	const void *value;
	uint32_t size;
};

/* An entry as it travels: f's pointers, plus what our side makes xattrs of. */
struct wire_entry {
	struct foreign_entry f;
	struct wire_xattr *xattrs;	/* xattr_count */
	size_t xattr_count;
	struct wire_acl *acls;		/* acl_count */
	size_t acl_count;
};

/* Appends the payload of WIRE_ENTRY. */
void wire_put_entry(struct buffer *b, const struct wire_entry *w);
/*
 * Parses one; pointers go into `data`, which must outlive *out; the arrays are
 * malloc'ed (wire_entry_free()).  -1: the bytes make no sense, or no memory.
 */
int wire_get_entry(const void *data, size_t size, struct wire_entry *out);
void wire_entry_free(struct wire_entry *w);

#endif
