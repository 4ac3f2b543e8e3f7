/*
 * The bytes of an archive's entries: small files in batches, others in streams.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/vault/ingest_intake.h"
#include "fs/vault/ingest_stream.h"
#include "fs/vault/leaf.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for the archive's files");
}

/* ---- small files ------------------------------------------------------------------ */

size_t intake_small_max(const struct intake *in)
{
	return in->g->chunker.average * 2;
}

int intake_send_small(struct intake *in, struct err *e)
{
	struct small_files *s = in->small;
	struct task *t;

	if (!s)
		return 0;
	in->small = NULL;
	t = calloc(1, sizeof *t);
	if (!t) {
		ingest_pool_put(s->pool, s->data);
		free(s);
		return no_memory(e);
	}
	t->small = s;
	loose_add(in->g);
	if (!queue_push(in->g->tasks, t)) {
		task_free(t);
		return err_set(e, MUNI_CANCELLED, "stopped");
	}
	return 0;
}

static int add_small(struct intake *in, struct inode *inode, size_t size, struct err *e)
{
	struct small_files *s = in->small;

	if (s && (s->count == BATCH_ITEMS || s->used + size > PIECE_SIZE + in->g->chunker.max) &&
	    intake_send_small(in, e) < 0)
		return -1;
	if (!in->small) {
		in->small = calloc(1, sizeof *in->small);
		if (!in->small)
			return no_memory(e);
		in->small->pool = in->g->pool;
		in->small->data = ingest_pool_get(in->g->pool);
		if (!in->small->data)
			return no_memory(e);
	}
	s = in->small;
	memcpy(s->data + s->used, in->head, size);
	s->files[s->count].inode = inode;
	s->files[s->count].at = (uint32_t)s->used;
	s->files[s->count++].size = (uint32_t)size;
	s->used += size;
	return 0;
}

/* ---- content ---------------------------------------------------------------------- */

struct content {
	size_t head;		/* bytes in intake.head: all there are so far */
	bool is_streaming;	/* they have gone on to the stream */
	struct stream stream;
	uint64_t end;		/* where the last run ended */
	uint64_t size;		/* of the file, when it has ended */
};

static int to_stream(struct content *c, uint64_t offset, const uint8_t *data, size_t size,
		     struct err *e)
{
	if (offset > c->end) {	/* a hole */
		if (stream_advance(&c->stream, 0, true, e) < 0)
			return -1;
		stream_seek(&c->stream, offset);
	}
	c->end = offset + size;
	while (size > 0) {
		size_t room;
		uint8_t *to = stream_room(&c->stream, &room);
		size_t part = size < room ? size : room;

		memcpy(to, data, part);
		if (stream_advance(&c->stream, part, false, e) < 0)
			return -1;
		data += part;
		size -= part;
	}
	return 0;
}

static int start_stream(struct intake *in, struct content *c, struct inode *inode,
			const struct foreign_entry *entry, struct err *e)
{
	bool may_be_hollow = !entry->has_size || entry->size > LEAF_HOLE_MAX;
	struct body *b = body_new();
	size_t head = c->head;

	if (!b)
		return no_memory(e);
	b->inode = inode;
	b->class_id = inode->class_id;
	if (stream_start(&c->stream, in->g, NULL, b, NULL,
			 may_be_hollow ? CONTENT_HOLES_UNKNOWN : 0, e) < 0)
		return -1;
	c->is_streaming = true;
	c->end = c->head = 0;
	loose_add(in->g);
	return head ? to_stream(c, 0, in->head, head, e) : 0;
}

static int take_run(struct intake *in, struct content *c, struct inode *inode,
		    const struct foreign_entry *entry, const struct foreign_run *run,
		    struct err *e)
{
	if (!c->is_streaming && run->offset == c->head &&
	    c->head + run->size <= intake_small_max(in)) {
		memcpy(in->head + c->head, run->data, run->size);
		c->head += run->size;
		return 0;
	}
	if (!c->is_streaming && start_stream(in, c, inode, entry, e) < 0)
		return -1;
	return to_stream(c, run->offset, run->data, run->size, e);
}

/* The reading ends without a result: so does what waits for one. */
static void drop_stream(struct intake *in, struct content *c)
{
	if (!c->is_streaming)
		return;
	c->is_streaming = false;
	stream_drop(&c->stream);
	loose_done(in->g);
}

static int end_content(struct intake *in, struct content *c, struct inode *inode,
		       const struct foreign_entry *entry, struct err *e)
{
	if (!c->is_streaming && c->size == c->head)
		return c->size ? add_small(in, inode, c->head, e) : 0;
	/* A hole at the end, or nothing but hole. */
	if (!c->is_streaming && start_stream(in, c, inode, entry, e) < 0)
		return -1;
	if (stream_advance(&c->stream, 0, true, e) < 0)
		return -1;
	c->is_streaming = false;
	return stream_finish(&c->stream, c->size, e);
}

enum outcome intake_data(struct intake *in, const struct foreign_entry *entry,
			      struct inode *inode, uint64_t *size, struct err *e)
{
	struct content c = { .head = 0 };
	struct keyring_look look = { 0 };
	struct foreign_run run;
	bool is_end = false, is_keyring = false;

	for (;;) {
		if (foreign_data(in->f, &run, &is_end, e) < 0) {
			drop_stream(in, &c);
			return DATA_FAILED;
		}
		if (is_end)
			break;
		keyring_look_at(&look, run.offset, run.data, run.size);
		if (!is_keyring && ingest_is_keyring(in->g, &look)) {
			is_keyring = true;	/* its other runs are passed over */
			drop_stream(in, &c);
		}
		if (!is_keyring && take_run(in, &c, inode, entry, &run, e) < 0) {
			drop_stream(in, &c);
			return DATA_FATAL;
		}
		if (ingest_is_stopped(in->g)) {
			drop_stream(in, &c);
			err_set(e, MUNI_CANCELLED, "stopped");
			return DATA_FATAL;
		}
	}
	if (is_keyring) {
		err_set(e, MUNI_REFUSED, "%s", ingest_keyring_left_out);
		return DATA_FAILED;
	}
	c.size = run.offset;
	*size = c.size;
	if (end_content(in, &c, inode, entry, e) == 0)
		return DATA_WHOLE;
	drop_stream(in, &c);
	return DATA_FATAL;
}
