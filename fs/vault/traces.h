/*
 * Traces: how what was destroyed would be known again if any of it were left.  Of each
 * secret there is its first two bytes and its SHA-256, so that the list may be kept after
 * the destruction (a crash between the two must not spoil the check) and gives nothing
 * away: what it is made of is random, 128 bits or more.
 */
#ifndef FS_VAULT_TRACES_H
#define FS_VAULT_TRACES_H

#include <stddef.h>
#include <stdint.h>

#include "fs/crypt/digest.h"

struct err;

#define TRACES_MAX 1024		/* of each kind; evenly over what goes */

enum trace_kind {		/* stored: never renumber, never reuse */
	TRACE_KEY = 1,		/* of a destroyed block, 32 bytes */
	TRACE_SALT = 2,		/* of a destroyed entry's leaf, 16 bytes */
	TRACE_PLANTED = 3,	/* put into the old catalogue for this, 32 bytes */
	TRACE_CONTROL = 4,	/* stays: a search that does not find it is no search */
};

struct trace {
	uint8_t kind, size;
	uint8_t lead[2];
	struct digest hash;
};

struct trace_block {		/* a destroyed block's ciphertext that may still lie about */
	uint8_t uid[16], segment[16];
	uint64_t offset;
	uint32_t stored;
};

struct traces {
	struct trace *list;	/* owned, as is blocks: traces_clear() */
	struct trace_block *blocks;
	size_t count, capacity, block_count, block_capacity;
};

/* size 16 or 32. */
int traces_add(struct traces *t, enum trace_kind kind, const void *secret, size_t size,
	       struct err *e);
int traces_add_block(struct traces *t, const struct trace_block *b, struct err *e);
void traces_clear(struct traces *t);

int traces_pack(const struct traces *t, uint8_t **out, size_t *size, struct err *e);
/* MUNI_DAMAGED. */
int traces_unpack(const void *data, size_t size, struct traces *out, struct err *e);

/* At every offset of data; found() with the index of the trace. */
struct trace_search;
struct trace_search *trace_search_new(const struct traces *t);	/* borrows t; NULL: no memory */
void trace_search_free(struct trace_search *s);
void trace_search(const struct trace_search *s, const void *data, size_t size,
		  void (*found)(void *arg, size_t trace, size_t offset), void *arg);

#endif
