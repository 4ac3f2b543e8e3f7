/*
 * One item of a live source: what was decided on it, whether it still is what was
 * scanned, and the entry that it becomes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/text.h"
#include "fs/base/total.h"
#include "fs/store/catalogue_items.h"
#include "fs/vault/export_live_inside.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory while walking the source");
}

static int stopped(struct err *e)
{
	return err_set(e, MUNI_CANCELLED, "stopped, because another part failed");
}

/* ---- problems ------------------------------------------------------------------ */

int live_problem_at(struct live_walker *w, const void *path, size_t size, const char *what,
		    struct err *e)
{
	struct export_item *item = export_item_new(path, size);

	if (item)
		item->problem = strdup(what);
	if (!item || !item->problem) {
		export_item_free(item);
		return no_memory(e);
	}
	return export_walk_give(w->walk, item) == 0 ? 0 : stopped(e);
}

int live_problem(struct live_walker *w, struct err *e, const char *format, ...)
{
	char *what = NULL;
	va_list args;
	int rc;

	va_start(args, format);
	if (vasprintf(&what, format, args) < 0)
		what = NULL;
	va_end(args);
	rc = what ? live_problem_at(w, w->path.data, w->path.size, what, e) : no_memory(e);
	free(what);
	return rc;
}

static void capture_problem(void *arg, const char *what)
{
	struct live_walker *w = arg;

	if (w->failure.code == MUNI_OK)
		(void)live_problem(w, &w->failure, "%s", what);
}

static void capture_fail(void *arg, const struct err *e)
{
	struct live_walker *w = arg;

	if (w->failure.code == MUNI_OK)
		w->failure = *e;
}

/* 1: it is out of reach (errno). */
static int capture(struct live_walker *w, int fd, const char *name, const struct statx *sx,
		   struct meta *out, struct err *e)
{
	const struct capture_ear ear = { capture_problem, capture_fail, w };
	int rc = capture_item(w->capture, &w->live->accounts, &ear, fd, name, sx, out);

	if (w->failure.code == MUNI_OK)
		return rc < 0 ? 1 : 0;
	*e = w->failure;
	return -1;
}

/* ---- entries -------------------------------------------------------------------- */

/* Names of one inode have one id. */
static int give_id(struct live_walker *w, const struct meta *m, int64_t *out, struct err *e)
{
	bool is_shared = m->kind != NODE_DIRECTORY && m->links > 1;

	*out = is_shared ? (int64_t)map_get(&w->ids, m->device, m->inode) : 0;
	if (*out != 0)
		return 0;
	*out = ++w->last_id;
	if (is_shared && !map_put(&w->ids, m->device, m->inode, (uint64_t)*out))
		return no_memory(e);
	return 0;
}

/* Takes m's attributes and target.  NULL: e. */
static struct export_item *entry_of(struct live_walker *w, struct meta *m, struct err *e)
{
	struct export_item *item = export_item_new(live_path(w), w->path.size);
	int64_t id;

	if (!item || give_id(w, m, &id, e) < 0) {
		export_item_free(item);
		no_memory(e);
		return NULL;
	}
	item->node = (struct node){
		.id = id, .kind = m->kind, .mode = m->mode, .uid = m->uid, .gid = m->gid,
		.size = m->kind == NODE_DIRECTORY ? 0 : m->size, .allocated = m->size,
		.links = m->links, .rdev_major = m->rdev_major, .rdev_minor = m->rdev_minor,
		.mtime = m->mtime, .ctime = m->ctime, .atime = m->atime, .btime = m->btime,
		.has_btime = m->has_btime,
	};
	snprintf(item->owner, sizeof item->owner, "%s", m->owner ? m->owner : "");
	snprintf(item->group, sizeof item->group, "%s", m->group ? m->group : "");
	item->xattrs = m->xattrs;
	item->xattrs_size = m->xattrs_size;
	item->symlink = m->target;
	m->xattrs = NULL;
	m->target = NULL;
	return item;
}

int live_directory_entry(struct live_walker *w, int fd, const struct statx *sx,
			 struct export_item **out, struct err *e)
{
	struct meta m = { .kind = 0 };
	int rc = capture(w, fd, NULL, sx, &m, e);

	/* By descriptor nothing is ever out of reach. */
	*out = rc < 0 ? NULL : entry_of(w, &m, e);
	meta_clear(&m);
	return *out ? 0 : -1;
}

