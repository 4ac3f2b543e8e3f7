/*
 * Parity: Reed-Solomon over the columns of 64 KiB of a group of segments, so
 * that damage is located and mended without any key.  docs/format.md, "Parity".
 *
 * A parity object names its group's members with their sizes and a checksum
 * (SHA-256/128) of each of their columns, and carries the parity columns with
 * theirs; short segments count as zeros.  A group takes up to `data` members
 * and has `parity` objects.
 *
 *   P1  parity_update() leaves every whole segment in exactly one group; the
 *       old parity objects go only after the new ones are durable.
 *   P2  Needs no key and no catalogue: it works on what objects_list() shows.
 *   P3  A column is mended only to bytes whose checksum stood in the parity.
 *   P4  A member leaves its group through parity_remove() only: one that is
 *       just not there is damage, and stays a member so that it can be rebuilt.
 */
#ifndef FS_STORE_PARITY_H
#define FS_STORE_PARITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct objects;
struct object_name;

#define PARITY_COLUMN (64u * 1024)
#define PARITY_DATA_DEFAULT 20
#define PARITY_COUNT_DEFAULT 1

struct parity_strength {
	unsigned data;		/* members of a full group, 1..200 */
	unsigned parity;	/* parity objects a group, 0..20; 0: none */
};

/*
 * Brings parity up to what objects_list(OBJECTS_SEGMENT) shows: new segments join
 * an open group of segments of like size, so that a small ingest does not rewrite
 * the parity of large segments.  Old members are not read: parity is carried on.
 * A new segment that is damaged already is left out: parity_check() names it.
 */
int parity_update(struct objects *o, const uint8_t archive_id[16],
		  struct parity_strength strength, struct err *e);
/* Parity needs no key, so whoever forges a segment and takes its parity away would be given
 * parity for what he forged.  Who has the keys is asked before a segment's parity is made
 * anew: *out false: none is made, and no parity is written over or deleted for it. */
struct parity_vouch {
	int (*segment)(void *arg, const uint8_t uid[16], bool *out, struct err *e);
	void *arg;
};
/* vouch (NULL: nobody is asked): of each segment that would join a group. */
int parity_update_vouched(struct objects *o, const uint8_t archive_id[16],
			  struct parity_strength strength, const struct parity_vouch *vouch,
			  struct err *e);
/* Segments that stand in no group, sorted by uid; *out malloc'ed.  Reads little. */
int parity_uncovered(struct objects *o, const uint8_t archive_id[16],
		     struct object_name **out, size_t *count, struct err *e);
/* Before segments are deleted for good: writes their groups anew without them.
 * Uids that are in no group are fine. */
int parity_remove(struct objects *o, const uint8_t archive_id[16],
		  const uint8_t (*uids)[16], size_t count, struct err *e);

struct parity_damage {
	bool is_parity;		/* the damaged object is itself parity */
	uint8_t uid[16];	/* of the damaged object */
	uint64_t offset;
	uint64_t size;		/* of the damaged run; whole object missing: its size */
	bool is_whole;		/* all of a segment, and no parity tells how large it was:
				 * size is what is left of it */
	bool is_missing;
	bool can_mend;
};

#define PARITY_SLICE (1u << 20)
#define PARITY_THREADS_MAX 64

/* Who would look at a segment's bytes, too, need not read them again.  slice() gets each
 * PARITY_SLICE of a segment (the last may be shorter) of which every column has its
 * checksum, on one of several threads: `thread` is below PARITY_THREADS_MAX, and no two at
 * a time have the same. */
struct parity_seen {
	void (*slice)(void *arg, unsigned thread, const uint8_t uid[16], uint64_t offset,
		      const uint8_t *data, size_t size);
	void *arg;
};

/*
 * Reads all members and parity, without keys; calls found() for each damaged
 * run and returns 0 when all was looked at.  Segments in no group are checked by
 * their own checksums, and are not shown to `seen` (NULL: nobody).  `progress` gets
 * bytes read; false from it, or -1 from found(), is MUNI_CANCELLED.  Both are called
 * on the caller's thread.
 */
int parity_check(struct objects *o, const uint8_t archive_id[16],
		 int (*found)(void *arg, const struct parity_damage *d),
		 bool (*progress)(void *arg, uint64_t bytes), void *arg,
		 const struct parity_seen *seen, struct err *e);

/*
 * Mends what it can: a damaged object is written anew under its own name, which
 * replaces the old one in one step once it is durable.  found() is called for
 * each run with can_mend as it came out.  Ends with parity_update_vouched(), and removes
 * parity that nobody can use any more, unless a segment was not vouched for.
 *
 *   P5  What the system refused to read may be whole another day.  Parity of which that is
 *       so is not removed; nor is any while a damaged segment stands in no group.  A segment
 *       is not written anew over a column that was neither read nor mended.
 */
int parity_repair(struct objects *o, const uint8_t archive_id[16],
		  struct parity_strength strength,
		  int (*found)(void *arg, const struct parity_damage *d),
		  bool (*progress)(void *arg, uint64_t bytes), void *arg,
		  const struct parity_vouch *vouch, struct err *e);

#endif
