/*
 * Which objects of base and redo belong together: sets by sequence number, the
 * newest whole base, and the changes that follow it.
 *
 * A set is whole when all its parts are there and agree.  The chain is the
 * newest whole base and, as far as they go, the sets numbered on from it whose
 * `before` is the `after` of the set before.  Whole sets beyond its end mean that
 * one between is lost; other left-overs are what a crash in an append leaves.
 */
#ifndef FS_STORE_REDO_CHAIN_H
#define FS_STORE_REDO_CHAIN_H

#include "fs/store/redo_object.h"

struct redo_set {
	struct redo_head *parts;	/* borrowed from the chain, in order */
	uint32_t count;			/* of parts at hand */
	bool is_whole;
};

struct redo_chain {
	struct redo_head *heads;	/* owned: of this epoch, by sequence and part */
	size_t head_count;
	struct redo_set *sets;		/* owned: by sequence */
	size_t set_count;
	size_t begin, end;		/* sets[begin .. end) is the chain; equal: none */
	uint64_t last_sequence;		/* greatest at hand; 0 none */
	uint64_t newest_epoch;		/* of this archive's, of whichever epoch; 0 none */
	struct object_name *unreadable;	/* owned: no copy of the head is whole */
	size_t unreadable_count;
};

/* Reads the heads of all objects; those of other archives and epochs are left
 * out. */
int redo_chain_load(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
		    struct redo_chain *out, struct err *e);
void redo_chain_free(struct redo_chain *c);

bool redo_chain_is_empty(const struct redo_chain *c);
/* Digest at its end; zeros: there is none. */
struct digest redo_chain_after(const struct redo_chain *c);
/* Pages in the sets after the base. */
uint64_t redo_chain_changed_pages(const struct redo_chain *c);
/* A whole set of changes stands beyond its end: one before it is lost. */
bool redo_chain_has_gap(const struct redo_chain *c);

#endif
