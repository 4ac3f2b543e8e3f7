/* The next catalogue: what stays, new blocks, stubs, the disposition settled. */
#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/vault/doom_inside.h"
#include "fs/vault/execution.h"
#include "fs/vault/inside.h"
#include "fs/vault/leaf.h"

struct copying {
	struct doom *d;
	const struct vault *vault;
	const struct vault_monitor *monitor;
	uint64_t tables;
};

/* ---- answers ------------------------------------------------------------------------- */

static bool is_entry_gone(void *arg, int64_t directory, const void *name, size_t size,
			  int64_t first)
{
	const struct copying *k = arg;

	return doom_record(k->d, directory, name, size, first) != NULL;
}

static bool is_name_gone(void *arg, int64_t directory, int64_t first, int64_t target)
{
	const struct doom *d = ((const struct copying *)arg)->d;

	for (size_t i = doom_edges_of(d, target);
	     i < d->edge_count && d->edges[i].child == target; i++)
		if (d->edges[i].parent == directory && d->edges[i].first == first)
			return !d->edges[i].is_kept;
	return true;
}

static bool is_directory_gone(void *arg, int64_t id, int64_t first, int64_t last)
{
	const struct copying *k = arg;

	return doom_range_is_gone(k->d, id, first, last);
}

static bool is_path_gone(void *arg, int64_t system, const void *path, size_t size)
{
	const struct copying *k = arg;

	return doom_path_is_gone(k->d, system, path, size);
}

static int64_t system_of_version(const struct doom *d, int64_t version)
{
	for (size_t i = 0; i < d->version_count; i++)
		if (d->versions[i].id == version)
			return d->versions[i].system;
	return 0;
}

static bool is_problem_gone(void *arg, int64_t version, const void *path, size_t size)
{
	const struct copying *k = arg;

	return doom_path_is_below_gone(k->d, system_of_version(k->d, version), path, size);
}

static bool is_scan_problem_gone(void *arg, int64_t system, const void *path, size_t size)
{
	const struct copying *k = arg;

	return doom_path_is_below_gone(k->d, system, path, size);
}

static bool is_detail_gone(void *arg, int64_t sequence)
{
	const struct copying *k = arg;

	return bits_has(&k->d->details_gone, sequence);
}

static bool is_hold_mute(void *arg, int64_t id)
{
	const struct copying *k = arg;

	return bits_has(&k->d->holds_mute, id);
}

static bool moved(void *arg, int64_t block, uint32_t at, uint32_t size,
		  struct chunk_place *to)
{
	const struct copying *k = arg;

	return doom_moved(k->d, block, at, size, to);
}

static bool go_on(void *arg, const char *table)
{
	struct copying *k = arg;
	const struct vault_monitor *m = k->monitor;
	const struct vault_progress p = { .stage = "copying the catalogue",
					  .items_done = k->tables++ };

	(void)table;
	if (m && m->is_cancelled && m->is_cancelled(m->arg))
		return false;
	if (m && m->progress)
		m->progress(m->arg, &p);
	return true;
}

static enum item_outcome outcome(void *arg, const struct record_key *key)
{
	const struct copying *k = arg;
	const struct doom *d = k->d;
	const struct doomed *r = doom_record(d, key->directory, key->name, key->name_size,
					     key->first);

	if (!r)
		return OUTCOME_PENDING;
	if (r->kind == NODE_DIRECTORY)
		return OUTCOME_GONE;
	return bits_has(&d->nodes, r->target) || bits_has(&d->contents, r->content) ||
	       bits_has(&d->contents_shared, r->content) ? OUTCOME_BYTES_STAY : OUTCOME_GONE;
}

/* ---- what is new ------------------------------------------------------------------------ */

static int add_blocks(const struct doom *d, struct catalogue *next, struct err *e)
{
	for (size_t i = 0; i < d->segment_count; i++)
		if (catalogue_segment_add(next, d->segments_new[i].id, d->segments_new[i].uid,
					  e) < 0)
			return -1;
	for (size_t i = 0; i < d->fresh_count; i++)
		if (catalogue_block_add(next, &d->fresh[i].block, e) < 0 ||
		    catalogue_sketch_add(next, d->fresh[i].block.id, &d->fresh[i].sketch, e) < 0)
			return -1;
	return 0;
}

static int add_stub(const struct doom *d, struct catalogue *next, int64_t directory,
		    const struct entry *entry, int64_t first, int64_t last, struct err *e)
{
	struct digest leaf;

	return leaf_of_entry(d->catalogue, first, entry, &leaf, e) < 0 ? -1 :
		catalogue_stub_add(next, directory, first, last, &leaf, e);
}