/* Takes the item. */
static int pass_on(struct live_walker *w, struct export_item *item, struct err *e)
{
	if (w->live->spool && spool_put(w->live->spool, item, e) < 0) {
		export_item_free(item);
		return -1;
	}
	if (w->pass == PASS_ONLY && item->file && item->node.size > 0) {
		if (!export_walk_charge(w->walk, item)) {
			export_item_free(item);
			return stopped(e);
		}
		(void)posix_fadvise(item->file->fd, 0, (off_t)item->charge,
				    POSIX_FADV_WILLNEED);
	}
	return export_walk_give(w->walk, item) == 0 ? 0 : stopped(e);
}

/* The directories on the way, so far held back.  (G4) */
static int give_way(struct live_walker *w, struct err *e)
{
	for (size_t i = 0; i < w->descent.depth; i++) {
		struct export_item *item = w->descent.levels[i].own;

		w->descent.levels[i].own = NULL;
		if (item && pass_on(w, item, e) < 0)
			return -1;
	}
	return 0;
}

int live_give_top(struct live_walker *w, struct err *e)
{
	return give_way(w, e);
}

/* Takes the item, also where it is NULL (e). */
static int give(struct live_walker *w, struct export_item *item, struct err *e)
{
	if (!item)
		return -1;
	if (give_way(w, e) < 0) {
		export_item_free(item);
		return -1;
	}
	w->live->left_out.taken++;
	return pass_on(w, item, e);
}

/* ---- what was decided ------------------------------------------------------------- */

/* 1: there is a row; item_row_clear() it. */
static int find_row(struct live_walker *w, struct item_row *row, struct err *e)
{
	struct err missing = ERR_NONE;

	if (catalogue_item_find(w->catalogue, w->live->system, w->path.data, w->path.size,
				false, row, &missing) < 0) {
		if (missing.code == MUNI_NOT_FOUND)
			return 0;
		*e = missing;
		return -1;
	}
	if (seen_set(&w->live->seen, row->id, true))
		return 1;
	item_row_clear(row);
	return no_memory(e);
}

int live_meet(struct live_walker *w, struct err *e)
{
	struct item_row row;
	int rc = find_row(w, &row, e);

	if (rc > 0)
		item_row_clear(&row);
	return rc < 0 ? -1 : 0;
}

static void leave_out(struct live_walker *w, enum decision d, const struct meta *m)
{
	struct left_out *out = &w->live->left_out;

	out->by[d].items++;
	total_add(&out->by[d].bytes, m->kind == NODE_FILE ? m->size : 0);
}

/* New, or not what was scanned any more. */
static void leave_undecided(struct live_walker *w, const struct meta *m)
{
	w->live->left_out.undecided++;
	leave_out(w, DECISION_REVIEW, m);
}

/* 1: it is to go (row filled); 0: it is not, and was counted. */
static int judge(struct live_walker *w, const struct meta *m, struct item_row *row,
		 struct err *e)
{
	struct selected s = selection_of(w->live->selection, w->path.data, w->path.size,
					 m->kind == NODE_FILE ? m->size : 0, m->mtime);
	int rc;

	if (s.is_decided && s.decision != w->live->wanted) {
		leave_out(w, s.decision, m);
		return 0;
	}
	rc = find_row(w, row, e);
	if (rc > 0 && s.is_decided && row->kind == m->kind)
		return 1;
	if (rc > 0)
		item_row_clear(row);
	if (rc >= 0)
		leave_undecided(w, m);
	return rc < 0 ? -1 : 0;
}

/* ---- files ---------------------------------------------------------------------- */

/* Bytes that are no hole. */
static uint64_t held(const struct live_file *f)
{
	uint64_t at = 0, from, to, sum = 0;

	while (live_next_data(f, at, f->sx.stx_size, &from, &to)) {
		sum += to - from;
		at = to;
	}
	return sum;
}

/* For want of descriptors or memory, which is ours and not the item's, all ends. */
static int want(const struct live_walker *w, const char *what, int why, struct err *e)
{
	return !err_is_want(why) ? 0 :
		err_want(e, why, "%.500s: %s", text_printable_n(w->path.data, w->path.size), what);
}

static int tell_unopened(struct live_walker *w, int why, struct err *e)
{
	if (want(w, "it cannot be read", why, e) < 0)
		return -1;
	if (why == ENOENT || why == ESTALE)
		return live_problem(w, e, "it vanished while it was migrated");
	return live_problem(w, e, "it cannot be read: %s", strerror(why));
}

static bool is_as_scanned(const struct statx *sx, const struct item_row *row)
{
	return (sx->stx_mode & S_IFMT) == S_IFREG && sx->stx_size == row->size &&
	       sx->stx_mtime.tv_sec == row->mtime.seconds &&
	       sx->stx_mtime.tv_nsec == row->mtime.ns;
}

