/*
 * Which older blocks resemble a new one: features of sketches to blocks, and the count
 * of votes.  docs/decisions/0103-bases-by-sketches.md.
 *
 * Filled by one thread, then constant: any number may ask at once.
 */
#ifndef FS_VAULT_BASE_INDEX_H
#define FS_VAULT_BASE_INDEX_H

#include <stdbool.h>

#include "fs/vault/sketch.h"

struct base_index;
struct base_votes;		/* scratch of one who asks */

struct base_choice {
	unsigned count;		/* of blocks; 0: nothing resembles it */
	int64_t blocks[BLOCK_BASES_MAX];	/* the one with most votes first */
	unsigned votes[BLOCK_BASES_MAX];	/* of the second: that the first did not get */
	uint8_t depth;		/* that a block based on these has */
};

struct base_index *base_index_new(void);	/* NULL without memory */
void base_index_free(struct base_index *x);
/* The newest come first: of a feature that many blocks have the first few count.
 * 0 taken; 1 full; -1 out of memory. */
int base_index_add(struct base_index *x, int64_t block, const struct sketch *s);
size_t base_index_count(const struct base_index *x);	/* blocks in it */

struct base_votes *base_votes_new(void);	/* NULL without memory */
void base_votes_free(struct base_votes *v);

struct base_judge {
	/* True: it is taken, after those that were. */
	bool (*may)(void *arg, int64_t block, unsigned votes);
	void *arg;
};

/* features: apart, of a block of this class.  depth_max: that it may have.  judge is asked in
 * the order of votes; NULL: all may. */
void base_index_choose(const struct base_index *x, struct base_votes *v, int64_t class_id,
		       unsigned depth_max, const uint32_t *features, size_t count,
		       const struct base_judge *judge, struct base_choice *out);

#endif
