/*
 * The steps of a switch of epoch.  Only fs/vault/epoch*.c, archive.c and restore.c include this.
 *
 *   S1  epoch_build() makes all of N+1 and ends with the head that names it; until then
 *       nothing of N is touched.
 *   S2  epoch_end() and epoch_take_back() may be cut off anywhere and be called again:
 *       the mark in the catalogue (catalogue_switch_get()) goes with their last act.
 */
#ifndef FS_VAULT_EPOCH_INSIDE_H
#define FS_VAULT_EPOCH_INSIDE_H

#include "fs/vault/archive_inside.h"
#include "fs/vault/epoch.h"

/*
 * Steps 2 to 5 (docs/decisions/0092); v is on the new epoch when it returns 0.  On -1
 * it is on the old one, and v->is_spent where the head may stand in the log or not.
 */
int epoch_build(struct vault *v, uint64_t to, int64_t disposition,
		const struct vault_monitor *m, struct epoch_result *out, struct err *e);
/* Steps 6 to 8 and LOG_EPOCH_ENDED: v is on the new epoch. */
int epoch_end(struct vault *v, const struct epoch_options *o, struct epoch_result *out,
	      struct err *e);
/* v is on the old epoch, which stays. */
int epoch_take_back(struct vault *v, struct err *e);

/* What the certificate reads (execution.h), beside the disposition, where there is one;
 * in a transaction of the caller's. */
int epoch_keep_facts(struct catalogue *c, int64_t disposition, const struct epoch_result *r,
		     bool has_ended, struct err *e);

/* ---- what no epoch needs (epoch_remove.c) ------------------------------------------- */

/* catalogue.M with what lies beside it, for every M below (or, is_newer, above) the
 * present epoch. */
int epoch_remove_catalogues(struct vault *v, bool is_newer, struct err *e);
/* Segments that no row of the catalogue names, out of their parity first. */
int epoch_remove_segments(struct vault *v, uint64_t *count, struct err *e);
/* Waits until no process has the catalogue of epoch `old` open.  MUNI_BUSY names one. */
int epoch_await_readers(struct vault *v, uint64_t old, unsigned timeout_ms,
			const struct vault_wait *wait, struct err *e);

#endif
