/*
 * What the files of a restoring share.  Only fs/vault/restore*.c include this.
 */
#ifndef FS_VAULT_RESTORE_INSIDE_H
#define FS_VAULT_RESTORE_INSIDE_H

#include <jansson.h>

#include "fs/crypt/digest.h"
#include "fs/crypt/officer.h"
#include "fs/vault/marks.h"
#include "fs/vault/restore.h"
#include "fs/vault/roster.h"

struct testimony {		/* what one certificate says; testimony_clear() */
	int64_t number;		/* of C<n> */
	int64_t disposition;	/* of D<n>, as the lost copy counted */
	struct digest content;	/* SHA-256 of what was signed */
	bool has_previous;
	int64_t previous;
	struct digest previous_content;
	const struct restore_certificate *from;	/* borrowed; NULL: read from the folder */
};

/* Whom a certificate is held against.  NULL in its place: it was already. */
struct testimony_officers {
	const struct roster *roster;	/* of the copy */
	bool take_later;	/* the word of those who came into office after it */
	bool has_later;		/* out: there was one */
};

/* Reads and checks a certificate, and adds its marks. */
int testimony_read(struct vault *v, const struct restore_certificate *c,
		   struct testimony_officers *officers, struct testimony *out,
		   struct marks *marks, struct err *e);
/*
 * Those who proposed and approved what the certificate says is gone, by their signatures:
 * whom the copy knows was in office then, and once the archive's key alone makes nobody an
 * officer they are enough without those whom it does not know.  MUNI_REFUSED; MUNI_DAMAGED.
 */
int testimony_check_officers(const struct roster *roster, const char *name, const json_t *content,
			     const struct cms_signer *signers, size_t count, bool take_later,
			     bool *has_strangers, struct err *e);
/*
 * Those that the copy does not know, in *out (malloc'ed), by number and without a gap from
 * the newest that it knows.
 */
int testimonies_read(struct vault *v, const struct restore_request *r,
		     struct testimony_officers *officers, struct testimony **out, size_t *count,
		     struct marks *marks, struct err *e);
/* Those of a restoring that has begun: *count of them stand in the catalogue.  MUNI_REFUSED: one
 * is given now that is none of them, and that the copy does not know. */
int testimonies_again(struct vault *v, const struct restore_request *r, int64_t disposition,
		      size_t *count, struct err *e);
/* Into the archive's folder, on stable storage, with renewed time-stamps that lie beside it. */
int testimony_keep(struct vault *v, const struct testimony *t, struct err *e);
/* The marks of certificates that stand in the catalogue under this disposition. */
int testimonies_of(struct vault *v, int64_t disposition, struct marks *marks, struct err *e);

/* Records of the copy that have such a mark, as items of the disposition, whose id is
 * filled; in a transaction of the caller's.  The root over their leaves. */
int restore_put_items(struct vault *v, int64_t disposition, const struct marks *marks,
		      struct digest *root, uint64_t *count, struct err *e);

#endif
