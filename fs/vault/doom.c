#include "fs/vault/doom.h"

#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/crypt/arena.h"
#include "fs/vault/doom_inside.h"
#include "fs/vault/inside.h"

/* Owners in the inventory of what stays. */
struct owners {
	struct doom *d;
	struct err *e;
};

static int keep_owner(void *arg, int64_t system, const void *path, size_t size, int64_t owner,
		      int64_t group)
{
	struct owners *o = arg;
	struct doom *d = o->d;

	if (doom_path_is_gone(d, system, path, size))
		return 0;
	return bits_add(&d->accounts, owner) && bits_add(&d->accounts, group) ? 0 :
		doom_no_memory(o->e);
}

static int mark(struct doom *d, struct vault *v, struct err *e)
{
	struct owners o = { d, e };

	if (doom_mark_records(d, e) < 0 || doom_mark_folders(d, e) < 0 ||
	    doom_mark_versions(d, e) < 0 || doom_mark_nodes(d, e) < 0 ||
	    doom_mark_blocks(d, e) < 0 || doom_mark_paths(d, e) < 0 ||
	    doom_mark_words(d, v, e) < 0)
		return -1;
	return catalogue_each_item_account(d->catalogue, keep_owner, &o, e);
}

/* Counted as such, not as a directory that went with its records. */
static bool is_record(const struct doom *d, int64_t directory)
{
	for (size_t i = doom_edges_of(d, directory);
	     i < d->edge_count && d->edges[i].child == directory; i++)
		if (d->edges[i].is_listed)
			return true;
	return false;
}

static void sum_up(struct doom *d)
{
	for (size_t i = 0; i < d->folder_count; i++)
		d->result.directories += !d->folders[i].is_kept &&
			!is_record(d, d->folders[i].id);
	for (size_t i = 0; i < d->contents_doomed.count * 64; i++) {
		int64_t id = (int64_t)i;

		if (!bits_has(&d->contents_doomed, id))
			continue;
		if (bits_has(&d->contents, id) || bits_has(&d->contents_shared, id))
			d->result.contents_shared++;
		else
			d->result.contents_gone++;
	}
}

int doom_mark(struct vault *v, int64_t disposition, struct doom **out, struct err *e)
{
	struct doom *d = calloc(1, sizeof *d);

	*out = NULL;
	if (!d)
		return doom_no_memory(e);
	d->disposition = disposition;
	d->catalogue = v->catalogue;
	d->result.keys = digest_of("", 0);
	if (catalogue_high_water(v->catalogue, SEQUENCE_BLOCK, &d->next_block, e) < 0 ||
	    catalogue_high_water(v->catalogue, SEQUENCE_SEGMENT, &d->next_segment, e) < 0 ||
	    (doom_takes(d) && mark(d, v, e) < 0)) {
		doom_free(d);
		return err_wrap(e, "working out what goes");
	}
	sum_up(d);
	*out = d;
	return 0;
}

void doom_free(struct doom *d)
{
	struct bits *const sets[] = { &d->directories, &d->nodes, &d->contents, &d->xattrs,
		&d->accounts, &d->blocks, &d->segments, &d->systems_gone, &d->versions_gone,
		&d->details_gone, &d->systems_touched, &d->holds_mute, &d->contents_doomed,
		&d->contents_shared, &d->based };

	if (!d)
		return;
	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
		bits_free(sets[i]);
	buffer_free(&d->names);
	arena_free(d->fresh);
	free(d->records);
	free(d->edges);
	for (size_t i = 0; i < d->folder_count; i++)
		free(d->folders[i].spans);
	free(d->folders);
	free(d->roots);
	free(d->versions);
	free(d->paths);
	free(d->old);
	free(d->pieces);
	free(d->segments_new);
	free(d->uids);
	free(d);
}

void doom_result(const struct doom *d, struct doom_result *out)
{
	*out = d->result;
}
