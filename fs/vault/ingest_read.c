#include "fs/vault/ingest_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define LAST_PAGE (INT64_MAX - 4095u)	/* of a file as long as can be */

void tell_unstable(struct ingest *g, struct item *item)
{
	item->body->is_unstable = true;
	ingest_problem(g, item->run->dir, item->name, "it changed while it was read, %d "
		       "times; it is kept as it was read last", READ_TRIES);
}

void tell_unreadable(struct ingest *g, struct item *item, int why)
{
	item->body->is_failed = true;
	if (why == ENOENT || why == ESTALE)
		ingest_problem(g, item->run->dir, item->name,
			       "it vanished while it was ingested");
	else if (why == ELOOP || why == ENXIO || why == ENODEV || why == EISDIR)
		ingest_problem(g, item->run->dir, item->name, "something else took its "
			       "place while it was ingested");
	else
		ingest_refused(g, item->run->dir, item->name, "it cannot be read", why);
}

void tell_keyring(struct ingest *g, struct item *item)
{
	item->body->is_failed = true;
	ingest_problem(g, item->run->dir, item->name, "%s", ingest_keyring_left_out);
}

static bool same_moment(const struct statx_timestamp *a, const struct stamp *b)
{
	return a->tv_sec == b->seconds && a->tv_nsec == b->ns;
}

static bool is_as_walked(const struct statx *sx, const struct meta *m)
{
	return sx->stx_ino == m->inode && walk_device(sx) == m->device &&
	       sx->stx_size == m->size && same_moment(&sx->stx_mtime, &m->mtime) &&
	       same_moment(&sx->stx_ctime, &m->ctime);
}

int live_open(struct ingest *g, struct capture *c, struct handle *h, struct item *item,
		struct live_file *out)
{
	struct meta *m = &item->body->meta;
	int fd = walk_open(h->fd, item->name, 0);

	out->fd = fd;
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &out->sx) < 0) {
		tell_unreadable(g, item, errno);
		live_close(out);
		return -1;
	}
	if ((out->sx.stx_mode & S_IFMT) != S_IFREG) {
		tell_unreadable(g, item, ENODEV);
		live_close(out);
		return -1;
	}
	out->is_sparse = out->sx.stx_blocks * 512 < out->sx.stx_size;
	if (item->body->wants_capture || !is_as_walked(&out->sx, m)) {
		item->body->wants_capture = false;
		meta_clear(m);
		/* By descriptor: nothing of it can vanish any more. */
		ingest_capture(g, c, item->run->dir, item->name, fd, NULL, &out->sx, m);
	}
	return 0;
}

bool live_changed(const struct live_file *f)
{
	struct statx now;

	return statx(f->fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &now) < 0 ||
	       now.stx_size != f->sx.stx_size ||
	       now.stx_mtime.tv_sec != f->sx.stx_mtime.tv_sec ||
	       now.stx_mtime.tv_nsec != f->sx.stx_mtime.tv_nsec ||
	       now.stx_ctime.tv_sec != f->sx.stx_ctime.tv_sec ||
	       now.stx_ctime.tv_nsec != f->sx.stx_ctime.tv_nsec;
}

void live_close(struct live_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

bool live_next_data(const struct live_file *f, uint64_t offset, uint64_t size,
		      uint64_t *begin, uint64_t *end)
{
	off_t data, hole;

	if (offset >= size)
		return false;
	*begin = offset;
	*end = size;
	if (!f->is_sparse)
		return true;
	data = lseek(f->fd, (off_t)offset, SEEK_DATA);
	if (data < 0 && errno != ENXIO)
		return true;		/* not supported: take it for data */
	if (data < 0) {
		/* A tmpfs finds nothing there, whether it has something or not. */
		if (size > LAST_PAGE && offset < LAST_PAGE)
			*begin = LAST_PAGE;
		return size > LAST_PAGE;
	}
	if ((uint64_t)data >= size)
		return false;
	hole = lseek(f->fd, data, SEEK_HOLE);
	*begin = (uint64_t)data;
	if (hole > data && (uint64_t)hole < size)
		*end = (uint64_t)hole;
	return true;
}

ssize_t live_read(const struct live_file *f, uint64_t offset, void *out, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(f->fd, (uint8_t *)out + done, size - done,
				    (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

int pack_run(struct ingest *g, struct pack_lane *lane, struct body *b, uint64_t offset,
	     const uint8_t *data, size_t size, const struct digest *whole, struct err *e)
{
	bool is_cut = size > g->chunker.average * 2;
	enum pack_kind kind = pack_kind_of(data, size);
	struct chunk_place place;

	while (size > 0) {
		size_t part = size;

		/* What fits a block is one chunk; what is left of a cut run is cut. */
		if (is_cut)
			part = chunker_cut(&g->chunker, data, size);
		if (pack_chunk(lane, b->class_id, data, part, whole, kind, &place, e) < 0)
			return -1;
		if (!body_extend(b, offset, &place))
			return err_set(e, MUNI_NO_MEMORY, "out of memory for extents");
		data += part;
		offset += part;
		size -= part;
	}
	return 0;
}
