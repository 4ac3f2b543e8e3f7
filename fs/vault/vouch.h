/*
 * What parity is made for: segments whose blocks the keys have authenticated.
 *
 * Parity's own sums need no key, nor do a segment's.  Who can write the archive's folder can
 * change a segment, make its sums right and delete its parity; parity for what he left would
 * make of it what was always there.
 *
 *   V1  Nothing gets parity before every block of it that the catalogue knows was found to
 *       be the one that it means, under its key.  A segment that the catalogue does not know
 *       holds nothing of it.
 *   V2  Who acts goes on: such a segment stays without parity, and is told.
 */
#ifndef FS_VAULT_VOUCH_H
#define FS_VAULT_VOUCH_H

#include "fs/store/block.h"
#include "fs/store/catalogue.h"
#include "fs/store/objects.h"
#include "fs/store/parity.h"

struct vouching {
	struct objects *objects;	/* both borrowed */
	const uint8_t *archive_id;
	/* A block that is not the one that was written; is_first: of its segment.  Returns -1:
	 * e is filled. */
	int (*bad)(void *arg, const struct block *b, const uint8_t uid[16], bool is_first,
		   struct err *e);
	int (*go_on)(void *arg, struct err *e);	/* NULL; -1: e is filled, nobody waits for more */
	void *arg;
};

struct vouch;
int vouch_new(const struct vouching *asked, struct vouch **out, struct err *e);
void vouch_free(struct vouch *k);	/* NULL is allowed */
/* Looked at once, and remembered.  c: of one archive and epoch in all calls. */
int vouch_for(struct vouch *k, struct catalogue *c, const uint8_t uid[16], bool *out,
	      struct err *e);

struct vault;
/* parity_update() at the end of an act: V1 under the catalogue c, or by v->vouch where a
 * repair asks by itself; V2 by a notice. */
int vouch_parity_update(struct vault *v, struct catalogue *c, struct parity_strength strength,
			struct err *e);

#endif
