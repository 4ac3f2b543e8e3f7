/*
 * What the files of a destruction share: which rows go, what must move before they can.
 * Only fs/vault/doom*.c include this.
 */
#ifndef FS_VAULT_DOOM_INSIDE_H
#define FS_VAULT_DOOM_INSIDE_H

#include "fs/base/bits.h"
#include "fs/base/bytes.h"
#include "fs/store/catalogue_copy.h"
#include "fs/vault/doom.h"

struct doomed {			/* an entry's row: a record of the disposition */
	int64_t directory, first, last;
	size_t name;		/* in doom->names */
	uint16_t name_size;
	uint8_t kind;
	bool is_found;
	bool is_superseded;	/* a later record stays under its very name */
	int64_t target;		/* node; of a listed empty directory its id */
	int64_t content;	/* 0: none */
	uint64_t size;
};

struct edge {			/* a directory's name in another, over a range of versions */
	int64_t parent, child, first, last;
	size_t name;		/* in doom->names */
	uint16_t name_size;
	bool has_inside;	/* something stood in the directory under this name; where
				 * nothing did the directory is a record itself */
	bool is_listed;		/* ... of the disposition */
	bool is_kept;		/* else the name goes, and is a stub in `parent` */
};

struct span {			/* versions */
	int64_t first, last;
};

struct folder {			/* a directory, over all of its versions */
	int64_t id, system;	/* system 0: nobody's */
	bool has_entries;	/* in any version */
	bool is_kept;		/* under one name at least */
	unsigned span_count, span_capacity;
	struct span *spans;	/* when something in it stays: apart, ascending; owned */
};

struct tally {			/* a sealed version */
	int64_t id, system;
	int64_t kept, doomed;	/* differences first, then counts of what stands in it */
	bool is_gone;		/* already */
};

struct root {			/* a system */
	int64_t id, directory;
	char name[132];
	bool was_gone;		/* already */
};

struct piece {			/* bytes of a block that stay, though the block does not */
	int64_t block;
	uint32_t at, size;
	uint32_t new_at;
	int64_t new_block;	/* 0: not packed yet */
};

struct old_block {		/* has pieces: to be packed anew */
	int64_t id, class_id;
	int32_t year;
	uint32_t raw;
	bool is_based;		/* leaned on others */
	bool is_led;		/* ... on one that stood alone: on a leader, or as good as */
	size_t piece, pieces;	/* in doom->pieces */
};

struct fresh_block {		/* of what moved */
	struct block block;
	struct sketch sketch;
	size_t old, piece;	/* where its bytes come from: from this piece of this old block
				 * on, as far as pieces are in it */
};

struct new_segment {
	int64_t id;
	uint8_t uid[16];
};

struct doom {
	int64_t disposition;
	struct catalogue *catalogue;	/* the old one; borrowed */
	struct buffer names;	/* bytes of names, one after the other */
	struct doomed *records;	/* by (directory, name, first); owned */
	size_t record_count, record_capacity;
	struct edge *edges;	/* by child once all are known; owned */
	size_t edge_count, edge_capacity;
	struct folder *folders;	/* by id; owned */
	size_t folder_count, folder_capacity;
	struct root *roots;	/* by id; owned */
	size_t root_count, root_capacity;
	struct tally *versions;	/* by id; owned */
	size_t version_count, version_capacity;
	struct digest *paths;	/* of what goes, with its system, hashed; sorted; owned */
	size_t path_count, path_capacity;

	/* What stays: */
	struct bits directories, nodes, contents, xattrs, accounts, blocks, segments;
	struct bits based;	/* blocks that lean on others, whatever becomes of them */
	/* What goes: */
	struct bits systems_gone, versions_gone, details_gone;
	struct bits systems_touched;	/* something of theirs goes */
	struct bits holds_mute;	/* released; what they covered by name goes */
	struct bits contents_doomed;	/* of records that go; some of them stay for others */
	struct bits contents_shared;	/* of these: a kept record has bytes of theirs */

	struct old_block *old;	/* owned */
	size_t old_count, old_capacity;
	struct piece *pieces;	/* by (block, at); owned */
	size_t piece_count, piece_capacity;
	struct fresh_block *fresh;	/* by id; owned, with keys */
	size_t fresh_count, fresh_capacity;
	struct new_segment *segments_new;	/* owned */
	size_t segment_count, segment_capacity;
	int64_t next_block, next_segment;	/* the first free ids */
	uint8_t (*uids)[16];	/* of blocks that go; owned */
	size_t uid_count, uid_capacity;
	struct doom_result result;
};

/* The list with room for one more, maybe elsewhere; NULL: e is filled. */
void *doom_room(void *list, size_t count, size_t *capacity, size_t each, struct err *e);
int doom_no_memory(struct err *e);
/* Order of entries: as SQLite has it. */
int doom_compare_key(int64_t directory, const void *name, size_t name_size, int64_t first,
		     const struct doom *d, const struct doomed *r);
struct doomed *doom_record(const struct doom *d, int64_t directory, const void *name,
			   size_t name_size, int64_t first);	/* NULL: stays */
struct folder *doom_folder(const struct doom *d, int64_t id);	/* NULL: none such */
/* The first edge whose child is not below id: edges stand in that order. */
size_t doom_edges_of(const struct doom *d, int64_t child);
/* Has the directory no name any more in these versions? */
bool doom_range_is_gone(const struct doom *d, int64_t directory, int64_t first,
			int64_t last);
static inline bool doom_takes(const struct doom *d)
{
	return d->disposition != 0;
}

/* In this order: */
int doom_mark_records(struct doom *d, struct err *e);	/* doom_records.c */
int doom_mark_folders(struct doom *d, struct err *e);	/* doom_folders.c */
int doom_mark_versions(struct doom *d, struct err *e);	/* doom_versions.c */
int doom_mark_nodes(struct doom *d, struct err *e);	/* doom_nodes.c */
int doom_mark_blocks(struct doom *d, struct err *e);	/* doom_live.c */
int doom_mark_paths(struct doom *d, struct err *e);	/* doom_paths.c */
int doom_mark_words(struct doom *d, struct vault *v, struct err *e);	/* doom_words.c */

/* What the adversarial check is to look for (doom_traces.c), into the next catalogue. */
int doom_put_traces(struct doom *d, struct catalogue *next, struct err *e);

/* Is it a path of what goes, or below a directory that goes? */
bool doom_path_is_gone(const struct doom *d, int64_t system, const void *path, size_t size);
bool doom_path_is_below_gone(const struct doom *d, int64_t system, const void *path,
			     size_t size);
/* Every path of the entry `name` of a directory within versions first..last; below the
 * system's root.  0 go on, -1. */
int doom_each_path(struct doom *d, int64_t directory, const void *name, size_t name_size,
		   int64_t first, int64_t last,
		   int (*row)(void *arg, int64_t system, const void *path, size_t size),
		   void *arg, struct err *e);
/* Where bytes of a block that goes are now. */
bool doom_moved(const struct doom *d, int64_t block, uint32_t at, uint32_t size,
		struct chunk_place *to);

#endif
