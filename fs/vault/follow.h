/*
 * An open vault that goes on in the next epoch: for a mount that is told of it
 * (fs/vault/presence.h).
 *
 *   F1  The key comes from who tells, for a sandbox reaches no keyring; it is copied
 *       into the table of keys, and the old one is wiped there with its catalogue.
 *   F2  Both catalogues stand open side by side until the caller has taken back what
 *       he told of the old one.
 *
 * For VAULT_READ, and its opener's rules: while vault_epoch_swap() runs nobody else may
 * be in vault_connect(), and connections made before it are still of the old epoch.
 */
#ifndef FS_VAULT_FOLLOW_H
#define FS_VAULT_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

struct catalogue;
struct err;
struct vault;
struct vault_epoch;

/* catalogue.EPOCH beside the present one; key: 32 bytes, borrowed. */
int vault_epoch_open(struct vault *v, uint64_t epoch, const uint8_t *key,
		     struct vault_epoch **out, struct err *e);
struct catalogue *vault_epoch_catalogue(struct vault_epoch *x);	/* still owned by x */
/* The vault is in x's epoch, x is what the vault was in. */
void vault_epoch_swap(struct vault *v, struct vault_epoch *x);
/* Closes its catalogue, which must be the last connection under its key; wipes that. */
void vault_epoch_close(struct vault_epoch *x);	/* NULL is allowed */

uint64_t vault_epoch_number(const struct vault *v);
/* The present epoch's catalogue is there no more: a switch went by without us. */
bool vault_epoch_is_over(const struct vault *v);

/* MUNI_BUSY where the newest head names another epoch: what was opened is about to go. */
int vault_epoch_check(struct vault *v, struct err *e);

/* Wipes all keys but the present catalogue's: for who only reads from here on. */
void vault_forget_keys(struct vault *v);
/* Lets go of files of segments, which may have been removed. */
void vault_release_files(struct vault *v);

#endif
