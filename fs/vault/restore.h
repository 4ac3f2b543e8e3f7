/*
 * Restoring: an older copy becomes what there is, after all that certificates say is gone
 * has gone from it, under a new epoch.  docs/decisions/0126.
 *
 *   O1  What a certificate given says is gone is in no epoch that anybody can open after
 *       this: a copy whose restoring was cut off opens for vault_restore() alone.
 *   O2  Nothing else goes: each item is compared with the marks of certificates that this
 *       archive's key signed, at the moment when it is taken (restore_clearance()).
 *   O3  The log says which certificates there were and how many acts are lost.
 */
#ifndef FS_VAULT_RESTORE_H
#define FS_VAULT_RESTORE_H

#include "fs/crypt/officer.h"
#include "fs/store/catalogue_dispositions.h"
#include "fs/vault/epoch.h"

struct restore_certificate {	/* all borrowed */
	const char *name;	/* for people: where it came from */
	int folder;		/* it lies there, with what tells of renewed signing keys; -1: nobody
				 * knows */
	const uint8_t *cms, *own, *marks, *annex, *timestamp;	/* own: C<n>.p7s; all but cms
								 * and own: NULL, not given */
	size_t cms_size, own_size, marks_size, annex_size, timestamp_size;
};

struct restore_request {
	const struct restore_certificate *certificates;
	size_t certificate_count;
	const int *link_folders;	/* where links of renewed signing keys lie; borrowed */
	size_t link_folder_count;
	bool none_known;	/* nothing was destroyed since, says who restores */
	bool take_later_officers;	/* who signed certificates, and came into office after the
					 * copy was made; else they count for nothing */
	const char *reason;
};

struct restore_result {
	int64_t disposition;	/* of kind RESTORED */
	uint64_t records, certificates;
	uint64_t acts, acts_seen;	/* of the copy; of this host, 0: it saw none */
	struct epoch_result epoch;
};

/*
 * v: opened for writing with vault_options.is_restoring.  officer and key: NULL only where
 * nobody is in office.  MUNI_REFUSED: nobody may, a certificate is missing between two, or
 * none were given and none_known is not said; MUNI_DAMAGED: a certificate, or what belongs
 * to it, is not this archive's, or was changed; MUNI_USAGE: there is nothing to restore.
 */
int vault_restore(struct vault *v, const struct restore_request *r, const char *officer,
		  struct officer_key *key, const struct epoch_options *o,
		  const struct vault_monitor *m, struct restore_result *out, struct err *e);

/* For clearance_check(): O2. */
int restore_clearance(struct vault *v, const struct disposition_row *row, struct err *e);

#endif
