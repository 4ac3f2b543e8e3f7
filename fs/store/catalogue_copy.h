/*
 * The next epoch's catalogue, made by copying the rows that stay: what goes was
 * never in its pages.  And the passes over whole tables that find out what stays.
 *
 *   Y1  Rows are written in the order of their primary key: full pages, no free ones.
 *   Y2  A table without a rule is an error: nothing is lost, or copied, unseen.
 *   Y3  Ids keep their high-water marks (catalogue.h, C2).
 *
 * catalogue_copy_open(), catalogue_begin(next), catalogue_copy_rows(),
 * catalogue_disposition_settle() and further rows by the caller, catalogue_commit(next),
 * catalogue_copy_close().
 */
#ifndef FS_STORE_CATALOGUE_COPY_H
#define FS_STORE_CATALOGUE_COPY_H

#include "fs/base/bits.h"
#include "fs/store/catalogue_dispositions.h"

/* What stays.  All borrowed; functions are asked while a statement stands open, and
 * may read any catalogue but `next`. */
struct catalogue_copy {
	bool is_whole;		/* nothing goes: nothing below is looked at but the marks */
	const struct bits *directories, *nodes, *contents, *xattrs, *accounts;
	const struct bits *blocks;	/* as they are, with their segments and chunks */
	const struct bits *segments;
	const struct bits *systems_gone, *versions_gone;
	const struct bits *systems_touched;	/* digests over their inventory go */
	void *arg;
	bool (*is_entry_gone)(void *arg, int64_t directory, const void *name, size_t size,
			      int64_t first);
	/* The name of directory `target` in another. */
	bool (*is_name_gone)(void *arg, int64_t directory, int64_t first, int64_t target);
	/* A range of a directory; of one that is not in `directories` it is not asked. */
	bool (*is_directory_gone)(void *arg, int64_t id, int64_t first, int64_t last);
	/* Of inventory and overrides; of the problems of a version; of a scan. */
	bool (*is_path_gone)(void *arg, int64_t system, const void *path, size_t size);
	bool (*is_problem_gone)(void *arg, int64_t version, const void *path, size_t size);
	bool (*is_scan_problem_gone)(void *arg, int64_t system, const void *path, size_t size);
	bool (*is_detail_gone)(void *arg, int64_t sequence);
	bool (*is_hold_mute)(void *arg, int64_t id);	/* released; its scope goes */
	/* Bytes of a block that is not in `blocks`: where they are now; false: nowhere. */
	bool (*moved)(void *arg, int64_t block, uint32_t at, uint32_t size,
		      struct chunk_place *to);
	bool (*go_on)(void *arg, const char *table);	/* false: stop (MUNI_CANCELLED) */
	int64_t next_block, next_segment;	/* at least these; 0: as they were */
};

/* `old` stays open and unchanged; next was just created and holds nothing. */
int catalogue_copy_open(struct catalogue *next, struct catalogue *old, struct err *e);
int catalogue_copy_rows(struct catalogue *next, const struct catalogue_copy *k,
			struct err *e);
void catalogue_copy_close(struct catalogue *next);

/* ---- whole tables, for marking -------------------------------------------------- */

/* row(): 0 go on, 1 stop, -1 its own error.  All is borrowed for the call. */
struct entry_row {
	int64_t directory;
	const uint8_t *name;
	size_t name_size;
	int64_t first, last;
	enum node_kind kind;
	int64_t target;		/* directory id or node id */
	uint8_t salt[16];	/* of its leaf */
};
/* By (directory, name, first). */
int catalogue_each_entry(struct catalogue *c, int (*row)(void *arg, const struct entry_row *r),
			 void *arg, struct err *e);
/* Every range of every directory, by (id, first); parents and nodes alone. */
int catalogue_each_directory(struct catalogue *c,
			     int (*row)(void *arg, const struct directory *d), void *arg,
			     struct err *e);
/* The first version of its first range that begins after `version`; MUNI_DAMAGED: none. */
int catalogue_directory_after(struct catalogue *c, int64_t id, int64_t version, int64_t *first,
			      struct err *e);
/* By id; sha256 is not filled. */
int catalogue_each_node(struct catalogue *c, int (*row)(void *arg, const struct node *n),
			void *arg, struct err *e);
/* Every page of every content; sha NULL for later pages. */
int catalogue_each_extents(struct catalogue *c,
			   int (*row)(void *arg, int64_t content, const uint8_t *sha,
				      const struct extent_page *page), void *arg,
			   struct err *e);
/* Blocks from <= id < before, by id; without offset and key. */
int catalogue_each_block(struct catalogue *c, int64_t from, int64_t before,
			 int (*row)(void *arg, const struct block *b), void *arg,
			 struct err *e);
/* Account ids of an inventory's items: at each item of every system. */
int catalogue_each_item_account(struct catalogue *c,
				int (*row)(void *arg, int64_t system, const void *path,
					   size_t size, int64_t owner, int64_t group),
				void *arg, struct err *e);
/* Systems and sealed versions, also those that are gone already. */
int catalogue_each_system(struct catalogue *c, int (*row)(void *arg, const struct system *s),
			  void *arg, struct err *e);
int catalogue_each_version(struct catalogue *c,
			   int (*row)(void *arg, int64_t id, int64_t system, bool is_gone),
			   void *arg, struct err *e);
int catalogue_each_detail(struct catalogue *c,
			  int (*row)(void *arg, int64_t sequence, const char *details),
			  void *arg, struct err *e);
/* Next free id, as it stands. */
int catalogue_high_water(struct catalogue *c, enum catalogue_sequence s, int64_t *out,
			 struct err *e);

#endif
