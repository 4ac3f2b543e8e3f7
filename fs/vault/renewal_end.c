/*
 * What is left to do of a renewal, or to undo.  In a file of its own: every program that
 * opens archives for writing has it in it.
 */
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/renewal_inside.h"

/* Has it begun, and is the act that tells of it in the log? */
static int look(struct vault *v, bool *has_begun, bool *is_done, uint64_t *entry, struct err *e)
{
	struct log_entry told;

	*is_done = false;
	*has_begun = keyring_signing_next(v->keyring, entry);
	if (!*has_begun || log_count(v->log) <= *entry)
		return 0;
	if (log_read(v->log, *entry, &told, e) < 0)
		return -1;
	*is_done = told.act == LOG_SIGNING_RENEWED;
	return 0;
}

int renewal_take_back(struct vault *v, struct err *e)
{
	bool has_begun, is_done;
	uint64_t entry;

	if (look(v, &has_begun, &is_done, &entry, e) < 0)
		return -1;
	if (!has_begun || is_done)
		return 0;
	if (keyring_signing_abandon(v->keyring, e) < 0)
		return err_wrap(e, "taking back a renewal of the signing key that was cut off");
	keyring_signatories(v->keyring, &v->signatories);
	return 0;
}

int renewal_signer(struct vault *v, const struct signer **out, struct err *e)
{
	bool has_begun, is_done;
	uint64_t entry;

	*out = NULL;
	if (look(v, &has_begun, &is_done, &entry, e) < 0 ||
	    (is_done && renewal_files_put(v, entry, e) < 0))	/* W3 */
		return -1;
	*out = is_done ? keyring_next_signer(v->keyring, e) : keyring_signer(v->keyring, e);
	return *out ? 0 : -1;
}

int renewal_end(struct vault *v, struct err *e)
{
	bool has_begun, is_done;
	uint64_t entry;

	if (look(v, &has_begun, &is_done, &entry, e) < 0)
		return -1;
	/* The head that the successor signed decides from here on: it has to be there after a
	 * power cut too before the former key goes. */
	if (has_begun && (log_sync(v->log, e) < 0 || vault_certificate_put(v, e) < 0 ||
			  keyring_signing_finish(v->keyring, e) < 0 ||
			  keyring_confirm(v->keyring, e) < 0 ||
			  archive_take_certificate(v, e) < 0))
		return err_wrap(e, "the signing key is renewed, but the former one is not gone "
				"everywhere; the next command that writes does that");
	return 0;
}
