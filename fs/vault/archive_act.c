#include "fs/vault/archive_inside.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/store/catalogue_items.h"
#include "fs/store/pagevfs.h"
#include "fs/store/redo.h"
#include "fs/vault/renewal_inside.h"
#include "fs/vault/vouch.h"

/* ---- until the commit ---------------------------------------------------------- */

static int raise_generation(struct vault *v, struct err *e)
{
	struct catalogue_settings s;
	uint64_t seals = pagevfs_seals(v->key_id);

	if (catalogue_settings_get(v->catalogue, &s, e) < 0)
		return -1;
	s.generation++;
	s.page_seals += seals - v->seals_counted;
	if (catalogue_settings_put(v->catalogue, &s, e) < 0)
		return -1;
	v->seals_counted = seals;
	return 0;
}

/* Entry, then position and details, then the commit (log.h, L2). */
static int record_by(struct vault *v, enum log_act act, const struct digest *actor,
		     const char *details, struct err *e)
{
	const struct log_position before = *log_position(v->log);
	uint8_t salt[16];

	if (v->is_spent) {
		catalogue_rollback(v->catalogue);
		return err_set(e, MUNI_BUSY, "a switch of epoch was cut off here: the next "
			       "command that writes ends it or takes it back");
	}
	/* Its details, or what they were made from, may lack a member. */
	if (json_memory_lacked()) {
		catalogue_rollback(v->catalogue);
		return err_set(e, MUNI_NO_MEMORY, "no memory for what the act says");
	}
	if (raise_generation(v, e) < 0 ||
	    log_append(v->log, act, vault_now(v), actor, details, salt, e) < 0 ||
	    catalogue_log_detail_add(v->catalogue, before.frontier.count, salt, details, e) < 0 ||
	    catalogue_log_position_put(v->catalogue, log_position(v->log), e) < 0 ||
	    catalogue_commit(v->catalogue, e) < 0) {
		catalogue_rollback(v->catalogue);
		log_rewind(v->log, &before);	/* T1 */
		return -1;
	}
	v->is_settled = false;
	return 0;
}

static int record(struct vault *v, enum log_act act, const char *details, struct err *e)
{
	const struct digest by_the_keys_holder = {{0}};

	return record_by(v, act, &by_the_keys_holder, details, e);
}

/* ---- after it -------------------------------------------------------------------- */

/* The catalogue's pages into base and redo, as they stand in the main file. */
static int keep_pages(struct vault *v, const struct digest *after, struct err *e)
{
	struct sqlite3 *db = catalogue_sqlite(v->catalogue);
	uint64_t *pages = NULL, count = 0;
	int rc;

	if (pagevfs_dirty(db, false, &pages, &count, e) < 0)
		return -1;
	rc = redo_append(v->objects, db, v->id, v->epoch, &v->pages_at_open, after, pages,
			 count, e);
	free(pages);
	if (rc < 0)
		return -1;
	/* Only now: what could not be kept is tried again with the next act. */
	if (pagevfs_dirty(db, true, &pages, &count, e) < 0)
		return -1;
	free(pages);
	v->pages_at_open = *after;
	return 0;
}

/* A host where nothing can be kept beside the keyring has no anchor, as one that
 * never saw the archive; a disk that fails there is an error. */
int archive_move_anchor(struct vault *v, uint64_t generation, struct err *e)
{
	struct anchor a = { .epoch = v->epoch, .generation = generation,
			    .position = *log_position(v->log) };

	if (v->is_older)
		return 0;
	if (anchor_write(v->keyring_path, v->id, &a, e) == 0)
		return 0;
	if (e->sys != EROFS && e->sys != EACCES && e->sys != EPERM)
		return -1;
	vault_add_notice(v, "nothing can be written beside the keyring: this host keeps no "
			 "anchor of the newest state (%s)", e->text);
	return 0;
}

static int finish(struct vault *v, struct err *e)
{
	struct catalogue_settings s;
	const struct signer *signer;
	struct digest after;
	uint64_t pages;

	if (renewal_signer(v, &signer, e) < 0 || catalogue_checkpoint(v->catalogue, e) < 0 ||
	    catalogue_settings_get(v->catalogue, &s, e) < 0 ||
	    pagevfs_digest(catalogue_sqlite(v->catalogue), &after, &pages, e) < 0 ||
	    keep_pages(v, &after, e) < 0 ||
	    vouch_parity_update(v, v->catalogue, s.parity, e) < 0 ||
	    log_sign_head(v->log, signer, s.generation, &after, v->epoch,
			  vault_now(v), e) < 0)
		return -1;
	v->is_settled = true;
	if (archive_move_anchor(v, s.generation, e) < 0)
		return -1;
	vault_announce(v);
	return 0;
}

int vault_commit_act_by(struct vault *v, enum log_act act, const struct digest *actor,
			const char *details, struct err *e)
{
	const struct digest by_the_keys_holder = {{0}};

	if (record_by(v, act, actor ? actor : &by_the_keys_holder, details, e) < 0)
		return -1;
	if (finish(v, e) < 0)
		return err_wrap(e, "it is done and recorded, but not all of its copies could "
				"be brought up; %sthe next command that writes does that",
				e->code == MUNI_NO_SPACE ? "make room, and " : "");
	return 0;
}

