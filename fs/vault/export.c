/*
 * The entry point of export, and what its formats share: counting, telling.
 */
#include "fs/vault/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/team.h"
#include "fs/base/text.h"
#include "fs/base/total.h"
#include "fs/vault/export_inside.h"
#include "fs/vault/ingest_read.h"

#define LOSS_TOLD 25		/* of each kind, one by one */
#define TELL_EVERY_MS 250
#define THREADS_MAX 64

static const char *const loss_texts[LOSS_COUNT] = {
	[LOSS_BTIME] = "the time of its birth cannot be set in the target",
	[LOSS_CTIME] = "the time of its last change of status cannot be set in the target",
	[LOSS_OWNER] = "its owner could not be set (only root may give files away)",
	[LOSS_XATTR] = "its extended attributes could not be carried over",
	[LOSS_TRUSTED] = "attributes that only root may set could not be carried over",
	[LOSS_ACL] = "its access list could not be carried over",
	[LOSS_MODE] = "its permissions could not be set exactly",
	[LOSS_TIME] = "the target keeps its times to the second only",
	[LOSS_TIME_RANGE] = "its time is outside what the target can hold",
	[LOSS_HOLES] = "its holes were written as zeros",
	[LOSS_LINK] = "it is another name of a file that is already there and was written as "
		      "a copy",
	[LOSS_SYMLINK] = "a symbolic link has no place in the target, or is too long for it",
	[LOSS_DEVICE] = "a device has no place in the target, or only root may make it",
	[LOSS_FIFO] = "a fifo has no place in the target",
	[LOSS_SOCKET] = "a socket has no place in the target",
	[LOSS_NAME] = "its name is not UTF-8 and had to be written another way",
	[LOSS_EMPTY_DIRECTORY] = "an empty directory is not vouched for by the target's list",
};

/* Nothing can hold these: one line for all of them. */
static bool is_told_in_sum(enum export_loss kind)
{
	return kind == LOSS_BTIME || kind == LOSS_CTIME || kind == LOSS_TIME;
}

void export_lose(struct export *x, enum export_loss kind, const struct export_item *item)
{
	x->losses[kind]++;
	x->result->losses++;
	if (!x->loss || is_told_in_sum(kind) || x->losses[kind] > LOSS_TOLD)
		return;
	x->loss(x->arg, item->path_size ? text_printable_n(item->path, item->path_size)
					     : ".", loss_texts[kind]);
}

void export_tell_rest(struct export *x)
{
	for (int kind = 0; kind < LOSS_COUNT; kind++) {
		uint64_t told = is_told_in_sum((enum export_loss)kind) ? 0 : LOSS_TOLD;
		char where[TEXT_COUNT_MAX + 32], count[TEXT_COUNT_MAX];

		if (!x->loss || x->losses[kind] <= told)
			continue;
		snprintf(where, sizeof where, "%s%s entries", told ? "and of " : "of ",
			 text_count(x->losses[kind] - told, count));
		x->loss(x->arg, where, loss_texts[kind]);
	}
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void export_stage(struct export *x, const char *stage)
{
	x->progress = (struct vault_progress){
		.stage = stage,
		.items_total = x->version.directories + x->version.files + x->version.others,
		.bytes_total = x->version.bytes,
	};
	x->told = 0;
}

void export_problem(struct export *x, const void *path, size_t path_size, const char *what)
{
	x->result->problems++;
	if (x->problem)
		x->problem(x->arg, path, path_size, what);
}

int export_step(struct export *x, unsigned items, uint64_t bytes, struct err *e)
{
	const struct vault_monitor *m = x->monitor;
	int64_t now = now_ms();

	x->progress.items_done += items;
	x->progress.bytes_done += bytes;
	if (m && m->is_cancelled && m->is_cancelled(m->arg))
		return err_set(e, MUNI_CANCELLED, "stopped; run the same command again to go on");
	if (now - x->told < TELL_EVERY_MS)
		return 0;
	x->told = now;
	if (m && m->progress)
		m->progress(m->arg, &x->progress);
	return 0;
}

void export_count(struct export *x, const struct export_item *item)
{
	struct export_result *r = x->result;

	if (item->node.kind == NODE_FILE) {
		r->files++;
		total_add(&r->bytes, item->node.size);
	} else if (item->node.kind == NODE_DIRECTORY) {
		r->directories++;
	} else {
		r->others++;
	}
}

struct export_item *export_item_new(const char *path, size_t size)
{
	struct export_item *item = calloc(1, sizeof *item);

	if (!item)
		return NULL;
	item->path = malloc(size + 1);
	if (!item->path) {
		free(item);
		return NULL;
	}
	memcpy(item->path, path, size);
	item->path[size] = 0;
	item->path_size = size;
	item->name = item->path;
	item->depth = size > 0;
	for (size_t i = 0; i < size; i++)
		if (path[i] == '/') {
			item->name = item->path + i + 1;
			item->depth++;
		}
	return item;
}

void export_item_free(struct export_item *item)
{
	if (!item)
		return;
	free(item->path);
	free(item->symlink);
	free(item->xattrs);
	if (item->file)
		live_close(item->file);
	free(item->file);
	free(item->problem);
	free(item);
}

static unsigned threads_of(const struct export_options *o)
{
	unsigned n = o->threads ? o->threads : team_processors();

	return n > THREADS_MAX ? THREADS_MAX : n;
}

static int run_format(struct export *x, struct err *e)
{
	switch (x->options->format) {
	case EXPORT_DIR:
	case EXPORT_BAGIT:
		return export_dir(x, e);
	case EXPORT_TAR:
		return export_tar(x, e);
	case EXPORT_ZIP:
		return export_zip(x, e);
	}
	return err_set(e, MUNI_USAGE, "no such format");
}

int export_run_all(struct export *x, struct err *e)
{
	x->threads = threads_of(x->options);
	x->workfd = -1;
	if (run_format(x, e) < 0)
		return -1;
	export_tell_rest(x);
	return 0;
}
