/*
 * Bases for survivors.  What stays of a block that leaned on others leans again: on blocks
 * that stay, or on what was packed anew before it.  Else one record of an old version would
 * cost all that later versions saved (docs/decisions/0180-survivors-lean-again.md).
 *
 *   V1  A base is of the block's class, has a lower number, and every byte of it is in use:
 *       a block that stays (D2), or a new one.
 *   V2  A read decodes no more blocks than an ingest allows (pack_bases.h, B3).
 *   V3  A base that cannot be read is none.
 *
 * Only fs/vault/doom*.c include this.
 */
#ifndef FS_VAULT_DOOM_BASES_H
#define FS_VAULT_DOOM_BASES_H

#include "fs/vault/doom_inside.h"
#include "fs/vault/pack_bases.h"

struct vault_reader;
struct doom_bases;

/* Who packs anew gives the raw bytes of a block that he packed: all of them, into out. */
typedef int doom_bases_raw(void *arg, const struct fresh_block *f, uint8_t *out,
			   struct err *e);

/* reader: of the old catalogue; borrowed, as d is.  Whatever is in d->fresh may be asked for
 * by its bytes. */
int doom_bases_new(struct doom *d, struct vault_reader *reader, bool is_dense,
		   doom_bases_raw *raw, void *arg, struct doom_bases **out, struct err *e);
void doom_bases_free(struct doom_bases *x);	/* NULL is allowed */

/* As bases_choose(); the block is the next in d->fresh. */
int doom_bases_choose(struct doom_bases *x, uint32_t *features, size_t count,
		      struct block *block, struct base_bytes *out, struct err *e);
/* The block that came last into d->fresh can be one. */
int doom_bases_add(struct doom_bases *x, struct err *e);

#endif
