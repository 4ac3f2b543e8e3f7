/*
 * What the files of a restoring share.  Only fs/vault/restore*.c include this.
 */
#ifndef FS_VAULT_RESTORE_INSIDE_H
#define FS_VAULT_RESTORE_INSIDE_H

#include "fs/crypt/digest.h"
#include "fs/vault/marks.h"
#include "fs/vault/restore.h"

struct testimony {		/* what one certificate says; testimony_clear() */
	int64_t number;		/* of C<n> */
	int64_t disposition;	/* of D<n>, as the lost copy counted */
	struct digest content;	/* SHA-256 of what was signed */
	bool has_previous;
	int64_t previous;
	struct digest previous_content;
	const struct restore_certificate *from;	/* borrowed; NULL: read from the folder */
};

/* Reads and checks a certificate, and adds its marks. */
int testimony_read(struct vault *v, const struct restore_certificate *c, struct testimony *out,
		   struct marks *marks, struct err *e);
/*
 * Those that the copy does not know, in *out (malloc'ed), by number and without a gap from
 * the newest that it knows.
 */
int testimonies_read(struct vault *v, const struct restore_request *r, struct testimony **out,
		     size_t *count, struct marks *marks, struct err *e);
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
