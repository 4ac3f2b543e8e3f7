/*
 * One look at all groups, shared by check and repair.  Only
 * fs/store/parity_{check,exam,mend,scan}.c include this.
 */
#ifndef FS_STORE_PARITY_EXAM_H
#define FS_STORE_PARITY_EXAM_H

#include "fs/base/err.h"
#include "fs/store/parity_inside.h"

struct exam {
	struct objects *objects;
	const uint8_t *archive_id;
	int (*found)(void *arg, const struct parity_damage *d);
	bool (*progress)(void *arg, uint64_t bytes);
	void *arg;
	const struct parity_seen *seen;	/* borrowed; NULL: nobody */
	const struct parity_vouch *vouch;	/* borrowed; NULL: nobody is asked */
	bool is_repair;
	bool is_refused;		/* some segment was not vouched for */
	bool is_left;			/* useless parity stays: it may be whole and was not read, or
					 * a damaged segment has none that is of use */
	struct parity_index index;
	struct object_name *segments;	/* owned; sorted */
	size_t segment_count;
	bool *is_covered;		/* owned */
	struct object_name *useless;	/* owned; parity that protects nobody */
	size_t useless_count;
};

int parity_exam_tell(struct exam *x, const struct parity_damage *d, struct err *e);
int parity_exam_advance(struct exam *x, uint64_t bytes, struct err *e);

struct shard {
	bool is_missing;	/* no file */
	bool is_odd;		/* the file is longer than it was, or parity whose head
				 * or trailer is damaged */
	bool is_damaged;	/* something of it is bad */
	bool is_lost;		/* something of it could not be mended */
	bool is_kept;		/* a member's file stays: something of it was neither read nor
				 * mended, and may be read another day */
	uint64_t file_size;
	struct parity_damage run;	/* the open run of bad columns; size 0 none */
	struct objects_writer *writer;	/* owned; a member being mended */
	struct parity_output output;	/* owned; parity being mended */
};

struct group_exam {
	struct exam *exam;
	struct parity_group *group;	/* owned */
	struct parity_pass pass;
	unsigned count;			/* members and parity */
	struct shard *shards;		/* owned; by source of the pass */
	struct rs *rs;
	uint8_t **columns;		/* owned; data + parity pointers of one column */
	bool *is_missing;		/* owned; the same for rs_rebuild() */
	uint8_t *zeros;			/* owned; one column */
	bool is_barred;			/* a member is not vouched for: its parity stays */
};

/* Takes group over, also on failure; free it in any case. */
int group_exam_new(struct exam *x, struct parity_group *group, struct group_exam *g,
		   struct err *e);
void group_exam_free(struct group_exam *g);
/* Reads all columns, for repair: which shards are damaged. */
int group_exam_find(struct group_exam *g, struct err *e);
/* Reads all columns and tells found() what is bad, and whether parity could mend it. */
int group_exam_scan(struct group_exam *g, const struct parity_seen *seen, struct err *e);
/* Reads them again and writes what is damaged anew. */
int group_exam_mend(struct group_exam *g, struct err *e);

/* Of column k of the stripe that was read. */
bool group_exam_is_bad(const struct group_exam *g, unsigned i, unsigned k);
unsigned group_exam_count_bad(const struct group_exam *g, unsigned k);
/* Column k of shard i is bad: it lengthens the open run or begins another. */
int group_exam_note(struct group_exam *g, unsigned i, unsigned k, bool can_mend,
		    struct err *e);
/* Tells the open run, and what no column shows: bytes past the end, a parity
 * object's head or trailer. */
int group_exam_flush(struct group_exam *g, unsigned i, bool can_mend_rest,
		     struct err *e);

#endif
