/* What lies in clear of renewals of the signing key: made anew from the log, or from its copy. */
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/renewal_inside.h"
#include "fs/vault/verify_inside.h"

static void tell(void *arg, enum renewal_files what, const char *name)
{
	struct verify *k = arg;
	const int stem = (int)strcspn(name, ".");

	switch (what) {
	case RENEWAL_FILES_DAMAGED:
		verify_damage(k, true, ARCHIVE_CERTIFICATES, "of the files %.*s.* and archive-*.pem, "
			      "by which a renewed signing key is known without a key, one is missing "
			      "or not what was written", stem, name);
		break;
	case RENEWAL_FILES_NO_COPY:
		verify_note(k, ARCHIVE_CERTIFICATE_COPIES, "the files %.*s.*, by which a renewed "
			    "signing key is known without a key, have no second copy here; `muni "
			    "repair` makes it", stem, name);
		break;
	case RENEWAL_FILES_LOST:
		verify_damage(k, false, ARCHIVE_CERTIFICATES, "%s tells of a renewed signing key, and "
			      "what belongs to it is not what was written, here and in "
			      ARCHIVE_CERTIFICATE_COPIES "/; the log does not tell of it either: bring "
			      "the files archive-* back from where certificates are kept (`muni cert "
			      "show --all` saved them)", name);
		break;
	}
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
	bool is_of_another;

	if (!k->is_catalogue_open || !k->v->keyring)
		return 0;
	if (renewal_files_review(k->v, k->is_repair, tell, k, &is_of_another, e) < 0)
		return k->is_repair ? err_wrap(e, "writing anew what tells of a renewed signing key") :
		       verify_absorb(k, false, ARCHIVE_CERTIFICATES, e);
	return is_of_another ? note_missing(k, e) : 0;
}
