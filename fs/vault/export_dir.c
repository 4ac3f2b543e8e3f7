/*
 * Export to a directory, and to a bag, which is one.
 *
 * Twice through the tree.  First everything is made and filled, with our own
 * modes.  Then, all of it being on disk, every file is read back and compared,
 * and gets its attributes; a directory gets its own when it is left.  So what
 * has its final attributes was verified, and times are not disturbed by it.
 *
 * NAME.partial.work keeps a name of each file that has several, made after the
 * first of them, for the others to link to.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/vault/export_dir_inside.h"
#include "fs/vault/export_files.h"
#include "fs/vault/export_meta.h"

#define PAYLOAD "data"

static void tell(struct dir_export *d, const char *sentence)
{
	const struct vault_monitor *m = d->x->monitor;

	if (m && m->notice)
		m->notice(m->arg, sentence);
}

/* A file that cannot be had is named; the others go on. */
static int settle(void *arg, struct crew_task *t, struct err *e)
{
	struct dir_export *d = arg;

	if (t->failure.code == MUNI_DAMAGED) {
		if (d->is_second)
			d->different++;
		else
			d->unreadable++;
		if (d->first_failure.code == MUNI_OK)
			d->first_failure = t->failure;
		tell(d, t->failure.text);
		return 0;
	}
	/* It was filled in vain: its name goes when it would be checked. */
	if (t->failure.code == MUNI_INCOMPLETE && !d->is_second) {
		export_problem(d->x, t->item->path, t->item->path_size, t->failure.text);
		return d->x->source->drop(d->x, t->item, e);
	}
	if (t->failure.code != MUNI_OK) {
		*e = t->failure;
		return -1;
	}
	if (t->was_kept)
		d->x->result->resumed++;
	export_dir_lose(d, t->lost, t->item);
	return 0;
}

/* Up to where an item of this depth belongs. */
static int leave_to(struct dir_export *d, size_t depth, struct err *e)
{
	while (d->place.depth > depth) {
		if (d->is_second) {
			const struct export_item *item = place_item(&d->place);
			int fd = place_fd(&d->place, e);
			uint32_t lost = 0;

			if (fd < 0 || (d->sweep && sweep_leave(d->sweep, d->place.depth - 1, fd,
							      d->target.workfd, e) < 0) ||
			    export_meta_fd(fd, item, &lost, e) < 0)
				return -1;
			export_dir_lose(d, lost, item);
		}
		place_leave(&d->place);
	}
	return 0;
}

/* Takes the item; sets *is_taken where it is no business of the target's. */
static int filter(struct dir_export *d, struct export_item *item, bool *is_taken, struct err *e)
{
	bool has_memory, was_changed;

	*is_taken = false;
	if (!d->is_bag)
		return 0;
	if (item->node.kind != NODE_FILE && item->node.kind != NODE_DIRECTORY) {
		if (!d->is_second)
			export_lose(d->x, export_dir_loss_of(item->node.kind), item);
		export_item_free(item);
		*is_taken = true;
		return 0;
	}
	was_changed = bag_make_name_text(item, &has_memory);
	if (was_changed && !d->is_second)
		export_lose(d->x, LOSS_NAME, item);
	if (!has_memory) {
		export_item_free(item);
		return err_set(e, MUNI_NO_MEMORY, "no memory for a name");
	}
	return 0;
}

static int open_payload(struct dir_export *d, struct export_item *root, struct err *e)
{
	int fd;

	if (d->is_bag && file_make_dir(d->target.root, PAYLOAD, 0700, e) < 0)
		goto bad;
	fd = d->is_bag ? place_open_dir(d->target.root, PAYLOAD, e)
		       : fcntl(d->target.root, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		err_errno(e, "opening the target");
		goto bad;
	}
	if (!d->is_second) {
		export_meta_disinherit(fd);
		export_count(d->x, root);
	}
	return place_open(&d->place, fd, root, e);
bad:
	export_item_free(root);
	return -1;
}

