/*
 * The renewal of the archive's own signing key, in its steps.  Only fs/vault/renewal*.c,
 * archive*.c, and what looks at former keys' signatures include this.
 *
 * A crash leaves (docs/decisions/0137):
 *
 *   W1  a successor in the keyring, and the log's entry that it names is not there, or is
 *       another act: nothing was renewed.  renewal_take_back() overwrites the successor.
 *   W2  the entry is there: it is renewed.  Heads over it are signed by the successor alone,
 *       whoever writes them; renewal_end() puts it in the place of the former.
 *   W3  What lies in clear of a renewal is made from the details of its entry, before the
 *       first head that the new key signs.
 */
#ifndef FS_VAULT_RENEWAL_INSIDE_H
#define FS_VAULT_RENEWAL_INSIDE_H

#include <jansson.h>

#include "fs/vault/inside.h"

#define RENEWAL_TYPE "muniment.renewal.1"
#define RENEWAL_TEXT_MAX (32 * 1024)	/* of a file of a link */

/* W1.  The log is open, nothing was written yet. */
int renewal_take_back(struct vault *v, struct err *e);
/* W2.  v has the new certificate when it returns 0. */
int renewal_end(struct vault *v, struct err *e);
/* Who signs the next head.  W3. */
int renewal_signer(struct vault *v, const struct signer **out, struct err *e);

/* ---- links in clear (renewal_links.c) --------------------------------------------------- */

/* From one key to the next: signed by both. */
struct renewal_link {
	struct digest before, after;
	uint64_t entry;
};
struct renewal_links {
	struct renewal_link list[SIGNATORIES_MAX];
	size_t count;
};

/* Those in the folder that both keys signed, of this archive; what is not so is none. */
int renewal_links_load(int folder, const char *archive_id, struct renewal_links *out,
		       struct err *e);
/* In front of the one that is there: whose place it took. */
void renewal_links_back(const struct renewal_links *links, struct signatories *s);
/* Behind the last: who took its place.  True: there is one. */
bool renewal_links_forward(const struct renewal_links *links, struct signatories *s);

/* v's own, and those that followed them by links in its folder and in `beside` (-1: none):
 * for what may come from a later state than v's. */
int renewal_later_signatories(struct vault *v, int beside, struct signatories *out,
			      struct err *e);
/* A certificate of destruction: `own`, the archive's detached signature over its text, is by
 * a key that was in force when it was made; content NULL: whenever it was. */
int renewal_check_certificate(const struct signatories *who, const json_t *content,
			      const void *text, size_t size, const uint8_t *own, size_t own_size,
			      struct err *e);
/* Copies what `beside` has of links that v's folder has not. */
int renewal_links_keep(struct vault *v, int beside, struct err *e);

/* Links from each of the archive's keys to the next, of which nothing lies in v's folder: the
 * log of an older copy does not tell of them. */
int renewal_links_missing(struct vault *v, size_t *count, struct err *e);
#define RENEWAL_LINKS_MISSING "the signing key was renewed after this copy was made, and its log does " \
	"not tell of that: without the files archive-* of then nobody can follow the keys without the " \
	"keyring. `muni cert show --all` and `muni key renew-signing` left them in certificates/ and " \
	"beside saved certificates: copy them into certificates/ of the archive"

/* ---- their files (renewal_files.c) ------------------------------------------------------ */

/* Those of the renewal at this entry, from the details of the log, into both folders.
 * MUNI_NOT_FOUND: the entry is no renewal, or its details are gone. */
int renewal_files_put(struct vault *v, uint64_t entry, struct err *e);

/*
 * Of every renewal that the log or either folder tells of, signed by both keys: are its four
 * files there as they were written, in certificates/ and again in certificates.2/?  mends:
 * what is not is written from where it is.  name: of the statement, or of the file that
 * nothing vouches for.
 */
enum renewal_files {
	RENEWAL_FILES_DAMAGED,	/* in certificates/: one is missing, or otherwise */
	RENEWAL_FILES_NO_COPY,	/* in certificates.2/ the same */
	RENEWAL_FILES_LOST,	/* a file in certificates/ that no whole renewal has */
};
typedef void renewal_files_found(void *arg, enum renewal_files what, const char *name);
/* *is_of_another: the log does not tell of some of v's own keys. */
int renewal_files_review(struct vault *v, bool mends, renewal_files_found *found, void *arg,
			 bool *is_of_another, struct err *e);
/* "archive-" and 16 hex digits with one of their endings. */
bool renewal_is_file(const char *name);

#endif
