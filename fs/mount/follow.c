#include "fs/mount/follow.h"

#include <malloc.h>

#include "fs/base/err.h"
#include "fs/mount/access_log.h"
#include "fs/mount/attr.h"
#include "fs/mount/cursors.h"
#include "fs/mount/drop.h"
#include "fs/mount/listings.h"
#include "fs/mount/look.h"
#include "fs/mount/mount.h"
#include "fs/mount/pool.h"
#include "fs/mount/recent.h"
#include "fs/mount/status.h"
#include "fs/mount/view.h"
#include "fs/store/catalogue_gone.h"
#include "fs/vault/follow.h"
#include "fs/vault/frozen.h"

#define PATIENCE_MS 20000	/* for requests under way; the operator waits longer */
#define CATALOGUE_CACHE (256u * 1024)

/* ---- while nobody is answered ---------------------------------------------------------- */

struct tables {
	const struct mount *m;
	struct catalogue *now;
};

/* The name that a listing goes on behind has to be one that stays: of others we keep
 * nothing. */
static void mend_cursor(void *arg, struct cursor *at)
{
	const struct tables *t = arg;
	struct err ignored = ERR_NONE;
	struct cursor mended = { .ino = at->ino, .count = at->count };
	struct place p;

	if (!look_place(t->m, at->ino, &p) || p.kind != PLACE_DIRECTORY ||
	    catalogue_name_before(t->now, p.id, at->name, at->name_size, mended.name,
				  &mended.name_size, &ignored) < 0)
		mended.name_size = 0;
	*at = mended;
}

static void forget(struct mount *m, struct catalogue *now)
{
	struct tables t = { m, now };

	attr_note_change(m);
	listings_clear(m->listings);
	recent_clear(m->recent);
	block_cache_clear(m->blocks);
	status_forget(m->status);
	cursors_renew(m->cursors, mend_cursor, &t);
	if (m->access_log)
		access_log_forget(m->access_log);
}

/* The pool is shut, the helpers rest: only *mine and the vault's own connection are
 * open.  On -1 all is as it was. */
static int move(struct mount *m, struct vault_epoch *next, struct catalogue **mine,
		struct err *e)
{
	struct catalogue *fresh;

	vault_epoch_swap(m->vault, next);
	if (vault_connect(m->vault, CATALOGUE_CACHE, &fresh, e) < 0) {
		vault_epoch_swap(m->vault, next);
		return -1;
	}
	catalogue_close(*mine);
	*mine = fresh;
	forget(m, fresh);
	return 0;
}

static int change_over(struct mount *m, struct follow *f, struct catalogue **mine,
		       uint64_t epoch, const uint8_t *key, struct err *e)
{
	struct vault_epoch *next;
	int rc;

	if (vault_epoch_open(m->vault, epoch, key, &next, e) < 0)
		return -1;
	if (pool_shut(m->pool, PATIENCE_MS, e) < 0) {
		vault_epoch_close(next);
		return -1;
	}
	block_cache_pause(m->blocks);
	rc = move(m, next, mine, e);
	block_cache_resume(m->blocks);
	pool_open(m->pool);
	if (rc < 0)
		vault_epoch_close(next);
	else
		*f = (struct follow){ .old = next };
	return rc;
}

/* ---- taking back --------------------------------------------------------------------------- */

static int finish(struct mount *m, struct follow *f, struct catalogue *mine, struct err *e)
{
	struct view_change change;

	if (view_refresh(m->view, mine, &change, e) < 0)
		return -1;
	/* Nodes that moved between classes differ in their rows, too. */
	f->shows_otherwise |= change.nodes.count > 0 || change.is_shrunk;
	node_set_free(&change.nodes);
	if (drop_gone(m, vault_epoch_catalogue(f->old), mine, e) < 0)
		return -1;
	if (!f->shows_otherwise)
		cursors_settle(m->cursors);
	follow_close(f);
	vault_release_files(m->vault);
	vault_scrub_stack();	/* the names of what went passed through here */
	malloc_trim(0);		/* what was freed on the way goes back to the kernel, as zeros */
	return 0;
}

int follow_epoch(struct mount *m, struct follow *f, struct catalogue **mine, uint64_t epoch,
		 const uint8_t *key, struct err *e)
{
	uint64_t present = vault_epoch_number(m->vault);

	if (epoch < present)
		return err_set(e, MUNI_USAGE, "this mount has moved past that epoch");
	if (epoch > present) {
		if (f->old && finish(m, f, *mine, e) < 0)
			return -1;
		if (!key)
			return err_set(e, MUNI_USAGE, "the key of the new epoch did not come");
		if (change_over(m, f, mine, epoch, key, e) < 0)
			return -1;
	}
	return f->old ? finish(m, f, *mine, e) : 0;
}

/* All names are still there, though not all shown: only the numbers are others. */
static void keep_cursor(void *arg, struct cursor *at)
{
	(void)arg;
	(void)at;
}

int follow_nodes(struct mount *m, struct catalogue *mine, const struct node_set *nodes,
		 struct err *e)
{
	int rc;

	if (nodes->count == 0)
		return 0;
	/* Requests that began before the view changed may note what they saw. */
	rc = pool_shut(m->pool, PATIENCE_MS, e);
	attr_note_change(m);
	listings_clear(m->listings);
	recent_clear(m->recent);
	status_forget(m->status);
	cursors_renew(m->cursors, keep_cursor, NULL);
	if (rc == 0)
		pool_open(m->pool);
	if (drop_nodes(m, mine, nodes, e) < 0)
		return -1;
	if (rc == 0)
		cursors_settle(m->cursors);
	return rc;
}

int follow_room(struct mount *m, struct catalogue **mine, struct err *e)
{
	struct err why = ERR_NONE;
	int rc;

	if (!vault_frozen_has_room(m->vault))
		return 0;
	if (pool_shut(m->pool, PATIENCE_MS, e) < 0)
		return -1;
	block_cache_pause(m->blocks);
	catalogue_close(*mine);
	*mine = NULL;
	rc = vault_frozen_end(m->vault, e);
	if (vault_catalogue(m->vault) &&
	    vault_connect(m->vault, CATALOGUE_CACHE, mine, &why) < 0 && rc == 0)
		*e = why;
	block_cache_resume(m->blocks);
	pool_open(m->pool);
	return *mine ? rc : -1;
}

void follow_is_lost(struct mount *m, struct catalogue *mine)
{
	struct err ignored = ERR_NONE;

	(void)drop_gone(m, mine, NULL, &ignored);
}

void follow_close(struct follow *f)
{
	vault_epoch_close(f->old);
	f->old = NULL;
}
