/*
 * The adversarial check: a program of its own, muni-adversary, that after a destruction
 * tries to find any of it in the archive as it is, with every key that there is.
 *
 * What it is given: the archive's folder, the keyring file, the keys of the present epoch,
 * and the traces (fs/vault/traces.h).  What it does: looks at every file of the folder for
 * what should not be there (catalogues, copies and write-ahead logs of dead epochs,
 * temporary files); opens every page of the catalogue, of its write-ahead log and of its
 * copies, free pages too, and looks for keys and salts of what went, at every byte; looks
 * for them in the other files as they are; tries every key that the catalogue and the
 * keyring hold on the blocks that went, where their ciphertext still lies.
 */
#ifndef FS_VAULT_ADVERSARY_H
#define FS_VAULT_ADVERSARY_H

#include "fs/vault/certificate.h"
#include "fs/vault/traces.h"

#define ADVERSARY_REQUEST_MAX (4u << 20)
#define ADVERSARY_REPORT_MAX (1u << 20)
#define ADVERSARY_KEYS_MAX 16

struct adversary_request {
	char *archive, *keyring;	/* paths; owned */
	uint8_t archive_id[16];
	uint64_t epoch;
	uint8_t catalogue_key[32];
	uint8_t keys[ADVERSARY_KEYS_MAX][32];	/* others that the keyring holds */
	unsigned key_count;
	struct traces traces;
};
void adversary_request_clear(struct adversary_request *r);	/* wipes */
/* *out of arena_key_new(). */
int adversary_request_pack(const struct adversary_request *r, uint8_t **out, size_t *size,
			   struct err *e);
int adversary_request_unpack(const void *data, size_t size, struct adversary_request *out,
			     struct err *e);

/*
 * Runs the program on the archive as it is now.  Where it cannot be found or does not
 * answer out->was_run is false, and out->text says why: a certificate says so too. out->text
 * is malloc'ed.
 */
int adversary_run(struct vault *v, struct adversary_report *out, struct err *e);

#endif
