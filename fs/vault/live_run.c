/*
 * The items of a list, one after the other, in the live source.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/base/total.h"
#include "fs/vault/clearance.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/inside.h"
#include "fs/vault/live.h"

struct live_target {
	struct digest leaf;
	struct item_row item;	/* as it was approved; owned */
	struct live_binding binding;
	struct live_outcome outcome;
};

struct live_run {
	struct vault *vault;
	int64_t system;
	int root;
	bool was_begun;		/* an earlier run was cut off */
	uint8_t key[LIST_KEY_SIZE];	/* of the list */
	bool has_key;
	struct live_target *list;	/* owned */
	size_t count, capacity;
	const struct vault_monitor *monitor;
	struct err *e;
};

void live_run_free(struct live_run *run)
{
	if (!run)
		return;
	for (size_t i = 0; i < run->count; i++)
		item_row_clear(&run->list[i].item);
	free(run->list);
	if (run->root >= 0)
		close(run->root);
	free(run);
}

/* ---- what is to go ------------------------------------------------------------------------ */

static int on_listed(void *arg, const struct disposition_item *i)
{
	struct live_run *run = arg;
	struct live_target *t;

	if (!i->text || i->outcome == OUTCOME_GONE || i->outcome == OUTCOME_BYTES_STAY)
		return 0;
	if (run->count == run->capacity) {
		size_t more = run->capacity ? 2 * run->capacity : 256;

		t = reallocarray(run->list, more, sizeof *t);
		if (!t)
			return err_set(run->e, MUNI_NO_MEMORY, "no memory for the list");
		run->list = t;
		run->capacity = more;
	}
	t = &run->list[run->count];
	*t = (struct live_target){ .leaf = i->leaf };
	if (live_item_parse(i->text, &t->item, run->e) < 0)
		return -1;
	if (item_salt(i->text, t->binding.salt, run->e) < 0) {
		item_row_clear(&t->item);
		return -1;
	}
	t->binding.key = run->has_key ? run->key : NULL;
	run->system = i->key.directory;
	run->count++;
	return 0;
}

/* ---- hard links ------------------------------------------------------------------------------ */

static int by_inode(const void *a, const void *b)
{
	const struct item_row *x = &((const struct live_target *)a)->item;
	const struct item_row *y = &((const struct live_target *)b)->item;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static bool is_one_file(const struct live_target *a, const struct live_target *b)
{
	return a->item.kind == NODE_FILE && a->item.inode == b->item.inode &&
	       a->item.device == b->item.device;
}

/* Sorted by inode: names of one file stand together, and those behind `at` are still
 * to go. */
static uint64_t names_left(const struct live_run *run, size_t at)
{
	uint64_t count = 1;

	for (size_t i = at + 1; i < run->count; i++, count++)
		if (!is_one_file(&run->list[at], &run->list[i]))
			break;
	return count;
}

struct naming {
	struct live_run *run;
	const struct live_target *target;
};

static bool is_listed(const struct live_run *run, const struct item_row *r)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->list[i].item.path_size == r->path_size &&
		    memcmp(run->list[i].item.path, r->path, r->path_size) == 0)
			return true;
	return false;
}

static int on_other_name(void *arg, const struct item_row *r, const char *duplicate_path,
			 size_t duplicate_size)
{
	const struct naming *n = arg;
	const struct vault_monitor *m = n->run->monitor;
	char text[1000];

	(void)duplicate_path;
	(void)duplicate_size;
	if (r->device != n->target->item.device || r->inode != n->target->item.inode ||
	    is_listed(n->run, r))
		return 0;
	snprintf(text, sizeof text, "%.400s: the file is also %.400s, which is not in the list: its "
		 "bytes stay", text_printable_n(n->target->item.path, n->target->item.path_size),
		 text_printable_n(r->path, r->path_size));
	if (m && m->notice)
		m->notice(m->arg, text);
	return 0;
}

/* For whoever executes, as far as the inventory knows them; nothing of it is stored. */
static int name_others(struct live_run *run, const struct live_target *t)
{
	struct naming n = { .run = run, .target = t };

	return catalogue_items(run->vault->catalogue, run->system, NULL, 0, on_other_name, &n,
			       run->e);
}

/* ---- the run ----------------------------------------------------------------------------------- */

static void say_failed(const struct live_run *run, const struct live_target *t)
{
	const struct vault_monitor *m = run->monitor;
	char text[1000];

	if (t->outcome.outcome != OUTCOME_FAILED || !m || !m->notice)
		return;
	snprintf(text, sizeof text, "%.500s was not destroyed: %s",
		 text_printable_n(t->item.path, t->item.path_size), t->outcome.why);
	m->notice(m->arg, text);
}

static int run_one(struct live_run *run, size_t at)
{
	struct live_target *t = &run->list[at];
	int rc = live_destroy(run->root, &t->item, &t->binding, &t->leaf, names_left(run, at),
			      run->was_begun, &t->outcome, run->e);

	if (rc == 0 && t->outcome.outcome == OUTCOME_BYTES_STAY)
		rc = name_others(run, t);
	if (rc == 0 && t->outcome.is_half)
		return err_set(run->e, MUNI_IO, "%.400s: %s. `dispose execute` goes on from there",
			       text_printable_n(t->item.path, t->item.path_size), t->outcome.why);
	say_failed(run, t);
	return rc;
}

