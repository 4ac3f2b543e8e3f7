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

_Static_assert(LOOK_BACK >= SPAN_MAX + REACH, "what is searched again is held");
_Static_assert(WINDOW >= 4 * (LOOK_BACK + LOOK_AHEAD), "windows advance by most of their size");

int detector_new(const struct recognisers *r, struct detector **out, struct err *e)
{
	struct detector *d = calloc(1, sizeof *d);

	*out = NULL;
	if (!d)
		return err_set(e, MUNI_NO_MEMORY, "no memory to search text");
	d->set = r;
	d->taken = calloc(1, WINDOW + SLACK);
	d->findings = calloc(r->count + 1, sizeof *d->findings);
	d->told = calloc(r->count + 1, sizeof *d->told);
	if (!d->taken || !d->findings || !d->told) {
		err_set(e, MUNI_NO_MEMORY, "no memory to search text");
		goto fail;
	}
	if (detect_make_room(d, 1, 1, e) < 0)
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
	for (unsigned i = 0; i < d->thread_count; i++)
		search_free(d->searches[i]);
	for (size_t i = 0; i < d->window_room; i++)
		free(d->windows[i].claims);
	free(d->searches);
	free(d->windows);
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
	for (unsigned i = 0; i < d->thread_count; i++)
		search_reset(d->searches[i]);
}

/* ---- windows ------------------------------------------------------------------------------ */

/* How many windows are gathered before they are searched. */
static size_t windows_wanted(const struct detector *d)
{
	return d->passage && d->passage->is_shared ? d->window_room : 1;
}

/* Where the nth window ends, with the character that fills it. */
static size_t end_of_window(const struct detector *d, size_t n)
{
	size_t end = n * STEP + WINDOW;

	while (end < d->used && !detect_text_is_begin(d->text[end]))
		end++;
	return end;
}

/* Windows that more of the text follows. */
static size_t full_windows(const struct detector *d, bool has_more)
{
	size_t count = 0, end;

	while (d->used >= count * STEP + WINDOW) {
		end = end_of_window(d, count);
		if (end == d->used && !has_more)
			break;
		count++;
	}
	return count;
}

static void set_window(struct detector *d, size_t n, size_t end, size_t high)
{
	struct window *w = &d->windows[n];

	w->text = d->text + n * STEP;
	w->used = end - n * STEP;
	w->low = n == 0 ? d->low : LOOK_BACK;
	w->high = high;
	w->base = d->base + n * STEP;
}

/* What has been searched moves out, but for what the next search looks back at. */
static void advance(struct detector *d, size_t windows)
{
	memmove(d->text, d->text + windows * STEP, d->used - windows * STEP);
	d->used -= windows * STEP;
	d->base += windows * STEP;
	d->low = LOOK_BACK;
}

/* The next window begins behind this one. */
static void pass_window(struct detector *d)
{
	for (size_t i = 0; i < d->claim_count; i++) {
		d->claims[i].start -= STEP;
		d->claims[i].end -= STEP;
	}
}

static int search_full_windows(struct detector *d, bool has_more, struct err *e)
{
	size_t count = full_windows(d, has_more), high = WINDOW - LOOK_AHEAD;

	if (count == 0)
		return 0;
	assert(count <= d->window_room);
	for (size_t n = 0; n < count; n++)
		set_window(d, n, end_of_window(d, n), high);
	if (detect_search_windows(d, count, e) < 0)
		return -1;
	for (size_t n = 0; n < count; n++) {
		if (detect_settle(d, &d->windows[n], high - REACH, e) < 0)
			return -1;
		pass_window(d);
	}
	advance(d, count);
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
	size_t room = (windows_wanted(d) - 1) * STEP + WINDOW;

	/* Those who could be asked about much may be asked about little from now on. */
	if (size > 0 && d->used >= room && search_full_windows(d, true, e) < 0)
		return -1;
	while (size > 0) {
		size_t used;

		if (d->used >= room && search_full_windows(d, true, e) < 0)
			return -1;
		if (d->cut_size > 0) {
			mend_cut(d, *in++);
			size--;
			continue;
		}
		used = detect_text_clean(d->text + d->used, in, size, room - d->used);
		filled(d, used);
		in += used;
		size -= used;
		if (d->used < room && size > 0) {	/* cut off: three bytes at most */
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

	/* What is cut off here was there when the window was full. */
	rc = search_full_windows(d, d->cut_size > 0, e);
	if (rc == 0) {
		detect_text_clean_end(d->text + d->used, d->cut, d->cut_size);
		filled(d, d->cut_size);
		d->cut_size = 0;
		set_window(d, 0, d->used, d->used);
		rc = detect_search_windows(d, 1, e);
		/* What was found before a failure counts. */
		if (detect_settle(d, &d->windows[0], SIZE_MAX, rc == 0 ? e : &ignored) < 0)
			rc = -1;
	}
	d->passage = NULL;
	return rc;
}
