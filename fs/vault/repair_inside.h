/*
 * The parts of repair.  Only fs/vault/repair*.c includes this.
 */
#ifndef FS_VAULT_REPAIR_INSIDE_H
#define FS_VAULT_REPAIR_INSIDE_H

#include "fs/vault/verify_inside.h"

/*
 * The catalogue anew from base and redo, checked, then put in the old one's
 * place.  MUNI_BUSY while somebody has the catalogue open; MUNI_DAMAGED if base
 * and redo do not lead to what was signed.
 */
int repair_catalogue(struct verify *k, struct err *e);
/* Takes away what stands under a name that SQLite would open and that SQLite did
 * not make: a journal; a link or a fifo as WAL.  Before the catalogue is opened. */
int repair_planted(struct verify *k, struct err *e);
/* Removes what a crashed repair left. */
int repair_sweep(struct verify *k, struct err *e);
/* Strength as the archive wants it; the default where the catalogue is lost. */
struct parity_strength repair_strength(struct verify *k);
/*
 * Before parity is made anew: is every block of the segment the one that the catalogue
 * means, under its key?  One that is not is told, once.  Where there is no catalogue to ask
 * the summary says so.  A segment that the catalogue does not know holds nothing of it.
 */
struct repair_vouch;
int repair_vouch_new(struct verify *k, struct repair_vouch **out, struct err *e);
int repair_vouch_segment(void *arg, const uint8_t uid[16], bool *out, struct err *e);
void repair_vouch_free(struct repair_vouch *r);
/* Opens catalogue and log for writing, completes what a crash left, writes base
 * and redo anew where they were damaged, and records the repair. */
int repair_conclude(struct verify *k, struct err *e);

#endif
