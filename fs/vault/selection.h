/*
 * What was decided on a system's items: for an ingest that takes in only what is to
 * be archived, each item into its class, and for a migration of what is to be migrated.
 *
 *   N1  A decision holds for the item as it was scanned: of another size or
 *       modification time it is undecided.
 *   N2  Constant once made: any number of threads.
 */
#ifndef FS_VAULT_SELECTION_H
#define FS_VAULT_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/catalogue.h"
#include "policy/policy.h"

struct err;
struct selection;

/* *out NULL: the system was never classified.  by_path: selection_by_path() will be
 * asked too. */
int selection_make(struct catalogue *c, int64_t system, bool by_path,
		   struct selection **out, struct err *e);
void selection_free(struct selection *s);	/* NULL is allowed */

struct selected {
	bool is_decided;
	enum decision decision;	/* review where it is undecided */
	int64_t class_id;
};
/* size: of a file, else 0.  path: below the source, without "/" at its ends. */
struct selected selection_of(const struct selection *s, const void *path, size_t path_size,
			     uint64_t size, struct stamp mtime);
/* The same for an entry of an archive that does not say its size or time. */
struct selected selection_by_path(const struct selection *s, const void *path,
				  size_t path_size);
/* Does anything below this directory, or it itself, go where `d` says?  "" is the top. */
bool selection_leads_to(const struct selection *s, const void *path, size_t path_size,
			enum decision d);
/* Items so decided when the inventory was made. */
uint64_t selection_count(const struct selection *s, enum decision d);
uint64_t selection_bytes(const struct selection *s, enum decision d);	/* of files */

#endif
