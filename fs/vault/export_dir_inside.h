/*
 * What the passes of a directory export share.  Only fs/vault/export_dir*.c
 * include this.
 */
#ifndef FS_VAULT_EXPORT_DIR_INSIDE_H
#define FS_VAULT_EXPORT_DIR_INSIDE_H

#include "fs/vault/export_bag.h"
#include "fs/vault/export_crew.h"
#include "fs/vault/export_discard.h"
#include "fs/vault/export_place.h"
#include "fs/vault/export_target.h"

struct dir_export {
	struct export *x;
	struct target target;
	bool is_bag;
	struct bag *bag;
	struct place place;
	struct crew *crew;
	struct export_links links;
	struct sweep *sweep;	/* second pass over what an earlier run of a live source
				 * began: what no longer belongs there goes */
	bool is_second;		/* pass */
	bool has_no_links;	/* the target's file system has no hard links */
	uint64_t unreadable, different;
	struct err first_failure;
};

/* First pass: made and filled, with our own mode.  Takes the item. */
int export_dir_make(struct dir_export *d, struct export_item *item, struct err *e);
/* Second pass: read back, compared, given its attributes.  Takes the item. */
int export_dir_check(struct dir_export *d, struct export_item *item, struct err *e);

enum export_loss export_dir_loss_of(enum node_kind kind);
void export_dir_lose(struct dir_export *d, uint32_t lost, const struct export_item *item);
/* In the work folder: a name of a file that has several. */
void export_dir_anchor(const struct export_item *item, char out[32]);

#endif
