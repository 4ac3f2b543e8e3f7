/*
 * Paragraphs are gathered into batches.  The detector asks for the places of what
 * it was fed a little earlier, so the batch before the present one stays.
 */
#include "fs/content/extract_prose.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/content/look.h"
#include "policy/detect/detect.h"

#define BATCH_SIZE (128u << 10)	/* more than the detector looks back */

struct mark {			/* a paragraph, or a piece of one */
	uint32_t start;		/* in the batch */
	uint32_t place;		/* offset into `places` */
};

struct batch {
	uint64_t start;		/* in the stretch */
	struct buffer text, places;
	struct buffer marks;	/* of struct mark */
};

struct prose {
	struct look *look;
	bool is_begun;		/* the detector's stretch */
	struct passage passage;
	struct batch now, before;
};

static void batch_free(struct batch *b)
{
	if (b->text.data)	/* values stood in it */
		explicit_bzero(b->text.data, b->text.capacity);
	buffer_free(&b->text);
	buffer_free(&b->places);
	buffer_free(&b->marks);
}

void prose_free(struct prose *p)
{
	if (!p)
		return;
	batch_free(&p->now);
	batch_free(&p->before);
	free(p);
}

static void batch_reset(struct batch *b, uint64_t start)
{
	b->start = start;
	buffer_reset(&b->text);
	buffer_reset(&b->places);
	buffer_reset(&b->marks);
}

/* ---- places -------------------------------------------------------------------------------- */

static struct mark mark_at(const struct batch *b, uint64_t offset)
{
	struct mark found = { .place = 0 };
	size_t low = 0, high = b->marks.size / sizeof found;

	if (high == 0)
		return found;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		struct mark m;

		memcpy(&m, b->marks.data + middle * sizeof m, sizeof m);
		if (b->start + m.start <= offset)
			low = middle;
		else
			high = middle;
	}
	memcpy(&found, b->marks.data + low * sizeof found, sizeof found);
	return found;
}

static const struct batch *batch_of(const struct prose *p, uint64_t offset)
{
	return offset >= p->now.start ? &p->now : &p->before;
}

static void place_of(void *arg, uint64_t offset, char out[SAMPLE_WHERE_MAX])
{
	struct prose *p = arg;
	const struct batch *b = batch_of(p, offset);
	struct mark m = mark_at(b, offset);

	look_place(p->look, out, "%s",
		   b->places.size > m.place ? (const char *)b->places.data + m.place : "");
}

/* In the paragraph. */
static uint64_t told(void *arg, uint64_t offset)
{
	struct prose *p = arg;
	const struct batch *b = batch_of(p, offset);

	return offset - b->start - mark_at(b, offset).start;
}

struct prose *prose_new(struct look *l)
{
	struct prose *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->look = l;
	p->passage = (struct passage){ .place = place_of, .told = told, .arg = p };
	return p;
}

/* ---- filling --------------------------------------------------------------------------------- */

static int flush(struct prose *p, struct err *e)
{
	struct batch old = p->before;

	if (p->now.text.failed || p->now.places.failed || p->now.marks.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the text of a document");
	if (p->now.text.size == 0)
		return 0;
	if (!p->is_begun)
		detector_begin(look_detector(p->look), &p->passage);
	p->is_begun = true;
	if (detector_feed(look_detector(p->look), p->now.text.data, p->now.text.size, e) < 0)
		return -1;
	p->before = p->now;
	p->now = old;
	batch_reset(&p->now, p->before.start + p->before.text.size);
	return 0;
}

static void set_mark(struct batch *b, const char *place)
{
	struct mark last, m = { .start = (uint32_t)b->text.size };
	size_t count = b->marks.size / sizeof m;

	if (count > 0) {
		memcpy(&last, b->marks.data + (count - 1) * sizeof last, sizeof last);
		if (!strcmp((const char *)b->places.data + last.place, place))
			return;
	}
	m.place = (uint32_t)b->places.size;
	buffer_append(&b->places, place, strlen(place) + 1);
	buffer_append(&b->marks, &m, sizeof m);
}

int prose_add_piece(struct prose *p, const char *place, const void *text, size_t size,
		    struct err *e)
{
	const char *at = text;

	while (size > 0) {
		size_t n = size < BATCH_SIZE ? size : BATCH_SIZE;

		if (p->now.text.size + n > BATCH_SIZE && flush(p, e) < 0)
			return -1;
		set_mark(&p->now, place);
		buffer_append(&p->now.text, at, n);
		if (p->now.text.failed || p->now.places.failed || p->now.marks.failed)
			return err_set(e, MUNI_NO_MEMORY, "no memory for the text of a document");
		at += n;
		size -= n;
	}
	return 0;
}

int prose_add(struct prose *p, const char *place, const void *text, size_t size,
	      struct err *e)
{
	return prose_add_piece(p, place, text, size, e) < 0 ||
	       prose_add_piece(p, place, "\n", 1, e) < 0 ? -1 : 0;
}

int prose_end(struct prose *p, struct err *e)
{
	int rc = flush(p, e);

	if (p->is_begun) {
		struct err ignored = ERR_NONE;

		if (detector_end(look_detector(p->look), rc == 0 ? e : &ignored) < 0)
			rc = -1;
	}
	p->is_begun = false;
	batch_reset(&p->now, 0);
	batch_reset(&p->before, 0);
	return rc;
}
