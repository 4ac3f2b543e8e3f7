#include "fs/base/err.h"
#include "fs/mount/listing.h"
#include "fs/mount/listings.h"
#include "fs/mount/mount.h"
#include "fs/mount/ops.h"

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		struct fuse_file_info *fi)
{
	struct mount *m = ops_mount(req);
	struct vault_reader *r = ops_begin(req);
	struct listing l;
	struct err e = ERR_NONE;

	(void)fi;
	if (!r)
		return;
	if (listing_make(m, vault_reader_catalogue(r), ino, (uint64_t)offset, size, LOOK_NAMES,
			 &l,
			 &e) < 0)
		ops_fail_node(req, ino, &e);
	else
		fuse_reply_buf(req, l.buffer, l.used);
	ops_end(m, r);
	listing_free(&l);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	struct mount *m = ops_mount(req);
	/* Also for what stands ready: who shuts the pool waits for the reply. */
	struct vault_reader *r = ops_begin(req);
	struct listing l;
	struct err e = ERR_NONE;

	(void)fi;
	if (!r)
		return;
	bool was_ready = listings_take(m->listings, ino, (uint64_t)offset, size, &l);
	if (!was_ready && listing_make(m, vault_reader_catalogue(r), ino, (uint64_t)offset, size,
				       listings_depth(m->listings, ino), &l, &e) < 0) {
		ops_fail_node(req, ino, &e);
	} else {
		fuse_reply_buf(req, l.buffer, l.used);
		listings_given(m->listings, ino, (uint64_t)offset, size, &l, was_ready);
	}
	ops_end(m, r);
	listing_free(&l);
}
