#include "fs/mount/watch.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "fs/base/err.h"
#include "fs/mount/drop.h"
#include "fs/mount/follow.h"
#include "fs/mount/listings.h"
#include "fs/mount/messages.h"
#include "fs/mount/mount.h"
#include "fs/mount/view.h"
#include "fs/vault/follow.h"
#include "fs/vault/frozen.h"
#include "fs/vault/presence.h"

#define POLL_MS 1000
#define CATALOGUE_CACHE (256u * 1024)
#define CONNECT_TRIES 10

struct watch {
	struct mount *m;	/* borrowed */
	struct catalogue *catalogue;	/* the thread's own; NULL until it has opened it */
	int64_t seen;		/* catalogue_data_version() of the last look */
	bool has_warned;	/* that keys could not be locked in memory */
	bool is_behind;		/* the last look failed: look again whatever it says */
	struct node_set left;	/* that it left to be taken back */
	struct follow follow;
	pthread_t main;		/* a signal to it ends the mount */
	atomic_bool is_stopping;
	pthread_t thread;
};

static void end(struct watch *w)
{
	atomic_store(&w->is_stopping, true);
	pthread_kill(w->main, SIGTERM);
}

/* ---- looking ------------------------------------------------------------------------- */

static void tell_version(void *arg, const struct view_version *v)
{
	struct watch *w = arg;
	struct err ignored = ERR_NONE;
	struct version row;

	/* Dropping a directory's entry drops all that the kernel knows below it. */
	bool is_there = catalogue_version_get(w->catalogue, v->id, &row, &ignored) == 0;
	drop_way_to(w->m, v, is_there ? row.label : NULL);
}

static int take_back(struct watch *w, const struct node_set *nodes, struct err *e)
{
	const struct node_set none = { .ids = NULL };

	if (node_set_add_difference(&w->left, nodes, &none, e) < 0)
		return -1;
	node_set_settle(&w->left);
	if (follow_nodes(w->m, w->catalogue, &w->left, e) < 0)
		return -1;
	node_set_free(&w->left);
	return 0;
}

static int look(struct watch *w, struct err *e)
{
	struct mount *m = w->m;
	struct view_change change;
	struct view_version newest;
	int rc;

	if (view_refresh(m->view, w->catalogue, &change, e) < 0)
		return -1;
	listings_clear(m->listings);
	rc = take_back(w, &change.nodes, e);
	node_set_free(&change.nodes);
	if (change.is_shrunk)	/* classes show otherwise: also names that were not there */
		view_each(m->view, 0, tell_version, w);
	else if (view_newest(m->view, 0, &newest) && newest.id > change.newest_before)
		view_each(m->view, change.newest_before, tell_version, w);
	drop_top(m);
	return rc;
}

static bool look_again(struct watch *w, struct err *e)
{
	w->is_behind = look(w, e) < 0;
	if (w->is_behind)
		messages_say(w->m->messages, "the archive changed, but %s", e->text);
	return !w->is_behind;
}

static bool has_changed(struct watch *w)
{
	struct err ignored = ERR_NONE;
	int64_t now;

	if (catalogue_data_version(w->catalogue, &now, &ignored) < 0)
		return false;
	bool is_new = now != w->seen || w->is_behind;
	w->seen = now;
	return is_new;
}

/* ---- being told ------------------------------------------------------------------------ */

static bool move(struct watch *w, const struct presence_event *event, struct err *e)
{
	if (follow_epoch(w->m, &w->follow, &w->catalogue, event->epoch, event->key, e) < 0) {
		messages_say(w->m->messages, "the archive goes over to epoch %llu, but this mount "
			     "could not: %s", (unsigned long long)event->epoch, e->text);
		return false;
	}
	has_changed(w);
	w->is_behind = false;
	return true;
}

static void answer(struct watch *w, struct presence_event *event)
{
	struct err e = ERR_NONE;
	bool is_done;

	if (event->kind == PRESENCE_EPOCH) {
		is_done = move(w, event, &e);
	} else {
		has_changed(w);
		is_done = look_again(w, &e);
	}
	presence_answer(event, is_done, is_done ? NULL : e.text);
}

/* Writers wait for who reads a full disk, so as soon as it has room again. */
static void go_on_with_room(struct watch *w)
{
	struct err e = ERR_NONE;
	int rc = follow_room(w->m, &w->catalogue, &e);

	if (!w->catalogue) {
		messages_say(w->m->messages, "the archive's disk has room again, but its "
			     "catalogue could not be opened anew, so this mount ends: %s", e.text);
		end(w);
	} else if (rc == 0 && !vault_is_frozen(w->m->vault)) {
		messages_say(w->m->messages, "the archive's disk has room again: commands may "
			     "change the archive");
		has_changed(w);
		w->is_behind = true;
	}
}

/* Nobody could tell us, and what we read is no archive any more. */
static void end_if_lost(struct watch *w)
{
	if (!vault_epoch_is_over(w->m->vault))
		return;
	messages_say(w->m->messages, "the archive went over to a new epoch, of which this mount "
		     "could not be told: it ends; mount again");
	follow_is_lost(w->m, w->catalogue);
	end(w);
}

static void poll_once(struct watch *w)
{
	struct err ignored = ERR_NONE;

	if (!w->has_warned && vault_memory_warning()) {
		messages_say(w->m->messages, "%s", vault_memory_warning());
		w->has_warned = true;
	}
	if (vault_is_frozen(w->m->vault))
		go_on_with_room(w);
	if (!w->catalogue)
		return;
	if (has_changed(w))
		look_again(w, &ignored);
	end_if_lost(w);
}

/* Memory or descriptors that are wanting for a moment end no mount. */
static int connect_patiently(struct watch *w, struct err *e)
{
	const struct timespec pause = { .tv_nsec = 200 * 1000 * 1000 };

	for (unsigned i = 0; i < CONNECT_TRIES && !atomic_load(&w->is_stopping); i++) {
		*e = ERR_NONE;
		if (vault_connect(w->m->vault, CATALOGUE_CACHE, &w->catalogue, e) == 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	return -1;
}

/* What changed since the view was read, before we could see it, is looked at anew. */
static bool connect_first(struct watch *w)
{
	struct catalogue_settings now;
	struct err e = ERR_NONE;

	if (connect_patiently(w, &e) < 0) {
		messages_say(w->m->messages, "the archive cannot be watched for changes, so "
			     "this mount ends: %s", e.text);
		end(w);
		return false;
	}
	has_changed(w);
	w->is_behind = catalogue_settings_get(w->catalogue, &now, &e) < 0 ||
		       now.generation != w->m->generation;
	return true;
}

static void *work(void *arg)
{
	struct watch *w = arg;
	struct presence_event event;

	if (!connect_first(w))
		return NULL;
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
		if (!atomic_load(&w->is_stopping))
			poll_once(w);
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
	w->main = pthread_self();
	w->has_warned = vault_memory_warning() != NULL;	/* as it started */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed) {
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
	node_set_free(&w->left);
	follow_close(&w->follow);
	if (w->catalogue)
		catalogue_close(w->catalogue);
	free(w);
}
