/*
 * An archive that others made as the source: its entries become items.
 *
 * They come in any order, and a name may come twice (the later one stands), so a
 * tree of names is kept, as an ingest keeps one.  Hard links wait until what they
 * lead to is written; directories until it is known that they are empty.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/scan_entry.h"

#define ROWS_CACHE (4u << 20)

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for the archive's entries");
}

/* ---- entries -------------------------------------------------------------------------- */

static struct stamp own_or(bool has, struct stamp own, struct stamp other)
{
	return has ? own : other;
}

/* A time that the archive does not say is taken from the archive itself: nothing is
 * to look older than it can be shown to be. */
static void take_meta(struct entries *in, const struct foreign_entry *x, struct meta *m)
{
	const struct statx_timestamp *t = &in->s->source_sx.stx_mtime;
	struct stamp archive = { t->tv_sec, t->tv_nsec };

	*m = (struct meta){
		.kind = x->kind, .mode = x->mode & 07777u, .links = 1,
		.uid = x->uid < 0 ? 0 : (uint32_t)x->uid,
		.gid = x->gid < 0 ? 0 : (uint32_t)x->gid,
		.rdev_major = x->rdev_major, .rdev_minor = x->rdev_minor,
		.mtime = own_or(x->has_mtime, x->mtime, archive),
		.has_btime = x->has_btime, .btime = x->btime, .inode = ++in->ordinal,
	};
	m->ctime = own_or(x->has_ctime, x->ctime, m->mtime);
	m->atime = own_or(x->has_atime, x->atime, m->mtime);
	if (x->uname && *x->uname)
		m->owner = ingest_accounts_intern(&in->s->accounts, x->uname);
	if (x->gname && *x->gname)
		m->group = ingest_accounts_intern(&in->s->accounts, x->gname);
	if (x->kind == NODE_FILE && x->has_size)
		m->size = m->held = x->size;
}

/* This very scan wrote the row before it was cut off. */
static int find_row(struct entries *in, const struct meta *m, int64_t *row, struct err *e)
{
	struct err missing = ERR_NONE;
	struct item_row r;

	*row = 0;
	if (!in->rows)
		return 0;
	if (catalogue_item_find(in->rows, in->s->scan.system, in->path, strlen(in->path),
				false, &r, &missing) < 0) {
		if (missing.code == MUNI_NOT_FOUND)
			return 0;
		*e = missing;
		return -1;
	}
	if (r.scan == in->s->scan.id && !r.is_unsettled && r.kind == m->kind &&
	    r.inode == m->inode && r.mtime.seconds == m->mtime.seconds)
		*row = r.id;
	item_row_clear(&r);
	return 0;
}

static int take_symlink(const struct foreign_entry *x, struct scan_item *i, struct err *e)
{
	i->meta.size = x->symlink_size;
	i->meta.target = malloc(x->symlink_size + 1);
	if (!i->meta.target)
		return no_memory(e);
	memcpy(i->meta.target, x->symlink, x->symlink_size);
	i->meta.target[x->symlink_size] = '\0';
	return 0;
}

static int send_item(struct entries *in, const struct foreign_entry *x,
		     const struct meta *m, bool is_again, struct err *e)
{
	struct scan_item *i = scan_item_new(SCAN_ITEM, in->path, strlen(in->path));
	int64_t row = 0;

	if (!i)
		return no_memory(e);
	i->meta = *m;
	if (!is_again && find_row(in, m, &row, e) < 0)
		goto fail;
	if (row != 0) {
		i->outcome = SCAN_UNCHANGED;
		i->row = row;
		return entries_send(in, i, e);
	}
	if (x->kind == NODE_SYMLINK && take_symlink(x, i, e) < 0)
		goto fail;
	if (x->problem) {
		scan_problem(in->s, in->path, strlen(in->path), "%s", x->problem);
		i->content = content_unread(x->problem);
		if (!i->content) {
			no_memory(e);
			goto fail;
		}
	}
	if (x->has_data)
		return entry_read(in, i, x->has_size, e);
	if (x->kind == NODE_FILE && !i->content) {	/* empty */
		i->is_entry = true;
		i->meta.size = i->meta.held = 0;
	}
	return entries_send(in, i, e);
fail:
	scan_item_free(i);
	return -1;
}

