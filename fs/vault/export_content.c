/*
 * A file's content for export: data runs in order, hashed on the way.
 */
#include <stdlib.h>

#include "fs/base/text.h"
#include "fs/vault/export_inside.h"
#include "fs/vault/leaf.h"

#define WINDOW ((size_t)8 << 20)	/* prefetched ahead within a file */

struct export_content {
	struct vault_reader *reader;
	struct content_hash *hash;
	uint8_t *piece;		/* EXPORT_PIECE */
};

int export_content_open(struct export *x, struct export_content **out, struct err *e)
{
	struct export_content *c = calloc(1, sizeof *c);

	*out = NULL;
	if (!c)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read content");
	c->hash = content_hash_new();
	c->piece = malloc(EXPORT_PIECE);
	if (!c->hash || !c->piece) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read content");
		goto bad;
	}
	if (vault_reader_open(x->vault, x->cache, EXPORT_CATALOGUE_CACHE, &c->reader, e) < 0)
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
	vault_reader_close(c->reader);
	content_hash_free(c->hash);
	free(c->piece);
	free(c);
}

bool export_has_holes(const struct node *n)
{
	return n->kind == NODE_FILE && n->allocated < n->size;
}

/* The next run of data at or after `at`: [*from, *to); *from == size at the end. */
static int next_run(struct export_content *c, const struct node *n, uint64_t at,
		    uint64_t *from, uint64_t *to, struct err *e)
{
	*from = at;
	*to = n->size;
	if (n->content == 0)
		*from = n->size;
	if (!export_has_holes(n) || *from == n->size)
		return 0;
	if (vault_seek(c->reader, n->content, n->size, at, true, from, e) < 0)
		return -1;
	if (*from >= n->size)
		return 0;
	return vault_seek(c->reader, n->content, n->size, *from, false, to, e);
}

static int give_run(struct export_content *c, const struct node *n, uint64_t from, uint64_t to,
		    export_run run, void *arg, struct err *e)
{
	uint64_t ahead = from + EXPORT_PIECE;

	while (from < to) {
		size_t want = to - from < EXPORT_PIECE ? (size_t)(to - from) : EXPORT_PIECE, got;

		if (from + WINDOW > ahead && ahead < to) {
			vault_prefetch(c->reader, n->content, ahead, WINDOW / 2);
			ahead += WINDOW / 2;
		}
		if (vault_read(c->reader, n->content, n->size, from, c->piece, want, &got, e) < 0)
			return -1;
		if (got != want)
			return err_set(e, MUNI_DAMAGED, "its content ends at byte %llu of %llu",
				       (unsigned long long)(from + got),
				       (unsigned long long)n->size);
		content_hash_data(c->hash, from, c->piece, got);
		if (run(arg, from, c->piece, got, e) < 0)
			return -1;
		from += got;
	}
	return 0;
}

int export_content_each(struct export_content *c, const struct export_item *item,
			export_run run, void *arg, struct err *e)
{
	const struct node *n = &item->node;
	uint64_t at = 0, from, to;
	struct digest found;

	content_hash_start(c->hash, export_has_holes(n) ? n->size - n->allocated : 0);
	while (at < n->size) {
		if (next_run(c, n, at, &from, &to, e) < 0)
			goto bad;
		if (from > n->size || to > n->size || from < at || (from < n->size && to <= from)) {
			err_set(e, MUNI_DAMAGED, "the map of its holes makes no sense");
			goto bad;
		}
		if (give_run(c, n, from, from < n->size ? to : from, run, arg, e) < 0)
			goto bad;
		at = from < n->size ? to : n->size;
	}
	found = content_hash_finish(c->hash, n->size);
	if (n->has_sha256 && digest_equal(&found, &n->sha256))
		return 0;
	err_set(e, MUNI_DAMAGED, "its content is not what was ingested (SHA-256); run muni "
		"verify");
bad:
	return err_wrap(e, "%s", text_printable_n(item->path, item->path_size));
}

int export_content_map(struct export_content *c, const struct node *n,
		       struct export_hole_map *out, struct err *e)
{
	uint64_t at = 0, from, to;
	size_t room = 0;

	*out = (struct export_hole_map){ .runs = NULL };
	while (at < n->size) {
		if (next_run(c, n, at, &from, &to, e) < 0)
			goto bad;
		if (from >= n->size)
			break;
		if (from < at || to <= from || to > n->size) {
			err_set(e, MUNI_DAMAGED, "the map of a file's holes makes no sense");
			goto bad;
		}
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
