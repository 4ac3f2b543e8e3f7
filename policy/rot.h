/*
 * Redundant, obsolete, trivial: what an archive of a retired system is usually
 * swollen with, told apart so that an officer sees what could go.  It informs; it
 * decides nothing.
 */
#ifndef POLICY_ROT_H
#define POLICY_ROT_H

#include <stdint.h>

#include "policy/facts.h"

enum rot {
	ROT_NONE,
	ROT_REDUNDANT,	/* a copy of another item */
	ROT_TRIVIAL,	/* empty, or what programs leave lying about: caches, temporary and
			 * lock files, thumbnails, editors' backups */
	ROT_OBSOLETE,	/* not modified in the last ROT_YEARS years */
};
#define ROT_YEARS 10

/* The first of the three that it is.  Pure. */
enum rot rot_of(const struct facts *f, int64_t now);
const char *rot_name(enum rot r);

#endif