/* A directory has taken the place of what stood there. */
static int forget(struct entries *in, struct err *e)
{
	struct scan_item *i = scan_item_new(SCAN_FORGET, in->path, strlen(in->path));
	struct scan_batch *b = scan_batch_new();

	if (!i || !b) {
		scan_item_free(i);
		scan_batch_free(b);
		return no_memory(e);
	}
	scan_batch_add(b, i);
	scan_pass_on(in->s, b);
	return 0;
}

/* path: another name of what stands, or will stand, under target. */
static int add_link(struct entries *in, const char *path, const char *target, struct err *e)
{
	struct scan_item *i = scan_item_new(SCAN_LINK, path, strlen(path));

	if (!in->links)
		in->links = scan_batch_new();
	if (i)
		i->text = strdup(target);
	if (!i || !in->links || !i->text) {
		scan_item_free(i);
		return no_memory(e);
	}
	scan_batch_add(in->links, i);
	return 0;
}

static int take_hardlink(struct entries *in, const struct foreign_entry *x,
			 const struct meta *m, const char *target, bool is_again,
			 struct err *e)
{
	if (strcmp(target, in->path) == 0)
		return 0;
	if (!x->has_data)
		return add_link(in, in->path, target, e);
	/* The data of the whole group comes with its last name. */
	if (send_item(in, x, m, is_again, e) < 0)
		return -1;
	return add_link(in, target, in->path, e);
}

/* Where the entry stands; *target: malloc'ed path of what it is a hard link to.
 * 1: it is not taken, and said why. */
static int place(struct entries *in, const struct foreign_entry *x, const struct meta *m,
		 bool *is_again, char **target, struct err *e)
{
	struct tree_node *parent, *to = NULL;
	bool is_directory = x->kind == NODE_DIRECTORY && !x->hardlink;
	const char *name, *refusal;
	struct inode *inode;
	size_t name_size;

	*target = NULL;
	if (x->hardlink) {
		to = ingest_tree_find(in->tree, x->hardlink, x->hardlink_size);
		if (!to || to->is_directory || !to->inode) {
			scan_problem(in->s, x->path, x->path_size, "it is a hard link to %s, "
				     "which is no earlier file of the archive",
				     text_printable_n(x->hardlink, x->hardlink_size));
			return 1;
		}
		*target = entries_path(to->parent, to->name, to->name_size);
		if (!*target)
			return no_memory(e);
	}
	if (ingest_tree_way(in->tree, x->path, x->path_size, &parent, &name, &name_size,
			    &refusal, e) < 0)
		return -1;
	if (!refusal && name_size == 0 && !is_directory)
		refusal = "it has no name";
	inode = to ? to->inode : inode_new(in->tree, m);
	if (!inode)
		return no_memory(e);
	if (!refusal && ingest_tree_put(in->tree, parent, name, name_size, inode,
					is_directory, m->mtime.seconds, is_again, &refusal,
					e) < 0)
		return -1;
	if (refusal) {
		scan_problem(in->s, x->path, x->path_size, "%s", refusal);
		return 1;
	}
	free(in->path);
	in->path = entries_path(parent, name, name_size);
	return in->path ? 0 : no_memory(e);
}

