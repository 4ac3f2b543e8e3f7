/* What lies in clear of renewals of the signing key: made anew from the log's details. */
#include <stdio.h>

#include "fs/base/err.h"
#include "fs/vault/renewal_inside.h"
#include "fs/vault/verify_inside.h"

/* *is_of_another: the log does not tell of it. */
static int check(struct verify *k, uint64_t entry, bool *is_of_another, struct err *e)
{
	bool is_whole;

	if (renewal_files_check(k->v, entry, &is_whole, e) < 0) {
		if (e->code != MUNI_NOT_FOUND)
			return verify_absorb(k, false, ARCHIVE_CERTIFICATES, e);
		*e = ERR_NONE;	/* of a history that a restoring left behind */
		*is_of_another = true;
		return 0;
	}
	if (is_whole)
		return 0;
	if (k->is_repair && renewal_files_put(k->v, entry, e) < 0)
		return err_wrap(e, "writing anew what tells of a renewed signing key");
	verify_damage(k, true, ARCHIVE_CERTIFICATES, "of the files archive-*, by which a renewed "
		      "signing key is known without a key, one is missing or not what was written "
		      "(entry %llu of the log)", (unsigned long long)entry);
	return 0;
}

static int note_missing(struct verify *k, struct err *e)
{
	size_t missing;

	if (renewal_links_missing(k->v, &missing, e) < 0)
		return verify_absorb(k, false, ARCHIVE_CERTIFICATES, e);
	if (missing > 0)
		verify_note(k, ARCHIVE_CERTIFICATES, "%s", RENEWAL_LINKS_MISSING);
	return 0;
}

int verify_renewals(struct verify *k, struct err *e)
{
	const struct signatories *s = &k->v->signatories;
	bool is_of_another = false;
	uint64_t begun;

	if (!k->is_catalogue_open || !k->v->keyring)
		return 0;
	/* One that was cut off is brought to its end by the next writer. */
	for (size_t i = 0; i + 1 < s->count; i++)
		if (!(keyring_signing_next(k->v->keyring, &begun) && s->list[i].until == begun) &&
		    check(k, s->list[i].until, &is_of_another, e) < 0)
			return -1;
	return is_of_another ? note_missing(k, e) : 0;
}