/* Takes f's descriptor. */
static int take_open_file(struct live_walker *w, struct live_file *f,
			  const struct item_row *row, struct err *e)
{
	struct meta m = { .kind = 0 };
	struct export_item *item = NULL;
	int rc = -1;

	f->is_sparse = f->sx.stx_blocks * 512 < f->sx.stx_size;
	if (!is_as_scanned(&f->sx, row)) {
		walk_numbers(&f->sx, &m);
		leave_undecided(w, &m);
		rc = 0;
		goto out;
	}
	if (!row->has_sha256) {
		rc = live_problem(w, e, "the scan could not read it, so nothing says whether "
				  "it is what was decided on; scan and classify it again");
		goto out;
	}
	if (capture(w, f->fd, NULL, &f->sx, &m, e) < 0)
		goto out;
	item = entry_of(w, &m, e);
	if (item) {
		item->node.sha256 = row->sha256;
		item->node.has_sha256 = item->has_plain_digest = true;
		item->node.allocated = f->is_sparse ? held(f) : f->sx.stx_size;
		item->file = malloc(sizeof *item->file);
	}
	if (item && !item->file) {
		export_item_free(item);
		item = NULL;
		no_memory(e);
	}
	if (item) {
		*item->file = *f;
		f->fd = -1;
	}
	rc = give(w, item, e);
out:
	meta_clear(&m);
	live_close(f);
	return rc;
}

static int take_file(struct live_walker *w, const struct dir_level *l, const char *name,
		     const struct item_row *row, struct err *e)
{
	struct live_file f = { .fd = walk_open(l->handle->fd, name, 0) };
	int why;

	if (f.fd >= 0 && statx(f.fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &f.sx) == 0)
		return take_open_file(w, &f, row, e);
	why = errno;
	live_close(&f);
	return tell_unopened(w, why, e);
}

/* ---- other items ------------------------------------------------------------------ */

static bool is_same_special(const struct meta *m, const struct item_row *row)
{
	if (m->kind == NODE_SYMLINK)
		return row->target && m->size == row->size &&
		       memcmp(m->target, row->target, m->size) == 0;
	return m->rdev_major == row->rdev_major && m->rdev_minor == row->rdev_minor;
}

static int take_special(struct live_walker *w, const struct dir_level *l, const char *name,
			const struct statx *sx, const struct item_row *row, struct err *e)
{
	struct meta m = { .kind = 0 };
	int rc = capture(w, l->handle->fd, name, sx, &m, e);

	if (rc > 0) {
		rc = tell_unopened(w, errno, e);
	} else if (rc == 0 && !is_same_special(&m, row)) {
		leave_undecided(w, &m);
	} else if (rc == 0) {
		rc = give(w, entry_of(w, &m, e), e);
	}
	meta_clear(&m);
	return rc;
}

int live_take(struct live_walker *w, const struct dir_level *l, const char *name,
	      const struct statx *sx, struct err *e)
{
	struct item_row row;
	struct meta m = { .kind = 0 };
	int rc;

	walk_numbers(sx, &m);
	rc = judge(w, &m, &row, e);
	if (rc <= 0)
		return rc;
	rc = m.kind == NODE_FILE ? take_file(w, l, name, &row, e)
				 : take_special(w, l, name, sx, &row, e);
	item_row_clear(&row);
	return rc;
}

int live_take_directory(struct live_walker *w, const struct statx *sx, struct err *e)
{
	struct item_row row;
	struct meta m = { .kind = 0 };
	int rc;

	walk_numbers(sx, &m);
	rc = judge(w, &m, &row, e);
	if (rc <= 0)
		return rc;
	item_row_clear(&row);
	if (give_way(w, e) < 0)
		return -1;
	w->live->left_out.taken++;
	return 0;
}

int live_lose_directory(struct live_walker *w, const struct statx *sx, int why,
			struct err *e)
{
	struct meta m = { .kind = 0 };
	struct item_row row;
	int rc;

	if (want(w, "its entries cannot be read", why, e) < 0)
		return -1;
	if (selection_leads_to(w->live->selection, w->path.data, w->path.size,
			       w->live->wanted)) {
		buffer_append(&w->lost, w->path.data, w->path.size + 1);
		if (w->lost.failed)
			return no_memory(e);
		return live_meet(w, e) < 0 ? -1 :
			live_problem(w, e, "its entries cannot be read: %s", strerror(why));
	}
	walk_numbers(sx, &m);
	rc = judge(w, &m, &row, e);
	if (rc > 0)
		item_row_clear(&row);	/* it would lead there itself: never */
	return rc < 0 ? -1 : 0;
}
