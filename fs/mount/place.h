/*
 * A node id is a database key: no table of inodes in memory, stable over
 * remounts and for NFS.
 *
 * 64 bits: 0, then 3 bits of kind, then 60 of value.  A directory is named by
 * version and directory id (22 and 38 bits), anything else in a version by its
 * node id, so that all versions share the kernel's page cache; on an audited
 * mount by version and node id.  Ids past those bits are refused, never cut.
 */
#ifndef FS_MOUNT_PLACE_H
#define FS_MOUNT_PLACE_H

#include <stdbool.h>
#include <stdint.h>

enum place_kind {		/* in file handles of NFS clients: never renumber */
	PLACE_FIXED = 0,	/* id: enum place_fixed */
	PLACE_SYSTEM = 1,	/* /SYSTEM */
	PLACE_VERSIONS = 2,	/* /SYSTEM/versions */
	PLACE_LINK = 3,		/* /SYSTEM/latest, /SYSTEM/@DATE: version is its target */
	PLACE_DIRECTORY = 4,
	PLACE_NODE = 5,		/* version 0 unless the mount is audited */
	PLACE_CERTIFICATE = 6,	/* id: a hash of its file name */
};

enum place_fixed {
	PLACE_ROOT = 1,		/* FUSE_ROOT_ID */
	PLACE_MUNIMENT = 2,
	PLACE_STATUS = 3,
	PLACE_CERTIFICATES = 4,
};

struct place {
	enum place_kind kind;
	int64_t id;
	int64_t version;	/* LINK, DIRECTORY, NODE */
	bool is_dated;		/* LINK: @DATE, not latest */
};

/* false: an id that does not fit. */
bool place_pack(const struct place *p, uint64_t *ino);
/* false: no id that place_pack() ever gave. */
bool place_unpack(uint64_t ino, struct place *out);

#endif
