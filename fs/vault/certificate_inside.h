/*
 * What the files that make a certificate share.  Only fs/vault/certificate*.c includes
 * this.
 */
#ifndef FS_VAULT_CERTIFICATE_INSIDE_H
#define FS_VAULT_CERTIFICATE_INSIDE_H

#include <jansson.h>

#include "fs/vault/certificate.h"
#include "fs/vault/execution.h"
#include "fs/vault/inside.h"
#include "fs/vault/roster.h"

#define CERTIFICATE_TYPE "muniment.certificate.1"
#define CERTIFICATE_MAX (64u << 20)	/* of the CMS */
#define ANNEX_MAX (2u << 30)	/* some 500 bytes an item */

struct known_officer {
	char *id, *roles;
	struct identity identity;
	int64_t added, removed;
};

/* Everything that a certificate tells, read before a word of it is written. */
struct certificate_facts {
	struct vault *vault;
	int64_t id, now;
	struct disposition_row row;
	struct execution execution;
	json_t *statement;	/* what was signed */
	struct known_officer *officers;	/* those who left too */
	size_t officer_count;
	struct roster roster;	/* the same, in the same order: how each came into office */
	json_t *approvals;	/* of people: objects, in order of signing */
	const char *maker;	/* id of who signs the certificate */
	const struct adversary_report *adversary;
	int64_t previous;	/* certificate before this; 0: none */
	struct digest previous_digest;
	uint64_t outcomes[4];	/* by enum item_outcome */
	json_t *shared;		/* leaves of items whose bytes stay: the first ones */
	uint64_t holds;		/* that stand */
	json_t *copies;
	bool has_kept_keyring;	/* a declared copy of the keyring is still kept */
	struct digest annex;	/* SHA-256 of its file */
	uint64_t annex_lines;
	bool has_marks;
	struct digest marks;	/* SHA-256 of its file */
	uint64_t marks_count;
};
int certificate_facts_load(struct certificate_facts *f, struct vault *v, int64_t disposition,
			   struct err *e);
void certificate_facts_clear(struct certificate_facts *f);
/* In office at `when` under that id, else the last who had it; NULL: nobody. */
const struct known_officer *certificate_officer(const struct certificate_facts *f,
						const char *id, int64_t when);

/* Into o, the part of one of f->officers: how he came into office. */
void certificate_put_office(const struct certificate_facts *f, const struct known_officer *who,
			    json_t *o);

/* Each a new reference, or NULL without memory. */
json_t *certificate_people(const struct certificate_facts *f);
json_t *certificate_media(const struct certificate_facts *f);
json_t *certificate_how(const struct certificate_facts *f);
json_t *certificate_stays(const struct certificate_facts *f);
int certificate_proof(struct certificate_facts *f, json_t **out, struct err *e);
int certificate_json(struct certificate_facts *f, char **text, size_t *size, struct err *e);

/* The annex, written to `name` in the folder `fd`; fills f->annex*. */
int certificate_annex(struct certificate_facts *f, int fd, const char *name, struct err *e);

/* ---- files (certificate_files.c) ---------------------------------------------------------- */

#define CERTIFICATE_NAME_SIZE 48
#define TIMESTAMP_SIZE_MAX (4u << 20)
void certificate_name(int64_t id, enum certificate_file which, char out[CERTIFICATE_NAME_SIZE]);
void certificate_stamp_name(int64_t id, unsigned number, char out[CERTIFICATE_NAME_SIZE]);
void certificate_marks_name(int64_t disposition, char out[CERTIFICATE_NAME_SIZE]);
/* Opened, or -1; of the copies where v->reads_certificate_copies. */
int certificate_folder(struct vault *v, struct err *e);
int certificate_put_in(int fd, int64_t id, enum certificate_file which, const void *data,
		       size_t size, struct err *e);

/* ---- the second copy of each (certificate_copies.c) --------------------------------------- */

enum certificate_copies {
	CERTIFICATE_COPIES_SAME,
	CERTIFICATE_COPIES_DIFFER,
	CERTIFICATE_COPIES_MORE,	/* they have a file that is not there, and lack none */
	CERTIFICATE_COPIES_LACK,	/* of one file at least */
};
int certificate_copies_compare(struct vault *v, int64_t id, enum certificate_copies *is,
			       struct err *e);
/* Makes what lacks, and unless only_lacking what differs, from the first files; on stable
 * storage. */
int certificate_copies_make(struct vault *v, int64_t id, bool only_lacking, struct err *e);
/* The same at the end of an act, which stands without it: where it fails a notice says so. */
enum certificate_made {
	CERTIFICATE_MADE,	/* all of it by this act */
	CERTIFICATE_SIGNED,	/* its C<n>.p7m */
	CERTIFICATE_ADDED,	/* a file that was not there, or nothing */
};
void certificate_copies_try(struct vault *v, int64_t id, enum certificate_made made);
/* The other way; whoever calls has judged the copies. */
int certificate_copies_put_back(struct vault *v, int64_t id, bool only_lacking, struct err *e);

/* ---- small words ------------------------------------------------------------------------ */

json_t *hex_value(const struct digest *d);
json_t *time_value(int64_t seconds);	/* RFC 3339 */
json_t *base64_value(const void *data, size_t size);
json_t *count_value(uint64_t n);

#endif
