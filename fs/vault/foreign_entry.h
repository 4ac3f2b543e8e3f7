/*
 * From libarchive's entry to ours, inside the child.
 */
#ifndef FS_VAULT_FOREIGN_ENTRY_H
#define FS_VAULT_FOREIGN_ENTRY_H

#include "fs/vault/foreign_wire.h"

struct archive_entry;

/* Reused from entry to entry. */
struct entry_scratch {
	struct wire_xattr *xattrs;	/* xattr_room */
	size_t xattr_room;
	struct wire_acl *acls;		/* WIRE_ACL_MAX */
	char problem[WIRE_TEXT_MAX];
	char remark[WIRE_TEXT_MAX];
	char cut[512];		/* the beginning of a name that is too long */
};

/*
 * format: ARCHIVE_FORMAT_BASE_MASK part.  warning: what libarchive had to say of
 * this entry, or NULL.  Pointers in *w go into ae and the scratch.
 */
void entry_convert(struct archive_entry *ae, int format, const char *warning,
		   struct entry_scratch *scratch, struct wire_entry *w);

#endif