static int run_all(struct live_run *run)
{
	struct vault_progress p = { .stage = "destroying", .items_total = run->count };

	for (size_t i = 0; i < run->count; i++) {
		if (run_one(run, i) < 0)
			return -1;
		p.items_done = i + 1;
		p.bytes_done += run->list[i].outcome.bytes;
		if (run->monitor && run->monitor->progress && (i % 64 == 0 || i + 1 == run->count))
			run->monitor->progress(run->monitor->arg, &p);
	}
	return 0;
}

/* Before the first thing goes: nothing is ever gone without the log saying so. */
static int begin(struct live_run *run, const struct disposition_row *d,
		 const struct officer *who)
{
	char id[24], *details = NULL;
	struct catalogue *c = run->vault->catalogue;
	int rc = -1;

	snprintf(id, sizeof id, "D%" PRId64, d->id);
	if (details_text(json_pack("{s:s, s:I, s:s}", "disposition", id, "items",
				   (json_int_t)run->count, "officer", who->id), &details,
			 run->e) < 0)
		return -1;
	if (catalogue_begin(c, run->e) == 0) {
		if (catalogue_disposition_state(c, d->id, DISPOSITION_SWITCHING, NULL,
						run->e) < 0)
			catalogue_rollback(c);
		else
			rc = vault_commit_act_by(run->vault, LOG_LIVE_BEGUN,
						 &who->identity.fingerprint, details, run->e);
	}
	free(details);
	return rc;
}

static int open_source(struct live_run *run, const struct disposition_row *d)
{
	json_error_t wrong;
	json_t *scope = json_loads(d->scope, 0, &wrong);
	const char *base64 = json_string_value(json_object_get(scope, "path_base64"));
	const char *path = json_string_value(json_object_get(scope, "path"));
	char *bytes = base64 ? text_unbase64(base64) : NULL, what[48];

	if (path || bytes)
		run->root = live_open_root(path ? path : bytes, run->e);
	else
		json_memory_refused(run->e, MUNI_DAMAGED, "the scope of the list does not read");
	free(bytes);
	json_decref(scope);
	if (run->root < 0)
		return err_wrap(run->e, "the live source");
	if (live_check_apart(run->vault, run->root, run->e) == 0)
		return 0;
	if (run->e->code == MUNI_REFUSED) {
		snprintf(what, sizeof what, "execute D%" PRId64, d->id);
		clearance_refused(run->vault, what, NULL, run->e);
	}
	return -1;
}

static int fill_facts(const struct live_run *run, struct live_facts *f, struct err *e)
{
	struct live_media media;

	live_media_of(run->root, &media);
	for (size_t i = 0; i < run->count; i++) {
		const struct live_outcome *o = &run->list[i].outcome;

		if (o->outcome == OUTCOME_FAILED) {
			f->failed++;
			continue;
		}
		f->gone++;
		total_add(&f->bytes, o->bytes);
		f->overwritten += o->is_overwritten;
	}
	f->filesystem = strdup(media.name);
	f->why = strdup(media.why);
	return f->filesystem && f->why ? 0 :
		err_set(e, MUNI_NO_MEMORY, "no memory for the facts of an execution");
}

int live_execute(struct vault *v, const struct disposition_row *d, const struct officer *who,
		 const struct vault_monitor *m, struct execution *facts, struct live_run **out,
		 struct err *e)
{
	struct live_run *run = calloc(1, sizeof *run);

	*out = run;
	if (!run)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the list");
	*run = (struct live_run){ .vault = v, .root = -1, .monitor = m, .e = e,
				  .was_begun = d->state == DISPOSITION_SWITCHING };
	if (open_source(run, d) < 0 ||
	    log_newest_head(v->log, &facts->epoch.before, e) < 0 ||
	    catalogue_list_key_get(v->catalogue, d->id, run->key, &run->has_key, e) < 0 ||
	    catalogue_disposition_items(v->catalogue, d->id, on_listed, run, e) < 0)
		return -1;
	if (run->count > 1)
		qsort(run->list, run->count, sizeof *run->list, by_inode);
	if ((!run->was_begun && begin(run, d, who) < 0) || run_all(run) < 0 ||
	    log_newest_head(v->log, &facts->epoch.after, e) < 0)
		return -1;
	if (fill_facts(run, &facts->live, e) < 0)
		return -1;
	return facts->live.gone > 0 ? 0 :
		err_set(e, MUNI_INCOMPLETE, "nothing was destroyed: no item stands there as the "
			"inventory has it. Scan and classify the source again, and propose anew");
}

/* ---- outcomes ------------------------------------------------------------------------------------ */

/* What is gone is no item of the source any more: its path, digest and findings do not
 * wait for the next scan. */
int live_settle(struct live_run *run, int64_t disposition, struct err *e)
{
	struct catalogue *c = run->vault->catalogue;

	for (size_t i = 0; i < run->count; i++) {
		const struct live_target *t = &run->list[i];
		bool is_gone = t->outcome.outcome == OUTCOME_GONE ||
			       t->outcome.outcome == OUTCOME_BYTES_STAY;

		if (catalogue_disposition_item_outcome(c, disposition, &t->leaf,
						       t->outcome.outcome, t->outcome.why, e) < 0)
			return -1;
		if (is_gone &&
		    catalogue_item_forget(c, run->system, t->item.path, t->item.path_size, e) < 0)
			return -1;
	}
	return run->count > 0 ? catalogue_items_forgotten(c, run->system, e) : 0;
}
