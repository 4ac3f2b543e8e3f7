/*
 * The window.  Text is gathered until it is full, then searched as far as enough of
 * what follows is seen, then moved down.  Where windows end depends on the text's
 * length alone, never on the pieces (D2); a search takes up where the one before it
 * stopped (D1).
 */
#include "policy/detect/detect.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "policy/detect/detect_inside.h"
#include "policy/detect/detect_text.h"

/* A match or a value that begins at `low` or later may begin so much before it. */
#define REACH (SPAN_MAX + BEFORE)

/* The character that fills a window may go beyond it; so may what is left of a cut
 * one.  Nothing is decided by it: a search sees LOOK_AHEAD, never the end. */
#define SLACK 16

_Static_assert(LOOK_BACK >= SPAN_MAX + REACH, "what is searched again is held");
_Static_assert(WINDOW >= 4 * (LOOK_BACK + LOOK_AHEAD), "windows advance by most of their size");

int detector_new(const struct recognisers *r, struct detector **out, struct err *e)
{
	struct detector *d = calloc(1, sizeof *d);

	*out = NULL;
	if (!d)
		return err_set(e, MUNI_NO_MEMORY, "no memory to search text");
	d->set = r;
	d->text = calloc(1, WINDOW + SLACK + DETECT_PICTURES_PAD);
	d->taken = calloc(1, WINDOW + SLACK);
	d->findings = calloc(r->count + 1, sizeof *d->findings);
	d->told = calloc(r->count + 1, sizeof *d->told);
	if (!d->text || !d->taken || !d->findings || !d->told) {
		err_set(e, MUNI_NO_MEMORY, "no memory to search text");
		goto fail;
	}
	if (search_new(r, &d->search, e) < 0)
		goto fail;
	detector_reset(d);
	*out = d;
	return 0;
fail:
	detector_free(d);
	return -1;
}

/* D3 */
static void wipe(struct detector *d)
{
	explicit_bzero(d->text, d->dirty);
	explicit_bzero(d->cut, sizeof d->cut);
	d->dirty = d->used = d->cut_size = 0;
}

void detector_free(struct detector *d)
{
	if (!d)
		return;
	if (d->text)
		wipe(d);
	search_free(d->search);
	free(d->text);
	free(d->taken);
	free(d->claims);
	free(d->findings);
	free(d->told);
	free(d);
}

void detector_reset(struct detector *d)
{
	wipe(d);
	d->passage = NULL;
	d->claim_count = 0;
	for (size_t i = 0; i < d->set->count; i++) {
		struct finding *f = &d->findings[i];

		if (f->count == 0 && f->id[0] != '\0')
			continue;
		*f = (struct finding){ .sensitivity = d->set->rows[i]->sensitivity };
		memcpy(f->id, d->set->rows[i]->id, strlen(d->set->rows[i]->id) + 1);
	}
}

void detector_begin(struct detector *d, const struct passage *passage)
{
	d->passage = passage;
	d->used = d->low = d->cut_size = d->claim_count = 0;
	d->base = 0;
	d->has_cells = false;
	search_reset(d->search);
}

/* ---- windows ------------------------------------------------------------------------------ */

static void set_window(struct detector *d, struct search *s, size_t high)
{
	s->passage = d->passage;
	s->text = d->text;
	s->used = d->used;
	s->low = d->low;
	s->high = high;
	s->base = d->base;
	s->has_cells = d->has_cells;
}

/* What has been searched moves out, but for what the next search looks back at. */
static void advance(struct detector *d, size_t high)
{
	size_t gone = high - LOOK_BACK;

	memmove(d->text, d->text + gone, d->used - gone);
	d->used -= gone;
	d->base += gone;
	d->low = high - gone;
	for (size_t i = 0; i < d->claim_count; i++) {
		d->claims[i].start -= (uint32_t)gone;
		d->claims[i].end -= (uint32_t)gone;
	}
}

static int search_full_window(struct detector *d, struct err *e)
{
	size_t high = WINDOW - LOOK_AHEAD;

	set_window(d, d->search, high);
	if (search_run(d->search, e) < 0 || detect_settle(d, d->search, high - REACH, e) < 0)
		return -1;
	advance(d, high);
	return 0;
}

static void filled(struct detector *d, size_t size)
{
	const char *new = d->text + d->used;

	d->has_cells = d->has_cells || memchr(new, DETECT_CELL_END, size) ||
		       memchr(new, DETECT_ROW_END, size);
	d->used += size;
	if (d->used > d->dirty)
		d->dirty = d->used;
}

/* A character that two pieces share takes the next byte. */
static void mend_cut(struct detector *d, unsigned char next)
{
	size_t used;

	d->cut[d->cut_size++] = next;
	used = detect_text_clean(d->text + d->used, d->cut, d->cut_size, d->cut_size);
	filled(d, used);
	d->cut_size -= used;
	memmove(d->cut, d->cut + used, d->cut_size);
}

int detector_feed(struct detector *d, const void *utf8, size_t size, struct err *e)
{
	const unsigned char *in = utf8;

	while (size > 0) {
		size_t used;

		if (d->used >= WINDOW && search_full_window(d, e) < 0)
			return -1;
		if (d->cut_size > 0) {
			mend_cut(d, *in++);
			size--;
			continue;
		}
		used = detect_text_clean(d->text + d->used, in, size, WINDOW - d->used);
		filled(d, used);
		in += used;
		size -= used;
		if (d->used < WINDOW && size > 0) {	/* cut off: three bytes at most */
			memcpy(d->cut, in, size);
			d->cut_size = size;
			size = 0;
		}
	}
	return 0;
}

int detector_end(struct detector *d, struct err *e)
{
	struct err ignored = ERR_NONE;
	int rc;

	detect_text_clean_end(d->text + d->used, d->cut, d->cut_size);
	filled(d, d->cut_size);
	d->cut_size = 0;
	set_window(d, d->search, d->used);
	rc = search_run(d->search, e);
	/* What was found before a failure counts. */
	if (detect_settle(d, d->search, SIZE_MAX, rc == 0 ? e : &ignored) < 0)
		rc = -1;
	d->passage = NULL;
	return rc;
}
