/* Up to the point of no return: all of the next epoch, beside the present one. */
#include "fs/vault/epoch_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/file.h"
#include "fs/store/pagevfs.h"
#include "fs/store/redo.h"
#include "fs/vault/vouch.h"


struct build {
	struct vault *v;
	uint64_t to;
	int64_t disposition;
	const struct vault_monitor *monitor;
	unsigned key_id;	/* owned until the vault has it, as `next` */
	struct catalogue *next;
	struct catalogue_settings settings;	/* of the next epoch */
	struct log_position before;
	bool is_logged;		/* LOG_EPOCH_SWITCHED is appended */
	char *words_gone;	/* owned: doom_words_gone() */
	uint64_t seals_counted;
	struct digest pages;
};

/* ---- what goes, what stays -------------------------------------------------------------- */

static int make_key(struct build *b, struct err *e)
{
	struct vault *v = b->v;

	if (keyring_epoch_begin(v->keyring, e) < 0)
		return -1;
	return pagevfs_key_add(keyring_catalogue_key(v->keyring, b->to), v->id, b->to,
			       &b->key_id, e);
}

static int make_catalogue(struct build *b, struct epoch_result *out, struct err *e)
{
	struct vault *v = b->v;
	struct doom *doom = NULL;
	int rc = -1;

	if (doom_mark(v, b->disposition, &doom, e) < 0 || make_key(b, e) < 0 ||
	    doom_repack(doom, v, b->monitor, e) < 0 || doom_put_marks(doom, v, e) < 0 ||
	    catalogue_create(v->dirfd, b->to, b->key_id, &b->next, e) < 0 ||
	    doom_copy(doom, v, b->next, b->monitor, e) < 0)
		goto out;
	doom_result(doom, &out->doom);
	b->words_gone = doom_words_gone(doom);
	rc = b->words_gone ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for the entry of a switch");
out:
	doom_free(doom);
	return rc;
}

/* ---- the entry of the switch ---------------------------------------------------------------- */

static int settle(struct build *b, const char *details, struct err *e)
{
	const struct digest by_the_keys_holder = {{0}};
	struct vault *v = b->v;
	uint8_t salt[16];

	if (json_memory_lacked())
		return err_set(e, MUNI_NO_MEMORY, "no memory for what the act says");
	if (catalogue_settings_get(v->catalogue, &b->settings, e) < 0)
		return -1;
	b->settings.epoch = b->to;
	b->settings.generation++;
	b->settings.page_seals = b->seals_counted = pagevfs_seals(b->key_id);
	b->settings.base_digest = (struct digest){ 0 };
	b->before = *log_position(v->log);
	if (catalogue_settings_put(b->next, &b->settings, e) < 0 ||
	    catalogue_switch_put(b->next, b->to, b->disposition, e) < 0 ||
	    log_append(v->log, LOG_EPOCH_SWITCHED, vault_now(v), &by_the_keys_holder, details,
		       salt, e) < 0)
		return -1;
	b->is_logged = true;
	if (catalogue_log_detail_add(b->next, b->before.frontier.count, salt, details, e) < 0)
		return -1;
	return catalogue_log_position_put(b->next, log_position(v->log), e);
}

/* The entry of the switch stands in the next epoch alone: the present one, found without
 * its head, cuts it off (log.h, L2). */
static int record_switch(struct build *b, const struct epoch_result *out, struct err *e)
{
	char *details = NULL, keys[DIGEST_HEX_SIZE];
	int rc = -1;

	digest_hex(&out->doom.keys, keys);
	if (asprintf(&details,
		     "{\"blocks_gone\":%" PRIu64 ",\"disposition\":%" PRId64 ",\"epoch\":%" PRIu64
		     ",\"keys\":\"%s\",\"records\":%" PRIu64 ",\"words\":\"%s\"}",
		     out->doom.blocks_gone, b->disposition, b->to, keys, out->doom.records,
		     b->words_gone) < 0)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the entry of a switch");
	if (catalogue_begin(b->next, e) == 0) {
		if (epoch_keep_facts(b->next, b->disposition, out, false, e) == 0 &&
		    settle(b, details, e) == 0 && catalogue_commit(b->next, e) == 0)
			rc = 0;
		else
			catalogue_rollback(b->next);
	}
	free(details);
	return rc;
}

