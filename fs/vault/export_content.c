/*
 * A file's content for export: data runs in order, hashed on the way.
 */
#include <stdlib.h>

#include "fs/base/text.h"
#include "fs/vault/export_hash.h"
#include "fs/vault/export_inside.h"

#define ZEROS_MOST ((uint64_t)16 << 40)	/* no file of ext4 is larger; some hours' work */
#define WINDOW ((size_t)8 << 20)	/* prefetched ahead within a file */

struct export_content {
	const struct export_source *source;
	void *reader;
	struct export_hash *hash;
};

int export_content_open(struct export *x, struct export_content **out, struct err *e)
{
	struct export_content *c = calloc(1, sizeof *c);

	*out = NULL;
	if (!c)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read content");
	c->source = x->source;
	c->hash = export_hash_new(x->threads > 1);
	if (!c->hash) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read content");
		goto bad;
	}
	if (x->source->open(x, &c->reader, e) < 0)
		goto bad;
	*out = c;
	return 0;
bad:
	export_content_close(c);
	return -1;
}

void export_content_close(struct export_content *c)
{
	if (!c)
		return;
	c->source->close(c->reader);
	export_hash_free(c->hash);
	free(c);
}

int export_content_look_up(struct export_content *c, struct export_item *const *items,
			   size_t count, struct err *e)
{
	return c->source->look_up(c->reader, items, count, e);
}

bool export_has_holes(const struct node *n)
{
	return n->kind == NODE_FILE && n->allocated < n->size;
}

const char *export_refusal(const struct export *x, const struct node *n)
{
	if (!export_has_holes(n) || n->size - n->allocated <= ZEROS_MOST)
		return NULL;
	switch (x->options->format) {
	case EXPORT_ZIP:
		return "more than 16 TiB of it are hole, and a zip has no holes: all of that would "
		       "be written as zeros; --format tar and --format dir take it";
	case EXPORT_BAGIT:
		return "more than 16 TiB of it are hole, and a bag's digest is over all of that as "
		       "zeros; --format tar and --format dir take it";
	default:
		return NULL;
	}
}

/* The next run of data at or after `at`, as the source has it, if it makes sense. */
static int next_run(struct export_content *c, const struct export_item *item, uint64_t at,
		    uint64_t *from, uint64_t *to, struct err *e)
{
	uint64_t size = item->node.size;

	if (c->source->next_run(c->reader, item, at, from, to, e) < 0)
		return -1;
	if (*from > size || *to > size || *from < at || (*from < size && *to <= *from))
		return err_set(e, MUNI_DAMAGED, "the map of its holes makes no sense");
	return 0;
}

static int give_run(struct export_content *c, const struct export_item *item, uint64_t from,
		    uint64_t to, export_run run, void *arg, struct err *e)
{
	uint64_t ahead = from + EXPORT_PIECE;

	while (from < to) {
		size_t size = to - from < EXPORT_PIECE ? (size_t)(to - from) : EXPORT_PIECE;
		uint8_t *piece = export_hash_room(c->hash);

		if (from + WINDOW > ahead && ahead < to) {
			c->source->prefetch(c->reader, item, ahead, WINDOW / 2);
			ahead += WINDOW / 2;
		}
		if (c->source->read(c->reader, item, from, piece, size, e) < 0)
			return -1;
		export_hash_data(c->hash, from, size);
		if (run(arg, from, piece, size, e) < 0)
			return -1;
		from += size;
	}
	return 0;
}

/* Of those that were hashed behind us. */
static int tell_wrong(struct export_content *c, struct err *e)
{
	size_t size;
	const char *path = export_hash_wrong(c->hash, &size);

	if (!path)
		return 0;
	c->source->differs(NULL, e);
	return err_wrap(e, "%s", size > 0 ? text_printable_n(path, size) : "a file");
}

void export_content_behind(struct export_content *c)
{
	export_hash_behind(c->hash);
}

int export_content_settle(struct export_content *c, struct err *e)
{
	export_hash_settle(c->hash);
	return tell_wrong(c, e);
}

int export_content_each(struct export_content *c, const struct export_item *item,
			export_run run, void *arg, struct err *e)
{
	const struct node *n = &item->node;
	uint64_t at = 0, from, to;
	struct digest found;

	export_hash_start(c->hash, n->size, !item->has_plain_digest && export_has_holes(n) ?
						    n->size - n->allocated : 0);
	while (at < n->size) {
		if (next_run(c, item, at, &from, &to, e) < 0)
			goto bad;
		if (from >= n->size)
			break;
		if (give_run(c, item, from, to, run, arg, e) < 0)
			goto bad;
		at = to;
	}
	if (export_hash_end_behind(c->hash, n->size, n->has_sha256 ? &n->sha256 : NULL,
				   item->path, item->path_size))
		return tell_wrong(c, e);
	found = export_hash_finish(c->hash, n->size);
	if (n->has_sha256 && digest_equal(&found, &n->sha256))
		return 0;
	c->source->differs(item, e);
bad:
	/* Who goes on without the file names it in a way of his own. */
	return e->code == MUNI_INCOMPLETE ? -1 :
		err_wrap(e, "%s", text_printable_n(item->path, item->path_size));
}

int export_content_all(struct export_content *c, const struct export_item *item,
		       export_run run, void *arg, struct err *e)
{
	struct err why = ERR_NONE;

	if (export_content_each(c, item, run, arg, &why) == 0)
		return 0;
	if (why.code == MUNI_INCOMPLETE)
		return err_set(e, MUNI_IO, "%s: %.600s; run the same export again, or one with "
			       "--format dir, which goes on without it",
			       text_printable_n(item->path, item->path_size), why.text);
	*e = why;
	return -1;
}

int export_content_map(struct export_content *c, const struct export_item *item,
		       struct export_hole_map *out, struct err *e)
{
	const struct node *n = &item->node;
	uint64_t at = 0, from, to;
	size_t room = 0;

	*out = (struct export_hole_map){ .runs = NULL };
	while (at < n->size) {
		if (next_run(c, item, at, &from, &to, e) < 0)
			goto bad;
		if (from >= n->size)
			break;
		if (out->count == room) {
			void *grown;

			room = room ? 2 * room : 64;
			grown = realloc(out->runs, room * sizeof *out->runs);
			if (!grown) {
				err_set(e, MUNI_NO_MEMORY, "no memory for a map of holes");
				goto bad;
			}
			out->runs = grown;
		}
		out->runs[out->count].offset = from;
		out->runs[out->count].size = to - from;
		out->count++;
		out->bytes += to - from;
		at = to;
	}
	return 0;
bad:
	free(out->runs);
	*out = (struct export_hole_map){ .runs = NULL };
	return -1;
}
