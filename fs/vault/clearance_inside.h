/*
 * The steps of a clearance.  Only fs/vault/clearance*.c include this.
 */
#ifndef FS_VAULT_CLEARANCE_INSIDE_H
#define FS_VAULT_CLEARANCE_INSIDE_H

#include "fs/crypt/merkle.h"
#include "fs/vault/clearance.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/inside.h"
#include "fs/vault/retain_live.h"

struct clearing {
	struct vault *vault;
	struct disposition_row row;
	struct roster roster;
	struct consents consents;
	struct demands demands;	/* of the list as it would be made now */
	struct retainer *retainer;
	struct live_judge *live;	/* NULL: not asked yet */
	json_t *scope;
	int64_t now;		/* the system's, or an authority's where that is behind */
	struct merkle_frontier leaves;
	uint64_t items;
	bool by_review;
	/* Of the item that e speaks of, for people; never for the log. */
	char name[2048];
	struct err *e;
};

/*
 * Every item of the list made again and its standing asked as of now; fills demands,
 * compares the root.  k->name and e say which one is refused.
 */
int clearance_items(struct clearing *k);
/* One item each; the leaf that it would have now. */
int clearance_record(struct clearing *k, const struct disposition_item *i,
		     const uint8_t salt[ITEM_SALT_SIZE], struct digest *leaf);
int clearance_live(struct clearing *k, const struct disposition_item *i,
		   const uint8_t salt[ITEM_SALT_SIZE], struct digest *leaf);
int clearance_shorten(struct clearing *k, const struct disposition_item *i,
		      const uint8_t salt[ITEM_SALT_SIZE], struct digest *leaf);
/* "item 4f3a91b2c0de": how the log speaks of an item, which has no name there. */
const char *item_mark(const struct disposition_item *i, char out[40]);

/*
 * The clock, with the officers who signed a time with this disposition as witnesses of
 * it (k NULL: none).  *now: what dates are judged by.
 */
int clock_check(struct vault *v, const struct clearing *k, const struct roster *roster,
		int64_t *now, struct err *e);

#endif