static int one_item(struct dir_export *d, struct export_item *item, struct err *e)
{
	bool is_taken;

	if (filter(d, item, &is_taken, e) < 0)
		return -1;
	if (is_taken)
		return 0;
	if (item->depth == 0)
		return open_payload(d, item, e);
	if (d->place.depth < item->depth || leave_to(d, item->depth, e) < 0) {
		if (d->place.depth < item->depth)
			err_set(e, MUNI_DAMAGED, "the catalogue's tree has a gap before %s",
				text_printable_n(item->path, item->path_size));
		export_item_free(item);
		return -1;
	}
	if (d->sweep && !item->is_dropped &&
	    sweep_expect(d->sweep, item->depth - 1, item->name, e) < 0) {
		export_item_free(item);
		return -1;
	}
	return d->is_second ? export_dir_check(d, item, e) : export_dir_make(d, item, e);
}

static int pass(struct dir_export *d, bool is_second, struct err *e)
{
	struct export_walk *walk = NULL;
	struct export_item *item;
	uint64_t bytes;
	int rc = -1;

	d->is_second = is_second;
	export_links_free(&d->links);
	export_stage(d->x, is_second ? "verifying" : "writing");
	if (crew_start(d->x, is_second ? export_check_file : export_fill_file, settle, d,
		       &d->crew, e) < 0 ||
	    export_walk_start(d->x, is_second ? PASS_AGAIN : PASS_FIRST, &walk, e) < 0)
		goto out;
	for (;;) {
		if (export_walk_next(walk, &item, e) < 0)
			goto out;
		if (!item)
			break;
		bytes = item->node.kind == NODE_FILE ? item->node.size : 0;
		if (export_step(d->x, 1, bytes, e) < 0) {
			export_item_free(item);
			goto out;
		}
		if (one_item(d, item, e) < 0)
			goto out;
	}
	/* A directory's attributes come after all that is in it. */
	if (crew_finish(d->crew, e) < 0 || leave_to(d, 0, e) < 0)
		goto out;
	rc = 0;
out:
	export_walk_stop(walk);
	crew_stop(d->crew);
	d->crew = NULL;
	place_close(&d->place);
	return rc;
}

/* A version is the same in every run; a live source may have lost what was begun. */
static int prepare_sweep(struct dir_export *d, struct err *e)
{
	if (!d->x->live || !d->target.is_resumed)
		return 0;
	d->sweep = sweep_new();
	return d->sweep ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for names");
}

static int give_up(struct dir_export *d, struct err *e)
{
	char count_text[TEXT_COUNT_MAX];

	if (d->unreadable)
		return err_set(e, MUNI_DAMAGED, "%s files %s (the first: %.400s); all else is in "
			       "%s: %s", text_count(d->unreadable, count_text),
			       d->x->source->unreadable, d->first_failure.text,
			       text_printable(d->target.partial), d->x->source->remedy);
	if (d->different)
		return err_set(e, MUNI_DAMAGED, "%s files read back differently (the first: "
			       "%.400s)", text_count(d->different, count_text),
			       d->first_failure.text);
	return 0;
}

static int sync_target(const struct dir_export *d, struct err *e)
{
	if (syncfs(d->target.root) < 0)
		return err_errno(e, "writing out the target");
	return 0;
}

int export_dir(struct export *x, struct err *e)
{
	struct dir_export d = { .x = x, .is_bag = x->options->format == EXPORT_BAGIT };
	int rc = -1;

	if (target_open_dir(&d.target, x, e) < 0)
		goto out;
	x->workfd = d.target.workfd;
	if (pass(&d, false, e) < 0 || give_up(&d, e) < 0 || sync_target(&d, e) < 0 ||
	    prepare_sweep(&d, e) < 0)
		goto out;
	if (d.is_bag && bag_open(d.target.root, &d.bag, e) < 0)
		goto out;
	if (pass(&d, true, e) < 0 || give_up(&d, e) < 0 ||
	    (d.sweep && discard_moved(d.target.workfd, e) < 0))
		goto out;
	if (d.bag && bag_finish(d.bag, x, e) < 0)
		goto out;
	if (d.is_bag && fchmod(d.target.root, 0755) < 0) {
		err_errno(e, "setting the mode of the bag");
		goto out;
	}
	if (sync_target(&d, e) < 0)
		goto out;
	rc = target_finish(&d.target, e);
out:
	bag_close(d.bag);
	sweep_free(d.sweep);
	export_links_free(&d.links);
	target_close(&d.target);
	return rc;
}