int vault_commit_act(struct vault *v, enum log_act act, const char *details,
		     struct err *e)
{
	return vault_commit_act_by(v, act, NULL, details, e);
}

/* The entry first: from here on an act without its head explains why the
 * catalogue is not what was signed (T3). */
static int abandon_version(struct vault *v, struct err *e)
{
	unsigned count;

	if (catalogue_begin(v->catalogue, e) < 0 ||
	    record(v, LOG_INGEST_ABANDONED, "{}", e) < 0 ||
	    catalogue_recover(v->catalogue, &count, e) < 0)
		return err_wrap(e, "rolling back an interrupted ingest");
	return finish(v, e);
}

/* What it saw stays: the next scan goes on from there. */
static int stop_scan(struct vault *v, struct err *e)
{
	if (catalogue_begin(v->catalogue, e) < 0 ||
	    catalogue_scan_stop(v->catalogue, e) < 0 ||
	    record(v, LOG_SCAN_STOPPED, "{}", e) < 0) {
		catalogue_rollback(v->catalogue);
		return err_wrap(e, "ending an interrupted scan");
	}
	return finish(v, e);
}

int vault_abandon(struct vault *v, struct err *e)
{
	bool is_in_progress, is_scan;

	catalogue_rollback(v->catalogue);
	if (v->is_spent)
		return 0;
	if (catalogue_is_in_progress(v->catalogue, &is_in_progress, e) < 0 ||
	    catalogue_scan_is_running(v->catalogue, &is_scan, e) < 0)
		return -1;
	if (!is_in_progress)
		return 0;
	return is_scan ? stop_scan(v, e) : abandon_version(v, e);
}

/* ---- recovery ---------------------------------------------------------------------- */

static int refuse_unsigned_pages(struct err *e)
{
	return err_set(e, MUNI_DAMAGED, "the catalogue's pages are not those that were signed: "
		       "a page was put back to an older state or lost. \"muni verify\" says "
		       "what is touched, \"muni repair\" rebuilds it from its copies");
}

/* An act of its own, so that the pages are those of a signed head again. */
static int upgrade(struct vault *v, struct err *e)
{
	if (catalogue_begin(v->catalogue, e) < 0 ||
	    catalogue_upgrade(v->catalogue, e) < 0 ||
	    record(v, LOG_UPGRADE, "{}", e) < 0) {
		catalogue_rollback(v->catalogue);
		return err_wrap(e, "bringing the archive up to this program's format");
	}
	return finish(v, e);
}

/* A power cut amid a checkpoint may leave half a page at the end of the file: the WAL has it
 * whole, and what was found is then like nothing that base and redo stand at. */
static int digest_as_found(struct vault *v, struct err *e)
{
	uint64_t pages;

	if (pagevfs_digest(catalogue_sqlite(v->catalogue), &v->pages_at_open, &pages, e) == 0)
		return 0;
	if (e->code != MUNI_DAMAGED)
		return -1;
	v->pages_at_open = (struct digest){ 0 };
	*e = ERR_NONE;
	return 0;
}

static int mend_interrupted(struct vault *v, struct err *e)
{
	struct sqlite3 *db = catalogue_sqlite(v->catalogue);
	struct log_head head;
	struct digest now;
	uint64_t pages;
	bool is_in_progress, is_scan;

	if (archive_sweep(v->dirfd, e) < 0 || objects_sweep(v->objects, e) < 0 ||
	    digest_as_found(v, e) < 0 ||
	    catalogue_checkpoint(v->catalogue, e) < 0 ||
	    catalogue_is_in_progress(v->catalogue, &is_in_progress, e) < 0 ||
	    catalogue_scan_is_running(v->catalogue, &is_scan, e) < 0 ||
	    log_newest_head(v->log, &head, e) < 0)
		return -1;
	if (is_in_progress) {
		if (vault_abandon(v, e) < 0)
			return -1;
		vault_add_notice(v, is_scan ? "a scan was interrupted; the next one of its "
				 "source goes on from there" : "an ingest that was interrupted "
				 "has been rolled back; what it had stored is found again by "
				 "the next one");
		return 0;
	}
	if (log_count(v->log) > head.count)
		return finish(v, e);
	if (!digest_equal(&v->pages_at_open, &head.pages)) {
		/* What a crash left in the WAL has just been written back. */
		if (pagevfs_digest(db, &now, &pages, e) < 0)
			return -1;
		if (!digest_equal(&now, &head.pages))
			return refuse_unsigned_pages(e);
	}
	if (archive_copies_check(v, &head.pages, e) < 0)
		return -1;
	v->is_settled = true;
	return 0;
}

int archive_recover(struct vault *v, struct err *e)
{
	if (mend_interrupted(v, e) < 0)
		return e->code != MUNI_NO_SPACE ? -1 :
		       err_wrap(e, "what was cut off here is completed first, and the disk has no "
				"room for that: make some and run the command again");
	return catalogue_is_older(v->catalogue) ? upgrade(v, e) : 0;
}
