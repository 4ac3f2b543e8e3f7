/*
 * Groups and the bytes of parity objects.  Only fs/store/parity*.c includes this.
 *
 *   head     128 bytes, see parity_bytes.c
 *   columns  `columns` of PARITY_COLUMN bytes
 *   trailer  directory: 16 segment 8 size a member, 16 sum of head and these;
 *            sums: 16 a member's column, member by member, then 16 a column of
 *            this object, 16 sum of head, directory and these
 *   trailer  again
 *   head     again
 */
#ifndef FS_STORE_PARITY_INSIDE_H
#define FS_STORE_PARITY_INSIDE_H

#include "fs/base/rs.h"
#include "fs/crypt/keyed_hash.h"
#include "fs/store/objects.h"
#include "fs/store/parity.h"

#define PARITY_HEAD 128
#define PARITY_SUM 16
#define PARITY_FORMAT 2		/* of new groups; a group keeps its own for good */
#define PARITY_FORMAT_DIGESTS 1	/* released: sums of columns are SHA-256 */
#define PARITY_DATA_MAX 200
#define PARITY_PARITY_MAX 20
#define PARITY_COLUMNS_MAX (1u << 20)	/* a segment of 64 GiB */
#define PARITY_STRIPE_BYTES (32u << 20)	/* memory of a pass, about */

struct parity_head {
	uint8_t group[16];
	uint8_t uid[16];	/* of the object */
	uint64_t generation;	/* of the group; the highest counts */
	unsigned format;
	unsigned data, parity, index, members;
	uint64_t columns;
};

struct parity_member {
	uint8_t uid[16];
	uint64_t size;
	uint64_t columns;
	uint8_t *sums;		/* owned; PARITY_SUM a column; NULL not known */
};

struct parity_object {
	bool is_present;	/* a file is there under its name */
	bool is_whole;		/* both heads and both trailers are */
	uint8_t *sums;		/* owned; NULL not known: its columns are worth nothing */
	uint64_t size;		/* of the file */
};

struct parity_group {
	uint8_t uid[16];
	uint64_t generation;
	unsigned format;
	unsigned data, parity;
	unsigned count;			/* members; member i is shard i */
	uint64_t columns;		/* of the longest member */
	struct parity_member *members;	/* owned; room for `data` */
	struct parity_object objects[PARITY_PARITY_MAX];
	bool is_unread;			/* a read of some head or trailer of it was refused */
};

/* Members of a group are alike in size within a factor of 16, or all small:
 * parity is as long as the longest member. */
#define PARITY_CLASSES 4
unsigned parity_class_of(uint64_t columns);

int parity_check_strength(struct parity_strength strength, struct err *e);	/* MUNI_USAGE */
uint64_t parity_columns(uint64_t size);
void parity_sum(const void *data, size_t size, uint8_t sum[PARITY_SUM]);
/*
 * Sums of columns, which are against rot and can be made by anybody, as those of blocks
 * (segment.h).  What makes those of a format, for one thread; *out NULL for the first.
 */
int parity_column_sums_new(unsigned format, struct keyed_hash **out, struct err *e);
int parity_column_sum(struct keyed_hash *sums, const void *data, size_t size,
		      uint8_t sum[PARITY_SUM], struct err *e);
/* Names of a group's objects follow from group, generation and index. */
struct object_name parity_object_name(const uint8_t group[16], uint64_t generation,
				      unsigned index);

/* ---- parity_bytes.c ---- */

void parity_head_write(const uint8_t archive_id[16], const struct parity_head *h,
		       uint8_t out[PARITY_HEAD]);
/* MUNI_DAMAGED, or MUNI_FORMAT for a later one. */
int parity_head_parse(const uint8_t raw[PARITY_HEAD], const uint8_t archive_id[16],
		      const uint8_t uid[16], struct parity_head *out, struct err *e);
uint64_t parity_trailer_size(const struct parity_group *g);
uint64_t parity_object_size(const struct parity_group *g);
/* out has parity_trailer_size() bytes. */
int parity_trailer_write(const struct parity_group *g, const uint8_t head[PARITY_HEAD],
			 const uint8_t *own_sums, uint8_t *out, struct err *e);
/*
 * The members (uid, size, columns; no sums) of a directory in raw, whose size
 * is at least what h->members asks for.  members has room for h->data.
 */
int parity_directory_parse(const struct parity_head *h, const uint8_t head[PARITY_HEAD],
			   const uint8_t *raw, struct parity_member *members,
			   struct err *e);
size_t parity_directory_size(unsigned members);

/* ---- parity_group.c ---- */

struct parity_group *parity_group_new(unsigned data, unsigned parity, struct err *e);
void parity_group_free(struct parity_group *g);
/* Takes the uid and size over; sums stay unknown. */
void parity_group_add(struct parity_group *g, const uint8_t uid[16], uint64_t size);

/* What the heads of all parity objects say. */
struct parity_index {
	struct parity_head *heads;	/* owned; by group, then newest generation
					 * first, then index */
	size_t count;
	struct object_name *broken;	/* owned; neither head can be read */
	size_t broken_count;
	bool is_unread;		/* of some the system refused to read a head: they may be whole */
};

