/*
 * Parity: Reed-Solomon over the columns of 64 KiB of a group of segments, so
 * that damage is located and mended without any key.  docs/format.md, "Parity".
 *
 * A parity object names its group's members with their sizes and a checksum
 * (SHA-256/128) of each of their columns, and carries the parity columns with
 * theirs; short segments count as zeros.  A group takes up to `data` members
 * and has `parity` objects.
 *
 *   P1  parity_update() leaves every listed segment in exactly one group; the
 *       old parity objects go only after the new ones are durable.
 *   P2  Needs no key and no catalogue: it works on what objects_list() shows.
 *   P3  A column is mended only to bytes whose checksum stood in the parity.
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

/* Brings parity up to what objects_list(OBJECTS_SEGMENT) shows: new segments
 * join the open group, groups that lost members are written anew. */
int parity_update(struct objects *o, const uint8_t archive_id[16],
		  struct parity_strength strength, struct err *e);

struct parity_damage {
	bool is_parity;		/* the damaged object is itself parity */
	uint8_t uid[16];	/* of the damaged object */
	uint64_t offset;
	uint64_t size;		/* of the damaged run; whole object missing: its size */
	bool is_missing;
	bool can_mend;
};

/* Reads all members and parity, without keys; calls found() for each damaged
 * run.  Segments in no group are reported in *unprotected (may be NULL).
 * `progress` gets bytes read; return false from it to cancel. */
int parity_check(struct objects *o, const uint8_t archive_id[16],
		 int (*found)(void *arg, const struct parity_damage *d),
		 bool (*progress)(void *arg, uint64_t bytes), void *arg,
		 size_t *unprotected, struct err *e);

/* Mends what it can: a damaged segment is put anew under its own name (the
 * damaged one is kept aside as .damaged until the new one is durable, then
 * removed).  found() is called for each run with can_mend as it came out. */
int parity_repair(struct objects *o, const uint8_t archive_id[16],
		  struct parity_strength strength,
		  int (*found)(void *arg, const struct parity_damage *d),
		  bool (*progress)(void *arg, uint64_t bytes), void *arg, struct err *e);

#endif
