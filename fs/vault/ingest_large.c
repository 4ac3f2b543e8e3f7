/*
 * Large files of a live directory: one thread reads and cuts, the workers do the
 * rest.
 */
#include <errno.h>
#include <fcntl.h>

#include "fs/vault/ingest_read.h"
#include "fs/vault/ingest_stream.h"

#define READ_AHEAD (4u * 1024 * 1024)

enum outcome { READ_WELL, READ_CHANGED, READ_FAILED, READ_KEYRING, READ_FATAL };

struct seen {			/* of a file */
	uint64_t reached;	/* how far it went */
	struct keyring_look look;
};

/* One run of data. */
static enum outcome read_run(struct stream *s, const struct live_file *f, uint64_t begin,
			     uint64_t end, struct seen *seen, struct err *e)
{
	uint64_t at = begin, asked = begin;

	stream_seek(s, begin);
	while (at < end) {
		size_t room;
		uint8_t *to = stream_room(s, &room);
		size_t want = room < end - at ? room : (size_t)(end - at);
		ssize_t got;

		/* Each page once: of what is in memory already, asking is most of reading. */
		if (at + READ_AHEAD > asked) {
			posix_fadvise(f->fd, (off_t)asked, READ_AHEAD, POSIX_FADV_WILLNEED);
			asked += READ_AHEAD;
		}
		got = live_read(f, at, to, want);
		if (got < 0)
			return READ_FAILED;
		keyring_look_at(&seen->look, at, to, (size_t)got);
		if (at < KEYRING_SIZE && ingest_is_keyring(s->g, &seen->look))
			return READ_KEYRING;
		at += (uint64_t)got;
		seen->reached = at;
		bool is_short = (size_t)got < want;

		if (stream_advance(s, (size_t)got, is_short || at == end, e) < 0)
			return READ_FATAL;
		if (is_short)
			return READ_CHANGED;
		if (ingest_is_stopped(s->g)) {
			err_set(e, MUNI_CANCELLED, "stopped");
			return READ_FATAL;
		}
	}
	return READ_WELL;
}

static uint64_t sum_of_holes(const struct live_file *f, uint64_t size)
{
	uint64_t offset = 0, begin, end, data = 0;

	if (!f->is_sparse)
		return 0;
	while (live_next_data(f, offset, size, &begin, &end)) {
		data += end - begin;
		offset = end;
	}
	return size - data;
}

static enum outcome read_runs(struct stream *s, const struct live_file *f, uint64_t *size,
			      struct err *e)
{
	uint64_t offset = 0, begin, end;
	struct seen seen = { .reached = 0 };
	enum outcome outcome = READ_WELL;

	posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	while (outcome == READ_WELL && live_next_data(f, offset, *size, &begin, &end)) {
		outcome = read_run(s, f, begin, end, &seen, e);
		offset = end;
	}
	if (outcome == READ_CHANGED)
		*size = seen.reached;
	else if (outcome == READ_WELL && live_changed(f))
		outcome = READ_CHANGED;
	return outcome;
}

/* What a try came to, and what that means for the file. */
static enum outcome try_reading(struct stream *s, const struct live_file *f,
				struct item *item, bool is_last_try, struct err *e)
{
	uint64_t size = item->body->meta.size;
	enum outcome outcome = read_runs(s, f, &size, e);

	if (outcome == READ_FAILED)
		tell_unreadable(s->g, item, errno);
	else if (outcome == READ_KEYRING)
		tell_keyring(s->g, item);
	if (outcome == READ_FAILED || outcome == READ_KEYRING || outcome == READ_FATAL ||
	    (outcome == READ_CHANGED && !is_last_try)) {
		stream_drop(s);
		return outcome;
	}
	item->body->meta.size = size;
	if (outcome == READ_CHANGED)
		tell_unstable(s->g, item);
	return stream_finish(s, size, e) < 0 ? READ_FATAL : READ_WELL;
}

int large_read(struct ingest *g, struct capture *c, struct pack_lane *lane,
	       struct handle *h, struct item *item, struct err *e)
{
	enum outcome outcome = READ_CHANGED;
	struct live_file f;
	struct stream s;

	for (unsigned i = 1; i <= READ_TRIES && outcome == READ_CHANGED; i++) {
		if (live_open(g, c, h, item, &f) < 0) {
			outcome = READ_FAILED;
			break;
		}
		outcome = READ_FATAL;
		if (stream_start(&s, g, lane, item->body, item->run,
				 sum_of_holes(&f, item->body->meta.size), e) == 0)
			outcome = try_reading(&s, &f, item, i == READ_TRIES, e);
		live_close(&f);
	}
	if (outcome == READ_FAILED || outcome == READ_KEYRING) {
		atomic_fetch_add(&g->items_done, 1);
		body_done(g, item->body, item->run);
	}
	return outcome == READ_FATAL ? -1 : 0;
}

void *ingest_large_reader(void *arg)
{
	struct ingest *g = arg;
	struct capture *c = capture_new();
	struct err e = ERR_NONE;
	void *item;

	if (!c) {
		err_set(&e, MUNI_NO_MEMORY, "out of memory for reading large files");
		ingest_fail(g, &e);
	}
	while (c && queue_pop(g->large, &item)) {
		struct large_file *f = item;
		int rc = large_read(g, c, NULL, f->handle, f->item, &e);

		large_file_free(f);
		if (rc < 0) {
			ingest_fail(g, &e);
			break;
		}
	}
	capture_free(c);
	return NULL;
}