/* The leaf of a directory changes with its row: a stub for each range. */
static int add_folder_stubs(const struct doom *d, struct catalogue *next,
			    const struct edge *x, struct entry *entry, struct err *e)
{
	int64_t first = x->first;

	while (first <= x->last) {
		struct directory row;
		int64_t last;

		if (catalogue_directory(d->catalogue, first, x->child, &row, e) < 0)
			return -1;
		entry->node = row.node;
		last = row.last < x->last ? row.last : x->last;
		if (add_stub(d, next, x->parent, entry, first, last, e) < 0)
			return -1;
		if (last == x->last)
			break;
		if (catalogue_directory_after(d->catalogue, x->child, last, &first, e) < 0)
			return -1;
	}
	return 0;
}

static int look_up(const struct doom *d, int64_t directory, size_t name, uint16_t size,
		   int64_t first, struct entry *out, struct err *e)
{
	return catalogue_lookup(d->catalogue, first, directory, d->names.data + name, size, out,
				e);
}

/* In directories that stay: of others the root is in their own stub. */
static int add_stubs(const struct doom *d, struct catalogue *next, struct err *e)
{
	struct entry entry;

	for (size_t i = 0; i < d->record_count; i++) {
		const struct doomed *r = &d->records[i];

		if (r->kind == NODE_DIRECTORY || 
		    doom_range_is_gone(d, r->directory, r->first, r->last))
			continue;
		if (look_up(d, r->directory, r->name, r->name_size, r->first, &entry, e) < 0 ||
		    add_stub(d, next, r->directory, &entry, r->first, r->last, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < d->edge_count; i++) {
		const struct edge *x = &d->edges[i];

		if (x->is_kept || doom_range_is_gone(d, x->parent, x->first, x->last))
			continue;
		if (look_up(d, x->parent, x->name, x->name_size, x->first, &entry, e) < 0 ||
		    add_folder_stubs(d, next, x, &entry, e) < 0)
			return -1;
	}
	return 0;
}

/* What the certificate reads, as far as it is known here: a crash may leave nobody who
 * remembers. */
static int settle(struct copying *k, struct catalogue *next, struct err *e)
{
	struct execution facts = { .began = vault_now(k->vault),
				   .epoch = { .old_epoch = k->vault->epoch,
					      .new_epoch = k->vault->epoch + 1,
					      .doom = k->d->result } };
	char *result = NULL;
	int rc;

	if (doom_takes(k->d) && execution_write(&facts, &result, e) < 0)
		return -1;
	rc = catalogue_disposition_settle(k->d->catalogue, next, k->d->disposition, result,
					  outcome, k, e);
	free(result);
	return rc;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static int copy(struct copying *k, struct catalogue *next, struct err *e)
{
	struct doom *d = k->d;
	const struct catalogue_copy rules = {
		.is_whole = !doom_takes(d),
		.directories = &d->directories, .nodes = &d->nodes, .contents = &d->contents,
		.xattrs = &d->xattrs, .accounts = &d->accounts, .blocks = &d->blocks,
		.segments = &d->segments, .systems_gone = &d->systems_gone,
		.versions_gone = &d->versions_gone, .systems_touched = &d->systems_touched,
		.arg = k,
		.is_entry_gone = is_entry_gone, .is_name_gone = is_name_gone,
		.is_directory_gone = is_directory_gone,
		 .is_path_gone = is_path_gone,
		.is_problem_gone = is_problem_gone,
		.is_scan_problem_gone = is_scan_problem_gone,
		.is_detail_gone = is_detail_gone, .is_hold_mute = is_hold_mute,
		.moved = moved, .go_on = go_on,
		.next_block = d->next_block, .next_segment = d->next_segment,
	};

	if (catalogue_begin(next, e) < 0)
		return -1;
	if (catalogue_copy_rows(next, &rules, e) < 0 || add_blocks(d, next, e) < 0 ||
	    add_stubs(d, next, e) < 0 || doom_put_traces(d, next, e) < 0 ||
	    settle(k, next, e) < 0)
		return -1;
	return catalogue_commit(next, e);
}

int doom_copy(struct doom *d, struct vault *v, struct catalogue *next,
	      const struct vault_monitor *m, struct err *e)
{
	struct copying k = { .d = d, .vault = v, .monitor = m };
	int rc;

	if (catalogue_copy_open(next, v->catalogue, e) < 0)
		return -1;
	rc = copy(&k, next, e);
	catalogue_copy_close(next);
	return rc < 0 ? err_wrap(e, "making the next epoch's catalogue") : 0;
}
