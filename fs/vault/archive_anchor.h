/*
 * The anchor: the newest state of an archive that this host has seen, beside
 * the keyring as ID.anchor.  An archive behind it is an older copy put back.
 * docs/format.md, "Anchor".
 *
 *   N1  It moves only after the head that it tells of is on stable storage.
 *   N2  It keeps the log's frontier, so that a log which went another way since
 *       is seen, not only a shorter one.
 */
#ifndef FS_VAULT_ARCHIVE_ANCHOR_H
#define FS_VAULT_ARCHIVE_ANCHOR_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/store/log.h"

struct err;

struct anchor {
	uint64_t epoch;
	uint64_t generation;	/* of the catalogue */
	struct log_position position;
};

/* keyring: its path.  MUNI_NOT_FOUND: none on this host; MUNI_DAMAGED. */
int anchor_read(const char *keyring, const uint8_t id[16], struct anchor *out,
		struct err *e);
int anchor_write(const char *keyring, const uint8_t id[16], const struct anchor *a,
		 struct err *e);
/* Absent is fine. */
int anchor_remove(const char *keyring, const uint8_t id[16], struct err *e);
/* MUNI_DAMAGED if what is there now is behind the anchor or beside it. */
/* Has the host seen more than this?  Else anchor_compare() judges. */
bool anchor_is_ahead(const struct anchor *seen, const struct log *log, uint64_t epoch,
		     uint64_t generation);
int anchor_compare(const struct anchor *seen, const struct log *log, uint64_t epoch,
		   uint64_t generation, struct err *e);

/* A descriptor of the folder that the keyring lies in. */
int anchor_folder(const char *keyring, struct err *e);

#endif
