/*
 * One renewal of the signing key as it lies in clear, and its four files in a folder.  Only
 * fs/vault/renewal_*.c include this.
 */
#ifndef FS_VAULT_RENEWAL_PARTS_H
#define FS_VAULT_RENEWAL_PARTS_H

#include "fs/vault/inside.h"

struct renewal_parts {		/* owned: renewal_parts_clear() */
	uint8_t *statement, *before_signature, *after_signature;
	size_t statement_size, before_signature_size, after_signature_size;
	uint8_t *before, *after;	/* certificates, DER */
	size_t before_size, after_size;
	uint64_t entry;
};

void renewal_parts_clear(struct renewal_parts *p);
/* From the details of the log's entry.  MUNI_NOT_FOUND: it is no renewal, or they are gone. */
int renewal_parts_from_log(struct vault *v, uint64_t entry, struct renewal_parts *p,
			   struct err *e);
/* each() for every renewal in the folder that both keys signed; it takes nothing over. */
int renewal_parts_each(int folder, const char *archive_id,
		       int (*each)(void *arg, const struct renewal_parts *p, struct err *e),
		       void *arg, struct err *e);

#define RENEWAL_NAME_SIZE 40
#define RENEWAL_FILES 4

struct renewal_file {
	char name[RENEWAL_NAME_SIZE];
	const void *data;	/* borrowed, of the parts or the PEM text */
	size_t size;
};

/* The last one is the statement, and with it the others are a renewal.  *pem: owned by the
 * caller. */
int renewal_parts_lay_out(const struct renewal_parts *p,
			  struct renewal_file out[RENEWAL_FILES], char **pem, struct err *e);
/* With these very bytes. */
bool renewal_file_is_there(int folder, const struct renewal_file *f);
/* Those that are not; each in one step, and durable. */
int renewal_parts_put(int folder, const struct renewal_parts *p, struct err *e);

#endif
