/*
 * The caller's thread: rows, and a commit every few thousand (S3).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/content/format.h"
#include "fs/vault/scan_inside.h"

#define ROWS_A_COMMIT 4096

int scan_transaction(struct scanning *s, struct err *e)
{
	if (s->is_open)
		return 0;
	if (catalogue_begin(s->vault->catalogue, e) < 0)
		return -1;
	s->is_open = true;
	s->uncommitted = 0;
	return 0;
}

int scan_commit(struct scanning *s, struct err *e)
{
	if (!s->is_open)
		return 0;
	s->is_open = false;
	return catalogue_commit(s->vault->catalogue, e);
}

static int note(struct scanning *s, int64_t id, bool is_there, struct err *e)
{
	if (seen_set(&s->seen, id, is_there))
		return 0;
	return err_set(e, MUNI_NO_MEMORY, "out of memory for what was seen");
}

/* Borrows all of i. */
static struct item_row row_of(const struct scanning *s, const struct scan_item *i)
{
	const struct meta *m = &i->meta;
	const struct content *c = i->content;

	return (struct item_row){
		.system = s->scan.system, .scan = s->scan.id, .path = i->path,
		.path_size = i->path_size, .kind = m->kind, .mode = m->mode, .uid = m->uid,
		.gid = m->gid, .links = m->links,
		.owner = (char *)(uintptr_t)m->owner, .group = (char *)(uintptr_t)m->group,
		.size = m->size, .allocated = m->held, .rdev_major = m->rdev_major,
		.rdev_minor = m->rdev_minor, .mtime = m->mtime, .ctime = m->ctime,
		.atime = m->atime, .btime = m->btime, .has_btime = m->has_btime,
		.is_unsettled = c->is_unsettled, .device = m->device, .inode = m->inode,
		.target = m->target, .has_sha256 = c->has_sha256, .sha256 = c->sha256,
		.format = c->format, .claimed = c->claimed, .encoding = c->encoding,
		.script = c->script, .opaque = c->opaque, .findings = c->findings,
		.finding_count = c->finding_count,
	};
}

static int put(struct scanning *s, struct scan_item *i, struct err *e)
{
	struct item_row r = row_of(s, i);
	struct err why = ERR_NONE;

	s->result->looked_into += i->meta.kind == NODE_FILE;
	if (catalogue_item_put(s->vault->catalogue, &r, &why) == 0) {
		s->uncommitted++;
		return note(s, r.id, true, e);
	}
	if (why.code != MUNI_LIMIT) {
		*e = why;
		return -1;
	}
	/* Something that no row can hold; nothing of it was written. */
	i->outcome = SCAN_PROBLEM;
	i->text = strdup(why.text);
	atomic_fetch_add(&s->problems, 1);
	return i->text ? 0 : err_set(e, MUNI_NO_MEMORY, "out of memory for a problem");
}

static void tell(struct scanning *s, const struct scan_item *i)
{
	const char *where = i->path && i->path_size ? text_printable_n(i->path, i->path_size)
						    : text_printable(s->source);
	char *sentence = NULL;

	if (!s->monitor || !s->monitor->notice)
		return;
	if (i->outcome == SCAN_NOTICE) {
		s->monitor->notice(s->monitor->arg, i->text);
	} else if (asprintf(&sentence, "%s: %s", where, i->text) >= 0) {
		s->monitor->notice(s->monitor->arg, sentence);
		free(sentence);
	}
}

static int forget(struct scanning *s, const struct scan_item *i, struct err *e)
{
	struct item_row r;
	struct err missing = ERR_NONE;
	int rc;

	if (catalogue_item_find(s->vault->catalogue, s->scan.system, i->path, i->path_size,
				false, &r, &missing) < 0) {
		if (missing.code == MUNI_NOT_FOUND)
			return 0;
		*e = missing;
		return -1;
	}
	rc = note(s, r.id, false, e);
	item_row_clear(&r);
	return rc;
}

/* The row of the entry that it is a name of, under its own path. */
static int link_row(struct scanning *s, struct scan_item *i, struct err *e)
{
	struct catalogue *c = s->vault->catalogue;
	struct err missing = ERR_NONE;
	char claimed[128] = "", *path, *said;
	struct item_row r;
	size_t size;
	int rc;

	if (catalogue_item_find(c, s->scan.system, i->text, strlen(i->text), true, &r,
				&missing) < 0) {
		if (missing.code != MUNI_NOT_FOUND) {
			*e = missing;
			return -1;
		}
		i->outcome = SCAN_PROBLEM;	/* that one was left out for some reason */
		free(i->text);
		i->text = strdup("it is a hard link to an entry that could not be taken");
		atomic_fetch_add(&s->problems, 1);
		return i->text ? 0 : err_set(e, MUNI_NO_MEMORY, "out of memory");
	}
	path = r.path;
	size = r.path_size;
	r.links = 2;	/* or more: an archive does not say */
	rc = catalogue_item_put(c, &r, e);
	if (r.format)
		format_claimed(i->name, r.format, claimed);
	said = r.claimed;
	r.claimed = *claimed ? claimed : NULL;
	r.path = i->path;
	r.path_size = i->path_size;
	r.scan = s->scan.id;
	if (rc == 0)
		rc = catalogue_item_put(c, &r, e);
	if (rc == 0)
		rc = note(s, r.id, true, e);
	r.path = path;
	r.path_size = size;
	r.claimed = said;
	item_row_clear(&r);
	s->uncommitted += 2;
	return rc;
}

static int write_item(struct scanning *s, struct scan_item *i, struct err *e)
{
	switch (i->outcome) {
	case SCAN_ITEM:
		if (put(s, i, e) < 0)
			return -1;
		break;
	case SCAN_UNCHANGED:
		s->result->unchanged++;
		if (note(s, i->row, true, e) < 0)
			return -1;
		break;
	case SCAN_FORGET:
		return forget(s, i, e);
	case SCAN_LINK:
		if (link_row(s, i, e) < 0)
			return -1;
		break;
	case SCAN_PROBLEM:
	case SCAN_NOTICE:
		break;
	}
	if (i->outcome != SCAN_PROBLEM && i->outcome != SCAN_NOTICE) {
		atomic_fetch_add(&s->items_done, 1);
		return 0;
	}
	tell(s, i);
	if (i->outcome == SCAN_NOTICE)
		return 0;
	return catalogue_scan_problem_add(s->vault->catalogue, s->scan.id, i->path,
					  i->path_size, i->text, e);
}

int scan_write(struct scanning *s, struct scan_batch *b, struct err *e)
{
	if (scan_transaction(s, e) < 0)
		return -1;
	for (struct scan_item *i = b->first; i; i = i->next)
		if (write_item(s, i, e) < 0)
			return -1;
	if (s->uncommitted < ROWS_A_COMMIT)
		return 0;
	return scan_commit(s, e);
}
