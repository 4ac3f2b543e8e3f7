/*
 * What pack.c (lanes) and pack_segments.c (segments, ids, the writing thread)
 * share.  Order of locks: id_lock before
 * segment_lock (packer_cancel() alone takes both).
 */
#ifndef FS_VAULT_PACK_INSIDE_H
#define FS_VAULT_PACK_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "fs/base/queue.h"
#include "fs/store/segment.h"
#include "fs/vault/inside.h"
#include "fs/vault/pack.h"
#include "fs/vault/pack_map.h"

#define SEGMENT_CHUNKS (1u << 18)	/* of tiny files a segment ends here: until it is
				 * committed the map may not forget them */
#define FILLINGS 2	/* one fills while the other is written and synced */

struct filling {		/* a segment on its way */
	struct segment_builder *builder;
	struct pack_segment *segment;
	size_t capacity;	/* of segment->blocks */
	size_t names;		/* chunks in it */
};

struct packer {
	struct vault *vault;
	struct pack_options o;
	struct pack_map *map;
	atomic_bool is_cancelled;
	atomic_ullong raw, stored;	/* of all blocks so far */

	pthread_mutex_t id_lock;
	pthread_cond_t id_more;
	int64_t id_next, id_end;	/* protected by id_lock */

	pthread_mutex_t segment_lock;
	pthread_cond_t segment_free;
	struct filling fillings[FILLINGS];
	struct filling *current;	/* protected by segment_lock */
	struct filling *spare[FILLINGS];	/* protected by segment_lock */
	size_t spare_count;		/* protected by segment_lock */
	struct queue *full;
	pthread_t writer;
	bool has_writer;
};

/* Waits for the pool; MUNI_CANCELLED. */
int packer_take_id(struct packer *p, int64_t *out, struct err *e);
/* Takes the names from b on success. */
int packer_add(struct packer *p, struct pack_block *b, const uint8_t *sealed,
	       struct err *e);

#endif