/* Of a read that failed: did the system refuse it, so that the bytes may be whole (P5)? */
bool parity_is_refused(const struct err *e);

int parity_index_load(struct objects *o, const uint8_t archive_id[16],
		      struct parity_index *out, struct err *e);
void parity_index_free(struct parity_index *x);
/*
 * Of each group, heads [first, first + count) are its objects of the generation
 * that counts: the newest of which all objects are there, else the newest.  The
 * others in [group, end) are left-overs.
 */
struct parity_span {
	size_t group, end;
	size_t first, count;
	bool is_complete;
};
/* Walks the groups: *at is 0 at first; false at the end. */
bool parity_index_next(const struct parity_index *x, size_t *at, struct parity_span *out);
/* Deletes the objects of heads [first, end). */
int parity_index_delete(struct objects *o, const struct parity_index *x, size_t first,
			size_t end, struct err *e);
/* What crashed writes and finished ones left beside a complete generation. */
int parity_index_drop_left_overs(struct objects *o, const struct parity_index *x,
				 const struct parity_span *s, struct err *e);

/* Members alone: for what parity_update() needs of groups that stay as they are.
 * MUNI_DAMAGED if no directory of the span can be read. */
int parity_group_members(struct objects *o, const uint8_t archive_id[16],
			 const struct parity_index *x, const struct parity_span *s,
			 struct parity_group **out, struct err *e);
/* With all sums; objects[] says which parity can be used.  MUNI_DAMAGED if none tells the
 * members, then with e->sys EIO where the system refused to read a part of one (P5). */
int parity_group_load(struct objects *o, const uint8_t archive_id[16],
		      const struct parity_index *x, const struct parity_span *s,
		      struct parity_group **out, struct err *e);

/* ---- parity_pass.c: the columns of a group, stripe by stripe ---- */

enum parity_mode {
	PARITY_ZERO,	/* not read: counts as zeros */
	PARITY_LEARN,	/* read, its sums are filled in; a failure is an error */
	PARITY_CHECK,	/* read and compared; what differs or is not there is bad */
};

struct parity_source {
	enum parity_mode mode;
	struct object_name name;
	uint64_t base;		/* where its columns begin in the object */
	uint64_t size;		/* bytes of its columns */
	uint8_t *sums;		/* borrowed */
};

struct parity_pass {
	struct objects *objects;
	unsigned count;			/* of sources */
	struct parity_source *sources;	/* owned */
	uint8_t **shards;		/* owned; width * PARITY_COLUMN bytes each */
	struct keyed_hash **sums;	/* owned; what makes those of each source */
	bool *bad;			/* owned; count * width, source by source */
	bool *unread;			/* owned; the same: bad, for the system refused to read it */
	unsigned width;			/* columns a stripe at most */
	uint64_t first;			/* of the stripe that was read */
	unsigned here;			/* columns in it */
	uint64_t bytes;			/* read for it */
	struct err *errors;		/* owned; one a source, for PARITY_LEARN */
};

int parity_pass_new(struct objects *o, unsigned format, unsigned count,
		    struct parity_pass *out, struct err *e);
void parity_pass_free(struct parity_pass *p);
/* Reads columns [first, first + min(width, columns - first)) of all sources. */
int parity_pass_read(struct parity_pass *p, uint64_t first, uint64_t columns,
		     struct err *e);
bool parity_pass_is_bad(const struct parity_pass *p, unsigned source, unsigned column);
bool parity_pass_is_unread(const struct parity_pass *p, unsigned source, unsigned column);

/* ---- parity_write.c ---- */

/*
 * Writes the next generation of g (parity_next_generation()): its members' sums are learnt where unknown
 * and compared where known (MUNI_DAMAGED if one differs: repair first).  With
 * old, members that old has too are not read: old's parity, which must be
 * complete, is carried on.  Durable when it returns; left-overs stay.
 */
int parity_group_write(struct objects *o, const uint8_t archive_id[16],
		       struct parity_group *g, const struct parity_group *old,
		       struct err *e);

/*
 * g->generation becomes the next of which nothing is there: what was cut off while it was
 * written, or what the disk does not read today, may have some of the one after g's.  Not
 * taken over and not removed: that is for who finds it beside a complete one.
 */
int parity_next_generation(struct objects *o, struct parity_group *g, struct err *e);

/* Parity objects in the making. */
struct parity_output {
	struct objects_writer *writer;	/* owned; NULL not written */
	uint8_t *sums;			/* owned; PARITY_SUM a column */
	struct keyed_hash *column_sums;	/* owned */
	uint8_t head[PARITY_HEAD];
};

int parity_output_open(struct objects *o, const uint8_t archive_id[16],
		       const struct parity_group *g, unsigned index,
		       struct parity_output *out, struct err *e);
int parity_output_columns(struct parity_output *out, uint64_t first, const uint8_t *data,
			  unsigned count, struct err *e);
int parity_output_commit(struct parity_output *out, const struct parity_group *g,
			 bool may_replace, struct err *e);
void parity_output_abort(struct parity_output *out);

#endif