static int any_page(void *arg, uint64_t page)
{
	(void)page;
	*(bool *)arg = true;
	return 1;
}

/* As whoever comes after us will find it. */
static int reopen_and_check(struct build *b, struct err *e)
{
	struct catalogue_settings s;
	struct log_position position;
	bool is_bad = false;
	struct vault *v = b->v;

	if (catalogue_checkpoint(b->next, e) < 0)
		return -1;
	catalogue_close(b->next);
	b->next = NULL;
	if (catalogue_open(v->dirfd, b->to, b->key_id, CATALOGUE_WRITE, WRITER_CACHE_BYTES,
			   &b->next, e) < 0 ||
	    pagevfs_check(catalogue_sqlite(b->next), any_page, &is_bad, e) < 0 ||
	    catalogue_check_sound(b->next, e) < 0 ||
	    catalogue_settings_get(b->next, &s, e) < 0 ||
	    catalogue_log_position_get(b->next, &position, e) < 0)
		return -1;
	if (is_bad || s.epoch != b->to || s.generation != b->settings.generation ||
	    memcmp(s.archive_id, v->id, sizeof s.archive_id) != 0 ||
	    position.frontier.count != log_count(v->log))
		return err_set(e, MUNI_IO, "catalogue.%" PRIu64 " did not read back as it was "
			       "written: the disk under it is failing", b->to);
	return 0;
}

static int keep_base(struct build *b, struct err *e)
{
	static const struct digest nothing;
	struct sqlite3 *db = catalogue_sqlite(b->next);
	struct vault *v = b->v;
	uint64_t pages;

	if (pagevfs_digest(db, &b->pages, &pages, e) < 0)
		return -1;
	return redo_append(v->objects, db, v->id, b->to, &nothing, &b->pages, NULL, 0, e);
}

/* ---- the vault moves over ------------------------------------------------------------------ */

static void move_over(struct build *b)
{
	struct err ignored = ERR_NONE;
	struct vault *v = b->v;
	uint64_t *pages = NULL, count;

	catalogue_close(v->catalogue);
	pagevfs_key_drop(v->key_id);
	v->catalogue = b->next;
	v->key_id = b->key_id;
	v->epoch = b->to;
	v->pages_at_open = b->pages;
	v->seals_counted = b->seals_counted;
	v->is_settled = true;
	b->next = NULL;
	b->key_id = 0;
	/* They are in the base.  Where this fails they are kept twice. */
	if (pagevfs_dirty(catalogue_sqlite(v->catalogue), true, &pages, &count, &ignored) == 0)
		free(pages);
}

static int sign(struct build *b, struct err *e)
{
	struct vault *v = b->v;
	const struct signer *signer = keyring_signer(v->keyring, e);

	if (signer &&
	    log_sign_head(v->log, signer, b->settings.generation, &b->pages,
			  b->to, vault_now(v), e) == 0)
		return 0;
	v->is_spent = true;	/* E1: what is on the disk decides */
	return -1;
}

int epoch_build(struct vault *v, uint64_t to, int64_t disposition,
		const struct vault_monitor *m, struct epoch_result *out, struct err *e)
{
	struct build b = { .v = v, .to = to, .disposition = disposition, .monitor = m };
	int rc = -1;

	if (make_catalogue(&b, out, e) < 0 ||
	    record_switch(&b, out, e) < 0 ||
	    reopen_and_check(&b, e) < 0 ||
	    keep_base(&b, e) < 0 ||
	    vouch_parity_update(v, b.next, b.settings.parity, e) < 0 ||
	    file_sync_dir(v->dirfd, e) < 0 ||
	    sign(&b, e) < 0)
		goto out;
	move_over(&b);
	rc = 0;
out:
	if (rc < 0 && b.is_logged && !v->is_spent)
		log_rewind(v->log, &b.before);
	free(b.words_gone);
	catalogue_close(b.next);
	if (b.key_id)
		pagevfs_key_drop(b.key_id);
	return rc;
}
