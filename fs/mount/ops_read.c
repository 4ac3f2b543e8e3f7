#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/mount/access_log.h"
#include "fs/mount/ahead.h"
#include "fs/mount/certificates.h"
#include "fs/mount/look.h"
#include "fs/mount/messages.h"
#include "fs/mount/mount.h"
#include "fs/mount/ops.h"
#include "fs/mount/recent.h"
#include "fs/mount/status.h"

/* ---- open -------------------------------------------------------------------------- */

/* Only an audited mount wants to hear of opens: the rest says "not implemented"
 * once, and the kernel never asks again. */
void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct mount *m = ops_mount(req);
	struct err e = ERR_NONE;

	if (!m->access_log && m->can_no_open) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	if ((fi->flags & O_ACCMODE) != O_RDONLY) {
		fuse_reply_err(req, EROFS);
		return;
	}
	struct vault_reader *r = m->access_log ? ops_begin(req) : NULL;
	if (m->access_log && !r)
		return;
	fi->keep_cache = 1;
	fi->noflush = 1;
	if (r && access_log_open(m->access_log, m, vault_reader_catalogue(r), ino,
				 fuse_req_ctx(req), &e) < 0)
		ops_fail_node(req, ino, &e);
	else
		fuse_reply_open(req, fi);
	if (r)
		ops_end(m, r);
}

/* ---- read --------------------------------------------------------------------------- */

static void read_status(fuse_req_t req, struct vault_reader *r, fuse_ino_t ino, size_t size,
			off_t offset)
{
	struct err e = ERR_NONE;
	char *text;
	size_t got;

	if (status_read(ops_mount(req), vault_reader_catalogue(r), (uint64_t)offset, size,
			&text, &got, &e) < 0)
		ops_fail(req, ino, &e);
	else
		fuse_reply_buf(req, text, got);
	free(text);
}

static void read_certificate(fuse_req_t req, int64_t id, fuse_ino_t ino, size_t size,
			     off_t offset)
{
	struct err e = ERR_NONE;
	char *buffer = malloc(size ? size : 1);
	int fd = certificates_open(ops_mount(req), id, &e);
	ssize_t got = buffer && fd >= 0 ? pread(fd, buffer, size, offset) : -1;

	if (fd < 0)
		ops_fail(req, ino, &e);
	else if (got < 0)
		fuse_reply_err(req, buffer ? EIO : ENOMEM);
	else
		fuse_reply_buf(req, buffer, (size_t)got);
	file_close(&fd);
	free(buffer);
}

static void read_ours(fuse_req_t req, struct vault_reader *r, fuse_ino_t ino, size_t size,
		      off_t offset)
{
	struct place p;

	if (!look_place(ops_mount(req), ino, &p))
		fuse_reply_err(req, ESTALE);
	else if (p.kind == PLACE_FIXED && p.id == PLACE_STATUS)
		read_status(req, r, ino, size, offset);
	else if (p.kind == PLACE_CERTIFICATE)
		read_certificate(req, p.id, ino, size, offset);
	else if (p.kind == PLACE_NODE)
		fuse_reply_err(req, ESTALE);	/* it was here when it was opened */
	else
		fuse_reply_err(req, EISDIR);
}

static void read_node(fuse_req_t req, struct vault_reader *r, const struct recent_node *n,
		      size_t size, off_t offset)
{
	struct mount *m = ops_mount(req);
	struct vault_parts parts;
	struct err e = ERR_NONE;
	struct ahead_advice ahead = ahead_note(m->ahead, n->ino, n->size, (uint64_t)offset,
					       size);

	if (ahead.size > 0)
		vault_prefetch(r, n->content, ahead.from, ahead.size);
	if (vault_read_parts(r, n->content, n->size, (uint64_t)offset, size, ahead.goes_on,
			     &parts, &e) < 0)
		ops_fail(req, n->ino, &e);
	else
		fuse_reply_iov(req, parts.parts, (int)parts.count);
	vault_parts_release(r, &parts);
	/* While the reader is busy with what it got. */
	if (offset == 0 && n->size <= size)
		vault_prefetch_next(r, n->content);
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
	     struct fuse_file_info *fi)
{
	struct mount *m = ops_mount(req);
	struct vault_reader *r = ops_begin(req);
	struct recent_node n;
	struct err e = ERR_NONE;

	(void)fi;
	if (!r)
		return;
	if (offset < 0)
		fuse_reply_err(req, EINVAL);
	else if (look_node(m, vault_reader_catalogue(r), ino, &n, &e) == 0)
		n.kind == NODE_FILE ? read_node(req, r, &n, size, offset)
				    : (void)fuse_reply_err(req, EINVAL);
	else if (e.code == MUNI_NOT_FOUND)
		read_ours(req, r, ino, size, offset);
	else
		ops_fail(req, ino, &e);
	ops_end(m, r);
}

/* ---- holes --------------------------------------------------------------------------- */

static int seek(struct mount *m, struct vault_reader *r, fuse_ino_t ino, uint64_t offset,
		bool is_data, uint64_t *size, uint64_t *out, struct err *e)
{
	struct recent_node n;
	struct found f;

	if (look_node(m, vault_reader_catalogue(r), ino, &n, e) < 0) {
		if (e->code != MUNI_NOT_FOUND)
			return -1;
		/* What is ours has no holes. */
		if (look_at(m, vault_reader_catalogue(r), ino, &f, e) < 0)
			return -1;
		*size = (uint64_t)f.st.st_size;
		*out = is_data ? offset : *size;
		return 0;
	}
	*size = n.size;
	if (n.allocated >= n.size) {	/* no hole in it: spare the walk */
		*out = is_data ? offset : n.size;
		return 0;
	}
	return vault_seek(r, n.content, n.size, offset, is_data, out, e);
}

void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence,
	      struct fuse_file_info *fi)
{
	struct mount *m = ops_mount(req);
	struct vault_reader *r;
	struct err e = ERR_NONE;
	uint64_t size = 0, out = 0;

	(void)fi;
	if (whence != SEEK_DATA && whence != SEEK_HOLE) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	if (offset < 0) {	/* as the kernel's own: it lies behind the end, unsigned */
		fuse_reply_err(req, ENXIO);
		return;
	}
	r = ops_begin(req);
	if (!r)
		return;
	if (seek(m, r, ino, (uint64_t)offset, whence == SEEK_DATA, &size, &out, &e) < 0)
		ops_fail_node(req, ino, &e);
	else if ((uint64_t)offset >= size || (whence == SEEK_DATA && out >= size))
		fuse_reply_err(req, ENXIO);
	else
		fuse_reply_lseek(req, (off_t)out);
	ops_end(m, r);
}
