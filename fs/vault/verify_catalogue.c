/*
 * The catalogue against its own tags, against the signed head, against its copy
 * in base and redo; the audit log; the anchor.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/store/catalogue_dispositions.h"
#include "fs/store/pagevfs.h"
#include "fs/store/redo.h"
#include "fs/vault/verify_inside.h"

#define CACHE_BYTES (32u << 20)
#define AHEAD_MOST (256u << 20)	/* of the catalogue: what every machine has room for */

/* ---- the audit log ------------------------------------------------------------- */

struct log_walk {
	struct verify *verify;
	bool is_silent;
};

static void found_in_log(void *arg, bool is_damage, bool can_mend, const char *what)
{
	struct log_walk *w = arg;

	if (!is_damage)
		verify_note(w->verify, "audit", "%s; the next act puts it right", what);
	else
		verify_damage(w->verify, can_mend, "audit", "%s", what);
}

static void count_in_log(void *arg, bool is_damage, bool can_mend, const char *what)
{
	(void)can_mend;
	(void)what;
	if (is_damage)
		(*(unsigned *)arg)++;
}

/* Repair: mends, then tells what was wrong, as mended where nothing is left. */
static int mend_audit(struct verify *k, struct err *e)
{
	struct vault *v = k->v;
	uint64_t entries, heads, mended;
	unsigned left = 0;

	if (log_mend(v->auditfd, &v->signatories, &mended, e) < 0)
		return -1;
	if (mended > 0)
		verify_damage(k, true, "audit", "%" PRIu64 " entries or heads of the log or its "
			      "copy were not what was written", mended);
	if (log_verify(v->auditfd, &v->signatories, &entries, &heads,
		       count_in_log, &left, e) < 0 && e->code != MUNI_DAMAGED)
		return -1;
	*e = ERR_NONE;
	return 0;
}

int verify_audit(struct verify *k, struct err *e)
{
	struct vault *v = k->v;
	struct log_walk w = { .verify = k };
	uint64_t entries, heads;

	if (v->auditfd < 0 || v->certificate == NULL)
		return 0;
	verify_stage(k, "checking the audit log", 0, 0);
	if (k->is_repair && mend_audit(k, e) < 0)
		return -1;
	if (log_verify(v->auditfd, &v->signatories, &entries, &heads,
		       found_in_log, &w, e) < 0 && e->code != MUNI_DAMAGED)
		return verify_absorb(k, false, "audit", e);
	*e = ERR_NONE;
	k->has_head = log_peek_head(v->auditfd, &v->signatories, NULL, &k->head, e) == 0;
	*e = ERR_NONE;		/* what is wrong with it was told */
	return 0;
}

/* ---- base and redo ----------------------------------------------------------------- */

static int found_in_redo(void *arg, const uint8_t uid[16], const char *what)
{
	static const uint8_t nobody[16];
	struct verify *k = arg;
	char where[VERIFY_PLACE_MAX] = "the catalogue's copies";

	k->is_redo_whole = false;
	if (memcmp(uid, nobody, sizeof nobody) != 0)
		verify_place(OBJECTS_CATALOGUE, uid, 0, where);
	verify_damage(k, true, where, "%s", what);
	return 0;
}

int verify_redo(struct verify *k, struct err *e)
{
	struct vault *v = k->v;
	int rc;

	if (v->objects == NULL || v->epoch == 0)
		return 0;
	verify_stage(k, "checking the catalogue's copies", 0, 0);
	k->is_redo_whole = true;
	verify_hold(k, &k->redo);
	rc = redo_check(v->objects, v->id, v->epoch, v->key_id, found_in_redo, k, &k->redo_end,
			e);
	if (rc < 0) {
		k->is_redo_whole = false;
		rc = verify_absorb(k, true, "the catalogue's copies", e);
	}
	verify_hold(k, NULL);
	return rc;
}

int verify_told_redo(struct verify *k, struct err *e)
{
	(void)e;
	/* A set that was being written when a writer died is no damage: the next
	 * one sees that the chain does not end with the catalogue. */
	if (k->is_unsettled)
		verify_release_as_notes(k, &k->redo);
	else
		verify_release(k, &k->redo, k->is_catalogue_whole || verify_redo_reaches(k));
	return 0;
}

bool verify_redo_reaches(const struct verify *k)
{
	static const struct digest none;

	if (digest_equal(&k->redo_end, &none))
		return false;
	/* Ahead of the head is what a crash leaves; rebuilding will tell. */
	return !k->has_head || digest_equal(&k->redo_end, &k->head.pages) || k->is_unsettled;
}

