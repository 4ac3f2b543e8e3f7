/*
 * An archive that others made, or a stream of one: read to its end into a tree
 * in memory, content going to the workers on the way, then grafted.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/ingest_copies.h"
#include "fs/vault/ingest_intake.h"
#include "fs/vault/walk.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for the archive's tree");
}

/* ---- entries ------------------------------------------------------------------------ */

static struct meta meta_of(struct ingest *g, const struct foreign_entry *x)
{
	struct meta m = {
		.kind = x->kind, .mode = x->mode,
		.uid = x->uid < 0 ? 0 : (uint32_t)x->uid,
		.gid = x->gid < 0 ? 0 : (uint32_t)x->gid,
		.rdev_major = x->rdev_major, .rdev_minor = x->rdev_minor,
		.mtime = x->mtime, .ctime = x->ctime, .atime = x->atime, .btime = x->btime,
		.has_mtime = x->has_mtime, .has_ctime = x->has_ctime,
		.has_btime = x->has_btime,
		/* Borrowed: the tree copies them. */
		.xattrs = (uint8_t *)(uintptr_t)x->xattrs, .xattrs_size = x->xattrs_size,
	};

	if (x->uname && *x->uname)
		m.owner = ingest_accounts_intern(&g->accounts, x->uname);
	if (x->gname && *x->gname)
		m.group = ingest_accounts_intern(&g->accounts, x->gname);
	if (x->kind == NODE_SYMLINK) {
		m.target = (char *)(uintptr_t)x->symlink;
		m.size = x->symlink_size;
	}
	return m;
}

static void refuse(struct intake *in, const struct foreign_entry *x, const char *why)
{
	ingest_problem_at(in->g, x->path, x->path_size, "%s", why);
}

/* An entry that failed is never kept as if it were whole. */
static int refuse_failed(struct intake *in, const struct foreign_entry *x, struct err *e)
{
	if (e->code != MUNI_DAMAGED && foreign_is_over(in->f))
		return -1;
	refuse(in, x, e->text);
	return foreign_is_over(in->f) ? -1 : 0;
}

static int put(struct intake *in, const struct foreign_entry *x, struct inode *inode,
	       bool is_directory, struct err *e)
{
	struct tree_node *parent;
	const char *name, *refusal;
	size_t name_size;
	bool is_again;

	if (ingest_tree_way(in->tree, x->path, x->path_size, &parent, &name, &name_size,
			    &refusal, e) < 0)
		return -1;
	if (!refusal && name_size == 0 && !is_directory)
		refusal = "it has no name";
	if (!refusal && ingest_tree_put(in->tree, parent, name, name_size, inode,
					is_directory,
				x->has_mtime ? x->mtime.seconds : INT64_MIN, &is_again,
					&refusal, e) < 0)
		return -1;
	if (refusal) {
		refuse(in, x, refusal);
		return 0;
	}
	in->taken++;
	in->again += is_again;
	return 0;
}

/* With its data, if it has any.  NULL: *outcome, e. */
static struct inode *new_file(struct intake *in, const struct foreign_entry *x,
			      enum outcome *outcome, struct err *e)
{
	struct meta m = meta_of(in->g, x);
	struct inode *inode = inode_new(in->tree, &m);

	*outcome = DATA_FATAL;
	if (!inode) {
		no_memory(e);
		return NULL;
	}
	inode->class_id = in->class_id;
	if (x->kind != NODE_FILE || !x->has_data)
		return inode;
	*outcome = intake_data(in, x, inode, &m.size, e);
	if (*outcome != DATA_WHOLE)
		return NULL;
	*outcome = DATA_FATAL;
	return inode_set_meta(inode, &m, e) < 0 ? NULL : inode;
}

/* m: of the name that came before, without the data. */
static void tell_other_attributes(struct intake *in, const struct foreign_entry *x,
				  const struct meta *m)
{
	struct meta own = meta_of(in->g, x);

	if (!copies_agree(m, &own))
		ingest_problem_at(in->g, x->path, x->path_size, "its mode, owner and time, for "
				  "they differ from those of the file that it is another name of; "
				  "the archive is damaged, or the file was changed while it was "
				  "packed. Those of the first name were taken");
}

