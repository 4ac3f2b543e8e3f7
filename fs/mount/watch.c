#include "fs/mount/watch.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/base/err.h"
#include "fs/mount/cursors.h"
#include "fs/mount/look.h"
#include "fs/mount/messages.h"
#include "fs/mount/mount.h"
#include "fs/mount/ops.h"
#include "fs/mount/recent.h"
#include "fs/mount/view.h"
#include "fs/vault/presence.h"

#define POLL_MS 1000
#define CATALOGUE_CACHE (256u * 1024)

struct watch {
	struct mount *m;	/* borrowed */
	struct catalogue *catalogue;	/* the thread's own */
	int64_t seen;		/* catalogue_data_version() of the last look */
	atomic_bool is_stopping;
	pthread_t thread;
};

/* ---- taking back ------------------------------------------------------------------- */

static void drop_entry(struct mount *m, uint64_t parent, const char *name)
{
	/* ENOENT: the kernel does not have it, which is what we want. */
	fuse_lowlevel_notify_inval_entry(m->session, parent, name, strlen(name));
}

static void drop_folder(struct mount *m, const struct place *p)
{
	uint64_t ino;

	if (look_ino(m, p, &ino))
		fuse_lowlevel_notify_inval_inode(m->session, ino, 0, 0);
}

static int drop_name(void *arg, const struct look_row *row)
{
	struct mount *m = arg;

	if (strcmp(row->name, ".") != 0 && strcmp(row->name, "..") != 0)
		drop_entry(m, PLACE_ROOT, row->name);
	return 0;
}

struct news {
	struct watch *w;
	bool with_trees;	/* whole versions, not only the way to them */
};

static void tell_version(void *arg, const struct view_version *v)
{
	struct news *n = arg;
	struct mount *m = n->w->m;
	struct place versions = { .kind = PLACE_VERSIONS, .id = v->system };
	struct place system = { .kind = PLACE_SYSTEM, .id = v->system };
	struct err ignored = ERR_NONE;
	struct version row;
	uint64_t ino;

	drop_folder(m, &versions);
	drop_folder(m, &system);
	if (look_ino(m, &system, &ino))
		drop_entry(m, ino, "latest");
	/* Dropping a directory's entry drops all that the kernel knows below it. */
	if (catalogue_version_get(n->w->catalogue, v->id, &row, &ignored) == 0 &&
	    look_ino(m, &versions, &ino))
		drop_entry(m, ino, row.label);
}

/* Something is gone: nothing that the kernel keeps can be trusted. */
static void drop_everything(struct watch *w)
{
	struct mount *m = w->m;
	struct news all = { w, true };
	struct err ignored = ERR_NONE;

	recent_clear(m->recent);
	cursors_clear(m->cursors);
	block_cache_clear(m->blocks);
	view_each(m->view, 0, tell_version, &all);
	look_list(m, w->catalogue, PLACE_ROOT, 0, false, drop_name, m, &ignored);
	fuse_lowlevel_notify_inval_inode(m->session, PLACE_ROOT, 0, 0);
}

/* ---- looking ------------------------------------------------------------------------- */

static bool look_again(struct watch *w)
{
	struct mount *m = w->m;
	struct view_change change;
	struct err e = ERR_NONE;

	if (view_refresh(m->view, w->catalogue, &change, &e) < 0) {
		messages_say(m->messages, "the archive changed, but %s", e.text);
		return false;
	}
	if (change.is_shrunk) {
		drop_everything(w);
		return true;
	}
	struct news news = { w, false };
	struct view_version newest;
	if (view_newest(m->view, 0, &newest) && newest.id > change.newest_before) {
		view_each(m->view, change.newest_before, tell_version, &news);
		fuse_lowlevel_notify_inval_inode(m->session, PLACE_ROOT, 0, 0);
	}
	return true;
}

static bool has_changed(struct watch *w)
{
	struct err ignored = ERR_NONE;
	int64_t now;

	if (catalogue_data_version(w->catalogue, &now, &ignored) < 0 || now == w->seen)
		return false;
	w->seen = now;
	return true;
}

/* The switch of epoch asks every mount to move over; until this one can, it says
 * so, and the operator ends it or gets no certificate. */
static void answer(struct watch *w, struct presence_event *event)
{
	has_changed(w);
	bool is_done = look_again(w) && event->kind == PRESENCE_CHANGED;
	presence_answer(event, is_done, is_done ? NULL : "this mount cannot move");
}

static void *work(void *arg)
{
	struct watch *w = arg;
	struct presence_event event;

	while (!atomic_load(&w->is_stopping)) {
		if (w->m->presence) {
			if (presence_wait(w->m->presence, POLL_MS, &event)) {
				answer(w, &event);
				continue;
			}
		} else {
			struct timespec pause = { .tv_nsec = 250 * 1000 * 1000 };
			for (unsigned i = 0; i < 4 && !atomic_load(&w->is_stopping); i++)
				nanosleep(&pause, NULL);
		}
		if (!atomic_load(&w->is_stopping) && has_changed(w))
			look_again(w);
	}
	return NULL;
}

int watch_start(struct mount *m, struct watch **out, struct err *e)
{
	struct watch *w = calloc(1, sizeof *w);
	sigset_t all, before;

	*out = NULL;
	if (!w)
		return err_set(e, MUNI_NO_MEMORY, "no memory to watch the archive");
	w->m = m;
	if (vault_connect(m->vault, CATALOGUE_CACHE, &w->catalogue, e) < 0) {
		free(w);
		return -1;
	}
	has_changed(w);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed) {
		catalogue_close(w->catalogue);
		free(w);
		return err_set(e, MUNI_NO_MEMORY, "no thread to watch the archive");
	}
	*out = w;
	return 0;
}

void watch_stop(struct watch *w)
{
	if (!w)
		return;
	atomic_store(&w->is_stopping, true);
	if (w->m->presence)
		presence_stop(w->m->presence);
	pthread_join(w->thread, NULL);
	catalogue_close(w->catalogue);
	free(w);
}