/* ---- the catalogue -------------------------------------------------------------------- */

static const char *catalogue_name(const struct verify *k, char out[48])
{
	snprintf(out, 48, "catalogue.%" PRIu64, k->v->epoch);
	return out;
}

int verify_expect_catalogue(struct verify *k, struct err *e)
{
	struct err ignored = ERR_NONE;
	char name[48];
	uint64_t size;
	int fd = -1;

	(void)e;
	if (k->v->epoch == 0)
		return 0;
	/* Whatever stands there: who opens it will tell. */
	fd = file_open(k->v->dirfd, catalogue_name(k, name), O_RDONLY | O_NONBLOCK, 0, &ignored);
	if (fd >= 0 && file_size(fd, &size, &ignored) == 0)
		file_expect(fd, 0, size < AHEAD_MOST ? size : AHEAD_MOST);
	if (fd >= 0)
		file_close(&fd);
	return 0;
}

struct page_walk {
	struct verify *verify;
	bool any;
};

static int found_page(void *arg, uint64_t page)
{
	struct page_walk *w = arg;
	char name[48], number[TEXT_COUNT_MAX];

	w->any = true;
	verify_damage(w->verify, verify_redo_reaches(w->verify),
		      catalogue_name(w->verify, name), "page %s is not what was written",
		      text_count(page, number));
	return 0;
}