static int take_hardlink(struct intake *in, const struct foreign_entry *x, struct err *e)
{
	struct tree_node *target = ingest_tree_find(in->tree, x->hardlink, x->hardlink_size);
	struct tree_node *n;
	struct inode *again = NULL;
	struct meta m = { .kind = 0 };
	enum outcome outcome;
	bool is_failed = false;
	uint64_t size;

	if (!target || target->is_directory || !target->inode) {
		ingest_problem_at(in->g, x->path, x->path_size, "it is a hard link to %s, "
				  "which is no earlier file of the archive",
				  text_printable_n(x->hardlink, x->hardlink_size));
		return 0;
	}
	inode_meta(target->inode, &m, &is_failed);
	size = m.size;
	meta_clear(&m);
	if (x->has_data && size == 0) {	/* the data of the whole group */
		switch (intake_data(in, x, target->inode, &size, e)) {
		case DATA_FATAL:
			return -1;
		case DATA_FAILED:
			/* Nor are its other names kept, as if it were empty. */
			target->inode->is_failed = true;
			return refuse_failed(in, x, e);
		case DATA_WHOLE:
			target->inode->is_failed = false;
			break;
		}
		inode_meta(target->inode, &m, &is_failed);
		tell_other_attributes(in, x, &m);
		m.size = size;
		if (!is_failed && inode_set_meta(target->inode, &m, e) < 0)
			is_failed = true;
		meta_clear(&m);
		if (is_failed)
			return no_memory(e);
	} else if (x->has_data) {	/* of the file once more */
		again = new_file(in, x, &outcome, e);
		if (!again)
			return outcome == DATA_FAILED ? refuse_failed(in, x, e) : -1;
	}
	if (put(in, x, target->inode, false, e) < 0)
		return -1;
	n = ingest_tree_find(in->tree, x->path, x->path_size);
	if (n && n->inode == target->inode) {
		n->class_id = in->class_id;
		if (again && copies_add(in->copies, n, target->inode, again, e) < 0)
			return -1;
	}
	return 0;
}

static int take_entry(struct intake *in, const struct foreign_entry *x, struct err *e)
{
	enum outcome outcome;
	struct inode *inode = new_file(in, x, &outcome, e);

	if (!inode)
		return outcome == DATA_FAILED ? refuse_failed(in, x, e) : -1;
	return put(in, x, inode, x->kind == NODE_DIRECTORY, e);
}

/* The path as an inventory has it: without "." and doubled "/"; malloc'ed. */
static char *plain_path(const char *path, size_t *size)
{
	char *copy = strdup(path), *to = copy;

	for (const char *at = path; copy && *at;) {
		size_t part = strcspn(at, "/");

		if (part > 0 && !(part == 1 && *at == '.')) {
			if (to > copy)
				*to++ = '/';
			memcpy(to, at, part);
			to += part;
		}
		at += part + (at[part] == '/');
	}
	if (copy)
		*to = '\0';
	*size = copy ? (size_t)(to - copy) : 0;
	return copy;
}

/* Was it decided that it is archived?  Then in->class_id says as what. */
static int is_selected(struct intake *in, const struct foreign_entry *x, bool *out,
		       struct err *e)
{
	const struct meta m = { .kind = x->kind, .size = x->size, .mtime = x->mtime };
	bool is_exact = x->has_mtime && !x->hardlink && x->kind != NODE_DIRECTORY &&
		(x->has_size || x->kind != NODE_FILE);
	bool is_directory = x->kind == NODE_DIRECTORY && !x->hardlink;
	struct ingest *g = in->g;
	size_t size;
	char *path = plain_path(x->path, &size);

	if (!path)
		return no_memory(e);
	*out = size == 0 || (is_directory &&
			     selection_leads_to(g->selection, path, size, DECISION_ARCHIVE));
	/* A directory that holds others' items is none itself. */
	if (size > 0 && (!is_directory ||
			 selection_by_path(g->selection, path, size).is_decided)) {
		struct selected s = ingest_select(g, path, size, &m, is_exact,
						   &g->left_out);

		in->class_id = s.class_id;
		*out = *out || s.decision == DECISION_ARCHIVE;
	}
	free(path);
	return 0;
}

