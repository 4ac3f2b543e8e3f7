/*
 * A file that is mostly hole: nobody looks through a terabyte of zeros.  Its
 * digest is the one that an ingest would make (leaf.h); what stands between the
 * holes is not looked into, and that is said.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/ingest_read.h"
#include "fs/vault/scan.h"
#include "fs/vault/scan_inside.h"

#define PIECE (1u << 20)

static const char hollow[] = "of it are holes, so it was not looked into";

bool scan_digest_is_plain(const struct item_row *r)
{
	return r->size <= LEAF_HOLE_MAX || !r->opaque || !strstr(r->opaque, hollow);
}

bool scan_is_hollow(const struct statx *sx)
{
	return sx->stx_size - walk_held(sx) > LEAF_HOLE_MAX;
}

static int hash_data(struct scanning *s, const struct live_file *f, uint64_t size,
		     struct content_hash *hash, uint8_t *piece, uint64_t *bytes,
		     struct err *e)
{
	uint64_t begin, end = 0;

	while (live_next_data(f, end, size, &begin, &end)) {
		while (begin < end) {
			size_t want = end - begin < PIECE ? (size_t)(end - begin) : PIECE;
			ssize_t got = live_read(f, begin, piece, want);

			if (scan_is_stopped(s))
				return err_set(e, MUNI_CANCELLED, "stopped");
			if (got < 0)
				return err_errno(e, "reading at byte %llu",
						 (unsigned long long)begin);
			if (got == 0)
				return 0;	/* it became shorter: its size will tell */
			content_hash_data(hash, begin, piece, (size_t)got);
			begin += (uint64_t)got;
			*bytes += (uint64_t)got;
		}
	}
	return 0;
}

int scan_read_hollow(struct scanning *s, int fd, const struct statx *sx,
		     struct examination *out, struct err *e)
{
	const struct live_file f = { .fd = fd, .sx = *sx, .is_sparse = true };
	struct content_hash *hash = content_hash_new();
	uint8_t *piece = malloc(PIECE);
	char holes[TEXT_SIZE_MAX];
	int rc = -1;

	*out = (struct examination){ .size = 0 };
	if (!hash || !piece) {
		err_set(e, MUNI_NO_MEMORY, "out of memory for a file with holes");
		goto out;
	}
	content_hash_start(hash, CONTENT_HOLES_UNKNOWN);
	if (hash_data(s, &f, sx->stx_size, hash, piece, &out->size, e) < 0)
		goto out;
	out->sha256 = content_hash_finish(hash, sx->stx_size);
	out->has_sha256 = true;
	snprintf(out->format, sizeof out->format, "application/octet-stream");
	snprintf(out->opaque, sizeof out->opaque, "%s %s",
		 text_size(sx->stx_size - walk_held(sx), holes), hollow);
	rc = 0;
out:
	free(piece);
	content_hash_free(hash);
	return rc;
}
