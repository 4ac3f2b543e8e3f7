/*
 * The common case of a later version: nothing in a directory has changed.  The numbers
 * of all its files are held as one digest against that of the version before, so their
 * rows, most of the catalogue, are not read at all.
 *
 * What is believed is what is_unchanged() believes of each: the digest covers the same
 * numbers and the name.  It was made from what was looked at before anything was read,
 * so a file that changed after that has another change time than it says.
 */
#include <string.h>

#include "fs/vault/walk_inside.h"

#define WORTH_IT 8	/* files: of fewer the rows are read as fast */

static bool is_plain(const struct seen *s, uint64_t device)
{
	return s->why == 0 && !S_ISDIR(s->sx.stx_mode) && s->sx.stx_nlink == 1 &&
	       walk_device(&s->sx) == device;
}

/* Can these names be all that there is to say? */
static bool is_simple(const struct looker *l, const struct look *k)
{
	uint64_t device = walk_device(&k->self);

	if (k->path || !k->handle || k->next > 0 || k->names_why != 0 || k->is_restless ||
	    l->seen_count < WORTH_IT || l->seen_count < k->names.count)
		return false;
	for (size_t i = 0; i < l->seen_count; i++)
		if (!is_plain(&l->seen[i], device))
			return false;
	return true;
}

static void put_name(struct hasher *h, const char *name, const struct statx *sx)
{
	size_t size = strlen(name);
	uint8_t raw[2 + 10 * 8];
	struct writer w = writer_over(raw, sizeof raw);

	writer_u16(&w, (uint16_t)size);
	hasher_update(h, raw, w.used);
	hasher_update(h, name, size);
	w = writer_over(raw, sizeof raw);
	writer_u64(&w, sx->stx_mode);
	writer_u64(&w, sx->stx_uid);
	writer_u64(&w, sx->stx_gid);
	writer_u64(&w, sx->stx_size);
	writer_u64(&w, (uint64_t)sx->stx_rdev_major << 32 | sx->stx_rdev_minor);
	writer_u64(&w, (uint64_t)sx->stx_mtime.tv_sec);
	writer_u64(&w, sx->stx_mtime.tv_nsec);
	writer_u64(&w, (uint64_t)sx->stx_ctime.tv_sec);
	writer_u64(&w, sx->stx_ctime.tv_nsec);
	writer_u64(&w, sx->stx_ino);
	hasher_update(h, raw, w.used);
}

static bool is_any_racy(const struct looker *l)
{
	for (size_t i = 0; i < l->seen_count; i++) {
		const struct statx_timestamp *t = &l->seen[i].sx.stx_ctime;

		if (walk_is_racy(l->vantage->g, &(struct stamp){ t->tv_sec, t->tv_nsec }))
			return true;
	}
	return false;
}

static int compare(const struct looker *l, struct look *k, struct err *e)
{
	const struct vantage *v = l->vantage;
	struct numbers before;
	bool is_there;

	if (k->directory == 0 || v->g->options->reread || is_any_racy(l))
		return 0;
	if (catalogue_numbers_get(l->catalogue, v->g->version.previous, k->directory, &before,
				  &is_there, e) < 0)
		return -1;
	k->are_numbers_known = is_there && digest_equal(&before.digest, &k->numbers.digest) &&
			       walk_is_device(v, before.device, k->numbers.device);
	return 0;
}

int look_numbers(const struct looker *l, struct look *k, struct err *e)
{
	struct hasher *h;

	if (!is_simple(l, k))
		return 0;
	h = hasher_new();
	if (!h)
		return 0;	/* the rows will say */
	for (size_t i = 0; i < l->seen_count; i++)
		put_name(h, k->names.list[i], &l->seen[i].sx);
	k->numbers = (struct numbers){ walk_device(&k->self), hasher_finish(h) };
	hasher_free(h);
	k->has_numbers = true;
	if (compare(l, k, e) < 0)
		return -1;
	for (size_t i = 0; k->are_numbers_known && i < l->seen_count; i++) {
		struct meta m = { .kind = 0 };

		walk_numbers(&l->seen[i].sx, &m);
		look_count(k, &m);
	}
	k->is_end = k->are_numbers_known;
	return 0;
}