static int take(struct intake *in, const struct foreign_entry *x, struct err *e)
{
	bool is_wanted = true;
	int is_excluded = walk_path_is_excluded(in->g->options, x->path,
						x->kind == NODE_DIRECTORY && !x->hardlink, e);

	if (is_excluded != 0)
		return is_excluded < 0 ? -1 : 0;
	in->class_id = in->g->class_id;
	if (in->g->selection && is_selected(in, x, &is_wanted, e) < 0)
		return -1;
	if (!is_wanted)
		return 0;
	if (x->problem) {
		refuse(in, x, x->problem);
		return 0;
	}
	if (x->remark)
		refuse(in, x, x->remark);
	in->absolute += x->path[0] == '/';
	return x->hardlink ? take_hardlink(in, x, e) : take_entry(in, x, e);
}

/* ---- the whole --------------------------------------------------------------------------- */

static void tell(struct intake *in)
{
	char n[TEXT_COUNT_MAX];

	if (in->absolute > 0)
		ingest_notice(in->g, "%s path(s) in the archive began with \"/\" and were "
			      "taken as below the top", text_count(in->absolute, n));
	if (in->again > 0)
		ingest_notice(in->g, "%s name(s) stood more than once in the archive; the "
			      "last entry of each was taken", text_count(in->again, n));
	for (unsigned i = 0; foreign_notice(in->f, i); i++)
		ingest_notice(in->g, "%s", foreign_notice(in->f, i));
}

/* Every entry. What is cut off or damaged ends it with what was there before,
 * told as a problem, unless there was nothing. */
static int read_entries(struct intake *in, struct err *e)
{
	struct foreign_entry x;
	bool is_end = false;
	int rc = 0;

	for (;;) {
		rc = foreign_next(in->f, &x, &is_end, e);
		if (rc < 0 && !foreign_is_over(in->f)) {
			ingest_problem_at(in->g, "", 0, "%s", e->text);
			*e = ERR_NONE;
			continue;
		}
		if (rc < 0 || is_end)
			break;
		rc = take(in, &x, e);
		if (rc < 0)
			break;
		*e = ERR_NONE;
		atomic_store(&in->g->input_done, foreign_consumed(in->f));
		if (!x.has_data)
			atomic_fetch_add(&in->g->items_done, 1);
	}
	if (rc < 0 && e->code == MUNI_DAMAGED && foreign_is_over(in->f) && in->taken > 0) {
		ingest_problem_at(in->g, "", 0, "not all of the archive was taken in; it "
				  "is damaged, was cut off, or is more than one: %s", e->text);
		*e = ERR_NONE;
		rc = 0;
	}
	/* A source that is damaged is no damage found in our archive. */
	if (rc < 0 && e->code == MUNI_DAMAGED && foreign_is_over(in->f))
		e->code = MUNI_FORMAT;
	return rc;
}

static int work(struct intake *in, struct err *e)
{
	in->tree = ingest_tree_new();
	in->head = malloc(intake_small_max(in));
	if (!in->tree || !in->head)
		return no_memory(e);
	if (read_entries(in, e) < 0 || intake_send_small(in, e) < 0 || loose_wait(in->g, e) < 0)
		return -1;
	if (copies_settle(in->copies, in->g, e) < 0)
		return -1;
	tell(in);
	return ingest_tree_walk(in->g, in->tree, e);
}

void *foreign_thread(void *arg)
{
	struct copies copies = { .list = NULL };
	struct intake in = { .g = arg, .copies = &copies };
	struct err e = ERR_NONE;

	in.f = in.g->foreign;
	if (work(&in, &e) < 0)
		ingest_fail(in.g, &e);
	if (in.small) {
		ingest_pool_put(in.small->pool, in.small->data);
		free(in.small);
	}
	free(in.head);
	copies_clear(&copies);
	in.g->tree = in.tree;	/* workers may still hold inodes of it */
	return NULL;
}
