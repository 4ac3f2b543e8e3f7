/*
 * One item against its row of the scan before; looked into where that differs.
 */
#include <string.h>

#include "fs/content/format.h"
#include "fs/vault/scan_inside.h"

/* File systems without nanoseconds keep times to one or two seconds. */
#define COARSE_SECONDS 2

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for an item of the source");
}

/* ---- against the row ------------------------------------------------------------ */

static bool is_same_stamp(const struct stamp *a, const struct stamp *b)
{
	return a->seconds == b->seconds && a->ns == b->ns;
}

/* Behind times this coarse a file may have changed once more after it was read. */
static bool is_racy(const struct item_row *r)
{
	return r->ctime.ns == 0 && r->ctime.seconds >= r->scan_began - COARSE_SECONDS;
}

static bool is_unchanged(const struct scanning *s, const struct item_row *r,
			 const struct meta *m)
{
	return !s->options->reread && !r->is_unsettled && r->kind == m->kind &&
	       r->device == m->device && r->inode == m->inode && r->size == m->size &&
	       is_same_stamp(&r->mtime, &m->mtime) && is_same_stamp(&r->ctime, &m->ctime) &&
	       (r->fingerprint == s->scan.fingerprint || r->kind != NODE_FILE) &&
	       !is_racy(r);
}

/* *is_there false: there is none.  With its findings where other names of the
 * inode may want them. */
static int find_row(struct scanning *s, struct catalogue *c, const struct scan_item *i,
		    struct item_row *r, bool *is_there, struct err *e)
{
	struct err missing = ERR_NONE;

	*is_there = false;
	*r = (struct item_row){ .id = 0 };
	if (!c)
		return 0;
	if (catalogue_item_find(c, s->scan.system, i->path, i->path_size, i->is_leader, r,
				&missing) == 0) {
		*is_there = true;
		return 0;
	}
	if (missing.code == MUNI_NOT_FOUND)
		return 0;
	*e = missing;
	return -1;
}

/* ---- names of one inode ----------------------------------------------------------- */

/* What its extension says is each name's own affair. */
static int claim_by_name(struct scan_item *i, struct err *e)
{
	struct content *shared = i->content;
	char claimed[128] = "";

	if (shared->format)
		format_claimed(i->name, shared->format, claimed);
	if (strcmp(claimed, shared->claimed ? shared->claimed : "") == 0)
		return 0;
	i->content = content_claimed(shared, claimed);
	content_unref(shared);
	return i->content ? 0 : no_memory(e);
}

/* The leader's content is every name's. */
static int lead_group(struct scan_batch *b, struct scan_group *g, struct content *c,
		      struct err *e)
{
	struct scan_item *next;
	int rc = 0;

	for (struct scan_item *i = scan_group_lead(g, c); i; i = next) {
		next = i->next;
		if (rc == 0)
			rc = claim_by_name(i, e);
		scan_batch_add(b, i);
	}
	return rc;
}

/* ---- one item ------------------------------------------------------------------------- */

static const char *format_of_kind(enum node_kind kind)
{
	switch (kind) {
	case NODE_DIRECTORY: return "inode/directory";
	case NODE_SYMLINK: return "inode/symlink";
	case NODE_FIFO: return "inode/fifo";
	case NODE_SOCKET: return "inode/socket";
	case NODE_CHAR: return "inode/chardevice";
	case NODE_BLOCK: return "inode/blockdevice";
	default: return "";
	}
}

/* A name that leads reads for all; the first one that is still there. */
static int read_as_leader(struct scanning *s, struct scan_batch *b, struct scan_item *i,
			  struct err *e)
{
	int rc;

	for (;;) {
		rc = scan_read(s, i, e);
		scan_batch_add(b, i);
		if (rc < 0)
			return -1;
		if (i->content)
			return lead_group(b, i->group, i->content, e);
		i = scan_group_hand_on(i->group);
		if (!i)
			return 0;
	}
}

static int read_content(struct scanning *s, struct scan_batch *b, struct scan_item *i,
			struct err *e)
{
	int rc;

	if (i->group && !i->is_leader) {
		switch (scan_group_join(i)) {
		case SCAN_WAITS:
			return 0;
		case SCAN_KNOWN:
			rc = claim_by_name(i, e);
			scan_batch_add(b, i);
			return rc;
		case SCAN_LEADS:
			break;
		}
	}
	if (i->group)
		return read_as_leader(s, b, i, e);
	rc = i->is_entry ? scan_read_entry(s, i, e) : scan_read(s, i, e);
	scan_batch_add(b, i);
	return rc;
}

static int keep_row(struct scanning *s, struct scan_batch *b, struct scan_item *i,
		    struct item_row *r, struct err *e)
{
	struct content *c;
	int rc;

	i->outcome = SCAN_UNCHANGED;
	i->row = r->id;
	scan_batch_add(b, i);
	if (i->meta.kind == NODE_FILE)
		atomic_fetch_add(&s->bytes_done, i->meta.held);
	if (!i->is_leader)
		return 0;
	c = content_of_row(r);
	if (!c)
		return no_memory(e);
	rc = lead_group(b, i->group, c, e);
	content_unref(c);
	return rc;
}

int scan_look(struct scanning *s, struct catalogue *c, struct scan_batch *b,
	      struct scan_item *i, struct err *e)
{
	struct item_row row;
	bool is_there;
	int rc = 0;

	if (i->outcome == SCAN_UNCHANGED) {	/* so said who sent it */
		scan_batch_add(b, i);
		return 0;
	}
	if (find_row(s, c, i, &row, &is_there, e) < 0) {
		scan_batch_add(b, i);
		return -1;
	}
	if (is_there && !i->content && is_unchanged(s, &row, &i->meta)) {
		rc = keep_row(s, b, i, &row, e);
	} else if (!i->content && i->meta.kind == NODE_FILE) {
		rc = read_content(s, b, i, e);
	} else {
		if (!i->content)
			i->content = content_of_format(format_of_kind(i->meta.kind));
		scan_batch_add(b, i);
		rc = i->content ? 0 : no_memory(e);
	}
	item_row_clear(&row);
	return rc;
}