static int take(struct entries *in, const struct foreign_entry *x, struct err *e)
{
	bool is_directory = x->kind == NODE_DIRECTORY && !x->hardlink;
	bool is_again = false;
	char *target;
	struct meta m;
	int rc = walk_path_is_excluded(&in->s->left_out, x->path, is_directory, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	take_meta(in, x, &m);
	in->absolute += x->path[0] == '/';
	rc = place(in, x, &m, &is_again, &target, e);
	if (rc == 0) {
		in->taken++;
		in->again += is_again;
		if (is_again)
			rc = entries_settle(in, e);
	}
	if (rc == 0 && is_directory && is_again)
		rc = forget(in, e);
	else if (rc == 0 && x->hardlink)
		rc = take_hardlink(in, x, &m, target, is_again, e);
	else if (rc == 0 && !is_directory)
		rc = send_item(in, x, &m, is_again, e);
	free(target);
	return rc < 0 ? -1 : 0;
}

/* ---- the whole --------------------------------------------------------------------------- */

static void tell(struct entries *in)
{
	char n[TEXT_COUNT_MAX];
	struct statx now;

	if (in->absolute > 0)
		scan_notice(in->s, "%s path(s) in the archive began with \"/\" and were "
			    "taken as below the top", text_count(in->absolute, n));
	if (in->again > 0)
		scan_notice(in->s, "%s name(s) stood more than once in the archive; the "
			    "last entry of each was taken", text_count(in->again, n));
	for (unsigned i = 0; foreign_notice(in->f, i); i++)
		scan_notice(in->s, "%s", foreign_notice(in->f, i));
	if (statx(in->s->source_fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &now) == 0 &&
	    (now.stx_size != in->s->source_sx.stx_size ||
	     memcmp(&now.stx_mtime, &in->s->source_sx.stx_mtime, sizeof now.stx_mtime) != 0))
		scan_problem(in->s, NULL, 0, "the archive changed while it was read");
}

/* Every entry.  What is cut off or damaged ends it with what was there before, told
 * as a problem, unless there was nothing. */
static int read_entries(struct entries *in, struct err *e)
{
	struct foreign_entry x;
	bool is_end = false;
	int rc = 0;

	while (rc == 0) {
		rc = foreign_next(in->f, &x, &is_end, e);
		if (rc < 0 && !foreign_is_over(in->f)) {
			scan_problem(in->s, NULL, 0, "%s", e->text);
			*e = ERR_NONE;
			rc = 0;
			continue;
		}
		if (rc < 0 || is_end)
			break;
		rc = take(in, &x, e);
		atomic_store(&in->s->bytes_done, foreign_consumed(in->f));
	}
	if (rc < 0 && e->code == MUNI_DAMAGED && foreign_is_over(in->f) && in->taken > 0) {
		scan_problem(in->s, NULL, 0, "not all of the archive was taken in; it "
			     "is damaged, was cut off, or is more than one: %s", e->text);
		*e = ERR_NONE;
		rc = 0;
	}
	/* A source that is damaged is no damage found in our archive. */
	if (rc < 0 && e->code == MUNI_DAMAGED && foreign_is_over(in->f))
		e->code = MUNI_FORMAT;
	return rc;
}

static int work(struct entries *in, struct err *e)
{
	in->tree = ingest_tree_new();
	in->head = malloc(ENTRY_MEMORY);
	if (!in->tree || !in->head)
		return no_memory(e);
	if (in->s->is_resumed && !in->s->options->reread &&
	    vault_connect(in->s->vault, ROWS_CACHE, &in->rows, e) < 0)
		return -1;
	if (read_entries(in, e) < 0 || entries_empties(in, e) < 0 || entries_settle(in, e) < 0)
		return -1;
	tell(in);
	return 0;
}

void *scan_foreign_thread(void *arg)
{
	struct entries in = { .s = arg };
	struct err e = ERR_NONE;
	sigset_t pipe_only;

	/* A worker that reads no further is told by write(), not by a signal. */
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
	in.f = in.s->foreign;
	if (work(&in, &e) < 0)
		scan_fail(in.s, &e);
	atomic_store(&in.s->is_walked, true);
	scan_flow_done(in.s->flow);	/* the reader's own hold */
	scan_batch_free(in.batch);
	scan_batch_free(in.links);
	ingest_tree_free(in.tree);
	catalogue_close(in.rows);
	free(in.head);
	free(in.path);
	return NULL;
}
