#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/mount/look.h"
#include "fs/mount/mount.h"
#include "fs/mount/ops.h"

#define LISTING_MAX (256u * 1024)	/* a reply; the kernel rarely asks for more */

struct reply {
	fuse_req_t req;
	char *buffer;
	size_t size, used;
	bool is_plus;
};

static int add(void *arg, const struct look_row *row)
{
	struct reply *p = arg;
	struct fuse_entry_param entry = { 0 };
	size_t left = p->size - p->used, need;

	/* "." and ".." go without a node id: the kernel knows those already. */
	if (row->found) {
		entry.ino = row->found->ino;
		entry.attr = row->found->st;
		entry.attr_timeout = row->found->attr_timeout;
		entry.entry_timeout = row->found->entry_timeout;
	} else {
		entry.attr.st_ino = row->ino;
		entry.attr.st_mode = row->type;
	}
	need = p->is_plus ? fuse_add_direntry_plus(p->req, p->buffer + p->used, left, row->name,
						   &entry, (off_t)row->next)
			  : fuse_add_direntry(p->req, p->buffer + p->used, left, row->name,
					      &entry.attr, (off_t)row->next);
	if (need > left)
		return 1;
	p->used += need;
	return 0;
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, bool is_plus)
{
	struct mount *m = ops_mount(req);
	struct vault_reader *r = ops_begin(req);
	struct reply p = { .req = req, .is_plus = is_plus,
			   .size = size < LISTING_MAX ? size : LISTING_MAX };
	struct err e = ERR_NONE;

	if (!r)
		return;
	p.buffer = malloc(p.size ? p.size : 1);
	int rc = !p.buffer ? err_set(&e, MUNI_NO_MEMORY, "no memory for a listing") :
		 look_list(m, vault_reader_catalogue(r), ino, (uint64_t)offset,
			   is_plus, add, &p, &e);
	if (rc < 0)
		ops_fail_node(req, ino, &e);
	else
		fuse_reply_buf(req, p.buffer, p.used);
	ops_end(m, r);
	if (p.buffer)
		explicit_bzero(p.buffer, p.used);	/* names that may go one day */
	free(p.buffer);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, offset, false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, offset, true);
}
