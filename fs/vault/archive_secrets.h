/*
 * From what a user gave (files, a prompt) to what the keyring takes.  The bytes
 * lie in secret memory.
 */
#ifndef FS_VAULT_ARCHIVE_SECRETS_H
#define FS_VAULT_ARCHIVE_SECRETS_H

#include "fs/crypt/keyring.h"
#include "fs/vault/vault.h"

struct secrets {
	struct keyring_secret *list;	/* owned */
	size_t count;
	uint8_t **owned;		/* one each: secret memory */
};

/*
 * To open: the key file if there is one, else the passphrase file, else the
 * prompt: one secret.  MUNI_CANNOT_UNLOCK if there is none or a file is missing.
 */
int secrets_to_open(const struct vault_keys *keys, struct secrets *out, struct err *e);
/*
 * For new slots: every file that is given; the prompt, asked twice, only if none
 * is.  Then the recipients' certificates.
 */
int secrets_to_make(const struct vault_keys *keys, const char *const *recipients,
		    size_t recipient_count, struct secrets *out, struct err *e);
/* For one new slot: the recipient, where not NULL, else one file, else the prompt. */
int secrets_for_key(const struct vault_keys *keys, const char *recipient,
		    struct secrets *out, struct err *e);
void secrets_free(struct secrets *s);	/* wipes */

#endif