static bool has_wal_content(const struct verify *k)
{
	char name[64];
	struct stat st;

	snprintf(name, sizeof name, "catalogue.%" PRIu64 "-wal", k->v->epoch);
	return fstatat(k->v->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0;
}

/* The pages are whole; are they those that the newest head signed? */
static int compare_with_head(struct verify *k, uint64_t known, bool is_in_progress,
			     struct err *e)
{
	char name[48];
	struct digest now;
	uint64_t pages;

	if (!k->has_head)
		return 0;
	if (known < k->head.count) {
		k->is_catalogue_whole = false;
		verify_damage(k, verify_redo_reaches(k), catalogue_name(k, name),
			      "it knows %" PRIu64 " acts, the newest signed head covers %" PRIu64
			      ": it is an older copy", known, k->head.count);
		return 0;
	}
	if (is_in_progress || known > k->head.count || has_wal_content(k)) {
		k->is_unsettled = true;
		verify_note(k, catalogue_name(k, name), "an act was interrupted; the next "
			    "command that writes completes it or rolls it back");
		return 0;
	}
	if (pagevfs_digest(catalogue_sqlite(k->v->catalogue), &now, &pages, e) < 0)
		return verify_absorb(k, verify_redo_reaches(k), catalogue_name(k, name), e);
	if (digest_equal(&now, &k->head.pages))
		return 0;
	k->is_catalogue_whole = false;
	verify_damage(k, verify_redo_reaches(k), catalogue_name(k, name),
		      "its pages are not those that the newest head signed: some were put back "
		      "to an older state");
	return 0;
}

/* Copied anew from this catalogue, the newer one would be gone. */
static int compare_with_copies(struct verify *k, const struct digest *now, struct err *e)
{
	enum archive_copies is;
	uint64_t later;
	char name[48];

	if (!k->has_head || k->v->objects == NULL)
		return 0;
	if (archive_copies_compare(k->v, now, &is, &later, e) < 0)
		return -1;
	k->is_behind = is != ARCHIVE_COPIES_KNOWN;
	if (is == ARCHIVE_COPIES_LATER)
		verify_damage(k, false, catalogue_name(k, name), "segments/ has copies of the "
			      "catalogue of epoch %" PRIu64 ": keyring, catalogue and audit log were "
			      "put back to an older state. Bring the newest keyring and audit/ back, "
			      "then `muni repair` makes the newest catalogue of its copies; until "
			      "then no command that writes goes on", later);
	else if (is == ARCHIVE_COPIES_UNSIGNED)
		verify_damage(k, false, catalogue_name(k, name), "its copies in segments/ are "
			      "newer than it and the audit log are: those two were put back to an "
			      "older state. Bring the newest audit/ back, then `muni repair` makes "
			      "the newest catalogue of its copies; until then no command that "
			      "writes goes on");
	return 0;
}

static int compare_with_redo(struct verify *k, struct err *e)
{
	struct digest now;
	uint64_t pages;

	if (!k->is_catalogue_whole || k->is_unsettled)
		return 0;
	if (pagevfs_digest(catalogue_sqlite(k->v->catalogue), &now, &pages, e) < 0)
		return -1;
	if (compare_with_copies(k, &now, e) < 0)
		return -1;
	if (k->is_behind || !k->is_redo_whole || digest_equal(&now, &k->redo_end))
		return 0;
	k->is_redo_whole = false;
	verify_damage(k, true, "the catalogue's copies", "base and redo do not lead to "
		      "the catalogue as it is: parts of them are missing");
	return 0;
}

static int compare(struct verify *k, struct err *e)
{
	struct catalogue *c = k->v->catalogue;
	struct log_position position;
	bool is_in_progress = false;

	if (catalogue_log_position_get(c, &position, e) < 0 ||
	    catalogue_is_in_progress(c, &is_in_progress, e) < 0)
		return -1;
	if (k->has_head && position.frontier.count == k->head.count) {
		struct digest root = merkle_frontier_root(&position.frontier);

		if (!digest_equal(&root, &k->head.root))
			return err_set(e, MUNI_DAMAGED, "it and the audit log disagree about "
				       "the first %" PRIu64 " acts", k->head.count);
	}
	return compare_with_head(k, position.frontier.count, is_in_progress, e);
}

int verify_catalogue(struct verify *k, struct err *e)
{
	struct vault *v = k->v;
	struct page_walk w = { .verify = k };
	char name[48];
	int rc;

	if (v->keyring == NULL)
		return 0;
	verify_stage(k, "checking the catalogue", 0, 0);
	catalogue_name(k, name);
	rc = archive_read_catalogue(v, k->options, CACHE_BYTES, e);
	if (rc < 0) {
		if (e->code != MUNI_UNSUPPORTED)	/* that says nothing of it */
			err_wrap(e, "it does not open");
		return verify_absorb(k, verify_redo_reaches(k), name, e);
	}
	k->is_catalogue_open = k->is_catalogue_whole = true;
	if (pagevfs_check(catalogue_sqlite(v->catalogue), found_page, &w, e) < 0 &&
	    verify_absorb(k, verify_redo_reaches(k), name, e) < 0)
		return -1;
	if (w.any)
		k->is_catalogue_whole = false;
	if (compare(k, e) < 0) {
		k->is_catalogue_whole = false;
		if (w.any)
			*e = ERR_NONE;	/* of the pages that were told */
		else if (verify_absorb(k, verify_redo_reaches(k), name, e) < 0)
			return -1;
	}
	return compare_with_redo(k, e);
}

/* ---- the anchor -------------------------------------------------------------------------- */

/* Whole it may be, and yet nothing opens it. */
static int note_restoring(struct verify *k, struct err *e)
{
	int64_t id;

	if (catalogue_disposition_restoring(k->v->catalogue, &id, e) < 0)
		return verify_absorb(k, false, "the catalogue", e);
	if (id != 0)
		verify_note(k, "archive", "restoring this copy was cut off; `muni restore` goes on, "
			    "and nothing else opens it");
	return 0;
}

int verify_anchor(struct verify *k, struct err *e)
{
	struct vault *v = k->v;
	struct catalogue_settings s;
	struct log_position position;
	struct anchor seen;
	struct log *log = NULL;
	bool has_anchor;
	struct witnesses witnesses = { .list = NULL };
	int rc = 0;

	if (!k->is_catalogue_whole || v->auditfd < 0)
		return 0;
	has_anchor = anchor_read(v->keyring_path, v->id, &seen, e) == 0;
	if (!has_anchor) {
		verify_note(k, "archive", "%s: that this is the newest state of the archive, and "
			    "no older copy, cannot be told",
			    e->code == MUNI_NOT_FOUND ? "no anchor on this host"
						      : "the anchor on this host cannot be read");
		*e = ERR_NONE;
	}
	if (archive_witnesses_list(v->dirfd, &witnesses, e) < 0 ||
	    catalogue_settings_get(v->catalogue, &s, e) < 0 ||
	    catalogue_log_position_get(v->catalogue, &position, e) < 0 ||
	    log_open(v->auditfd, false, &position, &v->signatories, NULL, &log, e) < 0 ||
	    (has_anchor && anchor_compare(&seen, log, v->epoch, s.generation, e) < 0) ||
	    archive_witnesses_check(v, &witnesses, log, e) < 0) {
		k->is_behind = true;
		rc = verify_absorb(k, false, "archive", e);
	}
	archive_witnesses_clear(&witnesses);
	log_close(log);
	return rc < 0 || k->is_behind ? rc : note_restoring(k, e);
}
