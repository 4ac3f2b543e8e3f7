/*
 * Verify: every byte of the archive, from what needs no key to what needs all of
 * them.  A damage keeps no later stage from looking at the rest.
 */
#include "fs/vault/verify.h"

#include <string.h>

#include "fs/vault/verify_inside.h"

static const struct vault_monitor silent;

struct stage {
	int (*run)(struct verify *k, struct err *e);
	const char *where;	/* for damage that the stage itself ran into */
	bool is_deep;
};

static int authenticate_blocks(struct verify *k, struct err *e)
{
	return verify_all_blocks(k, true, e);
}

/* Redo before the catalogue: it decides what can be repaired. */
static const struct stage stages[] = {
	{ verify_expect_catalogue, "the catalogue", false },
	{ verify_keyring, "the keyring", false },
	{ verify_certificate, "certificates", false },
	{ verify_uncovered, "segments", false },
	{ verify_redo_start, "the catalogue's copies", false },
	{ verify_contents_start, "the catalogue", true },
	{ verify_segments, "segments", false },
	{ verify_audit, "audit", false },
	{ verify_redo_finish, "the catalogue's copies", false },
	{ verify_catalogue, "the catalogue", false },
	{ verify_told_redo, "the catalogue's copies", false },
	{ verify_anchor, "archive", false },
	{ verify_versions, "the catalogue", false },
	{ verify_renewals, "certificates", false },
	{ verify_certificates, "certificates", false },
	{ verify_known_segments, "the catalogue", false },
	{ authenticate_blocks, "the catalogue", false },
	{ verify_touched_files, "the catalogue", false },
	{ verify_contents, "the catalogue", true },
	{ verify_trees, "the catalogue", true },
	{ verify_strangers, "archive", false },
};

static int run_stages(struct verify *k, bool is_deep, struct err *e)
{
	for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
		if (verify_go_on(k, e) < 0)
			return -1;
		if (stages[i].is_deep && !is_deep)
			continue;
		if (stages[i].run(k, e) == 0)
			continue;
		/* A catalogue with bad pages breaks many questions: told once. */
		if (e->code == MUNI_DAMAGED && k->is_catalogue_open && !k->is_catalogue_whole)
			*e = ERR_NONE;
		else if (verify_absorb(k, verify_redo_reaches(k), stages[i].where, e) < 0)
			return -1;
	}
	return 0;
}

int vault_verify(const char *path, const struct vault_options *o,
		 const struct verify_options *how, const struct vault_monitor *m,
		 void (*found)(void *arg, const struct verify_finding *f), void *arg,
		 struct verify_summary *out, struct err *e)
{
	struct verify k = { .options = o, .monitor = m != NULL ? m : &silent,
			    .found = found, .arg = arg, .out = out,
			    .threads = how->threads };
	int rc = -1;

	*out = (struct verify_summary){ .blocks = 0 };
	if (verify_open(&k, path, e) == 0)
		rc = run_stages(&k, how->deep, e);
	verify_close(&k);
	if (rc == 0 && out->damages > 0) {
		*e = k.first;
		rc = -1;
	}
	return rc;
}
