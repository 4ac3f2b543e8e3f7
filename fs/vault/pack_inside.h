/*
 * What pack.c (lanes), pack_segments.c (ids, filling segments) and pack_write.c
 * (writing them, syncing, parity) share.  Order of locks: run_lock or id_lock before
 * segment_lock (of the last two packer_cancel() alone takes both); cohort_lock and turn_lock are leaves,
 * but that `sealed` is called with turn_lock held.
 */
#ifndef FS_VAULT_PACK_INSIDE_H
#define FS_VAULT_PACK_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "fs/base/queue.h"
#include "fs/store/objects.h"
#include "fs/store/parity_stream.h"
#include "fs/store/segment.h"
#include "fs/vault/inside.h"
#include "fs/vault/pack.h"
#include "fs/vault/pack_bases.h"
#include "fs/vault/pack_map.h"

#define SEGMENT_CHUNKS (1u << 18)	/* of tiny files a segment ends here: until it is
				 * committed the map may not forget them */
#define BUFFER_SIZE (1u << 20)	/* of a segment on its way to the disk; whole columns of parity */
#define BUFFERS 24
#define SYNCERS 3	/* segments that are synced at once */
#define COHORTS 2	/* parity in memory: one in the making, one that waits for its members */

struct cohort {			/* segments that get their parity together */
	struct parity_batch *batch;	/* owned; NULL: it may still grow */
	size_t pending;		/* members that are not on stable storage */
};

struct filling {		/* a segment on its way */
	uint64_t turn;		/* P5: segments are told of one after the other */
	struct segment_plan plan;
	size_t target;		/* bytes of head and blocks, about */
	uint64_t before;	/* bytes in segments that were begun earlier */
	struct pack_segment *segment;	/* owned, until `sealed` takes it */
	size_t capacity;	/* of segment->blocks */
	size_t names;		/* chunks in it */
	struct buffer_part *part;	/* the buffer that fills; NULL: none yet */
	/* From here on only the threads that write: */
	struct objects_writer *writer;	/* owned */
	struct cohort *cohort;	/* NULL: parity comes later */
};

struct buffer_part {		/* of one segment's bytes */
	struct filling *filling;
	bool is_last;		/* then the footer follows, and filling is done */
	size_t used;
	uint8_t data[BUFFER_SIZE];
};

struct packer {
	struct vault *vault;
	struct pack_options o;
	struct pack_map *map;
	struct pack_names *names;	/* owned */
	struct block_cache *compared;	/* owned; of pack_known.h; NULL: there is nothing to ask */
	struct bases *bases;	/* owned; NULL: there is nothing older */
	atomic_bool is_cancelled;
	atomic_ullong raw, stored;	/* of all blocks so far */

	pthread_mutex_t id_lock;
	pthread_cond_t id_more;
	int64_t id_next, id_end;	/* protected by id_lock */

	pthread_mutex_t run_lock;	/* whose run of blocks is being added */
	pthread_mutex_t segment_lock;
	pthread_cond_t buffer_free;
	struct filling *current;	/* protected by segment_lock */
	uint64_t begun;			/* protected by segment_lock: bytes in all segments */
	uint64_t turns;			/* protected by segment_lock: given so far */
	struct buffer_part *spare[BUFFERS];	/* protected by segment_lock */
	size_t spare_count;		/* protected by segment_lock */

	struct queue *parts;	/* struct buffer_part, to the writer */
	struct queue *written;	/* struct filling, to the syncers */
	pthread_t writer, syncers[SYNCERS];
	bool has_writer;
	size_t syncer_count;

	pthread_mutex_t turn_lock;
	pthread_cond_t turn_comes;
	uint64_t turn;			/* protected by turn_lock: whose it is to be told of */
	bool is_broken;			/* protected by turn_lock: one will never be durable */

	struct parity_stream *parity;	/* the writer's; NULL: parity_update() makes all of it */
	struct cohort *cohort;		/* the writer's: that which grows */
	pthread_mutex_t cohort_lock;
	pthread_cond_t cohort_gone;
	struct cohort *cohorts[COHORTS];	/* owned; protected by cohort_lock; NULL: free */
};

/* Waits for the pool; MUNI_CANCELLED. */
int packer_take_id(struct packer *p, int64_t *out, struct err *e);
/* Between the two no other lane adds anything, however long this one waits for buffers. */
void packer_hold(struct packer *p);
void packer_let_go(struct packer *p);
/* Takes the names from b on success. */
int packer_add(struct packer *p, struct pack_block *b, const uint8_t *sealed,
	       const uint8_t sum[16], struct err *e);
void packer_give_back(struct packer *p, struct buffer_part *part);
void filling_free(struct filling *f);

/* pack_write.c */
int pack_writers_start(struct packer *p, struct err *e);
/* After p->parts was closed or cancelled: returns when all is durable, or given up. */
void pack_writers_join(struct packer *p);
/* No segment is told of any more. */
void pack_writers_break(struct packer *p);
void pack_writers_free(struct packer *p);

#endif
